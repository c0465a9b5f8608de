"""Calling for help, from the press to everybody who hears it: held, silent, without a network, answered, told again."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from lastlight.domains.safety.sos import escalate_calls
from lastlight.kernel.ids import VenueId
from lastlight.runtime.db.uow import system_ctx
from tests.support.browser import scrolls_sideways, toast, violations
from tests.support.guests import wait_until
from tests.support.live_server import LiveServer

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}}
SEND = "**/api/emergency/sos"


@dataclass
class Night:
    """A venue of its own, and consoles of those who work at it."""

    server: LiveServer
    console_of: Console
    venue: VenueId
    name: str

    def open(self, role: str, path: str, *, business: str = "kojo-arcade", **options: Any) -> Page:
        return self.console_of(self.server.person(role, business), path, **options)

    def calls(self) -> list[Any]:
        return self.server.sql("select * from sos_calls where venue_id = $1 order by received_at", self.venue)

    def set_contact(self) -> None:
        """Somebody whom the venue rings."""
        contacts = '[{"name": "Armed response", "phone": "10111", "email": "", "told": false}]'
        self.server.sql(
            "insert into emergency_contacts (tenant_id, venue_id, contacts) values ($1, $2, $3::text::jsonb)",
            self.server.businesses["kojo-arcade"].id,
            self.venue,
            contacts,
        )

    def escalate(self) -> None:
        """As if the time had passed in which somebody should have answered."""
        self.server.sql(
            "update sos_calls set escalates_at = now() where venue_id = $1 and status = 'raised'", self.venue
        )
        self.server.backstage.run(self._tell_again())

    async def _tell_again(self) -> None:
        tenant = self.server.businesses["kojo-arcade"].id
        async with system_ctx(self.server.backstage.services, tenant) as ctx:
            await escalate_calls(ctx, limit=10)


@pytest.fixture
def night(live_server: LiveServer, console_of: Console, request: pytest.FixtureRequest) -> Generator[Night]:
    name = f"Kōjō {request.node.name[5:45]}"
    made = Night(live_server, console_of, live_server.new_venue(name), name)
    yield made
    # Nobody's call is left to stand above the pages of other tests.
    live_server.sql(
        "update sos_calls set status = 'resolved', resolved_at = now(), escalates_at = null where venue_id = $1 and status <> 'resolved'",
        made.venue,
    )
    live_server.sql("update venues set status = 'archived', archived_at = now() where id = $1", made.venue)


def sheet(page: Page, night: Night, *, place: str = "Bar 2") -> Locator:
    """The sheet, one press away, filled in."""
    page.get_by_role("button", name="SOS", exact=True).click()
    dialog = page.get_by_role("dialog", name="Call for help")
    dialog.get_by_label("Venue").select_option(str(night.venue))
    dialog.get_by_label("Where are you?").fill(place)
    return dialog


def hold(page: Page, dialog: Locator) -> None:
    """Hold the button until the call is made."""
    button = dialog.locator(".sos-fire")
    button.hover()
    page.mouse.down()
    expect(dialog).to_be_hidden()
    page.mouse.up()


def stand_still(page: Page, still: bool) -> None:
    """Let the hold's time stand still, so that a press of this test is a short one however late it is let go of."""
    page.evaluate(
        """still => {
            if (!still) return void delete performance.now;
            const at = performance.now();
            performance.now = () => at;
        }""",
        still,
    )


def bar(page: Page, text: str) -> Locator:
    return page.locator("#urgent .sos-bar").filter(has_text=text)


