"""A night on the consoles: it moves by itself, says when it is cut off, and staff check out, void and export from it."""

import json
import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from lastlight.kernel.ids import VenueId
from tests.support.browser import toast
from tests.support.live_server import LiveServer, Person

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
ONE_ARRIVAL = re.compile(r'"values": \[[^\]]*\b1\b')


def check_in(server: LiveServer, guest: Person, venue: VenueId) -> str:
    """A guest scans the venue's screen; the id of the visit."""
    client = server.client(guest)
    answer = client.post(
        "/api/checkin/verify", json={"code": server.code(venue)}, headers={"Idempotency-Key": str(uuid4())}
    )
    client.close()
    assert answer.status_code == 201, answer.text
    return answer.json()["visit"]["id"]


def pick_venue(page: Page, name: str) -> None:
    page.locator(".top summary.ctx").click()
    page.locator(".top .panel").get_by_role("link", name=name).click()
    expect(page.locator(".top .ctx")).to_contain_text(name)


def floor(page: Page) -> Locator:
    return page.locator("#kpis article").first.locator(".v")


def test_tonight_moves_by_itself(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Live", capacity=3)
    page = console_of(live_server.person("manager"), "/manage")
    pick_venue(page, "Kōjō Live")
    expect(page.locator(".top [data-live]")).to_have_text("Live")
    expect(floor(page)).to_contain_text("0")
    expect(page.get_by_text("Quiet so far")).to_be_visible()
    beside = page.locator("#count-manage-visits")  # of the chosen venue, and it moves too
    expect(beside).to_be_hidden()
    check_in(live_server, live_server.new_guest("Ayanda Nkosi"), venue)
    expect(page.locator("#feed li")).to_have_count(1)
    expect(page.locator("#feed li")).to_contain_text("Ayanda Nkosi")
    expect(floor(page)).to_contain_text("1")
    expect(page.locator("#floor tbody tr")).to_contain_text("1 / 3")
    expect(beside).to_have_text("1")
    expect(page).to_have_title(re.compile("^Tonight"))
    expect(page.locator("#arrivals [data-controller=chart]")).to_have_attribute("data-ready", "true")
    chart = page.locator("#arrivals [data-chart-payload-value]")
    expect(chart).to_have_attribute("data-chart-payload-value", ONE_ARRIVAL)
    for name in ("Buhle Zulu", "Chris Botha"):
        check_in(live_server, live_server.new_guest(name), venue)
    expect(page.locator("#needs")).to_contain_text("Kōjō Live is full")
    visit = page.locator("#feed a").filter(has_text="Ayanda Nkosi")
    visit.click()
    page.get_by_role("button", name="Check out").click()
    toast(page, "Ayanda Nkosi is checked out.")
    expect(page.locator("#story")).to_contain_text("Left")
    page.goto("/manage")
    expect(floor(page)).to_contain_text("2")
    expect(page.locator("#needs")).not_to_contain_text("Kōjō Live is full")


def test_a_lost_connection_is_shown_and_what_was_missed_comes_after(
    live_server: LiveServer, console_of: Console
) -> None:
    venue = live_server.new_venue("Kōjō Cut")
    page = console_of(live_server.person("manager"), "/manage")
    pick_venue(page, "Kōjō Cut")
    pill = page.locator(".top [data-live]")
    expect(pill).to_have_text("Live")
    page.context.set_offline(True)
    page.evaluate("window.dispatchEvent(new Event('offline'))")
    expect(pill).to_have_text("Reconnecting", timeout=60_000)
    check_in(live_server, live_server.new_guest("Dumi Cele"), venue)
    page.context.set_offline(False)
    expect(pill).to_have_text("Live", timeout=60_000)
    expect(page.locator("#feed li")).to_contain_text("Dumi Cele")


def test_a_visit_is_voided_with_a_reason_and_counts_no_more(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Void")
    visit = check_in(live_server, live_server.new_guest("Ella Smit"), venue)
    page = console_of(live_server.person("manager"), f"/manage/visits/{visit}")
    page.get_by_role("button", name="Void").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Void the visit of Ella Smit?")
    dialog.get_by_role("button", name="Void it").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("Scanned by mistake")
    dialog.get_by_role("button", name="Void it").click()
    toast(page, "The visit is voided.")
    expect(page.locator("#story")).to_contain_text("Scanned by mistake")
    page.goto(f"/manage/visits?venue_id={venue}&status=open")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()


def test_a_list_is_exported(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Export")
    check_in(live_server, live_server.new_guest("Fana Dube"), venue)
    page = console_of(live_server.person("manager"), f"/manage/visits?venue_id={venue}")
    page.locator("#visits summary.btn").filter(has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON").click()
    rows = json.loads(download.value.path().read_text())
    assert [row["patron"] for row in rows] == ["Fana Dube"]


def test_the_staff_s_floor_fits_a_phone(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Pocket", capacity=40)
    page = console_of(
        live_server.person("staff"), "/staff", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    tile = page.locator("#floor article").filter(has_text="Kōjō Pocket")
    expect(tile).to_contain_text("of 40")
    check_in(live_server, live_server.new_guest("Gift Moloi"), venue)
    expect(tile.locator(".v")).to_contain_text("1")
    page.locator("#feed a").filter(has_text="Gift Moloi").tap()
    page.get_by_role("button", name="Check out").tap()
    toast(page, "Gift Moloi is checked out.")
    page.get_by_role("button", name="Menu").tap()
    expect(page.locator(".side").get_by_role("link", name="Visits")).to_be_visible()
