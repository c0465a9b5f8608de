"""Guests with credits, for tests: payments made and settled without a card provider, refunds, disputes, and books that must agree."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from lastlight.domains import ledger
from lastlight.domains.credits.expiry import expire
from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.credits.model import CreditEntry
from lastlight.domains.credits.module import MODULE as CREDITS
from lastlight.domains.credits.permissions import CREDITS_OWN
from lastlight.domains.credits.spending import reverse_spend, spend
from lastlight.domains.credits.verify import verify_credits
from lastlight.domains.ledger import Leg, Transaction, TransactionId
from lastlight.domains.ledger.module import MODULE as LEDGER
from lastlight.domains.ledger.verify import verify_books
from lastlight.domains.payments import Dispute, Payment, PaymentId, Refund, RefundId, Verdict
from lastlight.domains.payments.module import MODULE as PAYMENTS
from lastlight.domains.payments.queries import lock_payment
from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Ctx, Grants
from lastlight.runtime.db.connection import to_struct
from lastlight.runtime.module import Module
from lastlight.runtime.push.module import MODULE as PUSH
from lastlight.runtime.settings import Settings
from tests.support.door import MODULES, Guest, House, new_house
from tests.support.services import opened_services

PAYMENT = """
insert into payments (tenant_id, id, purpose, patron_id, venue_id, amount, currency, status, captured, captured_at, brand, last4,
                      intent_id, charge_id)
values ($1, $2, 'credits', $3, $4, $5, $6, 'captured', $5, now(), 'visa', '4242', 'pi_' || $2::uuid, 'ch_' || $2::uuid)
"""
REFUND = """
insert into refunds (tenant_id, id, payment_id, patron_id, amount, released, status, reason)
values ($1, $2, $3, $4, $5, 0, 'created', 'Asked for')
"""
DISPUTE = """
insert into disputes (tenant_id, id, payment_id, provider_id, amount, currency, reason, status, opened_at)
values ($1, $2, $3, $4, $5, $6, 'fraudulent', 'needs_response', now())
"""


def as_guest(house: House, guest: Guest) -> AbstractAsyncContextManager[Ctx]:
    """A guest's transaction, who may do with credits what guests may."""
    return house.as_guest(guest, may=Grants({CREDITS_OWN.name: None}))


