"""The sweep over staged actions: what no job carries out any more is taken up again, and at last given up.

An action is left when its job ended without a word about it: the worker died in the last attempt, the attempt took too long, the
answer could not be applied, somebody cancelled the job. Whether the call reached the other side is unknown then. So it is asked again,
under the same key, for some rounds of attempts; only then, or where somebody cancelled it, it has failed, with its consequences.
"""

from datetime import timedelta
from typing import Literal
from uuid import UUID

import msgspec
import structlog
from prometheus_client import Counter

from lastlight.kernel.ids import JobId, TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.lost import LOST
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs.actions import JobNotEnded, requeue
from lastlight.runtime.jobs.declaration import job
from lastlight.runtime.jobs.events import JobGivenUp
from lastlight.runtime.jobs.run import JobRun, sentence
from lastlight.runtime.services import Services
from lastlight.runtime.staged import Stage, Staged, StagedJob, give_up

log = structlog.get_logger(__name__)

Outcome = Literal["taken-up", "given-up", "stuck"]
PAUSES = (timedelta(), timedelta(minutes=30))
"""How long each further round of attempts waits; there are no more of them than this."""
QUIET = timedelta(minutes=1)
"""So long after its attempt must have ended an action is left alone: a call that was on its way then has come to its end, too."""
BATCH = 200
TAKEN_UP = "Taken up again by itself: what became of its call is unknown."
GIVEN_UP = "Given up for good."
SWEPT = Counter(
    "lastlight_staged_left_total", "Staged actions that no job carried out, by what became of them.", ["outcome"]
)

# every tenant: the platform looks for what any business left lying. Touching a row, as each call does, puts it at the end.
LEFT = """
select s.tenant_id, s.id, s.kind from staged_actions s
join unnest($1::text[], $2::interval[]) as known (kind, quiet) on known.kind = s.kind
where s.tenant_id is not null and s.state in ('intended', 'calling') and s.updated_at < now() - known.quiet
  and not exists (select from jobs j
                  where j.tenant_id = s.tenant_id and j.kind = s.kind and j.state in ('queued', 'running')
                    and j.args ->> 'staged_id' = s.id::text)
order by s.updated_at limit $3
"""
HOLD = """
select tenant_id, id, key, intent, state, calls from staged_actions
where tenant_id = $1 and id = $2 and state in ('intended', 'calling') and updated_at < now() - $3::interval
for update skip locked
"""
# Asked once the action is held, which a call that begins waits for.
ALIVE = """
select exists (select from jobs
               where tenant_id = $1 and kind = $2 and state in ('queued', 'running') and args ->> 'staged_id' = $3::uuid::text)
"""
# A job is queued with its action, or later: so its index by age finds it.
ENDED = """
select j.id, j.attempts, j.error, j.cancel_requested_at is not null as cancelled
from staged_actions s
join jobs j on j.tenant_id = s.tenant_id and j.state in ('failed', 'dead', 'cancelled') and j.created_at >= s.created_at
  and j.kind = s.kind and j.args ->> 'staged_id' = s.id::text
where s.tenant_id = $1 and s.id = $2
order by j.created_at desc, j.id desc limit 1
"""
NOTE = "update jobs set progress_note = $3 where tenant_id = $1 and id = $2 and finished_at is not null"
STUCK = """
update staged_actions set error = $3 where tenant_id = $1 and id = $2 and state in ('intended', 'calling')
"""


class Ended(msgspec.Struct, frozen=True):
    """The job of an action, as it ended."""

    id: UUID
    attempts: int
    error: str
    cancelled: bool
    """Somebody asked for that."""


@job("staged.take_up_left", schedule="* * * * *", each="platform", timeout=300.0)
async def take_up_left(job: JobRun) -> dict[str, int]:
    """Take up staged actions that no job carries out any more, or give them up; how many of each."""
    return await sweep(job.services)


async def sweep(services: Services) -> dict[str, int]:
    """One sweep over the staged actions of all tenants; how many were taken up, given up, or could not be."""
    stages = {name: one.stage for name, one in services.registry.jobs.items() if isinstance(one, StagedJob)}
    quiet = {name: timedelta(seconds=stage.timeout) + QUIET for name, stage in stages.items()}
    counted: dict[str, int] = {}
    for left in await services.pools.system.fetch(LEFT, list(quiet), list(quiet.values()), BATCH):
        tenant_id, stage = TenantId(left["tenant_id"]), stages[left["kind"]]
        outcome = await _settle_or_note(services, stage, tenant_id, left["id"], quiet[left["kind"]])
        if outcome is not None:
            SWEPT.labels(outcome).inc()
            counted[outcome] = counted.get(outcome, 0) + 1
    return counted


async def _settle_or_note(
    services: Services, stage: Stage, tenant_id: TenantId, staged_id: UUID, quiet: timedelta
) -> Outcome | None:
    """What became of one action; one that cannot be settled says so, and keeps nobody else from their turn."""
    try:
        async with system_ctx(services, tenant_id, role=stage.role) as ctx:
            return await _settle(ctx, stage, staged_id, quiet)
    except LOST:
        raise
    except Exception as error:
        log.exception("a staged action could not be settled", kind=stage.kind, staged_id=str(staged_id))
        async with system_ctx(services, tenant_id, role=stage.role) as ctx:
            await ctx.db.execute(STUCK, tenant_id, staged_id, f"It could not be settled: {sentence(error)}"[:2000])
        return "stuck"


async def _settle(ctx: Ctx, stage: Stage, staged_id: UUID, quiet: timedelta) -> Outcome | None:
    staged = await ctx.db.row(Staged, HOLD, ctx.tenant_id, staged_id, quiet)
    if staged is None or await ctx.db.fetchval(ALIVE, ctx.tenant_id, stage.kind, staged_id):
        return None
    ended = await ctx.db.row(Ended, ENDED, ctx.tenant_id, staged_id)
    if ended is None:
        await ctx.enqueue(stage.job, staged_id=staged_id)
        return "taken-up"
    rounds = max(ended.attempts // stage.retry.attempts, 1)
    if ended.cancelled or rounds > len(PAUSES):
        return await _give_up(ctx, stage, staged, ended)
    try:
        await requeue(ctx, job_id=JobId(ended.id), after=PAUSES[rounds - 1], note=TAKEN_UP)
    except JobNotEnded:
        return None  # somebody else has queued it in this moment
    return "taken-up"


async def _give_up(ctx: Ctx, stage: Stage, staged: Staged, ended: Ended) -> Outcome | None:
    if not await give_up(ctx, stage, staged, ended.error):
        return None
    await ctx.db.execute(NOTE, ctx.tenant_id, ended.id, GIVEN_UP)
    ctx.emit(
        JobGivenUp(job_id=str(ended.id), kind=stage.kind),
        entity=("job", JobId(ended.id)),
        reason=ended.error[:200],
    )
    return "given-up"
