"""Devices in a browser: added and enrolled, pinged and answering while one looks, set aside, missed, revoked; a door only for scanners."""

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import toast
from tests.support.devices import Scanner
from tests.support.live_scanners import beat, enrol_over_http, new_scanner, watch
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]


@pytest.fixture
def manager(live_server: LiveServer, console_of: Console) -> Callable[[str], Page]:
    """Open a page as the manager."""
    return lambda path: console_of(live_server.person("manager"), path)


def test_a_scanner_is_added_enrolled_pinged_set_aside_and_revoked(
    manager: Callable[[str], Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Devices")
    page = manager(f"/manage/devices/new?venue_id={venue}")
    code = add_garden_door(page, venue)
    scanner = enrol_over_http(live_server, f"{live_server.base_url}/staff/door#{code}")
    expect(page.get_by_role("button", name="Rename or move")).to_be_visible()
    page.reload()
    ping(page, live_server, scanner)
    set_aside_and_back(page, live_server, scanner)

    page.get_by_role("button", name="Revoke").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Revoke it").click()
    expect(dialog.get_by_text("Say why; it stands in the device's history.")).to_be_visible()
    dialog.get_by_label("Reason").fill("left in a taxi")
    dialog.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("Revoked: left in a taxi")).to_be_visible()
    expect(page.get_by_role("button", name="Ping")).to_have_count(0)
    assert beat(live_server, scanner, 4).status_code == 401


def add_garden_door(page: Page, venue: UUID) -> str:
    """Add a device, at first without a name; its code, which is shown once."""
    expect(page.locator("[name=venue_id]")).to_have_value(str(venue))
    page.get_by_label("Name").fill("   ")
    page.get_by_role("button", name="Make the code").click()
    expect(page.get_by_text("Give the device a name, such as the door where it stands.")).to_be_visible()
    expect(page.locator("[name=venue_id]")).to_have_value(str(venue))
    page.get_by_label("Name").fill("Garden door")
    page.get_by_role("button", name="Make the code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enrol Garden door")
    expect(page.get_by_role("img", name="The code as QR: it opens the scanner")).to_be_visible()
    code = page.locator(".secret code").inner_text()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("Not enrolled yet.")).to_be_visible()
    expect(page.get_by_text(code)).to_have_count(0)
    return code


def ping(page: Page, live_server: LiveServer, scanner: Scanner) -> None:
    """Ask the device for an answer, which its next heartbeat gives."""
    assert beat(live_server, scanner, 1, battery=64).status_code == 200
    page.get_by_role("button", name="Ping").click()
    toast(page, "Asked. Its next heartbeat answers.")
    expect(page.get_by_text("waits for an answer")).to_be_visible()
    assert beat(live_server, scanner, 2, battery=63).json()["pinged"] is True
    expect(page.get_by_text(re.compile(r"answered after [\d.]+ s"))).to_be_visible()
    expect(page.get_by_role("region", name="Heartbeats").get_by_text("64%")).to_be_visible()


def set_aside_and_back(page: Page, live_server: LiveServer, scanner: Scanner) -> None:
    """Set the device aside, at first without a reason and until a time gone by; then end it."""
    page.get_by_role("button", name="Set aside").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Set it aside").click()
    expect(dialog.get_by_text("Say why the device is set aside.")).to_be_visible()
    dialog.get_by_label("Until").fill("2020-01-01T10:00")
    dialog.get_by_label("Reason").fill("cracked glass")
    dialog.get_by_role("button", name="Set it aside").click()
    expect(dialog.get_by_text("Give a time to come, or leave it open.")).to_be_visible()
    expect(dialog.get_by_label("Reason")).to_have_value("cracked glass")
    dialog.get_by_label("Until").fill("")
    dialog.get_by_role("button", name="Set it aside").click()
    expect(page.get_by_text("Set aside: cracked glass")).to_be_visible()
    assert beat(live_server, scanner, 3).json()["maintenance"] is True
    page.get_by_role("button", name="End it").click()
    toast(page, "It is back at work.")


