"""The door's corrections and fraud in a browser: let in by hand, taken back, a flag judged and dealt with step by step, the door's log."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import toast
from tests.support.live_scanners import new_scanner, speak
from tests.support.live_server import LiveServer, Person
from tests.support.mailbox import mailed

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
PAIR = """
with guest as (select p.tenant_id, p.id from patrons p join users u on u.id = p.user_id where u.email = $1 and p.tenant_id = $2),
     arrivals as (
         insert into checkins (tenant_id, venue_id, patron_id, method, key_number, nonce, arrived_at, business_day)
         select guest.tenant_id, given.venue_id, guest.id, 'screen', 1, decode(md5(random()::text), 'hex'), given.at, current_date
         from guest, (values ($3::uuid, now() - interval '50 minutes'), ($4::uuid, now() - interval '20 minutes')) given (venue_id, at)
         returning *),
     stays as (
         insert into visits (tenant_id, venue_id, patron_id, checkin_id, status, closed_at, closed_by, opened_at, times_out_at,
                             business_day)
         select tenant_id, venue_id, patron_id, id, 'closed', arrived_at, 'guest', arrived_at, now(), business_day from arrivals
         returning 1)
insert into checkin_flags (tenant_id, venue_id, patron_id, kind, detail, checkin_id, other_checkin_id, kilometres, seconds_apart,
                           happened_at)
select later.tenant_id, later.venue_id, later.patron_id, 'impossible_travel', '600 km within 30 minutes', later.id, earlier.id, 600,
       1800, later.arrived_at
