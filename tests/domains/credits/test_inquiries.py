"""A bank that only asks holds no money: what was bought stays refundable, once, and is frozen when the inquiry becomes a dispute."""

import dataclasses
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import pytest

from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.credits.module import MODULE as CREDITS
from lastlight.domains.payments import Payment, begin_payment
from lastlight.kernel.ids import PatronId
from lastlight.kernel.money import Money
from lastlight.runtime import processor
from lastlight.runtime.push.module import MODULE as PUSH
from lastlight.runtime.settings import Settings
from tests.support.door import MODULES
from tests.support.paying import Shop, opened_shop
from tests.support.processors import sandbox_beside
from tests.support.services import administer
from tests.support.sockets import sign_in

pytestmark = pytest.mark.database


@pytest.fixture
async def shop(database_settings: Settings, tmp_path: Path) -> AsyncGenerator[Shop]:
    """A business that sells credits."""
    with sandbox_beside(tmp_path) as beside:
        settings = dataclasses.replace(database_settings, **beside.another().settings())
        async with opened_shop(settings, *MODULES, PUSH, CREDITS) as opened:
            yield opened


async def bought(shop: Shop, card: str) -> Payment:
    """Credits bought by card, with what follows by itself."""
    guest = await sign_in(shop.services, shop.tenant_id, patron=True)
    assert guest.patron_id is not None
    async with shop.ctx() as ctx:
        begun = await begin_payment(
            ctx, purpose=FUNDING, amount=10_000, currency="EUR", patron_id=PatronId(guest.patron_id)
        )
    opened = await shop.until(begun.id, lambda one: one.status != "created")
    await shop.pay(opened, card)
    await shop.look(opened)
    await shop.until(begun.id, lambda one: one.status == "captured")
    shop.beside.control("clock", seconds=60)
    return await shop.look(opened)


async def lot(shop: Shop, payment: Payment) -> tuple[int, int]:
    """What is left of what was bought, and what of it is frozen."""
    sql = "select remaining, frozen from credit_lots where tenant_id = $1 and payment_id = $2"
    [row] = await administer(shop.services.settings, sql, shop.tenant_id, payment.id)
    return row["remaining"], row["frozen"]


async def test_a_refund_during_an_inquiry_takes_the_credits_and_what_is_left_is_frozen_on_escalation(
    shop: Shop,
) -> None:
    payment = await bought(shop, "pm_card_createDisputeInquiry")
    assert (payment.disputed, await lot(shop, payment)) == (0, (10_000, 0))
    await shop.until_refund(await shop.refund(payment, 4_000), "succeeded")
    assert await lot(shop, payment) == (6_000, 0)
    assert (await shop.answered(payment, "escalate_inquiry_evidence")).status == "needs_response"
    assert await lot(shop, payment) == (6_000, 6_000)
    assert (await shop.answered(payment, "losing_evidence")).status == "lost"
    assert await lot(shop, payment) == (0, 0)
    books = await shop.books()
    assert ("disputes-held" in books, books["losses"]) == (False, 4_000)


async def test_a_refund_on_the_providers_own_pages_during_an_inquiry_is_no_loss(shop: Shop) -> None:
    payment = await bought(shop, "pm_card_createDisputeInquiry")
    assert payment.intent_id is not None
    await processor.create_refund(
        shop.services, key=str(uuid4()), intent_id=payment.intent_id, amount=Money(4_000, "EUR"), metadata={}
    )
    await shop.look(payment)
    await shop.look(payment)
    assert await lot(shop, payment) == (6_000, 0)
    assert (await shop.answered(payment, "winning_evidence")).status == "warning_closed"
    assert await lot(shop, payment) == (6_000, 0)
    assert "losses" not in await shop.books()


async def test_a_refund_that_failed_says_why_in_the_guests_history(shop: Shop) -> None:
    payment = await bought(shop, "pm_card_refundFail")
    refund = await shop.refund(payment, 4_000)
    await shop.until(payment.id, lambda one: one.refunded == 4_000)
    shop.beside.control("clock", seconds=60)
    await shop.look(payment)
    [failed] = [one for one in await shop.refunds(payment) if one.id == refund.id]
    assert (failed.status, failed.failure) == ("failed", "expired_or_canceled_card")
    sql = "select * from credit_entries where tenant_id = $1 and refund_id = $2 and kind = 'refund-failed'"
    [entry] = await administer(shop.services.settings, sql, shop.tenant_id, refund.id)
    assert entry["description"] == "The card has expired or was canceled."
