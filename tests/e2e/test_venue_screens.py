"""An owner's venues in a browser: made, changed, refused with what was typed kept, shown at the door, printed, paused."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import toast
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]


@pytest.fixture
def owner(live_server: LiveServer, console_of: Console) -> Callable[[str], Page]:
    """Open a page as the owner."""
    return lambda path: console_of(live_server.person("owner"), path)


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#main [name={name}]")


def test_a_venue_is_made_and_refused_with_what_was_typed(owner: Callable[[str], Page], live_server: LiveServer) -> None:
    page = owner("/owner/venues/new")
    field(page, "name").fill("Kōjō Melville")
    field(page, "city").fill("Johannesburg")
    field(page, "capacity").fill("80")
    field(page, "position").fill("not a place")
    field(page, "always_open").uncheck()
    field(page, "mon").fill("six to two")
    field(page, "tue").fill("18:00-02:00, 12:00-14:00")
    page.get_by_role("button", name="Create the venue").click()
    expect(page.get_by_text("Write latitude and longitude")).to_be_visible()
    expect(
        page.get_by_text("Write times such as 18:00-02:00, several with commas, or nothing for closed.")
    ).to_be_visible()
    expect(field(page, "position")).to_be_focused()
    expect(field(page, "name")).to_have_value("Kōjō Melville")
    expect(field(page, "city")).to_have_value("Johannesburg")
    expect(field(page, "always_open")).not_to_be_checked()
    field(page, "position").fill("-26.1747, 28.0075")
    field(page, "mon").fill("18:00-02:00")
    page.get_by_role("button", name="Create the venue").click()
    toast(page, "Kōjō Melville is there.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Kōjō Melville")
    expect(page.get_by_text("12:00 – 14:00, 18:00 – 02:00")).to_be_visible()
    rows = live_server.sql("select capacity, latitude, geofence from venues where slug = 'kojo-melville'")
    assert (rows[0]["capacity"], rows[0]["latitude"]) == (80, -26.1747)
    assert rows[0]["geofence"] is not None


def test_hours_change_and_a_stale_form_is_told(owner: Callable[[str], Page], live_server: LiveServer) -> None:
    venue = live_server.new_venue("Kōjō Hours")
    first, second = (owner(f"/owner/venues/{venue}?tab=settings") for _ in range(2))
    expect(field(first, "name")).to_have_value("Kōjō Hours")
    field(first, "always_open").uncheck()
    field(first, "fri").fill("20:00-04:00")
    field(first, "taxes").fill("VAT 15 %")
    first.get_by_role("button", name="Save").click()
    toast(first, "Saved.")
    expect(field(first, "fri")).to_have_value("20:00-04:00")
    expect(first.locator(".audit li").first).to_contain_text("updated")
    field(second, "capacity").fill("99")
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_role("alert").filter(has_text="changed")).to_be_visible()
    expect(field(second, "capacity")).to_have_value("99")
    rows = live_server.sql("select capacity, opening_hours is null as always from venues where id = $1", venue)
    assert (rows[0]["capacity"], rows[0]["always"]) == (220, False)


def test_the_key_is_regenerated_and_the_poster_printed(owner: Callable[[str], Page], live_server: LiveServer) -> None:
    venue = live_server.new_venue("Kōjō Keys")
    page = owner(f"/owner/venues/{venue}?tab=code")
    pdf = page.request.get(page.get_by_role("link", name="A4 PDF").get_attribute("href") or "")
    assert (pdf.status, pdf.body()[:5]) == (200, b"%PDF-")
    svg = page.request.get(page.get_by_role("link", name="SVG").get_attribute("href") or "")
    assert (svg.status, svg.headers["content-type"].split(";")[0]) == (200, "image/svg+xml")
    code = page.locator("#door-qr").get_attribute("data-code")
    page.get_by_role("button", name="Regenerate the key").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Posters must be printed anew.")
    dialog.get_by_label("Older codes and posters").select_option("60")
    dialog.get_by_role("button", name="Regenerate").click()
    toast(page, "Key 2 signs from now on.")
    expect(page.locator("#door-qr")).not_to_have_attribute("data-code", code or "")
    keys = live_server.sql(
        "select number, retires_at is null as stands from venue_keys where venue_id = $1 order by 1", venue
    )
    assert [(row["number"], row["stands"]) for row in keys] == [(1, False), (2, True)]


def test_a_venue_is_paused_with_a_reason_and_its_door_shows_it(
    owner: Callable[[str], Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Pause")
    door = owner(f"/screen/{venue}")
    expect(door.get_by_role("img", name="Check-in code")).to_be_visible()
    page = owner(f"/owner/venues/{venue}")
    page.get_by_role("button", name="Pause").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Pause it").click()
    expect(dialog.get_by_label("Reason")).to_be_focused()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("A pipe burst")
    dialog.get_by_role("button", name="Pause it").click()
    toast(page, "The venue's state is changed.")
    expect(page.get_by_text("A pipe burst").first).to_be_visible()
    expect(door.get_by_role("heading", level=1)).to_have_text("Paused")
    page.get_by_role("button", name="Open again").click()
    page.get_by_role("dialog").get_by_role("button", name="Open it").click()
    expect(door.get_by_role("img", name="Check-in code")).to_be_visible()


def test_the_door_turns_its_code_and_hides_it_once_it_has_died(
    owner: Callable[[str], Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Door")
    door = owner(f"/screen/{venue}")
    shown = door.locator("[data-code]")
    first = shown.get_attribute("data-code") or ""
    expect(shown).not_to_have_attribute("data-code", first, timeout=45_000)
    expect(shown).to_have_attribute("data-stale", "false")
    door.locator("#door-code").evaluate("node => node.setAttribute('data-door-lives-value', '1')")
    door.route("**/screen/**", lambda route: route.fulfill(status=503, body="away"))
    expect(shown).to_have_attribute("data-stale", "true")
    expect(door.get_by_text(re.compile("this code no longer works"))).to_be_visible()
    door.unroute_all(behavior="ignoreErrors")
    expect(shown).to_have_attribute("data-stale", "false")
