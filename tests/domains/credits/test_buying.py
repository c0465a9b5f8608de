"""Buying credits, what a guest is shown of them, and sending them back to the card: by themselves and by staff."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from lastlight.domains.credits import purchases, queries
from lastlight.domains.credits.errors import CreditsFull, CreditsNotSold, NotRefundable, RefundTooLate
from lastlight.domains.credits.listings import BALANCES, ENTRIES, LOTS, OWN_ENTRIES
from lastlight.domains.credits.notices import tenants_with_soon, warn
from lastlight.domains.credits.permissions import CREDITS_CHARGE, CREDITS_READ
from lastlight.domains.credits.schemas import CreditRefundIn, OwnCreditRefundIn, PurchaseIn
from lastlight.domains.credits.settings import PACKAGES, packages_of
from lastlight.domains.credits.spending import spend
from lastlight.domains.payments import PAYMENTS_REFUND
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from tests.support.door import Guest, House
from tests.support.purses import Purse, as_guest, findings, new_purse

DAY = timedelta(days=1)


async def buy(house: House, guest: Guest, **data: Any) -> Any:
    async with as_guest(house, guest) as ctx:
        return await purchases.buy(ctx, data=PurchaseIn(**data))


async def refund(house: House, **data: Any) -> list[tuple[Any, int]]:
    async with house.as_member({PAYMENTS_REFUND.name: None}) as ctx:
        made = await purchases.refund(ctx, data=CreditRefundIn(reason="They asked", **data))
    return [(one.payment_id, one.amount) for one in made.items]


async def refund_own(house: House, purse: Purse, payment_id: Any, amount: int | None = None) -> Any:
    async with as_guest(house, purse.guest) as ctx:
        return await purchases.refund_own(ctx, payment_id=payment_id, data=OwnCreditRefundIn(amount=amount))


@asynccontextmanager
async def rules(house: House, **values: Any) -> AsyncGenerator[None]:
    """The business decides otherwise for a while."""
    put = "insert into tenant_settings (tenant_id, key, value) values ($1, $2, $3::text::jsonb)"
    for name, value in values.items():
        await house.sql(put, house.tenant_id, f"credits.{name}", value)
    try:
        yield
    finally:
        await house.sql("delete from tenant_settings where tenant_id = $1 and key like 'credits.%'", house.tenant_id)


async def test_a_purchase_begins_a_payment_and_gives_nothing_yet(house: House) -> None:
    guest = await house.add_guest()
    bought = await buy(house, guest, amount=10_000, venue_id=house.venue.id)
    assert (bought.status, bought.amount, bought.currency) == ("created", 10_000, "ZAR")
    [row] = await house.sql(
        "select purpose, patron_id, venue_id, amount from payments where id = $1", bought.payment_id
    )
    assert tuple(row) == ("credits", guest.patron_id, house.venue.id, 10_000)
    async with as_guest(house, guest) as ctx:
        assert (await queries.own_credits(ctx)).balances == []


async def test_what_is_not_sold_is_refused(house: House) -> None:
    guest = await house.add_guest()
    for data in ({"amount": 1_999}, {"amount": 500_001}, {"amount": 10_000, "currency": "JPY"}):
        with pytest.raises(Invalid):
            await buy(house, guest, **data)
    with pytest.raises(NotFound):
        await buy(house, guest, amount=10_000, venue_id=house.clear_id())
    async with rules(house, on_sale="false"):
        with pytest.raises(CreditsNotSold):
            await buy(house, guest, amount=10_000)
    rich = await new_purse(house, 1_995_000)
    with pytest.raises(CreditsFull):
        await buy(house, rich.guest, amount=5_001)
    assert await house.sql("select 1 from payments where patron_id = $1", guest.patron_id) == []


async def test_a_guest_sees_what_they_have_and_what_they_can_buy(house: House) -> None:
    purse = await new_purse(house, 1_000, 500, 300)
    await purse.age(purse.payments[0], 40 * DAY)
    await purse.age(purse.payments[1], 20 * DAY)
    await purse.age(purse.payments[2], -DAY)
    async with as_guest(house, purse.guest) as ctx:
        seen = await queries.own_credits(ctx)
    [one] = seen.balances
    assert (one.balance, one.available, one.frozen, one.expiring) == (1_800, 1_500, 0, 500)
    assert [(offer.currency, offer.amounts) for offer in seen.offers] == [("ZAR", [10_000, 25_000, 50_000])]
    async with rules(house, packages='"ZAR 50 150; USD 5 5000 9000"'), as_guest(house, purse.guest) as ctx:
        offers = (await queries.own_credits(ctx)).offers
    assert [(offer.currency, offer.amounts) for offer in offers] == [("ZAR", [5_000, 15_000]), ("USD", [500_000])]


async def test_a_receipt_is_the_payer_s_alone(house: House) -> None:
    purse, other = await new_purse(house, 1_000), await house.add_guest()
    async with as_guest(house, purse.guest) as ctx:
        receipt = await queries.read_receipt(ctx, payment_id=purse.payments[0])
    assert (receipt.amount, receipt.brand, receipt.last4, receipt.venue) == (1_000, "visa", "4242", house.venue.name)
    assert (receipt.remaining, len(receipt.number), receipt.refunds) == (1_000, 12, [])
    assert receipt.paid_at is not None
    assert receipt.refundable_until == receipt.paid_at + 14 * DAY
    with pytest.raises(NotFound):
        async with as_guest(house, other) as ctx:
            await queries.read_receipt(ctx, payment_id=purse.payments[0])
    with pytest.raises(NotFound):
        await refund_own(house, Purse(house, other), purse.payments[0])
    assert await purse.standing() == (1_000, 0)


async def test_staff_send_the_newest_purchases_back_first(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000)
    first, second = purse.payments
    assert await refund(house, patron_id=purse.guest.patron_id, currency="ZAR", amount=1_400) == [
        (second, 1_000),
        (first, 400),
    ]
    assert await purse.standing() == (600, 0)
    with pytest.raises(NotRefundable) as refusal:
        await refund(house, payment_id=first, amount=601)
    assert refusal.value.extra == {"refundable": 600}
    assert await refund(house, payment_id=first) == [(first, 600)]
    rows = await house.sql(
        "select status, released from refunds where payment_id = any ($1) order by released", purse.payments
    )
    assert [tuple(row) for row in rows] == [("created", 400), ("created", 600), ("created", 1_000)]
    assert await findings(house) == []


async def test_staff_send_back_what_has_not_expired_even_before_the_job_has_booked_what_has(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000)
    first, second = purse.payments
    await purse.age(second, -DAY)
    assert await refund(house, patron_id=purse.guest.patron_id, currency="ZAR", amount=300) == [(first, 300)]
    with pytest.raises(NotRefundable) as refusal:
        await refund(house, payment_id=second)
    assert refusal.value.extra == {"refundable": 0}
    assert await purse.standing() == (700, 0)
    assert await purse.lots() == [(700, 0), (0, 0)]


async def test_what_is_no_refund_is_refused(house: House) -> None:
    purse = await new_purse(house, 1_000)
    guest = {"patron_id": purse.guest.patron_id}
    for data in ({}, guest, guest | {"amount": 5}, guest | {"payment_id": purse.payments[0]}):
        with pytest.raises(Invalid):
            await refund(house, **data)
    for data in ({"payment_id": house.clear_id()}, {"patron_id": house.clear_id(), "amount": 5, "currency": "ZAR"}):
        with pytest.raises(NotFound):
            await refund(house, **data)
    with pytest.raises(NotRefundable):
        await refund(house, **guest, amount=1, currency="USD")
    assert await purse.standing() == (1_000, 0)


async def test_a_guest_sends_it_back_within_the_days_that_the_business_gives(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000)
    await purse.spend(300)
    made = await refund_own(house, purse, purse.payments[0])
    assert [one.amount for one in made.items] == [700]
    with pytest.raises(NotRefundable):
        await refund_own(house, purse, purse.payments[0])
    late = "update payments set captured_at = now() - interval '14 days' where id = $1"
    await house.sql(late, purse.payments[1])
    with pytest.raises(RefundTooLate):
        await refund_own(house, purse, purse.payments[1])
    async with rules(house, guest_refund_days="0"):
        third = await purse.buy(200)
        with pytest.raises(RefundTooLate):
            await refund_own(house, purse, third)
    assert await purse.standing() == (1_200, 0)


async def test_a_guest_is_warned_once_of_what_expires_soon(house: House) -> None:
    purse = await new_purse(house, 1_000, 500)
    await purse.age(purse.payments[0], 13 * DAY)
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        assert house.tenant_id in await tenants_with_soon(ctx)
    async with rules(house, warning_days="0"), house.system() as ctx:
        assert await warn.fn(ctx) == 0
    async with house.system() as ctx:
        assert await warn.fn(ctx) >= 1
    async with house.system() as ctx:
        assert await warn.fn(ctx) == 0
    rows = await house.sql(
        "select warned_at is null as untold from credit_lots where patron_id = $1 order by amount",
        purse.guest.patron_id,
    )
    assert [row["untold"] for row in rows] == [True, False]


@pytest.mark.parametrize(
    "text",
    ["100", "ZAR", "ZAR 0", "ZAR 10.001", "zar 10", "GMT 10", "ZAR 1e2", "ZAR x", "ZAR " + " ".join("123456789abcd")],
)
def test_amounts_that_nobody_can_read_are_refused_where_they_are_typed(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        PACKAGES.parse(text)
    assert refusal.value.fields["value"]


def test_amounts_are_read_in_each_currency() -> None:
    assert packages_of(" ZAR 100, 50 ;\nJPY 500;") == {"ZAR": [5_000, 10_000], "JPY": [500]}


async def counted(ctx: Ctx, *, work: Any) -> int:
    before = ctx.db.statements
    await work
    return ctx.db.statements - before


async def test_lists_and_balances_take_as_many_statements_for_many_as_for_one(house: House) -> None:
    few, many = await new_purse(house, 100), await new_purse(house, 100, 100, 100)
    for _ in range(3):
        await many.spend(10)
    async with house.as_member({CREDITS_READ.name: None, CREDITS_CHARGE.name: None}) as ctx:
        for listing in (BALANCES, ENTRIES, LOTS):
            for purse in (few, many):
                query = listing.parse(patron_id=[purse.guest.patron_id])
                assert await counted(ctx, work=listing.page(ctx, query)) == 1
        for purse in (few, many):
            assert await counted(ctx, work=queries.read_balances(ctx, patron_id=purse.guest.patron_id)) == 2
    async with as_guest(house, many.guest) as ctx:
        page = await OWN_ENTRIES.page(ctx, OWN_ENTRIES.parse())
    assert [row.kind for row in page.items] == ["spent"] * 3 + ["bought"] * 3


async def test_a_spend_takes_as_many_statements_from_many_lots_as_from_one(house: House) -> None:
    few, many = await new_purse(house, 1_000), await new_purse(house, *[10] * 12)
    numbers: list[int] = []
    for purse in (few, many):
        async with house.system() as ctx:
            work = spend(
                ctx, patron_id=purse.guest.patron_id, amount=100, currency="ZAR", venue_id=None, description="Drinks"
            )
            numbers.append(await counted(ctx, work=work))
    assert numbers[0] == numbers[1] == 7
