"""A guest who is in calls for help: held, heard with name and place, answered live; quiet, without a network, switched off."""

from collections.abc import Callable, Generator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from lastlight.domains.flags.seeding import seed_answer, sync_flags
from lastlight.domains.safety.help_model import GUEST_HELP
from lastlight.kernel.ids import VenueId
from lastlight.runtime.db.uow import system_ctx
from tests.e2e.conftest import NewContext
from tests.support.browser import scrolls_sideways, violations
from tests.support.guests import PHONE_OPTIONS, open_app, rows, until_settled
from tests.support.live_server import LiveServer, Person

pytestmark = pytest.mark.browser
Console = Callable[..., Page]


@pytest.fixture
def venue(live_server: LiveServer) -> Generator[VenueId]:
    made = live_server.new_venue(f"Kōjō {uuid4().hex[:6]}")
    yield made
    live_server.sql(
        "update sos_calls set status = 'resolved', resolved_at = now(), escalates_at = null where venue_id = $1 and status <> 'resolved'",
        made,
    )


@pytest.fixture
def phone(new_context: NewContext) -> BrowserContext:
    return new_context(**PHONE_OPTIONS)


@pytest.fixture
def guest(live_server: LiveServer, venue: VenueId) -> Person:
    """A guest who is in."""
    person = live_server.new_guest("Zinhle Dube")
    client = live_server.client(person)
    key = {"Idempotency-Key": str(uuid4())}
    answer = client.post("/api/checkin/verify", json={"code": live_server.code(venue)}, headers=key)
    client.close()
    assert answer.status_code < 300, answer.text
    return person


def button(page: Page) -> Locator:
    return page.locator(".p-help-btn")


def hold(page: Page, held: Locator, until: Callable[[], None]) -> None:
    """Hold until the call is made, as a thumb would."""
    held.scroll_into_view_if_needed()
    held.hover()
    page.mouse.down()
    until()
    page.mouse.up()


def calls(server: LiveServer, venue: VenueId) -> list[Any]:
    return server.sql("select * from help_calls where venue_id = $1 order by received_at", venue)


def bar(page: Page, text: str) -> Locator:
    return page.locator("#urgent .sos-bar").filter(has_text=text)


def test_held_it_is_heard_with_name_and_place_and_who_comes_shows_on_the_phone(
    live_server: LiveServer, console_of: Console, phone: BrowserContext, guest: Person, venue: VenueId
) -> None:
    page = open_app(phone, guest, ready=True)
    manager = console_of(live_server.person("manager"), "/manage")
    expect(button(page)).to_have_text("I need help")
    hold(
        page, button(page), lambda: expect(page.get_by_role("dialog", name="The staff have been told")).to_be_visible()
    )
    expect(bar(manager, "Zinhle, a guest, needs help: Place not said")).to_have_attribute("role", "alert")
    dialog = page.get_by_role("dialog")
    assert violations(page) == []
    dialog.get_by_text("I feel unwell").click()
    dialog.get_by_label("Where are you?").fill("Booth 4")
    dialog.get_by_role("button", name="Tell them").click()
    expect(bar(manager, "Zinhle, a guest, needs help: Booth 4")).to_contain_text("Feels unwell")
    bar(manager, "Booth 4").get_by_role("button", name="On my way").click()
    expect(page.get_by_role("dialog", name="Thandi is coming")).to_contain_text("They look for you here: Booth 4.")
    page.get_by_role("button", name="Close").click()
    expect(button(page)).to_have_text("Thandi is coming")
    bar(manager, "Booth 4").get_by_role("link", name="Open").click()
    expect(manager.locator("#story")).to_contain_text("Zinhle, a guest")
    expect(manager.get_by_role("link", name="Open the visit")).to_be_visible()
    manager.locator("#story").get_by_role("button", name="It is over").click()
    over = manager.get_by_role("dialog")
    over.get_by_label("Reason").fill("Water and a chair")
    over.get_by_role("button", name="It is over").click()
    expect(button(page)).to_have_text("The staff say that it is over")
    button(page).click()
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(button(page)).to_have_text("I need help")
    [call] = calls(live_server, venue)
    assert (call["status"], call["about"], call["place"]) == ("over", "unwell", "Booth 4")


