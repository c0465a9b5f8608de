"""The live schema keeps every rule, and every rule finds the object that breaks it."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from lastlight.runtime.settings import Settings
from tests.database.allowed import (
    GLOBAL_TABLES,
    GUEST_APPENDS,
    GUEST_FOLLOWS,
    GUEST_OWNS,
    GUEST_READS,
    UNPROTECTED_TABLES,
)
from tests.database.rules import RULES, Rule

pytestmark = pytest.mark.database


@pytest.fixture
async def scratch(database_settings: Settings) -> AsyncIterator[Any]:
    """The administrator inside a transaction that is rolled back."""
    connection = await asyncpg.connect(database_settings.admin_dsn())
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_the_schema_keeps_the_rule(scratch: Any, rule: Rule) -> None:
    assert await rule.offenders(scratch) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_the_rule_finds_an_offence(scratch: Any, rule: Rule) -> None:
    await scratch.execute(rule.offence)
    found = await rule.offenders(scratch)
    assert any(rule.culprit in offender for offender in found), found


async def test_the_helper_makes_a_table_that_keeps_every_rule(scratch: Any) -> None:
    await scratch.execute(
        """set local role lastlight_owner;
           create table proper (tenant_id uuid not null, id uuid not null, constraint proper_pkey primary key (tenant_id, id));
           select ll.tenant_table('proper')"""
    )
    await scratch.execute("reset role")
    assert {rule.name: found for rule in RULES if (found := await rule.offenders(scratch))} == {}


async def test_the_lists_of_exceptions_name_what_exists(scratch: Any) -> None:
    rows = await scratch.fetch(
        """select case when n.nspname = 'public' then '' else n.nspname || '.' end || c.relname
           from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p')"""
    )
    named = {*GLOBAL_TABLES, *UNPROTECTED_TABLES, *GUEST_READS, *GUEST_APPENDS, *GUEST_OWNS, *GUEST_FOLLOWS}
    assert named - {row[0] for row in rows} == set()


async def test_a_transaction_tells_functions_of_the_tenant_and_of_nothing_else(scratch: Any) -> None:
    rows = await scratch.fetch(
        """select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
           where n.nspname in ('ll', 'public') and p.prosrc ~ 'app\\.'"""
    )
    assert sorted(row[0] for row in rows) == ["patron_id", "tenant_id", "user_id"]
