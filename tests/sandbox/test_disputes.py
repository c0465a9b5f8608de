"""Disputes: opened, answered, won, lost, closed; inquiries that take no money."""

import pytest
import stripe

from tests.sandbox.conftest import Controls


@pytest.fixture
def dispute(client: stripe.StripeClient, controls: Controls, request: pytest.FixtureRequest) -> stripe.Dispute:
    """A dispute that has just been opened."""
    client.v1.payment_intents.create(
        {"amount": 10_000, "currency": "usd", "payment_method": request.param, "confirm": True}
    )
    controls.later()
    return client.v1.disputes.list().data[0]


disputed = pytest.mark.parametrize("dispute", ["pm_card_createDispute"], indirect=True)
inquired = pytest.mark.parametrize("dispute", ["pm_card_createDisputeInquiry"], indirect=True)


def nets(client: stripe.StripeClient) -> list[tuple[str, int, int]]:
    """The dispute's bookings, the oldest first."""
    found = client.v1.balance_transactions.list({"type": "adjustment"}).data
    return [(one.reporting_category, one.amount, one.net) for one in reversed(found)]


@disputed
def test_the_money_is_taken_with_a_fee(client: stripe.StripeClient, dispute: stripe.Dispute) -> None:
    assert (dispute.status, dispute.amount, dispute.reason) == ("needs_response", 10_000, "fraudulent")
    assert nets(client) == [("dispute", -10_000, -11_500)]
    found = client.v1.disputes.retrieve(dispute.id, {"expand": ["charge"]})
    assert isinstance(found.charge, stripe.Charge)
    assert found.charge.disputed
    assert [one.net for one in found.balance_transactions] == [-11_500]


@disputed
def test_winning_evidence_brings_it_back(
    client: stripe.StripeClient, controls: Controls, dispute: stripe.Dispute
) -> None:
    staged = client.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "Ada"}, "submit": False})
    assert (staged.status, staged.evidence_details.submission_count) == ("needs_response", 0)
    sent = client.v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True}
    )
    assert (sent.status, sent.evidence.customer_name) == ("under_review", "Ada")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.update(dispute.id, {"evidence": {"customer_name": "Eve"}})
    controls.later()
    assert client.v1.disputes.retrieve(dispute.id).status == "won"
    assert nets(client) == [("dispute", -10_000, -11_500), ("dispute_reversal", 10_000, 11_500)]
    wanted = ["charge.dispute.closed", "charge.dispute.funds_reinstated"]
    assert [one.type for one in client.v1.events.list({"limit": 2}).data] == wanted


@disputed
def test_a_verdict_is_overturned_with_its_money_and_nothing_else_is(
    client: stripe.StripeClient, controls: Controls, dispute: stripe.Dispute
) -> None:
    with pytest.raises(AssertionError, match="only a verdict is overturned"):
        controls("overturn", dispute=dispute.id)
    client.v1.disputes.close(dispute.id)
    taken, back = ("dispute", -10_000, -11_500), ("dispute_reversal", 10_000, 11_500)
    for status, moved in (("won", [taken, back]), ("lost", [taken, back, taken])):
        assert controls("overturn", dispute=dispute.id)["status"] == status
        assert (client.v1.disputes.retrieve(dispute.id).status, nets(client)) == (status, moved)
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.disputes.close(dispute.id)
    told = [
        "charge.dispute.closed",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]
    assert [one.type for one in client.v1.events.list({"limit": 4}).data] == told


@disputed
def test_parts_move_apart_from_the_verdict_and_the_verdict_moves_the_rest(
    client: stripe.StripeClient, controls: Controls, dispute: stripe.Dispute
) -> None:
    taken, more, back = ("dispute", -10_000, -11_500), ("dispute", -2_000, -2_000), ("dispute_reversal", 4_000, 4_000)
    for amount, told in ((-2_000, "withdrawn"), (4_000, "reinstated")):
        assert controls("funds", dispute=dispute.id, amount=amount)["status"] == "needs_response"
        assert client.v1.events.list({"limit": 1}).data[0].type == f"charge.dispute.funds_{told}"
    assert nets(client) == [taken, more, back]
    for wrong in (0, 8_001):
        with pytest.raises(AssertionError, match="Of this dispute 8000 can come back"):
            controls("funds", dispute=dispute.id, amount=wrong)
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    controls.later()
    assert nets(client)[3:] == [("dispute_reversal", 8_000, 9_500)]
    controls("funds", dispute=dispute.id, amount=-3_000)
    assert controls("overturn", dispute=dispute.id)["status"] == "lost"
    assert nets(client)[4:] == [("dispute", -3_000, -3_000), ("dispute", -7_000, -8_500)]


@disputed
def test_a_dispute_is_lost_in_part_and_won_when_nothing_is_left(
    client: stripe.StripeClient, controls: Controls, dispute: stripe.Dispute
) -> None:
    client.v1.disputes.close(dispute.id)
    controls("funds", dispute=dispute.id, amount=4_000)
    found = client.v1.disputes.retrieve(dispute.id)
    assert (found.status, [one.amount for one in found.balance_transactions]) == ("lost", [-10_000, 4_000])
    controls("funds", dispute=dispute.id, amount=6_000)
    assert controls("overturn", dispute=dispute.id)["status"] == "won"
    assert nets(client)[2:] == [("dispute_reversal", 6_000, 6_000), ("dispute_reversal", 0, 1_500)]


@inquired
def test_an_inquiry_has_no_funds(client: stripe.StripeClient, controls: Controls, dispute: stripe.Dispute) -> None:
    for amount in (-1, 1):
        with pytest.raises(AssertionError, match="holds no money"):
            controls("funds", dispute=dispute.id, amount=amount)
    assert nets(client) == []


