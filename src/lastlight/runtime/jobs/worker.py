"""The worker: takes jobs from the queue, runs them, keeps their heartbeat; it also relays events and queues schedules."""

import asyncio
import contextlib
import dataclasses
import importlib
import signal
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from pgqueuer.adapters.persistence import qb
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job as CarrierJob
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries

from lastlight.kernel.ids import JobId, TenantId
from lastlight.runtime.db.lost import LOST
from lastlight.runtime.events.relay import run_relay
from lastlight.runtime.jobs import states
from lastlight.runtime.jobs.enqueue import CHANNEL, ENTRYPOINT
from lastlight.runtime.jobs.measure import measure_queue
from lastlight.runtime.jobs.run import JobRun, leave_to_newer, perform, skip
from lastlight.runtime.jobs.schedules import run_schedules
from lastlight.runtime.jobs.states import Claimed, SupersededError, Waiting
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings

log = structlog.get_logger(__name__)

STALE = timedelta(seconds=15)
"""A job whose worker was silent for so long is taken up by another."""
BATCH = 10
AT_ONCE = 24
POLL = timedelta(seconds=5)
GRACE_SECONDS = 8.0
STATEMENT_MS = 60_000
TRANSACTION_MS = 300_000


async def run_worker(settings: Settings) -> None:
    """Run one worker process until SIGTERM or SIGINT: jobs, schedules, mail and the relay of events."""
    main = importlib.import_module("lastlight.main")  # the assembly stands above the mechanisms
    longer = dataclasses.replace(settings, statement_timeout_ms=STATEMENT_MS, transaction_timeout_ms=TRANSACTION_MS)
    services: Services = await main.create_services(longer)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(run_relay(services, stop))
            group.create_task(run_jobs(services, stop))
    finally:
        await services.close()


async def run_jobs(services: Services, stop: asyncio.Event, *, stale: timedelta = STALE) -> None:
    """Queue schedules and run jobs until `stop`; running ones get a few seconds to end, then go back into the queue."""
    worker = Worker(services, stale)
    async with asyncio.TaskGroup() as group:
        group.create_task(run_schedules(services, stop, stale=stale))
        group.create_task(worker.keep_heartbeat(stop))
        group.create_task(worker.take_jobs(stop))
        group.create_task(measure_queue(services, stop))


