"""A venue's page in the guest's app: what is shown, booking and cancelling, photos with their decision, without a network."""

import io
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.e2e.conftest import NewContext
from tests.support.browser import lose_answers, scrolls_sideways, violations
from tests.support.guests import PHONE_OPTIONS, open_app, until_remembered, wait_until
from tests.support.live_server import LiveServer, Person
from tests.support.tour_places import send_picture

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(new_context: NewContext) -> BrowserContext:
    """A guest's phone."""
    return new_context(**PHONE_OPTIONS, reduced_motion="reduce")


@pytest.fixture
def owner(live_server: LiveServer) -> Callable[..., Any]:
    """Ask the API as the owner."""

    def ask(method: str, path: str, **options: Any) -> Any:
        with closing(live_server.client(live_server.person("owner"))) as client:
            answer = client.request(method, path, headers={"Idempotency-Key": str(uuid4())}, **options)
        assert answer.is_success, answer.text
        return answer.json()

    return ask


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 400), "purple").save(out, "PNG")
    return out.getvalue()


def offer(owner: Callable[..., Any], venue: UUID, name: str, **fields: Any) -> str:
    """Something of a venue that can be booked."""
    body = {"venue_id": str(venue), "kind": "room", "name": name, "capacity": 6} | fields
    return owner("POST", "/api/resources", json=body)["id"]


def open_venue(phone: BrowserContext, guest: Person, venue: UUID, *, ready: bool = False) -> Page:
    page = open_app(phone, guest, ready=ready)
    page.goto(f"/patron/venues/{venue}")
    return page


def choose_start(dialog: Locator, place: int = 0) -> str:
    """Take one of the free times; the moment that it stands for."""
    chip = dialog.locator(".p-chips label").nth(place)
    chip.click()
    return chip.locator("input").get_attribute("value") or ""


def tomorrow(dialog: Locator) -> None:
    """Choose the next day, which is free from its first minute."""
    day = dialog.get_by_label("Day")
    now = datetime.fromisoformat(day.input_value())
    day.fill((now + timedelta(days=1)).date().isoformat())


def test_a_venue_shows_what_its_people_put_there(
    live_server: LiveServer, phone: BrowserContext, owner: Callable[..., Any]
) -> None:
    venue = live_server.new_venue("Kōjō Guests")
    with closing(live_server.client(live_server.person("owner"))) as client:
        send_picture(client, f"/api/venues/{venue}/images", "The bar in purple light", picture())
    span = {"starts_at": "2026-01-01T18:00:00Z", "ends_at": "2099-01-01T18:00:00Z"}
    promo = {"title": "Pinball night", "body": "Highest score drinks free", "link": "https://example.com/pinball"}
    owner("POST", f"/api/venues/{venue}/banners", json=promo | span)
    offer(owner, venue, "Karaoke Lotus", price={"amount": 35_000, "unit": "hour"})
    broken = offer(owner, venue, "Neon Drift", kind="game", price={"amount": 2_500, "unit": "play"}, bookable=False)
    live_server.sql("update resources set status = 'out_of_order' where id = $1", UUID(broken))
    live_server.sql(
        "update venues set publication = 'degraded', publication_reason = 'Only the bar is open' where id = $1", venue
    )
    page = open_app(phone, live_server.new_guest())
    sql = "select 1 from venue_images where venue_id = $1 and state = 'ready'"
    wait_until(page, lambda: bool(live_server.sql(sql, venue)))
    page.get_by_role("link", name="Venues", exact=True).click()
    row = page.locator("li.venue").filter(has_text="Kōjō Guests")
    expect(row).to_contain_text("Not as usual: Only the bar is open")
    row.get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("Kōjō Guests")
    expect(page.get_by_role("note")).to_contain_text("Only the bar is open")
    expect(page.get_by_role("heading", name="Pinball night")).to_be_visible()
    link = page.get_by_role("link", name="More on example.com")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(page.get_by_role("listitem").filter(has_text="Karaoke Lotus")).to_contain_text("an hour")
    expect(page.get_by_role("listitem").filter(has_text="Neon Drift")).to_contain_text("Out of order")
    image = page.locator(".p-pictures img")
    expect(image).to_have_attribute("alt", "The bar in purple light")
    assert image.evaluate("node => node.decode().then(() => node.naturalWidth)") == 640
    assert not scrolls_sideways(page)
    assert violations(page) == []


