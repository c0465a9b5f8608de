"""The migration runner: in order, once, one process at a time, all of a file or nothing of it."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from lastlight.runtime.db import migrate as runner
from lastlight.runtime.db.migrate import MigrationError, migrate, pending, read_migrations
from lastlight.runtime.db.roles import LOOKING, MOST_LOOKERS, OWNER, ensure_roles
from lastlight.runtime.settings import DATABASE_ROLES, Settings

pytestmark = pytest.mark.database

BELLS = "create table bells (id integer, constraint bells_pkey primary key (id)); insert into bells values (1)"
GONGS = "create table gongs (id integer, constraint gongs_pkey primary key (id))"


def write(folder: Path, **files: str) -> Path:
    """A folder of migrations, given as `_0001_bells="create …"`."""
    folder.mkdir(exist_ok=True)
    for name, sql in files.items():
        (folder / f"{name.removeprefix('_')}.sql").write_text(sql)
    return folder


async def look(settings: Settings, sql: str) -> list[Any]:
    """The first column of a statement's rows, as the administrator."""
    connection = await asyncpg.connect(settings.admin_dsn())
    try:
        return [row[0] for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def test_files_are_applied_once_and_in_order(empty_database: Settings, tmp_path: Path) -> None:
    folder = write(tmp_path / "m", _0002_gongs=GONGS, _0001_bells=BELLS)
    assert await migrate(empty_database, folder) == ["0001_bells", "0002_gongs"]
    assert await migrate(empty_database, folder) == []
    assert await look(empty_database, "select id from bells") == [1]
    write(folder, _0003_more="insert into bells values (2)")
    assert await pending(empty_database, folder) == ["0003_more"]
    assert await migrate(empty_database, folder) == ["0003_more"]
    assert await pending(empty_database, folder) == []
    assert await look(empty_database, "select id from bells order by id") == [1, 2]


async def test_everything_belongs_to_the_owner_who_cannot_sign_in(empty_database: Settings, tmp_path: Path) -> None:
    await migrate(empty_database, write(tmp_path / "m", _0001_bells=BELLS))
    owners = "select distinct tableowner::text from pg_tables where schemaname = 'public'"
    assert await look(empty_database, owners) == [OWNER]
    logins = "select rolname::text from pg_roles where rolname like 'lastlight\\_%' and rolcanlogin order by 1"
    assert await look(empty_database, logins) == sorted(f"lastlight_{role}" for role in DATABASE_ROLES)


async def test_whoever_looks_in_keeps_nobody_waiting(empty_database: Settings, tmp_path: Path) -> None:
    """The looker's address is shown to people: a forgotten transaction or an endless query ends, and nothing is written."""
    await migrate(empty_database, write(tmp_path / "m", _0001_bells=BELLS))
    assert await look(empty_database, "select rolconnlimit from pg_roles where rolname = 'lastlight_looker'") == [
        MOST_LOOKERS
    ]
    looker = await asyncpg.connect(empty_database.dsn("looker"))
    try:
        shown = {name: await looker.fetchval(f"select current_setting('{name}')") for name in LOOKING}
        with pytest.raises((asyncpg.ReadOnlySQLTransactionError, asyncpg.InsufficientPrivilegeError)):
            await looker.execute("create table mine (id integer)")
    finally:
        await looker.close()
    assert shown == {**LOOKING, "statement_timeout": "1min", "idle_in_transaction_session_timeout": "1min"}


async def test_a_file_that_changed_after_it_was_applied_is_refused(empty_database: Settings, tmp_path: Path) -> None:
    folder = write(tmp_path / "m", _0001_bells=BELLS)
    await migrate(empty_database, folder)
    write(folder, _0001_bells=BELLS + " ", _0002_gongs=GONGS)
    with pytest.raises(MigrationError, match="0001_bells was changed after it was applied"):
        await migrate(empty_database, folder)
    assert await look(empty_database, "select number from schema_migrations") == [1]


async def test_a_database_of_a_newer_version_is_refused(empty_database: Settings, tmp_path: Path) -> None:
    await migrate(empty_database, write(tmp_path / "new", _0001_bells=BELLS, _0002_gongs=GONGS))
    with pytest.raises(MigrationError, match="0002_gongs, which this version does not know"):
        await migrate(empty_database, write(tmp_path / "old", _0001_bells=BELLS))


async def test_a_file_that_fails_leaves_nothing_and_keeps_those_before_it(
    empty_database: Settings, tmp_path: Path
) -> None:
    folder = write(
        tmp_path / "m",
        _0001_bells=BELLS,
        _0002_broken="create table halves (id integer); select 1 / 0",
        _0003_gongs=GONGS,
    )
    with pytest.raises(MigrationError, match=r"0002_broken failed and was rolled back: division by zero"):
        await migrate(empty_database, folder)
    tables = "select tablename::text from pg_tables where schemaname = 'public' order by 1"
    assert await look(empty_database, tables) == ["bells", "schema_migrations"]
    write(folder, _0002_broken="create table halves (id integer, constraint halves_pkey primary key (id))")
    assert await migrate(empty_database, folder) == ["0002_broken", "0003_gongs"]


async def test_runners_that_start_together_apply_each_file_once(empty_database: Settings, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "m", _0001_bells=f"{BELLS}; select pg_sleep(0.3)", _0002_more="insert into bells values (2)"
    )
    outcomes = await asyncio.gather(*(migrate(empty_database, folder) for _ in range(4)))
    assert sorted(map(len, outcomes)) == [0, 0, 0, 2]
    assert await look(empty_database, "select id from bells order by id") == [1, 2]


async def test_a_runner_that_dies_lets_the_next_one_in(empty_database: Settings, tmp_path: Path) -> None:
    folder = write(tmp_path / "m", _0001_bells=BELLS, _0002_slow="select pg_sleep(30)")
    first = asyncio.create_task(migrate(empty_database, folder))
    here = "from pg_stat_activity where datname = current_database() and query like '%pg_sleep(30)%' and pid <> pg_backend_pid()"
    while not await look(empty_database, f"select 1 {here}"):
        await asyncio.sleep(0.02)
    await look(empty_database, f"select pg_terminate_backend(pid) {here}")
    with pytest.raises(Exception, match=r"terminat|closed"):
        await first
    write(folder, _0002_slow="select 1")
    assert await migrate(empty_database, folder) == ["0002_slow"]


async def test_a_table_that_is_in_use_is_waited_for_and_nobody_queues_behind(
    empty_database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path / "m", _0001_bells=BELLS)
    await migrate(empty_database, folder)
    write(folder, _0002_wider="alter table bells add column tone text")
    reader = await asyncpg.connect(empty_database.admin_dsn())
    try:
        async with reader.transaction():
            pid = await reader.fetchval("select pg_backend_pid() from bells")
            with monkeypatch.context() as hurried:
                hurried.setattr(runner, "PATIENCE_SECONDS", 1.2)
                with pytest.raises(MigrationError, match=rf"0002_wider could not be applied .*: {pid}\.$"):
                    await migrate(empty_database, folder)
            migrating = asyncio.create_task(migrate(empty_database, folder))
            await asyncio.sleep(0.2)
            assert runner.LOCK_SECONDS < 1
            async with asyncio.timeout(60):  # of the ten minutes for which the migration waits
                assert await look(empty_database, "select id from bells") == [1]
        assert await migrating == ["0002_wider"]
    finally:
        await reader.close()


async def test_an_index_is_built_outside_a_transaction(empty_database: Settings, tmp_path: Path) -> None:
    folder = write(tmp_path / "m", _0001_bells=BELLS)
    await migrate(empty_database, folder)
    outside = "-- outside a transaction: bells ring all night\ncreate index concurrently if not exists bells_by_id on bells (id);\n"
    write(folder, _0002_index=outside)
    spoilt = "create index bells_by_id on bells (id); update pg_index set indisvalid = false where indexrelid = 'bells_by_id'::regclass"
    connection = await asyncpg.connect(empty_database.admin_dsn())
    try:
        await connection.execute(
            f"set role {OWNER}; {spoilt.split(';', maxsplit=1)[0]}; reset role; {spoilt.split(';')[1]}"
        )
    finally:
        await connection.close()
    assert await migrate(empty_database, folder) == ["0002_index"]
    valid = "select indisvalid from pg_index where indexrelid = 'bells_by_id'::regclass"
    assert await look(empty_database, valid) == [True]
    write(folder, _0003_both=outside + "select 1;\n")
    with pytest.raises(MigrationError, match="nothing else"):
        await migrate(empty_database, folder)
    assert await look(empty_database, "select max(number) from schema_migrations") == [2]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"_0001_bells": BELLS, "_0003_gongs": GONGS}, "Migration 0002 is missing"),
        ({"_0001_bells": BELLS, "_0001_gongs": GONGS}, "carry one number"),
        ({"_1_bells": BELLS}, "is not a migration's name"),
        ({"_0001_Bells": BELLS}, "is not a migration's name"),
    ],
)
def test_numbers_are_whole_unique_and_without_gaps(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    with pytest.raises(MigrationError, match=sentence):
        read_migrations(write(tmp_path / "m", **files))


async def test_a_password_that_the_server_refuses_is_said_in_a_sentence(
    empty_database: Settings, tmp_path: Path
) -> None:
    wrong = Settings.load(
        {},
        database_url=empty_database.database_url.replace("postgres:", "postgres:wrong"),
        secret_key="x" * 32,
        var_dir=tmp_path / "v",
    )
    with pytest.raises(MigrationError, match="refused the password in LASTLIGHT_DATABASE_URL"):
        await migrate(wrong, write(tmp_path / "m", _0001_bells=BELLS))


async def test_two_platforms_on_one_server_renew_their_roles_at_once(
    empty_database: Settings, database_settings: Settings
) -> None:
    async def renew(settings: Settings) -> None:
        admin = await asyncpg.connect(settings.admin_dsn())
        try:
            for _ in range(10):
                await ensure_roles(admin, settings)
        finally:
            await admin.close()

    await asyncio.gather(renew(empty_database), renew(database_settings))
