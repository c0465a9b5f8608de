"""The rules of the live schema (SCALE.md): each is a query that lists the offenders, and an offence that it must find."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.database.allowed import (
    DEFINER_FUNCTIONS,
    GLOBAL_TABLES,
    GUEST_APPENDS,
    GUEST_OWNS,
    GUEST_READS,
    UNPROTECTED_TABLES,
)


def _array(names: Iterable[str]) -> str:
    quoted = ", ".join(f"'{name}'" for name in names)
    return f"array[{quoted}]::text[]"


COMMON = f"""
with spaces as (
    select oid, nspname from pg_namespace where nspname not like 'pg\\_%' and nspname <> 'information_schema'
), tables as (
    select c.*, case when s.nspname = 'public' then '' else s.nspname || '.' end || c.relname as title
    from pg_class c join spaces s on s.oid = c.relnamespace
), base as (
    select * from tables where relkind in ('r', 'p', 'f')
), tenant_tables as (
    select * from base where title <> all ({_array(GLOBAL_TABLES)})
), columns as (
    select t.oid as table_oid, t.title, a.*
    from base t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
), functions as (
    select p.*, s.nspname || '.' || p.proname as title from pg_proc p join spaces s on s.oid = p.pronamespace
    where not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
), policies as (
    select t.title, t.oid as table_oid, p.polname, p.polpermissive, p.polcmd,
           array(select rolname::text from pg_roles r where r.oid = any (p.polroles)) as roles, 0 = any (p.polroles) as for_public,
           coalesce(pg_get_expr(p.polqual, p.polrelid), '') as using_text,
           coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') as check_text
    from pg_policy p join base t on t.oid = p.polrelid
), grants as (
    select t.title, r.rolname::text as role, x.privilege_type as privilege
    from base t cross join lateral aclexplode(t.relacl) x join pg_roles r on r.oid = x.grantee
    where r.rolname <> 'lastlight_owner'
    union
    select c.title, r.rolname::text, x.privilege_type
    from columns c cross join lateral aclexplode(c.attacl) x join pg_roles r on r.oid = x.grantee
), keys as (
    select i.*, x.relname as index_name,
           array(select a.attname::text from unnest(i.indkey::smallint[]) with ordinality k (n, place)
                 left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.n order by k.place) as names
    from pg_index i join pg_class x on x.oid = i.indexrelid
), links as (
    select k.*, t.title, f.title as target,
           array(select attname::text from unnest(k.conkey) with ordinality u (n, place)
                 join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.n order by u.place) as names,
           array(select attname::text from unnest(k.confkey) with ordinality u (n, place)
                 join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.n order by u.place) as target_names
    from pg_constraint k join base t on t.oid = k.conrelid join base f on f.oid = k.confrelid where k.contype = 'f'
)
"""

MINE = "tenant_id = ( SELECT ll.tenant_id() AS tenant_id)"


@dataclass(frozen=True, slots=True)
class Rule:
    """A query, on top of COMMON, that lists offenders; what it says about `offence` contains `culprit`."""

    name: str
    sql: str
    offence: str
    culprit: str = "offender"

    async def offenders(self, connection: Any) -> list[str]:
        """Who breaks it in this database."""
        return [str(row[0]) for row in await connection.fetch(COMMON + self.sql)]


TABLE = "create table offender (tenant_id uuid not null, id uuid not null default uuidv7(), n integer"
KEY = "constraint offender_pkey primary key (tenant_id, id)"
PROPER = f"{TABLE}, {KEY}); select ll.tenant_table('offender');"

TABLES = (
    Rule(
        "every table but the global ones names its tenant",
        """select title from tenant_tables t where not exists (
               select from columns c where c.table_oid = t.oid and c.attname = 'tenant_id' and c.attnotnull and c.atttypid = 'uuid'::regtype)""",
        "create table offender (tenant_id uuid, id uuid primary key)",
    ),
    Rule(
        "row-level security is on and forced everywhere",
        f"""select title from base where relkind <> 'f' and not (relrowsecurity and relforcerowsecurity)
                 and title <> all ({_array(UNPROTECTED_TABLES)})""",
        f"{PROPER} alter table offender no force row level security",
    ),
    Rule(
        "a partition is forced like its parent, since it can be named itself",
        "select title from base where relispartition and not (relrowsecurity and relforcerowsecurity)",
        f"{TABLE}, at date not null, constraint offender_pkey primary key (tenant_id, id, at)) partition by range (at);"
        "select ll.tenant_table('offender'); create table offender_2026 partition of offender for values from ('2026-01-01') to ('2027-01-01')",
        "offender_2026",
    ),
    Rule(
        "everything belongs to the owner's role",
        """select title from base where relowner <> 'lastlight_owner'::regrole
           union all select title from functions where proowner <> 'lastlight_owner'::regrole""",
        f"{TABLE}, {KEY}); alter table offender owner to postgres",
    ),
    Rule(
        "no foreign tables, materialised views or rules",
        """select title from tables where relkind in ('f', 'm')
           union all select rulename from pg_rules where schemaname not like 'pg\\_%' and schemaname <> 'information_schema'""",
        "create materialized view offender as select 1 as n",
    ),
    Rule(
        "a view runs with the rights of whoever asks",
        """select title from tables where relkind = 'v' and not coalesce(reloptions, '{}') && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1']""",
        "create view offender as select * from venues",
    ),
    Rule(
        "what is edited under a version has its trigger",
        """select title from tenant_tables t
           where exists (select from columns c where c.table_oid = t.oid and c.attname = 'version' and c.attnotnull)
             and exists (select from columns c where c.table_oid = t.oid and c.attname = 'updated_at')
             and not exists (select from pg_trigger g where g.tgrelid = t.oid and g.tgfoid = 'll.touch'::regproc)""",
        f"{TABLE}, version bigint not null default 1, updated_at timestamptz, {KEY}); select ll.tenant_table('offender')",
    ),
)

