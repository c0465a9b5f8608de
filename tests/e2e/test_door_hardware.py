"""What a door's device meets on a long night: scanners that stall, cameras that change or are taken away, hands without a network."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import NewContext
from tests.support.browser import lighter, scrolls_sideways, toast, violations, watched_context
from tests.support.doors import TABLET, log_of, open_door, pass_holder, said, wedge
from tests.support.guests import wait_until
from tests.support.live_server import LiveServer, Person

pytestmark = pytest.mark.browser
TORCH = """
const able = MediaStreamTrack.prototype.getCapabilities;
MediaStreamTrack.prototype.getCapabilities = function () { return { ...able.call(this), torch: true }; };
window.torch = [];
MediaStreamTrack.prototype.applyConstraints = function (wanted) { window.torch.push(wanted.advanced[0].torch); return Promise.resolve(); };
"""
TRACK = "document.querySelector('.p-view video').srcObject?.getVideoTracks()[0]"


@pytest.fixture
def tablet(new_context: NewContext) -> BrowserContext:
    """The device at the door."""
    return new_context(**TABLET)


def test_a_scanner_that_stalls_in_the_middle_is_heard_to_its_end(
    live_server: LiveServer, tablet: BrowserContext
) -> None:
    page = open_door(tablet, live_server, live_server.new_venue("Kōjō Stalls", capacity=2))
    first, second = pass_holder(live_server), pass_holder(live_server)
    code = first.show()
    page.keyboard.type(code[:120])
    page.wait_for_timeout(900)
    wedge(page, code[120:])
    assert said(page) == "Come in"
    expect(page.locator(".d-answer")).not_to_contain_text("Full")
    page.get_by_role("button", name="Next guest").click()
    page.keyboard.type(second.show()[:60])  # the trigger was let go of too soon
    wedge(page, second.show())
    assert said(page) == "Come in"
    expect(page.locator(".d-answer")).to_contain_text("Full: one in, one out.")
    assert violations(page) == []


def test_the_light_the_other_camera_and_one_that_is_taken_away(live_server: LiveServer, browser: Browser) -> None:
    flags = ["--use-fake-device-for-media-stream=device-count=2", "--use-fake-ui-for-media-stream"]
    camera = browser.browser_type.launch(executable_path=lighter(), args=["--no-sandbox", *flags])
    try:
        with watched_context(camera, base_url=live_server.base_url, **TABLET, permissions=["camera"]) as context:
            context.add_init_script(TORCH)
            page = open_door(context, live_server, live_server.new_venue("Kōjō Two cameras"))
            light = page.get_by_role("button", name="Light", exact=True)
            light.click()
            expect(light).to_have_attribute("aria-pressed", "true")
            light.click()
            expect(light).to_have_attribute("aria-pressed", "false")
            assert page.evaluate("window.torch") == [True, False]
            before = page.evaluate(f"{TRACK}.getSettings().deviceId")
            page.get_by_role("button", name="Other camera").click()
            page.wait_for_function(f"before => {TRACK} && {TRACK}.getSettings().deviceId !== before", arg=before)
            expect(light).to_have_attribute("aria-pressed", "false")
            assert violations(page) == []

            lose_camera(page)
            expect(page.get_by_role("heading", name="The camera is busy")).to_be_visible()
            page.get_by_role("button", name="Try again").click()
            expect(page.locator(".p-view[data-state=live]")).to_be_visible()
            lose_camera(page)
            expect(page.get_by_role("heading", name="The camera is busy")).to_be_visible()
            page.wait_for_timeout(500)  # the call goes on
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            expect(page.locator(".p-view[data-state=live]")).to_be_visible()
    finally:
        camera.close()


def lose_camera(page: Page) -> None:
    """Its picture ends, as when another app takes it."""
    page.wait_for_function(f"() => {TRACK} !== undefined")
    page.evaluate(f"{TRACK}.dispatchEvent(new Event('ended'))")


def sign_in_staff(server: LiveServer, tablet: BrowserContext) -> Person:
    """Somebody of the staff signs in on the device."""
    staff = server.person("staff")
    body = {"email": staff.email, "password": staff.password, "tenant": staff.tenant, "as": "member"}
    assert tablet.request.post("/api/auth/session", data=body).ok
    return staff


def test_a_guest_without_a_phone_is_let_in_by_name_from_the_door(
    live_server: LiveServer, tablet: BrowserContext
) -> None:
    staff, guest = sign_in_staff(live_server, tablet), live_server.new_guest("Nokuthula Emptybattery")
    page = open_door(tablet, live_server)
    page.get_by_role("button", name="Type the code").click()
    page.get_by_role("link", name="A guest without a phone").click()
    page.get_by_role("searchbox", name="Name, or whole e-mail address").fill("emptybatt")
    page.get_by_role("link", name="Choose Nokuthula Emptybattery").click()
    page.locator("[name=venue_id]").select_option(label="Kōjō Rosebank")
    page.get_by_role("button", name="Let in").click()
    expect(page.locator("[name=reason]")).to_have_attribute("aria-invalid", "true")
    assert violations(page) == []
    assert not scrolls_sideways(page)
    twice = page.url
    page.locator("[name=reason]").fill("empty phone, ID seen")
    page.get_by_role("button", name="Let in").click()
    toast(page, "Nokuthula Emptybattery is in.")
    [row] = live_server.sql(
        """select c.method, c.override_reason, o.email, v.status from checkins c join users o on o.id = c.override_by
           join visits v on v.checkin_id = c.id join patrons p on p.id = c.patron_id join users u on u.id = p.user_id
           where u.email = $1""",
        guest.email,
    )
    assert tuple(row) == ("override", "empty phone, ID seen", staff.email, "open")
    page.goto(twice)
    page.locator("[name=venue_id]").select_option(label="Kōjō Rosebank")
    page.locator("[name=reason]").fill("again")
    page.get_by_role("button", name="Let in").click()
    expect(page.get_by_text("Nokuthula Emptybattery is checked in already")).to_be_visible()
    expect(page.locator("[name=reason]")).to_have_value("again")


def test_without_a_network_a_known_colleague_lets_in_by_hand(live_server: LiveServer, tablet: BrowserContext) -> None:
    venue = live_server.new_venue("Kōjō By hand", age_limit=18)
    young = live_server.new_guest("Bandile Zulu", birth_date=datetime.now(UTC).date() - timedelta(days=17 * 365))
    holder = pass_holder(live_server, young)
    staff = sign_in_staff(live_server, tablet)
    page = open_door(tablet, live_server, venue, ready=True)
    page.get_by_role("button", name="This device").click()
    expect(page.get_by_text(staff.name)).to_be_visible()
    page.get_by_role("button", name="Back to the door").click()
    tablet.set_offline(True)
    expect(page.locator(".d-net")).to_have_attribute("data-state", "down")
    wedge(page, holder.show())
    assert said(page) == "Too young"
    page.get_by_role("button", name="Let in by hand").click()
    page.get_by_role("button", name="Let in", exact=True).click()
    expect(page.get_by_text("Say why; it stands in the history.")).to_be_visible()
    page.get_by_role("button", name="Age checked on an ID").click()
    page.get_by_role("button", name="Let in", exact=True).click()
    expect(page.locator(".d-answer h2")).to_have_text("Let in by hand")
    expect(page.locator(".d-answer")).to_contain_text("Decided here, as of")
    assert [(line["decided"], line["override_reason"]) for line in log_of(page)] == [
        ("refused", ""),
        ("admitted", "Age checked on an ID"),
    ]
    claimed = log_of(page)[1]["claimed_at"]
    tablet.set_offline(False)
    wait_until(page, lambda: all(line["state"] == "sent" for line in log_of(page)))
    [row] = live_server.sql(
        """select c.method, c.override_reason, c.claimed_at, u.email, v.status
           from checkins c join users u on u.id = c.override_by join visits v on v.checkin_id = c.id where c.patron_id = $1""",
        UUID(holder.patron_id),
    )
    assert (row["method"], row["override_reason"], row["email"], row["status"]) == (
        "override",
        "Age checked on an ID",
        staff.email,
        "open",
    )
    assert row["claimed_at"] == datetime.fromisoformat(claimed)
    assert live_server.sql("select 1 from checkin_flags where patron_id = $1", UUID(holder.patron_id)) == []
