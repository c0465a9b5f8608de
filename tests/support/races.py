"""Races generated from the registry: one call sent by many at once, compared with the same call sent as often one after another."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from lastlight.runtime.db.connection import Db
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.http.operation import Operation
from tests.contracts.expected import WORKS, expected
from tests.contracts.probes import FOREIGN_FIELDS, LISTS, fields_with_ids, good_call
from tests.support.calls import OPERATIONS, Call, send
from tests.support.things import THINGS
from tests.support.world import Somebody, World

ASKERS = ("A.owner", "A.patron", "crew.super_admin", "anonymous")
STATEMENTS = ("fetch", "fetchrow", "execute", "executemany")
LOCKS = re.compile(
    r"\bfor (no key )?update( of \w+)?( skip locked)?|pg_advisory_xact_lock(_shared)?(?=\()", re.IGNORECASE
)
"""How statements take turns."""
OWN_SESSION = frozenset({"logout_all", "sign_out_everywhere"})
"""They end the session that asks, so that it may ask once one after another; together nobody was refused yet. Nothing doubles."""


async def ready(world: World, op: Operation) -> tuple[Call, Somebody]:
    """A call that succeeds on something fresh, and who makes it."""
    who = next(world.somebody[name] for name in ASKERS if expected(op, world.somebody[name]) == WORKS)
    call = await good_call(world, op, who)
    return call, call.who or who


def writing(kind: str = "") -> list[Operation]:
    """Every operation that writes, each path of it once; `kind` keeps those of the API, or the pages'."""
    return [op for op in OPERATIONS.values() if op.writes and not op.same_as and kind in {"", op.kind}]


def versioned(op: Operation) -> bool:
    """Whether a call says which version it changes: in If-Match, or in its form."""
    if op.parameter("if_match"):
        return True
    form = op.parameter("form")
    creates = op.path.endswith("/new")  # some of these share the form of what changes the thing later
    return form is not None and not creates and "version" in form.kind.__args__[0].__struct_fields__


@dataclass(slots=True)
class Watched:
    """What was seen of the statements of transactions while they were watched."""

    deadlocks: list[str] = field(default_factory=list[str])
    statements: int = 0


@contextmanager
def watched(jitter: Callable[[], float] | None = None, *, unlocked: bool = False) -> Generator[Watched]:
    """Keep each deadlock with its statement.

    With `jitter`, wait so many seconds before a statement, so that races interleave; `unlocked`, as a control: nothing takes turns.
    """
    seen = Watched()

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        async def run(self: Db, sql: str, *args: Any) -> Any:
            seen.statements += 1
            if jitter is not None:
                await asyncio.sleep(jitter())
            try:
                return await real(self, LOCKS.sub(_no_lock, sql) if unlocked else sql, *args)
            except asyncpg.DeadlockDetectedError:
                seen.deadlocks.append(" ".join(sql.split())[:120])
                raise

        return run

    with pytest.MonkeyPatch.context() as patch:
        for name in STATEMENTS:
            patch.setattr(Db, name, wrapped(getattr(Db, name)))
        yield seen


def _no_lock(match: re.Match[str]) -> str:
    """Nothing in the place of a row's lock; a function that changes nothing in the place of an advisory one."""
    return "" if match[0].lower().startswith("for") else "abs"


