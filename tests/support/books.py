"""Books of a business for tests of the ledger: accounts with names, what is moved between them, what stands on them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from lastlight.domains.ledger import (
    AccountId,
    HoldId,
    Leg,
    Transaction,
    TransactionId,
    balance,
    find_account,
    hold,
    open_account,
    post,
    post_batch,
)
from lastlight.domains.ledger.chart import BANK, CREDITS, AccountKind
from lastlight.domains.ledger.module import MODULE as LEDGER
from lastlight.kernel.ids import PatronId, UserId, uuid7
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.services import administer, make_tenant, opened_services

TILL = AccountKind("till", "A strict account of the tests without a floor", "debit", deferred=False)
UNSEALED = """
select from ledger_postings p where p.tenant_id = $1
and p.xid >= coalesce((select max(s.horizon) from ledger_seals s where s.tenant_id = $1), 0) limit 1
"""


@dataclass
class Books:
    """The books of a business, and how to write in them."""

    services: Any
    tenant_id: Any
    currency: str = "ZAR"
    guests: list[PatronId] = field(default_factory=list[PatronId])

    def ctx(self) -> Any:
        """A unit of work of the business, as the app's role."""
        return system_ctx(self.services, self.tenant_id)

    async def guest(self) -> PatronId:
        """A guest of the business."""
        user_id, patron_id = UserId(uuid7()), PatronId(uuid7())
        mail = f"{uuid4().hex}@example.test"
        settings = self.services.settings
        await administer(settings, "insert into users (id, email, name) values ($1, $2, 'Guest')", user_id, mail)
        sql = "insert into patrons (tenant_id, id, user_id, name) values ($1, $2, $3, 'Guest')"
        await administer(settings, sql, self.tenant_id, patron_id, user_id)
        self.guests.append(patron_id)
        return patron_id

    async def open(self, kind: AccountKind, *, currency: str = "", **owner: Any) -> AccountId:
        """An account of the chart."""
        async with self.ctx() as ctx:
            return await open_account(ctx, kind=kind, currency=currency or self.currency, **owner)

    async def credits(self, amount: int = 0, *, currency: str = "") -> AccountId:
        """A new guest's credits, with an amount on them that came from nowhere in particular."""
        account = await self.open(CREDITS, currency=currency, patron_id=await self.guest())
        if amount:
            await self.move((await self.open(TILL, currency=currency), account, amount))
        return account

    async def move(self, *legs: tuple[AccountId, AccountId, int], key: UUID | None = None, **more: Any) -> bool:
        """Post one transaction."""
        async with self.ctx() as ctx:
            return await post(ctx, transaction=moving(*legs, key=key, **more))

    async def batch(self, *transactions: Transaction) -> list[str]:
        """Post many; a word for each: posted, replay, or the type of the refusal."""
        async with self.ctx() as ctx:
            return [
                word if isinstance(word, str) else word.type
                for word in await post_batch(ctx, transactions=transactions)
            ]

    async def balance(self, account: AccountId, at: datetime | None = None, **basis: Any) -> int:
        """What stands on it."""
        async with self.ctx() as ctx:
            return await balance(ctx, account=account, at=at, **basis)

    async def available(self, account: AccountId) -> int:
        """What of a strict account is not held."""
        async with self.ctx() as ctx:
            return (await find_account(ctx, account=account)).available

    async def sql(self, sql: str, *args: Any) -> list[Any]:
        """As the administrator."""
        return await administer(self.services.settings, sql, *args)

    async def as_app(self, sql: str, *args: Any) -> list[Any]:
        """Raw SQL as the app's own role, in this business."""
        async with self.ctx() as ctx:
            return await ctx.db.connection.fetch(sql, *args)

    async def as_system(self, sql: str) -> Any:
        """One value, as the role that carries out scheduled work."""
        async with system_ctx(self.services, self.tenant_id, role="system") as ctx:
            return await ctx.db.fetchval(sql)

    async def seal(self) -> None:
        """Sum up and seal all there is. Whoever still writes elsewhere on the server holds the horizon back for a while."""
        for _ in range(600):
            await self.as_system("select ll.ledger_roll_up()")
            await self.as_system("select ll.ledger_seal()")
            if not await self.sql(UNSEALED, self.tenant_id):
                await self.as_system("select ll.ledger_roll_up()")  # the seal's horizon may lie beyond that of the sums
                return
            await asyncio.sleep(0.1)
        raise AssertionError("not all was sealed")

    async def postings(self, *accounts: AccountId) -> int:
        """How many postings there are on these accounts."""
        sql = "select count(*) from ledger_postings where tenant_id = $1 and (src = any ($2) or dst = any ($2))"
        return (await self.sql(sql, self.tenant_id, list(accounts)))[0][0]


def moving(
    *legs: tuple[AccountId, AccountId, int], key: UUID | None = None, kind: str = "test", **more: Any
) -> Transaction:
    """A transaction of legs (source, destination, amount)."""
    return Transaction(TransactionId(key or uuid7()), kind, [Leg(*leg) for leg in legs], **more)


async def some_books(books: Books) -> None:
    """A row in each table of the ledger: a guest's credits that were paid for, some of them held, all of it sealed."""
    bank, bought, spent = await books.open(BANK), await books.credits(), await books.credits()
    await books.move((bank, bought, 500))
    async with books.ctx() as ctx:
        until = datetime.now(UTC) + timedelta(hours=1)
        await hold(ctx, hold_id=new_hold(), leg=Leg(bought, spent, 100), expires_at=until, kind="tab")
    await books.seal()


def new_hold() -> HoldId:
    """An id for a hold."""
    return HoldId(uuid7())


@asynccontextmanager
async def opened_books(settings: Settings) -> AsyncGenerator[Books]:
    """Empty books of a new business."""
    async with opened_services(settings, (LEDGER,)) as services:
        yield Books(services, await make_tenant(settings, f"t{uuid4().hex[:12]}"))
