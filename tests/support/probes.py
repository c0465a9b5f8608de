"""Probes of the policies by raw SQL that leaves the tenant out, in a database where nothing but the policies stands in the way."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from tests.database.allowed import GLOBAL_TABLES, GUEST_APPENDS, GUEST_FOLLOWS, GUEST_OWNS, GUEST_READS, PERSONAL

COLUMNS = """
select a.attname as name, format_type(case y.typtype when 'd' then y.typbasetype else y.oid end, null) as type, a.attnotnull as required,
       a.atthasdef or a.attidentity <> '' or a.attgenerated <> '' as given
from pg_attribute a join pg_type y on y.oid = a.atttypid where a.attrelid = $1::text::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
TABLES = """
select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> all ($1::text[]) order by 1
"""
OBSTACLES = """
select format('alter table %s drop constraint if exists %I cascade', conrelid::regclass, conname) from pg_constraint
where conrelid = any ($1::text[]::regclass[]) and contype in ('c', 'u', 'f', 'x')
union all
select format('alter domain %s drop constraint %I', contypid::regtype, conname) from pg_constraint where contypid <> 0
union all
select format('drop index if exists %s', indexrelid::regclass) from pg_index
where indrelid = any ($1::text[]::regclass[]) and indisunique and not indisprimary
union all
select format('alter table %s disable trigger user', relid) from unnest($1::text[]::regclass[]) relid
union all
select format('grant select, insert, update, delete on %s to lastlight_app, lastlight_platform, lastlight_owner', relid)
from unnest($1::text[]::regclass[]) relid
union all
select 'grant usage on all sequences in schema public to lastlight_app, lastlight_platform'
"""

VALUES: Mapping[str, Callable[[], Any]] = {
    "uuid": uuid4,
    "text": lambda: secrets.token_hex(8),
    "bytea": lambda: secrets.token_bytes(8),
    "bigint": lambda: secrets.randbelow(10**12),
    "integer": lambda: secrets.randbelow(10**9),
    "smallint": lambda: secrets.randbelow(10**4),
    "boolean": lambda: False,
    "jsonb": lambda: "{}",
    "double precision": lambda: 0.5,
    "numeric": lambda: 0.5,
    "date": lambda: "2026-11-21",
    "timestamp with time zone": lambda: "2026-11-21T20:00:00Z",
    "text[]": lambda: "{}",
    "uuid[]": lambda: "{}",
}
"""What fills a column of a type; a type that is missing here fails loudly."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest of a tenant: the patron id and the user behind it."""

    patron_id: UUID = field(default_factory=uuid4)
    user_id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class Ground:
    """Two tenants with two guests each, and a row of each guest in every tenant table."""

    connection: Any
    tables: Mapping[str, Sequence[Any]]
    home: UUID = field(default_factory=uuid4)
    away: UUID = field(default_factory=uuid4)
    me: Guest = field(default_factory=Guest)
    other: Guest = field(default_factory=Guest)


async def prepare(connection: Any) -> Ground:
    """Take every other obstacle away, so that a policy that lets something through is seen; then fill the tables."""
    names = [row[0] for row in await connection.fetch(TABLES, [*GLOBAL_TABLES])]
    for row in await connection.fetch(OBSTACLES, names):
        await connection.execute(row[0])
    ground = Ground(connection, {name: await connection.fetch(COLUMNS, name) for name in names})
    for name in names:
        for tenant in (ground.home, ground.away):
            for guest in (ground.me, ground.other):
                # a table with one row a tenant keeps the first
                await connection.execute(f"{insert_sql(ground, name, tenant, guest)} on conflict do nothing")
    return ground


