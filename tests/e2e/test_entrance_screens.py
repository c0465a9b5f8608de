"""A venue that costs something: the price is set, the door says what is missing and what was paid, a manager gives it back."""

from collections.abc import Callable
from contextlib import closing
from uuid import UUID, uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from lastlight.domains.credits.funding import FUNDING
from lastlight.kernel.ids import PatronId
from tests.e2e.conftest import NewContext
from tests.support.browser import toast, wrong_in_themes
from tests.support.card_payers import shown
from tests.support.doors import TABLET, open_door, pass_holder, said, wedge
from tests.support.guests import PHONE_OPTIONS, open_app, type_code
from tests.support.live_server import LiveServer, Person
from tests.support.payment_things import disputed

pytestmark = pytest.mark.browser
Console = Callable[..., Page]
PATRON = "select p.id from patrons p join users u on u.id = p.user_id where u.email = $1"

OWED = """
insert into entry_charges (tenant_id, checkin_id, venue_id, patron_id, business_day, status, amount, currency, tax_category)
select c.tenant_id, c.id, c.venue_id, c.patron_id, current_date, 'unpaid', 5000, 'ZAR', 'untaxed' from checkins c where c.id = $1
"""


@pytest.fixture
def phone(new_context: NewContext) -> BrowserContext:
    """A guest's phone, at the venues' door."""
    return new_context(**PHONE_OPTIONS, reduced_motion="reduce")


@pytest.fixture
def tablet(new_context: NewContext) -> BrowserContext:
    """The device at the door."""
    return new_context(**TABLET)


def give(server: LiveServer, guest: Person, amount: int) -> None:
    """Credits as a gift of the house."""
    [row] = server.sql(PATRON, guest.email)
    client = server.client(server.person("owner"))
    try:
        body = {"patron_id": str(row["id"]), "amount": amount, "currency": "ZAR", "reason": "A welcome"}
        answer = client.post("/api/credits/adjustments", json=body, headers={"Idempotency-Key": str(uuid4())})
        assert answer.is_success, answer.text
    finally:
        client.close()


def set_price(console_of: Console, server: LiveServer, venue: UUID) -> None:
    """The owner asks for a cover charge, having typed nonsense first."""
    page = console_of(server.person("owner"), f"/owner/venues/{venue}/entrance", reduced_motion="reduce")
    expect(page.get_by_text("free", exact=True)).to_be_visible()
    assert wrong_in_themes(page) == []
    page.get_by_label("Price").fill("fifty")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Price")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Price").fill("50")
    page.get_by_role("button", name="Save").click()
    toast(page, "Whoever comes in from now on pays this.")
    expect(page.get_by_label("Price")).to_have_value("50,00")


def test_a_guest_sees_the_price_and_what_is_missing_and_a_manager_gives_it_back(
    live_server: LiveServer, phone: BrowserContext, console_of: Console
) -> None:
    venue, guest = live_server.new_venue("Kōjō Cover"), live_server.new_guest("Lerato Cover")
    set_price(console_of, live_server, venue)
    give(live_server, guest, 3_000)
    page = open_app(phone, guest)
    page.goto(f"/patron/venues/{venue}")
    expect(page.get_by_role("region", name="Entrance")).to_contain_text(shown("R 50,00"))
    assert wrong_in_themes(page) == []
    page.goto("/patron")
    type_code(page, lambda: live_server.code(venue))
    sheet = page.get_by_role("dialog", name="There are too few credits for the entrance")
    expect(sheet).to_contain_text("The entrance costs R\u00a050,00, and R\u00a020,00 of it is missing")
    assert wrong_in_themes(page) == []
    expect(sheet.get_by_role("link", name="Buy credits")).to_have_attribute("href", "/patron/credits")
    sheet.get_by_role("button", name="Close").click()
    give(live_server, guest, 2_500)
    type_code(page, lambda: live_server.code(venue))
    expect(page.get_by_role("button", name="Check out")).to_be_visible()
    toast(page, shown("R 50,00 was paid from your credits"))
    [made] = live_server.sql("select checkin_id from entry_charges where venue_id = $1", venue)
    _refund(live_server, console_of, made["checkin_id"])
    page.goto("/patron/credits")
    expect(page.get_by_text(shown("R 55,00")).first).to_be_visible()
    page.get_by_role("button", name="Given back").click()
    expect(page.get_by_role("dialog")).to_contain_text("The band did not come")
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Spent", exact=True).click()
    expect(page.get_by_role("dialog")).to_contain_text("Entrance, Kōjō Cover")
    assert wrong_in_themes(page) == []