def test_help_is_called_by_holding_and_heard_by_all_of_the_venue(night: Night) -> None:
    staff = night.open("staff", "/staff", **PHONE)
    manager, owner = night.open("manager", "/manage"), night.open("owner", "/owner")
    stranger = night.open("manager", "/manage", business="the-low-light")
    dialog = sheet(staff, night, place="Karaoke 4")
    dialog.locator(".sos-fire").hover()
    stand_still(staff, True)
    staff.mouse.down()
    expect(dialog.get_by_text("Keep holding")).to_be_visible()
    staff.mouse.up()
    expect(dialog.get_by_text("Hold to call for help")).to_be_visible()
    stand_still(staff, False)
    expect(dialog.get_by_role("progressbar")).to_have_js_property("value", 0)
    assert night.calls() == [], "letting go cancels"
    hold(staff, dialog)
    expect(bar(staff, "Your call: Karaoke 4")).to_contain_text("Nobody has answered yet.")
    for page in (manager, owner):
        expect(bar(page, "SOS: Karaoke 4")).to_contain_text("Kagiso Moloi")
        expect(bar(page, "SOS: Karaoke 4")).to_have_attribute("role", "alert")
    bar(owner, "Karaoke 4").get_by_role("button", name="I hear it").click()
    expect(bar(staff, "Karaoke 4")).to_contain_text("Heard by Nandi Kōjō.")
    bar(manager, "Karaoke 4").get_by_role("button", name="On my way").click()
    expect(bar(staff, "Karaoke 4")).to_contain_text("On the way: Thandi Mokoena.")
    [call] = night.calls()
    assert (call["status"], call["severity"], call["escalates_at"]) == ("acknowledged", "urgent", None)
    assert stranger.locator("#urgent .sos-bar").count() == 0
    bar(manager, "Karaoke 4").get_by_role("button", name="It is over").click()
    over = manager.get_by_role("dialog")
    over.get_by_role("button", name="It is over").click()
    expect(over.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    over.get_by_label("Reason").fill("Both went home")
    over.get_by_role("button", name="It is over").click()
    toast(manager, "The call is over.")
    for page in (staff, owner):
        expect(bar(page, "Karaoke 4")).to_have_count(0)


def test_the_keyboard_alone_calls_for_help_also_without_motion(night: Night) -> None:
    staff = night.open("staff", "/staff", reduced_motion="reduce")
    staff.get_by_role("button", name="SOS", exact=True).focus()
    staff.keyboard.press("Enter")
    dialog = staff.get_by_role("dialog", name="Call for help")
    dialog.get_by_label("Venue").select_option(str(night.venue))
    button = dialog.locator(".sos-fire")
    button.focus()
    stand_still(staff, True)
    staff.keyboard.press("Space")
    expect(dialog.get_by_text("Hold to call for help")).to_be_visible()
    stand_still(staff, False)
    assert night.calls() == [], "a short press is none"
    staff.keyboard.down("Space")
    expect(dialog).to_be_hidden()
    staff.keyboard.up("Space")
    expect(bar(staff, "Your call: Place not said")).to_be_visible()
    assert len(night.calls()) == 1


def test_a_press_that_cannot_be_held_counts_down_and_a_second_one_cancels(night: Night) -> None:
    staff = night.open("staff", "/staff")
    dialog = sheet(staff, night)
    button = dialog.locator(".sos-fire")
    stand_still(staff, True)
    button.evaluate("node => node.click()")
    expect(dialog.get_by_text("Keep holding")).to_be_visible()
    button.evaluate("node => node.click()")
    expect(dialog.get_by_text("Hold to call for help")).to_be_visible()
    stand_still(staff, False)
    assert night.calls() == []
    button.evaluate("node => node.click()")
    expect(bar(staff, "Your call: Bar 2")).to_be_visible()


def test_without_a_network_it_is_kept_said_and_sent_once(night: Night) -> None:
    night.set_contact()
    staff = night.open("staff", "/staff", **PHONE)
    dialog = sheet(staff, night, place="Cellar")
    expect(dialog.get_by_text("Armed response")).to_be_visible()
    staff.context.set_offline(True)
    hold(staff, dialog)
    unsent = staff.locator(".sos-bar.unsent")
    expect(unsent).to_contain_text("Your call for help is not sent yet.")
    expect(unsent.get_by_role("link", name="Call 10111")).to_have_attribute("href", "tel:10111")
    assert night.calls() == []
    staff.context.set_offline(False)
    expect(unsent).to_have_count(0)
    expect(bar(staff, "Your call: Cellar")).to_be_visible()
    [call] = night.calls()
    assert call["pressed_at"] < call["received_at"]


def test_it_waits_through_other_pages_and_an_answer_that_got_lost_makes_no_second_call(night: Night) -> None:
    staff = night.open("staff", "/staff")
    lost: list[str] = []
    reaches = False

    def lose(route: Route) -> None:
        """Without a network at first; then the call arrives, and its answer does not."""
        if not reaches:
            route.abort()
        elif lost:
            route.continue_()
        else:
            lost.append(route.fetch().text())
            route.abort()

    staff.context.route(SEND, lose)
    hold(staff, sheet(staff, night, place="Stairs"))
    expect(staff.locator(".sos-bar.unsent")).to_contain_text("not sent yet")
    staff.goto("/staff/visits")
    expect(staff.locator(".sos-bar.unsent")).to_contain_text("not sent yet")
    reaches = True
    expect(bar(staff, "Your call: Stairs")).to_be_visible()
    expect(staff.locator(".sos-bar.unsent")).to_have_count(0)
    [call] = night.calls()
    assert str(call["id"]) in lost[0]
    assert len(night.server.sql("select 1 from incidents where venue_id = $1", night.venue)) == 1


def test_a_call_that_is_refused_says_so_and_stays_until_it_is_read(night: Night) -> None:
    staff = night.open("staff", "/staff")
    problem = '{"type": "https://lastlight.dev/problems/not-permitted", "title": "No", "detail": "Ask a manager.", "status": 403}'
    staff.context.route(
        SEND, lambda route: route.fulfill(status=403, body=problem, content_type="application/problem+json")
    )
    hold(staff, sheet(staff, night))
    unsent = staff.locator(".sos-bar.unsent")
    expect(unsent).to_contain_text("Your call for help was refused. Ask a manager.")
    unsent.get_by_role("button", name="Take it away").click()
    expect(unsent).to_have_count(0)
    staff.context.unroute(SEND)
    assert night.calls() == []


def test_a_silent_call_makes_no_sound_and_nothing_loud_at_its_caller(night: Night) -> None:
    manager = night.open("manager", "/manage")
    manager.evaluate("localStorage.setItem('ll:sos-sound', 'yes')")
    staff = night.open("staff", "/staff", **PHONE)
    dialog = sheet(staff, night, place="Office")
    dialog.get_by_role("switch", name="Silent").check()
    hold(staff, dialog)
    expect(bar(staff, "Your call: Office")).to_have_class("sos-bar quiet")
    expect(bar(manager, "SOS: Office")).to_contain_text("silent: make no sound near the caller")
    assert manager.locator("[data-controller=siren]").get_attribute("data-sounded") is None
    assert night.calls()[0]["silent"] is True


def test_a_loud_call_asks_for_the_sound_and_then_makes_it(night: Night) -> None:
    manager = night.open("manager", "/manage")
    staff = night.open("staff", "/staff")
    hold(staff, sheet(staff, night, place="Door"))
    expect(bar(manager, "SOS: Door")).to_be_visible()
    manager.get_by_role("button", name="Turn on the sound").click()
    expect(manager.get_by_role("button", name="Turn on the sound")).to_be_hidden()
    expect(manager.locator("[data-controller=siren]")).to_have_attribute("data-sounded", "1")
    expect(manager.locator("[data-controller=siren]")).to_have_attribute("data-sounded", "2")
    bar(manager, "Door").get_by_role("button", name="I hear it").click()
    expect(bar(manager, "Door").get_by_role("button", name="I hear it")).to_have_count(0)


def test_a_call_that_nobody_answers_is_told_again_and_its_page_says_so(night: Night) -> None:
    staff, manager = night.open("staff", "/staff"), night.open("manager", "/manage/safety")
    hold(staff, sheet(staff, night, place="Roof"))
    expect(bar(manager, "SOS: Roof")).to_be_visible()
    night.escalate()
    expect(bar(manager, "SOS: Roof")).to_contain_text("Nobody has answered. Told again, level 1 of 3.")
    bar(manager, "SOS: Roof").get_by_role("link", name="Open").click()
    expect(manager.get_by_role("heading", level=1)).to_have_text("SOS: Roof")
    expect(manager.locator("#story")).to_contain_text("1 time")
    manager.locator("#story").get_by_role("button", name="On my way").click()
    expect(manager.locator("#story table")).to_contain_text("Thandi Mokoena")
    expect(bar(staff, "Roof")).to_contain_text("On the way: Thandi Mokoena.")


def test_whoever_is_clocked_in_need_not_say_at_which_venue(night: Night) -> None:
    staff = night.open("staff", "/staff")
    email = night.server.person("staff").email
    mine = "(select id from users where email = $1)"
    night.server.sql(f"update time_entries set status = 'voided' where status = 'open' and user_id = {mine}", email)
    entry = night.server.sql(
        """insert into time_entries (tenant_id, venue_id, user_id, started_at, business_day)
           select $1, $2, id, now(), current_date from users where email = $3 returning id""",
        night.server.businesses["kojo-arcade"].id,
        night.venue,
        email,
    )
    staff.reload()
    staff.get_by_role("button", name="SOS", exact=True).click()
    dialog = staff.get_by_role("dialog", name="Call for help")
    expect(dialog.get_by_label("Venue")).to_have_value(str(night.venue))
    hold(staff, dialog)
    expect(bar(staff, "Your call: Place not said")).to_be_visible()
    night.server.sql("update time_entries set status = 'voided' where id = $1", entry[0]["id"])


def test_signing_out_does_not_throw_an_unsent_call_away(night: Night) -> None:
    staff = night.open("staff", "/staff")
    staff.context.route(SEND, lambda route: route.abort())
    hold(staff, sheet(staff, night, place="Yard"))
    expect(staff.locator(".sos-bar.unsent")).to_contain_text("not sent yet")
    staff.locator(".side-foot summary").click()
    staff.get_by_role("button", name="Sign out").click()
    toast(staff, "A call for help has not been sent yet")
    expect(staff.locator(".sos-bar.unsent")).to_be_visible()
    staff.context.unroute(SEND)
    expect(bar(staff, "Your call: Yard")).to_be_visible()
    assert len(night.calls()) == 1


def keeps_a_page(page: Page) -> bool:
    """Whether this browser keeps the page for when there is no network."""
    return page.evaluate("async () => (await caches.match('/staff/without-network')) !== undefined")


def test_opened_anew_without_a_network_it_calls_all_the_same_and_signing_out_forgets_it(night: Night) -> None:
    night.set_contact()
    staff = night.open("staff", "/staff", **PHONE)
    wait_until(staff, lambda: keeps_a_page(staff))
    staff.close()
    context = staff.context
    context.set_offline(True)
    anew = context.new_page()
    anew.goto("/staff/visits")
    expect(anew.get_by_role("heading", level=1)).to_have_text("Without a network")
    expect(anew.get_by_role("alert").filter(has_text="There is no network.")).to_be_visible()
    card = anew.get_by_role("list").filter(has_text="Armed response").first
    expect(card.get_by_role("link", name="10111")).to_have_attribute("href", "tel:10111")
    assert violations(anew) == []
    assert not scrolls_sideways(anew)
    anew.get_by_role("button", name="Call for help").click()
    dialog = anew.get_by_role("dialog", name="Call for help")
    dialog.get_by_label("Venue").select_option(str(night.venue))
    dialog.get_by_label("Where are you?").fill("Cellar")
    hold(anew, dialog)
    unsent = anew.locator(".sos-bar.unsent")
    expect(unsent).to_contain_text("Your call for help is not sent yet.")
    anew.close()
    anew = context.new_page()
    anew.goto("/staff")
    expect(unsent_of(anew)).to_contain_text("not sent yet")
    assert night.calls() == []
    context.set_offline(False)
    expect(bar(anew, "Your call: Cellar")).to_contain_text("Nobody has answered yet.")
    expect(unsent_of(anew)).to_have_count(0)
    [call] = night.calls()
    assert call["pressed_at"] < call["received_at"]
    _signs_out(night, anew)


def _signs_out(night: Night, page: Page) -> None:
    """Signing out forgets what the browser keeps, and nothing is kept anew for nobody."""
    night.server.sql(
        "update sos_calls set status = 'resolved', resolved_at = now(), escalates_at = null where venue_id = $1",
        night.venue,
    )
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/staff")
    page.locator(".side-foot summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in*")
    wait_until(page, lambda: not keeps_a_page(page))
    page.goto("/staff")
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    assert not keeps_a_page(page)


def unsent_of(page: Page) -> Locator:
    return page.locator(".sos-bar.unsent")
