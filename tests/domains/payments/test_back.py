"""Money that goes back: refunds in parts, failed, made elsewhere; disputes won, lost, and lost after it was spent."""

from uuid import uuid4

import msgspec
import pytest

from lastlight.domains.payments.actions import answer_dispute, begin_refund
from lastlight.domains.payments.errors import AmountUnusable, AnswerOnItsWay, DisputeEnded, RefundTooLarge, SpentAlready
from lastlight.domains.payments.model import Payment, Refund
from lastlight.domains.payments.queries import lock_payment
from lastlight.domains.payments.refunding import open_refund
from lastlight.domains.payments.stages import REFUND, OfPayment
from lastlight.kernel.errors import Busy, Invalid
from lastlight.kernel.money import Money
from lastlight.runtime import processor
from lastlight.runtime.staged import Staged, begin
from tests.support.paying import Shop

pytestmark = pytest.mark.database


async def test_refunds_leave_in_parts_and_no_more_than_was_paid(shop: Shop) -> None:
    payment = await shop.paid(10_000)
    first = await shop.refund(payment, 3_333)
    assert (await shop.read(payment.id)).refunding + (await shop.read(payment.id)).refunded == 3_333
    done = await shop.until(payment.id, lambda one: one.refunded == 3_333)
    assert (done.refunding, done.refundable) == (0, 6_667)
    async with shop.ctx() as ctx:
        with pytest.raises(RefundTooLarge):
            await begin_refund(ctx, payment_id=payment.id, amount=6_668, reason="too much")
    shop.trial.spent = 6_000
    with pytest.raises(SpentAlready):
        await shop.refund(payment, 668, "spent")
    await shop.refund(payment, 667)
    await shop.until(payment.id, lambda one: one.refunded == 4_000)
    assert await shop.books() == {"order-clearing": 6_000, "processing-fees": 320, "provider-pending": 5_680}
    assert await shop.held() == {"EUR": 5_680}
    assert [one.status for one in await shop.refunds(payment)] == ["succeeded", "succeeded"]
    assert (await shop.refunds(payment))[0].id == first.id


async def test_a_refund_that_cards_do_not_take_is_refused_before_anything_is_taken_back(shop: Shop) -> None:
    payment = await shop.paid(10_000, currency="KWD")
    for amount in (1_234, 5, 9_999):
        with pytest.raises(AmountUnusable) as refusal:
            await shop.refund(payment, amount)
        assert refusal.value.detail.startswith("Cards take multiples of KWD\u00a00,010: ")
    assert (await shop.refunds(payment), shop.trial.told) == ([], ["paid 10000"])
    shop.trial.spent = 8_764
    with pytest.raises(SpentAlready) as spent:
        await shop.refund(payment, 1_240)
    assert spent.value.extra == {"most": 1_230, "currency": "KWD"}
    await shop.refund(payment, 1_230)
    after = await shop.until(payment.id, lambda one: one.refunded == 1_230)
    assert after.refundable == 8_770
    assert await shop.held() == {"KWD": (await shop.books("KWD"))["provider-pending"]}


async def test_nothing_is_no_refund_and_no_reason_is_none(shop: Shop) -> None:
    payment = await shop.paid(2_000)
    for amount, reason in ((0, "nothing"), (-5, "less"), (100, "  ")):
        with pytest.raises(Invalid):
            await shop.refund(payment, amount, reason)
    assert await shop.refunds(payment) == []


async def test_a_refund_that_fails_later_puts_everything_back(shop: Shop) -> None:
    payment = await shop.paid(10_000, "pm_card_refundFail")
    await shop.refund(payment, 4_000)
    await shop.until(payment.id, lambda one: one.refunded == 4_000)
    shop.beside.control("clock", seconds=60)
    failed = await shop.look(payment)
    assert (failed.refunded, failed.refunding, failed.refundable) == (0, 0, 10_000)
    books = await shop.books()
    assert (books["order-clearing"], "refunds-payable" in books) == (10_000, False)
    assert shop.trial.told[-1] == "restored 4000"
    assert [one.status for one in await shop.refunds(payment)] == ["failed"]
    before = list(shop.trial.told)
    await shop.look(failed)
    assert shop.trial.told == before


