"""A business that sells something by card, with a worker and the sandbox beside it: the trial purpose counts what it is told."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from lastlight.domains.ledger import (
    DISPUTES_HELD,
    ORDER_CLEARING,
    REFUNDS_PAYABLE,
    AccountId,
    AccountKind,
    Leg,
    Transaction,
    balance,
    open_account,
    post,
    transaction_id,
)
from lastlight.domains.ledger.module import MODULE as LEDGER
from lastlight.domains.payments import PURPOSES, Dispute, Payment, Purpose, Refund, Verdict, begin_payment, begin_refund
from lastlight.domains.payments.actions import answer_dispute
from lastlight.domains.payments.looking import look_at
from lastlight.domains.payments.model import Hint
from lastlight.domains.payments.module import MODULE as PAYMENTS
from lastlight.domains.payments.queries import (
    disputes_of,
    read_dispute,
    read_payment,
    read_refund,
    refunds_of,
    steps_of,
)
from lastlight.kernel.ids import PatronId, TenantId
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs.module import MODULE as JOBS
from lastlight.runtime.jobs.worker import Worker
from lastlight.runtime.module import Module
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.processors import SandboxBeside
from tests.support.services import administer, make_tenant, opened_services

PATIENCE = 40.0
SOLD = "trial"


@dataclass
class Trial:
    """A purpose for tests: what is sold is a number that lies in the account of orders, of which some may be spent."""

    spent: int = 0
    told: list[str] = field(default_factory=list[str])
    taken: int = 0
    """What a verdict took last."""

    async def receives(self, ctx: Ctx, payment: Payment) -> AccountId:
        return await open_account(ctx, kind=ORDER_CLEARING, currency=payment.currency)

    async def paid(self, ctx: Ctx, payment: Payment) -> None:
        self.told.append(f"paid {payment.captured}")

    async def release(self, ctx: Ctx, payment: Payment, refund: Refund, amount: int) -> int:
        given = min(amount, payment.captured - payment.refunding - payment.refunded - self.spent)
        self.told.append(f"released {given}")
        await self._move(ctx, payment, f"trial:{refund.id}", (ORDER_CLEARING, REFUNDS_PAYABLE), given)
        return given

    async def restore(self, ctx: Ctx, payment: Payment, refund: Refund) -> None:
        self.told.append(f"restored {refund.released}")
        await self._move(ctx, payment, f"trial:{refund.id}:back", (REFUNDS_PAYABLE, ORDER_CLEARING), refund.released)

    async def freeze(self, ctx: Ctx, payment: Payment, dispute: Dispute) -> None:
        self.told.append(f"frozen {dispute.amount}")

    async def verdict(self, ctx: Ctx, payment: Payment, dispute: Dispute, verdict: Verdict) -> int:
        taken = dispute.amount - self.spent if verdict == "lost" else 0
        self.told.append(f"{verdict} {taken}")
        before, self.taken = self.taken, taken
        key = f"trial:{dispute.id}:{len(self.told)}"
        await self._move(ctx, payment, f"{key}:back", (DISPUTES_HELD, ORDER_CLEARING), before)
        await self._move(ctx, payment, key, (ORDER_CLEARING, DISPUTES_HELD), taken)
        return taken

    async def _move(
        self, ctx: Ctx, payment: Payment, key: str, way: tuple[AccountKind, AccountKind], amount: int
    ) -> None:
        if amount <= 0:
            return
        accounts = [await open_account(ctx, kind=kind, currency=payment.currency) for kind in way]
        legs = [Leg(accounts[0], accounts[1], amount)]
        await post(ctx, transaction=Transaction(transaction_id(ctx.tenant_id, key), "trial", legs))


TRIALS: dict[TenantId, Trial] = {}
"""The trial of each business: a purpose is declared once in a process."""


def _of(name: str) -> Callable[..., Awaitable[Any]]:
    async def call(ctx: Ctx, *args: Any) -> Any:
        return await getattr(TRIALS.setdefault(ctx.tenant_id, Trial()), name)(ctx, *args)

    return call


TRIAL = PURPOSES.add(
    Purpose(
        name=SOLD,
        label="Trial",
        receives=_of("receives"),
        paid=_of("paid"),
        release=_of("release"),
        restore=_of("restore"),
        freeze=_of("freeze"),
        verdict=_of("verdict"),
    )
)


@dataclass
class Shop:
    """The business, its services and its sandbox account."""

    services: Services
    tenant_id: TenantId
    beside: SandboxBeside
    trial: Trial

    def ctx(self) -> Any:
        """A unit of work of the business, as the app's role."""
        return system_ctx(self.services, self.tenant_id)

    async def begin(self, amount: int = 10_000, currency: str = "EUR", **more: Any) -> Payment:
        """A payment that waits for a card at the provider."""
        patron_id: PatronId | None = more.pop("patron_id", None)
        async with self.ctx() as ctx:
            payment = await begin_payment(
                ctx, purpose=TRIAL, amount=amount, currency=currency, patron_id=patron_id, **more
            )
        return await self.until(payment.id, lambda one: one.status != "created")

    async def pay(self, payment: Payment, card: str = "pm_card_visa") -> None:
        """As the payer's page does, with a card; a decline is the provider's to tell."""
        assert payment.intent_id is not None
        try:
            await processor.confirm_intent(
                self.services,
                payment.intent_id,
                key=str(uuid4()),
                payment_method=card,
                return_url="https://example.test",
            )
        except processor.Declined:
            return

    async def paid(self, amount: int = 10_000, card: str = "pm_card_visa", **more: Any) -> Payment:
        """A payment that was captured."""
        payment = await self.begin(amount, **more)
        await self.pay(payment, card)
        await self.look(payment)
        return await self.until(payment.id, lambda one: one.status in {"captured", "settled"})

    async def refund(self, payment: Payment, amount: int, reason: str = "asked for it") -> Refund:
        """A refund that has begun."""
        async with self.ctx() as ctx:
            return await begin_refund(ctx, payment_id=payment.id, amount=amount, reason=reason)

    async def look(self, payment: Payment) -> Payment:
        """Follow the provider now, as a poll does; the payment as it stands then."""
        assert await look_at(self.services, self.tenant_id, payment_id=payment.id, hint=Hint("poll"))
        return await self.read(payment.id)

    async def read(self, payment_id: UUID) -> Payment:
        """The payment as it stands."""
        async with self.ctx() as ctx:
            return await read_payment(ctx, payment_id=payment_id)

    async def refunds(self, payment: Payment) -> list[Refund]:
        """Its refunds."""
        async with self.ctx() as ctx:
            return await refunds_of(ctx, payment_id=payment.id)

    async def disputes(self, payment: Payment) -> list[Dispute]:
        """Its disputes."""
        async with self.ctx() as ctx:
            return await disputes_of(ctx, payment_id=payment.id)

    async def until_refund(self, refund: Refund, *statuses: str) -> Refund:
        """The refund, once it has one of these statuses."""

        async def look() -> Refund | None:
            async with self.ctx() as ctx:
                found = await read_refund(ctx, refund_id=refund.id)
            return found if found.status in statuses else None

        return await until(look)

    async def answered(self, payment: Payment, evidence: str) -> Dispute:
        """Its dispute after an answer that the bank has decided on."""
        [dispute] = await self.disputes(payment)
        async with self.ctx() as ctx:
            await answer_dispute(ctx, dispute_id=dispute.id, evidence=evidence)
        await self.until_answered(dispute)
        await self.until_looked()
        self.beside.control("clock", seconds=60)
        await self.look(payment)
        return (await self.disputes(payment))[0]

    async def until_answered(self, dispute: Dispute) -> None:
        """Wait until the provider has the evidence."""

        async def look() -> bool | None:
            async with self.ctx() as ctx:
                return True if (await read_dispute(ctx, dispute_id=dispute.id)).answered_at else None

        await until(look)

    async def until_looked(self) -> None:
        """Wait until nobody is about to look at a payment of this business."""
        waiting = "select from jobs where tenant_id = $1 and kind = 'payments.look' and state in ('queued', 'running')"

        async def look() -> bool | None:
            return None if await administer(self.services.settings, waiting, self.tenant_id) else True

        await until(look)

    async def steps(self, payment: Payment) -> list[str]:
        """What became of it, oldest first."""
        async with self.ctx() as ctx:
            return [step.step for step in reversed(await steps_of(ctx, payment_id=payment.id))]

    async def books(self, currency: str = "EUR") -> dict[str, int]:
        """What stands on each account of the business that is not empty, on its own side."""
        sql = "select id, code from ledger_accounts where tenant_id = $1 and currency = $2 order by code"
        found: dict[str, int] = {}
        for row in await administer(self.services.settings, sql, self.tenant_id, currency):
            async with self.ctx() as ctx:
                found[row["code"]] = await balance(ctx, account=row["id"])
        return {code: amount for code, amount in found.items() if amount}

    async def held(self) -> dict[str, int]:
        """What the provider says it keeps for us, by currency."""
        return {
            one.currency: one.pending + one.available
            for one in (await processor.retrieve_balance(self.services)).amounts
            if one.pending + one.available
        }

    async def until(self, payment_id: UUID, stands: Callable[[Payment], bool]) -> Payment:
        """The payment, once it stands so."""

        async def look() -> Payment | None:
            payment = await self.read(payment_id)
            return payment if stands(payment) else None

        try:
            return await until(look)
        except TimeoutError:
            sql = "select kind, state, attempts, error from jobs where tenant_id = $1 and state <> 'done'"
            waiting = [tuple(row) for row in await administer(self.services.settings, sql, self.tenant_id)]
            raise AssertionError(f"it stays {await self.read(payment_id)}, with {waiting}") from None

    async def told(self, entity_id: UUID) -> list[str]:
        """The names of the events that a thing has in the outbox or the stream, oldest first."""
        sql = "select name from outbox where entity_id = $1 order by position"
        return [row["name"] for row in await administer(self.services.settings, sql, str(entity_id))]


