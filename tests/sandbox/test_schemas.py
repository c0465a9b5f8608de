"""The judge of answers is not blind: each kind of break is found."""

import json
from typing import Any

import pytest
import stripe

from tests.sandbox.checked import Checks


@pytest.fixture
def intent(client: stripe.StripeClient) -> dict[str, Any]:
    """A payment intent as the sandbox answers it."""
    made = client.v1.payment_intents.create(
        {
            "amount": 1000,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "expand": ["latest_charge"],
        }
    )
    return json.loads(str(made))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"amount": "1000"}, ["payment_intent amount"]),
        ({"colour": "blue"}, ["payment_intent "]),
        ({"status": "paid"}, ["payment_intent status"]),
        ({"latest_charge": {"object": "refund", "id": "re_1"}}, ["payment_intent latest_charge", "refund "]),
        ({"metadata": {"a": 1}}, ["payment_intent metadata/a"]),
    ],
)
def test_a_broken_object_is_found(intent: dict[str, Any], change: dict[str, Any], found: list[str]) -> None:
    checks = Checks()
    checks.judge(json.dumps({"object": "event-like", "data": {"object": intent | change}}))
    places = [one.partition(":")[0] for one in checks.violations]
    assert sorted(set(places)) == found


def test_a_missing_field_is_found_also_in_a_part(intent: dict[str, Any]) -> None:
    del intent["currency"], intent["latest_charge"]["payment_method_details"]["card"]["exp_month"]
    checks = Checks()
    checks.judge(json.dumps(intent))
    assert [one.partition(":")[0] for one in checks.violations] == ["payment_intent ", "charge payment_method_details"]
    assert checks.objects == 2
