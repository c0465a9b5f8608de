"""The adapter against the sandbox: what comes back is typed, in our minor units, and done once for each key."""

import pytest

from lastlight.kernel.money import Money
from lastlight.runtime import processor
from lastlight.runtime.processor import PaymentIntent
from lastlight.runtime.services import Services
from tests.support.processors import SandboxBeside

DRINKS = Money(2500, "ZAR")


async def intent(services: Services, *, amount: Money = DRINKS, key: str = "pay", **more: str) -> PaymentIntent:
    """A wish to be paid."""
    return await processor.create_intent(
        services, key=key, amount=amount, description="Two drinks", metadata={"order": "7"} | more
    )


async def paid(services: Services, card: str = "pm_card_visa", *, amount: Money = DRINKS) -> PaymentIntent:
    """An intent that was confirmed with a card."""
    made = await intent(services, amount=amount)
    return await processor.confirm_intent(services, made.id, key="confirm", payment_method=card)


async def test_an_intent_is_made_looked_at_and_paid(services: Services) -> None:
    made = await processor.create_intent(
        services, key="k", amount=Money(2500, "ZAR"), description="Two drinks", metadata={"order": "7"},
        statement_suffix="KOJO", receipt_email="guest@kojo.example",
    )  # fmt: skip
    assert (made.status, made.amount, made.currency, made.amount_received) == (
        "requires_payment_method",
        2500,
        "ZAR",
        0,
    )
    assert (made.description, made.metadata, made.latest_charge, made.last_payment_error) == (
        "Two drinks",
        {"order": "7"},
        None,
        None,
    )
    assert made.client_secret.startswith(f"{made.id}_secret_")
    done = await processor.confirm_intent(services, made.id, key="c", payment_method="pm_card_mastercard")
    assert done == await processor.retrieve_intent(services, made.id)
    assert (done.status, done.amount_received, done.canceled_at) == ("succeeded", 2500, None)
    charge = done.latest_charge
    assert charge is not None
    assert charge == await processor.retrieve_charge(services, charge.id)
    assert charge.card == processor.Card(brand="mastercard", last4="4444")
    assert (charge.paid, charge.captured, charge.amount_captured, charge.amount_refunded) == (True, True, 2500, 0)
    booked = charge.balance_transaction
    assert booked is not None
    assert (booked.type, booked.amount, booked.fee, booked.net, booked.currency) == ("charge", 2500, 103, 2397, "ZAR")
    assert (booked.source, booked.status) == (charge.id, "pending")
    assert booked == await processor.retrieve_balance_transaction(services, booked.id)


def test_an_intent_does_not_show_its_secret() -> None:
    shown = PaymentIntent(
        id="pi_1", status="succeeded", amount=1, amount_capturable=0, amount_received=1, currency="ZAR", client_secret="pi_1_secret_x",
        capture_method="automatic", description="", customer="", next_action_url="", latest_charge=None, last_payment_error=None,
        metadata={}, created=0, canceled_at=None, cancellation_reason="",
    )  # fmt: skip
    assert "secret" not in repr(shown)
    assert "secret" not in f"{shown}"


async def test_a_part_is_captured_and_the_rest_is_released(services: Services) -> None:
    made = await processor.create_intent(
        services, key="k", amount=Money(2500, "ZAR"), description="Tab", metadata={}, capture="manual"
    )
    held = await processor.confirm_intent(services, made.id, key="c", payment_method="pm_card_visa")
    assert (held.status, held.amount_capturable) == ("requires_capture", 2500)
    assert held.latest_charge is not None
    assert held.latest_charge.balance_transaction is None
    taken = await processor.capture_intent(services, made.id, key="t", amount=Money(1800, "ZAR"))
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 1800, 0)


async def test_an_intent_is_given_up(services: Services) -> None:
    made = await intent(services)
    gone = await processor.cancel_intent(services, made.id, key="g", reason="abandoned")
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    assert gone.canceled_at is not None
    with pytest.raises(processor.ProcessorRefused) as refusal:
        await processor.confirm_intent(services, made.id, key="c", payment_method="pm_card_visa")
    assert refusal.value.code == "payment_intent_unexpected_state"


async def test_a_payer_who_has_to_confirm_is_told_where(services: Services, beside: SandboxBeside) -> None:
    asked = await paid(services, "pm_card_threeDSecure2Required")
    assert asked.status == "requires_action"
    assert asked.next_action_url.startswith(f"{beside.base}/_sandbox/authenticate/")


async def test_the_same_key_does_it_once(services: Services) -> None:
    assert (await intent(services)).id == (await intent(services)).id
    with pytest.raises(processor.ProcessorRefused) as refusal:
        await intent(services, amount=Money(2600, "ZAR"))
    assert refusal.value.code == "idempotency_error"


