"""axe finds nothing on any page of the kit: WCAG 2.2 AA, dark and light, desk and phone, every accent."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

AXE = Path("node_modules/axe-core/axe.min.js")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DESK = (1440, 900)
PHONE = (390, 844)

pytestmark = pytest.mark.browser


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", TAGS
    )
    return [
        f"{v['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for v in found["violations"]
        for node in v["nodes"]
    ]


def open_page(browser: Browser, address: str, size: tuple[int, int]) -> Page:
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce")
    page.goto(address, wait_until="networkidle")
    return page


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("app", ["management", "staff", "owner", "treasury", "platform", "patron"])
def test_the_gallery_in_every_accent(browser: Browser, site: str, app: str, theme: str) -> None:
    page = open_page(browser, f"{site}/gallery?app={app}&theme={theme}", DESK)
    page.locator("#g-revenue[data-ready]").wait_for()
    assert violations(page) == []
    page.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("path", ["gallery", "sign-in", "screen", "problem", "form"])
def test_pages_on_a_phone(browser: Browser, site: str, path: str, theme: str) -> None:
    page = open_page(browser, f"{site}/{path}?theme={theme}", PHONE)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], "the page scrolls sideways"
    page.close()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_what_opens_over_a_page(browser: Browser, site: str, theme: str) -> None:
    page = open_page(browser, f"{site}/gallery?theme={theme}", DESK)
    page.keyboard.press("Control+k")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Refund …").click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator(".top summary").click()
    page.locator(".side-foot summary").click()
    assert violations(page) == []
    page.close()


def test_axe_does_find_what_is_wrong(browser: Browser, site: str) -> None:
    page = open_page(browser, f"{site}/sign-in", DESK)
    page.evaluate("document.querySelector('label').remove()")
    assert any(found.startswith("label:") for found in violations(page))
    page.close()
