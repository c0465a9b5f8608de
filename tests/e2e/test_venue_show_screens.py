"""What guests see of a venue, on consoles: publication, banners, images and their order, guests' photos decided on."""

import io
import re
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from tests.support.browser import toast, violations
from tests.support.guests import wait_until
from tests.support.live_server import LiveServer
from tests.support.tour_places import send_picture

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
ZONE = ZoneInfo("Africa/Johannesburg")


@pytest.fixture
def owner(live_server: LiveServer, console_of: Console) -> Callable[[str], Page]:
    """Open a page as the owner."""
    return lambda path: console_of(live_server.person("owner"), path)


def picture(colour: str = "purple", size: tuple[int, int] = (640, 400)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#main [name={name}]")


def moment(days: float) -> str:
    return f"{datetime.now(ZONE) + timedelta(days=days):%Y-%m-%dT%H:%M}"


def test_a_venue_is_taken_from_view_shown_and_featured(owner: Callable[[str], Page], live_server: LiveServer) -> None:
    venue = live_server.new_venue("Kōjō Shown")
    page = owner(f"/owner/venues/{venue}/show")
    page.get_by_role("button", name="Not as usual").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Tell them").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("Only the bar is open")
    dialog.get_by_role("button", name="Tell them").click()
    toast(page, "Guests are told.")
    expect(page.get_by_role("article", name="Preview")).to_contain_text("Only the bar is open")
    with closing(live_server.client(live_server.new_guest())) as guest:
        home = {one["id"]: one for one in guest.get("/api/patron/home").json()["venues"]}
        assert home[str(venue)]["degraded_reason"] == "Only the bar is open"
        page.get_by_role("button", name="As usual again").click()
        dialog.get_by_label("Featured until").fill(moment(-1))
        dialog.get_by_role("button", name="Show it").click()
        expect(dialog.get_by_text("Give a time to come")).to_be_visible()
        dialog.get_by_label("Featured until").fill(moment(2))
        dialog.get_by_role("button", name="Show it").click()
        toast(page, "Guests see it as usual.")
        expect(page.get_by_role("article", name="Preview")).to_contain_text("Featured")
        assert guest.get("/api/patron/home").json()["venues"][0]["id"] == str(venue)
        page.get_by_role("button", name="Take from view").click()
        dialog.get_by_label("Reason").fill("Repairs")
        dialog.get_by_role("button", name="Take it from view").click()
        toast(page, "It is taken from view.")
        assert guest.get(f"/api/patron/venues/{venue}").status_code == 404
    expect(page.locator("#rail .audit li").first).to_be_visible()


def test_banners_are_made_refused_changed_ordered_and_taken_down(
    owner: Callable[[str], Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Banners")
    page = owner(f"/owner/venues/{venue}/show")
    expect(page.get_by_text("No banners")).to_be_visible()
    for title, link in (("Pinball night", "javascript:alert(1)"), ("Happy hour", "https://example.com/happy")):
        page.get_by_role("link", name="New banner").click()
        field(page, "title").fill(title)
        field(page, "starts_at").fill(moment(-1))
        field(page, "ends_at").fill(moment(3))
        field(page, "link").fill(link)
        page.get_by_role("button", name="Create the banner").click()
        if link.startswith("javascript"):
            expect(page.get_by_text("Give an address that begins with https://")).to_be_visible()
            expect(field(page, "title")).to_have_value(title)
            field(page, "link").fill("")
            page.get_by_role("button", name="Create the banner").click()
        toast(page, "The banner is there.")
    listed = page.get_by_role("list", name="Banners in their order").get_by_role("listitem")
    expect(listed.first).to_contain_text("Pinball night")
    page.get_by_role("button", name="Move Happy hour earlier").click()
    toast(page, "Moved to place 1.")
    expect(listed.first).to_contain_text("Happy hour")
    rows = live_server.sql("select title from venue_banners where venue_id = $1 order by place", venue)
    assert [row["title"] for row in rows] == ["Happy hour", "Pinball night"]
    page.get_by_role("link", name="Pinball night").click()
    field(page, "body").fill("Highest score drinks for free")
    page.get_by_role("button", name="Save").click()
    toast(page, "Saved.")
    page.get_by_role("button", name="Take down").click()
    page.get_by_role("dialog").get_by_role("button", name="Take it down").click()
    toast(page, "Pinball night is taken down.")
    expect(listed).to_have_count(1)


def test_images_are_uploaded_with_words_ordered_and_removed(
    owner: Callable[[str], Page], live_server: LiveServer, tmp_path: Path
) -> None:
    venue = live_server.new_venue("Kōjō Images")
    for name, colour in (("bar.png", "purple"), ("hall.png", "orange")):
        (tmp_path / name).write_bytes(picture(colour))
    (tmp_path / "words.txt").write_text("no picture")
    page = owner(f"/owner/venues/{venue}/images")
    expect(page.get_by_text("No images yet")).to_be_visible()
    page.locator("#pictures").set_input_files([tmp_path / name for name in ("bar.png", "hall.png", "words.txt")])
    toast(page, "words.txt is no picture.")
    waiting = page.get_by_role("list", name="Pictures to upload").get_by_role("listitem")
    expect(waiting).to_have_count(2)
    page.get_by_role("button", name="Upload").click()
    expect(waiting.first.get_by_role("textbox")).to_be_focused()
    expect(waiting.first).to_contain_text("Say what it shows")
    waiting.nth(0).get_by_role("textbox").fill("The bar at night")
    waiting.nth(1).get_by_role("textbox").fill("The arcade hall")
    page.get_by_role("button", name="Upload").click()
    toast(page, "2 pictures are uploaded.")
    expect(waiting).to_have_count(0)
    tiles = page.get_by_role("list", name="Images in their order").get_by_role("listitem")
    expect(tiles.get_by_role("img")).to_have_count(2)
    expect(tiles.first.get_by_role("img")).to_have_attribute("alt", "The bar at night")
    page.get_by_role("button", name="Move The bar at night later").focus()
    page.keyboard.press("Enter")
    toast(page, "Moved to place 2.")
    expect(tiles.first.get_by_role("img")).to_have_attribute("alt", "The arcade hall")
    tiles.first.drag_to(tiles.nth(1))
    expect(tiles.first.get_by_role("img")).to_have_attribute("alt", "The bar at night")
    page.wait_for_function("() => !document.querySelector('[data-dragged]')")
    assert violations(page) == []
    page.get_by_role("button", name="Remove The arcade hall").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove it").click()
    toast(page, "The image is removed.")
    expect(tiles).to_have_count(1)
    rows = live_server.sql("select alt, state from venue_images where venue_id = $1 and removed_at is null", venue)
    assert [(row["alt"], row["state"]) for row in rows] == [("The bar at night", "ready")]


def test_a_picture_that_cannot_be_sent_stays_and_says_why(
    owner: Callable[[str], Page], live_server: LiveServer, tmp_path: Path
) -> None:
    venue = live_server.new_venue("Kōjō Torn")
    (tmp_path / "torn.png").write_bytes(b"not a picture at all")
    page = owner(f"/owner/venues/{venue}/images")
    page.locator("#pictures").set_input_files(tmp_path / "torn.png")
    row = page.get_by_role("list", name="Pictures to upload").get_by_role("listitem")
    row.get_by_role("textbox").fill("Something")
    page.get_by_role("button", name="Upload").click()
    expect(row.get_by_role("status")).to_contain_text(re.compile(r"\w"))
    expect(row.get_by_role("status")).not_to_have_text("Sending")
    expect(page.get_by_role("button", name="Upload")).not_to_have_attribute("aria-busy", "true")
    expect(row).to_be_visible()
    page.route("**/api/venues/*/images", lambda route: route.abort())
    page.get_by_role("button", name="Upload").click()
    expect(row.get_by_role("status")).to_have_text("No connection. Check the network and try again.")
    page.unroute_all(behavior="ignoreErrors")


IN_FLIGHT = {
    "type": "https://lastlight.dev/problems/idempotency-key-in-flight",
    "title": "This was sent before and is still being done",
    "detail": "Wait a moment, then send it again as it is: it is done only once.",
}


@pytest.mark.parametrize("told", ["nothing", "that it is under way"])
def test_a_picture_whose_outcome_is_open_is_sent_to_the_same_place(
    owner: Callable[[str], Page], live_server: LiveServer, tmp_path: Path, told: str
) -> None:
    venue = live_server.new_venue("Kōjō Unsure")
    (tmp_path / "bar.png").write_bytes(picture())
    page = owner(f"/owner/venues/{venue}/images")
    sent: list[tuple[str, str | None]] = []

    def lose_the_first(route: Route) -> None:
        sent.append((route.request.url, route.request.header_value("idempotency-key")))
        if len(sent) > 1:
            return route.continue_()
        if told == "nothing":
            return route.abort()
        return route.fulfill(status=409, content_type="application/problem+json", json=IN_FLIGHT)

    page.route("**/uploads/*", lose_the_first)
    page.locator("#pictures").set_input_files(tmp_path / "bar.png")
    row = page.get_by_role("list", name="Pictures to upload").get_by_role("listitem")
    row.get_by_role("textbox").fill("The bar, once")
    page.get_by_role("button", name="Upload").click()
    expect(row.get_by_role("status")).to_have_text(
        re.compile("No connection. Check the network" if told == "nothing" else "still being done. Wait a moment")
    )
    page.get_by_role("button", name="Upload").click()
    toast(page, "1 picture is uploaded.")
    assert (len(sent), len(set(sent))) == (2, 1), "to the same place, under the same key"
    assert live_server.sql("select count(*) as n from venue_images where venue_id = $1", venue)[0]["n"] == 1


def test_guests_photos_are_shown_or_refused_together(owner: Callable[[str], Page], live_server: LiveServer) -> None:
    venue = live_server.new_venue("Kōjō Photos")
    page = owner(f"/owner/photos?venue_id={venue}")
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    with closing(live_server.client(live_server.new_guest("Amara Bello"))) as guest:
        for number in range(3):
            send_picture(guest, f"/api/patron/venues/{venue}/photos", f"Photo {number}", picture())
        rows = page.locator("#venue_images tbody tr").filter(has_text="Photo")
        expect(rows).to_have_count(3)
        ready = "select 1 from venue_images where venue_id = $1 and state = 'ready'"
        wait_until(page, lambda: len(live_server.sql(ready, venue)) == 3)  # each copy that is made changes its row
        page.reload()
        rows.filter(has_text="Photo 0").get_by_role("checkbox").check()
        rows.filter(has_text="Photo 1").get_by_role("checkbox").check()
        page.get_by_role("button", name="Show", exact=True).click()
        toast(page, "2 photos are shown.")
        page.goto(f"/owner/photos?venue_id={venue}")
        expect(rows).to_have_count(1)
        rows.get_by_role("checkbox").check()
        page.get_by_role("button", name="Refuse").click()
        expect(page.locator("#photos-reason")).to_be_focused()
        page.locator("#photos-reason").fill("Somebody's face")
        page.get_by_role("button", name="Refuse").click()
        toast(page, "1 photo is refused.")
        decided = {one["alt"]: one for one in guest.get(f"/api/patron/venues/{venue}").json()["photos"]}
    assert {alt: one["moderation"] for alt, one in decided.items()} == {
        "Photo 0": "approved",
        "Photo 1": "approved",
        "Photo 2": "rejected",
    }
    assert decided["Photo 2"]["moderation_reason"] == "Somebody's face"
