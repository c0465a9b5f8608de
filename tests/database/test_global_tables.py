"""Tables that belong to no tenant: who sees and changes what in them; and each policy, taken away, is missed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from lastlight.runtime.settings import Settings
from tests.support.probes import loosened

pytestmark = pytest.mark.database

HOME, AWAY = uuid4(), uuid4()
MANAGER, COLLEAGUE, GUEST, STRANGER = uuid4(), uuid4(), uuid4(), uuid4()
PATRON = uuid4()
HIDDEN = ("refresh_tokens", "one_time_tokens", "job_schedules", "rate_limits", "queue.pgqueuer", "queue.pgqueuer_log")

PEOPLE = f"""
set local session_replication_role = replica;
insert into tenants (id, slug, name, status) values ('{HOME}', 'home', 'Home', 'active'), ('{AWAY}', 'away', 'Away', 'active');
insert into users (id, email, name) values ('{MANAGER}', 'manager@x.test', 'M'), ('{COLLEAGUE}', 'colleague@x.test', 'C'),
    ('{GUEST}', 'guest@x.test', 'G'), ('{STRANGER}', 'stranger@x.test', 'S');
insert into memberships (tenant_id, user_id, role_id) values ('{HOME}', '{MANAGER}', '{uuid4()}'), ('{HOME}', '{COLLEAGUE}', '{uuid4()}'),
    ('{AWAY}', '{STRANGER}', '{uuid4()}');
insert into patrons (tenant_id, id, user_id, name) values ('{HOME}', '{PATRON}', '{GUEST}', 'G'), ('{AWAY}', '{uuid4()}', '{STRANGER}', 'S');
insert into user_preferences (user_id) select id from users;
insert into sessions (user_id, tenant_id, kind, expires_at) values ('{MANAGER}', '{HOME}', 'member', 'infinity'),
    ('{COLLEAGUE}', '{HOME}', 'member', 'infinity'), ('{GUEST}', '{HOME}', 'patron', 'infinity'), ('{STRANGER}', '{AWAY}', 'member', 'infinity');
set local session_replication_role = origin;
"""


@dataclass(frozen=True, slots=True)
class Probe:
    """A statement as somebody, and how many rows it may touch; None where it is refused."""

    name: str
    who: str
    sql: str
    rows: int | None


def as_app(user: UUID | None, tenant: UUID | None = HOME, patron: UUID | None = None, role: str = "app") -> str:
    """What a transaction of the app is told."""
    return (
        f"set local role lastlight_{role}; set local app.tenant_id = '{tenant or ''}';"
        f" set local app.user_id = '{user or ''}'; set local app.patron_id = '{patron or ''}'"
    )


STAFF, VISITOR, NOBODY = as_app(MANAGER), as_app(GUEST, patron=PATRON), as_app(None, None)
CREW = as_app(MANAGER, role="platform")
QUEUED = "insert into queue.pgqueuer (entrypoint, payload) values ('run', uuid_send('{}') || uuid_send('{}'))"

PROBES = (
    Probe("staff see who works and visits here", STAFF, "select id from users", 3),
    Probe("staff rename only themselves", STAFF, "update users set name = 'X'", 1),
    Probe("staff read no password", STAFF, "select password_hash from users", None),
    Probe("a guest sees itself only", VISITOR, "select id from users", 1),
    Probe("a guest renames itself only", VISITOR, "update users set name = 'X'", 1),
    Probe("nobody sees no one", NOBODY, "select id from users", 0),
    Probe("staff have their own preferences", STAFF, "select user_id from user_preferences", 1),
    Probe("staff change their own preferences", STAFF, "update user_preferences set theme = 'light'", 1),
    Probe("the crew change their own preferences", CREW, "update user_preferences set theme = 'light'", 1),
    Probe("nobody has preferences", NOBODY, "select user_id from user_preferences", 0),
    Probe("staff see the sessions of their tenant", STAFF, "select id from sessions", 3),
    Probe("staff end the sessions of their tenant", STAFF, "update sessions set revoked_at = now()", 3),
    Probe("staff move no session", STAFF, f"update sessions set tenant_id = '{AWAY}'", None),
    Probe("a guest sees its own sessions", VISITOR, "select id from sessions", 1),
    Probe("a guest ends its own sessions", VISITOR, "update sessions set revoked_at = now()", 1),
    Probe("nobody sees sessions", NOBODY, "select id from sessions", 0),
    Probe("staff see their own tenant", STAFF, "select id from tenants", 1),
    Probe("staff edit their own tenant", STAFF, "update tenants set name = 'X'", 1),
    Probe("staff approve nobody", STAFF, "update tenants set status = 'active'", None),
    Probe("a guest sees the tenant", VISITOR, "select id from tenants", 1),
    Probe("a guest edits no tenant", VISITOR, "update tenants set name = 'X'", 0),
    Probe("nobody sees a tenant", NOBODY, "select id from tenants", 0),
    Probe("staff queue for their own tenant", STAFF, QUEUED.format(HOME, uuid4()), 1),
    Probe("staff queue for no other tenant", STAFF, QUEUED.format(AWAY, uuid4()), None),
    Probe("the crew queue where they are", CREW, QUEUED.format(AWAY, uuid4()), None),
    *(Probe(f"{table} is out of reach", STAFF, f"select 1 from {table}", None) for table in HIDDEN),
    Probe("files of migrations are out of reach", STAFF, "select 1 from schema_migrations", None),
)
POLICIES = """
select quote_ident(schemaname) || '.' || tablename as table_name, policyname::text as name, lower(permissive) as permissive, lower(cmd) as cmd,
       array_to_string(roles, ', ') as roles
from pg_policies where (qual <> 'true' or with_check <> 'true')
  and schemaname || '.' || tablename = any (array['public.users', 'public.user_preferences', 'public.sessions', 'public.tenants', 'queue.pgqueuer'])
"""


@pytest.fixture
async def scratch(database_settings: Settings) -> AsyncIterator[Any]:
    """The administrator among a few people, inside a transaction that is rolled back."""
    connection: Any = await asyncpg.connect(database_settings.admin_dsn())
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(PEOPLE)
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()


async def touched(connection: Any, probe: Probe) -> int | None:
    """How many rows a probe's statement touches, None when it is refused; undone in any case."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(probe.who)
        status: str = await connection.execute(probe.sql)
        return int(status.rsplit(" ", 1)[-1])
    except asyncpg.InsufficientPrivilegeError:
        return None
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
async def test_it_is_as_it_says(scratch: Any, probe: Probe) -> None:
    assert await touched(scratch, probe) == probe.rows


async def test_every_policy_is_missed_when_it_is_taken_away(scratch: Any) -> None:
    policies = await scratch.fetch(POLICIES)
    assert len(policies) >= 7
    unnoticed: list[str] = []
    for policy in policies:
        transaction = scratch.transaction()
        await transaction.start()
        await scratch.execute(loosened(policy))
        if [await touched(scratch, probe) for probe in PROBES] == [probe.rows for probe in PROBES]:
            unnoticed.append(f"{policy['table_name']}.{policy['name']}")
        await transaction.rollback()
    assert unnoticed == []
