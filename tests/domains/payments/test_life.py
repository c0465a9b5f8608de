"""A payment's life against the sandbox: declined, authenticated, authorised, captured, settled, voided; booked to the cent."""

import asyncio

import pytest

from lastlight.domains.payments import begin_payment
from lastlight.domains.payments.actions import capture_payment, retry_payment, void_payment
from lastlight.domains.payments.errors import (
    AmountUnusable,
    PaymentNotAuthorised,
    PaymentNotOpen,
    PaymentNotRetriable,
)
from lastlight.domains.payments.model import Hint
from lastlight.kernel.errors import Invalid
from lastlight.runtime import processor
from tests.support.paying import TRIAL, Shop

pytestmark = pytest.mark.database

DAYS_3 = 3 * 86_400


async def test_a_payment_is_captured_booked_and_settled(shop: Shop) -> None:
    payment = await shop.paid(10_000)
    assert (payment.status, payment.captured, payment.brand, payment.last4) == ("captured", 10_000, "visa", "4242")
    assert await shop.books() == {"order-clearing": 10_000, "processing-fees": 320, "provider-pending": 9_680}
    assert await shop.held() == {"EUR": 9_680}
    assert shop.trial.told == ["paid 10000"]
    shop.beside.control("clock", seconds=DAYS_3)
    settled = await shop.look(payment)
    assert (settled.status, settled.settled_at is not None) == ("settled", True)
    books = {"order-clearing": 10_000, "processing-fees": 320, "provider-available": 9_680}
    assert await shop.books() == books
    again = await shop.look(settled)
    assert (again.status, await shop.books(), shop.trial.told) == ("settled", books, ["paid 10000"])
    assert await shop.steps(payment) == ["created", "opened", "captured", "settled"]
    told = await shop.told(payment.id)
    assert told == ["payment.created", "payment.changed", "payment.captured", "payment.settled"]


async def test_a_declined_card_leaves_it_open_for_another(shop: Shop) -> None:
    payment = await shop.begin(2_000)
    await shop.pay(payment, "pm_card_chargeDeclinedInsufficientFunds")
    declined = await shop.look(payment)
    assert (declined.status, declined.failure_code) == ("open", "insufficient_funds")
    assert "insufficient" in declined.failure
    assert (await shop.look(declined)).failure_code == "insufficient_funds"
    await shop.pay(payment)
    paid = await shop.look(payment)
    assert (paid.status, paid.failure_code, paid.failure) == ("captured", "", "")
    assert await shop.steps(payment) == ["created", "opened", "declined", "captured"]


async def test_a_card_that_needs_the_bank_waits_for_it(shop: Shop) -> None:
    payment = await shop.begin(2_000)
    await shop.pay(payment, "pm_card_threeDSecure2Required")
    assert (await shop.look(payment)).status == "action"
    async with shop.ctx() as ctx:
        await void_payment(ctx, payment_id=payment.id, hint=Hint("console"))
    ended = await shop.until(payment.id, lambda one: one.status == "canceled")
    assert (ended.ended_at is not None, await shop.books()) == (True, {})
    async with shop.ctx() as ctx:
        with pytest.raises(PaymentNotOpen):
            await void_payment(ctx, payment_id=payment.id, hint=Hint("console"))
        with pytest.raises(PaymentNotRetriable):
            await retry_payment(ctx, payment_id=payment.id)


async def test_a_part_is_captured_and_the_rest_released(shop: Shop) -> None:
    payment = await shop.begin(10_000, manual=True)
    async with shop.ctx() as ctx:
        with pytest.raises(PaymentNotAuthorised):
            await capture_payment(ctx, payment_id=payment.id)
    await shop.pay(payment)
    assert (await shop.look(payment)).status == "authorised"
    async with shop.ctx() as ctx:
        with pytest.raises(Invalid):
            await capture_payment(ctx, payment_id=payment.id, amount=10_001)
    async with shop.ctx() as ctx:
        await capture_payment(ctx, payment_id=payment.id, amount=4_000)
    paid = await shop.until(payment.id, lambda one: one.status == "captured")
    assert (paid.captured, shop.trial.told) == (4_000, ["paid 4000"])
    books = await shop.books()
    assert books["order-clearing"] == 4_000
    assert {"EUR": books["provider-pending"]} == await shop.held()
    assert books["provider-pending"] + books["processing-fees"] == 4_000


