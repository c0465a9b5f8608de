"""Queue a job in the transaction of whoever asks: it runs if, and only if, that transaction commits."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from lastlight.kernel.ids import JobId, TenantId, uuid7
from lastlight.runtime.db.lost import LOST
from lastlight.runtime.jobs.declaration import Job
from lastlight.runtime.services import Services

if TYPE_CHECKING:
    from lastlight.runtime.context import Ctx

log = structlog.get_logger(__name__)

ENTRYPOINT = "job"
CHANNEL = "ch_pgqueuer"
POKE_SECONDS = 0.005

QUEUE = """
with queued as (
    insert into jobs (tenant_id, id, kind, args, key, max_attempts, created_by, run_at)
    values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now()))
    on conflict do nothing
    returning tenant_id, id, run_at
)
insert into queue.pgqueuer (entrypoint, payload, execute_after)
select 'job', uuid_send(tenant_id) || uuid_send(id), run_at from queued
"""
# every tenant: the answers to a batch of the relay's events
QUEUE_ALL = """
with queued as (
    insert into jobs (tenant_id, id, kind, args, key, max_attempts, run_at)
    select j.tenant_id, j.id, j.kind, j.args::jsonb, j.key, j.max_attempts, now()
    from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::integer[])
         with ordinality as j (tenant_id, id, kind, args, key, max_attempts, place)
    order by j.place
    on conflict do nothing
    returning tenant_id, id, run_at
)
insert into queue.pgqueuer (entrypoint, payload, execute_after)
select 'job', uuid_send(tenant_id) || uuid_send(id), run_at from queued
"""
# The carrier of before stays: it finds the job ended, or waits with it.
SOONER = """
with waiting as (
    select id, run_at from jobs where tenant_id = $1 and kind = $2 and key = $3 and state = 'queued' for no key update
), brought as (
    update jobs set run_at = coalesce($4, now()) from waiting
    where jobs.tenant_id = $1 and jobs.id = waiting.id and waiting.run_at > coalesce($4, now())
    returning jobs.tenant_id, jobs.id, jobs.run_at
), carried as (
    insert into queue.pgqueuer (entrypoint, payload, execute_after)
    select 'job', uuid_send(tenant_id) || uuid_send(id), run_at from brought
)
select exists (select from waiting)
"""
HURRIES = 5
"""How often a job is looked for and queued in turn, where workers take it and others queue it meanwhile."""
WAITING = "select id from jobs where tenant_id = $1 and kind = $2 and key = $3 and state = 'queued'"
CARRY = (
    "insert into queue.pgqueuer (entrypoint, payload, execute_after) values ('job', uuid_send($1) || uuid_send($2), $3)"
)


async def enqueue(
    ctx: "Ctx", job: Job, *, run_at: datetime | None = None, key: str | None = None, sooner: bool = False, **args: Any
) -> JobId:
    """Queue `job` for the transaction's tenant and return its id.

    `run_at` defers it. While a job of this kind waits under `key`, another is not queued and the waiting one's id is returned.
    It keeps its time, for it may wait out the pause after an attempt that failed; with `sooner` it is brought forward.
    """
    _check(ctx.services, job, args)
    job_id = JobId(uuid7())
    stored = msgspec.to_builtins(args)
    values = (ctx.tenant_id, job_id, job.name, stored, key, job.retry.attempts, ctx.actor.user_id, run_at)
    if await ctx.db.execute(QUEUE, *values):
        poke_after_commit(ctx)
        return job_id
    if sooner:
        _hurry_after_commit(ctx, values)
    waiting = await ctx.db.fetchval(WAITING, ctx.tenant_id, job.name, key)
    return JobId(waiting) if waiting is not None else job_id


@dataclass(frozen=True, slots=True)
class Wanted:
    """A job that is to be queued: for which tenant, under which key, with which arguments."""

    tenant_id: TenantId
    job: Job
    key: str
    args: dict[str, Any]


async def enqueue_all(services: Services, connection: Any, wanted: Sequence[Wanted]) -> None:
    """Queue many jobs by one statement of the connection's transaction, in the platform's name; all or none.

    The workers have to be poked (`poke_workers`) once the transaction is durable.
    """
    for one in wanted:
        _check(services, one.job, one.args)
    await connection.execute(
        QUEUE_ALL,
        [one.tenant_id for one in wanted],
        [uuid7() for _ in wanted],
        [one.job.name for one in wanted],
        [msgspec.json.encode(one.args).decode() for one in wanted],
        [one.key for one in wanted],
        [one.job.retry.attempts for one in wanted],
    )


def _check(services: Services, job: Job, args: dict[str, Any]) -> None:
    job.check_arguments(args)
    known = services.registry.jobs.get(job.name)
    if known is None or known.fn is not job.fn:  # the registry's has its module's toggle besides
        raise RuntimeError(f"job {job.name} is not among any module's jobs")


def _hurry_after_commit(ctx: "Ctx", values: tuple[Any, ...]) -> None:
    """Bring the job that waits forward once the transaction is durable, so that its run sees what was done; a loss costs its pause.

    As the system: a guest may ask for a look, and sees no jobs of others.
    """
    tenant_id, _, kind, _, key, _, _, run_at = values

    async def hurry() -> None:
        system = ctx.services.pools.system
        for _ in range(HURRIES):
            if await system.fetchval(SOONER, tenant_id, kind, key, run_at):
                break
            await system.execute(QUEUE, *values)  # a worker has begun with it since, maybe before we were done
        poke_workers(ctx.services)

    ctx.after_commit(hurry)


def poke_after_commit(ctx: "Ctx") -> None:
    """Wake the workers once the transaction is durable."""

    async def poke() -> None:
        poke_workers(ctx.services)

    ctx.after_commit(poke)


def poke_workers(services: Services) -> None:
    """Wake the workers soon, at most once in 5 ms; a lost poke only costs their polling interval."""
    sending: asyncio.Task[None] | None = services.memory.get("jobs-poke")
    if sending is None or sending.done():
        services.memory["jobs-poke"] = asyncio.get_running_loop().create_task(_poke(services))


async def _poke(services: Services) -> None:
    await asyncio.sleep(POKE_SECONDS)
    event = {"channel": CHANNEL, "operation": "insert", "sent_at": datetime.now(UTC), "table": "pgqueuer"}
    payload = msgspec.json.encode({**event, "type": "table_changed_event"}).decode()
    try:
        await services.pools.system.execute("select pg_notify($1, $2)", CHANNEL, payload)
    except LOST as error:
        log.warning("the workers could not be poked; they will look by themselves", error=str(error))


async def carry(ctx: "Ctx", job_id: JobId, *, after: timedelta = timedelta()) -> None:
    """Give a job's row a carrier again, for a retry; the row itself is the caller's."""
    await ctx.db.execute(CARRY, ctx.tenant_id, job_id, ctx.now + after)
    poke_after_commit(ctx)
