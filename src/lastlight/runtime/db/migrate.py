"""Migrations: plain SQL files, forward only, each in one transaction, by one process at a time, while others go on working.

Nobody queues behind a migration for longer than LOCK_SECONDS: one that does not get its locks in that time steps back, lets the
others pass and tries again. A file that begins with `-- outside a transaction` holds one `create index concurrently`.
"""

import asyncio
import hashlib
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from lastlight.runtime.db.roles import OWNER, ensure_roles
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError

log = structlog.get_logger(__name__)

LOCK_SECONDS = 0.4
"""How long a migration stands in the queue for a lock, and everybody who comes later behind it."""
STEP_BACK_SECONDS = 0.6
PATIENCE_SECONDS = 600.0
OUTSIDE = "-- outside a transaction"
CONCURRENTLY = re.compile(r"create (?:unique )?index concurrently if not exists (\w+) ", re.IGNORECASE)
INVALID = """
select 1 from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = $1 and not i.indisvalid
"""
HOLDERS = """
select string_agg(distinct l.pid::text, ', ')
from pg_locks l join pg_class c on c.oid = l.relation
where l.granted and l.pid <> pg_backend_pid() and c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
  and l.database = (select oid from pg_database where datname = current_database())
"""
FILE_NAME = re.compile(r"^(\d{4})_[a-z0-9_]+\.sql$")

LEDGER_TABLE = """
create table if not exists schema_migrations (
    number     integer     not null primary key,
    name       text        not null,
    checksum   text        not null,
    applied_at timestamptz not null default now()
)
"""


