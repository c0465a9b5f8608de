"""A business's money as whole numbers: what guests have, where each cent of the books is, and what a provider's objects change about it.

It follows docs/money.md and docs/credits.md, shares no line with the product, and takes what the provider holds from the provider itself.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

Facts = dict[str, Any]
GRACE_DAYS = 30
UNDER_WAY = ("created", "given-up", "pending")
HELD = ("needs_response", "under_review", "lost")


@dataclass(eq=False)
class Lot:
    """Credits that came in together; it ends at a day and a step of that day."""

    number: int
    guest: int
    remaining: int
    ends: tuple[int, int]
    frozen: int = 0

    @property
    def free(self) -> int:
        """What of it is not in dispute."""
        return self.remaining - self.frozen


@dataclass(eq=False)
class Spend:
    """A spend: how much of it each lot still misses."""

    id: UUID
    parts: list[tuple[Lot, int]]

    @property
    def left(self) -> int:
        """What can still be given back."""
        return sum(part for _, part in self.parts)


@dataclass(eq=False)
class Refund:
    """A refund; `ours` is None for one that was made at the provider's."""

    ours: UUID | None
    amount: int
    released: int
    status: str = "created"
    provider_id: str | None = None


@dataclass(eq=False)
class Dispute:
    """A dispute, and what it holds frozen."""

    amount: int
    frozen: int
    status: str
    taken: int = 0
    """What a lost one took of what was unspent; the rest of it is a loss."""
    moved: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """What its movements were in the provider's currency, and are in the payment's."""


@dataclass(eq=False)
class Paid:
    """A payment, and what of its provider's side has reached us."""

    id: UUID
    guest: int
    amount: int
    intent: str | None = None
    lot: Lot | None = None
    refunds: list[Refund] = field(default_factory=list[Refund])
    disputes: dict[str, Dispute] = field(default_factory=dict[str, Dispute])
    answered: set[str] = field(default_factory=set[str])
    booked: set[str] = field(default_factory=set[str])

    def sums(self) -> tuple[int, int, int, int]:
        """What was captured, is going back, went back, and is disputed."""
        refunding = sum(one.amount for one in self.refunds if one.status in UNDER_WAY)
        refunded = sum(one.amount for one in self.refunds if one.status == "succeeded")
        disputed = sum(one.amount for one in self.disputes.values() if one.status in HELD)
        return self.amount if self.lot else 0, refunding, refunded, disputed

    @property
    def refundable(self) -> int:
        """What may still go back."""
        captured, refunding, refunded, disputed = self.sums()
        return max(0, captured - refunding - refunded - disputed)