async def test_a_pending_refund_is_on_its_way_until_it_arrives(shop: Shop) -> None:
    payment = await shop.paid(10_000, "pm_card_pendingRefund")
    await shop.until_refund(await shop.refund(payment, 4_000), "pending")
    assert (await shop.look(payment)).refunding == 4_000
    shop.beside.control("clock", seconds=60)
    after = await shop.look(payment)
    assert (after.refunding, after.refunded) == (0, 4_000)
    assert await shop.held() == {"EUR": (await shop.books())["provider-pending"]}


async def test_a_refund_made_at_the_providers_is_taken_over_and_what_was_spent_is_a_loss(shop: Shop) -> None:
    payment = await shop.paid(10_000)
    shop.trial.spent = 8_000
    assert payment.intent_id is not None
    await processor.create_refund(
        shop.services, key=str(uuid4()), intent_id=payment.intent_id, amount=Money(5_000, "EUR"), metadata={}
    )
    await shop.look(payment)
    after = await shop.look(payment)
    refund = (await shop.refunds(payment))[0]
    assert (after.refunded, refund.outside, refund.amount, refund.released) == (5_000, True, 5_000, 2_000)
    books = await shop.books()
    assert (books["losses"], books["order-clearing"], "refunds-payable" in books) == (3_000, 8_000, False)
    assert await shop.held() == {"EUR": books["provider-pending"]}


async def test_a_refund_made_and_lost_at_the_providers_before_we_heard_of_it_takes_no_room(shop: Shop) -> None:
    payment = await shop.paid(10_000, "pm_card_refundFail")
    assert payment.intent_id is not None
    await processor.create_refund(
        shop.services, key=str(uuid4()), intent_id=payment.intent_id, amount=Money(10_000, "EUR"), metadata={}
    )
    shop.beside.control("clock", seconds=60)
    ours = await shop.refund(payment, 4_000)
    after = await shop.until_refund(ours, "succeeded")
    assert (after.amount, after.outside) == (4_000, False)
    paid = await shop.look(payment)
    assert (paid.refunded, paid.refunding, paid.refundable) == (4_000, 0, 6_000)
    shop.beside.control("clock", seconds=60)
    later = await shop.look(paid)
    assert (later.refunded, later.refunding, later.refundable) == (0, 0, 10_000)
    assert sorted((one.amount, one.status, one.released, one.outside) for one in await shop.refunds(payment)) == [
        (4_000, "failed", 0, False),
        (10_000, "failed", 0, True),
    ]
    assert shop.trial.told[-1] == "restored 4000"
    assert "restored 10000" not in shop.trial.told
    books = await shop.books()
    assert (books["order-clearing"], "refunds-payable" in books, "losses" in books) == (10_000, False, False)
    assert await shop.held() == {"EUR": books["provider-pending"]}


async def _unsent(shop: Shop, payment: Payment, amount: int) -> tuple[Refund, OfPayment]:
    """A refund that has begun here, and the order that the provider was not given."""
    async with shop.ctx() as ctx:
        held = await lock_payment(ctx, payment_id=payment.id)
        _, refund = await open_refund(ctx, payment=held, amount=amount, reason="asked for it")
    assert payment.intent_id is not None
    order = OfPayment(
        payment_id=payment.id, intent_id=payment.intent_id, amount=amount, currency="EUR", refund_id=refund.id
    )
    return refund, order


async def _give_up(shop: Shop, refund: Refund, order: OfPayment) -> None:
    """What becomes of an order to which the provider never gave an answer."""
    staged = Staged(
        tenant_id=shop.tenant_id, id=uuid4(), key=f"refund:{refund.id}", intent=msgspec.to_builtins(order),
        state="failed", calls=14,
    )  # fmt: skip
    assert REFUND.given_up is not None
    async with shop.ctx() as ctx:
        await REFUND.given_up(ctx, staged, "The payment processor gave no answer.")


