"""The audit chain: every way to falsify it is found, and forgetting a person leaves it whole."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from lastlight.runtime.audit.chain import Header, digest_of, hash_of
from lastlight.runtime.audit.checkpoints import sign_due, signature_holds
from lastlight.runtime.audit.verify import TenantReport, run, verify_all
from lastlight.runtime.secrets import Secrets
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.streams import move_all, new_tenant, open_services, relaying, ring

pytestmark = pytest.mark.database

COLUMNS = "tenant_id, seq, id, at, name, entity, entity_id, venue_id, actor_kind, actor_id, origin, salt, payload, digest, hash"

ADD_BEHIND = (
    f"insert into audit_entries ({COLUMNS}) select tenant_id, 11, uuidv7(), at, name, entity, entity_id, venue_id, actor_kind, "
    "actor_id, origin, salt, payload, digest, hash from audit_entries where seq = 10"
)


@pytest_asyncio.fixture
async def services(fresh_database: Settings) -> AsyncGenerator[Services]:
    async with open_services(fresh_database) as opened:
        yield opened


@pytest_asyncio.fixture
async def chained(services: Services) -> UUID:
    """A tenant with ten entries and a signed checkpoint after the fifth."""
    tenant = await new_tenant(services)
    connection: Any = await asyncpg.connect(services.settings.dsn("system"))
    await ring(services, tenant, 1, 2, 3, 4, 5)
    await move_all(services, connection, 5)
    assert len(await sign_due(connection, services.secrets)) == 1
    await ring(services, tenant, 6, 7, 8, 9, 10)
    await move_all(services, connection, 5)
    await connection.close()
    return tenant


async def report_of(services: Services, tenant: UUID) -> TenantReport:
    return next(report for report in [r async for r in verify_all(services.settings)] if report.tenant_id == tenant)


async def forge(services: Services, *statements: str) -> None:
    """Run SQL as a superuser who has switched the triggers off."""
    admin: Any = await asyncpg.connect(services.settings.admin_dsn())
    async with admin.transaction():
        await admin.execute("set local session_replication_role = replica")
        for statement in statements:
            await admin.execute(statement)
    await admin.close()


async def test_an_untouched_chain_holds(services: Services, chained: UUID, capsys: pytest.CaptureFixture[str]) -> None:
    report = await report_of(services, chained)
    assert (report.findings, report.entries, report.checkpoints, report.seq) == ([], 10, 1, 10)
    assert await run(services.settings) == 0
    assert "every chain holds" in capsys.readouterr().out


FORGERIES = {
    "the record edited": (
        "update audit_entries set payload = replace(payload, '7', '8') where seq = 7",
        "seq 7: the record",
    ),
    "the name edited": ("update audit_entries set name = 'bell.stolen' where seq = 7", "seq 7: the entry"),
    "the actor edited": ("update audit_entries set actor_id = uuidv7() where seq = 3", "seq 3: the entry"),
    "the time edited": ("update audit_entries set at = at + interval '1 second' where seq = 3", "seq 3: the entry"),
    "the salt dropped alone": ("update audit_entries set salt = null where seq = 3", "seq 3: salt and payload"),
    "one deleted": ("delete from audit_entries where seq = 4", "seq 4: missing"),
    "the first deleted": ("delete from audit_entries where seq = 1", "seq 1: missing"),
    "the last deleted": ("delete from audit_entries where seq = 10", "seq 10 to 10: missing at the end"),
    "the checkpointed one deleted": (
        "delete from audit_entries where seq = 5",
        "seq 5: a signed checkpoint stands here",
    ),
    "one added behind the last": (ADD_BEHIND, "seq 11 to 11: added behind"),
    "a checkpoint edited": (
        "update audit_checkpoints set hash = decode(repeat('00', 32), 'hex')",
        "seq 5: the checkpoint's signature",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forgery_by_a_superuser_is_named(
    services: Services, chained: UUID, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statement, expected = FORGERIES[name]
    await forge(services, statement)
    assert await run(services.settings) == 1
    printed = capsys.readouterr().out
    assert f"tenant {chained}: {expected}" in printed
    assert "1 chains are broken" in printed


async def test_two_entries_that_swap_places_are_found(services: Services, chained: UUID) -> None:
    await forge(
        services,
        "update audit_entries set seq = 100 where seq = 6",
        "update audit_entries set seq = 6 where seq = 7",
        "update audit_entries set seq = 7 where seq = 100",
    )
    findings = (await report_of(services, chained)).findings
    assert [finding.split(":")[0] for finding in findings] == ["seq 6", "seq 7", "seq 8"]


async def test_an_end_cut_off_with_its_sequence_is_found_by_what_was_published(
    services: Services, chained: UUID
) -> None:
    await forge(
        services,
        "delete from audit_entries where seq > 8",
        "update tenant_sequences s set seq = 8, hash = (select hash from audit_entries a where a.tenant_id = s.tenant_id and a.seq = 8)",
    )
    assert (await report_of(services, chained)).findings == [
        "seq 9 to 10: events were published that the chain does not hold"
    ]


async def test_a_chain_rewritten_with_right_hashes_is_found_by_the_signed_checkpoint(
    services: Services, chained: UUID
) -> None:
    """The forger recomputes every hash from entry 3 on; only the signature cannot be made again."""
    admin: Any = await asyncpg.connect(services.settings.admin_dsn())
    async with admin.transaction():
        await admin.execute("set local session_replication_role = replica")
        rows = await admin.fetch(f"select {COLUMNS} from audit_entries where tenant_id = $1 order by seq", chained)
        head = rows[1]["hash"]
        for row in rows[2:]:
            payload = row["payload"].replace('"number":3', '"number":33')
            digest = digest_of(row["salt"], payload)
            head = hash_of(head, Header(**{name: row[name] for name in Header.__struct_fields__}), digest)
            sql = "update audit_entries set payload = $1, digest = $2, hash = $3 where tenant_id = $4 and seq = $5"
            await admin.execute(sql, payload, digest, head, chained, row["seq"])
        await admin.execute("update tenant_sequences set hash = $1 where tenant_id = $2", head, chained)
    await admin.close()
    assert (await report_of(services, chained)).findings == [
        "seq 5: differs from the signed checkpoint, so the chain was rewritten"
    ]


async def test_an_end_cut_off_with_every_trace_is_found_by_the_signed_checkpoint(
    services: Services, chained: UUID
) -> None:
    """Entries, sequence and published events are cut off alike; the checkpoint behind the cut stays."""
    await forge(
        services,
        "delete from audit_entries where seq > 3",
        "delete from events where seq > 3",
        "update tenant_sequences s set seq = 3, hash = (select hash from audit_entries a where a.tenant_id = s.tenant_id and a.seq = 3)",
    )
    assert (await report_of(services, chained)).findings == [
        "seq 5: a signed checkpoint stands here, but the entry is gone"
    ]


async def test_a_chain_that_vanished_whole_is_found(services: Services, chained: UUID) -> None:
    await forge(
        services, "delete from audit_entries", "delete from events", "update tenant_sequences set seq = 0, hash = ''"
    )
    assert (await report_of(services, chained)).findings[0].startswith("seq 5: a signed checkpoint stands here")


INSERTED = (
    "update audit_entries set seq = seq + 1000 where seq > 4",
    "update audit_entries set seq = seq - 999 where seq > 1000",
    (
        f"insert into audit_entries ({COLUMNS}) select tenant_id, 5, uuidv7(), at, 'bell.stolen', entity, entity_id, venue_id, "
        "actor_kind, actor_id, origin, salt, payload, digest, hash from audit_entries where seq = 4"
    ),
    "update tenant_sequences set seq = 11",
)


async def test_an_entry_slipped_in_between_is_found_where_it_stands(services: Services, chained: UUID) -> None:
    await forge(services, *INSERTED)
    findings = (await report_of(services, chained)).findings
    assert findings[0].startswith("seq 5: the entry, or the one before it, differs from its hash (bell.stolen of")
    assert len(findings) > 1


async def test_only_the_forged_tenant_is_named_and_its_neighbours_hold(
    services: Services, chained: UUID, capsys: pytest.CaptureFixture[str]
) -> None:
    """An entry moved from one tenant's chain to another's breaks both; everybody else's holds."""
    other, third = await new_tenant(services), await new_tenant(services)
    connection: Any = await asyncpg.connect(services.settings.dsn("system"))
    for tenant in (other, third):
        await ring(services, tenant, *range(10))
    await move_all(services, connection, 20)
    await connection.close()
    await forge(services, f"update audit_entries set name = 'bell.stolen' where tenant_id = '{other}' and seq = 2")
    assert await run(services.settings) == 1
    printed = capsys.readouterr().out
    assert f"tenant {other}: seq 2: the entry" in printed
    assert [f"tenant {tenant}: holds" in printed for tenant in (chained, other, third)] == [True, False, True]
    assert "30 entries of 3 tenants: 1 chains are broken" in printed
    swap = "update audit_entries set tenant_id = '{}' where tenant_id = '{}' and seq = 9"
    nobody = UUID(int=1)
    await forge(services, swap.format(nobody, chained), swap.format(chained, third), swap.format(third, nobody))
    reports = [report async for report in verify_all(services.settings)]
    broken = {report.tenant_id for report in reports if report.findings}
    assert broken == {chained, other, third}


