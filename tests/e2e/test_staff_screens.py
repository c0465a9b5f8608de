"""People's time and shifts in a browser: clocking with and without a position, swaps, open shifts, the planner's week, corrections."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import PHONE, scrolls_sideways, toast, violations
from tests.support.crew_of_work import as_somebody, hired, rostered
from tests.support.live_server import HERE, LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
ON_PHONE: dict[str, Any] = {"viewport": PHONE, "has_touch": True}
AT_VENUE = {"latitude": HERE.lat, "longitude": HERE.lon, "accuracy": 12}
AWAY = {"latitude": HERE.lat + 0.1, "longitude": HERE.lon, "accuracy": 12}


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def manager_at(console_of: Console, live_server: LiveServer, path: str) -> Page:
    return console_of(live_server.person("manager"), path)


def test_a_shift_is_worked_with_a_break_from_a_phone_at_the_venue(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Clock")
    who = hired(live_server, "Anele Clock", venues=[venue])
    board = manager_at(console_of, live_server, "/manage/team")
    page = console_of(who.person, "/staff/shift", geolocation=AT_VENUE, permissions=["geolocation"], **ON_PHONE)
    expect(page.get_by_text("Not clocked in")).to_be_visible()
    expect(page.get_by_text("You can say no.", exact=False)).to_be_visible()
    page.get_by_role("button", name="Clock in").click()
    toast(page, "You are clocked in at Kōjō Clock.")
    expect(board.get_by_role("link", name="Anele Clock")).to_be_visible()
    rows = live_server.sql("select in_position, status from time_entries where user_id = $1", who.id)
    assert (
        rows[0]["status"],
        '"outside_m": 0' in str(rows[0]["in_position"]) or "0" in str(rows[0]["in_position"]),
    ) == (
        "open",
        True,
    )
    page.get_by_role("button", name="Take a break").click()
    toast(page, "Your break has begun.")
    expect(board.locator("li").filter(has_text="Anele Clock")).to_contain_text("On a break")
    page.get_by_role("button", name="I am back").click()
    toast(page, "Welcome back.")
    page.get_by_role("button", name="Clock out").click()
    toast(page, "You are clocked out.")
    expect(page.get_by_role("button", name="Clock in")).to_be_visible()
    expect(board.get_by_role("link", name="Anele Clock")).to_have_count(0)
    rows = live_server.sql("select status, ended_at is not null as ended from time_entries where user_id = $1", who.id)
    assert [tuple(row) for row in rows] == [("closed", True)]


def test_who_says_no_to_the_position_clocks_in_and_who_is_away_is_told(
    live_server: LiveServer, console_of: Console
) -> None:
    venue = live_server.new_venue("Kōjō Fence")
    shy, far = (hired(live_server, name, venues=[venue]) for name in ("Shy Ndlovu", "Far Away"))
    page = console_of(far.person, "/staff/shift", geolocation=AWAY, permissions=["geolocation"], **ON_PHONE)
    page.get_by_role("button", name="Clock in").click()
    expect(page.get_by_role("alert").filter(has_text="You are not at the venue")).to_be_visible()
    expect(page.get_by_role("button", name="Clock in")).to_be_enabled()
    page.context.set_geolocation({"latitude": HERE.lat, "longitude": HERE.lon, "accuracy": 12})
    page.get_by_role("button", name="Clock in").click()
    toast(page, "You are clocked in at Kōjō Fence.")
    page = console_of(shy.person, "/staff/shift", permissions=[], **ON_PHONE)
    page.get_by_role("button", name="Clock in").click()
    toast(page, "You are clocked in at Kōjō Fence.")
    rows = live_server.sql("select in_position from time_entries where user_id = $1", shy.id)
    assert rows[0]["in_position"] is None


def test_without_a_network_the_clock_says_so_and_nothing_is_lost(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Offline")
    who = hired(live_server, "Ofelia Line", venues=[venue])
    page = console_of(who.person, "/staff/shift", geolocation=AT_VENUE, permissions=["geolocation"], **ON_PHONE)
    expect(page.locator(".live[data-live]")).to_have_attribute("data-state", "live")
    page.context.set_offline(True)
    page.get_by_role("button", name="Clock in").click()
    toast(page, "No connection.")
    expect(page.get_by_role("button", name="Clock in")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Clock in").click()
    toast(page, "You are clocked in at Kōjō Offline.")
    assert len(live_server.sql("select 1 from time_entries where user_id = $1", who.id)) == 1


def test_a_shift_is_offered_accepted_and_approved(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Swap")
    giver, taker = (hired(live_server, name, venues=[venue]) for name in ("Gugu Giver", "Tumi Taker"))
    shift = rostered(live_server, venue, giver)
    mine = console_of(giver.person, "/staff/schedule", **ON_PHONE)
    theirs = console_of(taker.person, "/staff/schedule", **ON_PHONE)
    mine.get_by_role("button", name="Offer to a colleague").click()
    dialog = mine.get_by_role("dialog")
    dialog.get_by_role("button", name="Offer it").click()
    expect(dialog.get_by_label("To", exact=True)).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("To", exact=True).select_option(label="Tumi Taker")
    dialog.get_by_label("Why").fill("My sister marries")
    dialog.get_by_role("button", name="Offer it").click()
    toast(mine, "Offered.")
    offer = theirs.locator("li").filter(has_text="Gugu Giver offers it to you")
    expect(offer).to_contain_text("My sister marries")
    offer.get_by_role("button", name="Accept").click()
    toast(theirs, "Accepted. A planner is asked.")
    planner = manager_at(console_of, live_server, "/manage/schedule/swaps?status=accepted")
    row = planner.get_by_role("row").filter(has_text="Tumi Taker")
    row.get_by_role("button", name="Approve").click()
    toast(planner, "Approved.")
    assert live_server.sql("select user_id from shifts where id = $1", shift)[0]["user_id"] == taker.id
    expect(theirs.locator(f"#shift-{shift}")).to_be_visible()
    expect(mine.locator(f"#shift-{shift}")).to_have_count(0)


def test_an_open_shift_is_asked_for_and_refused_with_a_reason(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Open")
    who = hired(live_server, "Olwethu Open", venues=[venue])
    shift = rostered(live_server, venue, None, duty="Door")
    page = console_of(who.person, "/staff/schedule", **ON_PHONE)
    page.locator(f"#open-{shift}").get_by_role("button", name="Ask for it").click()
    toast(page, "A planner is asked.")
    expect(page.locator(f"#open-{shift}")).to_contain_text("Asked for")
    planner = manager_at(console_of, live_server, "/manage/schedule/swaps?status=accepted")
    row = planner.get_by_role("row").filter(has_text="Olwethu Open")
    expect(row).to_contain_text("Open shift")
    row.get_by_role("button", name="Refuse").click()
    dialog = planner.get_by_role("dialog")
    dialog.get_by_role("button", name="Refuse").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("You rest that day")
    dialog.get_by_role("button", name="Refuse").click()
    toast(planner, "Refused.")
    expect(page.locator(f"#open-{shift}").get_by_role("button", name="Ask for it")).to_be_visible()
    rows = live_server.sql("select status, decision_note from shift_swaps where shift_id = $1", shift)
    assert [tuple(row) for row in rows] == [("refused", "You rest that day")]


def test_a_week_is_planned_with_what_does_not_fit_and_published(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Week")
    who = hired(live_server, "Wandile Week", venues=[venue])
    page = manager_at(console_of, live_server, f"/manage/schedule?venue_id={venue}&day=2031-03-24")
    theirs = console_of(who.person, "/staff/schedule", **ON_PHONE)
    expect(theirs.get_by_text("No shift is published for you")).to_be_visible()
    for start, end in (("2031-03-24T22:00", "2031-03-25T06:00"), ("2031-03-25T10:00", "2031-03-25T18:00")):
        page.get_by_role("button", name="Plan a shift").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Who").select_option(label="Wandile Week")
        dialog.get_by_label("Duty").fill("Bar")
        dialog.get_by_label("From").fill(start)
        dialog.get_by_label("To").fill(start)
        dialog.get_by_role("button", name="Plan it").click()
        expect(dialog.get_by_text("Give an end after the beginning, within 24 hours.")).to_be_visible()
        expect(dialog.get_by_label("Duty")).to_have_value("Bar")
        dialog.get_by_label("To").fill(end)
        dialog.get_by_role("button", name="Plan it").click()
        toast(page, "Planned.")
    week = page.get_by_role("region", name="The week by person and day")
    expect(week.get_by_role("row").filter(has_text="Wandile Week")).to_contain_text("16h")
    expect(week.get_by_text("Only 4 hours of rest before it")).to_be_visible()
    expect(page.get_by_text("2 not published")).to_be_visible()
    page.get_by_role("button", name="Publish the week").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("2 shifts")
    dialog.get_by_role("button", name="Publish", exact=True).click()
    toast(page, "2 shifts are published.")
    expect(card(theirs, "My shifts").locator("li")).to_have_count(2)
    page.set_viewport_size(PHONE)
    expect(page.locator(".week-list").get_by_text("Wandile Week").first).to_be_visible()
    expect(page.locator(".week-grid")).to_be_hidden()


def test_a_shift_that_somebody_else_changed_is_told_and_typed_words_stay(
    live_server: LiveServer, console_of: Console
) -> None:
    venue = live_server.new_venue("Kōjō Stale")
    who = hired(live_server, "Stella Stale", venues=[venue])
    shift = rostered(live_server, venue, who)
    page = manager_at(console_of, live_server, f"/manage/schedule/{shift}")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Duty").fill("Cloakroom")
    live_server.sql("update shifts set note = 'Bring keys' where id = $1", shift)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("changed")
    expect(dialog.get_by_label("Duty")).to_have_value("Cloakroom")
    rows = live_server.sql("select duty, note from shifts where id = $1", shift)
    assert tuple(rows[0]) == ("Bar", "Bring keys")


def test_time_is_corrected_with_another_pair_of_eyes(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Correction")
    who = hired(live_server, "Cara Correction", venues=[venue])
    page = console_of(who.person, "/staff/time/correction", **ON_PHONE)
    page.get_by_label("Came").fill("2026-01-05T20:00")
    page.get_by_label("Left").fill("2026-01-05T19:00")
    page.get_by_label("Why").fill("The phone was empty")
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.get_by_text("Give an end after the beginning, within 24 hours.")).to_be_visible()
    expect(page.get_by_label("Why")).to_have_value("The phone was empty")
    page.get_by_label("Left").fill("2026-01-06T02:30")
    page.get_by_label("Breaks (minutes)").fill("30")
    page.get_by_role("button", name="Ask", exact=True).click()
    toast(page, "Asked.")
    boss = manager_at(console_of, live_server, "/manage/team/corrections?status=asked")
    boss.get_by_role("link", name="Cara Correction").click()
    expect(boss.get_by_text("The phone was empty")).to_be_visible()
    expect(boss.get_by_text("Nothing was clocked")).to_be_visible()
    boss.get_by_role("button", name="Approve").click()
    toast(boss, "The time of Cara Correction reads as they said now.")
    rows = live_server.sql("select worked_seconds, business_day from time_entries where user_id = $1", who.id)
    assert [(row["worked_seconds"], row["business_day"].isoformat()) for row in rows] == [(6 * 3600, "2026-01-05")]
    boss.goto("/manage/team/sheets?first=2026-01-05&last=2026-01-11")
    expect(boss.get_by_role("row").filter(has_text="Cara Correction")).to_contain_text("6h")


def test_nobody_decides_their_own_correction(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Own")
    boss = hired(live_server, "Bongi Boss", role="manager")
    body = {
        "venue_id": str(venue),
        "started_at": "2026-01-05T18:00:00Z",
        "ended_at": "2026-01-05T23:00:00Z",
        "reason": "I forgot",
    }
    made = as_somebody(live_server, boss, "/api/staff/corrections", body)
    page = console_of(boss.person, f"/manage/team/corrections/{made['id']}")
    expect(page.get_by_text("Somebody else has to decide this.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_a_forgotten_clock_out_stands_where_managers_look(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Forgotten")
    who = hired(live_server, "Fana Forgot", venues=[venue])
    entry = as_somebody(live_server, who, "/api/staff/clock-in", {"venue_id": str(venue)})
    live_server.sql(
        "update time_entries set started_at = now() - interval '16 hours', forgotten_at = now() where id = $1",
        entry["id"],
    )
    page = manager_at(console_of, live_server, "/manage/team")
    line = page.locator("li").filter(has_text="Fana Forgot")
    expect(line).to_contain_text("Not clocked out")
    line.get_by_role("link", name="Fana Forgot").click()
    expect(page.get_by_text("Nobody's hours are made up", exact=False)).to_be_visible()
    page.get_by_role("link", name="Ask for a correction").click()
    expect(page.get_by_text("Neither you nor they approve it", exact=False)).to_be_visible()
    own = console_of(who.person, "/staff/shift", **ON_PHONE)
    own.get_by_role("link", name="Ask for a correction").first.click()
    expect(own.get_by_label("Came")).not_to_have_value("")
    expect(own.get_by_text("Clocked at Kōjō Forgotten", exact=False)).to_be_visible()


def test_ones_calendar_is_made_read_without_signing_in_and_ended(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Calendar")
    who = hired(live_server, "Cleo Calendar", venues=[venue])
    shift = rostered(live_server, venue, who)
    page = console_of(who.person, "/staff/schedule", **ON_PHONE)
    page.get_by_role("button", name="Make my address").click()
    address = page.locator("#calendar .secret code").inner_text()
    expect(page.get_by_text("Shown once", exact=False)).to_be_visible()
    path = re.sub(r"^https?://[^/]+", "", address)
    feed = httpx.get(f"{live_server.base_url}{path}")
    assert (feed.status_code, f"UID:{shift}@lastlight" in feed.text) == (200, True)
    page.goto("/staff/schedule")
    expect(page.locator("#calendar .secret")).to_have_count(0)
    page.get_by_role("button", name="End it").click()
    toast(page, "Your calendar gets no more shifts from here.")
    assert httpx.get(f"{live_server.base_url}{path}").status_code == 404


def test_performance_shows_real_figures_with_a_table_for_everyone(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Figures")
    who = hired(live_server, "Figo Figures", venues=[venue])
    shift = rostered(live_server, venue, who)
    live_server.sql(
        "update shifts set starts_at = now() - interval '3 hours', ends_at = now() - interval '1 hour' where id = $1",
        shift,
    )
    manager = live_server.person("manager")
    body = {"venue_id": str(venue), "title": "Count the floats", "assignee_id": str(who.id)}
    task = as_somebody(live_server, manager, "/api/tasks", body)
    as_somebody(live_server, who, f"/api/tasks/{task['id']}/finish", {})
    page = manager_at(console_of, live_server, "/manage/team/performance")
    row = page.get_by_role("region", name="Everybody").get_by_role("row").filter(has_text="Figo Figures")
    expect(row).to_contain_text("0 / 1")
    expect(row).to_contain_text("1 / 1")
    figure = page.get_by_role("figure", name="Shifts")
    figure.get_by_text("Show as a table").click()
    expect(figure.get_by_role("row").filter(has_text="Figo Figures")).to_be_visible()
    tomorrow = (datetime.now(UTC) + timedelta(days=400)).date()
    page.goto(f"/manage/team/performance?first={tomorrow}&last={tomorrow}")
    expect(page.get_by_text("Nothing to measure on these days")).to_be_visible()


def test_any_guest_is_found_by_staff_and_the_search_is_on_record(
    live_server: LiveServer, console_of: Callable[..., Page]
) -> None:
    guest = live_server.new_guest("Palesa Nkosi")
    patron = live_server.sql(
        "update patrons set status = 'banned', status_until = now() + interval '2 days' where user_id = (select id from users where email = $1) returning id",
        guest.email,
    )[0]["id"]
    page = console_of(live_server.person("staff"), "/staff", viewport={"width": 360, "height": 760})
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("palesa")
    expect(page.get_by_role("option", name="Find a guest: “palesa”")).to_be_visible()
    page.keyboard.press("Enter")
    found = page.get_by_role("list", name="Found").get_by_role("listitem").filter(has_text=str(patron)[-8:].upper())
    expect(found).to_contain_text("Banned")
    assert violations(page) == []
    assert not scrolls_sideways(page)
    found.get_by_role("link", name="Open Palesa Nkosi").click()
    expect(page.get_by_role("alert")).to_contain_text("Do not let them in: banned.")
    expect(page.get_by_role("heading", level=1)).to_have_text("Palesa Nkosi")
    assert violations(page) == []
    page.get_by_role("link", name="Find a guest").first.click()
    page.get_by_label("Name, e-mail address or number").fill(guest.email[:14])
    page.get_by_role("button", name="Find", exact=True).click()
    expect(found).to_have_count(1)
    page.get_by_label("Name, e-mail address or number").fill("nobody of this name")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_text("Nobody found")).to_be_visible()
    seen = live_server.sql("select name from outbox where name in ('patron.searched', 'patron.face_read')")
    kept = live_server.sql("select name from audit_entries where name in ('patron.searched', 'patron.face_read')")
    assert {row["name"] for row in [*seen, *kept]} == {"patron.searched", "patron.face_read"}
