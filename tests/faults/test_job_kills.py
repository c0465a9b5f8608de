"""C2, W6: the worker dies at every step of a job; poison does not stop the queue.

C2: a job's effect in the database happens once. What a job asks of somebody else (a provider, a mail server) may have to be
asked again, and then it is asked under the same key: a provider that knows its keys does it once, a mail has one Message-ID.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiosmtpd.controller import Controller

from lastlight.kernel.ids import TenantId
from lastlight.runtime import staged
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.mail import send_mail
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.failing_jobs import CHARGE, MODULE, POISONS, apart, effect, fail_everywhere
from tests.support.failing_worker import failing_worker, with_mail
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.services import administer, make_tenant, opened_services

pytestmark = [pytest.mark.database, pytest.mark.processes]
PATIENCE = 60.0
UNHURRIED = 240
"""Seconds within which poison has come to its end in the quick share, which shares its machine with other tests."""
MOST_TRIES = 12
"""Poison may have two tries; a few more are lost with a worker that another poison killed."""
TOO_OFTEN = "was tried more often than it may be"
MAIL: dict[str, Any] = {"subject": "The night", "paragraphs": ["You are on the list."]}


class Provider:
    """The other side: it does each key once, and remembers by which keys it was asked for what."""

    def __init__(self) -> None:
        self.asked: dict[str, list[str]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one call: name and key."""
        name, _, key = (await reader.readline()).decode().strip().partition(" ")
        self.asked.setdefault(name, []).append(key)
        with contextlib.suppress(OSError):
            writer.write(f"receipt for {key}\n".encode())
            await writer.drain()
        writer.close()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the mail server's name for it
        """Take a mail."""
        lines = envelope.content.decode().splitlines()
        found = next(line.split(" ", 1)[1] for line in lines if line.lower().startswith("message-id:"))
        self.asked.setdefault(envelope.rcpt_tos[0], []).append(found)
        return "250 OK"


class Trial:
    """A worker that fails where it is told, and somebody who queues jobs one at a time."""

    def __init__(self, services: Services, folder: Path, provider: Provider, port: int) -> None:
        self.services, self.folder, self.provider, self.port = services, folder, provider, port
        self.administrator: Any = None
        self.deaths = 0
        self.repeated = 0
        self.doubled: list[str] = []

    async def one(self, kind: str, at: str) -> bool:
        """One job of a kind that fails at a place; whether it got as far as that place. Its effects are counted."""
        name = f"{kind}-{uuid4().hex[:8]}"
        tenant = await make_tenant(self.services.settings, name)
        await asyncio.to_thread((self.folder / str(tenant)).write_text, at)
        await self._queue(tenant, kind, name)
        await self._ended(tenant)
        await self._count(tenant, kind, name)
        died = (self.folder / f"died-{tenant}").exists()
        self.deaths += died
        return died

    async def _queue(self, tenant: TenantId, kind: str, name: str) -> None:
        async with system_ctx(self.services, tenant) as ctx:
            if kind == "mail":
                await send_mail(ctx, to=f"{name}@example.org", template="mail/message.html", context=MAIL)
            elif kind in {"charge", "fresh"}:
                intent = {"name": name, "port": self.port, "fresh": kind == "fresh"}
                await staged.begin(ctx, CHARGE, key=name, intent=intent)
            else:
                await ctx.enqueue(effect if kind == "effect" else apart, name=name)

    async def _ended(self, tenant: TenantId) -> None:
        deadline = time.monotonic() + PATIENCE
        sql = "select array_agg(state) from jobs where tenant_id = $1"
        while (states := await self.administrator.fetchval(sql, tenant)) != ["done"]:
            assert time.monotonic() < deadline, f"the job does not end: {states}"
            await asyncio.sleep(0.02)

    async def _count(self, tenant: TenantId, kind: str, name: str) -> None:
        if kind == "mail":
            sql = "select count(*) from outgoing_mail where tenant_id = $1 and state = 'sent'"
            count, keys = (
                await self.administrator.fetchval(sql, tenant),
                self.provider.asked.get(f"{name}@example.org", []),
            )
        else:
            sql = "select (value #>> '{}')::integer from tenant_settings where tenant_id = $1 and key = $2"
            count, keys = await self.administrator.fetchval(sql, tenant, name), self.provider.asked.get(name, [])
        if count != 1:
            self.doubled.append(f"{name}: {count} effects")
        if kind not in {"effect", "apart"} and len({*keys}) != 1:
            self.doubled.append(f"{name}: asked under {len({*keys})} keys")
        self.repeated += max(0, len(keys) - 1)


