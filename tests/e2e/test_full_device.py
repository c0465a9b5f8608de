"""A phone or a scanner that has no room: what could not be written down is said at once, kept while the page is open, and arrives."""

import contextlib
import re

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as TooLate

from tests.e2e.conftest import NewContext
from tests.support.doors import TABLET, log_of, open_door, pass_holder, said, wedge
from tests.support.guests import (
    PHONE_OPTIONS,
    checkins_of,
    open_app,
    rows,
    type_code,
    until_settled,
    visits_of,
    wait_until,
)
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
FILLING = """
for (const name of ["put", "add"]) {
    const real = IDBObjectStore.prototype[name];
    IDBObjectStore.prototype[name] = function (...given) {
        if (window.full) throw new DOMException("there is no room", "QuotaExceededError");
        return real.apply(this, given);
    };
}
"""
"""From the moment that `full` is true, nothing more can be written."""
ALMOST_FULL = "if (navigator.storage) navigator.storage.estimate = async () => ({ quota: 1e9, usage: 1e9 - 1e6 });"
CLOSING = "() => !dispatchEvent(new Event('beforeunload', { cancelable: true }))"
FORGET_KEYS = """
() => new Promise((done, failed) => {
    const asking = indexedDB.open("last-light-patron");
    asking.onerror = failed;
    asking.onsuccess = () => {
        const clearing = asking.result.transaction("keys", "readwrite");
        clearing.objectStore("keys").clear();
        clearing.oncomplete = () => { asking.result.close(); done(); };
    };
})
"""
"""The phone was full before it had made its key."""
NOT_WRITTEN = re.compile("NOT written down")


def fill(page: Page, full: bool) -> None:
    """Take the device's room away, or give it back."""
    page.evaluate("(full) => { window.full = full; }", full)


@pytest.mark.parametrize("network", [True, False], ids=["with a network", "without"])
def test_a_door_says_that_an_admission_is_not_written_down_and_writes_it_when_it_can(
    live_server: LiveServer, new_context: NewContext, *, network: bool
) -> None:
    tablet = new_context(**TABLET)
    tablet.add_init_script(FILLING)
    page = open_door(tablet, live_server, live_server.new_venue(f"Full {network}"), ready=True)
    holder = pass_holder(live_server, live_server.new_guest("Ayanda Nkosi"))
    fill(page, True)
    tablet.set_offline(not network)
    wedge(page, holder.show())
    assert said(page) == "Come in"
    expect(page.locator(".d-answer-in")).to_have_attribute("data-tone", "warn")
    expect(page.locator(".d-said")).to_contain_text(NOT_WRITTEN)
    page.get_by_role("button", name="Next guest").click()
    banner = page.locator(".d-notice", has_text=NOT_WRITTEN)
    expect(banner).to_contain_text("1 scan is NOT written down. Do not close or reload this page")
    expect(page.locator(".d-net")).to_contain_text("1 scan waits.")
    assert page.evaluate(CLOSING) is True
    assert log_of(page) == []
    assert visits_of(live_server, holder.person) == []
    tablet.set_offline(False)
    fill(page, False)
    with contextlib.suppress(TooLate):  # it tries by itself as well, and may be done before the button is pressed
        banner.get_by_role("button", name="Try again").click(timeout=3_000)
    wait_until(page, lambda: len(visits_of(live_server, holder.person)) == 1)
    expect(banner).to_have_count(0)
    assert page.evaluate(CLOSING) is False
    assert [(line["sequence"], line["decided"]) for line in log_of(page)] == [(1, "admitted")]


def test_a_door_with_room_says_nothing_of_it(live_server: LiveServer, new_context: NewContext) -> None:
    tablet = new_context(**TABLET)
    tablet.add_init_script(FILLING)
    page = open_door(tablet, live_server, live_server.new_venue("Roomy"), ready=True)
    tablet.set_offline(True)
    wedge(page, pass_holder(live_server, live_server.new_guest("Ayanda Nkosi")).show())
    assert said(page) == "Come in"
    expect(page.locator(".d-answer-in")).to_have_attribute("data-tone", "yes")
    expect(page.get_by_text(NOT_WRITTEN)).to_have_count(0)
    assert page.evaluate(CLOSING) is False
    assert len(log_of(page)) == 1


@pytest.mark.parametrize("keyed", [True, False], ids=["with its key", "without a key"])
def test_a_guest_of_a_full_phone_is_sent_directly_and_told_what_is_not_saved(
    live_server: LiveServer, new_context: NewContext, *, keyed: bool
) -> None:
    phone, guest = new_context(**PHONE_OPTIONS), live_server.new_guest()
    phone.add_init_script(FILLING)
    page = open_app(phone, guest, ready=True)
    until_settled(page)
    if not keyed:
        page.evaluate(FORGET_KEYS)
    fill(page, True)
    type_code(page, live_server.code("kojo-rosebank"))
    expect(page.locator(".pass .badge")).to_have_text("Checked in")
    assert len(checkins_of(live_server, guest)) == 1
    phone.set_offline(True)
    page.get_by_role("button", name="Check out").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("This check-out is not saved")
    expect(dialog).to_contain_text("Leave this page open")
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_text("Not saved on this phone.")).to_be_visible()
    expect(page.get_by_role("link", name="1 unsent")).to_be_visible()
    assert page.evaluate(CLOSING) is True
    assert rows(page, "commands") == []
    phone.set_offline(False)
    wait_until(page, lambda: visits_of(live_server, guest)[0]["status"] == "closed")
    expect(page.get_by_text("Not saved on this phone.")).to_have_count(0)
    assert page.evaluate(CLOSING) is False


def test_a_guest_of_a_phone_with_room_is_told_that_it_is_saved(
    live_server: LiveServer, new_context: NewContext
) -> None:
    phone, guest = new_context(**PHONE_OPTIONS), live_server.new_guest()
    phone.add_init_script(FILLING)
    page = open_app(phone, guest, ready=True)
    phone.set_offline(True)
    type_code(page, live_server.code("kojo-rosebank"))
    expect(page.locator(".pass .badge")).to_have_text("Saved on this phone")
    expect(page.get_by_text("Not saved on this phone.")).to_have_count(0)
    assert page.evaluate(CLOSING) is False
    assert len(rows(page, "commands")) == 1


def test_a_device_that_is_almost_full_is_told_before_it_is(live_server: LiveServer, new_context: NewContext) -> None:
    tablet = new_context(**TABLET)
    tablet.add_init_script(ALMOST_FULL)
    page = open_door(tablet, live_server, live_server.new_venue("Almost"))
    expect(page.get_by_text("This device has almost no room left.")).to_be_visible()
    phone = new_context(**PHONE_OPTIONS)
    phone.add_init_script(ALMOST_FULL)
    page = open_app(phone, live_server.new_guest())
    expect(page.get_by_text("Your phone is almost full.")).to_be_visible()