@dataclass
class Model:
    """The business. Books are kept on each account's own side."""

    life_days: int
    overturned: int = 0
    """How many lost disputes were won after all."""
    day: int = 0
    tick: int = 0
    books: Counter[str] = field(default_factory=Counter[str])
    lots: list[Lot] = field(default_factory=list[Lot])
    spends: list[Spend] = field(default_factory=list[Spend])
    payments: dict[UUID, Paid] = field(default_factory=dict[UUID, Paid])

    @property
    def now(self) -> tuple[int, int]:
        """The day and its step."""
        return self.day, self.tick

    def of(self, guest: int) -> list[Lot]:
        """What a guest has, what ends first before the rest."""
        return sorted((lot for lot in self.lots if lot.guest == guest), key=lambda lot: (lot.ends, lot.number))

    def usable(self, guest: int) -> list[Lot]:
        """What they can spend."""
        return [lot for lot in self.of(guest) if lot.ends > self.now and lot.free > 0]

    def can_spend(self, guest: int) -> int:
        """How much that is."""
        return sum(lot.free for lot in self.usable(guest))

    def expire(self, guest: int) -> None:
        """What is over becomes income, but for what is in dispute."""
        for lot in self.of(guest):
            if lot.ends <= self.now:
                self.books["breakage"] += lot.free
                lot.remaining = lot.frozen

    def take(self, guest: int, amount: int, *, account: str, sign: int) -> list[tuple[Lot, int]]:
        """Credits that are taken, from which lots."""
        self.tick += 1
        self.expire(guest)
        parts: list[tuple[Lot, int]] = []
        for lot in self.usable(guest):
            part = min(lot.free, amount)
            if part:
                lot.remaining -= part
                amount -= part
                parts.append((lot, part))
        assert amount == 0
        self.books[account] += sign * sum(part for _, part in parts)
        return parts

    def give(self, guest: int, amount: int) -> Lot:
        """A new lot."""
        self.tick += 1
        lot = Lot(len(self.lots), guest, amount, (self.day + self.life_days, self.tick))
        self.lots.append(lot)
        return lot

    def give_back(self, spend: Spend, amount: int) -> None:
        """A part of a spend returns, to what gave last first; what was over by then stays over."""
        self.tick += 1
        self.expire(spend.parts[0][0].guest)
        self.books["order-clearing"] -= amount
        kept = sorted(spend.parts, key=lambda one: (one[0].ends, one[0].number))
        for place in reversed(range(len(kept))):
            lot, part = kept[place]
            back = min(part, amount)
            if back:
                self._returns(lot, back)
            kept[place], amount = (lot, part - back), amount - back
        spend.parts = [(lot, part) for lot, part in kept if part] or kept[:1]

    def prolonged(self, guest: int, since: int, ends: Sequence[datetime]) -> None:
        """What several returned at once ends in the order of their transactions' beginnings, which only the books know.

        `ends` are those of all the guest's lots, the oldest first.
        """
        lots = [lot for lot in self.lots if lot.guest == guest]
        moved = [(lot, end) for lot, end in zip(lots, ends, strict=True) if lot.ends[1] > since]
        order = sorted({end for _, end in moved})
        assert len(order) <= self.tick - since, "more was prolonged than was given back"
        for lot, end in moved:
            lot.ends = (lot.ends[0], since + 1 + order.index(end))

    def begin_refund(self, payment: Paid, ours: UUID, amount: int) -> None:
        """Credits wait on their way back to the card."""
        assert payment.lot is not None
        self.expire(payment.guest)
        payment.lot.remaining -= amount
        self.books["refunds-payable"] += amount
        payment.refunds.append(Refund(ours, amount, amount))

    def counted(self) -> Counter[str]:
        """What has come up."""
        found = Counter(
            {"paid": sum(one.lot is not None for one in self.payments.values()), "spends": len(self.spends)}
        )
        for payment in self.payments.values():
            found.update(f"refunds {one.status}" for one in payment.refunds)
            found.update("refunds made elsewhere" for one in payment.refunds if one.ours is None)
            found.update(f"disputes {one.status}" for one in payment.disputes.values())
        found["disputes won after all"] = self.overturned
        found["expired"] = self.books["breakage"] > 0
        found["losses"] = self.books["losses"] > 0
        disputes = [one for payment in self.payments.values() for one in payment.disputes.values()]
        found["disputes in parts"] = sum(len(one.moved) > 2 for one in disputes)
        found["disputes lost in part"] = sum(
            one.status == "lost" and any(amount > 0 for amount, _ in one.moved.values()) and one.amount > 0
            for one in disputes
        )
        found["settled abroad"] = self.books["exchange USD"] != 0
        return found

    # --- what a look at the provider changes --------------------------------------------------------------------------

    def crowded(self, payment: Paid, held: "Held") -> bool:
        """Whether more went back at the provider's than is left beside a refund of ours that is not there yet."""
        captured, refunding, refunded, _ = payment.sums()
        back = refunding + refunded
        back -= sum(one.amount for one in payment.refunds if one.status == "given-up" and not self._there(one, held))
        for one in held.refunds:
            refund = self._known(payment, one)
            if one["status"] == "failed":
                back -= one["amount"] if refund is not None and refund.status != "failed" else 0
            elif refund is None:
                back += one["amount"]
                if back > (captured or payment.amount):
                    return True
        return False

    def look(self, payment: Paid, held: "Held") -> None:
        """Follow what the provider holds of a payment: the charge, then refunds, then disputes."""
        self.tick += 1
        if held.charge and payment.lot is None and held.intent["status"] == "succeeded":
            payment.lot = self.give(payment.guest, payment.amount)
            fee = (payment.amount * 290 + 5_000) // 10_000 + 30
            self._book(payment, held.charge, payment.amount, {fee}, "processing-fees")
        for refund in payment.refunds:
            if refund.status == "given-up" and not self._there(refund, held):
                self._failed(payment, refund)
        for one in held.refunds:
            self._refund(payment, one, held)
        for one in held.disputes:
            self._dispute(payment, one)

    def _refund(self, payment: Paid, one: Facts, held: "Held") -> None:
        refund = self._known(payment, one)
        lot = payment.lot
        assert lot is not None
        if refund is None and one["status"] == "failed":
            refund = Refund(None, one["amount"], 0, status="failed")  # lost before we heard of it: nothing was released
            payment.refunds.append(refund)
        elif refund is None:
            self.expire(payment.guest)
            released = min(one["amount"], lot.free)
            refund = Refund(None, one["amount"], released, provider_id=one["id"])
            lot.remaining -= released
            self.books["refunds-payable"] += refund.amount
            self.books["losses"] += refund.amount - released
            payment.refunds.append(refund)
        refund.provider_id = one["id"]
        for name, sign in (("balance_transaction", -1), ("failure_balance_transaction", 1)):
            moved = held.moved.get(one.get(name) or "")
            if moved and moved["id"] not in payment.booked:
                self._book(payment, moved, sign * refund.amount, {0}, "processing-fees")
                self.books["refunds-payable"] += sign * refund.amount
        if one["status"] == "failed" and refund.status != "failed":
            self._failed(payment, refund)
        elif refund.status != "failed":
            refund.status = one["status"]

    def _failed(self, payment: Paid, refund: Refund) -> None:
        assert payment.lot is not None
        if refund.released:
            self.expire(payment.guest)
            self._returns(payment.lot, refund.released)
        self.books["refunds-payable"] -= refund.amount
        self.books["losses"] -= refund.amount - refund.released
        refund.status = "failed"

    def disagrees(self, payment: Paid, held: "Held") -> bool:
        """Whether the provider has not said yet what came back of a dispute in its own currency."""
        return any(self._moves(payment, one) is None for one in held.disputes)

    def _dispute(self, payment: Paid, one: Facts) -> None:
        lot, moves = payment.lot, self._moves(payment, one)
        assert lot is not None
        if moves is None:
            return
        dispute = payment.disputes.get(one["id"])
        left = -sum(amount for _, amount in moves.values())
        known = dispute.amount if dispute else one["amount"]
        amount = left if one["status"] == "lost" else known if one["status"] == "won" and dispute else left or known
        if dispute is None:
            dispute = payment.disputes[one["id"]] = Dispute(amount, 0, "")
        for moved in one["balance_transactions"]:
            if moved["id"] not in payment.booked:
                presented = moves[moved["id"]][1]
                fees = {0, 1_500} if presented < 0 else {0, -1_500} if presented else {1_500, -1_500}
                self._book(payment, moved, presented, fees, "dispute-fees")
                self.books["disputes-held"] -= presented
        dispute.moved = moves
        self._stands(payment, lot, dispute, status=one["status"], amount=amount)

    def _stands(self, payment: Paid, lot: Lot, dispute: Dispute, *, status: str, amount: int) -> None:
        """A dispute, about so much, in this status: what that changes."""
        ended, before = status in {"won", "lost"}, (dispute.status, dispute.amount)
        if before == (status, amount):
            return
        if dispute.status == "lost":
            self._overturned(payment, lot, dispute)
        dispute.status, dispute.amount = status, amount
        decided = before[0] in {"won", "lost"}
        if not (ended and decided) and (not before[0] or decided or amount != before[1]):
            self._freeze(payment, lot, dispute)
        if ended:
            self._verdict(payment, lot, dispute, lost=status == "lost")

    def _freeze(self, payment: Paid, lot: Lot, dispute: Dispute) -> None:
        self.expire(payment.guest)
        if dispute.frozen > dispute.amount:
            lot.frozen -= dispute.frozen
            dispute.frozen = 0
            lot.ends = max(lot.ends, (self.day + GRACE_DAYS, self.tick))
        more = max(0, min(dispute.amount - dispute.frozen, lot.free))
        lot.frozen += more
        dispute.frozen += more

    def _moves(self, payment: Paid, one: Facts) -> dict[str, tuple[int, int]] | None:
        """Each movement of a dispute as it is and in the payment's currency; None where a verdict has to say first what came back."""
        dispute = payment.disputes.get(one["id"])
        found = dict(dispute.moved) if dispute else {}
        fresh = [moved for moved in one["balance_transactions"] if moved["id"] not in found]
        for moved in sorted(fresh, key=lambda moved: (moved["created"], moved["amount"])):
            amount = moved["amount"] if moved["currency"] == "eur" else self._exchanged(found, one, moved["amount"])
            if amount is None:
                return None
            found[moved["id"]] = moved["amount"], amount
        return found

    def _exchanged(self, before: dict[str, tuple[int, int]], one: Facts, amount: int) -> int | None:
        settled, taken = (-sum(pair[place] for pair in before.values()) for place in (0, 1))
        if taken <= 0:
            return -one["amount"] if amount < 0 else 0
        abroad, at_home = next(pair for pair in before.values() if pair[1] < 0)
        part = int(Fraction(at_home * amount, abroad).__abs__() + Fraction(1, 2))
        if amount <= 0:
            return -part
        if one["status"] == "won" or amount == settled:
            return taken
        return min(taken, part) if one["status"] == "lost" else None

    def _overturned(self, payment: Paid, lot: Lot, dispute: Dispute) -> None:
        self.expire(payment.guest)
        if dispute.taken:
            self._returns(lot, dispute.taken)
        self.books["disputes-held"] += dispute.amount
        self.books["losses"] -= dispute.amount - dispute.taken
        dispute.taken = 0
        self.overturned += 1

    def _verdict(self, payment: Paid, lot: Lot, dispute: Dispute, *, lost: bool) -> None:
        self.expire(payment.guest)
        if not lost:
            if dispute.frozen:
                lot.frozen -= dispute.frozen
                dispute.frozen = 0
                lot.ends = max(lot.ends, (self.day + GRACE_DAYS, self.tick))
            return
        lot.frozen -= dispute.frozen
        dispute.frozen = 0
        dispute.taken = taken = min(dispute.amount, lot.free)
        lot.remaining -= taken
        self.books["disputes-held"] -= dispute.amount
        self.books["losses"] += dispute.amount - taken

    def _returns(self, lot: Lot, amount: int) -> None:
        lot.remaining += amount
        lot.ends = max(lot.ends, (self.day + GRACE_DAYS, self.tick))

    def _book(self, payment: Paid, moved: Facts, amount: int, fees_known: set[int], fees: str) -> None:
        """A movement that is so much in the payment's currency; by another one's rates the provider alone knows the fee."""
        fee, end = moved["fee"], "" if moved["currency"] == "eur" else f" {moved['currency'].upper()}"
        assert moved["net"] == moved["amount"] - fee, moved
        payment.booked.add(moved["id"])
        if end:
            self.books[f"exchange{end}"] += moved["amount"]
            self.books["exchange"] -= amount
        else:
            assert moved["amount"] == amount, (moved, amount)
            assert fee in fees_known, moved
        self.books[f"provider{end}"] += moved["net"]
        self.books[f"{fees}{end}"] += fee

    def _known(self, payment: Paid, one: Facts) -> Refund | None:
        named = one["metadata"].get("refund_id")
        for refund in payment.refunds:
            if refund.provider_id == one["id"] or (
                refund.provider_id is None and named == str(refund.ours) and refund.status in {"created", "given-up"}
            ):
                return refund
        return None

    def _there(self, refund: Refund, held: "Held") -> bool:
        return any(one["metadata"].get("refund_id") == str(refund.ours) for one in held.refunds)


@dataclass(frozen=True)
class Held:
    """What the provider holds of one payment, in the order in which it came to be; refunds that failed before the others."""

    intent: Facts
    charge: Facts | None
    """What the charge moved."""
    refunds: list[Facts]
    disputes: list[Facts]
    moved: dict[str, Facts]
