"""Jobs for the trials of a worker that dies: an effect in the database, a call to a provider, and the poisons."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import Retry, job
from lastlight.runtime.jobs.events import JOBS_READ, JobEnded
from lastlight.runtime.mail.deliver import DELIVER
from lastlight.runtime.module import Module
from lastlight.runtime.services import Services
from lastlight.runtime.staged import Stage, Staged

EFFECT = """
insert into tenant_settings (tenant_id, key, value) values ($1, $2, '1')
on conflict (tenant_id, key) do update set value = to_jsonb((tenant_settings.value #>> '{}')::integer + 1)
"""
OFTEN = Retry(attempts=30, backoff=0.05, most=0.2)
FEW = Retry(attempts=2, backoff=0.05, most=0.1)
LONGEST = 0.5
MOST = 60


@job("trial.effect", retry=OFTEN)
async def effect(ctx: Ctx, name: str) -> None:
    """Count one effect in the job's own transaction."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, name)


@job("trial.apart", retry=OFTEN)
async def apart(ctx: Ctx, name: str) -> None:
    """Count one effect in a transaction of its own: the guard off."""
    await ctx.services.pools.system.execute(EFFECT, ctx.tenant_id, name)


async def _call(services: Services, staged: Staged) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(staged.intent["port"]))
    key = str(uuid4()) if staged.intent["fresh"] else staged.key
    writer.write(f"{staged.intent['name']} {key}\n".encode())
    receipt = (await reader.readline()).decode().strip()
    writer.close()
    return receipt


async def _apply(ctx: Ctx, staged: Staged, result: Any) -> None:
    await ctx.db.execute(EFFECT, ctx.tenant_id, staged.intent["name"])


CHARGE = Stage(kind="trial.charge", call=_call, apply=_apply, retry=OFTEN)


@job("poison.raises", retry=FEW)
async def raises(ctx: Ctx) -> None:
    """Write, then fail: always."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, "poison")
    raise RuntimeError("boom")


@job("poison.kills", retry=FEW)
async def kills(ctx: Ctx) -> None:
    """Write, then kill the worker: always."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, "poison")
    os.kill(os.getpid(), signal.SIGKILL)


@job("poison.never_ends", retry=FEW, timeout=LONGEST)
async def never_ends(ctx: Ctx) -> None:
    """Write, then wait for what never comes."""
    await ctx.db.execute(EFFECT, ctx.tenant_id, "poison")
    await asyncio.Event().wait()


POISONS = (raises, kills, never_ends)
MODULE = Module(
    name="trials",
    jobs=[effect, apart, CHARGE.job, *POISONS, DELIVER.job],
    permissions=[JOBS_READ],
    events=[JobEnded],
)


async def fail_everywhere(
    one: Callable[[str, str], Awaitable[bool]], kind: str, failures: tuple[str, ...], *, every: int, first: int = 1
) -> int:
    """Each failure at every statement of a kind of job (or each `every`-th from the `first`); how many statements there were.

    `one` runs a job of a kind that fails at a place, and says whether it got so far.
    """
    for number in range(first, MOST, every):
        reached = [await one(kind, f"{number}:{failure}") for failure in failures]
        if not any(reached):
            return number - 1
    raise AssertionError(f"a job of the kind {kind} sends more than {MOST} statements")
