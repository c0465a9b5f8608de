"""Payments with the official SDK: success, decline, confirmation, capture, cancellation."""

import json
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.conftest import Controls, Wire

HELD: Any = {
    "amount": 10_000,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
    "capture_method": "manual",
}


def test_a_payment_from_wish_to_money(client: stripe.StripeClient) -> None:
    made = client.v1.payment_intents.create({"amount": 2000, "currency": "eur", "metadata": {"order": "7"}})
    assert (made.status, made.metadata.to_dict()) == ("requires_payment_method", {"order": "7"})
    changed = client.v1.payment_intents.update(
        made.id, {"amount": 2500, "payment_method": "pm_card_mastercard", "metadata": {"table": "4", "order": ""}}
    )
    assert (changed.status, changed.amount, changed.metadata.to_dict()) == (
        "requires_confirmation",
        2500,
        {"table": "4"},
    )
    paid = client.v1.payment_intents.confirm(
        made.id, {"expand": ["latest_charge.balance_transaction"], "return_url": "https://example.com/back"}
    )
    charge = paid.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    booked = charge.balance_transaction
    assert (paid.status, paid.amount_received, charge.captured, charge.paid) == ("succeeded", 2500, True, True)
    assert (booked.type, booked.amount, booked.currency, booked.status) == ("charge", 2500, "eur", "pending")
    assert booked.net == booked.amount - booked.fee
    found = client.v1.charges.retrieve(charge.id, {"expand": ["payment_intent"]})
    assert isinstance(found.payment_intent, stripe.PaymentIntent)
    assert found.payment_intent.id == made.id


@pytest.mark.parametrize(
    ("currency", "most"), [("usd", 99_999_999), ("inr", 999_999_999), ("jpy", 9_999_999_999), ("idr", 999_999_999_999)]
)
def test_each_currency_has_a_largest_payment_of_its_own(client: stripe.StripeClient, currency: str, most: int) -> None:
    paid = client.v1.payment_intents.create(
        {"amount": most, "currency": currency, "payment_method": "pm_card_visa", "confirm": True}
    )
    assert (paid.status, paid.amount_received) == ("succeeded", most)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.create({"amount": most + 1, "currency": currency})
    assert refusal.value.code == "amount_too_large"


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ],
)
def test_a_declined_card(client: stripe.StripeClient, card: str, code: str, decline_code: str | None) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_intents.create({"amount": 1000, "currency": "usd", "payment_method": card, "confirm": True})
    error = refusal.value.error
    assert error is not None
    assert (refusal.value.http_status, error.code) == (402, code)
    if decline_code:
        assert error.decline_code == decline_code
    assert error.payment_intent is not None
    kept = client.v1.payment_intents.retrieve(error.payment_intent.id, {"expand": ["latest_charge"]})
    assert isinstance(kept.latest_charge, stripe.Charge)
    assert (kept.status, kept.latest_charge.status, kept.payment_method) == ("requires_payment_method", "failed", None)
    assert kept.last_payment_error is not None
    assert kept.last_payment_error.code == code
    again = client.v1.payment_intents.confirm(
        kept.id, {"payment_method": "pm_card_visa", "return_url": "https://example.com/back"}
    )
    assert again.status == "succeeded"


@pytest.mark.usefixtures("controls")
@pytest.mark.parametrize("card", ["pm_card_threeDSecure2Required", "pm_card_authenticationRequired"])
@pytest.mark.parametrize(("outcome", "status"), [("complete", "succeeded"), ("fail", "requires_payment_method")])
def test_a_payer_is_asked_by_the_bank(
    client: stripe.StripeClient, http: httpx.Client, card: str, outcome: str, status: str
) -> None:
    asked = client.v1.payment_intents.create(
        {
            "amount": 1000,
            "currency": "usd",
            "payment_method": card,
            "confirm": True,
            "return_url": "https://example.com/back?a=1",
        }
    )
    assert asked.status == "requires_action"
    assert asked.next_action is not None
    assert asked.next_action.redirect_to_url is not None
    page = asked.next_action.redirect_to_url.url or ""
    shown = http.get(page)
    assert shown.status_code == 200
    assert "Pay 10.00 USD?" in shown.text
    sent = http.post(page, data={"outcome": outcome})
    redirected = "succeeded" if outcome == "complete" else "failed"
    assert sent.status_code == 303
    assert sent.headers["location"] == (
        f"https://example.com/back?a=1&payment_intent={asked.id}&payment_intent_client_secret={asked.client_secret}"
        f"&redirect_status={redirected}"
    )
    after = client.v1.payment_intents.retrieve(asked.id)
    assert (after.status, after.next_action) == (status, None)
    assert "nothing to confirm" in http.post(page, data={"outcome": "complete"}).text
    assert client.v1.payment_intents.retrieve(asked.id).status == status


def test_a_payer_who_is_not_there_cannot_be_asked(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_intents.create(
            {
                "amount": 1000,
                "currency": "usd",
                "payment_method": "pm_card_authenticationRequired",
                "confirm": True,
                "error_on_requires_action": True,
            }
        )
    assert refusal.value.code == "authentication_required"


def test_a_part_is_captured_and_the_rest_released(client: stripe.StripeClient, controls: Controls) -> None:
    held = client.v1.payment_intents.create(HELD)
    assert (held.status, held.amount_capturable) == ("requires_capture", 10_000)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.capture(held.id, {"amount_to_capture": 10_001})
    assert refusal.value.code == "amount_too_large"
    taken = client.v1.payment_intents.capture(held.id, {"amount_to_capture": 6000, "expand": ["latest_charge"]})
    assert isinstance(taken.latest_charge, stripe.Charge)
    charge = taken.latest_charge
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 6000, 0)
    assert (charge.amount, charge.amount_captured, charge.amount_refunded) == (10_000, 6000, 4000)
    booked = client.v1.balance_transactions.list().data
    assert [(one.reporting_category, one.amount, one.fee) for one in booked] == [
        ("partial_capture_reversal", -4000, 0),
        ("charge", 10_000, 204),
    ]


