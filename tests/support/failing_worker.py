"""`python -m tests.support.failing_worker`: a worker that dies where it is told, and is started again.

The file `FOLDER/TENANT` names the failpoint of that tenant's one job (tests/support/failpoints.py); what is counted are the
statements of the job itself, from the moment that the queue hands it over. `payments.refund=3:before` is a failpoint of the jobs
of that kind alone, counted from the moment that one of them was claimed.
"""

import asyncio
import contextlib
import dataclasses
import signal
import sys
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec

from lastlight.runtime import processor
from lastlight.runtime.jobs import states, worker
from lastlight.runtime.jobs.worker import Worker, run_jobs
from lastlight.runtime.settings import Settings
from tests.support.failing_jobs import MODULE
from tests.support.failpoints import Plan, count_statements, plan_of_work
from tests.support.lives import live_again
from tests.support.postgres import REPOSITORY, SECRET_KEY
from tests.support.processors import processor_of
from tests.support.programs import started
from tests.support.services import opened_services
from tests.support.tills import MODULES as TILL

STALE = timedelta(seconds=0.6)
LOOK = timedelta(seconds=0.2)
ASKING = ("create_intent", "capture_intent", "cancel_intent", "create_refund", "update_dispute")
"""What asks the card provider to do something."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What the parent is started with."""

    database_url: str
    folder: str
    smtp_url: str = ""
    for_ever: bool = False
    """The guard off: attempts never run out."""
    money: bool = False
    """It carries out the jobs of payments, instead of those of the trials."""
    fresh_keys: bool = False
    """The guard off: the card provider is asked under a new key each time."""
    processor: dict[str, Any] = {}
    """The settings that name the card provider."""


def run(order: Order) -> None:
    """Keep one child alive until told to stop."""
    settings = Settings.load(
        {},
        database_url=order.database_url,
        secret_key=SECRET_KEY,
        var_dir=Path(order.folder),
        smtp_url=order.smtp_url,
        db_pool_size=4,
        **order.processor | {"stripe_webhook_secrets": tuple(order.processor["stripe_webhook_secrets"])},
    )
    folder = Path(order.folder)

    def live() -> None:
        _fail_where_told(folder)
        if order.for_ever:
            _never_give_up()
        if order.fresh_keys:
            _ask_anew()
        asyncio.run(_work(settings, money=order.money))

    def died() -> None:
        with (folder / "deaths").open("a") as deaths:
            deaths.write(".")

    live_again(live, died=died)


async def _work(settings: Settings, *, money: bool) -> None:
    # what a dead worker left is found by looking: soon, so that a trial takes no longer than it must
    worker.POLL = LOOK
    async with opened_services(settings, TILL if money else [MODULE]) as services:
        await run_jobs(services, asyncio.Event(), stale=STALE)


def _fail_where_told(folder: Path) -> None:
    count_statements()
    carried: Any = Worker._carried  # pyright: ignore[reportPrivateUsage] - where the queue hands a job over
    run_it: Any = Worker._run  # pyright: ignore[reportPrivateUsage] - where the job is known

    async def planned(self: Worker, carrier: Any) -> None:
        _plan(folder, str(UUID(bytes=carrier.payload[:16])), kind="")
        await carried(self, carrier)

    async def planned_for_kind(self: Worker, tenant_id: Any, claimed: Any) -> None:
        _plan(folder, str(tenant_id), kind=claimed.kind)
        await run_it(self, tenant_id, claimed)

    Worker._carried = planned  # pyright: ignore[reportPrivateUsage] - wrapped for this process only
    Worker._run = planned_for_kind  # pyright: ignore[reportPrivateUsage] - wrapped for this process only


def _plan(folder: Path, tenant: str, *, kind: str) -> None:
    """Set the plan of the work that begins, if the tenant's file names a failpoint for it."""
    with contextlib.suppress(FileNotFoundError):
        of, _, at = (folder / tenant).read_text().rpartition("=")
        if of == kind:
            plan_of_work.set(Plan(at, folder / f"died-{tenant}"))


def _ask_anew() -> None:
    def anew(call: Any) -> Any:
        async def asked(*args: Any, **more: Any) -> Any:
            return await call(*args, **more | {"key": str(uuid4())})

        return asked

    for name in ASKING:
        setattr(processor, name, anew(getattr(processor, name)))


def _never_give_up() -> None:
    claim: Any = states.claim

    async def generous(*args: Any, **options: Any) -> Any:
        found = await claim(*args, **options)
        if isinstance(found, states.Claimed):
            return msgspec.structs.replace(found, max_attempts=10**6)
        return found

    states.claim = generous


@contextlib.asynccontextmanager
async def failing_worker(settings: Settings, folder: Path, **options: Any) -> AsyncGenerator[None]:
    """The worker, started again whenever it dies; gone at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    order = Order(database_url=settings.database_url, folder=str(folder), processor=processor_of(settings), **options)
    program = (sys.executable, "-m", "tests.support.failing_worker", msgspec.json.encode(order).decode())
    quiet: dict[str, Any] = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    async with started(*program, cwd=REPOSITORY, orphaned=signal.SIGTERM, **quiet):
        yield


def with_mail(settings: Settings, url: str) -> Settings:
    """The same settings with a mail server."""
    return dataclasses.replace(settings, smtp_url=url)


if __name__ == "__main__":
    run(msgspec.json.decode(sys.argv[1], type=Order))
