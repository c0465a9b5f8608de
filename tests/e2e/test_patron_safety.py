"""Staff ask a guest whether all is well: the phone asks at once, the answer is heard, also one that had no network."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from lastlight.domains.safety.jobs import run_watch
from lastlight.kernel.ids import VenueId
from lastlight.runtime.db.uow import system_ctx
from tests.e2e.conftest import NewContext
from tests.support.browser import scrolls_sideways, violations
from tests.support.guests import PHONE_OPTIONS, open_app, rows, until_settled, wait_until
from tests.support.live_server import LiveServer, Person

pytestmark = pytest.mark.browser


@pytest.fixture
def venue(live_server: LiveServer) -> VenueId:
    return live_server.new_venue(f"Kōjō {uuid4().hex[:6]}")


@pytest.fixture
def phone(new_context: NewContext) -> BrowserContext:
    return new_context(**PHONE_OPTIONS)


@pytest.fixture
def guest(live_server: LiveServer, venue: VenueId) -> Person:
    """A guest who is in."""
    person = live_server.new_guest()
    client = live_server.client(person)
    key = {"Idempotency-Key": str(uuid4())}
    answer = client.post("/api/checkin/verify", json={"code": live_server.code(venue)}, headers=key)
    client.close()
    assert answer.status_code < 300, answer.text
    return person


def visit_of(server: LiveServer, venue: VenueId) -> str:
    return str(server.sql("select id from visits where venue_id = $1", venue)[0]["id"])


def ask(server: LiveServer, venue: VenueId, *, question: str = "Are you all right?") -> None:
    """Staff ask by the API."""
    client = server.client(server.person("staff"))
    answer = client.post("/api/safety/checks", json={"visit_id": visit_of(server, venue), "question": question})
    client.close()
    assert answer.status_code == 201, answer.text


def checks(server: LiveServer, venue: VenueId) -> list[Any]:
    return server.sql("select * from safety_checks where venue_id = $1", venue)


def alerts(server: LiveServer, venue: VenueId) -> list[tuple[str, str, str]]:
    found = server.sql("select kind, severity, status from safety_alerts where venue_id = $1 order by raised_at", venue)
    return [(row["kind"], row["severity"], row["status"]) for row in found]


def sheet(page: Page, question: str = "Are you all right?") -> Locator:
    return page.get_by_role("dialog", name=question)


def test_staff_ask_from_the_visit_and_the_guest_is_fine(
    live_server: LiveServer, console_of: Callable[..., Page], phone: BrowserContext, guest: Person, venue: VenueId
) -> None:
    page = open_app(phone, guest, ready=True)
    staff = console_of(live_server.person("staff"), f"/staff/visits/{visit_of(live_server, venue)}")
    staff.get_by_role("button", name="Ask the guest").click()
    dialog = staff.get_by_role("dialog")
    dialog.get_by_label("Question").fill("")
    dialog.get_by_role("button", name="Ask", exact=True).click()
    expect(dialog.get_by_text("Write what the guest is asked.")).to_be_visible()
    dialog.get_by_label("Question").fill("Do you need water?")
    dialog.get_by_role("button", name="Ask", exact=True).click()
    expect(staff.locator("#safety_checks")).to_contain_text("Waiting")
    asked = sheet(page, "Do you need water?")
    expect(asked).to_be_visible()
    page.keyboard.press("Escape")
    expect(asked).to_be_visible()
    assert violations(page) == []
    assert not scrolls_sideways(page)
    asked.get_by_role("button", name="I'm fine").click()
    expect(asked).to_have_count(0)
    expect(staff.locator("#safety_checks")).to_contain_text("Fine")
    assert alerts(live_server, venue) == []


def test_a_call_for_help_becomes_an_alert_with_where_they_are(
    live_server: LiveServer, console_of: Callable[..., Page], phone: BrowserContext, guest: Person, venue: VenueId
) -> None:
    page = open_app(phone, guest, ready=True)
    manager = console_of(live_server.person("manager"), f"/manage/safety/floor/{venue}")
    ask(live_server, venue)
    asked = sheet(page)
    asked.get_by_label("Where are you?").fill("Booth 4")
    asked.get_by_role("button", name="I need help").click()
    expect(page.get_by_role("dialog", name="The staff have been told")).to_be_visible()
    expect(manager.get_by_text("A guest asks for help").first).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert alerts(live_server, venue) == [("check", "critical", "raised")]
    assert checks(live_server, venue)[0]["note"] == "Booth 4"


def test_an_answer_without_a_network_waits_is_signed_and_counts_from_when_it_was_given(
    live_server: LiveServer, phone: BrowserContext, guest: Person, venue: VenueId
) -> None:
    page = open_app(phone, guest, ready=True)
    ask(live_server, venue)
    expect(sheet(page)).to_be_visible()
    until_settled(page)
    phone.set_offline(True)
    sheet(page).get_by_role("button", name="I'm fine").click()
    expect(page.get_by_role("link", name="1 unsent")).to_be_visible()
    expect(sheet(page)).to_have_count(0)
    (command,) = rows(page, "commands")
    assert (command["kind"], command["body"]["answer"]) == ("answer", "fine")
    assert command["signature"]
    # Meanwhile the time passes, and staff are told that there was no answer.
    live_server.sql(
        "update safety_checks set asked_at = asked_at - interval '1 hour', expires_at = now() where venue_id = $1",
        venue,
    )
    said = datetime.now(UTC)
    live_server.backstage.run(_watch(live_server))
    wait_until(page, lambda: alerts(live_server, venue) == [("check", "high", "raised")])
    live_server.sql("update safety_checks set expires_at = now() + interval '1 minute' where venue_id = $1", venue)
    phone.set_offline(False)
    expect(page.get_by_text("All caught up.")).to_be_visible()
    wait_until(page, lambda: alerts(live_server, venue) == [("check", "high", "cleared")])
    (check,) = checks(live_server, venue)
    assert (check["answer"], check["missed_at"] is not None) == ("fine", True)
    assert check["answered_at"] < said + timedelta(seconds=5)


def test_a_call_for_help_without_a_network_says_so_until_it_is_sent(
    live_server: LiveServer, phone: BrowserContext, guest: Person, venue: VenueId
) -> None:
    page = open_app(phone, guest, ready=True)
    ask(live_server, venue)
    expect(sheet(page)).to_be_visible()
    phone.set_offline(True)
    sheet(page).get_by_role("button", name="I need help").click()
    expect(page.get_by_role("dialog", name="Not sent yet")).to_contain_text("Speak to anybody who works here")
    live_server.sql("update safety_checks set expires_at = now() where venue_id = $1", venue)
    live_server.backstage.run(_watch(live_server))
    wait_until(page, lambda: alerts(live_server, venue) == [("check", "high", "raised")])
    phone.set_offline(False)
    expect(page.get_by_role("dialog", name="The staff have been told")).to_be_visible()
    both = [
        ("check", "high", "cleared"),
        ("check", "critical", "raised"),
    ]  # help is not hidden behind the silence before it
    wait_until(page, lambda: alerts(live_server, venue) == both)
    assert checks(live_server, venue)[0]["answer"] == "help"


async def _watch(server: LiveServer) -> None:
    tenant = server.businesses["kojo-arcade"].id
    async with system_ctx(server.backstage.services, tenant) as ctx:
        await run_watch(ctx)