async def test_many_writers_make_one_whole_chain_for_each_tenant(services: Services) -> None:
    tenants = [await new_tenant(services) for _ in range(3)]

    async def write(writer: int) -> None:
        for number in range(20):
            await ring(services, tenants[(writer + number) % 3], writer * 100 + number)

    async with relaying(services):
        await asyncio.gather(*(write(writer) for writer in range(8)))
        await until_moved(services)
    reports = {report.tenant_id: report async for report in verify_all(services.settings)}
    assert sum(reports[tenant].entries for tenant in tenants) == 160
    assert [reports[tenant].findings for tenant in tenants] == [[], [], []]
    assert [reports[tenant].seq for tenant in tenants] == [reports[tenant].entries for tenant in tenants]


async def until_moved(services: Services) -> None:
    while await services.pools.system.fetchval("select count(*) from outbox"):
        await asyncio.sleep(0.02)


async def test_a_checkpoint_signed_with_an_earlier_secret_key_still_holds(services: Services, chained: UUID) -> None:
    settings = services.settings
    rotated = Secrets("another secret key, made by a rotation of keys", [settings.secret_key])
    connection: Any = await asyncpg.connect(settings.dsn("looker"))
    row = await connection.fetchrow("select * from audit_checkpoints where tenant_id = $1", chained)
    await connection.close()
    assert signature_holds(rotated, row)
    assert not signature_holds(Secrets("another secret key, made by a rotation of keys"), row)