def insert_sql(ground: Ground, table: str, tenant: UUID, guest: Guest) -> str:
    """An insert of a row of a tenant that belongs to a guest, wherever the table can say so."""
    values: dict[str, Any] = {}
    for column in ground.tables[table]:
        if column["required"] and not column["given"]:
            values[column["name"]] = VALUES[column["type"]]()
    names = {column["name"] for column in ground.tables[table]}
    values |= {name: guest.user_id for name in ("user_id", "created_by") if name in names}
    values |= {name: guest.patron_id for name in ("patron_id",) if name in names}
    if table == "patrons":
        values["id"] = guest.patron_id if tenant == ground.home else uuid4()
    values["tenant_id"] = tenant
    columns = ", ".join(values)
    return f"insert into {table} ({columns}) values ({', '.join(map(_literal, values.values()))})"


def _literal(value: Any) -> str:
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    return f"'{value}'"


# --- what must not happen ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class As:
    """Somebody: a database role, and what its transaction is told."""

    role: str
    tenant: UUID | None
    guest: Guest | None = None
    patron: bool = False


async def breaches(ground: Ground, table: str) -> list[str]:
    """What a table's policies let through that they should not; each as a sentence."""
    return [
        *await _staff(ground, table),
        *await _nowhere(ground, table),
        *await _guest(ground, table),
        *await _crew(ground, table),
        *await _owner(ground, table),
    ]


async def _staff(ground: Ground, table: str) -> list[str]:
    staff = As("lastlight_app", ground.home, ground.me)
    mine = 1 if table in PERSONAL else await _count(ground, table, ground.home)
    found = await _stays_inside(ground, table, staff, mine)
    if await _tenants_seen(ground, table, staff) != {ground.home}:
        found.append("staff read something else than their own tenant's rows")
    return found


async def _nowhere(ground: Ground, table: str) -> list[str]:
    nobody = As("lastlight_app", None)
    found = [] if await _tenants_seen(ground, table, nobody) == set() else ["a transaction without a tenant reads rows"]
    for verb, sql in _edits(ground, table):
        if await _run(ground, nobody, sql) not in (0, None):
            found.append(f"a transaction without a tenant may {verb}")
    if await _run(ground, nobody, insert_sql(ground, table, ground.home, ground.me)) is not None:
        found.append("a transaction without a tenant inserts")
    return found


async def _guest(ground: Ground, table: str) -> list[str]:
    guest = As("lastlight_app", ground.home, ground.me, patron=True)
    found = (
        [] if await _tenants_seen(ground, table, guest) <= {ground.home} else ["a guest reads another tenant's rows"]
    )
    if await _seen(ground, guest, f"select count(*) from {table}") != await _rows_for_guest(ground, table):
        found.append("a guest reads other rows than its own")
    allowed = 1 if table in GUEST_OWNS else 0
    found += [
        f"a guest may {verb}" for verb, sql in _edits(ground, table) if (await _run(ground, guest, sql) or 0) != allowed
    ]
    if await _run(ground, guest, insert_sql(ground, table, ground.away, ground.me)) is not None:
        found.append("a guest inserts into another tenant")
    appended = await _run(ground, guest, insert_sql(ground, table, ground.home, ground.other))
    if (appended is not None) != (table in GUEST_APPENDS):
        found.append("a guest inserts a row that is not its own")
    if table not in GUEST_OWNS and table not in GUEST_APPENDS:
        own = insert_sql(ground, table, ground.home, ground.me)
        if await _run(ground, guest, own) is not None:
            found.append("a guest inserts a row of its own where it has none")
    if table in GUEST_OWNS:
        column = GUEST_OWNS[table][0]
        if await _run(ground, guest, f"update {table} set {column} = '{uuid4()}'") is not None:
            found.append("a guest gives its row to another")
    return found


async def _crew(ground: Ground, table: str) -> list[str]:
    policies = "select count(*) from pg_policies where tablename = $1 and 'lastlight_platform' = any (roles)"
    inside = As("lastlight_platform", ground.home, ground.me if table in PERSONAL else None)
    if await ground.connection.fetchval(policies, table) == 0:
        return [] if await _tenants_seen(ground, table, inside) == set() else ["the crew reads what it was not given"]
    mine = 1 if table in PERSONAL else await _count(ground, table, ground.home)
    return await _stays_inside(ground, table, inside, mine)