async def test_a_refund_beside_one_made_elsewhere_that_leaves_no_room_waits_for_its_refusal(shop: Shop) -> None:
    payment = await shop.paid(10_000)
    assert payment.intent_id is not None
    await processor.create_refund(
        shop.services, key=str(uuid4()), intent_id=payment.intent_id, amount=Money(8_000, "EUR"), metadata={}
    )
    ours, order = await _unsent(shop, payment, 4_000)
    with pytest.raises(Busy):
        await shop.look(payment)  # whoever asks so is asked to come again: the event that told of it is not given up
    async with shop.ctx() as ctx:
        await begin(ctx, REFUND, key=f"refund:{ours.id}", intent=msgspec.to_builtins(order))
    after = await shop.until(payment.id, lambda one: one.refunded == 8_000)
    assert (after.refunding, after.refundable) == (0, 2_000)
    assert [(one.amount, one.status, one.outside) for one in await shop.refunds(payment)] == [
        (4_000, "failed", False),
        (8_000, "succeeded", True),
    ]
    books = await shop.books()
    assert (books["order-clearing"], "refunds-payable" in books, "losses" in books) == (2_000, False, False)
    assert await shop.held() == {"EUR": books["provider-pending"]}


async def test_a_refund_that_was_made_though_no_answer_came_is_not_taken_for_failed(shop: Shop) -> None:
    payment = await shop.paid(10_000)
    ours, order = await _unsent(shop, payment, 4_000)
    named = {"payment_id": str(payment.id), "refund_id": str(ours.id)}
    await processor.create_refund(
        shop.services, key=f"refund:{ours.id}", intent_id=order.intent_id, amount=Money(4_000, "EUR"), metadata=named
    )
    await _give_up(shop, ours, order)
    after = await shop.until(payment.id, lambda one: one.refunded == 4_000)
    assert (after.refunding, after.refundable) == (0, 6_000)
    assert [(one.id, one.status, one.failure, one.outside) for one in await shop.refunds(payment)] == [
        (ours.id, "succeeded", "", False)
    ]
    assert "restored 4000" not in shop.trial.told


async def test_a_refund_that_was_not_made_has_failed_once_the_provider_was_looked_at(shop: Shop) -> None:
    payment = await shop.paid(10_000)
    ours, order = await _unsent(shop, payment, 4_000)
    await _give_up(shop, ours, order)
    failed = await shop.until_refund(ours, "failed")
    assert failed.failure == "The payment processor gave no answer."
    after = await shop.read(payment.id)
    assert (after.refunding, after.refunded, after.refundable) == (0, 0, 10_000)
    assert shop.trial.told[-1] == "restored 4000"


@pytest.mark.parametrize(
    ("evidence", "verdict", "spent"),
    [("winning_evidence", "won", 0), ("losing_evidence", "lost", 0), ("losing_evidence", "lost", 7_500)],
)
async def test_a_dispute_freezes_and_its_verdict_is_booked(shop: Shop, evidence: str, verdict: str, spent: int) -> None:
    payment = await shop.paid(10_000, "pm_card_createDispute")
    shop.trial.spent = spent
    shop.beside.control("clock", seconds=60)
    disputed = await shop.look(payment)
    dispute = (await shop.disputes(payment))[0]
    assert (disputed.disputed, disputed.refundable, dispute.status) == (10_000, 0, "needs_response")
    books = await shop.books()
    assert (books["disputes-held"], books["dispute-fees"]) == (10_000, 1_500)
    assert books.get("provider-pending", 0) + books.get("provider-available", 0) == -1_820
    assert await shop.held() == {"EUR": -1_820}
    async with shop.ctx() as ctx:
        await answer_dispute(ctx, dispute_id=dispute.id, evidence=evidence)
        with pytest.raises(AnswerOnItsWay):
            await answer_dispute(ctx, dispute_id=dispute.id, evidence=evidence)
    await shop.until_answered(dispute)
    async with shop.ctx() as ctx:
        with pytest.raises(DisputeEnded):
            await answer_dispute(ctx, dispute_id=dispute.id, evidence=evidence)
    shop.beside.control("clock", seconds=60)
    after = await shop.look(payment)
    ended = (await shop.disputes(payment))[0]
    assert (ended.status, ended.ended_at is not None) == (verdict, True)
    books = await shop.books()
    assert "disputes-held" not in books
    if verdict == "won":
        assert (after.disputed, books["order-clearing"], "dispute-fees" in books) == (0, 10_000, False)
    else:
        assert (ended.lost, books.get("losses", 0), books.get("order-clearing", 0)) == (spent, spent, spent)
        assert books["dispute-fees"] == 1_500
    assert (await shop.held()).get("EUR") == books.get("provider-pending", 0) + books.get("provider-available", 0)
    told = list(shop.trial.told)
    await shop.look(after)
    assert (shop.trial.told, await shop.books()) == (told, books)
