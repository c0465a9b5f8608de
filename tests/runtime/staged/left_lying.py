"""An other side for the tests of the sweep, a stage that fails where it is told, and a process that dies in every call."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from lastlight.kernel.ids import TenantId
from lastlight.runtime import staged as staged_actions
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import Retry
from lastlight.runtime.jobs.events import JOBS_MANAGE, JOBS_READ, JobCancelled, JobEnded, JobGivenUp, JobRequeued
from lastlight.runtime.jobs.worker import run_jobs
from lastlight.runtime.module import Module
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from lastlight.runtime.staged import RefusedError, Stage, Staged
from tests.runtime.jobs.errands import EFFECT
from tests.runtime.jobs.test_jobs import effects, eventually
from tests.support.services import administer, opened_services

KIND = "test.left"
FINGERPRINT = "{key}\n"


@dataclass
class OtherSide:
    """Does each key once; what is in `troubles` goes wrong so often: hang, refuse, refuse-late, apply, given_up."""

    troubles: dict[str, int] = field(default_factory=dict[str, int])
    done: list[str] = field(default_factory=list[str])
    calls: int = 0
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def trouble(self, what: str) -> bool:
        """Whether this goes wrong now; that is counted."""
        left = self.troubles.get(what, 0)
        self.troubles[what] = left - 1
        return left > 0

    def stage(self, *, attempts: int = 1, timeout: float = 1.5, remembered: timedelta | None = None) -> Stage:
        """A stage that calls this side."""

        async def call(services: Services, staged: Staged) -> str:
            self.calls += 1
            if self.trouble("refuse"):
                raise RefusedError("They do not want to.")
            if staged.key not in self.done:
                self.done.append(staged.key)
            if self.trouble("hang"):
                self.hanging.set()
                await self.go_on.wait()
            if self.trouble("refuse-late"):
                raise RefusedError("They thought better of it.")
            return f"receipt for {staged.key}"

        async def apply(ctx: Ctx, staged: Staged, result: Any) -> None:
            await ctx.db.execute(EFFECT, ctx.tenant_id, staged.intent["name"])
            if self.trouble("apply"):
                raise ArithmeticError("It cannot be kept.")

        async def given_up(ctx: Ctx, staged: Staged, error: str) -> None:
            await ctx.db.execute(EFFECT, ctx.tenant_id, f"{staged.intent['name']}-given-up")
            if self.trouble("given_up"):
                raise ArithmeticError("It cannot be given up.")

        retry = Retry(attempts=attempts, backoff=0.05)
        return Stage(
            kind=KIND, call=call, apply=apply, given_up=given_up, retry=retry, timeout=timeout, remembered=remembered
        )


@dataclass
class Bench:
    """One tenant with one kind of staged actions, and a worker."""

    services: Services
    tenant: TenantId
    stage: Stage

    def ctx(self) -> Any:
        """A transaction of the tenant."""
        return system_ctx(self.services, self.tenant)

    async def begin(self, key: str = "k") -> UUID:
        """An action that has begun."""
        async with self.ctx() as ctx:
            staged_id = await staged_actions.begin(ctx, self.stage, key=key, intent={"name": key})
        assert staged_id is not None
        return staged_id

    async def row(self, staged_id: UUID) -> Any:
        """The action as it stands."""
        sql = "select * from staged_actions where tenant_id = $1 and id = $2"
        return (await administer(self.services.settings, sql, self.tenant, staged_id))[0]

    async def jobs(self, staged_id: UUID) -> list[Any]:
        """Its jobs, oldest first."""
        sql = (
            "select * from jobs where tenant_id = $1 and args ->> 'staged_id' = $2::uuid::text order by created_at, id"
        )
        return await administer(self.services.settings, sql, self.tenant, staged_id)

    async def job(self, staged_id: UUID, *states: str) -> Any:
        """Its newest job, once it is in one of these states."""

        async def look() -> Any:
            newest = (await self.jobs(staged_id))[-1]
            return newest if newest["state"] in states else None

        return await eventually(look)

    async def left(self, staged_id: UUID, job_state: str = "dead") -> Any:
        """Its job, once it has ended without a word about the action."""
        ended = await self.job(staged_id, job_state)
        row = await self.row(staged_id)
        assert row["state"] in {"intended", "calling"}, "there is nothing to sweep"
        return ended

    async def ends(self, staged_id: UUID) -> Any:
        """The action, once it has ended."""

        async def look() -> Any:
            row = await self.row(staged_id)
            return row if row["state"] in {"done", "failed"} else None

        return await eventually(look)

    async def effects(self, key: str = "k") -> tuple[int, int]:
        """How often its result was applied, and how often it was given up."""
        settings = self.services.settings
        return await effects(settings, self.tenant, key), await effects(settings, self.tenant, f"{key}-given-up")

    async def said(self) -> list[str]:
        """The names of the tenant's events, oldest first."""
        sql = "select name from outbox where tenant_id = $1 order by position"
        return [row["name"] for row in await administer(self.services.settings, sql, self.tenant)]


@asynccontextmanager
async def bench(settings: Settings, tenant: TenantId, stage: Stage, *, workers: int = 1) -> AsyncGenerator[Bench]:
    """A tenant's stage with workers in this process."""
    async with opened_services(settings, [module_of(stage)]) as services:
        stop = asyncio.Event()
        working = [asyncio.create_task(run_jobs(services, stop, stale=timedelta(seconds=1.5))) for _ in range(workers)]
        try:
            yield Bench(services, tenant, stage)
        finally:
            stop.set()
            await asyncio.gather(*working)


def module_of(stage: Stage) -> Module:
    """A module that brings nothing but the stage."""
    events = [JobEnded, JobCancelled, JobRequeued, JobGivenUp]
    return Module(name="till", jobs=[stage.job], permissions=[JOBS_READ, JOBS_MANAGE], events=events)


def deadly(place: Path) -> Stage:
    """A stage whose other side is a file, and whose caller dies when that side has acted."""

    async def call(services: Services, staged: Staged) -> str:
        await asyncio.to_thread(_act, place, staged.key)
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    async def apply(ctx: Ctx, staged: Staged, result: Any) -> None:
        await ctx.db.execute(EFFECT, ctx.tenant_id, staged.intent["name"])

    return Stage(kind=KIND, call=call, apply=apply, retry=Retry(attempts=2, backoff=0.05), timeout=0.4)


def _act(place: Path, key: str) -> None:
    with place.open("a") as acted:
        acted.write(FINGERPRINT.format(key=key))


async def work(database_url: str, secret_key: str, place: str) -> None:
    """Work staged actions off until one of them kills the process."""
    settings = Settings.load({}, database_url=database_url, secret_key=secret_key, db_pool_size=4)
    async with opened_services(settings, [module_of(deadly(Path(place)))]) as services:
        await run_jobs(services, asyncio.Event(), stale=timedelta(seconds=1.5))


if __name__ == "__main__":
    asyncio.run(work(**msgspec.json.decode(sys.argv[1])))
