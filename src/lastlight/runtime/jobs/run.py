"""One attempt of one job: its transactions, its progress, its end."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from lastlight.kernel.errors import Problem
from lastlight.kernel.ids import JobId, TenantId, UserId
from lastlight.runtime.context import SYSTEM, Ctx
from lastlight.runtime.db.pools import PoolName
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.jobs import states
from lastlight.runtime.jobs.declaration import Job
from lastlight.runtime.jobs.states import Claimed, SupersededError
from lastlight.runtime.observability.metrics import JOB_SECONDS
from lastlight.runtime.observability.tracing import span
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

NEWER_VERSION_SECONDS = 30


class GiveUpError(Exception):
    """Raised by a job that knows that repeating it would not help; its message is the row's error."""


class RetryLaterError(Exception):
    """Raised by a job that was asked to come back in so many seconds; None: after its usual pause. It costs an attempt."""

    def __init__(self, message: str, *, seconds: float | None) -> None:
        super().__init__(message)
        self.pause = None if seconds is None else timedelta(seconds=seconds)


class JobCancelledError(Exception):
    """Somebody asked for the job to be cancelled."""


@dataclass(slots=True)
class JobRun:
    """What a job's function may do besides its work."""

    services: Services
    declared: Job
    tenant_id: TenantId
    claimed: Claimed
    cancelled: bool = False
    """Somebody asked to cancel it: the worker has cancelled the task, or will."""
    finished: bool = False
    outcome: str = "done"
    """What became of the attempt, for the metrics: done, retried, failed, dead, cancelled, interrupted or superseded."""
    actor_name: str = field(default=SYSTEM.name)

    @property
    def id(self) -> JobId:
        """The id of the job's row."""
        return JobId(self.claimed.id)

    @property
    def created_by(self) -> UserId | None:
        """Who queued it."""
        return None if self.claimed.created_by is None else UserId(self.claimed.created_by)

    async def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Show how far it is, visible at once; ends the job here when somebody asked to cancel it."""
        if await states.report(self.services, self.tenant_id, self.claimed, done=done, total=total, note=note):
            self.cancelled = True
            raise JobCancelledError

    @asynccontextmanager
    async def transaction(self, *, role: PoolName | None = None) -> AsyncGenerator[Ctx]:
        """A transaction of its own inside the job's tenant."""
        async with system_ctx(
            self.services, self.tenant_id, role=role or self.declared.role, request_id=f"job:{self.id}"
        ) as ctx:
            yield ctx

    async def in_batches(self, work: Callable[[Ctx], Awaitable[int]], *, size: int) -> None:
        """Repeat `work`, each time in a transaction of its own, until it did less than a batch of `size` rows."""
        done = size
        while done >= size:
            async with self.transaction() as ctx:
                done = await work(ctx)

    @asynccontextmanager
    async def finish(self, result: Any = None, *, role: PoolName | None = None) -> AsyncGenerator[Ctx]:
        """The last transaction: what it writes and the job's end are committed together, once."""
        async with self.transaction(role=role) as ctx:
            yield ctx
            await states.end(ctx, self.claimed, "done", result=result)
        self.finished = True


async def perform(run: JobRun) -> None:
    """Run the attempt to its end, and write what became of it. Never raises but for cancellation by the worker."""
    began = time.perf_counter()
    try:
        with span("job", job__kind=run.declared.name, job__id=str(run.id), job__attempt=run.claimed.attempts):
            await _attempt(run)
    finally:
        JOB_SECONDS.labels(run.declared.name, run.outcome).observe(time.perf_counter() - began)


async def _attempt(run: JobRun) -> None:
    try:
        async with asyncio.timeout(run.declared.timeout):
            await _call(run)
    except SupersededError:
        _superseded(run)
    except asyncio.CancelledError:
        run.outcome = "cancelled" if run.cancelled else "interrupted"
        await asyncio.shield(_interrupted(run))
        if not run.cancelled:
            raise
    except Exception as error:  # noqa: BLE001 - whatever a job raises becomes its state
        await _failed(run, error)


