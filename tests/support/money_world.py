"""What a process needs to run stories of money: services on a database, a sandbox inside it, and a queue that the story itself works off."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import asyncpg
import msgspec

from lastlight.domains.adjustments.module import MODULE as ADJUSTMENTS
from lastlight.domains.credits.module import MODULE as CREDITS
from lastlight.domains.ledger.module import MODULE as LEDGER
from lastlight.domains.payments import jobs as payment_jobs
from lastlight.domains.payments.module import MODULE as PAYMENTS
from lastlight.kernel.errors import Problem
from lastlight.kernel.ids import PatronId, TenantId, UserId, uuid7
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import Job
from lastlight.runtime.jobs.enqueue import Wanted
from lastlight.runtime.jobs.module import MODULE as JOBS
from lastlight.runtime.jobs.run import GiveUpError
from lastlight.runtime.push.module import MODULE as PUSH
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.near_sandbox import NearSandbox, near_sandbox
from tests.support.services import opened_services

MODULES = (LEDGER, PAYMENTS, CREDITS, ADJUSTMENTS, PUSH, JOBS)
SET = {"credits.expiry_months": 1, "credits.adjustment_limit": 20}
HALF_A_DAY = 43_200
"""What follows by itself at the provider waits for the story's clock, never for the real one."""


@dataclass
class World:
    """One process's services and sandbox, and connections of the administrator and the looker."""

    services: Services
    near: NearSandbox
    admin: Any
    looker: Any


@dataclass(slots=True)
class Task:
    """A queued job: with what, and how often it was tried."""

    job: Job
    args: dict[str, Any]
    key: str | None = None
    attempts: int = 0


@dataclass
class Business:
    """A new business with guests and two people of its own, and an account at the provider."""

    services: Services
    near: NearSandbox
    tenant_id: TenantId
    guests: list[PatronId]
    people: list[UserId]
    queue: list[Task] = field(default_factory=list[Task])

    def ctx(self, role: Any = "app") -> Any:
        """A unit of work of the business."""
        return system_ctx(self.services, self.tenant_id, role=role)

    def taken(self, task: Task, error: Exception | None) -> bool:
        """Whether a job that ended so is over: a worker's own rule."""
        lost = isinstance(error, GiveUpError) or (
            isinstance(error, Problem) and error.status < 500 and error.status != 429
        )
        return error is None or lost or task.attempts >= task.job.retry.attempts

    async def carry_out(self, task: Task) -> Exception | None:
        """One attempt of a job; what it raised."""
        task.attempts += 1
        run = Run(self.services, self.tenant_id, task)
        try:
            if task.job.takes_ctx:
                async with run.transaction() as ctx:
                    await task.job.fn(ctx=ctx, **task.job.arguments(task.args))
            else:
                await task.job.fn(job=run, **task.job.arguments(task.args))
        except AssertionError:
            raise
        except Exception as error:  # noqa: BLE001 - as a worker: whatever a job raises becomes its state
            return error
        return None

    async def enqueue(
        self, ctx: Ctx, job: Job, *, run_at: Any = None, key: str | None = None, sooner: bool = False, **args: Any
    ) -> UUID:
        """Queue a job of payments once the transaction is durable; of those with the same key that wait, one."""

        async def queued() -> None:
            if not job.name.startswith("payments."):
                return  # who is told of it is no matter of money
            if key is None or not any(one.job.name == job.name and one.key == key for one in self.queue):
                self.queue.append(Task(job, msgspec.to_builtins(args), key))

        ctx.after_commit(queued)
        return uuid7()

    def queue_all(self, wanted: list[Wanted]) -> None:
        """What the inbox queues."""
        assert {one.tenant_id for one in wanted} <= {self.tenant_id}
        self.queue.extend(Task(one.job, one.args, one.key) for one in wanted)


@dataclass(slots=True)
class Run:
    """As much of a job's run as the jobs of payments use."""

    services: Services
    tenant_id: TenantId
    task: Task

    @property
    def claimed(self) -> Any:
        """Which attempt it is."""
        return SimpleNamespace(attempts=self.task.attempts, max_attempts=self.task.job.retry.attempts)

    def transaction(self, *, role: Any = "app") -> Any:
        """A transaction of the business."""
        return system_ctx(self.services, self.tenant_id, role=role)

    finish = transaction
    finished = False

    async def progress(self, *_: Any, **__: Any) -> None:
        """Nobody watches."""


@asynccontextmanager
async def opened_world(settings: Settings) -> AsyncGenerator[World]:
    """Services and a sandbox for as many businesses as there are stories."""
    async with near_sandbox() as near, opened_services(settings, MODULES) as services:
        admin, looker = await asyncpg.connect(settings.admin_dsn()), await asyncpg.connect(settings.dsn("looker"))
        await admin.set_type_codec("jsonb", encoder=str, decoder=msgspec.json.decode, schema="pg_catalog")
        try:
            yield World(services, near, admin, looker)
        finally:
            await admin.close()
            await looker.close()


@asynccontextmanager
async def opened_business(world: World, *, guests: int) -> AsyncGenerator[Business]:
    """A new business in a world."""
    near = world.near.another()
    settings = replace(world.services.settings, **near.settings())
    services = replace(world.services, settings=settings, memory={}, closers=[])
    await near.reached_by(services)
    await near.control("rules", later_seconds=HALF_A_DAY)
    tenant_id, people = TenantId(uuid7()), [UserId(uuid7()) for _ in range(guests + 2)]
    patrons = [PatronId(uuid7()) for _ in range(guests)]
    await _written(world.admin, tenant_id, people, patrons)
    business = Business(services, near, tenant_id, patrons, people[guests:])
    services.enqueue = business.enqueue

    async def queue_all(_: Services, __: Any, wanted: list[Wanted]) -> None:
        business.queue_all(wanted)

    with patch.object(payment_jobs, "enqueue_all", queue_all), patch.object(payment_jobs, "poke_after_commit"):
        try:
            yield business
        finally:
            await near.control("reset")


async def _written(admin: Any, tenant_id: TenantId, people: list[UserId], patrons: list[PatronId]) -> None:
    async with admin.transaction():
        slug = f"t{uuid4().hex[:12]}"
        await admin.execute(
            "insert into tenants (id, slug, name, status) values ($1, $2, $2, 'active')", tenant_id, slug
        )
        await admin.execute(
            "insert into users (id, email, name) select id, id::text || '@example.test', 'Somebody' from unnest($1::uuid[]) id",
            people,
        )
        await admin.execute(
            """insert into patrons (tenant_id, id, user_id, name)
               select $1, p.id, p.user_id, 'Guest' from unnest($2::uuid[], $3::uuid[]) p (id, user_id)""",
            tenant_id, patrons, people[: len(patrons)],
        )  # fmt: skip
        await admin.executemany(
            "insert into tenant_settings (tenant_id, key, value) values ($1, $2, $3)",
            [(tenant_id, key, str(value)) for key, value in SET.items()],
        )