def test_quietly_nothing_shows_and_it_can_be_taken_back(
    live_server: LiveServer, console_of: Console, phone: BrowserContext, guest: Person, venue: VenueId
) -> None:
    page = open_app(phone, guest, ready=True)
    manager = console_of(live_server.person("manager"), "/manage")
    button(page).click()
    sheet = page.get_by_role("dialog", name="Call for help")
    sheet.get_by_label("Quiet").check()
    assert violations(page) == []
    assert not scrolls_sideways(page)
    sheet.get_by_role("button", name="Close").click()
    box = button(page)
    box.hover()
    page.mouse.down()
    page.wait_for_function("() => navigator.userActivation.hasBeenActive")
    during = page.locator(".p-help").inner_text()
    assert "Keep holding" not in during
    expect(bar(manager, "Zinhle, a guest, needs help")).to_contain_text("silent: make no sound near the guest")
    page.mouse.up()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(box).to_have_text("I need help")
    assert page.locator(".p-help").inner_text() == during, "a bystander sees the first page as it was before"
    box.click()
    page.get_by_role("dialog", name="The staff have been told").get_by_role(
        "button", name="I need no help any more"
    ).click()
    expect(page.get_by_role("dialog", name="You took your call back")).to_be_visible()
    expect(bar(manager, "Zinhle")).to_contain_text("Look in on them, then end it.")
    expect(bar(manager, "Zinhle")).not_to_have_attribute("role", "alert")
    [call] = calls(live_server, venue)
    assert (call["quiet"], call["status"]) == (True, "withdrawn")


def test_without_a_network_it_says_that_nobody_knows_and_is_sent_once(
    live_server: LiveServer, phone: BrowserContext, guest: Person, venue: VenueId
) -> None:
    page = open_app(phone, guest, ready=True)
    expect(button(page)).to_be_visible()
    until_settled(page)
    phone.set_offline(True)
    page.reload()
    button(page).click()
    sheet = page.get_by_role("dialog", name="Call for help")
    sheet.get_by_label("Where are you?").fill("Stairs")
    hold(
        page,
        sheet.locator(".sos-fire"),
        lambda: expect(page.get_by_role("dialog", name="Not sent yet")).to_be_visible(),
    )
    unsent = page.get_by_role("dialog", name="Not sent yet: go to a member of staff")
    expect(unsent).to_contain_text("nobody has been told")
    expect(unsent.get_by_role("link", name="Call 112")).to_have_attribute("href", "tel:112")
    assert violations(page) == []
    [command] = rows(page, "commands")
    assert (command["kind"], command["body"]["place"]) == ("help", "Stairs")
    assert calls(live_server, venue) == []
    phone.set_offline(False)
    expect(page.get_by_role("dialog", name="The staff have been told")).to_be_visible()
    [call] = calls(live_server, venue)
    assert (str(call["id"]), call["pressed_at"] < call["received_at"]) == (command["id"], True)


def test_switched_off_the_button_is_gone_and_the_api_refuses(
    live_server: LiveServer, phone: BrowserContext, guest: Person, venue: VenueId
) -> None:
    page = open_app(phone, guest)
    expect(button(page)).to_be_visible()
    tenant = live_server.businesses["kojo-arcade"].id

    async def switch_off() -> None:
        services = live_server.backstage.services
        await sync_flags(services)
        async with system_ctx(services, tenant, role="platform") as ctx:
            await seed_answer(ctx, key=GUEST_HELP.key, enabled=False, reason="Not yet")

    live_server.backstage.run(switch_off())
    try:
        page.reload()
        expect(page.locator(".pass h2")).to_be_visible()
        expect(button(page)).to_have_count(0)
        client = live_server.client(guest)
        answer = client.post("/api/patron/help", json={}, headers={"Idempotency-Key": str(uuid4())})
        client.close()
        assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (403, "help-not-offered")
        assert calls(live_server, venue) == []
    finally:
        live_server.sql("delete from tenant_flags where tenant_id = $1", tenant)