async def test_forgetting_a_record_keeps_the_chain(services: Services, chained: UUID) -> None:
    forget = "update audit_entries set payload = null, salt = null where tenant_id = $1 and seq = any($2)"
    assert await services.pools.system.execute(forget, chained, [2, 3]) == "UPDATE 2"
    report = await report_of(services, chained)
    assert (report.findings, report.entries, report.forgotten) == ([], 10, 2)


EDITS = (
    "update audit_entries set name = 'x'",
    "update audit_entries set payload = 'x', salt = null",
    "update audit_entries set payload = null, salt = null, hash = digest",
    "update audit_entries set salt = null",
    "delete from audit_entries",
    "truncate audit_entries",
    "update audit_checkpoints set seq = 1",
    "delete from audit_checkpoints",
    "truncate audit_checkpoints",
    "delete from tenant_sequences",
    "truncate tenant_sequences",
)


async def edit_as(admin: Any, role: str, tenant: UUID, edit: str) -> None:
    async with admin.transaction():
        await admin.execute(f"set local role lastlight_{role}; set local app.tenant_id = '{tenant}'")
        await admin.execute(edit)


@pytest.mark.parametrize("role", ["app", "system", "platform", "looker", "owner"])
async def test_every_role_is_refused_edits(services: Services, chained: UUID, role: str) -> None:
    admin: Any = await asyncpg.connect(services.settings.admin_dsn())
    before = await admin.fetch("select * from audit_entries, audit_checkpoints, tenant_sequences order by 1, 2")
    for edit in EDITS:
        with pytest.raises(asyncpg.PostgresError) as caught:
            await edit_as(admin, role, chained, edit)
        assert caught.value.sqlstate in {"42501", "LL003"}, f"{role}: {edit}: {caught.value}"
    assert await admin.fetch("select * from audit_entries, audit_checkpoints, tenant_sequences order by 1, 2") == before
    await admin.close()


async def test_another_tenant_reads_none_of_it(services: Services, chained: UUID) -> None:
    other = await new_tenant(services)
    connection: Any = await asyncpg.connect(services.settings.dsn("app"))
    counts: dict[UUID, list[int]] = {}
    for tenant in (chained, other):
        async with connection.transaction():
            await connection.execute(f"set local app.tenant_id = '{tenant}'")
            tables = ("audit_entries", "audit_checkpoints", "events")
            counts[tenant] = [await connection.fetchval(f"select count(*) from {table}") for table in tables]
    await connection.close()
    assert counts == {chained: [10, 1, 10], other: [0, 0, 0]}
