"""A guest's own code: it turns by itself, works without a network, and says clearly when there is none."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Route, expect

from lastlight.domains.checkins.passes import STEP_SECONDS, ShownPass, read_shown, require_alive, step_at
from tests.e2e.conftest import NewContext
from tests.support.browser import PATIENCE_MS, scrolls_sideways, violations
from tests.support.guests import PHONE_OPTIONS, open_app, rows, wait_until
from tests.support.live_server import LiveServer, Person

pytestmark = pytest.mark.browser


@pytest.fixture
def guest(live_server: LiveServer) -> Person:
    """Somebody whose first night it is."""
    return live_server.new_guest("Zinhle Dube")


@pytest.fixture
def phone(new_context: NewContext) -> BrowserContext:
    """The guest's phone."""
    return new_context(**PHONE_OPTIONS)


def open_code(page: Page) -> None:
    """Open one's own code from the home screen."""
    page.get_by_role("link", name="Show my code").click()
    expect(page.locator(".p-qr")).to_be_visible()


def shown(page: Page) -> ShownPass:
    """What the code on the screen says."""
    with Image.open(io.BytesIO(page.locator(".p-qr").screenshot())) as picture:
        found = zxingcpp.read_barcodes(
            picture.convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
        )
    assert len(found) == 1
    return read_shown(found[0].text)


def passes(page: Page) -> list[Any]:
    """The passes that the phone keeps."""
    return rows(page, "passes")


def forget_passes(page: Page) -> None:
    """As on a phone that has never fetched one."""
    page.evaluate(
        """() => new Promise((resolve) => { const opening = indexedDB.open('last-light-patron'); opening.onsuccess = () => {
            const clearing = opening.result.transaction('passes', 'readwrite').objectStore('passes').clear();
            clearing.onsuccess = () => { opening.result.close(); resolve(); }; }; })"""
    )


def test_the_code_turns_with_the_time(live_server: LiveServer, phone: BrowserContext, guest: Person) -> None:
    page = open_app(phone, guest)
    open_code(page)
    expect(page.get_by_role("heading", name="Zinhle Dube")).to_be_visible()
    first = shown(page)
    assert (first.guest.name, abs(first.step - step_at(datetime.now(UTC))) <= 1) == ("Zinhle D.", True)
    require_alive(first, at=datetime.now(UTC))
    path = page.locator(".p-qr path").get_attribute("d")
    expect(page.locator(".p-qr path")).not_to_have_attribute("d", path or "", timeout=STEP_SECONDS * 1000 + PATIENCE_MS)
    second = shown(page)
    assert second.step > first.step
    assert (second.text, second.signature == first.signature) == (first.text, False)
    expect(page.get_by_text("New code in")).to_be_visible()
    assert violations(page) == []
    assert not scrolls_sideways(page)


def test_it_works_all_night_without_a_network(live_server: LiveServer, phone: BrowserContext, guest: Person) -> None:
    page = open_app(phone, guest, ready=True)
    wait_until(page, lambda: len(passes(page)) == 1)
    phone.set_offline(True)
    page.goto("/patron/pass")
    expect(page.locator(".p-qr")).to_be_visible()
    expect(page.get_by_text("also without signal")).to_be_visible()
    require_alive(shown(page), at=datetime.now(UTC))
    night = datetime.now(UTC) + timedelta(hours=13)
    page.clock.set_system_time(night)
    wait_until(page, lambda: shown(page).step >= step_at(night))
    page.clock.set_system_time(datetime.now(UTC) + timedelta(hours=15))
    expect(page.get_by_role("heading", name="Your pass has ended")).to_be_visible()
    assert violations(page) == []
    page.clock.set_system_time(datetime.now(UTC))
    phone.set_offline(False)
    expect(page.locator(".p-qr")).to_be_visible()


