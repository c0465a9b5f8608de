"""Signals: a socket event refetches its blocks, a gap refetches all, dead sockets are replaced by polling."""

import asyncio
import threading
from collections.abc import Generator
from typing import Any

import pytest
import socketio
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PATIENCE_MS
from tests.support.gallery_site import GallerySite, serving

pytestmark = pytest.mark.browser


class LiveSite:
    """The gallery's site with a Socket.IO server before it, whose events a test sends."""

    def __init__(self) -> None:
        self.pages = GallerySite()
        self.sockets: Any = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins=[])
        self.refusing = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.connected = threading.Event()
        self.sockets.on("connect", self._connect)
        self._asgi = socketio.ASGIApp(self.sockets, self.pages, socketio_path="/realtime/")

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.loop = asyncio.get_running_loop()
        await self._asgi(scope, receive, send)

    async def _connect(self, sid: str, _environ: dict[str, Any], _auth: Any) -> bool:
        if self.refusing:
            return False
        await self.sockets.emit("system.hello", {"seq": 10}, to=sid)
        self.connected.set()
        return True

    def emit(self, seq: int, name: str = "checkin.verified") -> None:
        self._run(self.sockets.emit(name, envelope(seq, name)))

    def drop_everyone(self) -> None:
        async def drop() -> None:
            for sid in list(self.sockets.manager.rooms.get("/", {}).get(None, {})):
                await self.sockets.disconnect(sid)

        self._run(drop())

    def _run(self, work: Any) -> None:
        assert self.loop is not None
        asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=30)


def envelope(seq: int, name: str = "checkin.verified") -> dict[str, Any]:
    return {
        "id": f"e{seq}",
        "seq": seq,
        "name": name,
        "at": "2025-11-21T20:41:00Z",
        "tenant_id": "t1",
        "venue_id": "v1",
        "data": {},
    }


@pytest.fixture
def live() -> Generator[tuple[LiveSite, str]]:
    site = LiveSite()
    with serving(site) as address:
        yield site, address


@pytest.fixture
def quiet_page(browser: Browser) -> Generator[Page]:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    page.close()


def test_an_event_refetches_its_block_and_keeps_the_nodes(live: tuple[LiveSite, str], quiet_page: Page) -> None:
    site, address = live
    quiet_page.goto(f"{address}/live")
    expect(quiet_page.locator(".top [data-live]")).to_have_attribute("data-state", "live")
    expect(quiet_page.locator(".top [data-live]")).to_have_text("Live")
    quiet_page.locator("#arrivals[data-ready]").wait_for()
    quiet_page.evaluate("document.querySelector('#floor b').kept = true")
    site.pages.inside = 7
    site.emit(11)
    expect(quiet_page.locator("#floor b")).to_have_text("7")
    assert quiet_page.evaluate("document.querySelector('#floor b').kept") is True
    expect(quiet_page.locator("#arrivals .canvas svg"), "the chart was lost in the morph").to_have_count(1)
    asked = site.pages.asked.count("/live")
    site.emit(12, "something.else")
    quiet_page.wait_for_timeout(400)
    assert site.pages.asked.count("/live") == asked


def test_after_a_gap_everything_refetches(live: tuple[LiveSite, str], quiet_page: Page) -> None:
    site, address = live
    quiet_page.goto(f"{address}/live")
    expect(quiet_page.locator(".top [data-live]")).to_have_attribute("data-state", "live")
    site.pages.inside = 3
    site.drop_everyone()
    expect(quiet_page.locator("#floor b")).to_have_text("3")
    expect(quiet_page.locator(".top [data-live]")).to_have_attribute("data-state", "live")


@pytest.mark.parametrize(("drawn_at", "asked"), [(9, 2), (10, 1)])
def test_what_happened_while_the_page_was_loading_is_fetched_again(
    live: tuple[LiveSite, str], quiet_page: Page, drawn_at: int, asked: int
) -> None:
    """The greeting says 10: a page that was drawn at 9 missed something, one that was drawn at 10 did not."""
    site, address = live
    site.pages.drawn_at = drawn_at
    quiet_page.goto(f"{address}/live")
    expect(quiet_page.locator(".top [data-live]")).to_have_attribute("data-state", "live")
    if asked > 1:
        quiet_page.wait_for_function(
            "() => performance.getEntriesByType('resource').some(e => e.name.endsWith('/live'))"
        )
    quiet_page.wait_for_timeout(400)
    assert site.pages.asked.count("/live") == asked


def test_without_sockets_the_feed_is_polled(live: tuple[LiveSite, str], quiet_page: Page) -> None:
    site, address = live
    quiet_page.goto(f"{address}/live")
    expect(quiet_page.locator(".top [data-live]")).to_have_attribute("data-state", "live")
    site.refusing = True
    site.drop_everyone()
    expect(quiet_page.locator(".top [data-live]")).to_have_attribute("data-state", "poll", timeout=40_000)
    site.pages.inside = 9
    site.pages.feed.append(envelope(11))
    expect(quiet_page.locator("#floor b")).to_have_text("9")
    site.refusing = False
    expect(quiet_page.locator(".top [data-live]")).to_have_attribute("data-state", "live", timeout=40_000)
