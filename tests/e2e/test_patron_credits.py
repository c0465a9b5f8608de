"""Credits in the guest's app: bought with cards of every temper, left and come back to, read without a network, sent back."""

from collections.abc import Generator
from contextlib import closing
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from lastlight.ui.render import BUILD
from tests.e2e.conftest import NewContext
from tests.support.browser import lose_answers, toast, wrong_in_themes
from tests.support.card_payers import (
    BANK_ASKS,
    DECLINED,
    DISPUTED,
    GOOD,
    buy,
    fields,
    payments_of,
    press_pay,
    shown,
    type_card,
    until_paid,
    until_status,
    wish,
)
from tests.support.guests import PHONE_OPTIONS, open_app, until_remembered, wait_until
from tests.support.live_server import LiveServer, running_platform
from tests.support.postgres import PostgresServer, database
from tests.support.processors import SandboxBeside, sandbox_beside

pytestmark = pytest.mark.browser
NARROW = {"width": 360, "height": 780}


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Generator[SandboxBeside]:
    """The card provider."""
    with sandbox_beside(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture(scope="module")
def live_server(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, beside: SandboxBeside
) -> Generator[LiveServer]:
    """A platform that is paid through the sandbox."""
    assert (BUILD / "manifest.json").is_file(), "Run `npm run build`."
    with (
        database(postgres_server, name="paying") as dsn,
        running_platform(dsn, tmp_path_factory.mktemp("paying"), beside=beside) as server,
    ):
        yield server


@pytest.fixture
def phone(new_context: NewContext) -> BrowserContext:
    """A narrow phone."""
    return new_context(**{**PHONE_OPTIONS, "viewport": NARROW}, reduced_motion="reduce")


def test_a_card_buys_credits_and_our_page_never_sees_it(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    expect(page.locator("a.p-purse b")).to_have_text(shown("R 0,00"))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.url} {request.post_data or ''}"))
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Credits").click()
    assert wrong_in_themes(page) == []
    page.get_by_role("button", name="Buy credits").click()
    expect(page.get_by_role("dialog", name="Buy credits")).to_be_visible()
    assert wrong_in_themes(page) == []
    page.get_by_role("button", name="Cancel").click()
    wish(page)
    expect(page.locator(".tabbar")).to_have_count(0)
    expect(fields(page).get_by_label("Card number")).to_be_visible()
    assert wrong_in_themes(page) == []
    type_card(page, GOOD)
    press_pay(page)
    until_paid(page)
    expect(page.get_by_text(shown("You have R 250,00 to spend now."))).to_be_visible()
    assert wrong_in_themes(page) == []
    assert [one for one in sent if one.startswith(live_server.base_url) and "4242" in one] == []
    assert any("4242424242424242" in one for one in sent), "the fields send it to the provider"
    page.get_by_role("link", name="See the receipt").click()
    expect(page.get_by_text("Visa ending in 4242")).to_be_visible()
    expect(page.get_by_text("Kōjō Arcade", exact=True).last).to_be_visible()
    assert wrong_in_themes(page) == []
    page.get_by_role("link", name="All credits").click()
    expect(page.get_by_role("region", name="Credits in ZAR").locator("b")).to_have_text(shown("R 250,00"))
    expect(page.get_by_role("region", name="History").get_by_role("listitem")).to_have_text(
        [shown(r"Bought.*\+R 250,00")]
    )
    expect(page.get_by_text("Next to expire")).to_be_visible()
    assert wrong_in_themes(page) == []
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.locator("a.p-purse b")).to_have_text(shown("R 250,00"))
    assert [one["status"] for one in payments_of(live_server, guest)] == ["captured"]


def test_only_the_page_with_the_fields_may_load_them(
    live_server: LiveServer, beside: SandboxBeside, phone: BrowserContext
) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    wish(page)
    policies = {
        path: phone.request.get(path).headers["content-security-policy"] for path in ("/patron/credits", page.url)
    }
    assert [beside.base in policy for policy in policies.values()] == [False, True]
    assert phone.request.get(page.url).headers["cache-control"] == "no-store"
    page.get_by_role("link", name="My credits").click()
    page.wait_for_url("**/patron/credits")
    assert page.evaluate("typeof window.Stripe") == "undefined", "a page of its own, left as a whole"


