"""A business that sells credits by card and takes them at its bar: its people with tokens, a worker, the sandbox's account beside it."""

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from lastlight.domains.adjustments.module import MODULE as ADJUSTMENTS
from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.credits.module import MODULE as CREDITS
from lastlight.domains.ledger.module import MODULE as LEDGER
from lastlight.domains.payments import begin_payment
from lastlight.domains.payments.looking import look_at
from lastlight.domains.payments.model import Hint
from lastlight.domains.payments.module import MODULE as PAYMENTS
from lastlight.kernel.ids import PatronId
from lastlight.runtime import processor
from lastlight.runtime.jobs.module import MODULE as JOBS
from lastlight.runtime.jobs.worker import Worker
from lastlight.runtime.push.module import MODULE as PUSH
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.door import MODULES as DOOR
from tests.support.door import House
from tests.support.paying import until
from tests.support.services import make_tenant, opened_services
from tests.support.sockets import Person, sign_in

MODULES = (*DOOR, PUSH, LEDGER, PAYMENTS, CREDITS, ADJUSTMENTS, JOBS)
STAFF_MAY = (
    *("credits.read", "credits.charge", "credits.adjust", "ledger.read", "ledger.adjust"),
    *("adjustments.read", "adjustments.approve", "payments.read", "payments.refund", "payments.manage"),
)
DAY = 24 * 3600
STALE = timedelta(seconds=120)
LONGEST = 150.0
"""Seconds until a worker has carried out all that is queued."""
CURRENCY = "ZAR"
LIMITS = """
insert into tenant_settings (tenant_id, key, value)
values ($1, 'ledger.adjustment_limit', '1000'), ($1, 'credits.most_balance', '1000000')
"""
LEFT = "select kind, state, attempts, run_at - now(), error from jobs where tenant_id = $1 and state in ('queued', 'running')"
WAITING = "select count(*) from jobs where tenant_id = $1 and state in ('queued', 'running')"


@dataclass(slots=True)
class Till:
    """The business, a guest of it, two of its staff, and who of them holds which token."""

    house: House
    guest: Person
    tokens: dict[str, str]
    """Of `guest`, `staff` and `other`."""
    payments: list[UUID] = field(default_factory=list[UUID])
    """Purchases that the guest has paid for."""

    @property
    def services(self) -> Services:
        """What the business runs on."""
        return self.house.services

    @property
    def patron_id(self) -> PatronId:
        """The guest."""
        assert self.guest.patron_id is not None
        return PatronId(self.guest.patron_id)

    async def fund(self, amount: int) -> UUID:
        """Credits that the guest buys, with a card that is good; the payment."""
        async with self.house.system() as ctx:
            payment = await begin_payment(
                ctx, purpose=FUNDING, amount=amount, currency=CURRENCY, patron_id=self.patron_id
            )
        await self.pay(payment.id)
        self.payments.append(payment.id)
        return payment.id

    async def pay(self, payment_id: UUID) -> None:
        """Pay what was begun, once the provider knows of it, and follow it."""

        async def opened() -> str | None:
            rows = await self.house.sql("select intent_id from payments where id = $1", payment_id)
            return rows[0]["intent_id"]

        intent_id: str = await until(opened)
        await processor.confirm_intent(
            self.services,
            intent_id,
            key=str(uuid4()),
            payment_method="pm_card_visa",
            return_url="https://example.test",
        )
        await self.look(payment_id)

    async def look(self, payment_id: UUID) -> None:
        """Follow the provider now."""
        assert await look_at(self.services, self.house.tenant_id, payment_id=payment_id, hint=Hint("poll"))

    async def settled(self) -> None:
        """Wait until the worker has carried out all that is queued."""

        async def idle() -> bool | None:
            rows = await self.house.sql(WAITING, self.house.tenant_id)
            return True if rows[0]["count"] == 0 else None

        try:
            await until(idle, seconds=LONGEST)
        except TimeoutError:
            waiting = [tuple(row) for row in await self.house.sql(LEFT, self.house.tenant_id)]
            raise AssertionError(f"the worker leaves {waiting}") from None


async def hire(services: Services, house: House) -> Till:
    """A guest and two of the staff of a business, each with a session for the whole night."""
    guest = await sign_in(services, house.tenant_id, patron=True)
    staff, other = [await sign_in(services, house.tenant_id, STAFF_MAY) for _ in range(2)]
    people = {"guest": guest, "staff": staff, "other": other}
    return Till(house, guest, {name: person.token(services, seconds=DAY) for name, person in people.items()})


@asynccontextmanager
async def opened_till(settings: Settings, *, working: bool = True) -> AsyncGenerator[Till]:
    """A new business whose staff may do everything about money; a worker carries out what is queued, unless it is not `working`.

    Nothing comes by the clock, so that what happens is what a test does.
    """
    async with opened_services(settings, MODULES) as services:
        house = House(services, await make_tenant(settings, f"till-{secrets.token_hex(6)}"))
        await house.add_venue()
        await house.sql(LIMITS, house.tenant_id)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            if working:
                worker = Worker(services, STALE)
                group.create_task(worker.keep_heartbeat(stop))
                group.create_task(worker.take_jobs(stop))
            try:
                yield await hire(services, house)
            finally:
                stop.set()


def asked(till: Till, amount: int, **more: Any) -> dict[str, Any]:
    """The body of a spend."""
    venue = str(till.house.venue.id)
    whose = {"patron_id": str(till.patron_id), "currency": CURRENCY, "venue_id": venue}
    return {**whose, "amount": amount, "description": "Drinks", **more}
