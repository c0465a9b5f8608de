"""The guest's app as an app: installable, there without a network, usable by everybody, in both themes; profile and history."""

import io
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from lastlight.apps.patron.module import VIEWS
from tests.e2e.conftest import NewContext
from tests.support.browser import DESK, devtools, scrolls_sideways, toast, violations
from tests.support.guests import PHONE_OPTIONS, add_past_nights, make_ready, open_app, sign_in, type_code
from tests.support.live_server import LiveServer, Person

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(new_context: NewContext) -> BrowserContext:
    """A guest's phone."""
    return new_context(**PHONE_OPTIONS, reduced_motion="reduce")


def test_each_view_has_an_address_that_opens_without_a_worker(live_server: LiveServer) -> None:
    views = sorted(VIEWS | {"venues", "credits"})
    ids = [f"{place}/{uuid4()}" for place in ("venues", "credits", "pay")]
    answers = {
        path: httpx.get(f"{live_server.base_url}/patron/{path}").status_code for path in [*views, *ids, "nothing"]
    }
    assert answers == dict.fromkeys([*views, *ids], 200) | {"nothing": 404}


def test_it_can_be_installed(live_server: LiveServer, phone: BrowserContext) -> None:
    page = open_app(phone, live_server.new_guest(), ready=True)
    errors: list[dict[str, Any]] = devtools(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [error["errorId"] for error in errors if error["errorId"] != "in-incognito"] == []
    address = page.locator("link[rel=manifest]").get_attribute("href")
    manifest: dict[str, Any] = httpx.get(f"{live_server.base_url}{address}").json()
    assert (manifest["start_url"], manifest["display"], manifest["id"]) == ("/patron", "standalone", "/patron")
    for icon in (icon for icon in manifest["icons"] if icon["type"] == "image/png"):
        with Image.open(io.BytesIO(httpx.get(f"{live_server.base_url}{icon['src']}").content)) as picture:
            assert "x".join(map(str, picture.size)) == icon["sizes"]
    assert {icon["sizes"] for icon in manifest["icons"] if icon["purpose"] == "any"} >= {"192x192", "512x512"}
    assert any(icon["purpose"] == "maskable" for icon in manifest["icons"])


def test_the_shell_is_the_same_for_everybody(live_server: LiveServer) -> None:
    with closing(live_server.client(live_server.person("patron"))) as signed_in:
        known = signed_in.get("/patron/activity")
    unknown = httpx.get(f"{live_server.base_url}/patron")
    assert (known.status_code, known.text) == (200, unknown.text)
    assert unknown.headers["cache-control"] == "no-cache"
    assert httpx.get(f"{live_server.base_url}/patron/nothing").status_code == 404
    worker = httpx.get(f"{live_server.base_url}/sw.js")
    assert (worker.headers["cache-control"], worker.headers["service-worker-allowed"]) == ("no-cache", "/")


def test_a_guest_who_signed_in_elsewhere_in_this_browser_is_known(
    live_server: LiveServer, phone: BrowserContext
) -> None:
    guest = live_server.new_guest()
    page = phone.new_page()
    refused: list[str] = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.goto("/patron")
    expect(page.get_by_role("heading", name="Your night starts here")).to_be_visible()
    assert refused == []
    body = {"email": guest.email, "password": guest.password}
    assert phone.request.post("/api/auth/session", data=body).ok
    page.goto("/patron")
    expect(page.get_by_role("button", name="Scan to check in")).to_be_visible()


def test_it_opens_every_view_without_a_network(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    venue = live_server.businesses["kojo-arcade"].venues["kojo-rosebank"]
    add_past_nights(live_server, guest, venue, count=3, until=datetime.now(UTC) - timedelta(days=1))
    page = open_app(phone, guest, ready=True)
    phone.set_offline(True)
    for view, heading in {"": "", "/activity": "Activity", "/venues": "Venues", "/profile": "Profile"}.items():
        page.goto(f"/patron{view}")
        expect(page.locator("h1")).to_contain_text(heading)
        expect(page.get_by_text("You're offline.")).to_be_visible()
    page.goto("/patron/activity")
    expect(page.get_by_text("Checked out").first).to_be_visible()
    page.goto("/patron/scan")
    expect(page.get_by_text("No signal: we save it")).to_be_visible()


class Inspector:
    """Looks at screens with axe, and notes what it finds by the screen's name."""

    def __init__(self, page: Page, theme: str) -> None:
        self.page = page
        self.theme = theme
        self.found: dict[str, list[str]] = {}

    def look(self, name: str) -> None:
        """Look at the page as it is now."""
        assert self.page.locator("html").get_attribute("data-theme") == self.theme
        problems = violations(self.page) + (["it scrolls sideways"] if scrolls_sideways(self.page) else [])
        if problems:
            self.found[name] = problems


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_any_screen(live_server: LiveServer, phone: BrowserContext, theme: str) -> None:
    guest = live_server.new_guest()
    phone.add_cookies([{"name": "theme", "value": theme, "url": live_server.base_url}])
    page = phone.new_page()
    inspector = Inspector(page, theme)
    for view in ("sign-in", "register", "forgot"):
        page.goto(f"/patron/{view}")
        page.locator("form").wait_for()
        inspector.look(view)
    sign_in_from_start(page, guest)
    choose_theme(page, theme)
    page.get_by_role("link", name="Home", exact=True).click()
    page.get_by_role("button", name="Scan to check in").wait_for()
    inspector.look("first night")
    look_at_the_door(live_server, inspector)
    for view in ("activity", "venues", "profile"):
        page.goto(f"/patron/{view}")
        page.locator(".acts li").first.wait_for()
        inspector.look(view)
    make_ready(page)
    phone.set_offline(True)
    page.goto("/patron")
    page.get_by_role("button", name="Check out").click()
    page.get_by_role("link", name="1 unsent").wait_for()
    inspector.look("offline")
    page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    inspector.look("desk")
    assert inspector.found == {}


def look_at_the_door(live_server: LiveServer, inspector: Inspector) -> None:
    """What a scan leads to: refused, a link, another business, the scanner, inside."""
    page = inspector.page
    type_code(page, live_server.code("kojo-rosebank", at=datetime.now(UTC) - timedelta(minutes=9)))
    page.get_by_role("dialog", name="This code has expired").wait_for()
    inspector.look("refused")
    page.goto(f"/c/{live_server.code('low-light', business='the-low-light')}")
    page.get_by_role("button", name="Check in", exact=True).wait_for()
    inspector.look("link")
    page.get_by_role("button", name="Check in", exact=True).click()
    page.get_by_role("dialog", name="New here").wait_for()
    inspector.look("offer")
    page.goto("/patron/scan")
    page.get_by_role("button", name="Type the code").wait_for()
    inspector.look("scanner")
    page.get_by_role("button", name="Type the code").click()
    page.get_by_label("Code, or the link in it").fill(live_server.code("kojo-rosebank"))
    inspector.look("typed")
    page.get_by_role("button", name="Check in", exact=True).click()
    page.get_by_role("button", name="Check out").wait_for()
    inspector.look("checked in")


def test_it_is_used_by_keyboard_alone(live_server: LiveServer, new_context: NewContext) -> None:
    context = new_context()
    page = context.new_page()
    page.goto("/patron")
    page.get_by_label("E-mail").focus()
    guest = live_server.new_guest()
    page.keyboard.type(guest.email)
    page.keyboard.press("Tab")
    page.keyboard.type(guest.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Scan to check in")).to_be_visible()
    page.get_by_role("button", name="Scan to check in").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Scan to check in")).to_be_visible()
    page.get_by_role("button", name="Type the code").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code, or the link in it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Scan to check in")).to_be_focused()
    page.get_by_role("link", name="Activity", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Activity", level=1)).to_be_focused()


def test_the_activity_goes_back_to_the_first_night(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    venue = live_server.businesses["kojo-arcade"].venues["kojo-rosebank"]
    page = open_app(phone, guest)
    page.get_by_role("link", name="Activity", exact=True).click()
    expect(page.get_by_text("Nothing yet")).to_be_visible()
    add_past_nights(live_server, guest, venue, count=40, until=datetime.now(UTC) - timedelta(days=1))
    page.reload()
    expect(page.locator(".p-days li")).to_have_count(30)
    page.get_by_role("button", name="Show earlier nights").click()
    expect(page.locator(".p-days li")).to_have_count(60)
    page.get_by_role("button", name="Show earlier nights").click()
    expect(page.locator(".p-days li")).to_have_count(80)
    expect(page.get_by_role("button", name="Show earlier nights")).to_have_count(0)


def test_preferences_hold_and_a_lost_device_is_signed_out(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    lost = live_server.client(guest)
    page = open_app(phone, guest)
    page.get_by_role("link", name="Profile", exact=True).click()
    page.get_by_role("button", name="Light", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Reduced").click()
    expect(page.locator("html")).to_have_attribute("data-motion", "reduced")
    with page.expect_response(lambda answer: "Asia/Tokyo" in (answer.request.post_data or "")):
        page.get_by_label("Time zone").select_option("Asia/Tokyo")
    toast(page, "Saved.")
    devices = page.locator("section", has=page.get_by_role("heading", name="Signed in on"))
    expect(devices.get_by_role("listitem")).to_have_count(2)
    devices.get_by_role("button", name="Sign out on").click()
    expect(devices.get_by_role("listitem")).to_have_count(1)
    assert lost.get("/api/me").status_code == 401
    lost.close()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.locator("html")).to_have_attribute("data-motion", "reduced")
    expect(page.get_by_label("Time zone")).to_have_value("Asia/Tokyo")


FIRST_ANSWERS = re.compile(r"/api/patron/(start|home)$")
SIGNALS = re.compile(r"/realtime/")
HOLD_THE_NEXT_ANSWER = """() => {
  const ask = window.fetch;
  let held = false;
  window.fetch = async (...sent) => {
    const answer = await ask(...sent);
    if (!held && new URL(sent[0].url ?? sent[0], location.href).pathname === "/api/patron/start") {
      held = true;
      await new Promise((release) => (window.release = release));
    }
    return answer;
  };
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_an_answer_from_before_a_change_does_not_undo_it(live_server: LiveServer, phone: BrowserContext) -> None:
    page = open_app(phone, live_server.new_guest())
    page.get_by_role("link", name="Profile", exact=True).click()
    page.evaluate(HOLD_THE_NEXT_ANSWER)
    page.wait_for_function("() => window.release")
    with page.expect_response("**/api/me/preferences"):
        page.get_by_role("button", name="Light", exact=True).click()
    page.evaluate("() => window.release()")
    toast(page, "Saved.")
    assert page.locator("html").get_attribute("data-theme") == "light"


def test_a_guest_changes_their_name_and_gives_their_birth_date_once(
    live_server: LiveServer, phone: BrowserContext
) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    page.get_by_role("link", name="Profile", exact=True).click()
    details = page.get_by_role("list", name="Your details")
    page.get_by_role("button", name="Change name").click()
    page.get_by_role("dialog").get_by_label("Name").fill("   ")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog").get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    page.get_by_role("dialog").get_by_label("Name").fill("Naledi of the Night")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(details.get_by_text("Naledi of the Night")).to_be_visible()
    page.get_by_role("button", name="Give date of birth").click()
    page.get_by_role("dialog").get_by_label("Date of birth").fill("1996-05-17")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(details.get_by_text("1996")).to_be_visible()
    expect(page.get_by_role("button", name="Give date of birth")).to_have_count(0)
    known = live_server.sql("select name, birth_date::text as born from patrons where name = 'Naledi of the Night'")
    assert [tuple(row) for row in known] == [("Naledi of the Night", "1996-05-17")]


def test_a_forgotten_password_is_answered_alike_for_everybody(live_server: LiveServer, phone: BrowserContext) -> None:
    page = phone.new_page()
    page.goto("/patron")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail").fill("nobody@guests.example")
    page.get_by_role("button", name="Send the link").click()
    expect(page.get_by_text("Check your inbox.")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, live_server.person("patron"))
    expect(page.locator(".pass h2")).to_be_visible()


def test_a_changed_password_signs_the_other_devices_out(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    other = live_server.client(guest)
    page = open_app(phone, guest)
    page.get_by_role("link", name="Profile", exact=True).click()
    page.get_by_role("button", name="Change password").click()
    dialog = page.get_by_role("dialog", name="Change password")
    dialog.get_by_label("Current password").fill("not this one at all")
    dialog.get_by_label("New password").fill("a light that stays on")
    dialog.get_by_role("button", name="Change password").click()
    expect(dialog.get_by_text("This is not your password.")).to_be_visible()
    dialog.get_by_label("Current password").fill(guest.password)
    dialog.get_by_role("button", name="Change password").click()
    toast(page, "Your password is changed.")
    assert other.get("/api/me").status_code == 401
    other.close()
    page.reload()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def test_wrong_credentials_and_a_failing_server_are_told(live_server: LiveServer, phone: BrowserContext) -> None:
    page = phone.new_page()
    page.add_init_script("window.setInterval = () => 0")  # the app would look again by itself
    page.route_web_socket(SIGNALS, lambda _socket: None)  # and at any signal
    page.goto("/patron")
    page.get_by_label("E-mail").fill(live_server.person("patron").email)
    page.get_by_label("Password", exact=True).fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("password")
    page.route(FIRST_ANSWERS, lambda route: route.fulfill(status=503, body="{}"))
    page.get_by_label("Password", exact=True).fill(live_server.person("patron").password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("No connection to Last Light")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.unroute(FIRST_ANSWERS)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Scan to check in")).to_be_visible()


def choose_theme(page: Page, theme: str) -> None:
    """Choose it in the profile, which keeps it on the server too."""
    page.get_by_role("link", name="Profile", exact=True).click()
    page.get_by_role("button", name=theme.title(), exact=True).click()
    toast(page, "Saved.")


def sign_in_from_start(page: Page, guest: Person) -> None:
    """Open the app and sign in."""
    page.goto("/patron")
    sign_in(page, guest)