def test_a_guest_books_sees_it_and_cancels(
    live_server: LiveServer, phone: BrowserContext, owner: Callable[..., Any]
) -> None:
    venue = live_server.new_venue("Kōjō Book")
    made = offer(owner, venue, "Karaoke Crane", price={"amount": 30_000, "unit": "hour"})
    page = open_venue(phone, live_server.new_guest("Refilwe Dube"), venue)
    page.get_by_role("button", name="Book Karaoke Crane").click()
    dialog = page.get_by_role("dialog")
    tomorrow(dialog)
    dialog.get_by_label("For", exact=True).select_option("90")
    dialog.get_by_label("People").fill("5")
    expect(dialog.get_by_role("button", name="Choose a time")).to_be_disabled()
    start = choose_start(dialog, 3)
    expect(dialog).to_contain_text("450,00, paid at the venue.")
    assert violations(page) == []
    dialog.get_by_role("button", name="Book ", exact=False).click()
    expect(page.locator("h1")).to_have_text("My bookings")
    booking = page.get_by_role("list", name="Coming up").get_by_role("listitem")
    expect(booking).to_contain_text("Karaoke Crane")
    expect(booking).to_contain_text("5 people")
    row = live_server.sql("select starts_at, ends_at, booked_by from bookings where resource_id = $1", UUID(made))[0]
    assert row["starts_at"] == datetime.fromisoformat(start)
    assert (row["ends_at"] - row["starts_at"], row["booked_by"]) == (timedelta(minutes=90), "guest")
    booking.get_by_role("button", name="Cancel Karaoke Crane").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the booking").click()
    expect(page.get_by_text("Nothing booked")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Karaoke Crane")).to_contain_text("Cancelled")
    assert live_server.sql("select status from bookings where resource_id = $1", UUID(made))[0]["status"] == "cancelled"


def test_a_time_that_somebody_took_meanwhile_is_told_and_leaves_the_list(
    live_server: LiveServer, phone: BrowserContext, owner: Callable[..., Any]
) -> None:
    venue = live_server.new_venue("Kōjō Late")
    made = offer(owner, venue, "Room Two")
    page = open_venue(phone, live_server.new_guest(), venue)
    page.get_by_role("button", name="Book Room Two").click()
    dialog = page.get_by_role("dialog")
    tomorrow(dialog)
    start = datetime.fromisoformat(choose_start(dialog, 5))
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    owner("POST", "/api/bookings", json={"resource_id": made, "guest_name": "Faster", **times})
    dialog.get_by_role("button", name="Book ", exact=False).click()
    expect(dialog.get_by_role("alert")).to_contain_text("This time is taken")
    expect(dialog.locator(f"input[value='{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}']")).to_have_count(0)
    expect(dialog.get_by_label("People")).to_have_value("2")
    choose_start(dialog)
    dialog.get_by_role("button", name="Book ", exact=False).click()
    expect(page.get_by_role("list", name="Coming up")).to_contain_text("Room Two")
    assert live_server.sql("select count(*) as n from bookings where resource_id = $1", UUID(made))[0]["n"] == 2


@pytest.mark.parametrize("lost", [1, 2])
def test_a_booking_whose_outcome_is_unknown_is_made_once(
    live_server: LiveServer, phone: BrowserContext, owner: Callable[..., Any], lost: int
) -> None:
    """The same command goes once more by itself, and with the next tap where that told nothing either."""
    venue = live_server.new_venue(f"Kōjō Unsure {lost}")
    made = offer(owner, venue, "Room Unsure")
    page = open_venue(phone, live_server.new_guest(), venue)
    keys = lose_answers(page, "**/api/patron/bookings", times=lost)
    page.get_by_role("button", name="Book Room Unsure").click()
    dialog = page.get_by_role("dialog")
    tomorrow(dialog)
    choose_start(dialog, 5)
    button = dialog.get_by_role("button", name="Book ", exact=False)
    button.click()
    if lost == 2:
        expect(dialog.get_by_role("alert")).to_have_text(
            "It is not known whether this was done. Send it again as it is: it is done only once."
        )
        button.click()
    expect(page.get_by_role("list", name="Coming up")).to_contain_text("Room Unsure")
    assert (len(keys), len(set(keys))) == (lost + 1, 1)
    assert live_server.sql("select count(*) as n from bookings where resource_id = $1", UUID(made))[0]["n"] == 1


def test_a_photo_whose_outcome_is_unknown_is_sent_once(
    live_server: LiveServer, phone: BrowserContext, tmp_path: Path
) -> None:
    venue = live_server.new_venue("Kōjō Snap Unsure")
    (tmp_path / "friends.png").write_bytes(picture())
    page = open_venue(phone, live_server.new_guest(), venue)
    lose_answers(page, "**/photos", times=1)
    places = lose_answers(page, "**/uploads/*", times=1)
    page.get_by_role("button", name="Send a photo").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Photo", exact=True).set_input_files(tmp_path / "friends.png")
    dialog.get_by_label("What does it show?").fill("Friends, once")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog.get_by_role("alert").first).to_contain_text("It is not known whether this was done.")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("listitem").filter(has_text="Friends, once")).to_have_count(1)
    expect(dialog).to_have_count(0)
    assert (len(places), len(set(places))) == (2, 1)
    # a place that nothing came to is shown to nobody, and cleared
    sent = "select count(*) as n from venue_images where venue_id = $1 and state <> 'awaited'"
    assert live_server.sql(sent, venue)[0]["n"] == 1