@dataclass(slots=True)
class Worker:
    """One process's running jobs."""

    services: Services
    stale: timedelta
    running: dict[tuple[TenantId, UUID], tuple[JobRun, asyncio.Task[None]]] = field(
        default_factory=dict[tuple[TenantId, UUID], tuple[JobRun, "asyncio.Task[None]"]]
    )

    async def take_jobs(self, stop: asyncio.Event) -> None:
        """Take what the queue carries; after a loss of the database, begin again with a new connection."""
        while not stop.is_set():
            try:
                await self._take_until_lost(stop)
            except* LOST as lost:
                log.warning("the queue lost its connection", error=str(lost.exceptions[0]))
            except* Exception:
                log.exception("the queue stopped")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)

    async def _take_until_lost(self, stop: asyncio.Event) -> None:
        dsn = self.services.settings.dsn("system")
        async with asyncpg.create_pool(
            dsn, min_size=1, max_size=4, command_timeout=30, server_settings={"application_name": "lastlight-queue"}
        ) as pool:
            manager = queue_manager(pool)
            manager.entrypoint(ENTRYPOINT)(self._carried)
            await manager.queries.driver.add_listener(manager.channel, _listening)
            async with asyncio.TaskGroup() as group:
                taking = group.create_task(
                    manager.run(
                        dequeue_timeout=POLL,
                        batch_size=BATCH,
                        max_concurrent_tasks=AT_ONCE,
                        shutdown_on_listener_failure=True,
                        heartbeat_timeout=self.stale,
                        log_aggregation_interval=timedelta(),
                    )
                )
                group.create_task(self._shut_down(stop, manager, taking))

    async def _shut_down(self, stop: asyncio.Event, manager: QueueManager, taking: "asyncio.Task[None]") -> None:
        waiting = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({waiting, taking}, return_when=asyncio.FIRST_COMPLETED)
            manager.shutdown.set()
            if not taking.done():
                await asyncio.wait({taking}, timeout=GRACE_SECONDS)
        finally:
            waiting.cancel()
            for _, task in list(self.running.values()):
                task.cancel()

    async def _carried(self, carrier: CarrierJob) -> None:
        """What the queue calls for each carrier: look at the row, which alone says what is to be done."""
        payload = carrier.payload or b""
        if len(payload) != 32:
            log.error("a carrier without a job", carrier=carrier.id)
            return
        tenant_id, job_id = TenantId(UUID(bytes=payload[:16])), JobId(UUID(bytes=payload[16:]))
        if (tenant_id, job_id) in self.running:
            raise RetryRequested(self.stale)
        try:
            found = await states.claim(self.services, tenant_id, job_id, stale=self.stale)
        except LOST as error:
            raise RetryRequested(timedelta(seconds=2), str(error)) from error
        if isinstance(found, Waiting):
            delay = timedelta(seconds=max(found.wait, 0.05)) if found.state == "queued" else self.stale / 3
            raise RetryRequested(delay)
        if found is not None:
            await self._run(tenant_id, found)

    async def _run(self, tenant_id: TenantId, claimed: Claimed) -> None:
        declared = self.services.registry.jobs.get(claimed.kind)
        with contextlib.suppress(SupersededError):
            if declared is None:
                await leave_to_newer(self.services, tenant_id, claimed)
                return
            if not claimed.enabled:
                await skip(self.services, tenant_id, claimed, module=declared.toggle or "")
                return
        assert declared is not None
        with structlog.contextvars.bound_contextvars(
            job=claimed.kind, job_id=str(claimed.id), tenant_id=str(tenant_id), attempt=claimed.attempts
        ):
            run = JobRun(self.services, declared, tenant_id, claimed)
            task = asyncio.create_task(perform(run))
            self.running[tenant_id, claimed.id] = (run, task)
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                task.cancel()
                await asyncio.wait({task})
                raise
            finally:
                self.running.pop((tenant_id, claimed.id), None)

    async def keep_heartbeat(self, stop: asyncio.Event) -> None:
        """Say that the running jobs live, and cancel those that somebody asked to cancel or that another worker took."""
        while not stop.is_set() or self.running:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    stop.wait() if not stop.is_set() else asyncio.sleep(3600), self.stale.total_seconds() / 8
                )
            if not self.running:
                continue
            try:
                await self._beat()
            except LOST as error:
                log.warning("a heartbeat was lost", error=str(error) or type(error).__name__)

    async def _beat(self) -> None:
        mine = list(self.running.items())
        found = await states.beat(self.services, [(t, i, run.claimed.attempts) for (t, i), (run, _) in mine])
        for (_, job_id), (run, task) in mine:
            if job_id in found.cancelled and not run.finished:
                run.cancelled = True
                task.cancel()
            elif job_id in found.overtaken:
                log.warning("job superseded", job=run.claimed.kind, job_id=str(job_id), attempt=run.claimed.attempts)
                task.cancel()


def _listening(payload: str | bytes | bytearray) -> None:
    """Nothing: PgQueuer probes its listener before it listens, misses the answer and stops. So LISTEN stands first."""
    del payload


def queue_manager(pool: Any) -> QueueManager:
    """PgQueuer on our schema, with the names that its environment variables cannot change."""
    names = DBSettings(
        prefix="",
        db_schema="queue",
        channel=Channel(CHANNEL),
        statistics_table="pgqueuer_statistics",
        queue_status_type="pgqueuer_status",
        queue_table="pgqueuer",
        queue_table_log="pgqueuer_log",
        schedules_table="pgqueuer_schedules",
    )
    queries = Queries.from_asyncpg_pool(pool)
    queries.qbe = qb.QueryBuilderEnvironment(names)
    queries.qbq = qb.QueryQueueBuilder(names)
    queries.qbs = qb.QuerySchedulerBuilder(names)
    return QueueManager(queries, channel=Channel(CHANNEL))
