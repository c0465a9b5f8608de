"""Safety on screens: the floor, alerts, interventions, incidents, broadcasts, what is watched, whom to call, what is kept."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from lastlight.kernel.ids import VenueId
from tests.support.browser import toast
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def console(live_server: LiveServer, console_of: Console) -> Callable[..., Page]:
    def open_as(role: str, path: str, **options: Any) -> Page:
        return console_of(live_server.person(role), path, **options)

    return open_as


def field(page: Page, name: str) -> Locator:
    return page.locator(f"#main [name={name}]")


def api(server: LiveServer, role: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    client = server.client(server.person(role))
    answer = client.post(path, json=body, headers={"Idempotency-Key": str(uuid4())})
    client.close()
    assert answer.status_code < 300, answer.text
    return answer.json()


def raised(server: LiveServer, venue: VenueId, summary: str = "Shouting at the bar") -> str:
    return api(server, "staff", "/api/safety/alerts", {"venue_id": str(venue), "summary": summary})["id"]


def arrived(server: LiveServer, venue: VenueId, name: str = "Ayanda Nkosi") -> str:
    guest = server.client(server.new_guest(name))
    key = {"Idempotency-Key": str(uuid4())}
    answer = guest.post("/api/checkin/verify", json={"code": server.code(venue)}, headers=key)
    guest.close()
    assert answer.status_code < 300, answer.text
    return answer.json()["visit"]["id"]


def test_thresholds_are_set_refused_and_a_stale_form_is_told(
    console: Callable[..., Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Thresholds")
    here = f"/manage/venues/{venue}/safety"
    first, second = console("manager", here), console("manager", here)
    field(first, "minutes_inside").fill("9999")
    field(first, "spend").fill("a lot")
    first.get_by_role("button", name="Save thresholds").click()
    expect(first.get_by_text("Give a number from 1 to 2880.")).to_be_visible()
    expect(first.get_by_text("Type an amount in digits, such as 150 or 150,50.")).to_be_visible()
    expect(field(first, "minutes_inside")).to_have_value("9999")
    field(first, "minutes_inside").fill("240")
    field(first, "spend").fill("2500.50")
    field(first, "drinks_per_hour").fill("")
    first.get_by_role("button", name="Save thresholds").click()
    toast(first, "Saved. It is watched from now on.")
    expect(field(first, "spend")).to_have_value("2500,50")
    field(second, "least_age").fill("21")
    second.get_by_role("button", name="Save thresholds").click()
    expect(second.get_by_role("alert").filter(has_text="changed")).to_be_visible()
    expect(field(second, "least_age")).to_have_value("21")
    [row] = live_server.sql(
        "select minutes_inside, spend_minor, drinks_per_hour, least_age from safety_thresholds where venue_id = $1",
        venue,
    )
    assert tuple(row) == (240, 250_050, None, None)


def test_contacts_are_kept_by_row_and_stand_on_the_venues_page(
    console: Callable[..., Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Contacts")
    page = console("manager", f"/manage/venues/{venue}/safety")
    field(page, "name_1").fill("Nandi")
    field(page, "phone_1").fill("+27 11 555 0101")
    field(page, "name_3").fill("Armed response")
    field(page, "told_3").check()
    page.get_by_role("button", name="Save contacts").click()
    expect(page.get_by_text("Give a phone or an e-mail address.")).to_be_visible()
    expect(page.get_by_text("An e-mail needs an address.")).to_be_visible()
    expect(field(page, "name_1")).to_have_value("Nandi")
    field(page, "email_3").fill("desk@armed.example")
    page.get_by_role("button", name="Save contacts").click()
    toast(page, "Saved. Every SOS screen shows them.")
    page.goto(f"/manage/venues/{venue}")
    expect(page.get_by_role("link", name="+27 11 555 0101")).to_have_attribute("href", "tel:+27115550101")
    expect(page.get_by_role("link", name="Write to Armed response")).to_be_visible()


def test_an_alert_is_raised_heard_taken_by_one_and_cleared(
    console: Callable[..., Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Alerts")
    manager, other = console("manager", "/manage"), console("owner", "/owner/safety")
    staff = console("staff", "/staff/safety/alerts/new", **PHONE)
    staff.get_by_role("button", name="Raise it").click()
    expect(staff.get_by_text("Say in a few words what you saw.")).to_be_visible()
    field(staff, "summary").fill("Somebody sleeps in booth 4")
    field(staff, "severity").select_option("high")
    field(staff, "venue_id").select_option(str(venue))
    staff.get_by_role("button", name="Raise it").click()
    toast(staff, "Everybody at the venue hears it.")
    for page in (manager, other):
        expect(page.get_by_text("Somebody sleeps in booth 4").first).to_be_visible()
    row = other.locator(".attn").filter(has_text="booth 4")
    expect(row.get_by_role("button", name="I'm on it")).to_be_visible()
    manager.locator(".attn").filter(has_text="booth 4").get_by_role("button", name="I'm on it").click()
    toast(manager, "It is yours: nobody is told again.")
    expect(row.get_by_text("Seen to")).to_be_visible()
    manager.get_by_role("button", name="Clear").click()
    dialog = manager.get_by_role("dialog")
    dialog.get_by_role("button", name="Clear it").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("Friends took her home")
    dialog.get_by_role("button", name="Clear it").click()
    toast(manager, "The alert is cleared.")
    expect(manager.locator("#story")).to_contain_text("Friends took her home")
    expect(row).to_have_count(0)


def test_of_two_who_take_an_alert_one_is_told_that_it_is_taken(
    console: Callable[..., Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Two")
    alert = raised(live_server, venue)
    second = console("staff", f"/staff/safety/alerts/{alert}")
    second.route("**/*fragment=story*", lambda route: None)  # a page that has not heard of it yet
    api(live_server, "manager", f"/api/safety/alerts/{alert}/acknowledgement", {})
    second.get_by_role("button", name="I'm on it").click()
    toast(second, "Load it again to see when, and by whom.")
    second.unroute_all(behavior="ignoreErrors")
    names = live_server.sql(
        "select u.name from safety_alerts a join users u on u.id = a.acknowledged_by where a.id = $1", alert
    )
    assert [row["name"] for row in names] == ["Thandi Mokoena"]


def test_an_intervention_is_recorded_assigned_escalated_and_resolved(
    console: Callable[..., Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Interventions")
    alert = raised(live_server, venue, "Unsteady at the stairs")
    page = console("manager", f"/manage/safety/alerts/{alert}")
    page.get_by_role("link", name="Intervene").click()
    expect(page.get_by_text("Unsteady at the stairs")).to_be_visible()
    page.get_by_label("Gave water").check()
    field(page, "note").fill("Two glasses")
    page.get_by_role("button", name="Record it").click()
    toast(page, "Recorded.")
    page.get_by_role("button", name="Assign").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Assign").click()
    expect(dialog.get_by_text("Choose who is to see to it.")).to_be_visible()
    dialog.get_by_label("Colleague").select_option(label="Kagiso Moloi")
    dialog.get_by_role("button", name="Assign").click()
    toast(page, "Kagiso Moloi sees to it.")
    page.get_by_role("button", name="Escalate").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Cannot stand")
    page.get_by_role("dialog").get_by_role("button", name="Escalate").click()
    toast(page, "Those in charge are told.")
    page.get_by_role("button", name="Resolve").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("A taxi took him home")
    page.get_by_role("dialog").get_by_role("button", name="Resolve").click()
    toast(page, "Resolved.")
    expect(page.locator("#story")).to_contain_text("A taxi took him home")
    expect(page.get_by_role("button", name="Resolve")).to_have_count(0)
    page.goto("/manage/safety/log")
    expect(page.locator("#safety_log")).to_contain_text("Intervention escalated to 1")
    assert page.locator("#safety_log").get_by_role("button", name="Delete").count() == 0


def test_an_incident_grows_links_an_alert_and_leaves_a_report(
    console: Callable[..., Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Incidents")
    linked, later = raised(live_server, venue, "A fight begins"), raised(live_server, venue, "Glass on the floor")
    page = console("manager", f"/manage/venues/{venue}")
    page.get_by_role("link", name="Open an incident").click()
    expect(field(page, "venue_id")).to_have_value(str(venue))
    page.goto(f"/manage/safety/incidents/new?alert_id={linked}")
    expect(field(page, "title")).to_have_value("A fight begins")
    field(page, "title").fill("")
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_text("Say in a few words what happened.")).to_be_visible()
    field(page, "title").fill("Fight at the bar")
    field(page, "kind").select_option("fight")
    field(page, "note").fill("Two guests, one glass")
    page.get_by_role("button", name="Open it").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fight at the bar")
    reader = console("staff", page.url.replace("/manage/", "/staff/").replace(live_server.base_url, ""))
    field(page, "text").fill("Parted them")
    field(page, "alert_id").select_option(later)
    page.get_by_role("button", name="Add").click()
    toast(page, "It stands in the timeline.")
    expect(reader.locator("#story")).to_contain_text("Parted them")
    expect(reader.get_by_role("button", name="Resolve")).to_have_count(0)
    page.get_by_role("button", name="Resolve").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("Both are out")
    page.get_by_role("dialog").get_by_role("button", name="Resolve it").click()
    toast(page, "The incident is resolved.")
    page.get_by_role("link", name="Report").click()
    report = page.locator(".report")
    for words in ("Fight at the bar", "Two guests, one glass", "Parted them", "Both are out", "Glass on the floor"):
        expect(report).to_contain_text(words)
    text = page.request.get(page.get_by_role("link", name="As plain text").get_attribute("href") or "")
    assert "Outcome: Both are out" in text.text()
    page.emulate_media(media="print")
    expect(page.locator(".side")).to_be_hidden()
    expect(report).to_be_visible()


def test_a_broadcast_stands_above_pages_until_it_is_seen(console: Callable[..., Page], live_server: LiveServer) -> None:
    venue = live_server.new_venue("Kōjō Broadcasts")
    staff = console("staff", "/staff", **PHONE)
    page = console("manager", "/manage/safety/broadcasts/new")
    field(page, "venue_id").select_option(str(venue))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("Write what they are to know.")).to_be_visible()
    field(page, "text").fill("Police are at the door")
    field(page, "urgent").check()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#story")).to_contain_text("Kagiso Moloi")  # among those who have not seen it
    word = staff.locator(".news-bar").filter(has_text="Police are at the door")
    expect(word).to_be_visible()
    staff.reload()
    word.get_by_role("button", name="Seen").click()
    expect(word).to_have_count(0)
    expect(page.locator("#story table")).to_contain_text("Kagiso Moloi")
    assert page.locator(".news-bar").filter(has_text="Police are at the door").count() == 0, "not one's own"
    live_server.sql("update broadcasts set sent_at = sent_at - interval '1 day' where venue_id = $1", venue)


def test_the_floor_fills_live_warns_at_its_capacity_and_shows_who_is_near(
    console: Callable[..., Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Floor", capacity=2)
    tenant = live_server.businesses["kojo-arcade"].id
    live_server.sql(
        "insert into safety_thresholds (tenant_id, venue_id, minutes_inside, drinks_per_hour) values ($1, $2, 100, 4)",
        tenant,
        venue,
    )
    page = console("manager", f"/manage/safety/floor/{venue}")
    expect(page.get_by_text("Nobody is in")).to_be_visible()
    first = arrived(live_server, venue, "Ayanda Nkosi")
    live_server.sql("update visits set opened_at = now() - interval '85 minutes' where id = $1", first)
    expect(page.get_by_role("link", name="Ayanda Nkosi")).to_be_visible()
    assert page.locator("#venue-floor .banner.danger").count() == 0, "one below the capacity"
    arrived(live_server, venue, "Liam Petersen")
    expect(page.get_by_role("alert").filter(has_text="One in, one out.")).to_be_visible()
    expect(page.locator("tbody tr").first).to_contain_text("Ayanda Nkosi")
    expect(page.locator("tbody tr").first).to_contain_text("Near")
    expect(page.locator("tbody tr").nth(1)).to_contain_text("Fine")


def test_figures_and_lists_have_words_when_there_is_nothing(
    console: Callable[..., Page], live_server: LiveServer
) -> None:
    page = console("owner", "/owner/safety/figures?days=7")
    expect(page.get_by_role("heading", level=1)).to_have_text("Response times")
    expect(page.locator("#figures table")).to_contain_text("Kōjō Rosebank")
    page.goto("/owner/safety/incidents?q=nothing-of-this-name")
    expect(page.get_by_role("heading", name="Nothing matches")).to_be_visible()
    expect(page.get_by_role("link", name="Log", exact=True)).to_be_visible()
    staff = console("staff", "/staff/safety")
    assert staff.get_by_role("link", name="Log", exact=True).count() == 0


def test_the_crew_reads_incidents_and_alerts_of_all(console: Callable[..., Page], live_server: LiveServer) -> None:
    venue = live_server.new_venue("Kōjō Crew")
    raised(live_server, venue, "Smoke in the kitchen")
    body = {"venue_id": str(venue), "kind": "fire", "title": "A small fire"}
    api(live_server, "manager", "/api/incidents", body)
    page = console("ops", "/platform/incidents")
    expect(page.locator("#crew_incidents")).to_contain_text("A small fire")
    expect(page.locator("#crew_incidents")).to_contain_text("Kōjō Arcade")
    page.get_by_role("link", name="Alerts").click()
    expect(page.locator("#crew_alerts")).to_contain_text("Smoke in the kitchen")
