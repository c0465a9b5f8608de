"""Staged actions: what needs a call to somebody else is committed as an intent, called outside any transaction, and its
result is committed. A process that dies in between leaves a row that the job takes up again, with the same key: the other
side sees one action, however often it is asked. What no job carries out any more is found by `staged_sweep`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from lastlight.kernel.ids import TenantId, uuid7
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.pools import PoolName
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs.declaration import Job, Retry, job
from lastlight.runtime.jobs.run import GiveUpError, JobRun, sentence
from lastlight.runtime.services import Services

Call = Callable[[Services, "Staged"], Awaitable[Any]]
Apply = Callable[[Ctx, "Staged", Any], Awaitable[None]]
GivenUp = Callable[[Ctx, "Staged", str], Awaitable[None]]


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """One staged action, as its call and its result see it."""

    tenant_id: UUID
    id: UUID
    key: str
    """Sent along with the call, so that the other side recognises a repetition."""
    intent: dict[str, Any]
    state: str
    calls: int
    """How often it was called before, this time included; above 1 the other side may know of it."""


class RefusedError(Exception):
    """Raised by a call when the other side refused for good: repeating it would not help."""


@dataclass(slots=True, kw_only=True)
class Stage:
    """One kind of staged action: how it is called, and what its result changes. List `stage.job` among the module's jobs."""

    kind: str
    call: Call
    apply: Apply
    given_up: GivenUp | None = None
    """What changes when it was refused or tried for the last time."""
    retry: Retry = field(default_factory=lambda: Retry(attempts=8, backoff=5.0))
    timeout: float = 60.0
    role: PoolName = "app"
    again: bool = False
    """Whether retrying the job calls again what had failed. Not where `given_up` has drawn consequences from that."""
    remembered: timedelta | None = None
    """How long the other side surely recognises a key, where doing it twice would harm: what may have been done is not asked for
    any more after that, and is given up. None: it may be asked at any time."""
    job: "StagedJob" = field(init=False)

    def __post_init__(self) -> None:
        async def resume(job: JobRun, staged_id: UUID) -> None:
            await _perform(self, job, staged_id)

        resume.__doc__ = f"Carry out the staged action {self.kind}, or take it up where it was left."
        made = job(self.kind, retry=self.retry, timeout=self.timeout, role=self.role)(resume)
        self.job = StagedJob(**{one.name: getattr(made, one.name) for one in fields(made)}, stage=self)


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedJob(Job):
    """The job of a kind of staged actions, which knows it."""

    stage: Stage = field(repr=False, compare=False)


INTEND = """
insert into staged_actions (tenant_id, id, kind, key, intent, created_by) values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
"""
TAKE = """
update staged_actions set state = 'calling', calls = calls + 1, called_at = now(), finished_at = null, error = ''
where tenant_id = $1 and id = $2 and (state in ('intended', 'calling') or state = 'failed' and $3)
returning tenant_id, id, key, intent, state, calls
"""
DONE = """
update staged_actions set state = 'done', result = $3, finished_at = now() where tenant_id = $1 and id = $2 and state = 'calling'
"""
# Only for the call that it is about: where another has begun meanwhile, that one says what became of it.
FAILED = """
update staged_actions set state = 'failed', error = $3, finished_at = now()
where tenant_id = $1 and id = $2 and state = $4 and calls = $5
"""
FORGOTTEN = "select created_at < now() - $3::interval from staged_actions where tenant_id = $1 and id = $2"
TOO_LATE = "It was asked for too long ago to be asked for again: the other side may not recognise it any more."


async def begin(ctx: Ctx, stage: Stage, *, key: str, intent: Mapping[str, Any]) -> UUID | None:
    """Commit an intent with the rest of this transaction; its job carries it out afterwards.

    `key` names the action for good: a second intent with the same key is the same action, for which None is returned.
    """
    staged_id = uuid7()
    stored = msgspec.to_builtins(dict(intent))
    created = await ctx.db.execute(INTEND, ctx.tenant_id, staged_id, stage.kind, key, stored, ctx.actor.user_id)
    if not created:
        return None
    await ctx.enqueue(stage.job, staged_id=staged_id)
    return staged_id


async def give_up(ctx: Ctx, stage: Stage, staged: Staged, why: str) -> bool:
    """Say that an action has failed, and draw the consequences, in one transaction; False where it stands otherwise by now."""
    failed = await ctx.db.execute(FAILED, ctx.tenant_id, staged.id, why[:2000], staged.state, staged.calls)
    if failed and stage.given_up is not None:
        await stage.given_up(ctx, staged, why)
    return bool(failed)


async def _perform(stage: Stage, job: JobRun, staged_id: UUID) -> None:
    async with job.transaction() as ctx:
        staged = await _take(ctx, stage, staged_id)
        forgotten = staged is not None and await _is_forgotten(ctx, stage, staged)
    if staged is None:
        return
    if forgotten:
        await _give_up(stage, job, staged, RefusedError(TOO_LATE))
        raise GiveUpError(TOO_LATE)
    try:
        result = await stage.call(job.services, staged)
    except RefusedError as error:
        await _give_up(stage, job, staged, error)
        raise GiveUpError(str(error)) from error
    except Exception as error:
        if job.claimed.attempts >= job.claimed.max_attempts:
            await _give_up(stage, job, staged, error)
        raise
    async with job.finish() as ctx:
        await _keep(ctx, stage, staged, result)


async def carry_out(services: Services, stage: Stage, *, tenant_id: TenantId, staged_id: UUID) -> None:
    """Carry out a staged action here and now, for a program that has no worker; its job finds it done. Raises what the call raises."""
    async with system_ctx(services, tenant_id, role=stage.role) as ctx:
        staged = await _take(ctx, stage, staged_id)
    if staged is None:
        return
    result = await stage.call(services, staged)
    async with system_ctx(services, tenant_id, role=stage.role) as ctx:
        await _keep(ctx, stage, staged, result)


async def _take(ctx: Ctx, stage: Stage, staged_id: UUID) -> Staged | None:
    """The action, of which it is said that it is being called; None where nothing is to be called any more."""
    return await ctx.db.row(Staged, TAKE, ctx.tenant_id, staged_id, stage.again)


async def _is_forgotten(ctx: Ctx, stage: Stage, staged: Staged) -> bool:
    """Whether the other side may have done it, and may not know any more that it has."""
    if stage.remembered is None or staged.calls < 2:
        return False
    return await ctx.db.fetchval(FORGOTTEN, ctx.tenant_id, staged.id, stage.remembered)


async def _keep(ctx: Ctx, stage: Stage, staged: Staged, result: Any) -> None:
    """Write down what came of the call, and what that changes, once."""
    if await ctx.db.execute(DONE, ctx.tenant_id, staged.id, msgspec.to_builtins(result)):
        await stage.apply(ctx, staged, result)


async def _give_up(stage: Stage, job: JobRun, staged: Staged, error: Exception) -> None:
    text = sentence(error) if not isinstance(error, RefusedError) else str(error)
    async with job.transaction() as ctx:
        await give_up(ctx, stage, staged, text)