POLICIES = (
    Rule(
        "the looker reads every table, and changes none",
        f"""select t.title from base t where title <> all ({_array(UNPROTECTED_TABLES)}) and not exists (
               select from policies p where p.table_oid = t.oid and p.polcmd = 'r' and 'lastlight_looker' = any (p.roles) and p.using_text = 'true')
           union all select title from grants where role = 'lastlight_looker' and privilege <> 'SELECT'""",
        f"{PROPER} drop policy looker_reads on offender",
    ),
    Rule(
        "no policy for everybody",
        "select title || '.' || polname from policies where for_public",
        f"{PROPER} create policy loose on offender for select using (true)",
        "offender.loose",
    ),
    Rule(
        "whoever is granted something has a policy",
        f"""select distinct g.title || ' ' || g.role from grants g join base t on t.title = g.title where g.title <> all ({_array(UNPROTECTED_TABLES)})
            and not exists (select from policies p where p.table_oid = t.oid and p.polpermissive and g.role = any (p.roles))""",
        f"{PROPER} drop policy tenant_rows on offender",
        "offender lastlight_app",
    ),
    Rule(
        "what lets the app in asks for the tenant, in reading and in writing",
        f"""select p.title || '.' || p.polname from policies p join tenant_tables t on t.oid = p.table_oid
            where p.polpermissive and 'lastlight_app' = any (p.roles)
              and ((p.polcmd <> 'a' and position('{MINE}' in p.using_text) = 0) or (p.polcmd in ('*', 'a', 'w') and position('{MINE}' in p.check_text) = 0)
                   or p.using_text || p.check_text ~ '\\mOR\\M')""",
        f"{PROPER} create policy more on offender for select to lastlight_app using (n = 1)",
        "offender.more",
    ),
    Rule(
        "the crew writes only inside the tenant that it has entered",
        f"""select p.title || '.' || p.polname from policies p join tenant_tables t on t.oid = p.table_oid
            where p.polpermissive and 'lastlight_platform' = any (p.roles)
              and ((p.polcmd in ('w', 'd', '*') and position('{MINE}' in p.using_text) = 0)
                   or (p.polcmd in ('a', 'w', '*') and position('{MINE}' in p.check_text) = 0))""",
        f"{PROPER} create policy more on offender for update to lastlight_platform using (true)",
        "offender.more",
    ),
    Rule(
        "guests are restricted in every verb that nobody allowed them",
        f"""select t.title || ' ' || v.verb from tenant_tables t
            cross join (values ('r', 'select', {_array([*GUEST_READS, *GUEST_OWNS])}), ('a', 'insert', {_array([*GUEST_APPENDS, *GUEST_OWNS])}),
                               ('w', 'update', {_array(GUEST_OWNS)}), ('d', 'delete', {_array(GUEST_OWNS)})) v (code, verb, allowed)
            where t.title <> all (v.allowed) and not exists (
                select from policies p where p.table_oid = t.oid and not p.polpermissive and p.polcmd::text in (v.code, '*')
                and 'lastlight_app' = any (p.roles) and position('ll.patron_id()' in p.using_text || p.check_text) > 0)""",
        f"{TABLE}, {KEY}); select ll.tenant_table('offender', guest => 'read')",
        "offender select",
    ),
    Rule(
        "a guest's own rows are told by a restrictive policy",
        f"""select name from unnest({_array(GUEST_OWNS)}) name where not exists (
               select from policies p where p.title = name and not p.polpermissive and p.polcmd = '*' and position('ll.patron_id()' in p.using_text) > 0)""",
        "drop policy guest_rows on visits",
        "visits",
    ),
    Rule(
        "policies read the context once a statement, not once a row",
        """select title || '.' || polname from policies
           where regexp_replace(using_text || check_text, '\\( SELECT \\(?ll\\.(tenant|user|patron)_id\\(\\)', '', 'g') ~ 'll\\.(tenant|user|patron)_id\\(\\)'""",
        f"{PROPER} create policy slow on offender for select to lastlight_system using (tenant_id = ll.tenant_id())",
        "offender.slow",
    ),
    Rule(
        "whether a guest reads is one answer, of which the planner does not expect that next to no rows pass",
        "select title || '.' || polname from policies where using_text || check_text ~ 'AS patron_id\\) IS (NOT )?NULL'",
        f"{PROPER} create policy unlikely on offender for select to lastlight_system using ((select ll.patron_id()) is null)",
        "offender.unlikely",
    ),
)

