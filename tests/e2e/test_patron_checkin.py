"""A guest checks in: by camera, by a link, by hand; the manager's screen follows, and each refusal is told."""

import io
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Geolocation, Page, expect

from lastlight.domains.venues import OpeningHours
from tests.e2e.conftest import NewContext
from tests.support.browser import PHONE, lighter, watched_context
from tests.support.guests import PHONE_OPTIONS, film_of_picture, open_app, sign_in, type_code, visits_of
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
ELSEWHERE: Geolocation = {"latitude": -33.9249, "longitude": 18.4241, "accuracy": 10}


@pytest.fixture
def phone(new_context: NewContext) -> BrowserContext:
    """A guest's phone, at the venues' door."""
    return new_context(**PHONE_OPTIONS)


def test_a_scan_at_the_door_is_on_the_managers_screen_by_itself(
    live_server: LiveServer, browser: Browser, console_of: Callable[..., Page], tmp_path: Path
) -> None:
    venue = live_server.new_venue("Kōjō Maboneng")
    guest = live_server.new_guest("Naledi Khoza")
    tonight = console_of(live_server.person("manager"), "/manage")
    row = tonight.get_by_role("row", name="Kōjō Maboneng")
    expect(row.locator("td.num")).to_have_text("0 / 220")
    tonight.evaluate("window.neverLoadedAgain = true")
    door = tonight.context.new_page()
    door.goto(f"/screen/{venue}")
    with Image.open(io.BytesIO(door.locator(".screen-qr").screenshot())) as shown:
        film = film_of_picture(shown.convert("RGB"), tmp_path / "door.mjpeg")
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    camera = browser.browser_type.launch(
        executable_path=lighter(), args=["--no-sandbox", *flags, f"--use-file-for-fake-video-capture={film}"]
    )
    with watched_context(camera, base_url=live_server.base_url, **PHONE_OPTIONS) as phone:
        page = open_app(phone, guest)
        page.get_by_role("button", name="Scan to check in").click()
        expect(page.get_by_role("button", name="Check out")).to_be_visible()
        expect(page.locator(".pass h2")).to_have_text("Kōjō Maboneng")
        expect(row.locator("td.num")).to_have_text("1 / 220")
        expect(tonight.get_by_text("Naledi Khoza").first).to_be_visible()
        page.get_by_role("button", name="Check out").click()
        expect(page.get_by_role("button", name="Scan to check in")).to_be_visible()
    camera.close()
    expect(row.locator("td.num")).to_have_text("0 / 220")
    assert tonight.evaluate("window.neverLoadedAgain") is True
    assert [visit["status"] for visit in visits_of(live_server, guest)] == ["closed"]