@contextlib.asynccontextmanager
async def trying(settings: Settings, folder: Path) -> AsyncGenerator[Trial]:
    """A trial with its worker, its provider and its mail server."""
    provider = Provider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", 0)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        mail_port = int(probe.getsockname()[1])
    post = Controller(provider, hostname="127.0.0.1", port=mail_port)
    await asyncio.to_thread(post.start)
    url = f"smtp://127.0.0.1:{mail_port}"
    administrator: Any = await asyncpg.create_pool(settings.admin_dsn(), min_size=1, max_size=3)
    try:
        async with (
            opened_services(with_mail(settings, url), [MODULE]) as services,
            failing_worker(settings, folder, smtp_url=url),
        ):
            trial = Trial(services, folder, provider, int(server.sockets[0].getsockname()[1]))
            trial.administrator = administrator
            yield trial
    finally:
        await administrator.close()
        await asyncio.to_thread(post.stop)
        server.close()


@pytest.mark.fault("C2")
async def test_a_worker_that_dies_anywhere_in_a_job(run: FaultRun, database_settings: Settings, tmp_path: Path) -> None:
    failures = ("before", "after", "lost") if run.long else ("after",)
    every = run.size(quick=5, long=1)
    async with trying(database_settings, tmp_path) as trial:
        kinds = ("effect", "charge", "mail")
        statements = await asyncio.gather(*(fail_everywhere(trial.one, kind, failures, every=every) for kind in kinds))
    run.report(
        deaths=trial.deaths,
        statements="+".join(str(count) for count in statements),
        doubled=len(trial.doubled),
        asked_again=trial.repeated,
    )
    assert trial.doubled == []
    assert trial.deaths >= run.size(quick=6, long=75)


@pytest.mark.control("C2")
async def test_an_effect_apart_and_a_new_key_each_time_are_seen(
    run: FaultRun, database_settings: Settings, tmp_path: Path
) -> None:
    async with trying(database_settings, tmp_path) as trial:
        kinds = ("apart", "fresh")
        await asyncio.gather(*(_until_doubled(trial, kind) for kind in kinds))
    run.report(deaths=trial.deaths, doubled=len(trial.doubled))
    for kind in kinds:
        must_fail([sentence for sentence in trial.doubled if sentence.startswith(kind)])


async def _until_doubled(trial: Trial, kind: str) -> None:
    """Fail at one statement after the other, from the last ones on, until an effect is there twice."""
    for number in range(12, 5, -1):
        await trial.one(kind, f"{number}:before")
        if any(sentence.startswith(kind) for sentence in trial.doubled):
            return


async def poisoned(
    settings: Settings, folder: Path, *, each: int, good: int, seconds: float, for_ever: bool
) -> list[str]:
    """So much poison of each kind among good jobs: what is not as it must be when that time is over."""
    async with opened_services(settings, [MODULE]) as services, failing_worker(settings, folder, for_ever=for_ever):
        tenant = await make_tenant(settings, f"poisoned-{uuid4().hex[:8]}")
        async with system_ctx(services, tenant) as ctx:
            for poison in POISONS * each:
                await ctx.enqueue(poison)
            for _ in range(good):
                await ctx.enqueue(effect, name="good")
        deadline = time.monotonic() + seconds
        while (broken := await _poison_left(settings, tenant, good)) and time.monotonic() < deadline:
            if any(TOO_OFTEN in sentence for sentence in broken):
                break
            await asyncio.sleep(0.1)
        return broken


async def _poison_left(settings: Settings, tenant: TenantId, good: int) -> list[str]:
    jobs = await administer(settings, "select kind, state, error, attempts from jobs where tenant_id = $1", tenant)
    broken = [
        f"{row['kind']} is {row['state']}"
        for row in jobs
        if row["state"] != ("done" if row["kind"] == effect.name else "dead")
        or bool(row["error"]) == (row["state"] == "done")
    ]
    broken += [
        f"{row['kind']} {TOO_OFTEN}" for row in jobs if row["kind"] != effect.name and row["attempts"] > MOST_TRIES
    ]
    rows = await administer(settings, "select key, value from tenant_settings where tenant_id = $1", tenant)
    counted = {row["key"]: int(row["value"]) for row in rows}
    return broken + ([] if counted == {"good": good} else [f"effects: {counted}"])


@pytest.mark.fault("W6")
@pytest.mark.timeout(UNHURRIED + 60)
async def test_poison_ends_dead_and_the_queue_moves(run: FaultRun, database_settings: Settings, tmp_path: Path) -> None:
    each, good = run.size(quick=2, long=30), run.size(quick=40, long=2_000)
    began = time.monotonic()
    broken = await poisoned(
        database_settings, tmp_path, each=each, good=good, seconds=run.size(quick=UNHURRIED, long=600), for_ever=False
    )
    deaths = len((tmp_path / "deaths").read_text())
    run.report(poison=each * len(POISONS), good=good, deaths=deaths, took=time.monotonic() - began, broken=len(broken))
    assert broken == []
    assert deaths > 0


@pytest.mark.control("W6")
@pytest.mark.timeout(UNHURRIED + 60)
async def test_poison_whose_attempts_never_run_out_is_seen(
    run: FaultRun, database_settings: Settings, tmp_path: Path
) -> None:
    broken = await poisoned(database_settings, tmp_path, each=1, good=5, seconds=UNHURRIED, for_ever=True)
    run.report(broken=len(broken))
    must_fail([sentence for sentence in broken if TOO_OFTEN in sentence])
