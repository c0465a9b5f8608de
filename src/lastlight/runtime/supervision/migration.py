"""`lastlight migrate`: check that the server can carry the platform, then bring the database up to date."""

import argparse

import asyncpg

from lastlight.runtime.db.migrate import MigrationError, migrate
from lastlight.runtime.db.snapshot import describe_schema
from lastlight.runtime.settings import Settings
from lastlight.runtime.supervision.managed_database import check_managed_database


async def run_migrations(settings: Settings, arguments: argparse.Namespace | None = None) -> str:
    """Apply what is missing; returns what was done as lines for the terminal, or with `--snapshot` the schema as it is now."""
    if not settings.embedded:
        await check_managed_database(settings.database_url)
    applied = await _migrate(settings)
    if arguments is not None and arguments.snapshot:
        return await schema_text(settings)
    return "\n".join(f"applied {name}" for name in applied) or "The database is up to date."


async def _migrate(settings: Settings) -> list[str]:
    try:
        return await migrate(settings)
    except MigrationError as error:
        if settings.embedded and isinstance(error.__cause__, ConnectionRefusedError):
            raise error.__cause__ from None  # the command line knows what to say of a server that is not there
        raise


async def schema_text(settings: Settings) -> str:
    """The schema of the migrated database, as migrations/schema.sql keeps it."""
    connection = await asyncpg.connect(settings.admin_dsn())
    try:
        return await describe_schema(connection)
    finally:
        await connection.close()
