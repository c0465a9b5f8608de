"""Pictures of the guest's app, to look at: `python -m tests.e2e.shoot_patron FOLDER`; every screen, dark and light, phone and desk."""

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.support.browser import DESK, chromium
from tests.support.guests import PHONE_OPTIONS, add_past_nights, film_of, make_ready, sign_in
from tests.support.live_server import LiveServer, Person, running_platform
from tests.support.postgres import database, running_server

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


def main(folder: Path) -> None:
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, running_server() as postgres, database(postgres, name="shots") as dsn:
        var_dir = Path(name)
        with running_platform(dsn, var_dir) as server:
            film = film_of("https://example.com/not-ours", var_dir / "code.mjpeg")
            with chromium(*CAMERA, f"--use-file-for-fake-video-capture={film}") as browser:
                for size in ("phone", "desk"):
                    for theme in ("dark", "light"):
                        shoot(browser, server, folder, size=size, theme=theme)


def shoot(browser: Browser, server: LiveServer, folder: Path, *, size: str, theme: str) -> None:
    """Every screen for one guest in one theme and size."""
    guest = server.new_guest("Zinhle Dube")
    venue = server.businesses["kojo-arcade"].venues["kojo-rosebank"]
    desk: dict[str, Any] = {} if size == "phone" else {"viewport": DESK, "is_mobile": False}
    given: dict[str, Any] = {**PHONE_OPTIONS, **desk, "color_scheme": theme, "locale": "en-ZA"}
    context = browser.new_context(base_url=server.base_url, **given)
    context.add_cookies([{"name": "theme", "value": theme, "url": server.base_url}])
    page = context.new_page()

    def take(name: str, *, full: bool = False) -> None:
        page.wait_for_timeout(450)
        page.screenshot(path=folder / f"{name}-{theme}-{size}.png", full_page=full)

    page.goto("/patron")
    page.locator("form").wait_for()
    take("01-sign-in")
    page.goto("/patron/register")
    take("02-register")
    page.goto("/patron/forgot")
    take("03-forgot")
    page.goto(f"/c/{server.code(venue)}")
    page.get_by_text("You're at").wait_for()
    take("04-code-signed-out")
    page.goto("/patron")
    sign_in(page, guest)
    page.locator(".pass h2").wait_for()
    set_theme(page, theme)
    take("05-home-first")
    add_past_nights(server, guest, venue, count=40, until=datetime.now(UTC) - timedelta(hours=20))
    page.goto("/patron")
    page.locator(".acts li").nth(3).wait_for()
    take("06-home-ready", full=True)
    inside(page, server, venue, take)
    offline(page, server, guest, take)
    context.close()


def inside(page: Page, server: LiveServer, venue: Any, take: Any) -> None:
    """The scanner, the refusals, the visit."""
    page.goto("/patron/scan")
    page.locator("[data-state=live]").wait_for()
    take("07-scanner")
    page.get_by_role("button", name="Type the code").click()
    take("08-typed")
    page.get_by_label("Code, or the link in it").fill(server.code(venue, at=datetime.now(UTC) - timedelta(minutes=9)))
    page.get_by_role("button", name="Check in", exact=True).click()
    page.get_by_role("dialog", name="This code has expired").wait_for()
    take("09-refused")
    page.goto(f"/c/{server.code('low-light', business='the-low-light')}")
    page.get_by_role("button", name="Check in", exact=True).click()
    page.get_by_text("New here").wait_for()
    take("10-offer")
    page.goto(f"/c/{server.code(venue)}")
    page.get_by_role("button", name="Check in", exact=True).wait_for()
    take("11-code")
    page.get_by_role("button", name="Check in", exact=True).click()
    page.get_by_role("button", name="Check out").wait_for()
    take("12-checked-in")
    for view in ("activity", "venues", "profile"):
        page.goto(f"/patron/{view}")
        page.locator(".acts li").first.wait_for()
        take(f"13-{view}", full=view == "profile")


def offline(page: Page, server: LiveServer, guest: Person, take: Any) -> None:
    """Without a network, then with one again."""
    page.goto("/patron")
    make_ready(page)
    page.get_by_role("button", name="Check out").click()
    page.get_by_role("button", name="Scan to check in").wait_for()
    code = server.code("kojo-braam")
    page.context.set_offline(True)
    page.goto("/patron/scan")
    page.get_by_role("button", name="Type the code").click()
    page.get_by_label("Code, or the link in it").fill(code)
    page.get_by_role("button", name="Check in", exact=True).click()
    page.get_by_text("Saved on this phone").first.wait_for()
    take("14-offline-saved")
    page.context.set_offline(False)
    page.get_by_text("All caught up").wait_for()
    take("15-synced")
    server.sql("delete from sessions where user_id = (select id from users where email = $1)", guest.email)


def set_theme(page: Page, theme: str) -> None:
    """Choose the theme as a person does."""
    page.goto("/patron/profile")
    page.get_by_role("button", name="Light" if theme == "light" else "Dark", exact=True).click()
    page.get_by_text("Saved.").wait_for()
    page.goto("/patron")
    page.locator(".pass h2").wait_for()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