def test_a_silent_device_shows_while_one_looks_and_is_seen_to(
    manager: Callable[[str], Page], live_server: LiveServer
) -> None:
    scanner = new_scanner(live_server, live_server.businesses["kojo-arcade"].venues["kojo-braam"], "Quiet door")
    page, tonight = manager("/manage/devices?q=Quiet+door"), manager("/manage")
    row = page.locator("#devices tbody tr", has_text="Quiet door")
    expect(row).to_contain_text("Good")
    live_server.sql(
        "update device_states set last_seen_at = now() - interval '10 minutes' where device_id = $1", scanner.device_id
    )
    watch(live_server)
    expect(row).to_contain_text("Offline")
    expect(tonight.locator("#needs")).to_contain_text("silent")
    page.get_by_role("link", name="Alerts").click()
    alert = page.locator("#device_alerts tbody tr", has_text="Quiet door")
    expect(alert).to_contain_text("Open")
    alert.get_by_role("button", name="I see to it").click()
    toast(page, "You see to it.")
    expect(page.locator("#device_alerts tbody tr", has_text="Quiet door")).to_contain_text("Thandi Mokoena")
    assert beat(live_server, scanner, 1).status_code == 200
    watch(live_server)
    page.goto("/manage/devices/alerts")
    expect(page.locator("#device_alerts tbody tr", has_text="Quiet door")).not_to_contain_text("Open")


def test_a_stale_change_is_told_and_what_was_typed_is_kept(
    manager: Callable[[str], Page], live_server: LiveServer
) -> None:
    venue = live_server.new_venue("Kōjō Stale")
    scanner = new_scanner(live_server, venue, "First name")
    first, second = (manager(f"/manage/devices/{scanner.device_id}") for _ in range(2))
    for page in (first, second):
        page.get_by_role("button", name="Rename or move").click()
        expect(page.get_by_role("dialog").get_by_label("Name")).to_have_value("First name")
    first.get_by_role("dialog").get_by_label("Name").fill("Second name")
    first.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(first.get_by_role("heading", level=1)).to_have_text("Second name")
    second.get_by_role("dialog").get_by_label("Name").fill("Third name")
    second.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(second.get_by_role("dialog").get_by_role("alert")).to_contain_text("changed")
    expect(second.get_by_role("dialog").get_by_label("Name")).to_have_value("Third name")
    rows = live_server.sql("select name from devices where id = $1", scanner.device_id)
    assert [row["name"] for row in rows] == ["Second name"]


def test_a_door_only_for_scanners_refuses_codes(manager: Callable[[str], Page], live_server: LiveServer) -> None:
    venue = live_server.new_venue("Kōjō Strict")
    page = manager(f"/manage/venues/{venue}")
    page.get_by_role("link", name="Devices", exact=True).last.click()
    expect(page.get_by_text("No device yet")).to_be_visible()
    switch = page.get_by_role("switch", name="Only the venue's own scanners let guests in")
    switch.check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Enrol a scanner for this venue first")).to_be_visible()
    new_scanner(live_server, venue, "Only door")
    page.reload()
    switch.check()
    page.get_by_role("button", name="Save").click()
    toast(page, "Only its scanners let guests in now.")
    expect(switch).to_be_checked()
    guest = live_server.client(live_server.new_guest("Strict Guest"))
    answer = guest.post(
        "/api/checkin/verify", json={"code": live_server.code(venue)}, headers={"Idempotency-Key": str(uuid4())}
    )
    guest.close()
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("/device-required")


def test_another_venues_device_is_not_there(console_of: Console, live_server: LiveServer) -> None:
    scanner = new_scanner(live_server, live_server.new_venue("Kōjō Elsewhere"), "Hidden door")
    page = console_of(live_server.person("vendor_admin"), "/manage/devices")
    expect(page.get_by_role("heading", level=1)).to_have_text("Devices")
    expect(page.get_by_text("Hidden door")).to_have_count(0)
    answer = page.request.get(f"/manage/devices/{scanner.device_id}")
    assert answer.status == 404


def test_the_crew_sees_the_hardware_of_all_businesses(console_of: Console, live_server: LiveServer) -> None:
    new_scanner(live_server, live_server.new_venue("Kōjō Crew"), "Kōjō crew door")
    low = live_server.businesses["the-low-light"].venues["low-light"]
    new_scanner(live_server, low, "Low light crew door", business="the-low-light")
    page = console_of(live_server.person("ops"), "/platform/devices?q=crew+door")
    table = page.locator("#crew_devices tbody")
    expect(table.locator("tr", has_text="Kōjō crew door")).to_contain_text("Kōjō Arcade")
    expect(table.locator("tr", has_text="Low light crew door")).to_contain_text("The Low Light")
    page.goto("/platform/devices?q=Low+light+crew+door")
    expect(table.locator("tr")).to_have_count(1)
    expect(page.get_by_text("Export")).to_be_visible()
