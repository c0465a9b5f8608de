"""Every write that moves money, asked over HTTP of a web process that dies, and what of it was acknowledged."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from lastlight.simulator.client import new_key
from tests.support.dying_writes import NEVER, DyingWrites
from tests.support.failing_site import FailingSite
from tests.support.purses import findings
from tests.support.tills import CURRENCY, Till, asked

REFUNDS_EACH = 8
"""A payment is refunded so often at the most, and then another one: a look goes over all refunds of one."""
ABOVE_THE_LIMIT = 60_000
"""So many credits one person does not adjust alone."""


@dataclass(slots=True)
class Told:
    """What was acknowledged: the ids of what was written, by kind, each with its amount."""

    rows: dict[str, dict[UUID, int]] = field(default_factory=dict[str, dict[UUID, int]])

    def keep(self, kind: str, row_id: str, amount: int) -> None:
        """Write one down."""
        self.rows.setdefault(kind, {})[UUID(row_id)] = amount

    @property
    def balance(self) -> int:
        """What the acknowledged writes did to the guest's credits, in all."""
        return sum(sum(self.rows.get(kind, {}).values()) for kind in ("entry", "adjusted", "refunded"))


Wish = tuple[str, str, dict[str, Any], Callable[[Any], None]]
"""Whose token, the path, the body, and what becomes of the answer."""


class MoneyTrial(DyingWrites):
    """A till whose writes fail."""

    writes = ("spend", "reverse", "give", "take", "approve", "move", "buy", "refund", "refund_own", "refund_payment")

    def __init__(self, site: FailingSite, till: Till, http: httpx.AsyncClient, dice: random.Random) -> None:
        super().__init__(site, http)
        self.till, self.told, self.dice = till, Told(), dice
        self.halves: list[str] = []
        """What the books said right after a failure."""
        self.looks = self.refunds = 0
        self.spend_id = ""

    async def write(self, name: str, at: str) -> bool:
        """One write of a kind."""
        key = new_key()
        who, path, body, keep = await getattr(self, f"_{name}")()
        told = await self.ask(self.till.tokens[who], path, body, key=key, at=at)
        if told is not None:
            keep(told)
        return await self.reached(key, at)

    async def dead(self) -> None:
        """Nothing stands half, whatever has just failed."""
        self.looks += 1
        self.halves += await findings(self.till.house)

    async def begin(self) -> None:
        """Two purchases, and a spend of which the reversals give back a little each."""
        for _ in range(2):
            await self._fund(400_000)
        assert not await self.write("spend", NEVER)
        self.spend_id = str(next(iter(self.told.rows["entry"])))

    async def _fund(self, amount: int) -> None:
        payment_id = await self.till.fund(amount)
        self.told.keep("payment", str(payment_id), amount)

    async def _refundable(self) -> UUID:
        """A payment of which little has gone back."""
        self.refunds += 1
        if self.refunds % REFUNDS_EACH == 0:
            await self._fund(2_000)
        return self.till.payments[-1]

    def _entry(self, told: Any) -> None:
        self.told.keep("entry", told["id"], told["amount"])

    async def _spend(self) -> Wish:
        amount = self.dice.randint(1, 400) if self.spend_id else 100_000
        return "staff", "/api/credits/spends", asked(self.till, amount), self._entry

    async def _reverse(self) -> Wish:
        body = {"amount": self.dice.randint(1, 300), "reason": "It was warm"}
        return "staff", f"/api/credits/spends/{self.spend_id}/reversal", body, self._entry

    async def _give(self) -> Wish:
        return self._adjusting(self.dice.randint(1, 400))

    async def _take(self) -> Wish:
        return self._adjusting(-self.dice.randint(1, 400))

    def _adjusting(self, amount: int) -> Wish:
        body = {"patron_id": str(self.till.patron_id), "amount": amount, "currency": CURRENCY, "reason": "A mistake"}
        return "staff", "/api/credits/adjustments", body, self._adjusted

    def _adjusted(self, told: Any) -> None:
        self.told.keep("adjusted", told["id"], told["amount"] if told["status"] == "booked" else 0)

    async def _approve(self) -> Wish:
        """What waits for another person is asked for first, without a failure."""
        _, path, body, keep = self._adjusting(ABOVE_THE_LIMIT)
        waiting = await self.ask(self.till.tokens["staff"], path, body, key=new_key(), at=NEVER)
        keep(waiting)
        return "other", f"/api/adjustments/{waiting['id']}/approval", {"note": "Seen"}, self._adjusted

    async def _move(self) -> Wish:
        amount = self.dice.randint(1, 400)
        body = {
            "source": "losses",
            "destination": "revenue",
            "amount": amount,
            "currency": CURRENCY,
            "reason": "Sorted",
        }
        return "staff", "/api/ledger/adjustments", body, lambda told: self.told.keep("moved", told["id"], amount)

    async def _buy(self) -> Wish:
        amount = self.dice.randint(2_000, 3_000)
        body = {"amount": amount, "currency": CURRENCY}

        def keep(told: Any) -> None:
            self.told.keep("payment", told["payment_id"], amount)

        return "guest", "/api/patron/credits/purchases", body, keep

    async def _refund(self) -> Wish:
        body = {"payment_id": str(await self._refundable()), "amount": self.dice.randint(1, 90), "reason": "They asked"}
        return "staff", "/api/credits/refunds", body, self._refunded

    async def _refund_own(self) -> Wish:
        path = f"/api/patron/credits/purchases/{await self._refundable()}/refund"
        return "guest", path, {"amount": self.dice.randint(1, 90)}, self._refunded

    def _refunded(self, told: Any) -> None:
        for part in told["items"]:
            self.told.keep("refunded", part["refund_id"], -part["amount"])

    async def _refund_payment(self) -> Wish:
        body = {"amount": self.dice.randint(1, 90), "reason": "They asked"}

        def keep(told: Any) -> None:
            self.told.keep("refunded", told["id"], -told["amount"])

        return "staff", f"/api/payments/{await self._refundable()}/refunds", body, keep
