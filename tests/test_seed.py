"""The demonstration's data: the same in every database, once however often it is asked for, larger on request."""

import argparse
import dataclasses
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from lastlight import cli, seed
from lastlight.domains.credits.verify import verify_credits
from lastlight.domains.ledger.verify import verify_books
from lastlight.runtime.context import Ctx
from lastlight.runtime.settings import Settings
from tests.support.postgres import PostgresServer, database, settings_for
from tests.support.processors import sandbox_beside
from tests.support.programs import unused_port
from tests.support.services import administer

pytestmark = pytest.mark.database

TINY = {"small": seed.Size(guests=12, nights=4), "large": seed.Size(guests=30, nights=6)}
"""The small one is so long that it has nights which are past whatever the hour: early in a day nobody has come on it yet."""
ROLES = {"super_admin", "ops", "moderator", "finance", "owner", "manager", "staff", "vendor_admin", "patron"}
PAST = """
select v.id, v.venue_id, v.patron_id, v.checkin_id, v.opened_at, v.closed_at, v.status
from visits v where v.business_day < (select max(business_day) - 2 from visits) order by v.id
"""
PEOPLE = "select id, email, name from users order by id"
FLOOR = """
select (select count(*) from shifts), (select count(*) from time_entries), (select count(*) from time_corrections where status = 'asked'),
       (select count(*) from shift_swaps where status = 'asked'), (select count(*) from tasks), (select count(*) from task_recurrences),
       (select count(*) from safety_alerts), (select count(*) from sos_calls), (select count(*) from incident_entries),
       (select count(*) from safety_log), (select count(*) from sanctions), (select count(*) from resources)
"""


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few guests and nights: what is tested does not depend on how many."""
    monkeypatch.setattr(seed, "SIZES", TINY)


@pytest.fixture
def one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is sown is sown at the same moment: between two seedings a venue's day may end, or somebody's shift begin."""
    moment, real = datetime.now(UTC), seed.system_ctx

    @asynccontextmanager
    async def then(*given: Any, **more: Any) -> AsyncGenerator[Ctx]:
        async with real(*given, **more) as ctx:
            ctx.now = moment
            yield ctx

    monkeypatch.setattr(seed, "system_ctx", then)


async def sown(settings: Settings, size: str = "small") -> dict[str, list[Any]]:
    """What one seeding leaves."""
    await seed.seed_demo(settings, argparse.Namespace(size=size))
    return {sql: [tuple(row) for row in await administer(settings, sql)] for sql in (PAST, PEOPLE, FLOOR)}


async def test_two_databases_get_the_same_and_a_second_run_changes_nothing(
    fresh_database: Settings, postgres_server: PostgresServer, tmp_path: Path, one_moment: None
) -> None:
    first = await sown(fresh_database)
    assert len(first[PAST]) > 10
    assert min(first[FLOOR][0]) > 0
    with database(postgres_server, name="seed-again") as dsn:
        assert await sown(settings_for(dsn, tmp_path / "other")) == first
    assert await sown(fresh_database) == first


async def test_the_large_size_has_more_guests_and_more_nights(fresh_database: Settings) -> None:
    large = await sown(fresh_database, "large")
    emails = [email for _, email, _ in large[PEOPLE]]
    assert sum(email.endswith("@kojo-arcade.example") for email in emails) == 30
    days = await administer(fresh_database, "select count(distinct business_day) from visits")
    assert days[0][0] >= 6


async def test_the_sign_ins_name_every_role_and_a_second_business(fresh_database: Settings) -> None:
    await sown(fresh_database)
    demo = json.loads(fresh_database.demo_file.read_text())
    assert {sign_in["role"] for sign_in in demo["sign_ins"]} == ROLES
    assert {(s["role"], s["tenant"]) for s in demo["sign_ins"]} >= {
        (role, "the-low-light") for role in ("owner", "manager", "patron")
    }
    assert fresh_database.demo_file.stat().st_mode & 0o077 == 0


async def test_guests_paid_by_card_where_a_sandbox_runs(fresh_database: Settings, tmp_path: Path) -> None:
    told = "select status, captured > 0, failure_code, refunding > 0 from payments where tenant_id = $1 order by created_at"
    with sandbox_beside(tmp_path) as beside:
        settings = dataclasses.replace(fresh_database, **beside.settings())
        first = await sown(settings)
        [tenant] = await administer(settings, "select id from tenants where slug = 'kojo-arcade'")
        paid = [tuple(row) for row in await administer(settings, told, tenant["id"])]
        assert await sown(settings) == first
        assert [tuple(row) for row in await administer(settings, told, tenant["id"])] == paid
    assert paid == [
        ("captured", True, "", True),
        ("captured", True, "", False),
        ("open", False, "insufficient_funds", False),
        ("captured", True, "", False),
        ("captured", True, "", False),
        ("settled", True, "", False),
        ("action", False, "", False),
        ("captured", True, "", True),
    ]
    connection = await asyncpg.connect(settings.dsn("looker"))
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            books = await verify_books(connection, tenant["id"])
            assert books.findings + await verify_credits(connection, tenant["id"]) == []
    finally:
        await connection.close()


async def test_without_a_sandbox_nobody_paid(fresh_database: Settings) -> None:
    nowhere = dataclasses.replace(fresh_database, stripe_api_base=f"http://127.0.0.1:{unused_port()}")
    await sown(nowhere)
    assert [tuple(row) for row in await administer(nowhere, "select count(*) from payments")] == [(0,)]


def test_the_command_offers_each_size() -> None:
    parser: Any = cli._parser(["seed"])  # pyright: ignore[reportPrivateUsage] - the command line itself is meant
    assert parser.parse_args(["seed"]).size == "small"
    for size in TINY:
        assert parser.parse_args(["seed", "--size", size]).size == size