@dataclass
class Purse:
    """A guest's credits of one currency."""

    house: House
    guest: Guest
    currency: str = "ZAR"
    payments: list[UUID] = field(default_factory=list[UUID])

    @property
    def account(self) -> ledger.AccountId:
        """Its account of the ledger."""
        return ledger.account_id(self.house.tenant_id, ledger.CREDITS, self.currency, owner=self.guest.patron_id)

    async def buy(self, amount: int, *, begun: timedelta = timedelta()) -> UUID:
        """A purchase by card that has gone through, so long after it was begun."""
        payment_id = uuid7()
        house = self.house
        row = (self.guest.patron_id, house.venue.id, amount, self.currency)
        await house.sql(PAYMENT, house.tenant_id, payment_id, *row)
        await house.sql("update payments set created_at = created_at - $2::interval where id = $1", payment_id, begun)
        async with house.system() as ctx:
            payment = await lock_payment(ctx, payment_id=payment_id)
            account = await FUNDING.receives(ctx, payment)
            card = await ledger.open_account(ctx, kind=ledger.PROVIDER_PENDING, currency=self.currency)
            leg = Leg(card, account, amount)
            await ledger.post(ctx, transaction=Transaction(TransactionId(uuid7()), "card-captured", [leg]))
            await FUNDING.paid(ctx, payment)
        self.payments.append(payment_id)
        return payment_id

    async def spend(self, amount: int | None, description: str = "Drinks", **more: Any) -> CreditEntry:
        """Credits spent at the venue."""
        async with self.house.system() as ctx:
            return await spend(
                ctx,
                patron_id=self.guest.patron_id,
                amount=amount,
                currency=self.currency,
                venue_id=self.house.venue.id,
                description=description,
                **more,
            )

    async def reverse(self, entry: CreditEntry, amount: int | None = None) -> CreditEntry:
        """A spend given back."""
        async with self.house.system() as ctx:
            return await reverse_spend(ctx, entry_id=entry.id, amount=amount, reason="A mistake")

    async def release(self, payment_id: UUID, amount: int) -> tuple[int, UUID]:
        """What a refund takes back, and the refund."""
        refund_id, house = uuid7(), self.house
        row = (payment_id, self.guest.patron_id, amount)
        await house.sql(REFUND, house.tenant_id, refund_id, *row)
        async with house.system() as ctx:
            payment = await lock_payment(ctx, payment_id=payment_id)
            part = await FUNDING.release(ctx, payment, self.refund_of(payment_id, refund_id, amount), amount)
            await ctx.db.execute(
                "update refunds set released = $3 where tenant_id = $1 and id = $2", house.tenant_id, refund_id, part
            )
        return part, refund_id

    async def restore(self, payment_id: UUID, refund_id: UUID, released: int) -> None:
        """The refund failed."""
        async with self.house.system() as ctx:
            payment = await lock_payment(ctx, payment_id=payment_id)
            await FUNDING.restore(ctx, payment, self.refund_of(payment_id, refund_id, released, released))

    def refund_of(self, payment_id: UUID, refund_id: UUID, amount: int, released: int = 0) -> Refund:
        """A refund as payments would give it."""
        return Refund(
            id=RefundId(refund_id),
            payment_id=PaymentId(payment_id),
            patron_id=self.guest.patron_id,
            amount=amount,
            released=released,
            status="created",
            reason="Asked for",
            provider_id=None,
            failure="expired_or_canceled_card" if released else "",
            requested_by=None,
            outside=False,
            created_at=self.house.venue.created_at,
            ended_at=None,
            version=1,
        )

    async def dispute(self, payment_id: UUID, amount: int) -> Dispute:
        """A dispute that the bank opens, not yet acted upon."""
        dispute_id, house = uuid7(), self.house
        row = (payment_id, f"dp_{uuid4().hex}", amount, self.currency)
        [opened] = await house.sql(DISPUTE + " returning *", house.tenant_id, dispute_id, *row)
        return to_struct(opened, Dispute)

    async def freeze(self, dispute: Dispute) -> None:
        """What payments does when a dispute opens."""
        async with self.house.system() as ctx:
            await FUNDING.freeze(ctx, await self._payment(ctx, dispute), dispute)

    async def verdict(self, dispute: Dispute, said: Verdict) -> int:
        """What payments does when it ends; what was taken."""
        async with self.house.system() as ctx:
            return await FUNDING.verdict(ctx, await self._payment(ctx, dispute), dispute, said)

    async def _payment(self, ctx: Any, dispute: Dispute) -> Payment:
        return await lock_payment(ctx, payment_id=dispute.payment_id)

    async def expire(self) -> CreditEntry | None:
        """What the scheduled job does for this guest."""
        async with self.house.system() as ctx:
            return await expire(ctx, patron_id=self.guest.patron_id, currency=self.currency)

    async def age(self, payment_id: UUID, by: timedelta) -> None:
        """The lot of a payment expires so long from now; before now where it is negative."""
        sql = "update credit_lots set expires_at = now() + $2 where payment_id = $1"
        await self.house.sql(sql, payment_id, by)

    async def standing(self) -> tuple[int, int]:
        """The balance, and what of it is frozen, after every book was seen to agree."""
        [row] = await self.house.sql("select balance, frozen from credit_accounts where id = $1", self.account)
        async with self.house.system() as ctx:
            held = await ledger.find_account(ctx, account=self.account)
        assert (held.balance, held.balance - held.available) == (row["balance"], row["frozen"])
        return row["balance"], row["frozen"]

    async def entries(self) -> list[tuple[str, int, int]]:
        """The history: kind, amount, balance after."""
        sql = "select kind, amount, balance from credit_entries where patron_id = $1 and currency = $2 order by number"
        rows = await self.house.sql(sql, self.guest.patron_id, self.currency)
        return [(row["kind"], row["amount"], row["balance"]) for row in rows]

    async def lots(self) -> list[tuple[int, int]]:
        """What is left and frozen of each lot, oldest first."""
        sql = "select remaining, frozen from credit_lots where patron_id = $1 and currency = $2 order by created_at, id"
        rows = await self.house.sql(sql, self.guest.patron_id, self.currency)
        return [(row["remaining"], row["frozen"]) for row in rows]


async def new_purse(house: House, *amounts: int, currency: str = "ZAR") -> Purse:
    """A new guest who has bought so many credits, in so many purchases."""
    purse = Purse(house, await house.add_guest(), currency)
    for amount in amounts:
        await purse.buy(amount)
    return purse


async def findings(house: House) -> list[str]:
    """What `lastlight verify` finds in the ledger and in the credits of the business."""
    connection: Any = await asyncpg.connect(house.services.settings.dsn("looker"))
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            books = await verify_books(connection, house.tenant_id)
            return books.findings + await verify_credits(connection, house.tenant_id)
    finally:
        await connection.close()


@asynccontextmanager
async def opened_purses(settings: Settings, *more: Module) -> AsyncGenerator[House]:
    """A business that sells credits."""
    async with opened_services(settings, (*MODULES, PUSH, LEDGER, PAYMENTS, CREDITS, *more)) as services:
        yield await new_house(services)