def jitter_of(dice: random.Random, longest: float = 0.004) -> Callable[[], float]:
    """Now nothing, now up to a few milliseconds."""
    return lambda: dice.random() * longest if dice.random() < 0.5 else 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What so many calls came to: how many were answered with each status, and how many rows each table gained or lost."""

    statuses: Counter[int]
    rows: dict[str, int]

    @property
    def successes(self) -> int:
        """How many were not refused."""
        return sum(number for status, number in self.statuses.items() if status < 400)


async def outcome(world: World, call: Call, who: Somebody, *, times: int, together: bool) -> Outcome:
    """Send a call so many times, together or one after another."""
    before = await world.state()
    if together:
        answers: Sequence[Any] = await asyncio.gather(*(send(world, call, who) for _ in range(times)))
    else:
        answers = [await send(world, call, who) for _ in range(times)]
    after = await world.state()
    rows = {name: after[name][0] - before[name][0] for name in after if after[name][0] != before[name][0]}
    return Outcome(Counter(answer.status_code for answer in answers), rows)


async def doubled(world: World, op: Operation, *, times: int, dice: random.Random, unlocked: bool = False) -> list[str]:
    """Together, calls may do no more than one after another; none ends in a deadlock or a server error."""
    call, who = await ready(world, op)
    apart = await outcome(world, call, who, times=times, together=False)
    call, who = await ready(world, op)
    with watched(jitter_of(dice), unlocked=unlocked) as seen:
        together = await outcome(world, call, who, times=times, together=True)
    place = f"{op.method} {op.path}"
    found = [f"{place}: deadlock at {sql}" for sql in seen.deadlocks]
    found += [f"{place}: {status} × {n}" for status, n in together.statuses.items() if status >= 500]
    for table, gained in together.rows.items():
        if abs(gained) > abs(apart.rows.get(table, 0)):
            found.append(
                f"{place}: together {gained:+} rows of {table}, one after another {apart.rows.get(table, 0):+}"
            )
    if together.successes > apart.successes and op.name not in OWN_SESSION:
        found.append(f"{place}: together {together.successes} succeed, one after another {apart.successes}")
    return found + _said(world, place)


async def lost_updates(
    world: World, op: Operation, *, racers: int, dice: random.Random, unlocked: bool = False
) -> list[str]:
    """Of many changes of one version one is taken; the others are told that it is stale, or gone."""
    call, who = await ready(world, op)
    with watched(jitter_of(dice), unlocked=unlocked) as seen:
        raced = await outcome(world, call, who, times=racers, together=True)
    place = f"{op.method} {op.path}"
    found = [f"{place}: deadlock at {sql}" for sql in seen.deadlocks]
    if raced.successes != 1:
        found.append(f"{place}: {raced.successes} of {racers} changes of one version were taken")
    others = {status for status in raced.statuses if status >= 400} - {404, 409, 412}
    if others:
        found.append(f"{place}: the others are answered {sorted(others)}")
    return found + _said(world, place)


async def crossed(world: World, first: Operation, second: Operation, *, shared: str, dice: random.Random) -> list[str]:
    """Two operations on one thing at once, three times each: no deadlock, no server error."""
    calls = [await ready(world, op) for op in (first, second)]
    one, other = calls[0][0], calls[1][0]
    calls[1] = (other.replaced(path={**other.path, shared: one.path[shared]}), calls[1][1])
    with watched(jitter_of(dice)) as seen:
        answers = await asyncio.gather(*(send(world, call, who) for call, who in calls * 3))
    place = f"{first.name} with {second.name}"
    found = [f"{place}: deadlock at {sql}" for sql in seen.deadlocks]
    found += [f"{place}: {answer.status_code}" for answer in answers if answer.status_code >= 500]
    return found + _said(world, place)


def neighbours() -> list[tuple[str, Operation, Operation]]:
    """Every two writing operations of the API that name the same kind of thing; whole businesses are left out, as others live in them."""
    groups: dict[str, list[Operation]] = {}
    for op in writing("api"):
        for name in op.path_parameters():
            groups.setdefault(name, []).append(op)
    groups.pop("tenant_id", None)
    return [
        (name, one, other)
        for name, ops in sorted(groups.items())
        for i, one in enumerate(ops)
        for other in ops[i + 1 :]
    ]


def _said(world: World, place: str) -> list[str]:
    """What broke meanwhile, and what was answered in another way than the reference says."""
    errors, world.errors = world.errors, []
    return [f"{place}: {error}" for error in errors]


def taking_lists() -> list[tuple[Operation, str]]:
    """The operations whose body names several things of a kind."""
    return [
        (op, field)
        for op in writing("api")
        for place, field in fields_with_ids(op)
        if place == "body" and field in LISTS
    ]


async def reversed_lists(world: World, op: Operation, field: str, *, dice: random.Random) -> list[str]:
    """The same things named forwards and backwards at once: no deadlock, no server error."""
    call, who = await ready(world, op)
    ids = [str(await THINGS[FOREIGN_FIELDS[field]](world, who)) for _ in range(4)]
    ways = [call.replaced(body={**call.body, field: order}) for order in (ids, ids[::-1])]
    with watched(jitter_of(dice)) as seen:
        answers = await asyncio.gather(*(send(world, way, who) for way in ways * 3))
    place = f"{op.name} forwards with backwards"
    found = [f"{place}: deadlock at {sql}" for sql in seen.deadlocks]
    found += [f"{place}: {answer.status_code}" for answer in answers if answer.status_code >= 500]
    return found + _said(world, place)


async def planted_inversion(world: World, *, dice: random.Random) -> list[str]:
    """Two transactions that lock two rows in two orders, seen by the same watch: a control."""
    rows = [await THINGS["task_id"](world, world.somebody["A.owner"]) for _ in range(2)]

    async def lock(first: Any, second: Any) -> None:
        async with system_ctx(world.people.services, world.a.id) as ctx:
            for row in (first, second):
                await ctx.db.execute("select 1 from tasks where tenant_id = $1 and id = $2 for update", world.a.id, row)

    with watched(jitter_of(dice)) as seen:
        for _ in range(20):
            await asyncio.gather(lock(*rows), lock(*reversed(rows)), return_exceptions=True)
    return seen.deadlocks
