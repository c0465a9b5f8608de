"""A browser and the gallery's site, shared by the tests of the kit."""

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, Page

from lastlight.ui.render import BUILD
from tests.support.browser import PATIENCE_MS, STAYS_SAID
from tests.support.gallery_site import GallerySite, serving


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """The kit is tested as it is built."""
    if not (BUILD / "manifest.json").is_file():
        pytest.fail("The screens are not built: run `npm run build`.")


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    """The base address of the gallery's site."""
    with serving(GallerySite()) as address:
        yield address


@pytest.fixture
def page(browser: Browser) -> Generator[Page]:
    """A desk-sized page that collects what the console complains of; a complaint fails the test."""
    page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-ZA")
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(STAYS_SAID)
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert [c for c in complaints if "Failed to load resource" not in c] == []