KEYS = (
    Rule(
        "the tenant comes first in every primary and unique key",
        "select t.title || '.' || k.index_name from tenant_tables t join keys k on k.indrelid = t.oid where k.indisunique and k.names[1] is distinct from 'tenant_id'",
        "create unique index offender_name_once on venues (name)",
    ),
    Rule(
        "every tenant table has a primary key",
        "select title from tenant_tables t where not exists (select from keys k where k.indrelid = t.oid and k.indisprimary)",
        "create table offender (tenant_id uuid not null); select ll.tenant_table('offender')",
    ),
    Rule(
        "a foreign key between tenant tables carries the tenant",
        f"""select conname from links where title <> all ({_array(GLOBAL_TABLES)}) and target <> all ({_array(GLOBAL_TABLES)})
            and not (names[1] = 'tenant_id' and target_names[1] = 'tenant_id')""",
        "create unique index offender_id on venues (id); alter table venues add constraint offender_venue_known unique using index offender_id;"
        f"{TABLE}, {KEY}); alter table offender add constraint offender_venue_exists foreign key (id) references venues (id)",
        "offender_venue_exists",
    ),
    Rule(
        "no global table refers to a tenant's",
        f"select conname from links where title = any ({_array(GLOBAL_TABLES)}) and target <> all ({_array(GLOBAL_TABLES)})",
        "alter table sessions add constraint offender_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id)",
    ),
    Rule(
        "no composite key is set to null or a default",
        "select conname from links where cardinality(names) > 1 and (confdeltype in ('n', 'd') or confupdtype in ('n', 'd'))",
        f"{TABLE}, venue_id uuid, {KEY}); alter table offender add constraint offender_venue_exists foreign key (tenant_id, venue_id)"
        " references venues (tenant_id, id) on delete set null (venue_id)",
    ),
    Rule(
        "an exclusion compares the tenant first",
        """select conname from pg_constraint k join tenant_tables t on t.oid = k.conrelid where contype = 'x'
           and (select attname from pg_attribute a where a.attrelid = k.conrelid and a.attnum = k.conkey[1]) is distinct from 'tenant_id'""",
        f"{TABLE}, during tstzrange, {KEY}, constraint offender_apart exclude using gist (during with &&)); select ll.tenant_table('offender')",
    ),
    Rule(
        "a constraint has a name of its own, which an error class can carry",
        """select conname from pg_constraint k join base t on t.oid = k.conrelid
           where contype in ('c', 'f', 'u', 'x') and conname ~ '_(check|fkey|key|excl)[0-9]*$' and t.title not like 'queue.%'""",
        f"{TABLE} check (n > 0), {KEY})",
    ),
)