def _superseded(run: JobRun) -> None:
    run.outcome = "superseded"
    log.warning("job superseded", job=run.claimed.kind, job_id=str(run.id), attempt=run.claimed.attempts)


class _LostTooOftenError(Exception):
    """The workers that ran it died each time."""

    def __str__(self) -> str:
        return "The worker died during every attempt."


async def _call(run: JobRun) -> None:
    declared = run.declared
    if run.claimed.cancelled:
        raise JobCancelledError
    if run.claimed.attempts > run.claimed.max_attempts:
        raise _LostTooOftenError
    given = declared.arguments(run.claimed.args)
    if declared.takes_run:
        given["job"] = run
    if not declared.takes_ctx:
        result = await declared.fn(**given)
        if not run.finished:
            async with run.finish(result):
                pass
        return
    async with run.transaction() as ctx:
        result = await declared.fn(**given, ctx=ctx)
        await states.end(ctx, run.claimed, "done", result=result)


async def _interrupted(run: JobRun) -> None:
    """The task was cancelled: by somebody's wish, or because the worker stops, which costs the job no attempt."""
    try:
        async with system_ctx(run.services, run.tenant_id, role="system") as ctx:
            if run.cancelled:
                await states.end(ctx, run.claimed, "cancelled", error="Cancelled.")
            else:
                await states.queue_again(ctx, run.claimed, after=timedelta(), error="", counts=False)
    except SupersededError:
        pass
    except Exception:
        log.exception("the state of an interrupted job could not be written", job_id=str(run.id))


async def _failed(run: JobRun, error: Exception) -> None:
    claimed = run.claimed
    text = sentence(error)
    try:
        async with system_ctx(run.services, run.tenant_id, role="system") as ctx:
            if isinstance(error, JobCancelledError):
                run.outcome = "cancelled"
                await states.end(ctx, claimed, "cancelled", error="Cancelled.")
            elif isinstance(error, GiveUpError) or (
                isinstance(error, Problem) and error.status < 500 and error.status != 429
            ):
                run.outcome = "failed"
                log.warning("job failed", job=claimed.kind, job_id=str(claimed.id), error=text)
                await states.end(ctx, claimed, "failed", error=text)
            elif claimed.attempts < claimed.max_attempts:
                run.outcome = "retried"
                log.warning(
                    "job will be retried",
                    job=claimed.kind,
                    job_id=str(claimed.id),
                    attempt=claimed.attempts,
                    error=text,
                )
                asked = error.pause if isinstance(error, RetryLaterError) else None
                after = run.declared.retry.wait(claimed.attempts) if asked is None else asked
                await states.queue_again(ctx, claimed, after=after, error=text)
            else:
                run.outcome = "dead"
                log.error("job is dead", job=claimed.kind, job_id=str(claimed.id), exc_info=error)
                await states.end(ctx, claimed, "dead", error=text)
    except SupersededError:
        _superseded(run)
    except Exception:
        log.exception("the state of a job could not be written; it is taken up again later", job_id=str(claimed.id))


def sentence(error: BaseException) -> str:
    """What the row says of an error: a problem's sentence, or the exception's name and message."""
    if isinstance(error, Problem):
        return error.detail
    if isinstance(error, TimeoutError) and not str(error):
        return "It took longer than it may."
    if isinstance(error, GiveUpError | RetryLaterError | _LostTooOftenError):
        return str(error)
    return f"{type(error).__name__}: {error}"


async def skip(services: Services, tenant_id: TenantId, claimed: Claimed, *, module: str) -> None:
    """End a job whose module is switched off."""
    async with system_ctx(services, tenant_id, role="system") as ctx:
        await states.end(ctx, claimed, "cancelled", error=f"The module {module} is switched off.")


async def leave_to_newer(services: Services, tenant_id: TenantId, claimed: Claimed) -> None:
    """Put back a job that this version does not know: during an update, a newer worker takes it."""
    after = timedelta(seconds=NEWER_VERSION_SECONDS)
    async with system_ctx(services, tenant_id, role="system") as ctx:
        await states.queue_again(ctx, claimed, after=after, error=f"No worker knows {claimed.kind} yet.", counts=False)
