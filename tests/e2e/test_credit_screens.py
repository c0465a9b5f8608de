"""Credits on the consoles in Chromium: adjusted by one, approved by another, seen in the history; a spend given back; the books by two people."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import toast, wrong_in_themes
from tests.support.live_server import LiveServer
from tests.support.tour_credits import adjust, guest_with_credits, patron_of, spend

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
NARROW = {"width": 360, "height": 780}


def test_an_adjustment_is_asked_for_approved_and_stands_in_the_history(
    live_server: LiveServer, console_of: Console
) -> None:
    patron_id = patron_of(live_server, live_server.new_guest("Busi Khumalo").email)
    manager, owner = live_server.person("manager"), live_server.person("owner")
    page = console_of(manager, f"/manage/credits/{patron_id}", reduced_motion="reduce")
    watching = console_of(owner, "/owner/adjustments", reduced_motion="reduce")
    page.get_by_role("button", name="Adjust").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Up to R\u00a0500,00 you do it alone.")
    dialog.get_by_role("button", name="Adjust").click()
    expect(dialog.get_by_label("Amount")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Amount").fill("750")
    dialog.get_by_label("Reason").fill("Their party had no sound")
    dialog.get_by_role("button", name="Adjust").click()
    toast(page, "It waits for a second person.")
    waiting = page.locator("#guest-adjustments tbody tr")
    expect(waiting).to_contain_text("Their party had no sound")
    waiting.get_by_role("link").click()
    expect(page.get_by_text("You asked for this: another person decides.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    row = watching.locator("#waiting tbody tr").filter(has_text="Busi Khumalo")
    expect(row).to_contain_text("750,00")
    row.get_by_role("link", name="Decide").click()
    watching.get_by_role("button", name="Approve").click()
    asked = watching.get_by_role("dialog")
    expect(asked).to_contain_text("Their party had no sound")
    asked.get_by_role("button", name="Approve").click()
    toast(watching, "It is approved and booked.")
    expect(page.locator("#story")).to_contain_text("Booked")
    watching.get_by_role("link", name="Busi Khumalo", exact=True).click()
    expect(watching.locator("#purse")).to_contain_text("750,00")
    history = watching.locator("#credit_entries tbody tr")
    expect(history).to_contain_text("Adjusted")
    expect(history).to_contain_text("Their party had no sound")


def test_a_spend_is_given_back_and_the_guests_page_hears_of_it(live_server: LiveServer, console_of: Console) -> None:
    client = live_server.client(live_server.person("owner"))
    patron_id = guest_with_credits(live_server, client, "Nomsa Zulu")
    spent = spend(client, live_server, patron_id, 2_500)
    client.close()
    manager = live_server.person("manager")
    page = console_of(manager, f"/manage/credits/entries/{spent}", reduced_motion="reduce")
    watching = console_of(manager, f"/manage/credits/{patron_id}", reduced_motion="reduce")
    expect(watching.locator("#purse")).to_contain_text("75,00")
    page.get_by_role("button", name="Give it back").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Amount").fill("10")
    dialog.get_by_label("Reason").fill("The puck was missing")
    dialog.get_by_role("button", name="Give it back").click()
    toast(page, "R 10,00 is the guest's again.")
    expect(page.locator("#story")).to_contain_text("is not given back")
    expect(watching.locator("#purse")).to_contain_text("85,00")
    expect(watching.locator("#credit_entries tbody tr").first).to_contain_text("The puck was missing")


def test_the_books_show_both_entries_before_they_are_posted(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("owner"), "/owner/ledger/accounts", reduced_motion="reduce")
    page.get_by_role("link", name="Adjust", exact=True).click()
    page.get_by_label("Debit").select_option(label="Losses")
    page.get_by_label("Credit").select_option(label="Losses")
    page.get_by_label("Amount").fill("145")
    page.get_by_role("button", name="Show the entries").click()
    expect(page.get_by_label("Credit")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Credit").select_option(label="Bank")
    page.get_by_role("button", name="Show the entries").click()
    shown = page.get_by_role("region", name="Debits and credits").locator("tbody tr")
    expect(shown).to_have_count(2)
    expect(shown.nth(0)).to_contain_text("Losses")
    expect(shown.nth(1)).to_contain_text("Bank")
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Reason").fill("Counted short")
    page.get_by_role("button", name="Ask for it").click()
    toast(page, "It waits for a second person.")
    expect(page.locator("#story")).to_contain_text("Counted short")
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)


def test_the_screens_fit_a_phone_in_both_themes(live_server: LiveServer, console_of: Console) -> None:
    client = live_server.client(live_server.person("manager"))
    owner = live_server.client(live_server.person("owner"))
    patron_id = guest_with_credits(live_server, owner, "Palesa Mokoena")
    spent, made = spend(owner, live_server, patron_id, 1_000), adjust(client, patron_id, 80_000)
    client.close()
    owner.close()
    page = console_of(live_server.person("owner"), "/owner/credits", viewport=NARROW, reduced_motion="reduce")
    for path in (
        "/owner/credits",
        "/owner/credits/entries",
        f"/owner/credits/{patron_id}",
        f"/owner/credits/entries/{spent}",
        "/owner/adjustments",
        f"/owner/adjustments/{made}",
        "/owner/ledger/adjustments/new?source=losses&destination=bank&amount=145&currency=ZAR",
    ):
        page.goto(path)
        assert wrong_in_themes(page) == [], path


def test_who_may_not_is_refused_and_offered_nothing(live_server: LiveServer, console_of: Console) -> None:
    page = console_of(live_server.person("staff"), "/manage/credits")
    expect(page.locator("h1")).to_contain_text("not")
    expect(page.get_by_role("link", name="Credits")).to_have_count(0)
    page = console_of(live_server.person("manager"), "/manage/adjustments")
    expect(page.get_by_role("link", name="Decide")).to_have_count(0)