async def until(look: Callable[[], Awaitable[Any]], *, seconds: float = PATIENCE) -> Any:
    """What a look finds, once it finds something."""
    async with asyncio.timeout(seconds):
        while True:
            found = await look()
            if found is not None:
                return found
            await asyncio.sleep(0.05)


@asynccontextmanager
async def opened_shop(settings: Settings, *more: Module) -> AsyncGenerator[Shop]:
    """A new business whose settings name an account of a sandbox that runs; a worker carries out what is queued.

    No schedule is due meanwhile: a sweep at its own moment would bring events that a test is about to bring.
    """
    async with opened_services(settings, (LEDGER, PAYMENTS, JOBS, *more)) as services:
        tenant_id = await make_tenant(settings, f"t{uuid4().hex[:12]}")
        trial = TRIALS[tenant_id] = Trial()
        stop = asyncio.Event()
        worker = Worker(services, timedelta(seconds=120))
        tasks = [asyncio.create_task(one) for one in (worker.keep_heartbeat(stop), worker.take_jobs(stop))]
        try:
            key = settings.stripe_secret_key
            webhook_secret = settings.stripe_webhook_secrets[0]
            beside = SandboxBeside(settings.stripe_api_base, key, settings.stripe_publishable_key, webhook_secret)
            yield Shop(services, tenant_id, beside, trial)
        finally:
            stop.set()
            await asyncio.gather(*tasks)
