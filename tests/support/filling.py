"""Any table filled with rows of any number, for plans: by its columns alone, without a word about what they mean.

Checks, foreign keys and triggers are dropped first, so this is for a database that a test has for itself.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

LOOSEN = """
select format('alter table %s drop constraint %I cascade', c.conrelid::regclass, c.conname) as sql
from pg_constraint c join pg_class t on t.oid = c.conrelid
where c.connamespace = 'public'::regnamespace and c.contype in ('c', 'f', 'x') and not t.relispartition
order by c.contype = 'f' desc
"""
LOOSEN_TYPES = """
select format('alter domain %s drop constraint %I', c.contypid::regtype, c.conname) as sql
from pg_constraint c join pg_type t on t.oid = c.contypid where t.typnamespace = 'll'::regnamespace
"""
LOOSEN_TRIGGERS = """
select distinct format('alter table %s disable trigger user', g.tgrelid::regclass) as sql
from pg_trigger g join pg_class t on t.oid = g.tgrelid
where not g.tgisinternal and t.relnamespace = 'public'::regnamespace and not t.relispartition
"""
COLUMNS = """
select a.attname::text as name, format_type(case y.typtype when 'd' then y.typbasetype else y.oid end, null) as type, a.attnotnull as needed,
       exists (select from pg_index i where i.indrelid = a.attrelid and i.indisunique and a.attnum = any (i.indkey)) as telling
from pg_attribute a join pg_type y on y.oid = a.atttypid
where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' and a.attidentity = ''
order by a.attnum
"""
VALUES = {
    "uuid": "md5('id' || (t.place * 1000000 + 1 + {n} % 400))::uuid",
    "text": "'{name} ' || {n} % 997",
    "bytea": "int8send({n})",
    "boolean": "{n} % 50 = 0",
    "smallint": "1 + {n} % 20",
    "integer": "1 + {n} % 5000",
    "bigint": "{n}",
    "double precision": "{n} % 90",
    "real": "{n} % 90",
    "numeric": "{n}",
    "date": "current_date - (({n} % 400)::integer)",
    "timestamp with time zone": "now() - {n} * interval '97 seconds'",
    "time without time zone": "time '18:00'",
    "interval": "interval '1 hour'",
    "jsonb": "'{{}}'",
    "smallint[]": "array[1, 5]",
    "uuid[]": "array[md5('id' || (t.place * 1000000 + 1 + {n} % 40))::uuid]",
    "text[]": "array['one', 'two']",
    "tstzrange": "tstzrange(now() - {n} * interval '97 seconds', now() - {n} * interval '97 seconds' + interval '1 hour')",
}
"""What a column of a type holds in row `n`; an id that is not the row's own is that of one of the tenant's first rows of any table."""


def filled_id(tenant: int, number: int) -> UUID:
    """The id of a row: of the tenant with this place, from 1, and with this number."""
    return UUID(hashlib.md5(f"id{tenant * 1_000_000 + number}".encode(), usedforsecurity=False).hexdigest())


async def loosen(connection: Any) -> None:
    """Drop what would refuse made-up rows."""
    for sql in (LOOSEN, LOOSEN_TYPES, LOOSEN_TRIGGERS):
        for row in await connection.fetch(sql):
            await connection.execute(row["sql"])


async def fill(
    connection: Any, table: str, *, tenants: Sequence[UUID], rows: int, choices: Mapping[str, Sequence[str]]
) -> int:
    """Rows of a table for each tenant, the first of which has as many as all others; how many there are.

    `choices` are the values of columns that have few; the first is the commonest by far.
    """
    columns = await connection.fetch(COLUMNS, table)
    names = [row["name"] for row in columns]
    values = [_value(row, choices) for row in columns]
    # composed: of the catalogue's own names
    sql = f"""insert into {table} ({", ".join(f'"{name}"' for name in names)})
              select {", ".join(values)}
              from unnest($1::uuid[]) with ordinality as t (id, place)
              cross join lateral generate_series(1, case when t.place = 1 then $2::bigint * (cardinality($1) - 1) else $2 end) as r (n)
              on conflict do nothing"""
    status: str = await connection.execute(sql, list(tenants), rows)
    return int(status.rsplit(" ", 1)[-1])


def _value(column: Any, choices: Mapping[str, Sequence[str]]) -> str:
    name, kind = column["name"], column["type"]
    if name == "tenant_id":
        return "t.id"
    number = "(t.place * 1000000 + r.n)"
    few = choices.get(name)
    if few and kind == "text":
        rare = ", ".join(f"'{value}'" for value in few[1:] or few)
        return f"case when r.n % 20 <> 0 then '{few[0]}' else (array[{rare}])[1 + r.n / 20 % {len(few[1:] or few)}] end"
    if name == "venue_id":
        return "md5('id' || (t.place * 1000000 + 1 + r.n % 40))::uuid"
    if column["telling"] and kind in {"uuid", "text"}:
        return f"md5('{name}' || {number})::{kind}"
    form = VALUES.get(kind)
    if form is None:
        raise TypeError(f"no values are known for the type {kind} of {name}")
    value = f"({form.format(name=name, n='r.n')})::{kind}"
    return value if column["needed"] else f"case when r.n % 5 = 0 then {value} end"
