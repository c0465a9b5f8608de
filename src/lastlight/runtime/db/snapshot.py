"""A snapshot of the schema as text, compared by a test: what a migration changed is seen in its review."""

from typing import Any

COLUMNS = """
select c.relname as table_name, a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
       pg_get_expr(d.adbin, d.adrelid) as default_value, a.attidentity as identity
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
where n.nspname in ('public', 'll') and c.relkind in ('r', 'p', 'v', 'm')
order by c.relname, a.attnum
"""
PARTS = (
    (
        "constraints",
        """select c.relname || '.' || k.conname || ' ' || pg_get_constraintdef(k.oid) as line
           from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
           where n.nspname in ('public', 'll') and k.contype <> 'n' order by 1""",
    ),
    (
        "indexes",
        """select pg_get_indexdef(i.indexrelid) as line from pg_index i join pg_class c on c.oid = i.indrelid
           join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('public', 'll') order by 1""",
    ),
    (
        "policies",
        """select format('%s.%s %s %s to %s using (%s) check (%s)', tablename, policyname, lower(permissive), lower(cmd),
                         array_to_string(roles, ', '), coalesce(qual, ''), coalesce(with_check, '')) as line
           from pg_policies where schemaname in ('public', 'll') order by 1""",
    ),
    (
        "privileges",
        """select format('%s: %s may %s', c.relname, r.rolname, string_agg(lower(x.privilege_type), ', ' order by x.privilege_type)) as line
           from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) x join pg_roles r on r.oid = x.grantee
           where n.nspname in ('public', 'll') and r.rolname <> 'lastlight_owner' group by c.relname, r.rolname order by 1""",
    ),
    (
        "triggers",
        """select pg_get_triggerdef(t.oid) as line from pg_trigger t join pg_class c on c.oid = t.tgrelid
           join pg_namespace n on n.oid = c.relnamespace
           where not t.tgisinternal and n.nspname in ('public', 'll') order by 1""",
    ),
    (
        "functions",
        """select format('%s.%s(%s) %s md5 %s', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid),
                         case when p.prosecdef then 'definer' else 'invoker' end, md5(p.prosrc)) as line
           from pg_proc p join pg_namespace n on n.oid = p.pronamespace
           where n.nspname in ('public', 'll') and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
           order by 1""",
    ),
)


async def describe_schema(connection: Any) -> str:
    """The whole schema as sorted lines: columns by table, then constraints, indexes, policies, privileges, triggers, functions."""
    lines: list[str] = ["-- Made by `lastlight migrate --snapshot`; a test compares it with the migrated database.", ""]
    table = ""
    for row in await connection.fetch(COLUMNS):
        if row["table_name"] != table:
            table = row["table_name"]
            lines.append(f"\n-- {table}")
        lines.append("--   " + " ".join(_column(row)))
    for title, sql in PARTS:
        lines.append(f"\n-- {title}")
        lines += [f"--   {row['line']}" for row in await connection.fetch(sql)]
    return "\n".join(lines) + "\n"


def _column(row: Any) -> list[str]:
    words = [row["name"], row["type"]]
    if row["required"]:
        words.append("not null")
    if row["default_value"]:
        words.append(f"default {row['default_value']}")
    if row["identity"] not in {"", b""}:
        words.append("identity")
    return words