def test_an_authorization_is_given_up(client: stripe.StripeClient) -> None:
    held = client.v1.payment_intents.create(HELD)
    gone = client.v1.payment_intents.cancel(
        held.id, {"cancellation_reason": "abandoned", "expand": ["latest_charge.refunds"]}
    )
    assert isinstance(gone.latest_charge, stripe.Charge)
    assert gone.latest_charge.refunds is not None
    assert (gone.status, gone.cancellation_reason, gone.latest_charge.refunded) == ("canceled", "abandoned", True)
    assert [one.balance_transaction for one in gone.latest_charge.refunds.data] == [None]
    for call in (
        client.v1.payment_intents.confirm,
        client.v1.payment_intents.capture,
        client.v1.payment_intents.cancel,
    ):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            call(held.id)
        assert refusal.value.code == "payment_intent_unexpected_state"


def test_an_authorization_lapses(client: stripe.StripeClient, controls: Controls) -> None:
    held = client.v1.payment_intents.create(HELD)
    controls.later(7 * 86_400)
    gone = client.v1.payment_intents.retrieve(held.id)
    assert (gone.status, gone.cancellation_reason) == ("canceled", "automatic")
    assert [one.type for one in client.v1.events.list({"limit": 2}).data] == [
        "charge.expired",
        "payment_intent.canceled",
    ]


def test_money_waits_two_days_unless_the_card_says_otherwise(client: stripe.StripeClient, controls: Controls) -> None:
    for card in ("pm_card_visa", "pm_card_bypassPending"):
        client.v1.payment_intents.create({"amount": 1000, "currency": "usd", "payment_method": card, "confirm": True})
    before = client.v1.balance.retrieve()
    assert (before.available[0].amount, before.pending[0].amount) == (941, 941)
    controls.later(2 * 86_400)
    after = client.v1.balance.retrieve()
    assert (after.available[0].amount, after.pending[0].amount) == (1882, 0)
    assert {one.status for one in client.v1.balance_transactions.list().data} == {"available"}
    assert client.v1.events.list({"limit": 1}).data[0].type == "balance.available"


@pytest.mark.parametrize(("currency", "amount", "fee"), [("jpy", 1000, 59), ("usd", 1050, 60), ("kwd", 12_340, 388)])
def test_fees_in_currencies_of_0_2_and_3_decimals(
    client: stripe.StripeClient, controls: Controls, currency: str, amount: int, fee: int
) -> None:
    client.v1.payment_intents.create(
        {"amount": amount, "currency": currency, "payment_method": "pm_card_bypassPending", "confirm": True}
    )
    booked = client.v1.balance_transactions.list({"currency": currency}).data
    assert [(one.amount, one.fee, one.net) for one in booked] == [(amount, fee, amount - fee)]
    assert [(one.currency, one.amount) for one in client.v1.balance.retrieve().available] == [(currency, amount - fee)]


def test_the_fee_is_a_rule_that_can_be_set(client: stripe.StripeClient, controls: Controls) -> None:
    controls("rules", basis_points=150, fixed=25)
    client.v1.payment_intents.create(
        {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    assert client.v1.balance_transactions.list().data[0].fee == 40


def test_card_numbers_do_the_same_as_tokens(client: stripe.StripeClient, controls: Controls) -> None:
    outcomes: dict[str, str] = {}
    for number in ("4242424242424242", "4000000000000002", "4000000000009995", "4000000000000077", "4000000000003220"):
        method = client.v1.payment_methods.create(
            {"type": "card", "card": {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}}
        )
        try:
            outcomes[number[-4:]] = client.v1.payment_intents.create(
                {"amount": 500, "currency": "usd", "payment_method": method.id, "confirm": True}
            ).status
        except stripe.CardError as refusal:
            outcomes[number[-4:]] = str(refusal.error and refusal.error.decline_code)
    assert outcomes == {
        "4242": "succeeded",
        "0002": "generic_decline",
        "9995": "insufficient_funds",
        "0077": "succeeded",
        "3220": "requires_action",
    }


def test_a_publishable_key_may_confirm_with_the_secret_only(client: stripe.StripeClient, wire: Wire) -> None:
    intent = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    page = wire.key.replace("sk_", "pk_")
    path = f"/v1/payment_intents/{intent.id}/confirm"
    method = wire("POST", "/v1/payment_methods", "type=card&card[token]=tok_visa", key=page).json()["id"]
    assert wire("POST", path, f"payment_method={method}&client_secret=wrong", key=page).status_code == 400
    assert wire("POST", path, f"payment_method={method}", key=page).status_code == 400
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"
    paid = wire("POST", path, f"payment_method={method}&client_secret={intent.client_secret}", key=page)
    assert (paid.status_code, paid.json()["status"]) == (200, "succeeded")
    refused = wire("GET", "/v1/balance", key=page)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "secret_key_required")


def test_what_travels_is_what_the_sdk_shows(client: stripe.StripeClient, wire: Wire) -> None:
    made = client.v1.payment_intents.create({"amount": 500, "currency": "usd"})
    assert wire("GET", f"/v1/payment_intents/{made.id}").json() == json.loads(str(made))