def test_the_limit_of_bookings_is_told(
    live_server: LiveServer, phone: BrowserContext, owner: Callable[..., Any]
) -> None:
    venue, guest = live_server.new_venue("Kōjō Limit"), live_server.new_guest()
    rooms = [offer(owner, venue, f"Limit {number}") for number in range(4)]
    start = datetime.now(UTC) + timedelta(days=1)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    with closing(live_server.client(guest)) as client:
        for one in rooms[:3]:
            key = {"Idempotency-Key": str(uuid4())}
            assert client.post("/api/patron/bookings", json={"resource_id": one, **times}, headers=key).is_success
    page = open_venue(phone, guest, venue)
    page.get_by_role("button", name="Book Limit 3").click()
    dialog = page.get_by_role("dialog")
    tomorrow(dialog)
    choose_start(dialog)
    dialog.get_by_role("button", name="Book ", exact=False).click()
    expect(dialog.get_by_role("alert")).to_contain_text("as many bookings as you may")


def test_a_photo_is_sent_and_its_decision_is_shown(
    live_server: LiveServer, phone: BrowserContext, owner: Callable[..., Any], tmp_path: Path
) -> None:
    venue = live_server.new_venue("Kōjō Snap")
    (tmp_path / "friends.png").write_bytes(picture())
    page = open_venue(phone, live_server.new_guest("Amara Bello"), venue)
    page.get_by_role("button", name="Send a photo").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog.get_by_text("Choose a photo first.")).to_be_visible()
    dialog.get_by_label("Photo", exact=True).set_input_files(tmp_path / "friends.png")
    dialog.get_by_role("button", name="Send", exact=True).click()
    expect(dialog.get_by_text("This is needed.")).to_be_visible()
    dialog.get_by_label("What does it show?").fill("Friends at the bar")
    assert violations(page) == []
    dialog.get_by_role("button", name="Send", exact=True).click()
    photo = page.get_by_role("listitem").filter(has_text="Friends at the bar")
    expect(photo).to_contain_text("Waiting for the venue")
    row = live_server.sql("select id, version from venue_images where venue_id = $1", venue)[0]
    decision = {"approved": False, "reason": "Too dark"}
    with closing(live_server.client(live_server.person("owner"))) as client:
        for _ in range(20):  # the copies are being made meanwhile, and each step is a version
            version = live_server.sql("select version from venue_images where id = $1", row["id"])[0]["version"]
            headers = {"If-Match": f'"{version}"'}
            if client.put(f"/api/images/{row['id']}/moderation", json=decision, headers=headers).is_success:
                break
    page.reload()
    expect(photo).to_contain_text("Not shown")
    expect(photo).to_contain_text("Too dark")


def test_without_a_network_what_was_seen_is_read_and_told_so(
    live_server: LiveServer, phone: BrowserContext, owner: Callable[..., Any]
) -> None:
    venue, guest = live_server.new_venue("Kōjō Offline"), live_server.new_guest()
    made = offer(owner, venue, "Room Three")
    start = datetime.now(UTC) + timedelta(days=1)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    with closing(live_server.client(guest)) as client:
        key = {"Idempotency-Key": str(uuid4())}
        assert client.post("/api/patron/bookings", json={"resource_id": made, **times}, headers=key).is_success
    page = open_venue(phone, guest, venue, ready=True)
    expect(page.get_by_role("button", name="Book Room Three")).to_be_enabled()
    for address in ("", "/resources"):
        until_remembered(page, f"/api/patron/venues/{venue}{address}")
    page.goto("/patron/bookings")
    expect(page.get_by_role("list", name="Coming up")).to_contain_text("Room Three")
    until_remembered(page, "/api/patron/bookings")
    phone.set_offline(True)
    page.reload()
    expect(page.get_by_role("list", name="Coming up")).to_contain_text("Room Three")
    expect(page.get_by_text("Cancelling needs signal.")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel Room Three")).to_be_disabled()
    assert violations(page) == []
    page.goto(f"/patron/venues/{venue}")
    expect(page.locator("h1")).to_have_text("Kōjō Offline")
    expect(page.get_by_text("Booking and sending photos need signal.")).to_be_visible()
    expect(page.get_by_role("button", name="Book Room Three")).to_be_disabled()
    page.goto(f"/patron/venues/{uuid4()}")
    expect(page.get_by_text("This venue could not be loaded")).to_be_visible()
    phone.set_offline(False)
    expect(page.get_by_text("This venue is not there")).to_be_visible()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_its_screens(
    live_server: LiveServer, phone: BrowserContext, owner: Callable[..., Any], theme: str
) -> None:
    venue, guest = live_server.new_venue(f"Kōjō Axe {theme}"), live_server.new_guest()
    offer(owner, venue, "Room Four")
    with closing(live_server.client(guest)) as client:
        send_picture(client, f"/api/patron/venues/{venue}/photos", "The floor", picture())
        wanted: dict[str, Any] = {"language": "en", "time_zone": "", "theme": theme, "notifications": {}}
        client.put("/api/me/preferences", json=wanted)
    page = open_venue(phone, guest, venue)
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    expect(page.get_by_text("The floor")).to_be_visible()
    expect(page.get_by_role("button", name="Book Room Four")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Book Room Four").click()
    expect(page.get_by_role("dialog").locator(".p-chips label, [role=status]").first).to_be_visible()
    assert violations(page) == []
    page.goto("/patron/bookings")
    expect(page.get_by_text("Nothing booked")).to_be_visible()
    assert violations(page) == []
