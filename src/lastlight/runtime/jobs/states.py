"""The states of a job's row. Each statement names the attempt that it ends: a run that was given up changes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from lastlight.kernel.ids import JobId, TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs.enqueue import carry
from lastlight.runtime.jobs.events import JobEnded
from lastlight.runtime.services import Services


class Claimed(msgspec.Struct, frozen=True):
    """A job that this worker may run now."""

    id: UUID
    kind: str
    args: dict[str, Any]
    attempts: int
    max_attempts: int
    created_by: UUID | None
    scheduled: bool
    cancelled: bool
    enabled: bool


class Waiting(msgspec.Struct, frozen=True):
    """A job that is somebody else's, or not due."""

    state: str
    wait: float


class SupersededError(Exception):
    """Another worker took this attempt over, or the job was ended by hand; nothing of this run is kept."""


CLAIM = """
update jobs set state = 'running', attempts = attempts + 1, started_at = now(), heartbeat_at = now(),
    progress_done = 0, progress_total = null, progress_note = '', error = ''
where tenant_id = $1 and id = $2 and run_at <= now() + interval '50 milliseconds'
  and (state = 'queued' or (state = 'running' and heartbeat_at < now() - $3::interval))
returning id, kind, args, attempts, max_attempts, created_by, scheduled, cancel_requested_at is not null as cancelled,
    true as enabled
"""
LOOK = """
select state, case when state = 'queued' then extract(epoch from run_at - now())::float8 else 0 end as wait
from jobs where tenant_id = $1 and id = $2
"""
ENABLED = "select coalesce((select enabled from tenant_modules where tenant_id = $1 and module = $2), false)"
END = """
update jobs set state = $4, result = $5, error = $6, finished_at = now(), heartbeat_at = null
where tenant_id = $1 and id = $2 and attempts = $3 and state = 'running'
"""
# Where another job waits under the same key, that one does the work: the row of this attempt ends.
AGAIN = """
update jobs j set state = case when other.waits then 'cancelled' else 'queued' end, run_at = now() + $4::interval,
    error = case when other.waits then $7 else $5 end, finished_at = case when other.waits then now() end,
    heartbeat_at = null, max_attempts = j.max_attempts + $6::integer
from (
    select exists (
        select from jobs mine join jobs w on w.tenant_id = $1 and w.kind = mine.kind and w.key = mine.key and w.state = 'queued'
        where mine.tenant_id = $1 and mine.id = $2
    ) as waits
) other
where j.tenant_id = $1 and j.id = $2 and j.attempts = $3 and j.state = 'running'
returning j.state
"""
LEFT_TO_ANOTHER = "Another one waits under the same key."
PROGRESS = """
update jobs set progress_done = $4, progress_total = coalesce($5, progress_total), progress_note = $6, heartbeat_at = now()
where tenant_id = $1 and id = $2 and attempts = $3 and state = 'running'
returning cancel_requested_at is not null
"""
BEAT = """
update jobs set heartbeat_at = now()
from unnest($1::uuid[], $2::uuid[], $3::integer[]) as mine (tenant_id, id, attempts)
where jobs.tenant_id = mine.tenant_id and jobs.id = mine.id and jobs.attempts = mine.attempts and jobs.state = 'running'
returning jobs.id, jobs.cancel_requested_at is not null as cancelled
"""
OVERTAKEN = """
select jobs.id from jobs
join unnest($1::uuid[], $2::uuid[], $3::integer[]) as mine (tenant_id, id, attempts)
  on jobs.tenant_id = mine.tenant_id and jobs.id = mine.id and jobs.attempts > mine.attempts
"""


