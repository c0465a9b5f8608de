"""The micro-batcher: transactions that many callers post at the same time go to the database in one call.

Nobody waits for a timer. While one call of a business is under way, what arrives meanwhile gathers, and is the next call; a caller who
is alone is a batch of one. Each caller learns what became of their own transaction once it is committed.

Callers who post again once they were answered fall into step: all wait for one call, then the database waits for all of them. Where their
own part takes as long as the call, they go in two halves instead, and the database works for one while the other is answered and comes
back. Where the call takes much longer (a slow disk), they go together, for then it is the number of calls that counts.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from lastlight.domains.ledger.batches import Outcome, Rows, post_rows, post_rows_alone, rows_of
from lastlight.domains.ledger.posting import Transaction
from lastlight.kernel.errors import Busy, Problem
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import ATTEMPTS, RETRIED, stand_back, system_ctx
from lastlight.runtime.services import Services

MOST = 2_000
"""Most transactions of one call; what is more goes with the next."""
SPLIT = 16
"""Fewer than these are not worth two calls."""
PAUSE_SECONDS = 0.1
"""Who stays away for longer does not come back in step."""
Told = Callable[[Ctx], None]


@dataclass(slots=True)
class _Waiting:
    rows: Rows
    posted: Told | None
    answer: "asyncio.Future[Outcome]"


@dataclass(slots=True)
class _Line:
    """Those of one business who wait, and how its last call went."""

    waiting: list[_Waiting] = field(default_factory=list[_Waiting])
    working: "asyncio.Task[None] | None" = None
    newest: float = 0.0
    """When the newest of them came; a moment of the loop's clock, as the others."""
    began: float = 0.0
    ended: float = 0.0


def in_halves(*, waiting: int, took: float, paused: float) -> bool:
    """Whether those who came back in the pause after a call that took so long go in two calls from now on."""
    return waiting >= SPLIT and took <= 1.5 * paused and paused < PAUSE_SECONDS


def together_again(*, took: float, gathered: float) -> bool:
    """Whether the halves go in one call from now on: this one went on for much longer than the others needed to come back."""
    return took > 4 * gathered


@dataclass(slots=True)
class Batcher:
    """Gathers the transactions of each business; used by `async with`, which waits for what is under way."""

    services: Services
    most: int = MOST
    calls: int = 0
    """How many calls to the database were made."""
    _lines: dict[TenantId, _Line] = field(default_factory=dict[TenantId, _Line])
    _closed: bool = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        working = [line.working for line in self._lines.values() if line.working is not None]
        await asyncio.gather(*working, return_exceptions=True)

    async def post(self, tenant_id: TenantId, *, transaction: Transaction, posted: Told | None = None) -> Outcome:
        """Post one of a business's transactions; what became of it, as `post_batch` says it.

        `posted` is called inside the unit of work, where the transaction was written now: to emit its event. Raises what the database
        raises for the whole call (Busy, Unsure): then this one may be posted again under its id.
        """
        if self._closed:
            raise Busy
        try:
            rows = rows_of(transaction)
        except Problem as refusal:
            return refusal
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        line = self._lines.setdefault(tenant_id, _Line())
        line.waiting.append(_Waiting(rows, posted, answer))
        line.newest = loop.time()
        if line.working is None:
            line.working = asyncio.create_task(self._work(tenant_id, line))
        return await answer

    async def _work(self, tenant_id: TenantId, line: _Line) -> None:
        """Call after call, until nobody waits."""
        clock = asyncio.get_running_loop().time
        paused, took, waiting = clock() - line.ended, line.ended - line.began, len(line.waiting)
        most = min(self.most, waiting // 2) if in_halves(waiting=waiting, took=took, paused=paused) else self.most
        try:
            while line.waiting:
                batch, line.waiting = line.waiting[:most], line.waiting[most:]
                most = self.most
                line.began = clock()
                await self._call(tenant_id, [one for one in batch if not one.answer.cancelled()])
                line.ended = clock()
                if line.waiting and together_again(took=line.ended - line.began, gathered=line.newest - line.began):
                    await asyncio.sleep(0)  # those who were answered run,
                    await asyncio.sleep(0)  # and come back
        finally:
            line.working = None

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
        rows = [one.rows for one in batch]
        if all(one.posted is None for one in batch):
            return await post_rows_alone(self.services, tenant_id, batch=rows)
        async with system_ctx(self.services, tenant_id) as ctx:
            outcomes = await post_rows(ctx, batch=rows)
            for one, outcome in zip(batch, outcomes, strict=True):
                if outcome == "posted" and one.posted is not None:
                    one.posted(ctx)
            return outcomes
