"""The guest's app begins with what its first screen needs: the others come after it, and are there when the network has gone."""

import pytest
from playwright.sync_api import BrowserContext, Request, expect

from tests.e2e.conftest import NewContext
from tests.support.guests import PHONE_OPTIONS, open_app, rows, wait_until
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
NO_WORKER = """if (globalThis.ServiceWorkerContainer)
  ServiceWorkerContainer.prototype.register = () => Promise.reject(new Error("no worker here"));"""
LATER = "**/static/patron-later-*.js"


@pytest.fixture
def phone(new_context: NewContext) -> BrowserContext:
    """The guest's phone."""
    return new_context(**PHONE_OPTIONS)


@pytest.fixture
def plain_phone(new_context: NewContext) -> BrowserContext:
    """A phone whose browser keeps no worker."""
    context = new_context(**PHONE_OPTIONS)
    context.add_init_script(NO_WORKER)
    return context


def test_screens_that_were_never_opened_open_without_a_network(live_server: LiveServer, phone: BrowserContext) -> None:
    page = open_app(phone, live_server.new_guest(), ready=True)
    wait_until(page, lambda: len(rows(page, "passes")) == 1)
    phone.set_offline(True)
    page.reload()
    expect(page.get_by_text("You're offline.")).to_be_visible()
    page.get_by_role("link", name="Profile", exact=True).click()
    expect(page.get_by_role("list", name="Your details")).to_be_visible()
    page.get_by_role("link", name="Home", exact=True).click()
    page.get_by_role("link", name="Show my code").click()
    expect(page.get_by_role("img", name="Your code for the door")).to_be_visible()
    drawn = page.locator("svg.i use").evaluate_all(
        "uses => uses.map((use) => [use.getAttribute('href'), document.querySelector(use.getAttribute('href')) !== null])"
    )
    assert drawn
    assert [name for name, there in drawn if not there] == []


def test_the_home_screen_asks_the_server_once_and_for_no_other_screen(
    live_server: LiveServer, plain_phone: BrowserContext
) -> None:
    asked: list[str] = []
    page = open_app(plain_phone, live_server.new_guest())
    wait_until(page, lambda: len(rows(page, "passes")) == 1)

    def note(request: Request) -> None:
        path = request.url.removeprefix(live_server.base_url)
        if path.startswith("/api/") or "later" in path:
            asked.append(f"{request.method} {path}")

    page.on("request", note)
    with page.expect_event("websocket", lambda socket: "/realtime/" in socket.url):
        page.reload()
    expect(page.locator(".pass h2")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert set(asked) == {"GET /api/patron/start"}  # again after each event of this guest
    page.get_by_role("link", name="Profile", exact=True).click()
    expect(page.get_by_role("list", name="Your details")).to_be_visible()
    expect(page.get_by_role("heading", name="Profile", level=1)).to_be_focused()
    assert any("patron-later" in one for one in asked)


def test_a_screen_that_could_not_be_fetched_says_so_and_comes_with_another_try(
    live_server: LiveServer, plain_phone: BrowserContext
) -> None:
    page = open_app(plain_phone, live_server.new_guest())
    page.route(LATER, lambda route: route.fulfill(status=503))
    page.get_by_role("link", name="Profile", exact=True).click()
    expect(page.get_by_text("This screen is not on this phone yet")).to_be_visible()
    page.unroute(LATER)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("list", name="Your details")).to_be_visible()