def test_a_scanned_link_waits_for_its_guest_to_sign_in(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    page = phone.new_page()
    page.goto(f"/c/{live_server.code('kojo-rosebank')}")
    expect(page.get_by_role("heading", name="You're at Kōjō Rosebank")).to_be_visible()
    sign_in(page, guest)
    expect(page.get_by_role("button", name="Check out")).to_be_visible()
    expect(page).to_have_url(f"{live_server.base_url}/patron")
    assert [visit["status"] for visit in visits_of(live_server, guest)] == ["open"]


def test_a_scanned_link_checks_in_with_one_tap_and_never_by_itself(
    live_server: LiveServer, phone: BrowserContext
) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    page.goto(f"/c/{live_server.code('kojo-rosebank')}")
    expect(page.get_by_role("heading", name="Check in at Kōjō Rosebank?")).to_be_visible()
    assert visits_of(live_server, guest) == []
    page.get_by_role("button", name="Check in", exact=True).click()
    expect(page.locator(".pass .badge")).to_have_text("Checked in")
    assert len(visits_of(live_server, guest)) == 1


def test_somebody_new_creates_an_account_and_joins_at_the_door(live_server: LiveServer, phone: BrowserContext) -> None:
    page = phone.new_page()
    page.goto(f"/c/{live_server.code('low-light', business='the-low-light')}")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Name").fill("Refilwe Sithole")
    page.get_by_label("E-mail").fill("refilwe@guests.example")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Password", exact=True).fill("the last light is ours")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="New here: The Low Light")).to_be_visible()
    page.get_by_role("button", name="Join and check in").click()
    expect(page.get_by_role("button", name="Check out")).to_be_visible()
    expect(page.locator(".pass h2")).to_have_text("The Low Light")


def test_a_guest_of_two_businesses_is_with_one_at_a_time(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    type_code(page, live_server.code("low-light", business="the-low-light"))
    page.get_by_role("button", name="Join and check in").click()
    expect(page.get_by_role("button", name="Check out")).to_be_visible()
    page.get_by_role("link", name="Profile", exact=True).click()
    businesses = page.locator("section", has=page.get_by_role("heading", name="Where you are a guest"))
    expect(businesses.get_by_role("listitem").filter(has_text="The Low Light")).to_contain_text("Current")
    businesses.get_by_role("button", name="Switch").click()
    expect(businesses.get_by_role("listitem").filter(has_text="Kōjō Arcade")).to_contain_text("Current")
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("button", name="Scan to check in")).to_be_visible()


def test_each_refusal_says_why_and_what_to_do(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest(birth_date=datetime.now(UTC).date() - timedelta(days=17 * 365))
    shut = live_server.new_venue("Kōjō Shut", opening_hours=OpeningHours())
    fenced = live_server.new_venue("Kōjō Fenced", position_policy="required")
    adults = live_server.new_venue("Kōjō Adults", age_limit=18)
    good = live_server.code("kojo-braam")
    forged = good[:-2] + ("AA" if not good.endswith("AA") else "BB")
    page = open_app(phone, guest)
    phone.set_geolocation(ELSEWHERE)

    def refused(code: str, title: str) -> None:
        type_code(page, code)
        dialog = page.get_by_role("dialog", name=title)
        expect(dialog).to_be_visible()
        assert len(dialog.locator("p").inner_text()) > 15
        dialog.get_by_role("button", name="Close").click()
        expect(page.locator(".p-app")).to_be_visible()

    refused(live_server.code("kojo-braam", at=datetime.now(UTC) - timedelta(minutes=9)), "This code has expired")
    refused(forged, "This code was not made by the venue")
    refused(live_server.code(shut), "The venue is closed")
    refused(live_server.code(fenced), "You are not at the venue")
    refused(live_server.code(adults), "You are too young for this venue")
    type_code(page, "https://example.com/menu")
    expect(page.get_by_text("That is not a check-in code.")).to_be_visible()
    assert visits_of(live_server, guest) == []


def test_a_position_that_is_not_given_is_asked_for_once_more(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    live_server.new_venue("Kōjō Strict", slug="kojo-strict", position_policy="required")
    phone.clear_permissions()
    page = open_app(phone, guest)
    type_code(page, live_server.code("kojo-strict"))
    dialog = page.get_by_role("dialog", name="This venue needs your position")
    expect(dialog).to_contain_text("Location is blocked")
    phone.grant_permissions(["geolocation"])
    dialog.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Check out")).to_be_visible()


def test_it_works_on_a_page_that_is_not_secure(live_server: LiveServer, browser: Browser) -> None:
    """As where the platform is tried out on one's own network: no camera, no signature, but a check-in all the same."""
    other = live_server.base_url.replace("127.0.0.1", "last-light.test")
    guest = live_server.new_guest()
    insecure = browser.browser_type.launch(
        executable_path=lighter(), args=["--no-sandbox", "--host-resolver-rules=MAP last-light.test 127.0.0.1"]
    )
    phone = insecure.new_context(base_url=other, viewport=PHONE, locale="en-ZA")
    page = open_app(phone, guest)
    assert page.evaluate("[isSecureContext, crypto.subtle === undefined]") == [False, True]
    page.get_by_role("button", name="Scan to check in").click()
    expect(page.get_by_text("No camera in this browser")).to_be_visible()
    page.keyboard.press("Escape")
    type_code(page, live_server.code("kojo-rosebank"))
    expect(page.locator(".pass .badge")).to_have_text("Checked in")
    insecure.close()


def test_what_staff_do_is_on_the_phone_by_itself(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    type_code(page, live_server.code("kojo-rosebank"))
    expect(page.get_by_role("button", name="Check out")).to_be_visible()
    (visit,) = visits_of(live_server, guest)
    with closing(live_server.client(live_server.person("manager"))) as manager:
        answer = manager.post(
            f"/api/visits/{visit['id']}/checkout", headers={"Idempotency-Key": str(visit["id"])}, json={}
        )
        assert answer.status_code == 200, answer.text
    expect(page.get_by_role("button", name="Scan to check in")).to_be_visible()