class MigrationError(StartError):
    """The database and the migrations do not fit together."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name, its text."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the text, as 64 hexadecimal digits."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations_folder() -> Path:
    """Where the files lie: beside the sources in a checkout, inside the package once it is installed."""
    packaged = Path(__file__).resolve().parents[2] / "migrations"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[4] / "migrations"


def read_migrations(folder: Path) -> list[Migration]:
    """The migrations of a folder in order; raises MigrationError on a bad name, a gap or a number given twice."""
    found: list[Migration] = []
    for path in sorted(folder.glob("*.sql")):
        if path.name == "schema.sql":
            continue
        match = FILE_NAME.match(path.name)
        if not match:
            raise MigrationError(f"{path.name} is not a migration's name: it looks like 0001_what_it_does.sql.")
        found.append(Migration(int(match[1]), path.stem, path.read_text()))
    numbers = [migration.number for migration in found]
    if len(set(numbers)) != len(numbers):
        raise MigrationError("Two migrations carry one number; give the later one the next free number.")
    missing = sorted(set(range(1, len(numbers) + 1)) - set(numbers))
    if missing:
        raise MigrationError(f"Migration {missing[0]:04d} is missing: the numbers have no gaps.")
    return found


def newest_migration() -> int:
    """The number of the last migration that this release brings."""
    return max((migration.number for migration in read_migrations(migrations_folder())), default=0)


async def migrate(settings: Settings, folder: Path | None = None) -> list[str]:
    """Bring the database up to date; the names of the migrations that were applied now."""
    migrations = read_migrations(folder or migrations_folder())
    admin = await _connect(settings.admin_dsn())
    try:
        await ensure_roles(admin, settings)
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(f"The account in LASTLIGHT_DATABASE_URL may not create roles: {error}.") from error
    finally:
        await admin.close()
    migrator = await _connect(settings.dsn("migrator"))
    try:
        return await _apply_all(migrator, migrations)
    finally:
        await migrator.close()


async def pending(settings: Settings, folder: Path | None = None) -> list[str]:
    """The names of the migrations that the database still lacks."""
    migrations = read_migrations(folder or migrations_folder())
    connection = await _connect(settings.dsn("migrator"))
    try:
        await connection.execute(f"set role {OWNER}")
        if not await connection.fetchval("select to_regclass('schema_migrations') is not null"):
            return [migration.name for migration in migrations]
        applied = {row[0] for row in await connection.fetch("select number from schema_migrations")}
        return [migration.name for migration in migrations if migration.number not in applied]
    finally:
        await connection.close()


async def _connect(dsn: str) -> Any:
    try:
        return await asyncpg.connect(dsn, timeout=10, server_settings={"application_name": "lastlight-migrate"})
    except asyncpg.InvalidPasswordError as error:
        raise MigrationError("The database refused the password in LASTLIGHT_DATABASE_URL.") from error
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise MigrationError(f"The database cannot be reached: {error}.") from error


async def _apply_all(connection: Any, migrations: list[Migration]) -> list[str]:
    await connection.execute("select pg_advisory_lock(hashtext('lastlight migrations'))")
    await connection.execute(f"set role {OWNER}")
    await connection.execute(LEDGER_TABLE)
    await connection.execute("grant select on schema_migrations to lastlight_looker, lastlight_system")
    applied = {
        row["number"]: row for row in await connection.fetch("select number, name, checksum from schema_migrations")
    }
    _check_history(applied, migrations)
    done: list[str] = []
    for migration in migrations:
        if migration.number not in applied:
            await _apply(connection, migration)
            done.append(migration.name)
    return done


def _check_history(applied: dict[int, Any], migrations: list[Migration]) -> None:
    known = {migration.number: migration for migration in migrations}
    for number, row in applied.items():
        if number not in known:
            raise MigrationError(
                f"The database has {row['name']}, which this version does not know: run a newer version."
            )
        if known[number].checksum != row["checksum"]:
            raise MigrationError(f"{row['name']} was changed after it was applied; write a new migration instead.")
    newest = max(applied, default=0)
    late = [migration.name for migration in migrations if migration.number not in applied and migration.number < newest]
    if late:
        raise MigrationError(f"{', '.join(late)} would come after newer ones; give it the next free number.")


async def _apply(connection: Any, migration: Migration) -> None:
    log.info("migrating", migration=migration.name)
    until = time.monotonic() + PATIENCE_SECONDS
    apply = _apply_outside if migration.sql.startswith(OUTSIDE) else _apply_inside
    while True:
        try:
            return await apply(connection, migration)
        except asyncpg.LockNotAvailableError as error:
            if time.monotonic() > until:
                raise MigrationError(
                    f"{migration.name} could not be applied in {PATIENCE_SECONDS:.0f} seconds: what it changes is in use. "
                    f"Database processes that hold tables: {await connection.fetchval(HOLDERS) or 'none any more'}."
                ) from error
            log.info("a migration steps back", migration=migration.name, reason=str(error))
            await asyncio.sleep(STEP_BACK_SECONDS)
        except asyncpg.PostgresError as error:
            raise MigrationError(f"{migration.name} failed and was rolled back: {error}.") from error


async def _apply_inside(connection: Any, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = '{LOCK_SECONDS:g}s'; set local statement_timeout = '10min'")
        await connection.execute(migration.sql)
        await _note(connection, migration)


async def _apply_outside(connection: Any, migration: Migration) -> None:
    """Build an index while everybody reads and writes; what an attempt that broke off has left is removed first."""
    statement = "\n".join(line for line in migration.sql.splitlines() if not line.startswith("--")).strip()
    found = CONCURRENTLY.match(statement)
    if found is None or ";" in statement.rstrip(";"):
        raise MigrationError(
            f"{migration.name}: outside a transaction stands one `create index concurrently if not exists`, and nothing else."
        )
    if await connection.fetchval(INVALID, found[1]):
        await connection.execute(f"drop index concurrently if exists {found[1]}")
    await connection.execute(statement)  # it waits for old transactions, and nobody waits for it
    await _note(connection, migration)


async def _note(connection: Any, migration: Migration) -> None:
    await connection.execute(
        "insert into schema_migrations (number, name, checksum) values ($1, $2, $3)",
        migration.number,
        migration.name,
        migration.checksum,
    )
