"""C10: migrations and rolling restarts while guests come: no 5xx, nobody waits for long, nobody is hung up on."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from lastlight.runtime.db import migrate as runner
from lastlight.runtime.db.migrate import migrate
from lastlight.runtime.settings import Settings
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.own_processes import Own, own_process
from tests.support.rollout import (
    LONGEST_SECONDS,
    RECONNECT_SECONDS,
    UNHURRIED,
    Seen,
    all_sit,
    coming,
    hang_up_at_once,
    listeners,
    next_folder,
)
from tests.support.turnstile import Turnstile, turnstile

pytestmark = [pytest.mark.processes, pytest.mark.database]

HELD_SECONDS = 2.5
HELD_LONG = 10.0
"""What insists on its lock waits for most of this, and everybody else behind it."""
EXPAND = {
    "a_column": "alter table checkins add column weather text not null default '';"
    " alter table checkins add constraint checkins_weather_short check (length(weather) < 50) not valid",
    "a_check": "alter table checkins validate constraint checkins_weather_short",
    "a_table": """create table omens (tenant_id uuid not null, id uuid not null default uuidv7(), venue_id uuid not null,
        text text not null default '', constraint omens_pkey primary key (tenant_id, id),
        constraint omens_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id));
        comment on table omens is 'what may come';
        create index omens_by_venue on omens (tenant_id, venue_id);
        select ll.tenant_table('omens')""",
    "an_index": "create index checkins_by_weather on checkins (tenant_id, weather)",
    "an_index_apart": "-- outside a transaction\n"
    "create index concurrently if not exists visits_by_weather on visits (tenant_id, opened_at, status)",
    "a_column_of_another_type": "alter table venues alter column time_zone type varchar(80)",
    "a_trigger": "create function ll.nothing() returns trigger language plpgsql as $$ begin return new; end $$;"
    " create trigger visits_nothing before insert on visits for each row execute function ll.nothing()",
}
"""What a release may do to the schema while the one before it serves."""


@pytest.fixture
async def stile(fresh_database: Settings) -> AsyncGenerator[Turnstile]:
    async with turnstile(fresh_database) as made:
        yield made


@pytest.fixture(scope="module")
async def old_release(
    database_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[tuple[Turnstile, Own]]:
    """A web process that serves while the schema changes under it, and its guests."""
    folder = tmp_path_factory.mktemp("web")
    async with (
        turnstile(database_settings) as stile,
        own_process("web", dsn=database_settings.admin_dsn(), var_dir=folder) as web,
    ):
        yield stile, web


@contextlib.asynccontextmanager
async def long_transactions(dsn: str, held: float) -> AsyncGenerator[None]:
    """Somebody reads check-ins for long, again and again, as an export does: every change of that table has to wait."""
    stop = asyncio.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            while not stop.is_set():
                async with connection.transaction(readonly=True):
                    await connection.fetchval("select count(*) from checkins, visits, venues where false")
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), held)
                await asyncio.sleep(0.5)
        finally:
            await connection.close()

    holding = asyncio.create_task(hold())
    try:
        await asyncio.sleep(0.2)
        yield
    finally:
        stop.set()
        await holding


async def migrate_under_load(
    old_release: tuple[Turnstile, Own], folder: Path, *, longest: float, held: float = HELD_SECONDS, **more: str
) -> tuple[Seen, list[str]]:
    """Bring the schema to what a later release needs while guests come; what they saw, and what was done."""
    stile, web = old_release
    settings = stile.services.settings
    later = next_folder(folder / "later", **EXPAND, **more)
    async with coming(stile, web.port, longest=longest) as seen, long_transactions(settings.admin_dsn(), held):
        done = await migrate(settings, later)
    for what, count in (await stile.broken(settings, seen.arrived)).items():
        seen.wrong[what] += count
    seen.wrong = +seen.wrong
    return seen, done


@pytest.mark.fault("C10")
async def test_migrations_hold_nobody_up(old_release: tuple[Turnstile, Own], tmp_path: Path, run: FaultRun) -> None:
    seen, done = await migrate_under_load(old_release, tmp_path, longest=LONGEST_SECONDS if run.long else UNHURRIED)
    run.report(migrations=len(done), arrivals=len(seen.arrived), longest=seen.longest, broken=sum(seen.wrong.values()))
    assert len(done) == len(EXPAND)
    assert runner.LOCK_SECONDS < LONGEST_SECONDS / 2
    assert dict(seen.wrong) == {}, old_release[1].surprises()


@pytest.mark.control("C10")
async def test_a_migration_that_insists_on_its_lock_is_seen(
    old_release: tuple[Turnstile, Own], tmp_path: Path, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more change of a table that guests write to, on the same database."""
    monkeypatch.setattr(runner, "LOCK_SECONDS", 30.0)
    again = "alter table checkins add column omen text not null default ''"
    seen, done = await migrate_under_load(
        old_release, tmp_path, longest=LONGEST_SECONDS, held=HELD_LONG, one_more=again
    )
    run.report(migrations=len(done), longest=seen.longest, broken=sum(seen.wrong.values()))
    must_fail(dict(seen.wrong))


async def roll(stile: Turnstile, folder: Path, *, rounds: int, without: str = "") -> tuple[Seen, float]:
    """Replace each of two web processes on one listener, so many times, while guests come and sockets sit; the longest that sockets were away."""
    dsn = stile.services.settings.admin_dsn()
    away = 0.0
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        port = int(listener.getsockname()[1])
        async with AsyncExitStack() as stack:

            async def started() -> Own:
                process = own_process("web", dsn=dsn, var_dir=folder, listener=listener, without=without)
                return await stack.enter_async_context(process)

            serving = [await started(), await started()]
            comers = await stile.comers(8)
            async with listeners(port, comers) as sockets, coming(stile, port) as seen:
                for number in range(rounds):
                    serving.append(await started())
                    await serving.pop(0).end(signal.SIGTERM)
                    away = max(away, await all_sit(sockets, greeted=0))
                    assert number < rounds
                for one in sockets:
                    seen.wrong["a socket never connected again"] += not one.sits
                seen.wrong["no socket was told to go"] += all(one.greeted < 2 for one in sockets)
        for what, count in (await stile.broken(stile.services.settings, seen.arrived)).items():
            seen.wrong[what] += count
    seen.wrong["sockets were away for long"] += away > RECONNECT_SECONDS
    seen.wrong = +seen.wrong
    return seen, away


@pytest.mark.long_only
@pytest.mark.fault("C10")
async def test_a_rolling_restart_hangs_up_on_nobody(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    rounds = run.size(quick=2, long=20)
    seen, away = await roll(stile, tmp_path, rounds=rounds)
    run.report(
        restarts=rounds,
        arrivals=len(seen.arrived),
        longest=seen.longest,
        sockets_away=away,
        broken=sum(seen.wrong.values()),
    )
    assert dict(seen.wrong) == {}


@pytest.mark.long_only
@pytest.mark.control("C10")
async def test_a_process_that_hangs_up_at_once_is_seen(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    without = f"{hang_up_at_once.__module__}:{hang_up_at_once.__name__}"
    seen, _ = await roll(stile, tmp_path, rounds=run.size(quick=3, long=6), without=without)
    run.report(arrivals=len(seen.arrived), broken=sum(seen.wrong.values()))
    must_fail([what for what in seen.wrong if what.startswith("DroppedError")])