async def claim(
    services: Services, tenant_id: TenantId, job_id: JobId, *, stale: timedelta
) -> Claimed | Waiting | None:
    """Take a job that is due, or whose worker fell silent; None when there is nothing left to do."""
    async with system_ctx(services, tenant_id, role="system") as ctx:
        claimed = await ctx.db.row(Claimed, CLAIM, tenant_id, job_id, stale)
        if claimed is None:
            waiting = await ctx.db.row(Waiting, LOOK, tenant_id, job_id)
            return waiting if waiting is not None and waiting.state in {"queued", "running"} else None
        declared = services.registry.jobs.get(claimed.kind)
        if declared is not None and declared.toggle is not None:
            enabled: bool = await ctx.db.fetchval(ENABLED, tenant_id, declared.toggle)
            return msgspec.structs.replace(claimed, enabled=enabled)
        return claimed


async def end(ctx: Ctx, claimed: Claimed, state: str, *, result: Any = None, error: str = "") -> None:
    """End the attempt inside a transaction; raises SupersededError, so that what else the transaction did is undone."""
    stored = None if result is None else msgspec.to_builtins(result)
    touched = await ctx.db.execute(END, ctx.tenant_id, claimed.id, claimed.attempts, state, stored, error[:2000])
    if touched != 1:
        raise SupersededError
    if state in {"failed", "dead"} or (claimed.created_by is not None and not claimed.scheduled):
        ctx.emit(
            JobEnded(job_id=str(claimed.id), kind=claimed.kind, state=state),
            entity=("job", claimed.id),
            reason=error[:200],
        )


async def queue_again(ctx: Ctx, claimed: Claimed, *, after: timedelta, error: str, counts: bool = True) -> None:
    """Put the job back into the queue, unless another waits under its key, to which the work is left then.

    `counts=False` gives the attempt back, for a worker that was told to stop.
    """
    more = 0 if counts else 1
    state = await ctx.db.fetchval(
        AGAIN, ctx.tenant_id, claimed.id, claimed.attempts, after, error[:2000], more, LEFT_TO_ANOTHER
    )
    if state is None:
        raise SupersededError
    if state == "queued":
        await carry(ctx, JobId(claimed.id), after=after)


async def report(
    services: Services, tenant_id: TenantId, claimed: Claimed, *, done: int, total: int | None, note: str
) -> bool:
    """Show progress at once, in a statement of its own; whether somebody asked to cancel. Raises SupersededError."""
    cancelled: bool | None = await services.pools.system.fetchval(
        PROGRESS, tenant_id, claimed.id, claimed.attempts, done, total, note[:200]
    )
    if cancelled is None:
        raise SupersededError
    return cancelled


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat found of the attempts it spoke for."""

    cancelled: frozenset[UUID]
    """Somebody asked to cancel these."""
    overtaken: frozenset[UUID]
    """Another worker has begun a later attempt of these."""


async def beat(services: Services, mine: list[tuple[TenantId, UUID, int]]) -> Beat:
    """Say that these attempts live, and find out which of them are to end."""
    columns = tuple(zip(*mine, strict=True))
    rows = await services.pools.system.fetch(BEAT, *columns)
    overtaken: frozenset[UUID] = frozenset()
    if len(rows) < len(mine):
        overtaken = frozenset(row["id"] for row in await services.pools.system.fetch(OVERTAKEN, *columns))
    return Beat(frozenset(row["id"] for row in rows if row["cancelled"]), overtaken)


# every tenant: the platform looks for jobs whose worker is lost
REVIVE = """
insert into queue.pgqueuer (entrypoint, payload)
select 'job', uuid_send(lost.tenant_id) || uuid_send(lost.id)
from (
    select tenant_id, id from jobs
    where tenant_id is not null and ((state = 'running' and heartbeat_at < $1) or (state = 'queued' and run_at < $1))
    order by run_at limit 100
) as lost
where not exists (
    select from queue.pgqueuer carrier
    where carrier.entrypoint = 'job' and carrier.payload = uuid_send(lost.tenant_id) || uuid_send(lost.id)
)
"""


async def revive(services: Services, *, silent_since: datetime) -> int:
    """Give a carrier to jobs that lost theirs; how many there were."""
    status: str = await services.pools.system.execute(REVIVE, silent_since)
    return int(status.rsplit(" ", 1)[-1])
