"""Games, rooms, tables and their bookings on consoles: made, reported, booked, moved, received, cancelled; conflicts told; live."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import scrolls_sideways, toast, violations
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
ZONE = ZoneInfo("Africa/Johannesburg")
PHONE = {"viewport": {"width": 360, "height": 780}}


@pytest.fixture
def manager(live_server: LiveServer, console_of: Console) -> Callable[..., Page]:
    """Open a page as the manager."""

    def open_page(path: str, **options: Any) -> Page:
        return console_of(live_server.person("manager"), path, **options)

    return open_page


@contextmanager
def api(live_server: LiveServer, role: str = "manager") -> Generator[Any]:
    """The API as somebody."""
    client = live_server.client(live_server.person(role))
    try:
        yield client
    finally:
        client.close()


def room(live_server: LiveServer, venue: UUID, name: str, **fields: Any) -> str:
    """A room of a venue."""
    body = {"venue_id": str(venue), "kind": "room", "name": name, "capacity": 8, "buffer_minutes": 15} | fields
    with api(live_server) as client:
        answer = client.post("/api/resources", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def booked(live_server: LiveServer, resource: str, start: datetime, guest: str, *, minutes: int = 60) -> str:
    """A booking under a name."""
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(minutes=minutes)).isoformat()}
    body = {"resource_id": resource, "guest_name": guest, **times}
    with api(live_server) as client:
        answer = client.post("/api/bookings", json=body, headers={"Idempotency-Key": str(uuid4())})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def evening() -> datetime:
    """Eight in the evening, the day after tomorrow, on the venue's clock."""
    return (datetime.now(ZONE) + timedelta(days=2)).replace(hour=20, minute=0, second=0, microsecond=0)


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#main [name={name}]")


def fill_booking(page: Page, resource: str, start: datetime, minutes: str = "60") -> None:
    field(page, "resource_id").select_option(resource)
    field(page, "day").fill(start.date().isoformat())
    field(page, "starts").fill(f"{start:%H:%M}")
    field(page, "minutes").select_option(minutes)


def test_a_room_is_made_changed_and_reported(
    manager: Callable[..., Page], live_server: LiveServer, console_of: Console
) -> None:
    venue = live_server.new_venue("Kōjō Rooms")
    page = manager("/manage/resources/new")
    field(page, "venue_id").select_option(str(venue))
    field(page, "kind").select_option("room")
    field(page, "name").fill("Karaoke Lotus")
    field(page, "price").fill("lots")
    page.get_by_role("button", name="Create").click()
    expect(
        page.get_by_text("Type an amount in digits, such as 150 or 150,50. Leave it empty for no price.")
    ).to_be_visible()
    expect(field(page, "name")).to_have_value("Karaoke Lotus")
    field(page, "price").fill("350.50")
    page.get_by_role("button", name="Create").click()
    toast(page, "Karaoke Lotus is there.")
    expect(page.locator("#rail")).to_contain_text("350,50")
    field(page, "capacity").fill("12")
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved.")
    page.get_by_role("button", name="Out of order").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Out of order").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("The screen is dead")
    dialog.get_by_role("button", name="Out of order").click()
    toast(page, "Karaoke Lotus is out of order.")
    expect(page.locator("#rail")).to_contain_text("The screen is dead")
    row = live_server.sql("select status, capacity, price_minor from resources where venue_id = $1", venue)[0]
    assert (row["status"], row["capacity"], row["price_minor"]) == ("out_of_order", 12, 35_050)
    page.get_by_role("button", name="Available again").click()
    page.get_by_role("dialog").get_by_role("button", name="It is available").click()
    toast(page, "Karaoke Lotus is available again.")
    story = console_of(live_server.person("owner"), page.url).locator("#rail .audit")
    expect(story).to_contain_text("The screen is dead")


def test_a_stale_change_is_told_and_what_was_typed_is_kept(
    manager: Callable[..., Page], live_server: LiveServer
) -> None:
    made = room(live_server, live_server.new_venue("Kōjō Stale"), "Room A")
    first, second = (manager(f"/manage/resources/{made}") for _ in range(2))
    field(first, "zone").fill("Terrace")
    first.get_by_role("button", name="Save").click()
    toast(first, "Saved.")
    field(second, "zone").fill("Cellar")
    second.get_by_role("button", name="Save").click()
    expect(second.get_by_role("alert").filter(has_text="changed")).to_be_visible()
    expect(field(second, "zone")).to_have_value("Cellar")


