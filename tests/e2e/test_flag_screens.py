"""Feature flags in a browser: made, rolled out to a share, answered by a business for itself, killed, revived, removed."""

import secrets
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import toast, wrong_in_themes
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NARROW = {"width": 360, "height": 780}


def new_flag(page: Page, key: str, what: str) -> None:
    page.goto("/platform/flags")
    page.get_by_role("link", name="New flag").click()
    page.locator("#main [name=key]").fill("Not a key")
    page.locator("#main [name=description]").fill(what)
    page.get_by_role("button", name="Create the flag").click()
    expect(page.locator("#main [name=key]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#main [name=description]")).to_have_value(what)
    page.locator("#main [name=key]").fill(key)
    page.get_by_role("button", name="Create the flag").click()
    toast(page, "The flag is there, switched off.")


def on_for(live_server: LiveServer, key: str, business: str) -> bool:
    client = live_server.client(live_server.person("owner", business))
    try:
        return key in client.get("/api/flags").json()["enabled"]
    finally:
        client.close()


def killed_and_revived(live_server: LiveServer, page: Page, owner: Page, key: str, what: str) -> None:
    """Off for everybody, the business's own answer too, and back as it was; the owner sees both."""
    dialog, kojo = page.get_by_role("dialog"), page.locator("#reach tbody tr").filter(has_text="Kōjō Arcade")
    page.get_by_role("button", name="Kill").click()
    dialog.get_by_label("Reason").fill("It lets everybody in")
    dialog.get_by_role("button", name="Kill it").click()
    toast(page, "It is off for everybody")
    expect(page.get_by_text("Killed: it is off for everybody.")).to_be_visible()
    expect(kojo).to_contain_text("Off")
    assert not on_for(live_server, key, "kojo-arcade")
    owner.reload()
    expect(owner.locator("#main li").filter(has_text=what)).to_contain_text("Not yet")
    page.get_by_role("button", name="Let it live again").click()
    dialog.get_by_role("button", name="Let it live").click()
    toast(page, "It counts again as it stands.")
    owner.reload()
    expect(owner.locator("#main li").filter(has_text=what)).to_contain_text("On")


def test_a_flag_is_rolled_out_answered_killed_and_revived(live_server: LiveServer, console_of: Console) -> None:
    key, what = f"door.lane_{secrets.token_hex(3)}", f"A fast lane {secrets.token_hex(3)}"
    page = console_of(live_server.person("super_admin"), "/platform/flags")
    new_flag(page, key, what)
    rows = page.locator("#reach tbody tr")
    kojo, low = rows.filter(has_text="Kōjō Arcade"), rows.filter(has_text="The Low Light")
    expect(kojo).to_contain_text("Off")
    kojo.get_by_role("button", name="Change it for Kōjō Arcade").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("On", exact=True).check()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("They asked to try it")
    dialog.get_by_role("button", name="Save").click()
    toast(page, "The business has an answer of its own.")
    expect(kojo).to_contain_text("They asked to try it")
    expect(low).to_contain_text("Off")
    assert (on_for(live_server, key, "kojo-arcade"), on_for(live_server, key, "the-low-light")) == (True, False)
    page.get_by_label("Switched on").check()
    page.locator("#flag-form [name=percentage]").fill("101")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#flag-form [name=percentage]")).to_have_attribute("aria-invalid", "true")
    page.locator("#flag-form [name=percentage]").fill("100")
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved. It holds from the next request on.")
    expect(low).to_contain_text("On")
    killed_and_revived(live_server, page, console_of(live_server.person("owner"), "/owner/features"), key, what)
    page.get_by_role("button", name="Remove").click()
    dialog.get_by_role("button", name="Remove it").click()
    toast(page, "The flag is removed")
    expect(page.locator("#feature_flags tbody tr").filter(has_text=key)).to_have_count(0)


def test_a_stale_form_is_told_and_keeps_what_was_typed(live_server: LiveServer, console_of: Console) -> None:
    key = f"door.stale_{secrets.token_hex(3)}"
    one = console_of(live_server.person("super_admin"), "/platform/flags")
    new_flag(one, key, "For two at once")
    other = console_of(live_server.person("ops"), f"/platform/flags/{key}")
    other.locator("#flag-form [name=percentage]").fill("40")
    other.get_by_role("button", name="Save").click()
    toast(other, "Saved.")
    one.locator("#flag-form [name=percentage]").fill("70")
    one.get_by_role("button", name="Save").click()
    expect(one.get_by_role("alert").filter(has_text="changed")).to_be_visible()
    expect(one.locator("#flag-form [name=percentage]")).to_have_value("70")


def test_flags_fit_a_phone_in_both_themes_and_an_empty_search_says_so(
    live_server: LiveServer, console_of: Console
) -> None:
    key = f"door.phone_{secrets.token_hex(3)}"
    page = console_of(live_server.person("super_admin"), "/platform/flags", viewport=NARROW, reduced_motion="reduce")
    new_flag(page, key, "For a phone")
    for path in ("/platform/flags", f"/platform/flags/{key}", f"/platform/flags/{key}?q=nobody+at+all"):
        page.goto(path)
        assert wrong_in_themes(page) == []
    expect(page.get_by_text("No business of that name")).to_be_visible()