def test_a_declined_card_says_why_and_another_one_pays(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    wish(page)
    press_pay(page)
    expect(fields(page).get_by_text("Your card number is incomplete.")).to_be_visible()
    expect(page.locator(".p-alert")).to_be_empty()
    type_card(page, DECLINED)
    press_pay(page)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was paid. Your card has insufficient funds.")
    assert wrong_in_themes(page) == []
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("Your card has insufficient funds.")
    type_card(page, GOOD)
    press_pay(page)
    until_paid(page)
    assert [(one["status"], one["failure"]) for one in payments_of(live_server, guest)] == [("captured", "")]


def test_a_bank_that_asks_is_answered_now_or_after_coming_back(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    wish(page)
    type_card(page, BANK_ASKS)
    press_pay(page)
    bank = page.frame_locator("dialog iframe")
    expect(bank.get_by_role("button", name="Complete")).to_be_visible()
    until_status(page, live_server, guest, "open")
    page.reload()  # in the middle of it
    page.goto("/patron/credits")
    page.get_by_role("link", name=shown("Continue to pay R 250,00")).click()
    expect(page.get_by_role("heading", name="Pay by card")).to_be_visible()
    expect(fields(page).get_by_label("Card number")).to_be_visible()
    type_card(page, BANK_ASKS)
    press_pay(page)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="Your bank asks whether it is you")).to_be_visible()
    assert wrong_in_themes(page) == []
    page.reload()
    page.get_by_role("button", name="Confirm with my bank").click()
    bank.get_by_role("button", name="Fail").click()
    expect(fields(page).get_by_label("Card number")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("We are unable to authenticate")
    type_card(page, BANK_ASKS)
    press_pay(page)
    bank.get_by_role("button", name="Complete").click()
    until_paid(page)
    until_status(page, live_server, guest, "captured")


def test_an_unfinished_payment_is_continued_and_never_begun_twice(
    live_server: LiveServer, phone: BrowserContext
) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    page.goto("/patron/credits")
    keys = lose_answers(page, "**/api/patron/credits/purchases", times=1)
    page.get_by_role("button", name="Buy credits").click()
    pay = page.get_by_role("dialog").get_by_role("button", name="Pay")
    pay.click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Not finished")).to_be_visible()
    page.get_by_role("button", name="Buy credits").click()
    pay.click()
    page.wait_for_url("**/patron/pay/*")
    first = page.url
    assert len(keys) == 1, "the one that is there is continued"
    expect(fields(page).get_by_label("Card number")).to_be_visible()
    page.go_back()
    wish(page, "R 100,00")
    assert page.url == first
    page.reload()
    type_card(page, GOOD)
    press_pay(page)
    until_paid(page)
    page.reload()
    until_paid(page)
    until_status(page, live_server, guest, "captured")
    page.goto("/patron/credits")
    expect(page.get_by_role("region", name="History").get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("heading", name="Not finished")).to_have_count(0)


def test_a_wish_that_never_arrived_keeps_its_key(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    page.goto("/patron/credits")
    keys: list[str | None] = []
    purchases = "**/api/patron/credits/purchases"

    def lose(route: Route) -> None:
        keys.append(route.request.header_value("idempotency-key"))
        route.abort()

    page.route(purchases, lose)
    page.get_by_role("button", name="Buy credits").click()
    page.get_by_role("dialog").get_by_role("button", name="Pay").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    page.unroute(purchases)
    page.reload()
    expect(page.get_by_text("Sent without an answer; nothing is paid.")).to_be_visible()
    with page.expect_request(purchases) as again:
        page.get_by_role("region", name="Not finished").get_by_role("button", name="Continue").click()
    assert [again.value.header_value("idempotency-key")] == keys
    page.wait_for_url("**/patron/pay/*")
    assert len(payments_of(live_server, guest)) == 1


def test_giving_up_pays_nothing_and_starts_again(live_server: LiveServer, phone: BrowserContext) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    wish(page)
    expect(fields(page).get_by_label("Card number")).to_be_visible()
    page.get_by_role("button", name="Give up this payment").click()
    expect(page.get_by_role("heading", name="Given up: nothing was paid")).to_be_visible()
    assert wrong_in_themes(page) == []
    before = page.url
    page.get_by_role("button", name="Start again").click()
    page.wait_for_url(lambda url: "/patron/pay/" in url and url != before)
    expect(fields(page).get_by_label("Card number")).to_be_visible()
    until_status(page, live_server, guest, "canceled", "open")


def test_a_provider_that_is_away_is_waited_for(
    live_server: LiveServer, beside: SandboxBeside, phone: BrowserContext
) -> None:
    page = open_app(phone, live_server.new_guest())
    phone.route("**/stripe.js", lambda route: route.abort())
    beside.control("answers", mode="error", count=3, path="/v1/payment_intents")
    wish(page)
    expect(page.get_by_role("heading", name="Your payment is being prepared")).to_be_visible()
    expect(page.get_by_role("heading", name="The card provider cannot be reached")).to_be_visible()
    assert wrong_in_themes(page) == []
    phone.unroute("**/stripe.js")
    page.get_by_role("button", name="Try again").click()
    type_card(page, GOOD)
    press_pay(page)
    until_paid(page)


def test_credits_are_read_without_a_network(live_server: LiveServer, phone: BrowserContext) -> None:
    page = open_app(phone, live_server.new_guest(), ready=True)
    paid = buy(page)
    page.get_by_role("link", name="See the receipt").click()
    expect(page.get_by_text("Visa ending in 4242")).to_be_visible()
    page.get_by_role("link", name="All credits").click()
    expect(page.get_by_role("region", name="History").get_by_role("listitem")).to_have_count(1)
    for path in ("/api/patron/credits", "/api/patron/credits/entries", f"/api/patron/credits/purchases/{paid}"):
        until_remembered(page, path)
    phone.set_offline(True)
    page.reload()
    expect(page.get_by_text("Buying needs signal.")).to_be_visible()
    expect(page.get_by_role("region", name="Credits in ZAR").locator("b")).to_have_text(shown("R 250,00"))
    expect(page.get_by_role("button", name="Buy credits")).to_be_disabled()
    page.get_by_role("region", name="History").get_by_role("link", name="Bought").click()
    expect(page.get_by_text("Visa ending in 4242")).to_be_visible()
    expect(page.get_by_role("button", name="Ask the money back")).to_be_disabled()
    page.goto(f"/patron/pay/{paid}")
    expect(page.get_by_text("Paying needs signal.")).to_be_visible()
    phone.set_offline(False)
    until_paid(page)


def test_the_money_is_sent_back_once_it_is_confirmed(live_server: LiveServer, phone: BrowserContext) -> None:
    page = open_app(phone, live_server.new_guest())
    buy(page, "R 500,00")
    page.get_by_role("link", name="See the receipt").click()
    page.get_by_role("button", name="Ask the money back").click()
    dialog = page.get_by_role("dialog", name="Ask the money back?")
    expect(dialog).to_contain_text(shown("Send R 500,00 back to your card?"))
    assert wrong_in_themes(page) == []
    dialog.get_by_role("button", name="Keep my credits").click()
    expect(page.get_by_role("button", name="Ask the money back")).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Send it back").click()
    toast(page, "is on its way back to your card")
    expect(page.get_by_text("· done")).to_be_visible()
    expect(page.get_by_role("button", name="Ask the money back")).to_have_count(0)
    assert wrong_in_themes(page) == []
    page.get_by_role("link", name="All credits").click()
    expect(page.get_by_role("region", name="Credits in ZAR").locator("b")).to_have_text(shown("R 0,00"))
    expect(page.get_by_role("region", name="History").get_by_role("listitem")).to_have_text(
        [shown("Sent back to the card.*−R 500,00"), shown(r"Bought.*\+R 500,00")]
    )


def test_a_bank_that_takes_its_time_may_be_left_alone(live_server: LiveServer, phone: BrowserContext) -> None:
    page = open_app(phone, live_server.new_guest())

    def slowly(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        route.fulfill(response=answer, json=told | ({"status": "processing"} if told["status"] == "captured" else {}))

    page.route("**/api/patron/payments/*", slowly)
    wish(page)
    type_card(page, GOOD)
    press_pay(page)
    expect(page.get_by_role("heading", name="Your payment is being processed")).to_be_visible()
    expect(page.get_by_text("You may leave this page")).to_be_visible()
    expect(page.get_by_role("button", name="Give up this payment")).to_have_count(0)
    assert wrong_in_themes(page) == []
    page.unroute("**/api/patron/payments/*")
    until_paid(page)  # by itself: the page goes on looking


def test_what_a_bank_asks_about_is_frozen_and_told(
    live_server: LiveServer, beside: SandboxBeside, phone: BrowserContext
) -> None:
    guest = live_server.new_guest()
    page = open_app(phone, guest)
    buy(page, "R 100,00")
    page.get_by_role("link", name="My credits").last.click()
    paid = buy(page, "R 250,00", card=DISPUTED)
    beside.control("clock", seconds=10)
    with closing(live_server.client(guest)) as client:
        assert client.post(f"/api/patron/payments/{paid}/check").status_code < 300
    wait_until(page, lambda: [one["disputed"] for one in payments_of(live_server, guest)] == [0, 25_000])
    page.goto("/patron/credits")
    purse = page.get_by_role("region", name="Credits in ZAR")
    expect(purse.locator("b")).to_have_text(shown("R 100,00"))
    expect(purse.get_by_text(shown("R 250,00 more is frozen"))).to_be_visible()
    newest = page.get_by_role("region", name="History").get_by_role("listitem").first
    expect(newest).to_contain_text(shown("Frozen: the bank asks"))
    expect(newest).to_contain_text(shown("R 250,00 set aside"))
    assert wrong_in_themes(page) == []
    page.goto(f"/patron/credits/{paid}")
    expect(page.get_by_text("Of it frozen")).to_be_visible()
    expect(page.get_by_role("button", name="Ask the money back")).to_have_count(0)
    assert wrong_in_themes(page) == []
    win(page, live_server, beside)
    with closing(live_server.client(guest)) as client:
        assert client.post(f"/api/patron/payments/{paid}/check").status_code < 300
    wait_until(page, lambda: [one["disputed"] for one in payments_of(live_server, guest)] == [0, 0])
    page.goto("/patron/credits")
    expect(newest).to_contain_text(shown("Released again"))
    expect(newest).to_contain_text(shown("R 250,00 free again"))
    expect(purse.locator("b")).to_have_text(shown("R 350,00"))


def win(page: Page, server: LiveServer, beside: SandboxBeside) -> None:
    """Answer the one dispute that waits for it, and let the bank agree."""
    with closing(server.client(server.person("owner"))) as client:
        [waiting] = client.get("/api/disputes", params={"status": "needs_response"}).json()["items"]
        path, evidence = f"/api/disputes/{waiting['id']}/evidence", {"evidence": "winning_evidence"}
        assert client.post(path, json=evidence, headers={"Idempotency-Key": str(uuid4())}).status_code == 200
        wait_until(page, lambda: client.get(f"/api/disputes/{waiting['id']}").json()["answered_at"] is not None)
    beside.control("clock", seconds=10)


def choose_currency(page: Page, currency: str) -> None:
    page.get_by_role("dialog").get_by_text(currency, exact=True).click()


def test_amounts_of_one_s_own_in_currencies_of_none_two_and_three_decimals(
    live_server: LiveServer, phone: BrowserContext
) -> None:
    business = "the-low-light"
    for currency in ("JPY", "KWD"):
        live_server.new_venue(f"Low {currency}", business=business, currency=currency)
    page = open_app(phone, live_server.new_guest(business=business))
    page.goto("/patron/credits")
    page.get_by_role("button", name="Buy credits").click()
    dialog = page.get_by_role("dialog")
    amount, pay = dialog.get_by_role("textbox"), dialog.get_by_role("button", name="Pay")
    dialog.get_by_text("Another amount").click()
    for typed in ("12,345", "0,01", "999999", "abc", ""):
        amount.fill(typed)
        pay.click()
        expect(amount).to_have_attribute("aria-invalid", "true")
    amount.fill("150,50")
    expect(pay).to_have_text(shown("Pay R 150,50 by card"))
    choose_currency(page, "JPY")
    amount.fill("150.5")
    pay.click()
    expect(amount).to_have_attribute("aria-invalid", "true")
    amount.fill("1500")
    expect(pay).to_contain_text("1 500".replace(" ", "\u00a0"))
    choose_currency(page, "KWD")
    amount.fill("123.4")
    expect(pay).to_contain_text("123,400")
    assert wrong_in_themes(page) == []
    pay.click()
    page.wait_for_url("**/patron/pay/*")
    type_card(page, GOOD)
    page.get_by_role("button", name="Pay KWD").click()
    until_paid(page)
    page.get_by_role("link", name="My credits").last.click()
    expect(page.get_by_role("region", name="Credits in KWD").locator("b")).to_contain_text("123,400")