async def test_a_refund_of_a_part_and_of_the_rest(services: Services) -> None:
    done = await paid(services)
    part = await processor.create_refund(
        services, key="r1", intent_id=done.id, amount=Money(500, "ZAR"), metadata={"why": "cold"}
    )
    assert (part.status, part.amount, part.currency, part.metadata) == ("succeeded", 500, "ZAR", {"why": "cold"})
    assert part.balance_transaction is not None
    assert (part.balance_transaction.amount, part.balance_transaction.source) == (-500, part.id)
    assert done.latest_charge is not None
    rest = await processor.create_refund(services, key="r2", charge_id=done.latest_charge.id, metadata={})
    assert rest.amount == 2000
    assert rest == await processor.retrieve_refund(services, rest.id)
    charge = await processor.retrieve_charge(services, done.latest_charge.id)
    assert (charge.amount_refunded, charge.refunded) == (2500, True)
    with pytest.raises(processor.ProcessorRefused) as refusal:
        await processor.create_refund(services, key="r3", intent_id=done.id, amount=Money(1, "ZAR"), metadata={})
    assert refusal.value.code == "charge_already_refunded"
    with pytest.raises(ValueError, match="of an intent or of a charge"):
        await processor.create_refund(services, key="r4", metadata={})


async def test_a_refund_that_fails_later_books_what_came_back(services: Services, beside: SandboxBeside) -> None:
    done = await paid(services, "pm_card_refundFail")
    refund = await processor.create_refund(services, key="r", intent_id=done.id, metadata={})
    assert (refund.status, refund.failure_balance_transaction) == ("succeeded", None)
    beside.control("clock", seconds=10)
    failed = await processor.retrieve_refund(services, refund.id)
    assert failed.status == "failed"
    assert failed.failure_reason != ""
    assert failed.failure_balance_transaction is not None
    assert failed.failure_balance_transaction.amount == 2500


async def test_a_dispute_is_answered_and_won(services: Services, beside: SandboxBeside) -> None:
    done = await paid(services, "pm_card_createDispute")
    beside.control("clock", seconds=10)
    [found] = [one async for one in processor.list_disputes(services, intent_id=done.id)]
    assert (found.status, found.amount, found.reason, found.payment_intent) == (
        "needs_response",
        2500,
        "fraudulent",
        done.id,
    )
    assert found.due_by is not None
    assert found.due_by > found.created
    assert [(one.amount, one.fee, one.net) for one in found.balance_transactions] == [(-2500, 1500, -4000)]
    noted = await processor.update_dispute(
        services, found.id, key="e", evidence={"uncategorized_text": "winning_evidence"}, submit=False
    )
    assert (noted.status, noted.has_evidence, noted.submission_count) == ("needs_response", True, 0)
    sent = await processor.update_dispute(services, found.id, key="s", evidence={}, submit=True)
    assert (sent.status, sent.submission_count) == ("under_review", 1)
    beside.control("clock", seconds=10)
    assert (await processor.retrieve_dispute(services, found.id)).status == "won"


async def test_a_dispute_is_given_in_to(services: Services, beside: SandboxBeside) -> None:
    done = await paid(services, "pm_card_createDispute")
    beside.control("clock", seconds=10)
    assert done.latest_charge is not None
    [found] = [one async for one in processor.list_disputes(services, charge_id=done.latest_charge.id)]
    assert (await processor.close_dispute(services, found.id, key="x")).status == "lost"


async def test_lists_go_over_all_pages(services: Services) -> None:
    for number in range(35):
        await processor.confirm_intent(
            services,
            (await intent(services, key=f"p{number}")).id,
            key=f"c{number}",
            payment_method="pm_card_visa",
        )
    events = [one async for one in processor.list_events(services)]
    assert len(events) == 35 * 3
    assert len({one.id for one in events}) == len(events)
    succeeded = [one async for one in processor.list_events(services, types=["payment_intent.succeeded"])]
    assert {(one.type, one.object_type, one.api_version) for one in succeeded} == {
        ("payment_intent.succeeded", "payment_intent", processor.API_VERSION)
    }
    newest = succeeded[0]
    assert newest.data["id"] == newest.object_id
    assert [
        one async for one in processor.list_events(services, created=processor.Created(before=newest.created - 600))
    ] == []
    since = processor.Created(since=newest.created - 600, before=newest.created + 600)
    moved = [one async for one in processor.list_balance_transactions(services, created=since, kind="charge")]
    assert len(moved) == 35
    assert [one async for one in processor.list_balance_transactions(services, kind="refund")] == []
    assert [one async for one in processor.list_balance_transactions(services, source=moved[3].source)] == [moved[3]]
    balance = await processor.retrieve_balance(services)
    assert balance.amounts == (processor.BalanceOf(currency="ZAR", pending=sum(one.net for one in moved), available=0),)
    with pytest.raises(ValueError, match="up to 20"):
        [one async for one in processor.list_events(services, types=["charge.failed"] * 21)]


@pytest.mark.parametrize(
    ("amount", "sent"),
    [(Money(1200, "MGA"), 12), (Money(150, "ISK"), 15_000), (Money(5120, "KWD"), 5120), (Money(500, "JPY"), 500)],
)
async def test_what_the_processor_counts_otherwise_comes_back_as_it_went(
    services: Services, amount: Money, sent: int
) -> None:
    done = await paid(services, amount=amount)
    assert (done.amount, done.amount_received, done.currency) == (amount.amount, amount.amount, amount.currency)
    [event] = [one async for one in processor.list_events(services, types=["payment_intent.succeeded"])]
    assert event.data["amount"] == sent
    refund = await processor.create_refund(services, key="r", intent_id=done.id, amount=amount, metadata={})
    assert refund.amount == amount.amount