def test_an_account_settles_in_another_currency_at_the_rate_of_the_day(
    client: stripe.StripeClient, controls: Controls
) -> None:
    for wrong in ({"rate": 0}, {"rate": -1}, {"settles_in": "xyz"}):
        with pytest.raises(AssertionError):
            controls("rules", **wrong)
    told = controls("rules", settles_in="EUR", rate=900_000)
    assert (told["settles_in"], told["rate"]) == ("eur", 900_000)
    paid = client.v1.payment_intents.create(
        {"amount": 10_005, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    client.v1.refunds.create({"payment_intent": paid.id, "amount": 1_000})
    dispute = controls("dispute", charge=str(paid.latest_charge), amount=5_000)["id"]
    controls("rules", rate=920_001)
    controls("funds", dispute=dispute, amount=2_000)
    client.v1.disputes.update(dispute, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    controls.later()
    moved = list(reversed(client.v1.balance_transactions.list().data))
    assert [(one.reporting_category, one.currency, one.amount, one.fee) for one in moved] == [
        ("charge", "eur", 9_005, 288),
        ("refund", "eur", -900, 0),
        ("dispute", "eur", -4_500, 1_350),
        ("dispute_reversal", "eur", 1_840, 0),
        ("dispute_reversal", "eur", 2_760, -1_380),
    ]
    assert [one.exchange_rate for one in moved] == [0.9, 0.9, 0.9, 0.920001, 0.920001]
    balance = client.v1.balance.retrieve()
    assert [(one.currency, one.amount) for one in balance.pending] == [("eur", sum(one.net for one in moved))]
    controls("rules", settles_in="")
    plain = client.v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    newest = client.v1.balance_transactions.list({"source": str(plain.latest_charge)}).data[0]
    assert (newest.currency, newest.amount, newest.exchange_rate) == ("usd", 500, None)


@disputed
@pytest.mark.parametrize(("text", "days"), [("losing_evidence", 1), ("a letter", 60)])
def test_evidence_that_does_not_win(
    client: stripe.StripeClient, controls: Controls, dispute: stripe.Dispute, text: str, days: int
) -> None:
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": text}, "submit": True})
    controls.later(days * 86_400)
    assert client.v1.disputes.retrieve(dispute.id).status == "lost"
    assert nets(client) == [("dispute", -10_000, -11_500)]


@disputed
def test_silence_loses(client: stripe.StripeClient, controls: Controls, dispute: stripe.Dispute) -> None:
    controls.later(10 * 86_400)
    lost = client.v1.disputes.retrieve(dispute.id)
    assert (lost.status, lost.evidence_details.past_due) == ("lost", True)


@disputed
def test_giving_in(client: stripe.StripeClient, dispute: stripe.Dispute) -> None:
    assert client.v1.disputes.close(dispute.id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.disputes.close(dispute.id)


def test_a_part_of_any_charge_is_disputed_as_often_as_something_is_left(
    client: stripe.StripeClient, controls: Controls
) -> None:
    paid = client.v1.payment_intents.create(
        {"amount": 10_000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    charge = str(paid.latest_charge)
    client.v1.refunds.create({"charge": charge, "amount": 1_000})
    for wrong in (0, -1):
        with pytest.raises(AssertionError, match="more than nothing"):
            controls("dispute", charge=charge, amount=wrong)
    first = controls("dispute", charge=charge, amount=4_000)
    found = client.v1.disputes.retrieve(first["id"])
    assert (found.amount, found.status, found.reason) == (4_000, "needs_response", "general")
    second = controls("dispute", charge=charge)
    assert (second["amount"], second["charge"]) == (5_000, charge)
    assert nets(client) == [("dispute", -4_000, -5_500), ("dispute", -5_000, -6_500)]
    with pytest.raises(AssertionError, match="nothing is left to dispute"):
        controls("dispute", charge=charge, amount=1)
    client.v1.disputes.update(first["id"], {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    controls.later()
    assert nets(client)[2:] == [("dispute_reversal", 4_000, 5_500)]
    assert [client.v1.disputes.retrieve(one["id"]).status for one in (first, second)] == ["won", "needs_response"]
    other = client.v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    more = controls("dispute", charge=str(other.latest_charge), amount=507)
    assert client.v1.disputes.retrieve(more["id"]).amount == 507  # at the rate of the payer's bank
    held = client.v1.payment_intents.create(
        {
            "amount": 500,
            "currency": "usd",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "capture_method": "manual",
        }
    )
    with pytest.raises(AssertionError, match="has not been captured"):
        controls("dispute", charge=str(held.latest_charge))


@inquired
def test_an_inquiry_takes_no_money_and_ends(
    client: stripe.StripeClient, controls: Controls, dispute: stripe.Dispute
) -> None:
    assert (dispute.status, dispute.is_charge_refundable) == ("warning_needs_response", True)
    client.v1.disputes.update(dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}, "submit": True})
    controls.later()
    assert client.v1.disputes.retrieve(dispute.id).status == "warning_closed"
    assert nets(client) == []


@inquired
def test_an_inquiry_becomes_a_dispute(client: stripe.StripeClient, controls: Controls, dispute: stripe.Dispute) -> None:
    client.v1.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": "escalate_inquiry_evidence"}, "submit": True}
    )
    controls.later()
    escalated = client.v1.disputes.retrieve(dispute.id)
    assert (escalated.status, escalated.is_charge_refundable) == ("needs_response", False)
    assert nets(client) == [("dispute", -10_000, -11_500)]
