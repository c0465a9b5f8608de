"""Invitations in a browser: sent, seen, accepted, sent again, taken back; what the link says when it no longer works."""

import re
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.browser import PHONE, scrolls_sideways, toast, violations
from tests.support.guests import sign_in
from tests.support.live_server import LiveServer
from tests.support.mailbox import mailed_link

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NewContext = Callable[..., BrowserContext]
NIGHT = "a long walk by the sea"


def fresh() -> str:
    return f"invited-{secrets.token_hex(4)}@kojo.example"


def invite(page: Page, email: str, role: str = "Staff") -> None:
    page.locator("[name=email]").fill(email)
    page.locator("[name=role_id]").select_option(label=role)
    page.get_by_role("button", name="Send the invitation").click()
    toast(page, f"An e-mail is on its way to {email}.")


def test_a_manager_invites_and_the_list_moves_when_they_accept(
    live_server: LiveServer, console_of: Console, new_context: NewContext
) -> None:
    email = fresh()
    boss = console_of(live_server.person("manager"), "/manage/people")
    boss.get_by_role("link", name="Invitations").click()
    boss.get_by_role("link", name="Invite somebody").click()
    boss.locator("[name=email]").fill("nonsense")
    boss.locator("[name=note]").fill("See you at nine.")
    boss.get_by_role("button", name="Send the invitation").click()
    expect(boss.locator("[name=role_id]")).to_have_attribute("aria-invalid", "true")
    expect(boss.locator("[name=note]")).to_have_value("See you at nine.")
    boss.get_by_label("Kōjō Rosebank").check()
    invite(boss, email)
    row = boss.locator("#invitations tbody tr").filter(has_text=email)
    expect(row).to_contain_text("Open")
    expect(row).to_contain_text("Kōjō Rosebank")
    crew = console_of(live_server.person("super_admin"), "/platform/outbox")
    page = new_context(viewport=PHONE).new_page()
    page.goto(mailed_link(crew, email))
    expect(page.get_by_role("heading", level=1)).to_have_text("Kōjō Arcade invites you")
    expect(page.get_by_text("See you at nine.")).to_be_visible()
    assert violations(page) == []
    assert not scrolls_sideways(page)
    page.locator("[name=name]").fill("Palesa Door")
    page.locator("[name=password]").fill("short")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("[name=password]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[name=name]")).to_have_value("Palesa Door")
    expect(page.get_by_text("See you at nine.")).to_be_visible()
    page.locator("[name=password]").fill(NIGHT)
    page.get_by_role("button", name="Accept").click()
    page.wait_for_url("**/staff")
    expect(row).to_contain_text("Accepted")
    boss.goto(f"/manage/people?q={email}")
    expect(boss.locator("#members tbody tr")).to_contain_text("Palesa Door")


def test_it_is_sent_again_taken_back_and_each_link_says_what_it_is(
    live_server: LiveServer, console_of: Console, new_context: NewContext
) -> None:
    email = fresh()
    boss = console_of(live_server.person("owner"), "/owner/people/invite")
    invite(boss, email)
    crew = console_of(live_server.person("super_admin"), "/platform/outbox")
    first = mailed_link(crew, email)
    boss.get_by_role("link", name=email).click()
    expect(boss.locator(".audit")).to_contain_text(email)
    boss.get_by_role("button", name="Send it again").click()
    toast(boss, f"A new link is on its way to {email}.")
    second = mailed_link(crew, email, count=2)
    page = new_context().new_page()
    page.goto(first)
    expect(page.get_by_role("heading", level=1)).to_have_text("This invitation no longer works")
    expect(page.get_by_text("a later e-mail holds a newer one")).to_be_visible()
    page.goto(second)
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    boss.reload()
    boss.get_by_role("button", name="Take it back").click()
    boss.get_by_role("dialog").get_by_role("button", name="Take it back").click()
    toast(boss, "The invitation is taken back.")
    page.locator("[name=name]").fill("Too Late")
    page.locator("[name=password]").fill(NIGHT)
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("alert").filter(has_text="took it back")).to_be_visible()
    page.goto(second)
    expect(page.get_by_text("The business took it back.")).to_be_visible()
    boss.goto("/owner/people/invitations?status=revoked")
    expect(boss.locator("#invitations tbody tr").filter(has_text=email)).to_contain_text("Taken back")
    assert live_server.sql("select 1 from users where email = $1", email) == []


def test_what_somebody_else_changed_meanwhile_is_told(live_server: LiveServer, console_of: Console) -> None:
    email = fresh()
    boss = console_of(live_server.person("owner"), "/owner/people/invite")
    invite(boss, email)
    boss.get_by_role("link", name=email).click()
    expect(boss.get_by_role("button", name="Send it again")).to_be_visible()
    live_server.sql("update invitations set note = 'changed meanwhile' where email = $1", email)
    boss.get_by_role("button", name="Send it again").click()
    expect(boss.get_by_role("alert").filter(has_text="Somebody changed this in the meantime")).to_be_visible()


def test_who_has_an_account_keeps_it_and_the_crew_invites_crew(
    live_server: LiveServer, console_of: Console, new_context: NewContext
) -> None:
    somebody = live_server.new_member("staff", "Two Hats")
    chief = console_of(live_server.person("super_admin"), "/platform/people/invite")
    expect(chief.get_by_text("Venues", exact=True)).to_have_count(0)
    invite(chief, somebody.email, "Finance")
    link = mailed_link(chief, somebody.email)
    page = new_context().new_page()
    page.goto(link)
    expect(page.locator("[name=password]")).to_have_count(0)
    page.get_by_role("button", name="Accept").click()
    page.wait_for_url(re.compile("/sign-in"))
    sign_in(page, somebody)
    page.wait_for_url(re.compile("/platform"))


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", ["desk", "phone"])
def test_its_pages_are_for_everybody(live_server: LiveServer, console_of: Console, theme: str, size: str) -> None:
    email = fresh()
    options: dict[str, Any] = {"viewport": PHONE} if size == "phone" else {}
    options["reduced_motion"] = "reduce"
    page = console_of(live_server.person("owner"), "/owner/people/invitations?q=nobody-at-all", **options)
    page.context.add_cookies([{"name": "theme", "value": theme, "url": live_server.base_url}])
    page.reload()
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    seen = violations(page)
    page.goto("/owner/people/invite")
    seen += violations(page)
    invite(page, email)
    seen += violations(page)
    assert not scrolls_sideways(page)
    page.get_by_role("link", name=email).click()
    expect(page.get_by_role("button", name="Send it again")).to_be_visible()
    seen += violations(page)
    assert not scrolls_sideways(page)
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    seen += violations(page)
    page.goto("/invitation?token=nothing")
    seen += violations(page)
    assert seen == []
    assert not scrolls_sideways(page)
