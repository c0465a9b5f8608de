"""A Hypothesis state machine: whatever is done in whatever order, the balance is the sum of its transactions."""

import secrets
from typing import Any, cast

import stripe
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from lastlight.sandbox.resources import charges, disputes, payment_intents, refunds
from tests.sandbox.checked import CheckedTransport, Checks
from tests.sandbox.conftest import Controls

CARDS = (
    "pm_card_visa",
    "pm_card_bypassPending",
    "pm_card_chargeDeclined",
    "pm_card_createDispute",
    "pm_card_createDisputeInquiry",
    "pm_card_pendingRefund",
    "pm_card_refundFail",
    "pm_card_threeDSecure2Required",
)
EDGES = {
    "payment_intent": payment_intents.EDGES,
    "charge": charges.EDGES,
    "refund": refunds.EDGES,
    "dispute": disputes.EDGES,
}


class Money(RuleBasedStateMachine):
    """Payments, captures, refunds, disputes and time, in any order, in an account of its own."""

    def __init__(self, controls: Controls, transport: CheckedTransport) -> None:
        super().__init__()
        key = f"sk_test_{secrets.token_hex(12)}"
        self.controls = Controls(controls.http, controls.base, key)
        self.v1 = stripe.StripeClient(key, base_addresses={"api": controls.base}, http_client=transport).v1
        self.intents: list[str] = []
        self.seen: dict[str, str] = {}

    def attempt(self, call: Any, *arguments: Any) -> Any:
        """Refusals are fine; what they must not do, the invariants say."""
        try:
            return call(*arguments)
        except (stripe.CardError, stripe.InvalidRequestError):
            return None

    @rule(
        card=st.sampled_from(CARDS),
        amount=st.integers(1, 50_000),
        currency=st.sampled_from(("usd", "jpy", "kwd")),
        manual=st.booleans(),
    )
    def pay(self, card: str, amount: int, currency: str, manual: bool) -> None:
        wish = {"amount": amount * 10 if currency == "kwd" else amount, "currency": currency, "payment_method": card}
        method = "manual" if manual else "automatic"
        made = self.v1.payment_intents.create({**wish, "capture_method": method})  # pyright: ignore[reportArgumentType] built
        self.intents.append(made.id)
        self.look("payment_intent", made)
        self.attempt(self.v1.payment_intents.confirm, made.id)

    @precondition(lambda self: self.intents)
    @rule(data=st.data(), amount=st.integers(1, 60_000))
    def capture(self, data: st.DataObject, amount: int) -> None:
        chosen = data.draw(st.sampled_from(self.intents))
        self.attempt(self.v1.payment_intents.capture, chosen, {"amount_to_capture": amount})

    @precondition(lambda self: self.intents)
    @rule(data=st.data(), amount=st.integers(1, 60_000), whole=st.booleans())
    def refund(self, data: st.DataObject, amount: int, whole: bool) -> None:
        chosen = data.draw(st.sampled_from(self.intents))
        wish = {"payment_intent": chosen} if whole else {"payment_intent": chosen, "amount": amount}
        self.attempt(self.v1.refunds.create, wish)

    @precondition(lambda self: self.intents)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.attempt(self.v1.payment_intents.cancel, data.draw(st.sampled_from(self.intents)))

    @rule(text=st.sampled_from(("winning_evidence", "losing_evidence", "escalate_inquiry_evidence", "a letter")))
    def answer(self, text: str) -> None:
        for dispute in self.v1.disputes.list({"limit": 3}).data:
            wish = {"evidence": {"uncategorized_text": text}, "submit": True}
            self.attempt(self.v1.disputes.update, dispute.id, wish)

    @rule(amount=st.integers(-20_000, 20_000).filter(bool))
    def funds(self, amount: int) -> None:
        for dispute in self.v1.disputes.list({"limit": 3}).data:
            own = all(one.currency == dispute.currency for one in dispute.balance_transactions)
            taken = -sum(one.amount for one in dispute.balance_transactions) if own else 0
            if not dispute.status.startswith("warning") and amount <= taken:
                self.controls("funds", dispute=dispute.id, amount=amount)

    @rule(settles_in=st.sampled_from(("", "eur")), rate=st.sampled_from((870_001, 1_000_000, 1_250_000)))
    def settle(self, settles_in: str, rate: int) -> None:
        self.controls("rules", settles_in=settles_in, rate=rate)

    @rule(seconds=st.sampled_from((1, 5, 86_400, 2 * 86_400, 11 * 86_400)))
    def wait(self, seconds: int) -> None:
        self.controls.later(seconds)

    def look(self, kind: str, found: Any) -> None:
        """A state is the one before, or reachable from it."""
        before = self.seen.get(found.id)
        if before is not None and before != found.status:
            assert found.status in reachable(kind, before), (kind, before, found.status)
        self.seen[found.id] = found.status

    @invariant()
    def the_sum_is_the_balance(self) -> None:
        sums: dict[tuple[str, str], int] = {}
        for one in self.v1.balance_transactions.list({"limit": 100}).auto_paging_iter():
            assert one.net == one.amount - one.fee
            sums[one.currency, one.status] = sums.get((one.currency, one.status), 0) + one.net
        told = self.v1.balance.retrieve()
        shown = {(one.currency, "available"): one.amount for one in told.available}
        shown |= {(one.currency, "pending"): one.amount for one in told.pending}
        assert {name: net for name, net in shown.items() if net} == {name: net for name, net in sums.items() if net}

    @invariant()
    def refunds_stay_within_their_charge(self) -> None:
        given: dict[str, int] = {}
        for refund in self.v1.refunds.list({"limit": 100}).data:
            self.look("refund", refund)
            if refund.status in {"pending", "succeeded"}:
                given[str(refund.charge)] = given.get(str(refund.charge), 0) + refund.amount
        for charge in self.v1.charges.list({"limit": 100}).data:
            self.look("charge", charge)
            assert given.get(charge.id, 0) == charge.amount_refunded <= charge.amount
            assert charge.refunded == (charge.amount_refunded == charge.amount)

    @invariant()
    def states_move_along_their_edges(self) -> None:
        for intent in self.v1.payment_intents.list({"limit": 100}).data:
            self.look("payment_intent", intent)
        for dispute in self.v1.disputes.list({"limit": 100}).data:
            self.look("dispute", dispute)


def reachable(kind: str, state: str) -> set[str]:
    """The states that may follow, also after several steps between two looks."""
    found: set[str] = set()
    fresh = set(EDGES[kind][state])
    while fresh:
        found |= fresh
        fresh = {after for one in fresh for after in EDGES[kind][one]} - found
    return found


def test_the_money_adds_up(controls: Controls, checks: Checks, transport: CheckedTransport) -> None:
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", lambda: Money(controls, transport)),  # anything that makes one will do
        settings=settings(
            max_examples=6,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert checks.objects > 100


def test_no_state_is_left_out() -> None:
    assert reachable("payment_intent", "requires_payment_method") == set(payment_intents.EDGES)
    assert reachable("refund", "pending") == {"succeeded", "failed", "canceled"}
    assert reachable("dispute", "warning_needs_response") >= {"needs_response", "won", "lost", "warning_closed"}
    assert reachable("charge", "succeeded") == set()
