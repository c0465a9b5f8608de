"""Transactions that commit in another order than they began, long ones among them, and who reads what they emitted."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from lastlight.kernel.ids import TenantId
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.events.outbox import write_outbox
from lastlight.runtime.services import Services
from tests.support.streams import BellRang, Streamed


@dataclass(slots=True)
class Written:
    """What was committed: the transaction id of each number, by tenant; and how many pairs came the other way round."""

    xids: dict[TenantId, dict[int, int]] = field(default_factory=dict[TenantId, dict[int, int]])
    last: int = 0
    reversed: int = 0

    def number(self) -> int:
        """The next number."""
        self.last += 1
        return self.last


async def _transaction(
    services: Services, tenant: TenantId, written: Written, *, begun: asyncio.Event, commit: Awaitable[Any], count: int
) -> None:
    """Take a transaction id and write events, say so, wait for one's moment, write more and commit."""
    numbers = [written.number() for _ in range(count)]
    async with system_ctx(services, tenant) as ctx:
        xid = int(await ctx.db.fetchval("select pg_current_xact_id()::text"))
        for number in numbers:
            ctx.emit(BellRang(number=number), entity=("bell", uuid4()))
            if number == numbers[0]:
                await write_outbox(ctx)
                ctx.pending.clear()
                begun.set()
                await commit
    written.xids[tenant].update(dict.fromkeys(numbers, xid))


async def reversed_pair(services: Services, tenant: TenantId, written: Written, *, hold: float) -> None:
    """One begins, another begins and commits, then, after so many seconds, the first commits."""
    early_begun, late_begun, late_done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def after_the_other() -> None:
        await late_done.wait()
        await asyncio.sleep(hold)

    early = asyncio.create_task(
        _transaction(services, tenant, written, begun=early_begun, commit=after_the_other(), count=2)
    )
    await early_begun.wait()
    await _transaction(services, tenant, written, begun=late_begun, commit=asyncio.sleep(0), count=2)
    late_done.set()
    await early
    written.reversed += 1


async def reversed_pairs(
    services: Services, tenants: list[TenantId], written: Written, *, pairs: int, at_once: int, dice: random.Random
) -> None:
    """Many such pairs, several at once; now and then the first holds on for long, and with it the horizon of all."""
    written.xids |= {tenant: {} for tenant in tenants}
    left = pairs

    async def work() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            hold = dice.choice((0.0, 0.0, 0.001, 0.005, 0.02, 0.08 if dice.random() < 0.2 else 0.0))
            await reversed_pair(services, dice.choice(tenants), written, hold=hold)

    await asyncio.gather(*(work() for _ in range(at_once)))


def misplaced(written: Written, tenant: TenantId, stream: list[Streamed]) -> list[str]:
    """What is wrong with a stream: a number that is missing or doubled, a hole, or another order than that of the transactions."""
    xids = written.xids[tenant]
    numbers = [event.number for event in stream]
    found: list[str] = []
    if sorted(numbers) != sorted(xids):
        found.append(
            f"{len(set(xids) - set(numbers))} events are missing, {len(numbers) - len(set(numbers))} are doubled"
        )
    if [event.seq for event in stream] != list(range(1, len(stream) + 1)):
        found.append("the sequence has a hole")
    order = [(xids.get(number, 0), number) for number in numbers]
    if order != sorted(order):
        found.append("the order is not that of the transactions")
    return found


async def follow(read: Callable[[int], Awaitable[list[tuple[int, int]]]], stop: asyncio.Event) -> list[int]:
    """Read (position, number) behind the last position again and again, and once more at the end; the numbers seen."""
    position, seen = 0, list[int]()
    while True:
        last = stop.is_set()
        for at, number in await read(position):
            position = max(position, at)
            seen.append(number)
        if last:
            return seen
        await asyncio.sleep(0.003)