def test_no_pass_yet(live_server: LiveServer, phone: BrowserContext, guest: Person) -> None:
    page = open_app(phone, guest, ready=True)
    wait_until(page, lambda: len(passes(page)) == 1)
    forget_passes(page)
    phone.set_offline(True)
    page.goto("/patron/pass")
    expect(page.get_by_role("heading", name="No pass on this phone yet")).to_be_visible()
    assert violations(page) == []
    phone.set_offline(False)
    expect(page.locator(".p-qr")).to_be_visible()


def test_a_banned_guest_has_none(live_server: LiveServer, phone: BrowserContext, guest: Person) -> None:
    page = open_app(phone, guest)
    open_code(page)
    live_server.sql(
        "update patrons p set status = 'banned' from users u where u.id = p.user_id and u.email = $1", guest.email
    )
    page.reload()
    expect(page.get_by_role("heading", name="You have no code here")).to_be_visible()
    expect(page.locator(".state").get_by_text("Speak to its")).to_be_visible()
    expect(page.locator(".p-qr")).to_have_count(0)
    wait_until(page, lambda: passes(page) == [])


def test_a_key_that_was_taken_away_is_replaced(live_server: LiveServer, phone: BrowserContext, guest: Person) -> None:
    page = open_app(phone, guest)
    wait_until(page, lambda: len(passes(page)) == 1)
    [kept] = passes(page)
    live_server.sql("update patron_keys set revoked_at = now() where id = $1", UUID(kept["key_id"]))
    forget_passes(page)
    page.goto("/patron/pass")
    expect(page.locator(".p-qr")).to_be_visible()
    [renewed] = passes(page)
    assert renewed["key_id"] != kept["key_id"]
    assert str(shown(page).guest.key_id) == renewed["key_id"]


def test_a_wrong_clock_is_measured(live_server: LiveServer, phone: BrowserContext, guest: Person) -> None:
    phone.clock.set_system_time(datetime.now(UTC) - timedelta(minutes=7))
    page = open_app(phone, guest)
    page.goto("/patron/pass")
    expect(page.locator(".p-qr")).to_be_visible()
    expect(page.get_by_text("Your phone's clock is 7 min slow.")).to_be_visible()
    require_alive(shown(page), at=datetime.now(UTC))


def test_an_error_of_the_server_is_told_and_tried_again(
    live_server: LiveServer, phone: BrowserContext, guest: Person
) -> None:
    broken = {
        "type": "https://lastlight.dev/problems/busy",
        "title": "Busy",
        "status": 503,
        "detail": "Try again soon.",
    }

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json=broken, content_type="application/problem+json")

    phone.route("**/api/patron/pass", refuse)
    page = open_app(phone, guest)
    page.get_by_role("link", name="Show my code").click()
    expect(page.get_by_role("heading", name="Busy")).to_be_visible()
    with page.expect_response("**/api/patron/pass"):
        page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Busy")).to_be_visible()
    phone.unroute("**/api/patron/pass")
    page.go_back()
    page.get_by_role("link", name="Show my code").click()
    expect(page.locator(".p-qr")).to_be_visible()


def test_signing_out_takes_it_away(live_server: LiveServer, phone: BrowserContext, guest: Person) -> None:
    page = open_app(phone, guest)
    wait_until(page, lambda: len(passes(page)) == 1)
    page.get_by_role("link", name="Profile", exact=True).click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_label("E-mail")).to_be_visible()
    assert (passes(page), rows(page, "keys")) == ([], [])


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_is_readable_on_any_screen(
    live_server: LiveServer, new_context: NewContext, guest: Person, theme: str
) -> None:
    context = new_context(**PHONE_OPTIONS | {"viewport": {"width": 360, "height": 640}})
    page = open_app(context, guest)
    page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
    open_code(page)
    assert violations(page) == []
    assert not scrolls_sideways(page)
    require_alive(shown(page), at=datetime.now(UTC))
    page.set_viewport_size({"width": 1440, "height": 900})
    assert violations(page) == []
    require_alive(shown(page), at=datetime.now(UTC))