async def _owner(ground: Ground, table: str) -> list[str]:
    """Functions that run with the owner's rights reach the rows of their caller's tenant, where they reach any."""
    inside = As("lastlight_owner", ground.home)
    policies = "select count(*) from pg_policies where tablename = $1 and 'lastlight_owner' = any (roles)"
    if await ground.connection.fetchval(policies, table) == 0:
        return [] if await _tenants_seen(ground, table, inside) == set() else ["the owner reads what it was not given"]
    found = await _stays_inside(ground, table, inside, await _count(ground, table, ground.home))
    if await _tenants_seen(ground, table, inside) != {ground.home}:
        found.append("the owner reads something else than the tenant's rows")
    return found


async def _stays_inside(ground: Ground, table: str, who: As, mine: int) -> list[str]:
    found: list[str] = []
    if await _run(ground, who, insert_sql(ground, table, ground.away, ground.me)) is not None:
        found.append(f"{who.role} inserts into another tenant")
    if await _run(ground, who, f"update {table} set tenant_id = '{ground.away}'") is not None:
        found.append(f"{who.role} moves rows to another tenant")
    for verb, sql in _edits(ground, table):
        if await _run(ground, who, sql) != mine:
            found.append(f"{who.role} may {verb} other rows than its tenant's")
    return found


def _edits(ground: Ground, table: str) -> list[tuple[str, str]]:
    """Edits of everything that can be reached; they read no column, so that only the policy of their own verb holds them."""
    return [("update", f"update {table} set tenant_id = '{ground.home}'"), ("delete", f"delete from {table}")]


async def _rows_for_guest(ground: Ground, table: str) -> int:
    if table in GUEST_READS:
        return await _count(ground, table, ground.home)
    return 1 if table in GUEST_OWNS or table in GUEST_FOLLOWS else 0


async def _count(ground: Ground, table: str, tenant: UUID) -> int:
    return await ground.connection.fetchval(f"select count(*) from {table} where tenant_id = $1", tenant)


async def _tenants_seen(ground: Ground, table: str, who: As) -> set[UUID]:
    found = await _seen(ground, who, f"select coalesce(array_agg(distinct tenant_id), '{{}}') from {table}")
    return set(found)


async def _seen(ground: Ground, who: As, sql: str) -> Any:
    async with ground.connection.transaction():
        await _become(ground, who)
        value = await ground.connection.fetchval(sql)
        await ground.connection.execute("reset role")
        return value


async def _run(ground: Ground, who: As, sql: str) -> int | None:
    """How many rows a statement touches, None when it is refused; undone in any case."""
    transaction = ground.connection.transaction()
    await transaction.start()
    try:
        await _become(ground, who)
        status: str = await ground.connection.execute(sql)
        return int(status.rsplit(" ", 1)[-1])
    except asyncpg.InsufficientPrivilegeError:
        return None
    except asyncpg.UniqueViolationError:
        return -1  # it got past the policy
    finally:
        await transaction.rollback()


async def _become(ground: Ground, who: As) -> None:
    user = who.guest.user_id if who.guest else None
    patron = who.guest.patron_id if who.guest and who.patron else None
    await ground.connection.execute(
        f"set local role {who.role}; set local app.tenant_id = '{who.tenant or ''}';"
        f" set local app.user_id = '{user or ''}'; set local app.patron_id = '{patron or ''}'"
    )


def loosened(policy: Any) -> str:
    """The statements that put `true` in the place of a policy (table_name, name, permissive, cmd, roles)."""
    using = "" if policy["cmd"] == "insert" else "using (true)"
    check = "" if policy["cmd"] in {"select", "delete"} else "with check (true)"
    table, name = policy["table_name"], policy["name"]
    return (
        f"drop policy {name} on {table}; create policy {name} on {table} as {policy['permissive']}"
        f" for {policy['cmd']} to {policy['roles']} {using} {check}"
    )
