"""`python -m tests.support.failing_web`: the web application, which dies where a request's key says, and is started again.

A request with the key `…~3:before` meets the failpoint `3:before` (tests/support/failpoints.py). The product's own functions
are wrapped here, in the child's process (tests/support/lives.py). The file `FOLDER/guard_off` names what a negative control has
switched off in the next life.
"""

import asyncio
import contextlib
import importlib
import os
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from lastlight import main
from lastlight.domains import ledger
from lastlight.domains.adjustments.module import MODULE as ADJUSTMENTS
from lastlight.domains.checkins.module import MODULE as CHECKINS
from lastlight.domains.credits.module import MODULE as CREDITS
from lastlight.domains.devices.module import MODULE as DEVICES
from lastlight.domains.ledger.module import MODULE as LEDGER
from lastlight.domains.payments.module import MODULE as PAYMENTS
from lastlight.domains.tasks.module import MODULE as TASKS
from lastlight.domains.venues.module import MODULE as VENUES
from lastlight.runtime.http import app
from lastlight.runtime.listeners import SHARED
from lastlight.runtime.push.module import MODULE as PUSH
from lastlight.runtime.serving import serve
from lastlight.runtime.settings import Settings
from tests.support.failpoints import Plan, count_statements, plan_of_work
from tests.support.guards_off import forget_answers
from tests.support.lives import live_again

NEEDED = (VENUES, DEVICES, CHECKINS, TASKS)
"""The modules of the writes that are tried: with all of them each new life would take ten times as long to begin."""
TILL = (VENUES, DEVICES, CHECKINS, PUSH, LEDGER, PAYMENTS, CREDITS, ADJUSTMENTS)
"""Those of the writes that move money."""
CONTEXT = ("app.tenant_id", "app.user_id", "app.patron_id")
dispatch: Any = importlib.import_module("lastlight.runtime.http.dispatch")
LATE_SECONDS = 0.1


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the parent is started with."""

    database_url: str
    secret_key: str
    folder: str
    port: int
    money: bool = False
    """It serves the writes that move money, instead of those of a door."""


def run(order: Order) -> None:
    """Keep one child alive until told to stop."""
    settings = Settings.load(
        {},
        database_url=order.database_url,
        secret_key=order.secret_key,
        var_dir=Path(order.folder),
        port=order.port,
        user_requests_per_minute=1_000_000,
        log_level="critical",
    )
    folder = Path(order.folder)

    def live() -> None:
        fail_where_told(folder)
        GUARDS.get(guard_off(folder), lambda: None)()
        serve(main.Application(settings, TILL if order.money else NEEDED), settings)

    live_again(live, begun=lambda child: (folder / "child").write_text(str(child)))


def guard_off(folder: Path) -> str:
    """What is switched off in the life that begins; empty for nothing."""
    with contextlib.suppress(FileNotFoundError):
        return (folder / "guard_off").read_text()
    return ""


def fail_where_told(folder: Path) -> None:
    """Read each request's plan from its key, and reach the places of its answer."""
    count_statements()
    answer_it, application = app.dispatch, main.Application.__call__

    async def planned(services: Any, op: Any, module: Any, request: Any) -> Any:
        key, _, at = request.headers.get("idempotency-key", "").partition("~")
        plan = plan_of_work.get()
        if plan is not None and at:
            plan.at, plan.trace = at, folder / f"died-{key}"
        answer = await answer_it(services, op, module, request)
        if plan is not None:
            plan.reach("decided")
        return answer

    async def watched(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await application(self, scope, receive, send)
            return
        plan = Plan("", folder / "died")
        plan_of_work.set(plan)

        async def sending(message: Any) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                plan.reach("started")
            elif not message.get("more_body"):
                plan.reach("sent")

        await application(self, scope, receive, sending)

    app.dispatch = planned  # pyright: ignore[reportPrivateImportUsage] - the edge calls it by this name
    main.Application.__call__ = watched  # pyright: ignore[reportAttributeAccessIssue] - wrapped for this process only


def answer_first() -> None:
    """The guard off: the answer leaves a moment before the commit."""
    original = dispatch.unit_of_work

    @asynccontextmanager
    async def hasty(services: Any, scope: Any) -> AsyncGenerator[Any]:
        opened = original(services, scope)
        ctx = await opened.__aenter__()
        try:
            yield ctx
        except BaseException as error:
            if not await opened.__aexit__(type(error), error, error.__traceback__):
                raise
        else:
            late = asyncio.create_task(_later(opened))
            _waiting.add(late)
            late.add_done_callback(_waiting.discard)

    dispatch.unit_of_work = hasty


_waiting: set[asyncio.Task[None]] = set()


async def _later(opened: Any) -> None:
    await asyncio.sleep(LATE_SECONDS)
    with contextlib.suppress(Exception):
        await opened.__aexit__(None, None, None)


def in_pieces() -> None:
    """The guard off: what is posted is committed at once, and the rest of the write in a transaction of its own."""
    original = ledger.post

    async def hasty(ctx: Any, **more: Any) -> Any:
        posted = await original(ctx, **more)
        values = [await ctx.db.connection.fetchval("select current_setting($1, true)", name) for name in CONTEXT]
        again = "".join(f"; set local {name} = '{value}'" for name, value in zip(CONTEXT, values, strict=True))
        await ctx.db.connection.execute(f"commit; begin{again}")
        return posted

    ledger.post = hasty


def leak() -> None:
    """The guard off: every request leaves half a megabyte behind."""
    answer_it, kept = app.dispatch, bytearray()

    async def leaking(*args: Any) -> Any:
        kept.extend(os.urandom(500_000))
        return await answer_it(*args)

    app.dispatch = leaking  # pyright: ignore[reportPrivateImportUsage] - the edge calls it by this name


def never_heal() -> None:
    """The guard off: a place in the pool whose connection has ended is never filled again."""
    holder: Any = asyncpg.pool.PoolConnectionHolder
    original, filled = holder.connect, set[int]()

    async def connect_once(self: Any) -> None:
        if id(self) in filled:
            raise asyncpg.InterfaceError("connection is closed")
        await original(self)
        filled.add(id(self))

    holder.connect = connect_once


GUARDS: dict[str, Callable[[], None]] = {
    "keys": forget_answers,
    "commit": answer_first,
    "whole": in_pieces,
    "memory": leak,
    "pool": never_heal,
}

if __name__ == "__main__":
    assert SHARED in os.environ, "it serves on the listener that its parent holds"
    run(msgspec.json.decode(sys.argv[1], type=Order))
