"""Guests who pay by card in a browser: typing into the provider's fields, which are in a frame of the sandbox."""

import re
from typing import Any

from playwright.sync_api import FrameLocator, Page, expect

from tests.support.guests import wait_until
from tests.support.live_server import LiveServer, Person

GOOD, DECLINED, BANK_ASKS, DISPUTED = "4242424242424242", "4000000000009995", "4000000000003220", "4000000000000259"
PAYMENTS = """
select p.* from payments p join patrons g on g.tenant_id = p.tenant_id and g.id = p.patron_id
join users u on u.id = g.user_id where u.email = $1 order by p.created_at
"""


def payments_of(server: LiveServer, guest: Person) -> list[Any]:
    """The card payments of a guest, the oldest first."""
    return server.sql(PAYMENTS, guest.email)


def shown(amount: str) -> re.Pattern[str]:
    """An amount as the app writes it: whatever space stands between the currency and the figures."""
    return re.compile(amount.replace(" ", r"\s"))


def fields(page: Page) -> FrameLocator:
    """The frame with the fields."""
    return page.frame_locator("iframe[title='Secure card fields']")


def type_card(page: Page, number: str, *, anew: bool = False) -> None:
    """Type a card as fingers do; `anew`: in the place of another one."""
    if anew:
        fields(page).get_by_label("Card number").fill("")
        fields(page).get_by_label("Card number").press_sequentially(number)
        return
    for label, text in (("Card number", number), ("Expiry date", "1234"), ("Security code", "123")):
        fields(page).get_by_label(label).press_sequentially(text)


def press_pay(page: Page) -> None:
    """Press the button under the fields."""
    page.get_by_role("button", name=re.compile("^Pay R")).click()


def wish(page: Page, amount: str = "R 250,00") -> None:
    """Open the credits, choose a package, and go on to the page with the fields."""
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Credits").click()
    page.get_by_role("button", name="Buy credits").click()
    page.locator("dialog .chip").filter(has_text=shown(amount)).click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("^Pay")).click()
    page.wait_for_url("**/patron/pay/*")


def until_paid(page: Page) -> None:
    """Wait until the page says so."""
    expect(page.get_by_role("heading", name="Paid. Thank you.")).to_be_visible()


def buy(page: Page, amount: str = "R 250,00", *, card: str = GOOD) -> str:
    """Buy credits with a good card; the payment's id."""
    wish(page, amount)
    type_card(page, card)
    press_pay(page)
    until_paid(page)
    return page.url.rsplit("/", 1)[-1]


def until_status(page: Page, server: LiveServer, guest: Person, *statuses: str) -> None:
    """Wait until a guest's payments stand so, the oldest first."""
    wait_until(page, lambda: tuple(one["status"] for one in payments_of(server, guest)) == statuses)
