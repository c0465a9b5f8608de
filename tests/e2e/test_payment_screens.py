"""Card payments on the consoles: a refund in its dialog, a dispute answered, an event replayed, live beside others; in every theme."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import toast, wrong_in_themes
from tests.support.live_server import LiveServer
from tests.support.tour_payments import disputed_payment, failed_event, paid_by_card

pytestmark = pytest.mark.browser
Console = Callable[..., Page]


@pytest.fixture
def owner(live_server: LiveServer, console_of: Console) -> Callable[[str], Page]:
    """Open a page as the owner."""
    return lambda path: console_of(live_server.person("owner"), path, reduced_motion="reduce")


def test_a_part_is_refunded_and_others_see_it(owner: Callable[[str], Page], live_server: LiveServer) -> None:
    payment_id = paid_by_card(live_server)
    page, watching = owner(f"/owner/payments/{payment_id}"), owner("/owner/payments")
    row = watching.locator(f"#payments-{payment_id}")
    expect(row).to_contain_text("Captured")
    page.get_by_role("button", name="Refund").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount").fill("200")
    dialog.get_by_label("Reason").fill("The band did not play")
    dialog.get_by_role("button", name="Refund").click()
    expect(dialog.get_by_text("Give more than nothing, and at most €100,00.")).to_be_visible()
    expect(dialog.get_by_label("Reason")).to_have_value("The band did not play")
    dialog.get_by_label("Amount").fill("25.50")
    dialog.get_by_role("button", name="Refund").click()
    toast(page, "€25,50 is on its way back to the card.")
    expect(page.locator("#story")).to_contain_text("A refund was begun")
    expect(row).to_contain_text("25,50")
    found = live_server.sql("select amount, reason from refunds where payment_id = $1", payment_id)
    assert [tuple(one) for one in found] == [(2_550, "The band did not play")]


def test_a_dispute_is_answered_before_its_date(owner: Callable[[str], Page], live_server: LiveServer) -> None:
    dispute_id = disputed_payment(live_server)
    page = owner("/owner/disputes")
    waiting = page.locator("#waiting tbody tr").filter(has=page.locator(f"a[href*='{dispute_id}']"))
    expect(waiting).to_contain_text("by ")
    waiting.get_by_role("link", name="Answer").click()
    page.get_by_role("button", name="Send to the bank").click()
    answer = page.get_by_label("What speaks for the payment")
    expect(answer).to_have_attribute("aria-invalid", "true")
    answer.fill("They checked in at nine and ordered twice.")
    page.get_by_role("button", name="Send to the bank").click()
    toast(page, "Your answer is on its way to the bank.")
    expect(page.locator("#story")).to_contain_text("A dispute was answered")


def test_a_failed_event_is_replayed(owner: Callable[[str], Page], live_server: LiveServer) -> None:
    event_id = failed_event(live_server)
    page = owner("/owner/provider-events?state=failed")
    page.locator(f"a[href$='{event_id}']").click()
    expect(page.locator("#story")).to_contain_text("another payment")
    page.get_by_role("button", name="Replay").click()
    page.get_by_role("dialog").get_by_role("button", name="Replay").click()
    toast(page, "It is worked off again.")
    expect(page.locator("#story")).not_to_contain_text("It could not be worked off")


def test_who_only_reads_is_offered_nothing(live_server: LiveServer, console_of: Console) -> None:
    event_id = failed_event(live_server)
    page = console_of(live_server.person("manager"), f"/owner/provider-events/{event_id}")
    expect(page.locator("#story")).to_contain_text("payment_intent")
    expect(page.get_by_role("button", name="Replay")).to_have_count(0)


def test_the_screens_in_every_theme(owner: Callable[[str], Page], live_server: LiveServer, console_of: Console) -> None:
    dispute_id, event_id = disputed_payment(live_server), failed_event(live_server)
    [row] = live_server.sql("select payment_id from disputes where id = $1", dispute_id)
    page = owner("/owner/payments")
    for path in (
        "/owner/payments",
        f"/owner/payments/{row['payment_id']}",
        "/owner/refunds",
        "/owner/disputes",
        "/owner/ledger/holds",
        f"/owner/disputes/{dispute_id}/evidence",
        "/owner/provider-events",
        f"/owner/provider-events/{event_id}",
    ):
        page.goto(path)
        assert wrong_in_themes(page) == [], path
    crew = console_of(live_server.person("super_admin"), "/platform/provider-events", reduced_motion="reduce")
    expect(crew.locator("#inboxes")).to_contain_text("another payment")
    assert wrong_in_themes(crew) == []
    crew.goto("/platform/provider-events/all?state=failed")
    assert wrong_in_themes(crew) == []


def test_the_crew_finds_a_failed_event_among_all_and_replays_it(live_server: LiveServer, console_of: Console) -> None:
    event_id = failed_event(live_server)
    page = console_of(live_server.person("super_admin"), "/platform", reduced_motion="reduce")
    tile = page.get_by_role("link", name="Failed card events")
    tile.click()
    page.locator(f"a[href$='{event_id}']").click()
    page.get_by_role("button", name="Replay").click()
    page.get_by_role("dialog").get_by_role("button", name="Replay").click()
    toast(page, "It is worked off again.")
    expect(page.locator("#story")).not_to_contain_text("It could not be worked off")
