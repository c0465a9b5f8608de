"""Disputes: a payer takes a charge back, and somebody decides."""

from collections.abc import Mapping
from typing import Any

from lastlight.sandbox.desk import Desk, add, get, merged, save, schedule
from lastlight.sandbox.events import emit
from lastlight.sandbox.listing import everything, page
from lastlight.sandbox.money import FEE
from lastlight.sandbox.problems import Json, Refusal
from lastlight.sandbox.resources.balance import DAY, book
from lastlight.sandbox.resources.charges import card_behind
from lastlight.sandbox.routes import Route
from lastlight.sandbox.shapes import Group, Moment, Text, Truth, Words, group, listed

EDGES: Mapping[str, frozenset[str]] = {
    "warning_needs_response": frozenset({"warning_under_review", "warning_closed", "lost"}),
    "warning_under_review": frozenset({"warning_closed", "needs_response"}),
    "warning_closed": frozenset(),
    "needs_response": frozenset({"under_review", "lost"}),
    "under_review": frozenset({"won", "lost"}),
    "won": frozenset({"lost"}),
    "lost": frozenset({"won"}),
}
"""What a dispute's status may become; an inquiry that is escalated begins again as a dispute, a verdict is overturned by a control."""
ANSWER_DAYS = 10
REVIEW_DAYS = 60
VERDICTS: Mapping[str, str] = {
    "winning_evidence": "won",
    "losing_evidence": "lost",
    "escalate_inquiry_evidence": "needs_response",
}
"""What the evidence `uncategorized_text` decides."""
_TEXTS = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_tracking_number",
    "uncategorized_text",
]
_FILES = [
    "cancellation_policy",
    "customer_communication",
    "customer_signature",
    "duplicate_charge_documentation",
    "receipt",
    "refund_policy",
    "service_documentation",
    "shipping_documentation",
    "uncategorized_file",
]
_CODES = {"visa": "10.4", "mastercard": "4837"}


def open_dispute(desk: Desk, identifier: str) -> None:
    """The payer's bank takes a charge back, or first asks, as the card says."""
    charge = get(desk, "charge", identifier)
    amount = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"] or amount <= 0:
        return
    card = card_behind(charge)
    _opened(desk, charge, amount=amount, reason=card.dispute, inquiry=card.inquiry)


def dispute_charge(desk: Desk, identifier: str, *, amount: int | None, inquiry: bool) -> Json:
    """The payer's bank takes back an amount of any charge, by default all that is neither refunded nor disputed.

    It may be disputed in parts, one after another, and for more than was paid: the bank reckons in the payer's currency, at its own rate.
    """
    charge = get(desk, "charge", identifier, param="charge")
    if not charge["captured"]:
        raise Refusal(f"Charge {charge['id']} has not been captured: there is nothing to dispute.", param="charge")
    before = everything(desk, "dispute", charge=charge["id"])
    taken = sum(one["amount"] for one in before if one["status"] != "warning_closed")
    left = charge["amount"] - charge["amount_refunded"] - taken
    wanted = left if amount is None else amount
    if left <= 0:
        raise Refusal(f"Of charge {charge['id']} nothing is left to dispute.", param="charge")
    if wanted <= 0:
        raise Refusal("What is disputed is more than nothing.", param="amount")
    return _opened(desk, charge, amount=wanted, reason=card_behind(charge).dispute or "general", inquiry=inquiry)


