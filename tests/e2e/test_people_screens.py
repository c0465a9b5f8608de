"""People and roles in a browser: somebody is invited, signs in by the link, is changed and removed; nobody grants what they lack."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.browser import toast
from tests.support.live_server import LiveServer
from tests.support.mailbox import mailed_link

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
INVITED = "new.barkeeper@kojo.example"


def invite(owner: Page) -> None:
    owner.get_by_role("button", name="Send the invitation").click()
    expect(owner.locator("[name=role_id]")).to_have_attribute("aria-invalid", "true")
    owner.locator("[name=email]").fill(INVITED)
    owner.locator("[name=name]").fill("Naledi Bar")
    owner.locator("[name=role_id]").select_option(label="Staff")
    owner.get_by_label("Kōjō Rosebank").check()
    owner.get_by_role("button", name="Send the invitation").click()
    toast(owner, f"An e-mail is on its way to {INVITED}.")


def accept(page: Page, link: str) -> None:
    page.goto(link)
    page.locator("[name=password]").fill("a long walk by the sea")
    page.get_by_role("button", name="Accept").click()
    page.wait_for_url("**/staff")


def test_somebody_is_invited_signs_in_and_is_removed(
    live_server: LiveServer, console_of: Console, new_context: Callable[..., BrowserContext]
) -> None:
    owner = console_of(live_server.person("owner"), "/owner/people/invite")
    invite(owner)
    crew = console_of(live_server.person("super_admin"), "/platform/outbox")
    page = new_context().new_page()
    accept(page, mailed_link(crew, INVITED))
    owner.goto(f"/owner/people?q={INVITED}")
    row = owner.locator("#members tbody tr").filter(has_text=INVITED)
    expect(row).to_contain_text("Kōjō Rosebank")
    expect(page.get_by_role("heading", level=1)).to_have_text("Floor")

    row.get_by_role("link").first.click()
    owner.get_by_label("Suspended").check()
    owner.locator("[name=reason]").fill("On leave")
    owner.get_by_role("button", name="Save").click()
    toast(owner, "Saved. It holds for Naledi Bar at once.")
    expect(owner.locator(".audit li").first).to_contain_text("On leave")
    page.goto("/staff/visits")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Visits")

    owner.get_by_role("button", name="Remove").click()
    dialog = owner.get_by_role("dialog")
    expect(dialog).to_contain_text("Remove Naledi Bar?")
    dialog.get_by_role("button", name="Remove").click()
    toast(owner, "Removed. It holds at once.")
    expect(owner.locator("#members tbody tr").filter(has_text="Naledi Bar")).to_have_count(0)


def test_the_last_owner_stays(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("owner", "the-low-light"), "/owner/people?q=lerato")
    page.locator("#members tbody a").first.click()
    page.locator("[name=role_id]").select_option(label="Staff")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main").get_by_role("alert").first).to_be_visible()
    expect(page.locator("[name=role_id] option:checked")).to_have_text("Staff")
    rows = live_server.sql(
        """select count(*) as n from memberships m join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
           where m.tenant_id = $1 and r.key = 'owner'""",
        live_server.businesses["the-low-light"].id,
    )
    assert rows[0]["n"] == 1


def test_a_role_is_made_changed_and_archived(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("owner"), "/owner/roles")
    page.get_by_role("link", name="New role").click()
    page.locator("[name=name]").fill("Doorkeeper")
    page.get_by_label("See who is in, and past visits").check()
    page.get_by_role("button", name="Create the role").click()
    toast(page, "Doorkeeper can be given to people now.")
    page.get_by_label(re.compile("^Check a guest out")).check()
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved. It holds at once.")
    rows = live_server.sql("select permissions from roles where name = 'Doorkeeper'")
    assert sorted(rows[0]["permissions"]) == ["visits.checkout", "visits.read"]
    page.get_by_role("button", name="Archive").click()
    toast(page, "The role is archived.")
    expect(page.locator("#roles tbody tr").filter(has_text="Doorkeeper")).to_have_count(0)


def test_a_manager_is_offered_only_what_they_hold(live_server: LiveServer, console_of: Console) -> None:
    """The editor of somebody who may manage roles, but not everything else, cannot tick the rest; nor may a forged form."""
    owner = console_of(live_server.person("owner"), "/owner/roles/new")
    owner.locator("[name=name]").fill("Role keeper")
    for text in ("Create, change and archive roles", "See the roles and what each may do"):
        owner.get_by_label(text).check()
    owner.get_by_role("button", name="Create the role").click()
    toast(owner, "Role keeper can be given to people now.")
    role_id = owner.url.rsplit("/", 1)[-1]
    keeper = live_server.person("staff")
    live_server.sql(
        "update memberships set role_id = $1 where tenant_id = $2 and user_id = (select id from users where email = $3)",
        role_id,
        live_server.businesses["kojo-arcade"].id,
        keeper.email,
    )
    try:
        page = console_of(keeper, "/owner/roles/new")
        expect(page.get_by_label("Regenerate a venue's key, so that older codes die")).to_be_disabled()
        page.locator("[name=name]").fill("Sneaky")
        page.get_by_label("Regenerate a venue's key, so that older codes die").evaluate(
            "box => { box.disabled = false; box.checked = true; }"
        )
        page.get_by_role("button", name="Create the role").click()
        expect(page.locator("main").get_by_role("alert").first).to_be_visible()
        assert live_server.sql("select count(*) as n from roles where name = 'Sneaky'")[0]["n"] == 0
    finally:
        live_server.sql(
            """update memberships m set role_id = r.id from roles r
               where r.tenant_id = m.tenant_id and r.key = 'staff' and m.tenant_id = $1
                 and m.user_id = (select id from users where email = $2)""",
            live_server.businesses["kojo-arcade"].id,
            keeper.email,
        )
