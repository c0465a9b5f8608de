"""Refunds: whole, in parts, too much, late, and those that come back."""

import pytest
import stripe

from tests.sandbox.conftest import Controls


def paid(client: stripe.StripeClient, card: str = "pm_card_visa", amount: int = 10_000) -> stripe.PaymentIntent:
    """A payment that succeeded."""
    return client.v1.payment_intents.create(
        {"amount": amount, "currency": "usd", "payment_method": card, "confirm": True, "expand": ["latest_charge"]}
    )


def charge_of(client: stripe.StripeClient, intent: stripe.PaymentIntent) -> stripe.Charge:
    """The charge of a payment, as it is now."""
    assert isinstance(intent.latest_charge, stripe.Charge)
    return client.v1.charges.retrieve(intent.latest_charge.id, {"expand": ["refunds"]})


def test_parts_until_nothing_is_left(client: stripe.StripeClient) -> None:
    intent = paid(client)
    part = client.v1.refunds.create(
        {"payment_intent": intent.id, "amount": 3333, "reason": "requested_by_customer", "metadata": {"why": "late"}}
    )
    assert (part.status, part.amount, part.reason) == ("succeeded", 3333, "requested_by_customer")
    assert part.metadata is not None
    assert part.metadata.to_dict() == {"why": "late"}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 6668})
    assert "66.68" in str(refusal.value)
    assert "66.67" in str(refusal.value)
    rest = client.v1.refunds.create({"charge": charge_of(client, intent).id})
    charge = charge_of(client, intent)
    assert charge.refunds is not None
    assert (rest.amount, charge.refunded, charge.amount_refunded) == (6667, True, 10_000)
    assert [one.id for one in charge.refunds.data] == [rest.id, part.id]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_already_refunded"
    assert [one.id for one in client.v1.refunds.list({"payment_intent": intent.id}).data] == [rest.id, part.id]


def test_a_refund_arrives_later(client: stripe.StripeClient, controls: Controls) -> None:
    refund = client.v1.refunds.create({"payment_intent": paid(client, "pm_card_pendingRefund").id})
    assert refund.status == "pending"
    controls.later()
    assert client.v1.refunds.retrieve(refund.id).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.cancel(refund.id)


def test_a_pending_refund_is_canceled_and_the_money_is_back(client: stripe.StripeClient, controls: Controls) -> None:
    intent = paid(client, "pm_card_pendingRefund")
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 4000})
    gone = client.v1.refunds.cancel(refund.id)
    assert (gone.status, gone.failure_reason) == ("canceled", "merchant_request")
    controls.later()
    assert client.v1.refunds.retrieve(refund.id).status == "canceled"
    assert charge_of(client, intent).amount_refunded == 0
    assert sum(one.net for one in client.v1.balance_transactions.list().data) == 9680


def test_a_refund_fails_after_it_succeeded(client: stripe.StripeClient, controls: Controls) -> None:
    intent = paid(client, "pm_card_refundFail")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert (refund.status, charge_of(client, intent).refunded) == ("succeeded", True)
    controls.later()
    failed = client.v1.refunds.retrieve(refund.id, {"expand": ["failure_balance_transaction"]})
    assert isinstance(failed.failure_balance_transaction, stripe.BalanceTransaction)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    assert (failed.failure_balance_transaction.type, failed.failure_balance_transaction.amount) == (
        "refund_failure",
        10_000,
    )
    charge = charge_of(client, intent)
    assert (charge.refunded, charge.amount_refunded) == (False, 0)
    names = [one.type for one in client.v1.events.list({"types": ["refund.failed", "charge.refunded"]}).data]
    assert names == ["refund.failed", "charge.refunded"]


def test_a_refund_keeps_the_fee(client: stripe.StripeClient, controls: Controls) -> None:
    client.v1.refunds.create({"payment_intent": paid(client).id})
    booked = client.v1.balance_transactions.list({"type": "refund"}).data
    assert [(one.amount, one.fee, one.net) for one in booked] == [(-10_000, 0, -10_000)]
    assert client.v1.balance.retrieve().pending[0].amount == -320


@pytest.mark.parametrize("card", ["pm_card_createDispute"])
def test_a_disputed_charge_is_not_refunded(client: stripe.StripeClient, controls: Controls, card: str) -> None:
    intent = paid(client, card)
    controls.later()
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_disputed"
    assert charge_of(client, intent).amount_refunded == 0