def _opened(desk: Desk, charge: Json, *, amount: int, reason: str, inquiry: bool) -> Json:
    dispute = add(
        desk,
        "dispute",
        amount=amount,
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence=dict[str, Any](enhanced_evidence={}) | dict.fromkeys([*_TEXTS, *_FILES]),
        evidence_details={
            "due_by": desk.now + ANSWER_DAYS * DAY,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        is_charge_refundable=inquiry,
        livemode=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        payment_method_details=_details(charge, inquiry=inquiry),
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
        _taken=0,
    )
    charge["disputed"] = True
    save(desk, charge)
    emit(desk, "charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(desk, dispute)
    schedule(desk, dispute["evidence_details"]["due_by"], "dispute_lapses", dispute["id"])
    return dispute


def _details(charge: Json, *, inquiry: bool) -> Json:
    brand: str = charge["payment_method_details"]["card"]["brand"]
    told = {
        "brand": brand,
        "case_type": "inquiry" if inquiry else "chargeback",
        "network": brand,
        "network_reason_code": _CODES.get(brand, "10.4"),
    }
    return {"card": told, "type": "card"}


def _withdraw(desk: Desk, dispute: Json) -> None:
    """Take what is disputed and not taken yet, with the fee."""
    _book(desk, dispute, amount=min(0, _taken(dispute) - dispute["amount"]), fee=_fee(desk))
    save(desk, dispute)
    emit(desk, "charge.dispute.funds_withdrawn", dispute)


def _taken(dispute: Json) -> int:
    """What is taken and not back, in the charge's currency; one that was kept before this was counted tells it by its bookings."""
    return dispute.get("_taken", -sum(one["amount"] for one in dispute["balance_transactions"]))


def _fee(desk: Desk) -> int:
    return int({**FEE, **desk.settings.get("fee", {})}["dispute"])


def _book(desk: Desk, dispute: Json, *, amount: int, fee: int) -> None:
    """Take an amount (below zero) and a fee, or give an amount and (below zero) a fee back."""
    charge = get(desk, "charge", dispute["charge"])
    paid = get(desk, "balance_transaction", charge["balance_transaction"])
    taken = amount < 0 or fee > 0
    booked = book(
        desk,
        "adjustment",
        dispute["id"],
        amount=amount,
        currency=dispute["currency"],
        category="dispute" if taken else "dispute_reversal",
        fee=fee,
        fee_name="Dispute fee",
        available_on=max(paid["available_on"], desk.now),
        description=f"Chargeback {'withdrawal' if taken else 'reversal'} for {dispute['charge']}",
    )
    dispute["_taken"] = _taken(dispute) - amount
    dispute["balance_transactions"] = [*dispute["balance_transactions"], booked]


def _move(desk: Desk, dispute: Json, status: str) -> None:
    assert status in EDGES[dispute["status"]], (dispute["status"], status)
    dispute["status"] = status
    save(desk, dispute)


def update(desk: Desk, params: Json, identifier: str) -> Json:
    """Say what speaks for us; `submit` sends it off, and then nothing can be added."""
    dispute = get(desk, "dispute", identifier)
    before = dict(dispute)
    submits = params.get("submit", "evidence" in params)
    if submits or "evidence" in params:
        _answerable(dispute)
    if "evidence" in params:
        dispute["evidence"] = dispute["evidence"] | params["evidence"]
        dispute["evidence_details"] = dispute["evidence_details"] | {"has_evidence": True}
    if "metadata" in params:
        dispute["metadata"] = merged(dispute["metadata"], params["metadata"])
    save(desk, dispute)
    if submits:
        _submit(desk, dispute)
    if dispute != before:
        emit(desk, "charge.dispute.updated", dispute, before=before)
    return dispute


def _answerable(dispute: Json) -> None:
    if dispute["status"] not in {"needs_response", "warning_needs_response"}:
        raise Refusal(f"This dispute is {dispute['status']}: evidence can no longer be given.", param="evidence")


def _submit(desk: Desk, dispute: Json) -> None:
    details = dispute["evidence_details"]
    sent = {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
    dispute["evidence_details"] = details | sent
    inquiry = dispute["status"] == "warning_needs_response"
    _move(desk, dispute, "warning_under_review" if inquiry else "under_review")
    decided = dispute["evidence"]["uncategorized_text"] in VERDICTS
    schedule(desk, desk.later if decided else desk.now + REVIEW_DAYS * DAY, "verdict", dispute["id"])


def decide(desk: Desk, identifier: str) -> None:
    """The verdict: what the evidence says, and lost where it says nothing."""
    dispute = get(desk, "dispute", identifier)
    verdict = VERDICTS.get(dispute["evidence"]["uncategorized_text"] or "", "lost")
    if dispute["status"] == "warning_under_review":
        _end_inquiry(desk, dispute, escalated=verdict == "needs_response")
    elif dispute["status"] == "under_review":
        _close(desk, dispute, "won" if verdict == "won" else "lost")


def _end_inquiry(desk: Desk, dispute: Json, *, escalated: bool) -> None:
    if not escalated:
        _close(desk, dispute, "warning_closed")
        return
    before = dict(dispute)
    due = desk.now + ANSWER_DAYS * DAY
    dispute["is_charge_refundable"] = False
    dispute["evidence"] = dispute["evidence"] | {"uncategorized_text": None}
    dispute["evidence_details"] = dispute["evidence_details"] | {"due_by": due, "has_evidence": False}
    dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    _move(desk, dispute, "needs_response")
    emit(desk, "charge.dispute.updated", dispute, before=before)
    _withdraw(desk, dispute)
    schedule(desk, due, "dispute_lapses", dispute["id"])


def _close(desk: Desk, dispute: Json, status: str) -> None:
    if status == "won":
        _book(desk, dispute, amount=_taken(dispute), fee=-_fee(desk))
    _move(desk, dispute, status)
    if status == "won":
        emit(desk, "charge.dispute.funds_reinstated", dispute)
    emit(desk, "charge.dispute.closed", dispute)


def overturn(desk: Desk, identifier: str) -> Json:
    """The bank's verdict does not hold: the cardholder withdraws a lost dispute, or takes up a won one again."""
    dispute = get(desk, "dispute", identifier)
    if dispute["status"] not in {"won", "lost"}:
        raise Refusal(f"This dispute is {dispute['status']}: only a verdict is overturned.")
    if dispute["status"] == "won":
        _withdraw(desk, dispute)
    _close(desk, dispute, "won" if dispute["status"] == "lost" else "lost")
    return dispute


def amend(desk: Desk, identifier: str, *, amount: int) -> Json:
    """The bank says another amount of a dispute that it has not decided; no money moves for that."""
    dispute = get(desk, "dispute", identifier)
    if dispute["status"] in {"won", "lost", "warning_closed"}:
        raise Refusal(f"This dispute is {dispute['status']}: its amount stands.")
    if amount <= 0:
        raise Refusal("What is disputed is more than nothing.", param="amount")
    before = dict(dispute)
    dispute["amount"] = amount
    save(desk, dispute)
    emit(desk, "charge.dispute.updated", dispute, before=before)
    return dispute


def move_funds(desk: Desk, identifier: str, *, amount: int) -> Json:
    """The bank takes more of a dispute (below zero), or gives a part back, apart from a verdict and without a fee."""
    dispute = get(desk, "dispute", identifier)
    if dispute["status"].startswith("warning"):
        raise Refusal("An inquiry holds no money.")
    if not amount or amount > _taken(dispute):
        raise Refusal(
            f"Of this dispute {_taken(dispute)} can come back, or more be taken (below zero).", param="amount"
        )
    _book(desk, dispute, amount=amount, fee=0)
    save(desk, dispute)
    emit(desk, "charge.dispute.funds_withdrawn" if amount < 0 else "charge.dispute.funds_reinstated", dispute)
    return dispute


def lapse(desk: Desk, identifier: str) -> None:
    """Nobody answered in time."""
    dispute = get(desk, "dispute", identifier)
    if dispute["evidence_details"]["due_by"] > desk.now or "needs_response" not in dispute["status"]:
        return
    dispute["evidence_details"] = dispute["evidence_details"] | {"past_due": True}
    _close(desk, dispute, "warning_closed" if dispute["status"].startswith("warning") else "lost")


def close(desk: Desk, params: Json, identifier: str) -> Json:
    """Give in: the dispute is lost."""
    dispute = get(desk, "dispute", identifier)
    if dispute["status"] not in {"needs_response", "warning_needs_response"}:
        raise Refusal(f"This dispute is {dispute['status']} and cannot be closed.")
    _close(desk, dispute, "lost")
    return dispute


def retrieve(desk: Desk, params: Json, identifier: str) -> Json:
    """One dispute."""
    return get(desk, "dispute", identifier)


def index(desk: Desk, params: Json, identifier: str) -> Json:
    """Disputes."""
    wanted = {name: params.get(name) for name in ("charge", "payment_intent")}
    return page(desk, "dispute", params, "/v1/disputes", fields=wanted)


_EVIDENCE = Group({name: Text(longest=20_000) for name in _TEXTS})
ROUTES = (
    Route("disputes.retrieve", "GET", "/v1/disputes/{id}", retrieve, group()),
    Route(
        "disputes.update",
        "POST",
        "/v1/disputes/{id}",
        update,
        group(evidence=_EVIDENCE, metadata=Words(unset=True), submit=Truth()),
    ),
    Route("disputes.close", "POST", "/v1/disputes/{id}/close", close, group()),
    Route(
        "disputes.list", "GET", "/v1/disputes", index, listed(charge=Text(), created=Moment(), payment_intent=Text())
    ),
)