POWERS = (
    Rule(
        "nobody may truncate, refer, trigger or maintain; PUBLIC may nothing",
        """select title || ' ' || role || ' ' || privilege from grants where privilege in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
           union all select title from base t cross join lateral aclexplode(t.relacl) x where x.grantee = 0""",
        f"{PROPER} grant truncate on offender to lastlight_system",
        "offender lastlight_system TRUNCATE",
    ),
    Rule(
        "no table is open to everybody",
        "select title from tables t cross join lateral aclexplode(t.relacl) x where x.grantee = 0",
        f"{PROPER} grant select on offender to public",
    ),
    Rule(
        "no function of ours runs for everybody",
        """select title from functions p where proacl is null or exists (select from aclexplode(p.proacl) x where x.grantee = 0)""",
        "create function ll.offender() returns integer language sql as 'select 1'",
    ),
    Rule(
        "a function with its owner's rights is listed",
        f"select title from functions where prosecdef and title <> all ({_array(DEFINER_FUNCTIONS)})",
        "create function ll.offender() returns integer language sql security definer set search_path = pg_catalog as 'select 1'",
    ),
    Rule(
        "a function with its owner's rights pins its search path",
        "select title from functions where prosecdef and not exists (select from unnest(proconfig) c where c like 'search_path=%')",
        "create function ll.offender() returns integer language sql security definer as 'select 1'",
    ),
    Rule(
        "no function is random, notifies or switches what it is",
        "select title from functions where prosrc ~* '\\m(random|gen_random_uuid|pg_notify|notify|set\\s+role|set_config)\\M'",
        "create function ll.offender() returns float language sql as 'select random()'",
    ),
    Rule(
        "triggers run for rows",
        "select tgname from pg_trigger g join base t on t.oid = g.tgrelid where not g.tgisinternal and (g.tgtype & 1) = 0",
        "create trigger offender after update on venues for each statement execute function ll.append_only()",
    ),
    Rule(
        "no role of ours is more than a login",
        """select rolname from pg_roles where rolname like 'lastlight\\_%'
           and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolinherit)""",
        "create role lastlight_offender bypassrls",
    ),
    Rule(
        "the owner cannot sign in, and only the migrator may become it",
        """select rolname from pg_roles where rolname = 'lastlight_owner' and rolcanlogin
           union all select m.member::regrole::text || ' in ' || m.roleid::regrole::text from pg_auth_members m
           where m.member::regrole::text like 'lastlight\\_%' and (m.member, m.roleid) <> ('lastlight_migrator'::regrole, 'lastlight_owner'::regrole)""",
        "grant lastlight_owner to lastlight_app",
        "lastlight_app in lastlight_owner",
    ),
    Rule(
        "nothing new is granted by default",
        "select defaclrole::regrole::text || ' grants by default' from pg_default_acl",
        "alter default privileges for role lastlight_owner grant select on tables to lastlight_app",
        "lastlight_owner",
    ),
    Rule(
        "only the owner's role creates in our schemas",
        """select s.nspname || ' ' || case x.grantee when 0 then 'public' else x.grantee::regrole::text end
           from pg_namespace n join spaces s on s.oid = n.oid cross join lateral aclexplode(n.nspacl) x
           where x.privilege_type = 'CREATE' and x.grantee not in ('lastlight_owner'::regrole, n.nspowner)""",
        "grant create on schema public to lastlight_app",
        "lastlight_app",
    ),
)

RULES = (*TABLES, *POLICIES, *KEYS, *POWERS)
