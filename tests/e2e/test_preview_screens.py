"""The preview of a role in a browser: an owner sees what staff would, changes nothing, and is themselves again."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.support.browser import toast, wrong_in_themes
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NARROW = {"width": 360, "height": 780}


def start_preview(page: Page, role: str, *, venue: str = "") -> None:
    """From the list of roles to the preview of one, at one venue or all."""
    page.goto("/owner/roles")
    page.get_by_role("link", name=role, exact=True).click()
    page.get_by_role("button", name="Preview").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"See the consoles as {role} would?")
    if venue:
        dialog.get_by_label(venue).check()
    dialog.get_by_role("button", name="Start the preview").click()


def test_an_owner_sees_what_staff_would_and_is_themselves_again(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("owner"), "/owner/roles")
    start_preview(page, "Staff", venue="Kōjō Rosebank")
    page.wait_for_url("**/staff")
    looking = page.get_by_role("region", name="You are only looking")
    expect(looking).to_contain_text("You see this as Staff would.")
    expect(looking).to_contain_text("Kōjō Rosebank")
    expect(page.get_by_text("Kōjō Braamfontein")).to_have_count(0)
    for path in ("/staff/visits", "/account", "/staff"):
        page.goto(path)
        expect(looking).to_be_visible()
    page.goto("/owner/roles")
    expect(looking).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your role does not allow this")
    page.goto("/staff")
    looking.get_by_role("button", name="End the preview").click()
    toast(page, "You are yourself again.")
    expect(looking).to_have_count(0)
    page.goto("/owner/roles")
    expect(page.get_by_role("heading", level=1)).to_have_text("Roles")


def test_nothing_can_be_changed_and_it_is_said(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("owner"), "/owner/roles")
    start_preview(page, "Owner")
    page.wait_for_url("**/owner")
    page.goto("/owner/settings")
    before = live_server.sql("select name, version from tenants where slug = 'kojo-arcade'")
    page.locator("#main [name=contact_name]").fill("Somebody Else")
    page.locator("#settings").get_by_role("button", name="Save").click()
    toast(page, "End the preview or the visit first")
    expect(page.locator("#main [name=contact_name]")).to_have_value("Somebody Else")
    assert live_server.sql("select name, version from tenants where slug = 'kojo-arcade'") == before
    answer = page.request.patch("/api/me", data={"name": "Somebody Else"})
    assert (answer.status, answer.json()["type"].rsplit("/", 1)[-1]) in {
        (403, "read-only"),
        (405, "method-not-allowed"),
    }


def test_a_preview_that_runs_out_gives_the_browser_back(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("owner"), "/owner/roles")
    start_preview(page, "Manager")
    page.wait_for_url("**/manage")
    live_server.sql("update sessions set expires_at = now() where preview_role_id is not null and revoked_at is null")
    page.goto("/manage/visits")
    toast(page, "Its time was over: you are yourself again.")
    page.goto("/owner/roles")
    expect(page.get_by_role("heading", level=1)).to_have_text("Roles")


def test_signing_out_of_a_preview_signs_the_owner_out(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("owner"), "/owner/roles")
    start_preview(page, "Staff")
    page.wait_for_url("**/staff")
    page.locator(".side-foot summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.goto("/owner/roles")
    page.wait_for_url("**/sign-in**")


def test_the_bar_fits_a_phone_in_both_themes(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("owner"), "/owner/roles", viewport=NARROW, reduced_motion="reduce")
    start_preview(page, "Vendor admin", venue="Kōjō Rosebank")
    page.wait_for_url("**/manage")
    assert wrong_in_themes(page) == []


def test_a_manager_has_no_button_for_it(
    live_server: LiveServer, console_of: Console, new_context: Callable[..., BrowserContext]
) -> None:
    page = console_of(live_server.person("owner"), "/owner/roles")
    page.get_by_role("link", name="Staff", exact=True).click()
    address = page.url
    expect(page.get_by_role("button", name="Preview")).to_be_visible()
    manager = console_of(live_server.person("manager"), address)
    expect(manager.get_by_role("heading", level=1)).to_have_text("Staff")
    expect(manager.get_by_role("button", name="Preview")).to_have_count(0)
