"""Nothing of a transaction outlives it (I2); nothing in the catalogue leads around the policies, and nobody makes it so (I3)."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from lastlight.runtime.db import uow
from lastlight.runtime.db.roles import ensure_roles
from lastlight.runtime.settings import Settings
from tests.database.rules import RULES
from tests.database.surroundings import SURROUNDINGS
from tests.support import attacks
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.services import administer, make_tenant, opened_services
from tests.support.ways_out import ROLE, TABLES, WAYS, Exits, leave

pytestmark = pytest.mark.database

EVERY_RULE = (*RULES, *SURROUNDINGS)


# --- I2: the tenant of a transaction ----------------------------------------------------------------------------------


async def left(run: FaultRun, settings: Settings, *, times: int) -> list[str]:
    """Every way out on a pool of one, then so many at random, a third of them cancelled on the way."""
    tenant = await make_tenant(settings, f"t{run.seed}{run.control}".lower())
    await administer(settings, ROLE, tenant, "canary")
    tables = [row[0] for row in await administer(settings, TABLES)]
    async with opened_services(replace(settings, db_pool_size=1, transaction_timeout_ms=250)) as services:
        exits = Exits(services, tenant, tables, run.rng)
        for way in WAYS:
            await leave(exits, way, cancel=False)
        for _ in range(times):
            await leave(exits, exits.rng.choice(list(WAYS)), cancel=exits.rng.random() < 0.34)
    run.report(
        ways=len(WAYS), exits=sum(exits.counted.values()), cancelled=exits.counted["cancelled"], leaks=len(exits.found)
    )
    return exits.found


@pytest.mark.fault("I2")
async def test_nothing_of_a_transaction_outlives_it(run: FaultRun, database_settings: Settings) -> None:
    assert await left(run, database_settings, times=run.size(quick=40, long=6_000)) == []


@pytest.mark.control("I2")
async def test_a_setting_of_the_session_leaks(
    run: FaultRun, database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = uow.begin_of

    def for_good(scope: uow.WorkScope) -> str:
        return f"set app.tenant_id = '{scope.tenant_id}'; {real(scope)}"

    monkeypatch.setattr(uow, "begin_of", for_good)
    must_fail(await left(run, database_settings, times=0))


# --- I3: the catalogue ------------------------------------------------------------------------------------------------


@pytest.fixture
async def admin(database_settings: Settings) -> AsyncGenerator[Any]:
    """The superuser, in a database whose own grants are as a migration leaves them: a copy of one has none of these."""
    connection: Any = await asyncpg.connect(database_settings.admin_dsn())
    try:
        await ensure_roles(connection, database_settings)
        yield connection
    finally:
        await connection.close()


@pytest.mark.fault("I3")
async def test_the_catalogue_has_no_way_around_the_policies(
    run: FaultRun, admin: Any, database_settings: Settings
) -> None:
    found = {rule.name: offenders for rule in EVERY_RULE if (offenders := await rule.offenders(admin))}
    through: list[str] = []
    for role in attacks.RUNTIME_ROLES:
        connection: Any = await asyncpg.connect(database_settings.dsn(role))
        through += await attacks.succeeded(connection, role)
        await connection.close()
    tried = sum(len(attack.roles) for attack in attacks.ATTACKS)
    run.report(rules=len(EVERY_RULE), offenders=len(found), attacks=tried, through=len(through))
    assert (found, through) == ({}, [])


@pytest.mark.control("I3")
async def test_each_way_around_is_found_once_it_is_planted(run: FaultRun, admin: Any) -> None:
    unnoticed: list[str] = []
    for rule in EVERY_RULE:
        transaction = admin.transaction()
        await transaction.start()
        await admin.execute(rule.offence)
        if not any(rule.culprit in offender for offender in await rule.offenders(admin)):
            unnoticed.append(rule.name)
        await transaction.rollback()
    run.report(planted=len(EVERY_RULE), unnoticed=len(unnoticed))
    assert unnoticed == []
    must_fail(len(EVERY_RULE) > 30)


@pytest.mark.control("I3")
async def test_attacks_get_through_where_a_role_is_more(run: FaultRun, admin: Any) -> None:
    """With the owner's role in the hands of all, the attacks are no longer refused."""
    transaction = admin.transaction()
    await transaction.start()
    for role in attacks.RUNTIME_ROLES:
        await admin.execute(f"grant lastlight_owner to lastlight_{role} with inherit true")
    through: list[str] = []
    for role in attacks.RUNTIME_ROLES:
        await admin.execute(f"set local session authorization lastlight_{role}")
        through += await attacks.succeeded(admin, role)
        await admin.execute("reset session authorization")
    await transaction.rollback()
    run.report(through=len(through))
    must_fail(len(through) > 20)