from arrivals later join arrivals earlier on earlier.arrived_at < later.arrived_at
where (select count(*) from stays) = 2
returning id
"""


@pytest.fixture
def manager(live_server: LiveServer, console_of: Console) -> Callable[[str], Page]:
    """Open a page as the manager."""
    return lambda path: console_of(live_server.person("manager"), path)


def flagged(server: LiveServer, name: str) -> tuple[Person, UUID, UUID]:
    """A guest who was seen at two far venues within half an hour; the flag, and the later venue."""
    guest, business = server.new_guest(name), server.businesses["kojo-arcade"]
    near, far = (server.new_venue(f"{name} {place}") for place in ("Near", "Far"))
    rows = server.sql(PAIR, guest.email, business.id, near, far)
    assert len(rows) == 1
    return guest, rows[0]["id"], far


def take(page: Page, step: str) -> Locator:
    page.get_by_role("button", name=f"Take this step: {step}").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Reason")).to_be_visible()
    return dialog


def test_a_guest_is_let_in_by_hand_and_the_check_in_taken_back(
    manager: Callable[[str], Page], live_server: LiveServer
) -> None:
    live_server.new_guest("Khanyi Byhand")
    page = manager("/manage/checkins")
    page.get_by_role("link", name="Let in by hand").click()
    expect(page.get_by_text("Search for the guest")).to_be_visible()
    page.get_by_role("searchbox", name="Name, or whole e-mail address").fill("khanyi")
    page.get_by_role("link", name="Choose Khanyi Byhand").click()
    page.locator("[name=venue_id]").select_option(label="Kōjō Rosebank")
    page.get_by_role("button", name="Let in").click()
    expect(page.locator("[name=reason]")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[name=venue_id] option:checked")).to_have_text("Kōjō Rosebank")
    page.locator("[name=reason]").fill("lost phone, known to the house")
    page.get_by_role("button", name="Let in").click()
    toast(page, "Khanyi Byhand is in.")
    expect(page.get_by_text("lost phone, known to the house").first).to_be_visible()
    here = page.url
    page.goto("/manage/checkins/admit?q=khanyi")
    expect(page.get_by_text("in at Kōjō Rosebank")).to_be_visible()
    expect(page.get_by_role("link", name="Choose Khanyi Byhand")).to_have_count(0)

    page.goto(here)
    page.get_by_role("button", name="Take back").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The guest is inside: the visit ends now and is voided.")
    dialog.get_by_role("button", name="Take it back").click()
    expect(dialog.get_by_text("Say why; it stands in the history.")).to_be_visible()
    dialog.get_by_label("Reason").fill("another person")
    dialog.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("Taken back: another person")).to_be_visible()
    expect(page.get_by_role("button", name="Take back")).to_have_count(0)
    rows = live_server.sql(
        "select v.status from visits v join patrons p on p.id = v.patron_id where p.name = 'Khanyi Byhand'"
    )
    assert [row["status"] for row in rows] == ["voided"]
    page.goto("/manage/checkins?q=khanyi&revoked=true")
    expect(page.locator("#checkins tbody tr")).to_contain_text("Taken back")


def test_a_flag_is_confirmed_and_dealt_with_step_by_step(
    manager: Callable[[str], Page], console_of: Console, live_server: LiveServer
) -> None:
    guest, flag_id, far = flagged(live_server, "Refilwe Fast")
    page = manager("/manage/flags?q=Refilwe")
    page.locator("#checkin_flags").get_by_role("link", name="Impossible travel").click()
    expect(page.get_by_role("region", name="The earlier one")).to_contain_text("Refilwe Fast Near")
    expect(page.get_by_role("region", name="The later one")).to_contain_text("Refilwe Fast Far")
    expect(page.get_by_text("km/h")).to_contain_text("200")

    other = manager(f"/manage/flags/{flag_id}")
    confirm(page)
    expect(other.locator("#rail")).to_contain_text("Confirmed")

    renew_codes(page)
    keys = live_server.sql("select max(number) as n from venue_keys where venue_id = $1", far)
    assert keys[0]["n"] == 2
    take_back_the_later(page)
    tell_finance(page)
    crew = console_of(live_server.person("super_admin"), "/platform/outbox")
    mailed(crew, "Fraud", words="Refilwe Fast Far").get_by_role("link").first.click()
    expect(crew.locator(".mail-text")).to_contain_text("two drinks on a voided visit")

    bar(page)
    expect(page.locator("#rail")).to_contain_text("suspended")
    expect(page.locator(".playbook .done")).to_have_count(4)
    expect(page.get_by_role("button", name="Take this step")).to_have_count(0)
    rows = live_server.sql(
        "select p.status from patrons p join users u on u.id = p.user_id where u.email = $1", guest.email
    )
    assert [row["status"] for row in rows] == ["suspended"]


def confirm(page: Page) -> None:
    """Confirm the flag, at first without a reason."""
    page.get_by_role("button", name="Confirm").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Confirm it").click()
    expect(dialog.get_by_text("Say what it turned out to be")).to_be_visible()
    dialog.get_by_label("Reason").fill("she says she lent her phone")
    dialog.get_by_role("button", name="Confirm it").click()
    toast(page, "Confirmed. Go on with the steps.")


def renew_codes(page: Page) -> None:
    dialog = take(page, "Renew the venue's codes")
    dialog.get_by_label("Reason").fill("copied from the screen")
    dialog.get_by_role("button", name="Renew them").click()
    toast(page, "Key 2 signs the codes of Refilwe Fast Far from now on; print its posters anew.")


def take_back_the_later(page: Page) -> None:
    """Take back the later check-in alone, at first with none chosen."""
    dialog = take(page, "Take back the check-ins")
    for box in dialog.get_by_role("checkbox").all():
        box.uncheck()
    dialog.get_by_label("Reason").fill("never there")
    dialog.get_by_role("button", name="Take them back").click()
    expect(dialog.get_by_text("Choose at least one.")).to_be_visible()
    expect(dialog.get_by_label("Reason")).to_have_value("never there")
    dialog.get_by_role("checkbox").last.check()
    dialog.get_by_role("button", name="Take them back").click()
    toast(page, "1 check-in is taken back.")
    expect(page.get_by_role("region", name="The later one")).to_contain_text("Taken back")


def tell_finance(page: Page) -> None:
    dialog = take(page, "Tell finance")
    dialog.get_by_label("Reason").fill("two drinks on a voided visit")
    dialog.get_by_role("button", name="Tell them").click()
    toast(page, re.compile("Told: .*Nandi Kōjō"))


def bar(page: Page) -> None:
    """Bar the guest, at first without saying until when."""
    dialog = take(page, "Bar the guest")
    dialog.get_by_label("Reason").fill("lent her phone")
    dialog.get_by_role("button", name="Bar the guest").click()
    expect(dialog.get_by_text("Say until when")).to_be_visible()
    dialog.get_by_label("Until").fill("2030-01-01T06:00")
    dialog.get_by_role("button", name="Bar the guest").click()


def test_a_false_positive_is_dismissed_and_needs_no_steps(
    manager: Callable[[str], Page], live_server: LiveServer
) -> None:
    _, flag_id, _ = flagged(live_server, "Busi Honest")
    page = manager(f"/manage/flags/{flag_id}")
    page.get_by_role("button", name="False positive").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("the venue's position was wrong")
    dialog.get_by_role("button", name="Dismiss it").click()
    toast(page, "Dismissed. It is not raised again.")
    expect(page.locator("#rail")).to_contain_text("the venue's position was wrong")
    expect(page.get_by_role("button", name="Take this step")).to_have_count(0)
    rows = live_server.sql("select count(*) as n from checkin_flag_steps where flag_id = $1", flag_id)
    assert rows[0]["n"] == 0


def test_staff_see_a_flag_and_decide_nothing(console_of: Console, live_server: LiveServer) -> None:
    _, flag_id, _ = flagged(live_server, "Lindiwe Seen")
    page = console_of(live_server.new_member("staff"), f"/manage/flags/{flag_id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Impossible travel")
    for name in ("Confirm", "False positive", "Take this step"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    answer = page.request.post(f"/manage/flags/{flag_id}/step", form={"step": "renew_codes", "reason": "why"})
    assert answer.status == 403


def test_the_doors_log_grows_while_one_looks(manager: Callable[[str], Page], live_server: LiveServer) -> None:
    venue = live_server.new_venue("Kōjō Log")
    scanner = new_scanner(live_server, venue, f"Log door {uuid4().hex[:6]}")
    page = manager(f"/manage/door-log?venue_id={venue}")
    expect(page.locator("#door_scans")).to_contain_text("Nothing matches")
    scan = {"sequence": 1, "code": "no pass", "claimed_at": datetime.now(UTC).isoformat()}
    assert speak(live_server, scanner, "/api/door/scans", {"scans": [scan]}).status_code == 200
    row = page.locator("#door_scans tbody tr").first
    expect(row).to_contain_text("Not a check-in code")
    expect(row).to_contain_text("Refused")
    scan |= {"sequence": 2, "decided": "refused", "claimed_at": datetime.now(UTC).isoformat()}
    assert speak(live_server, scanner, "/api/door/scans", {"scans": [scan]}).status_code == 200
    expect(page.locator("#door_scans")).to_contain_text("On the device: refused")
    page.set_viewport_size({"width": 360, "height": 780})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    heading = row.locator(".main > .dim")  # no check-in to lead to: it looks like those that are links
    ink = "(one) => getComputedStyle(one).color"
    assert heading.evaluate(ink) == row.locator(".main").evaluate(ink)


def test_on_a_phone_a_flag_is_headed_by_what_it_is(manager: Callable[[str], Page], live_server: LiveServer) -> None:
    _, flag_id, far = flagged(live_server, "Thuli Headed")
    page = manager(f"/manage/flags?venue_id={far}")
    page.set_viewport_size({"width": 360, "height": 780})
    expect(page.locator(f"#checkin_flags-{flag_id} .main")).to_have_text("Impossible travel")
