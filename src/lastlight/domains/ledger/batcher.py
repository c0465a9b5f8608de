"""The micro-batcher: transactions that many callers post at the same time go to the database in one call.

Nobody waits for a timer. While one call of a business is under way, what arrives meanwhile gathers, and is the next call; a caller who
is alone is a batch of one. Each caller learns what became of their own transaction once it is committed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from lastlight.domains.ledger.batches import Outcome, post_batch, post_batch_alone
from lastlight.domains.ledger.posting import Transaction
from lastlight.kernel.errors import Busy
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import ATTEMPTS, RETRIED, stand_back, system_ctx
from lastlight.runtime.services import Services

MOST = 2_000
"""Most transactions of one call; what is more goes with the next."""
Told = Callable[[Ctx], None]


@dataclass(slots=True)
class _Waiting:
    transaction: Transaction
    posted: Told | None
    answer: "asyncio.Future[Outcome]"


@dataclass(slots=True)
class Batcher:
    """Gathers the transactions of each business; used by `async with`, which waits for what is under way."""

    services: Services
    most: int = MOST
    calls: int = 0
    """How many calls to the database were made."""
    _waiting: dict[TenantId, list[_Waiting]] = field(default_factory=dict[TenantId, list[_Waiting]])
    _working: "dict[TenantId, asyncio.Task[None]]" = field(default_factory=dict)
    _closed: bool = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        await asyncio.gather(*self._working.values(), return_exceptions=True)

    async def post(self, tenant_id: TenantId, *, transaction: Transaction, posted: Told | None = None) -> Outcome:
        """Post one of a business's transactions; what became of it, as `post_batch` says it.

        `posted` is called inside the unit of work, where the transaction was written now: to emit its event. Raises what the database
        raises for the whole call (Busy, Unsure): then this one may be posted again under its id.
        """
        if self._closed:
            raise Busy
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant_id, []).append(_Waiting(transaction, posted, answer))
        if tenant_id not in self._working:
            self._working[tenant_id] = asyncio.create_task(self._work(tenant_id))
        return await answer

    async def _work(self, tenant_id: TenantId) -> None:
        """Call after call, until nobody waits."""
        try:
            while waiting := self._waiting.get(tenant_id):
                batch, self._waiting[tenant_id] = waiting[: self.most], waiting[self.most :]
                await self._call(tenant_id, [one for one in batch if not one.answer.cancelled()])
        finally:
            del self._working[tenant_id]
            if not self._waiting.get(tenant_id):
                self._waiting.pop(tenant_id, None)

    async def _call(self, tenant_id: TenantId, batch: list[_Waiting]) -> None:
        if not batch:
            return
        try:
            outcomes = await self._posted(tenant_id, batch)
        except Exception as error:  # noqa: BLE001 - carried to everybody who waits for this call
            for one in batch:
                if not one.answer.done():
                    one.answer.set_exception(error)
            return
        for one, outcome in zip(batch, outcomes, strict=True):
            if not one.answer.done():
                one.answer.set_result(outcome)

    async def _posted(self, tenant_id: TenantId, batch: list[_Waiting]) -> list[Outcome]:
        """One unit of work; again, whole, where it lost against another."""
        for attempt in range(1, ATTEMPTS + 1):
            self.calls += 1
            try:
                return await self._written(tenant_id, batch)
            except RETRIED:
                if attempt == ATTEMPTS:
                    raise Busy from None
                await stand_back(attempt)
        raise Busy

    async def _written(self, tenant_id: TenantId, batch: list[_Waiting]) -> list[Outcome]:
        """One transaction: a single statement, unless somebody has something to add to it."""
        transactions = [one.transaction for one in batch]
        if all(one.posted is None for one in batch):
            return await post_batch_alone(self.services, tenant_id, transactions=transactions)
        async with system_ctx(self.services, tenant_id) as ctx:
            outcomes = await post_batch(ctx, transactions=transactions)
            for one, outcome in zip(batch, outcomes, strict=True):
                if outcome == "posted" and one.posted is not None:
                    one.posted(ctx)
            return outcomes
