"""`lastlight migrate`: check that the server can carry the platform, then bring the database up to date."""

import argparse

import asyncpg

from lastlight.runtime.db.migrate import MigrationError, migrate
from lastlight.runtime.db.snapshot import describe_schema
from lastlight.runtime.settings import Settings
from lastlight.runtime.supervision.managed_database import check_managed_database


async def run_migrations(settings: Settings, arguments: argparse.Namespace | None = None) -> str:
    """Apply what is missing; returns how many were applied, or with `--snapshot` the schema as it is now.

    The log has told each of them as its turn came.
    """
    if not settings.embedded:
        await check_managed_database(settings.database_url)
    applied = await _migrate(settings)
    if arguments is not None and arguments.snapshot:
        return await schema_text(settings)
    if not applied:
        return "The database is up to date."
    return f"Applied {len(applied)} migration{'s' if len(applied) > 1 else ''}."


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
