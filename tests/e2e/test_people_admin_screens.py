"""People admin in a browser: a guest is verified, suspended until a day, banned and let back in; an account by the crew."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import toast, wrong_in_themes
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NARROW = {"width": 360, "height": 780}


def impose(page: Page, button: str, confirm: str, why: str, *, days: str = "") -> None:
    """Through the dialog, which first says what is missing."""
    page.get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=confirm, exact=True).click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    if days:
        dialog.get_by_label("For how long").select_option(label=days)
    dialog.get_by_label("Reason").fill(why)
    dialog.get_by_role("button", name=confirm, exact=True).click()
    expect(dialog).to_have_count(0)


def what_staff_had_to_do_is_shown(live_server: LiveServer, page: Page, email: str) -> None:
    """On the profile of the guest, with a way to it."""
    reports = page.get_by_role("region", name="Reports")
    expect(reports).to_contain_text("Nothing on record")
    live_server.sql(
        """insert into safety_interventions (tenant_id, venue_id, kind, patron_id, note)
           select p.tenant_id, v.id, 'remove', p.id, 'Went quietly'
           from patrons p join users u on u.id = p.user_id join venues v on v.tenant_id = p.tenant_id
           where u.email = $1 order by v.id limit 1""",
        email,
    )
    page.reload()
    expect(reports.get_by_role("row").nth(1)).to_contain_text("Went quietly")
    reports.get_by_role("link", name="Removed from the venue").click()
    expect(page.get_by_role("main")).to_contain_text("Zodwa Rowdy")


def test_a_guest_is_verified_suspended_banned_and_let_back_in(live_server: LiveServer, console_of: Console) -> None:
    guest = live_server.new_guest("Zodwa Rowdy")
    page = console_of(live_server.person("manager"), "/manage/guests?q=Zodwa+Rowdy")
    page.locator("#patrons tbody").get_by_role("link", name="Zodwa Rowdy").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Zodwa Rowdy")
    expect(page.get_by_text("Nothing was ever imposed")).to_be_visible()
    page.get_by_role("button", name="Verify").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Saw the identity card")
    dialog.get_by_role("button", name="Verify").click()
    toast(page, "Zodwa Rowdy is verified.")
    expect(page.locator("#profile")).to_contain_text("Thandi Mokoena")
    impose(page, "Suspend", "Suspend", "Threw a glass", days="30 days")
    toast(page, "Zodwa Rowdy is suspended.")
    expect(page.locator(".banner")).to_contain_text("Threw a glass")
    rows = live_server.sql(
        "select p.status, p.status_until - now() between '29 days' and '30 days' as month from patrons p join users u on u.id = p.user_id where u.email = $1",
        guest.email,
    )
    assert (rows[0]["status"], rows[0]["month"]) == ("suspended", True)
    impose(page, "Ban", "Ban", "Came back and did it again")
    expect(page.locator(".banner")).to_contain_text("Banned")
    impose(page, "Let back in", "Let back in", "Talked it over")
    toast(page, "Zodwa Rowdy is let back in.")
    history = page.get_by_role("region", name="Imposed").get_by_role("row")
    expect(history).to_have_count(3)
    expect(history.nth(1)).to_contain_text("Came back and did it again")
    expect(history.nth(1)).to_contain_text("Talked it over")
    what_staff_had_to_do_is_shown(live_server, page, guest.email)


def test_a_profile_changes_while_it_is_looked_at_and_a_stale_dialog_is_told(
    live_server: LiveServer, console_of: Console
) -> None:
    live_server.new_guest("Bongani Quick")
    one = console_of(live_server.person("manager"), "/manage/guests?q=Bongani+Quick")
    one.locator("#patrons tbody").get_by_role("link", name="Bongani Quick").first.click()
    one.get_by_role("button", name="Ban", exact=True).click()
    dialog = one.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("Fought")
    other = console_of(live_server.person("owner"), one.url)
    impose(other, "Suspend", "Suspend", "Shouted", days="3 days")
    expect(one.locator("#profile .banner")).to_contain_text("Shouted")
    dialog.get_by_role("button", name="Ban", exact=True).click()
    expect(dialog).to_contain_text("Load it again")
    expect(dialog.get_by_label("Reason")).to_have_value("Fought")


def test_many_guests_are_suspended_together_and_who_was_left_is_named(
    live_server: LiveServer, console_of: Console
) -> None:
    live_server.new_guest("Sizwe Twofold")
    live_server.new_guest("Sizani Twofold")
    page = console_of(live_server.person("manager"), "/manage/guests?q=Twofold")
    rows = page.locator("#patrons tbody tr")
    rows.filter(has_text="Sizwe").get_by_role("checkbox").click()
    bar = page.get_by_role("region", name="Selected guests")
    bar.get_by_role("button", name="Suspend").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Sizwe Twofold")
    dialog.get_by_role("button", name="Suspend").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("Fought at the door")
    dialog.get_by_role("button", name="Suspend").click()
    toast(page, "1 person is suspended.")
    page.goto("/manage/guests?q=Twofold")
    page.get_by_role("checkbox", name="Select all").click()
    bar.get_by_role("button", name="Let back in").click()
    expect(dialog).to_contain_text("Let 2 people back in?")
    dialog.get_by_label("Reason").fill("Talked it over")
    dialog.get_by_role("button", name="Let back in").click()
    report = page.get_by_role("dialog", name="1 person is let back in.")
    expect(report.get_by_role("row").filter(has_text="Sizani Twofold")).to_contain_text("Nothing is imposed on them.")
    report.get_by_role("button", name="Close").last.click()
    expect(rows.filter(has_text="Suspended")).to_have_count(0)


def test_the_crew_suspends_an_account_everywhere(live_server: LiveServer, console_of: Console) -> None:
    guest = live_server.new_guest("Tumi Spammer")
    page = console_of(live_server.person("moderator"), f"/platform/accounts?q={guest.email}")
    page.get_by_role("link", name="Tumi Spammer").click()
    expect(page.get_by_text("Kōjō Arcade")).to_be_visible()
    expect(page.get_by_role("button", name="Look as")).to_have_count(0)
    impose(page, "Suspend", "Suspend", "Sends adverts", days="1 week")
    toast(page, "Tumi Spammer is suspended.")
    expect(page.locator(".banner")).to_contain_text("Suspended on the whole platform")
    page.goto("/platform/accounts?status=suspended")
    expect(page.locator("#users tbody tr").filter(has_text="Tumi Spammer")).to_be_visible()


def test_lists_and_profiles_fit_a_phone_in_both_themes(live_server: LiveServer, console_of: Console) -> None:
    live_server.new_guest("Nolwazi Phone")
    page = console_of(
        live_server.person("manager"), "/manage/guests?q=Nolwazi+Phone", viewport=NARROW, reduced_motion="reduce"
    )
    paths = ["/manage/guests", page.locator("#patrons tbody a").first.get_attribute("href") or ""]
    for path in paths:
        page.goto(path)
        assert wrong_in_themes(page) == []