async def test_a_part_that_cards_do_not_take_is_not_captured(shop: Shop) -> None:
    payment = await shop.begin(10_000, "KWD", manual=True)
    await shop.pay(payment)
    assert (await shop.look(payment)).status == "authorised"
    async with shop.ctx() as ctx:
        with pytest.raises(AmountUnusable):
            await capture_payment(ctx, payment_id=payment.id, amount=4_005)
    assert "capture-asked" not in await shop.steps(payment)
    async with shop.ctx() as ctx:
        await capture_payment(ctx, payment_id=payment.id, amount=4_010)
    assert (await shop.until(payment.id, lambda one: one.status == "captured")).captured == 4_010


async def test_what_cards_cannot_be_charged_with_is_refused_before_anything_is_written(shop: Shop) -> None:
    for amount, currency in ((1, "EUR"), (10**9, "EUR"), (12_345, "BHD")):
        with pytest.raises(AmountUnusable):
            await shop.begin(amount, currency)
    async with shop.ctx() as ctx:
        assert await ctx.db.fetchval("select count(*) from payments where tenant_id = $1", ctx.tenant_id) == 0


@pytest.mark.parametrize(("amount", "currency"), [(500, "JPY"), (12_340, "BHD"), (5_000, "ZAR")])
async def test_currencies_of_no_two_and_three_decimals(shop: Shop, amount: int, currency: str) -> None:
    payment = await shop.paid(amount, currency=currency)
    books = await shop.books(currency)
    assert (payment.captured, books["order-clearing"]) == (amount, amount)
    assert books.get("provider-pending", 0) + books.get("processing-fees", 0) == amount
    assert (await shop.held()).get(currency, 0) == books.get("provider-pending", 0)


async def test_a_wish_that_was_given_up_is_canceled_at_the_provider_too(shop: Shop) -> None:
    shop.beside.control("answers", mode="slow", count=1, seconds=1)
    async with shop.ctx() as ctx:
        payment = await begin_payment(ctx, purpose=TRIAL, amount=2_000, currency="EUR", patron_id=None)
    async with shop.ctx() as ctx:
        ended = await void_payment(ctx, payment_id=payment.id, hint=Hint("request"))
    assert ended.status == "canceled"
    known = await shop.until(payment.id, lambda one: one.intent_id is not None)
    assert known.intent_id is not None
    async with asyncio.timeout(20):
        while (await processor.retrieve_intent(shop.services, known.intent_id)).status != "canceled":
            await asyncio.sleep(0.05)


async def test_a_lost_answer_opens_one_intent_and_a_dead_provider_fails_it_until_it_is_retried(shop: Shop) -> None:
    shop.beside.control("answers", mode="lost", count=1, path="/v1/payment_intents")
    payment = await shop.begin(2_000)
    assert payment.status == "open"
    shop.beside.control("answers", mode="error", count=1000, path="/v1/payment_intents")  # polls use some up, too
    async with shop.ctx() as ctx:
        dead = await begin_payment(ctx, purpose=TRIAL, amount=2_000, currency="EUR", patron_id=None)
        await ctx.db.execute(
            "update jobs set max_attempts = 1 where tenant_id = $1 and state = 'queued'", ctx.tenant_id
        )
    failed = await shop.until(dead.id, lambda one: one.status == "failed")
    assert (failed.failure_code, failed.ended_at is not None) == ("provider-refused", True)
    shop.beside.control("answers", mode="slow", seconds=0, count=1)
    async with shop.ctx() as ctx:
        await retry_payment(ctx, payment_id=dead.id)
    opened = await shop.until(dead.id, lambda one: one.status == "open")
    assert (opened.failure_code, opened.ended_at) == ("", None)
