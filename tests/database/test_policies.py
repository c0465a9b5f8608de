"""Row-level security, probed by raw SQL; and each policy, taken away, is missed (I1, I3)."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from lastlight.runtime.settings import Settings
from tests.database.allowed import GLOBAL_TABLES, GUEST_APPENDS, GUEST_OWNS, GUEST_READS
from tests.support.probes import Ground, breaches, loosened, prepare

pytestmark = pytest.mark.database

POLICIES = """
select p.tablename::text as table_name, p.policyname::text as name, lower(p.permissive) as permissive, lower(p.cmd) as cmd,
       array_to_string(p.roles, ', ') as roles
from pg_policies p
where p.schemaname = 'public' and p.tablename <> all ($1::text[])
  and (coalesce(p.qual, 'true') <> 'true' or coalesce(p.with_check, 'true') <> 'true')
order by 1, 2
"""


@pytest.fixture
async def ground(database_settings: Settings) -> AsyncIterator[Ground]:
    """The probing ground, made inside a transaction that is rolled back."""
    connection: Any = await asyncpg.connect(database_settings.admin_dsn())
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield await prepare(connection)
    finally:
        await transaction.rollback()
        await connection.close()


async def test_no_policy_lets_anything_through(ground: Ground) -> None:
    assert len(ground.tables) >= 20
    assert {table: found for table in ground.tables if (found := await breaches(ground, table))} == {}


async def test_every_policy_is_missed_when_it_is_taken_away(ground: Ground) -> None:
    policies = await ground.connection.fetch(POLICIES, [*GLOBAL_TABLES])
    unnoticed: list[str] = []
    for policy in policies:
        transaction = ground.connection.transaction()
        await transaction.start()
        await ground.connection.execute(loosened(policy))
        if not await breaches(ground, policy["table_name"]):
            unnoticed.append(f"{policy['table_name']}.{policy['name']}")
        await transaction.rollback()
    assert unnoticed == []
    assert len(policies) > 5 * len(ground.tables)


async def test_a_table_whose_security_is_off_is_missed(ground: Ground) -> None:
    unnoticed: list[str] = []
    for table in ground.tables:
        transaction = ground.connection.transaction()
        await transaction.start()
        await ground.connection.execute(f"alter table {table} disable row level security")
        if not await breaches(ground, table):
            unnoticed.append(table)
        await transaction.rollback()
    assert unnoticed == []


async def test_every_kind_of_access_is_among_the_tables(ground: Ground) -> None:
    assert {*GUEST_READS, *GUEST_APPENDS, *GUEST_OWNS} <= {*ground.tables}
    assert {*ground.tables} - {*GUEST_READS, *GUEST_APPENDS, *GUEST_OWNS}
