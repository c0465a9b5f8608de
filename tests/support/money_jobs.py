"""What the card provider is asked to do, by a worker that dies: each kind of order, tried one at a time, counted where it was done."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.payments import Payment, begin_payment, begin_refund
from lastlight.domains.payments.actions import answer_dispute, capture_payment, void_payment
from lastlight.domains.payments.looking import look_soon
from lastlight.domains.payments.model import Hint
from lastlight.domains.payments.queries import disputes_of, read_payment
from lastlight.runtime import processor
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.door import House
from tests.support.failing_worker import failing_worker
from tests.support.paying import until
from tests.support.purses import findings
from tests.support.services import administer, make_tenant, opened_services
from tests.support.tills import CURRENCY, MODULES, Till, hire

AMOUNT = 10_000
ORDERS = {
    "open": "payments.open",
    "capture": "payments.capture",
    "void": "payments.void",
    "refund": "payments.refund",
    "evidence": "payments.evidence",
    "look": "payments.look",
}
"""The kinds of orders, and the job of each; a look asks for nothing, and what it books counts once all the same."""
AGAIN = "select coalesce(sum(calls - 1), 0)::bigint as n from staged_actions where tenant_id = any ($1) and calls > 1"


class MoneyJobs:
    """A worker that fails where it is told, and a business for each kind of orders."""

    def __init__(self, services: Services, folder: Path) -> None:
        self.services, self.folder = services, folder
        self.tills: dict[str, Till] = {}
        self.deaths = 0
        self.found: list[str] = []

    async def one(self, kind: str, at: str) -> bool:
        """One order of a kind whose job fails at a place; whether it got as far as that place. What it did is counted."""
        till = await self._till(kind)
        plan, trace = self.folder / str(till.house.tenant_id), self.folder / f"died-{till.house.tenant_id}"
        payment = await self._prepared(till, kind)
        await asyncio.to_thread(trace.unlink, missing_ok=True)
        await asyncio.to_thread(plan.write_text, f"{ORDERS[kind]}={at}")
        payment = await self._order(till, kind, payment)
        await till.settled()
        await asyncio.to_thread(plan.unlink)
        await self._count(till, kind, at, payment)
        died = trace.exists()
        self.deaths += died
        return died

    async def asked_again(self) -> int:
        """How often the provider was asked a second time for the same."""
        tenants = [till.house.tenant_id for till in self.tills.values()]
        return (await administer(self.services.settings, AGAIN, tenants))[0]["n"]

    async def _till(self, kind: str) -> Till:
        if kind not in self.tills:
            house = House(self.services, await make_tenant(self.services.settings, f"{kind}-{secrets.token_hex(6)}"))
            await house.add_venue()
            self.tills[kind] = await hire(self.services, house)
        return self.tills[kind]

    async def _begun(self, till: Till, *, manual: bool = False) -> Payment:
        async with till.house.system() as ctx:
            return await begin_payment(
                ctx, purpose=FUNDING, amount=AMOUNT, currency=CURRENCY, patron_id=till.patron_id, manual=manual
            )

    async def _prepared(self, till: Till, kind: str) -> Payment | None:
        """A payment that stands where an order of a kind is given; None where the order is to begin one."""
        if kind == "open":
            return None
        payment = await self._begun(till, manual=kind == "capture")
        payment = await self._until(till, payment, "open")
        if kind == "void":
            return payment
        card = "pm_card_createDispute" if kind == "evidence" else "pm_card_visa"
        assert payment.intent_id is not None
        await processor.confirm_intent(
            self.services, payment.intent_id, key=str(uuid4()), payment_method=card, return_url="https://example.test"
        )
        if kind == "look":
            return payment
        await till.look(payment.id)
        if kind == "evidence":
            await self._disputed(till, payment)
        return await self._read(till, payment.id)

    async def _disputed(self, till: Till, payment: Payment) -> None:
        async def look() -> bool | None:
            await till.look(payment.id)
            async with till.house.system() as ctx:
                return True if await disputes_of(ctx, payment_id=payment.id) else None

        await until(look)

    async def _order(self, till: Till, kind: str, payment: Payment | None) -> Payment:
        """Give the order, and wait until it has been carried out."""
        if payment is None:
            return await self._until(till, await self._begun(till), "open")
        async with till.house.system() as ctx:
            if kind == "capture":
                await capture_payment(ctx, payment_id=payment.id)
            elif kind == "void":
                await void_payment(ctx, payment_id=payment.id, hint=Hint("console"))
            elif kind == "refund":
                await begin_refund(ctx, payment_id=payment.id, amount=AMOUNT // 4, reason="They asked")
            elif kind == "evidence":
                [dispute] = await disputes_of(ctx, payment_id=payment.id)
                await answer_dispute(ctx, dispute_id=dispute.id, evidence="They came at nine.")
            else:
                await look_soon(ctx, payment_id=payment.id, hint=Hint("poll"))
        return payment

    async def _count(self, till: Till, kind: str, at: str, payment: Payment) -> None:
        """What was done at the provider, and what stands in the books."""
        after = await self._read(till, payment.id)
        done = [event async for event in processor.list_events(self.services, types=[EVENTS[kind]])]
        ours = [event.data for event in done if _is_of(event.data, after)]
        if kind == "evidence":
            ours = [one for one in ours if one["evidence_details"]["submission_count"] > 0]
        place = f"{kind} at {at}"
        if len(ours) != 1:
            self.found.append(f"{place}: done {len(ours)} times at the provider")
        stands = (after.status, after.captured, after.refunded, after.refunding)
        if stands != ENDS[kind]:
            self.found.append(f"{place}: it stands {stands} instead of {ENDS[kind]}")
        lots = "select count(*) as n, coalesce(sum(amount), 0)::bigint as amount from credit_lots where payment_id = $1"
        [row] = await till.house.sql(lots, after.id)
        if (row["n"], row["amount"]) != ((1, AMOUNT) if after.captured else (0, 0)):
            self.found.append(f"{place}: {row['n']} lots with {row['amount']}")
        lost = "select kind, error from jobs where tenant_id = $1 and state <> 'done'"
        self.found += [f"{place}: {tuple(row)}" for row in await till.house.sql(lost, till.house.tenant_id)]
        self.found += [f"{place}: {finding}" for finding in await findings(till.house)]

    async def _read(self, till: Till, payment_id: UUID) -> Payment:
        async with till.house.system() as ctx:
            return await read_payment(ctx, payment_id=payment_id)

    async def _until(self, till: Till, payment: Payment, status: str) -> Payment:
        async def look() -> Payment | None:
            found = await self._read(till, payment.id)
            return found if found.status == status else None

        return await until(look)


EVENTS = {
    "open": "payment_intent.created",
    "capture": "charge.captured",
    "void": "payment_intent.canceled",
    "refund": "refund.created",
    "evidence": "charge.dispute.updated",
    "look": "charge.succeeded",
}
"""What the provider tells of what it did."""
ENDS = {
    "open": ("open", 0, 0, 0),
    "capture": ("captured", AMOUNT, 0, 0),
    "void": ("canceled", 0, 0, 0),
    "refund": ("captured", AMOUNT, AMOUNT // 4, 0),
    "evidence": ("captured", AMOUNT, 0, 0),
    "look": ("captured", AMOUNT, 0, 0),
}
"""How the payment stands then: status, captured, refunded, on its way back."""


def _is_of(data: dict[str, Any], payment: Payment) -> bool:
    named = {data["id"], data.get("payment_intent"), data.get("charge")}
    metadata: dict[str, str] = data.get("metadata") or {}
    return metadata.get("payment_id") == str(payment.id) or bool(
        named & {payment.intent_id, payment.charge_id} - {None}
    )


@contextlib.asynccontextmanager
async def trying_money(settings: Settings, folder: Path, **options: Any) -> AsyncGenerator[MoneyJobs]:
    """Orders with their worker, which fails; `fresh_keys` is the control: it asks under a new key each time."""
    async with opened_services(settings, MODULES) as services, failing_worker(settings, folder, money=True, **options):
        yield MoneyJobs(services, folder)
