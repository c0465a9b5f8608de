"""The planner's statistics, brought up to date at once where much was written at once."""

import asyncpg

from lastlight.runtime.db.roles import OWNER
from lastlight.runtime.settings import Settings


async def refresh_statistics(settings: Settings) -> None:
    """Analyze every table of ours; the database does so by itself, but only some minutes later."""
    connection = await asyncpg.connect(settings.dsn("migrator"), timeout=10)
    try:
        await connection.execute(f"set role {OWNER}")
        tables = await connection.fetch(
            "select quote_ident(tablename) as name from pg_tables where schemaname = 'public' and tableowner = $1",
            OWNER,
        )
        await connection.execute(f"analyze {', '.join(row['name'] for row in tables)}")
    finally:
        await connection.close()
