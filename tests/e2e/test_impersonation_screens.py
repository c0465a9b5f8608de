"""The crew with somebody's eyes, in a browser: with a reason, for a while, under a bar, and on the business's record."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import toast, wrong_in_themes
from tests.support.guests import wait_until
from tests.support.live_server import LiveServer, Person

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NARROW = {"width": 360, "height": 780}
WHY = "Ticket 4411, payout missing"


def look_as(page: Page, person: Person, place: str) -> None:
    """From the list of accounts to looking as one of them."""
    page.goto(f"/platform/accounts?q={person.email}")
    page.get_by_role("link", name=person.name, exact=True).first.click()
    page.get_by_role("button", name=f"Look as {person.name} at {place}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The business reads your name, your reason and every page you open")
    dialog.get_by_role("button", name="Look", exact=True).click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill(WHY)
    dialog.get_by_label("For how long").select_option("30")
    dialog.get_by_role("button", name="Look", exact=True).click()


def on_record(server: LiveServer, subject: Person) -> set[tuple[str, str, str]]:
    """What the business's audit log says that was seen with somebody's eyes; it follows what happened a moment later."""
    rows = server.sql(
        """select payload::jsonb->'after'->>'saw' as saw, payload::jsonb->'after'->>'outcome' as outcome,
                  payload::jsonb->>'reason' as reason from audit_entries
           where name = 'impersonation.seen' and payload::jsonb->'after'->>'as' = $1""",
        subject.name,
    )
    return {(row["saw"], row["outcome"], row["reason"]) for row in rows}


def test_the_crew_looks_as_a_manager_and_the_owner_reads_it(live_server: LiveServer, console_of: Console) -> None:
    subject = live_server.new_member("manager", "Mpho Looked-At")
    page = console_of(live_server.person("super_admin"), "/platform/accounts")
    look_as(page, subject, "Kōjō Arcade")
    page.wait_for_url("**/manage")
    looking = page.get_by_role("region", name="You are only looking")
    expect(looking).to_contain_text("Sam Adeyemi is looking as Mpho Looked-At.")
    expect(looking).to_contain_text(f"Reason: {WHY}")
    expect(page.locator(".side-foot")).to_contain_text("Mpho Looked-At")
    page.goto("/manage/visits")
    expect(looking).to_be_visible()
    answer = page.request.post("/api/auth/sessions", data={})
    assert answer.status in {403, 405}
    answer = page.request.put("/api/me/preferences", data={"theme": "light"})
    assert (answer.status, answer.json()["type"].rsplit("/", 1)[-1]) == (403, "read-only")
    known = {("GET /manage/visits", "shown", WHY), ("PUT /api/me/preferences", "read-only", WHY)}
    wait_until(page, lambda: known <= on_record(live_server, subject))
    owner = console_of(live_server.person("owner"), f"/owner/audit?q={subject.name.replace(' ', '+')}")
    expect(owner.locator("#main tbody tr").filter(has_text="Sam Adeyemi").first).to_be_visible()
    looking.get_by_role("button", name="Stop looking").click()
    toast(page, "You are yourself again.")
    expect(looking).to_have_count(0)
    page.goto("/platform/accounts")
    expect(page.get_by_role("heading", level=1)).to_have_text("Accounts")


def test_a_look_ends_with_the_crew_member_and_the_page_says_so(live_server: LiveServer, console_of: Console) -> None:
    """Whose role is taken away in the middle of it sees nothing from the next page on."""
    subject = live_server.new_member("staff", "Palesa Looked-At")
    page = console_of(live_server.person("ops"), "/platform/accounts")
    look_as(page, subject, "Kōjō Arcade")
    page.wait_for_url("**/staff")
    email = live_server.person("ops").email
    role = "update roles set permissions = {change}(permissions, 'users.impersonate') where key = 'ops'"
    bump = (
        """update sessions set version = version + 1 where impersonator_id = (select id from users where email = $1)"""
    )
    live_server.sql(role.format(change="array_remove"))
    live_server.sql(bump, email)
    try:
        page.goto("/staff/visits")
        toast(page, "Its time was over: you are yourself again.")
    finally:
        live_server.sql(role.format(change="array_append"))
        live_server.sql("update sessions set version = version + 1 where kind = 'crew'")


def test_the_crew_itself_is_not_looked_through(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("super_admin"), f"/platform/accounts?q={live_server.person('ops').email}")
    page.get_by_role("link", name="Ola Berg", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ola Berg")
    expect(page.get_by_role("button", name="Look as")).to_have_count(0)
    expect(page.get_by_role("button", name="Ban")).to_have_count(0)


def test_the_bar_and_the_dialog_fit_a_phone_in_both_themes(live_server: LiveServer, console_of: Console) -> None:
    subject = live_server.new_member("manager", "Refilwe Looked-At")
    page = console_of(
        live_server.person("super_admin"),
        f"/platform/accounts?q={subject.email}",
        viewport=NARROW,
        reduced_motion="reduce",
    )
    look_as(page, subject, "Kōjō Arcade")
    page.wait_for_url("**/manage")
    assert wrong_in_themes(page) == []


def test_the_guest_s_app_shows_the_bar_too_and_keeps_nothing_of_the_guest(
    live_server: LiveServer, console_of: Console
) -> None:
    guest = live_server.new_guest("Karabo Looked-At")
    page = console_of(live_server.person("super_admin"), "/platform/accounts", viewport=NARROW)
    look_as(page, guest, "Kōjō Arcade")
    page.wait_for_url("**/patron**")
    looking = page.get_by_role("region", name="You are only looking")
    expect(looking).to_contain_text("Sam Adeyemi is looking as Karabo Looked-At.")
    expect(looking).to_contain_text(f"Reason: {WHY}")
    page.get_by_role("link", name="Profile", exact=True).click()
    expect(looking).to_be_visible()
    assert wrong_in_themes(page) == []
    looking.get_by_role("button", name="Stop looking").click()
    toast(page, "You are yourself again.")
    kept = """() => new Promise((done, fail) => {
      const asked = indexedDB.open("last-light-patron");
      asked.onerror = fail;
      asked.onsuccess = () => {
        const stores = ["snapshots", "commands", "keys"];
        const look = asked.result.transaction(stores);
        Promise.all(stores.map((name) => new Promise((count) => {
          const all = look.objectStore(name).count();
          all.onsuccess = () => count(all.result);
        }))).then(done);
      };
    })"""
    assert page.evaluate(kept) == [0, 0, 0]
