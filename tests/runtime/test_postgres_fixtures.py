"""The fixtures give each asker a database of its own."""

import asyncpg
import pytest

from lastlight.runtime.settings import Settings

pytestmark = pytest.mark.database


async def test_an_empty_database_answers_and_is_empty(empty_database: Settings) -> None:
    connection = await asyncpg.connect(empty_database.admin_dsn())
    try:
        version = await connection.fetchval("select current_setting('server_version_num')::int / 10000")
        tables = await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'")
    finally:
        await connection.close()
    assert (version, tables) == (18, 0)
