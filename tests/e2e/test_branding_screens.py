"""A business's logo and accent in a browser, from the upload to the guest's app; and the crew's first screen."""

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.support.browser import toast, wrong_in_themes
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NARROW = {"width": 360, "height": 780}
ACCENT = "document.documentElement && getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()"


def test_a_business_chooses_its_logo_and_accent_and_everybody_sees_them(
    live_server: LiveServer, console_of: Console
) -> None:
    page = console_of(
        live_server.person("owner", "the-low-light"), "/owner/branding", viewport=NARROW, reduced_motion="reduce"
    )
    picture = BytesIO()
    Image.new("RGB", (80, 40), "#1e9e8a").save(picture, "PNG")
    page.locator("#logo-file").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator(".brand-logos img").first).to_be_visible()
    page.locator("#accent-try").fill("#ffff00")
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_text("darker than you chose")).to_be_visible()
    assert wrong_in_themes(page) == []
    page.get_by_role("button", name="Save this colour").click()
    toast(page, "In the light theme it is shown as")
    staff = console_of(live_server.person("staff", "the-low-light"), "/staff")
    expect(staff.locator(".side .brand-logo")).to_have_count(1)
    assert staff.evaluate(ACCENT) == "#ffff00"
    page.goto("/owner/branding")
    page.get_by_role("button", name="Remove", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No logo yet")).to_be_visible()
    page.get_by_role("button", name="Back to Last Light's own").click()
    expect(page.locator("#rail")).to_contain_text("Last Light's own")


def test_the_crew_begins_on_an_overview(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("ops"), "/platform", viewport=NARROW, reduced_motion="reduce")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.locator("#overview")).to_contain_text("Kōjō Arcade")
    assert wrong_in_themes(page) == []
    finance = console_of(live_server.person("finance"), "/platform")
    expect(finance.get_by_role("heading", name="Calls for help")).to_have_count(0)
    expect(finance.get_by_role("heading", name="Lately")).to_have_count(0)
