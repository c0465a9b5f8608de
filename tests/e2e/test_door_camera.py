"""What a door's camera reads: a guest's own code opens, a picture of it that is half a minute old does not."""

import io
import re
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, expect

from tests.e2e.conftest import NewContext
from tests.support.browser import lighter, watched_context
from tests.support.doors import TABLET, open_door, pass_holder, said
from tests.support.guests import PHONE_OPTIONS, film_of, film_of_picture, open_app, visits_of, wait_until
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser


@contextmanager
def sees(browser: Browser, server: LiveServer, film: Path) -> Generator[BrowserContext]:
    """A tablet whose camera sees a film."""
    flags = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    camera = browser.browser_type.launch(
        executable_path=lighter(), args=["--no-sandbox", *flags, f"--use-file-for-fake-video-capture={film}"]
    )
    try:
        with watched_context(camera, base_url=server.base_url, **TABLET, permissions=["camera"]) as context:
            yield context
    finally:
        camera.close()


def test_the_camera_reads_a_guests_own_code(
    live_server: LiveServer, browser: Browser, new_context: NewContext, tmp_path: Path
) -> None:
    """From the code that a phone shows to the door's answer."""
    venue = live_server.new_venue("Kōjō Camera")
    holder = pass_holder(live_server, live_server.new_guest("Naledi Khoza"))
    film = tmp_path / "code.mjpeg"
    film_of("https://example.com/not-ours", film)
    with sees(browser, live_server, film) as tablet:
        page = open_door(tablet, live_server, venue)
        assert said(page) == "Not a pass"
        page.get_by_role("button", name="Next guest").click()
        film_of(holder.show(datetime.now(UTC) + timedelta(seconds=10)), tmp_path / "next.mjpeg").replace(film)
        page.reload()  # the camera begins anew, and sees what lives for half a minute from now
        assert said(page) == "Come in"
        # The whole name where the server is heard already, the pass's short one where the door decides alone.
        expect(page.locator(".d-answer")).to_contain_text(re.compile("Naledi K(hoza|\\.)"))
        wait_until(page, lambda: [visit["status"] for visit in visits_of(live_server, holder.person)] == ["open"])


def test_a_screenshot_of_half_a_minute_ago_is_refused(
    live_server: LiveServer, browser: Browser, new_context: NewContext, tmp_path: Path
) -> None:
    guest = live_server.new_guest("Lwazi Ndlovu")
    phone = open_app(new_context(**PHONE_OPTIONS), guest, ready=True)
    phone.get_by_role("link", name="Show my code").click()
    shown = phone.locator(".p-qr")
    expect(shown).to_be_visible()
    taken = datetime.now(UTC)
    picture = shown.screenshot()
    with Image.open(io.BytesIO(picture)) as code:
        film = film_of_picture(code.convert("RGB"), tmp_path / "screenshot.mjpeg")
    phone.wait_for_timeout(max(0, 30_000 - (datetime.now(UTC) - taken).total_seconds() * 1000))
    with sees(browser, live_server, film) as tablet:
        page = open_door(tablet, live_server, live_server.new_venue("Kōjō Screenshot"))
        assert said(page) == "Old code"
    assert visits_of(live_server, guest) == []