def test_a_guest_is_booked_and_a_taken_time_is_told_with_what_is_free(
    manager: Callable[..., Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Taken")
    made, start = room(live_server, venue, "Room B"), evening()
    booked(live_server, made, start, "Ayanda Nkosi")
    page = manager(f"/manage/bookings/new?resource_id={made}")
    fill_booking(page, made, start + timedelta(minutes=30))
    field(page, "guest_name").fill("Naledi Khoza")
    field(page, "note").fill("By the window")
    page.get_by_role("button", name="Book", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Room B is taken then. It is free from 21:15")).to_be_visible()
    expect(field(page, "guest_name")).to_have_value("Naledi Khoza")
    expect(field(page, "note")).to_have_value("By the window")
    page.get_by_role("button", name="21:15").click()
    toast(page, "Room B is booked for Naledi Khoza.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Naledi Khoza")
    rows = live_server.sql("select starts_at, note from bookings where resource_id = $1 order by 1", made)
    assert [row["starts_at"] for row in rows] == [start, start + timedelta(minutes=75)]
    assert rows[1]["note"] == "By the window"


def test_of_two_who_book_one_time_at_once_one_gets_it(manager: Callable[..., Page], live_server: LiveServer) -> None:
    made, start = room(live_server, live_server.new_venue("Kōjō Race"), "Room C"), evening()
    pages = [manager(f"/manage/bookings/new?resource_id={made}") for _ in range(2)]
    for number, page in enumerate(pages):
        fill_booking(page, made, start)
        field(page, "guest_name").fill(f"Guest {number}")
    for page in pages:
        page.get_by_role("button", name="Book", exact=True).dispatch_event("click")
    settled = (
        "() => location.pathname.match(/bookings\\/[0-9a-f-]{36}$/) || document.querySelector('#main [role=alert]')"
    )
    for page in pages:
        page.wait_for_function(settled)
    told = [page.locator("#main [role=alert]").count() for page in pages]
    assert sorted(told) == [0, 1], "one is booked, the other is told"
    rows = live_server.sql("select count(*) as n from bookings where resource_id = $1", made)
    assert rows[0]["n"] == 1


def test_a_booking_is_moved_received_and_ended(manager: Callable[..., Page], live_server: LiveServer) -> None:
    venue = live_server.new_venue("Kōjō Move")
    one, other = room(live_server, venue, "Room D"), room(live_server, venue, "Room E")
    made = booked(live_server, one, evening(), "Thabo Mthembu")
    page = manager(f"/manage/bookings/{made}")
    field(page, "resource_id").select_option(other)
    field(page, "starts").fill("21:30")
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved.")
    expect(page.locator("#facts")).to_contain_text("Room E")
    page.get_by_role("button", name="They are here").click()
    toast(page, "Thabo Mthembu is here.")
    page.get_by_role("button", name="They are done").click()
    toast(page, "Room E is free again.")
    expect(page.locator("#facts")).to_contain_text("Done")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    row = live_server.sql("select resource_id, status from bookings where id = $1", UUID(made))[0]
    assert (str(row["resource_id"]), row["status"]) == (other, "done")


def test_a_booking_is_cancelled_with_a_reason_and_a_missed_one_is_a_no_show(
    manager: Callable[..., Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Cancel")
    made = room(live_server, venue, "Room F")
    page = manager(f"/manage/bookings/{booked(live_server, made, evening(), 'Lerato Dlamini')}")
    expect(page.get_by_role("button", name="No-show")).to_have_count(0)
    page.get_by_role("button", name="Cancel it").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel the booking").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("A pipe burst")
    dialog.get_by_role("button", name="Cancel the booking").click()
    toast(page, "The booking is cancelled.")
    expect(page.locator("#facts")).to_contain_text("A pipe burst")
    late = booked(live_server, made, datetime.now(UTC) - timedelta(minutes=10), "Sipho Zulu")
    page.goto(f"/manage/bookings/{late}")
    page.get_by_role("button", name="No-show").click()
    toast(page, "Sipho Zulu did not come.")
    rows = live_server.sql("select status from bookings where resource_id = $1 order by created_at", UUID(made))
    assert [row["status"] for row in rows] == ["cancelled", "no_show"]


def test_the_day_stands_as_a_board_lives_and_books_from_a_gap(
    manager: Callable[..., Page], live_server: LiveServer
) -> None:
    venue, start = live_server.new_venue("Kōjō Day"), evening()
    page = manager(f"/manage/bookings?venue_id={venue}&day={start.date()}")
    expect(page.get_by_text("Nothing to book yet")).to_be_visible()
    made = room(live_server, venue, "Room G")
    board = page.get_by_role("table")
    expect(board.get_by_role("rowheader", name="Room G")).to_be_visible()
    booked(live_server, made, start, "Palesa Molefe")
    cell = board.get_by_role("link", name="Palesa Molefe")
    expect(cell).to_be_visible()
    expect(page.locator(".agenda")).to_contain_text("Palesa Molefe")
    board.get_by_role("link", name="Book Room G from").last.click()
    expect(field(page, "resource_id")).to_have_value(made)
    page.go_back()
    expect(cell).to_be_visible()
    page.get_by_role("link", name="The day after").click()
    expect(page.get_by_role("textbox", name="Day", exact=True)).to_have_value(f"{start + timedelta(days=1):%Y-%m-%d}")
    expect(page.get_by_text("Nobody has booked")).to_be_visible()
    assert violations(page) == []


def test_on_a_phone_the_day_is_a_list(manager: Callable[..., Page], live_server: LiveServer) -> None:
    venue = live_server.new_venue("Kōjō Phone")
    made, start = room(live_server, venue, "Room H"), evening()
    booked(live_server, made, start, "Zanele Khumalo")
    page = manager(f"/manage/bookings?venue_id={venue}&day={start.date()}", **PHONE)
    expect(page.get_by_role("link", name="Zanele Khumalo")).to_be_visible()
    expect(page.get_by_role("table")).to_be_hidden()
    assert not scrolls_sideways(page)
    assert violations(page) == []


def test_staff_report_what_is_broken_but_set_nothing_up(live_server: LiveServer, console_of: Console) -> None:
    made = room(live_server, live_server.new_venue("Kōjō Staff"), "Room I")
    page = console_of(live_server.person("staff"), "/staff/resources")
    expect(page.get_by_role("heading", level=1)).to_have_text("Games, rooms, tables")
    expect(page.get_by_role("link", name="Add one", exact=True)).to_have_count(0)
    page.goto(f"/staff/resources/{made}")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    expect(page.get_by_role("button", name="Retire")).to_have_count(0)
    page.get_by_role("button", name="Maintenance").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("New cables")
    page.get_by_role("dialog").get_by_role("button", name="Into maintenance").click()
    toast(page, "Room I is in maintenance.")
