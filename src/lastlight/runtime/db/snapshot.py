"""A snapshot of the schema as text, compared by a test: what a migration changed is seen in its review."""

from typing import Any

WORDS = {
    "@ours": "n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'",
    "@title": "case when n.nspname = 'public' then '' else n.nspname || '.' end || c.relname",
    "@who": "case x.grantee when 0 then 'everybody' else x.grantee::regrole::text end",
}
"""What the statements below have in common."""

COLUMNS = """
select @title as table_name, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
       pg_get_expr(d.adbin, d.adrelid) as default_value, a.attidentity::text as identity, a.attgenerated::text as generated,
       c.relkind::text as kind, c.relpersistence::text as persistence, c.relrowsecurity as protected, c.relforcerowsecurity as forced,
       col_description(c.oid, a.attnum) as remark, obj_description(c.oid, 'pg_class') as purpose
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where @ours and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by 1, a.attnum
"""
PARTS = (
    (
        "constraints",
        """select @title || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid) as line
            from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
            where @ours and k.contype <> 'n' order by 1""",
    ),
    (
        "types with rules",
        """select format('%s.%s as %s: %s %s', n.nspname, y.typname, format_type(y.typbasetype, y.typtypmod), k.conname,
                         pg_get_constraintdef(k.oid)) as line
            from pg_type y join pg_namespace n on n.oid = y.typnamespace left join pg_constraint k on k.contypid = y.oid
            where @ours and y.typtype = 'd' order by 1""",
    ),
    (
        "indexes",
        """select pg_get_indexdef(i.indexrelid) as line from pg_index i join pg_class c on c.oid = i.indrelid
            join pg_namespace n on n.oid = c.relnamespace where @ours order by 1""",
    ),
    (
        "policies",
        """select format('%s.%s %s %s to %s using (%s) check (%s)', @title, p.policyname, lower(p.permissive), lower(p.cmd),
                          array_to_string(p.roles, ', '), coalesce(p.qual, ''), coalesce(p.with_check, '')) as line
            from pg_policies p join pg_namespace n on n.nspname = p.schemaname
            join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename where @ours order by 1""",
    ),
    (
        "privileges",
        """select format('%s: %s may %s', @title, @who, string_agg(lower(x.privilege_type), ', ' order by x.privilege_type)) as line
            from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) x
            where @ours and x.grantee <> 'lastlight_owner'::regrole group by @title, x.grantee
            union all
            select format('%s: %s may %s (%s)', @title, @who, lower(x.privilege_type), string_agg(a.attname, ', ' order by a.attname))
            from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
            cross join lateral aclexplode(a.attacl) x where @ours group by @title, x.grantee, x.privilege_type
            union all
            select format('schema %s: %s may %s', n.nspname, @who, lower(x.privilege_type))
            from pg_namespace n cross join lateral aclexplode(n.nspacl) x
            where @ours and x.grantee not in ('lastlight_owner'::regrole, n.nspowner) order by 1""",
    ),
    (
        "triggers",
        """select pg_get_triggerdef(t.oid) as line from pg_trigger t join pg_class c on c.oid = t.tgrelid
            join pg_namespace n on n.oid = c.relnamespace where not t.tgisinternal and @ours order by 1""",
    ),
    (
        "functions",
        """select format('%s.%s(%s) %s md5 %s, run by %s', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid),
                          case when p.prosecdef then 'definer' else 'invoker' end, md5(p.prosrc),
                          (select coalesce(string_agg(@who, ', ' order by @who), 'nobody') from aclexplode(p.proacl) x
                           where x.grantee <> 'lastlight_owner'::regrole)) as line
            from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where @ours and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
            order by 1""",
    ),
)


async def describe_schema(connection: Any) -> str:
    """The whole schema as sorted lines: columns by table, then constraints, indexes, policies, privileges, triggers, functions."""
    lines: list[str] = ["-- Made by `make snapshot`; a test compares it with the migrated database."]
    table = ""
    for row in await connection.fetch(_spelt_out(COLUMNS)):
        if row["table_name"] != table:
            table = row["table_name"]
            purpose = f": {row['purpose']}" if row["purpose"] else ""
            lines.append(f"\n-- {table}{_traits(row)}{purpose}")
        lines.append("--   " + " ".join(_column(row)))
    for title, sql in PARTS:
        lines.append(f"\n-- {title}")
        lines += [f"--   {row['line']}" for row in await connection.fetch(_spelt_out(sql))]
    return "\n".join(lines) + "\n"


def _spelt_out(sql: str) -> str:
    for word, meaning in WORDS.items():
        sql = sql.replace(word, meaning)
    return sql


def _traits(row: Any) -> str:
    kinds = {"r": "", "p": "partitioned", "v": "view", "m": "materialised view", "f": "foreign table"}
    words = [kinds[row["kind"]], "unlogged" if row["persistence"] == "u" else ""]
    if row["kind"] in {"r", "p"} and not (row["protected"] and row["forced"]):
        words.append("without row-level security")
    said = ", ".join(word for word in words if word)
    return f" ({said})" if said else ""


def _column(row: Any) -> list[str]:
    words = [row["name"], row["type"]]
    if row["required"]:
        words.append("not null")
    if row["default_value"]:
        words.append(f"{'generated as' if row['generated'] else 'default'} {row['default_value']}")
    if row["identity"]:
        words.append("identity")
    if row["remark"]:
        words.append(f"-- {row['remark']}")
    return words