def _refund(server: LiveServer, console_of: Console, checkin_id: UUID) -> None:
    """A part of it first, then what is left; more than that is refused."""
    page = console_of(server.person("manager"), f"/manage/checkins/{checkin_id}", reduced_motion="reduce")
    expect(page.locator("#main")).to_contain_text(shown("R 50,00 paid with credits"))
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Give back the entrance").click()
    dialog.get_by_label("Amount").fill("50.01")
    dialog.get_by_label("Reason").fill("The band did not come")
    dialog.get_by_role("button", name="Give it back").click()
    expect(dialog.get_by_label("Amount")).to_have_attribute("aria-invalid", "true")
    assert wrong_in_themes(page) == []
    dialog.get_by_label("Amount").fill("50")
    dialog.get_by_role("button", name="Give it back").click()
    toast(page, "R 50,00 went back to the guest's credits.")
    expect(page.get_by_role("button", name="Give back the entrance")).to_have_count(0)
    page.goto("/manage/checkins?entrance=refunded")
    expect(page.get_by_role("row", name="Lerato Cover")).to_contain_text("Given back")


def test_the_door_says_what_is_missing_what_was_paid_and_what_is_owed(
    live_server: LiveServer, tablet: BrowserContext, console_of: Console
) -> None:
    venue = live_server.new_venue("Kōjō Toll")
    rich, poor = pass_holder(live_server), pass_holder(live_server, live_server.new_guest("Sizwe Toll"))
    set_price(console_of, live_server, venue)
    give(live_server, rich.person, 5_000)
    give(live_server, poor.person, 1_000)
    page = open_door(tablet, live_server, venue)
    answer = page.locator(".d-answer-in")
    wedge(page, poor.show())
    assert said(page) == "Too few credits"
    expect(answer).to_contain_text(shown("R 40,00 is missing"))
    assert wrong_in_themes(page) == []
    page.get_by_role("button", name="Next guest").click()
    wedge(page, rich.show())
    assert said(page) == "Come in"
    expect(answer).to_contain_text(shown("Entrance R 50,00 paid"))
    [row] = live_server.sql("select status, amount from entry_charges where patron_id = $1", UUID(rich.patron_id))
    assert tuple(row) == ("paid", 5_000)
    assert live_server.sql("select 1 from visits where patron_id = $1", UUID(poor.patron_id)) == []


def frozen(server: LiveServer, guest: Person) -> None:
    """A guest whose one purchase, of R 100,00, their bank disputes."""
    [row] = server.sql(PATRON, guest.email)
    whose = {"patron_id": PatronId(row["id"]), "purpose": FUNDING, "currency": "ZAR"}
    server.backstage.run(disputed(server.backstage.services, server.businesses["kojo-arcade"].id, **whose))


def expired(server: LiveServer, guest: Person) -> None:
    """A guest whose one gift, of R 70,00, is over since yesterday."""
    give(server, guest, 7_000)
    [row] = server.sql(PATRON, guest.email)
    server.sql("update credit_lots set expires_at = now() - interval '1 day' where patron_id = $1", row["id"])


@pytest.mark.parametrize(
    ("had", "told"),
    [
        (frozen, ("Credits frozen", "R 100,00 of their credits is frozen while a card payment is disputed.")),
        (expired, ("Credits expired", "R 70,00 of their credits has expired.")),
    ],
)
def test_the_door_says_what_became_of_credits_that_cannot_pay_and_what_to_do(
    live_server: LiveServer,
    tablet: BrowserContext,
    console_of: Console,
    had: Callable[[LiveServer, Person], None],
    told: tuple[str, str],
) -> None:
    venue, holder = live_server.new_venue("Kōjō Frozen"), pass_holder(live_server)
    set_price(console_of, live_server, venue)
    had(live_server, holder.person)
    word, advice = told
    page = open_door(tablet, live_server, venue)
    wedge(page, holder.show())
    assert said(page) == word
    answer = page.locator(".d-answer-in")
    expect(answer).to_contain_text(shown(advice))
    expect(answer).to_contain_text("They can buy credits in their app and show the pass again, or ask a manager.")
    expect(answer).to_contain_text(shown("R 50,00 is missing"))
    assert wrong_in_themes(page) == []


def test_what_is_owed_is_let_off_for_a_reason(live_server: LiveServer, console_of: Console) -> None:
    venue = live_server.new_venue("Kōjō Tick")
    with closing(live_server.client(live_server.new_guest("Palesa Tick"))) as client:
        key = {"Idempotency-Key": str(uuid4())}
        answer = client.post("/api/checkin/verify", json={"code": live_server.code(venue)}, headers=key)
        assert answer.status_code == 201, answer.text
    [made] = live_server.sql("select id from checkins where venue_id = $1", venue)
    live_server.sql(OWED, made["id"])
    page = console_of(live_server.person("manager"), f"/manage/checkins/{made['id']}", reduced_motion="reduce")
    page.get_by_role("button", name="Let it off").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(shown("R 50,00"))
    assert wrong_in_themes(page) == []
    dialog.get_by_role("button", name="Let it off").click()
    expect(dialog.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Reason").fill("The door had no network")
    dialog.get_by_role("button", name="Let it off").click()
    toast(page, "It is let off.")
    expect(page.get_by_role("button", name="Let it off")).to_have_count(0)
