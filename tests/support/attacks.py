"""What somebody tries who speaks SQL as one of the platform's own roles: each must be refused, or show nothing."""

from dataclasses import dataclass
from typing import Any

import asyncpg

RUNTIME_ROLES = ("app", "system", "platform", "looker")
"""Roles that processes sign in as."""


@dataclass(frozen=True, slots=True)
class Attack:
    """Statements of an attempt; the roles that may do it, with the reason; what `shows` counts must be 0 where it is not refused."""

    name: str
    sql: str
    roles: tuple[str, ...] = RUNTIME_ROLES
    shows: bool = False


GRANT = """
do $$ begin
    execute 'grant select on venues to public';
    if not exists (select from pg_class c, aclexplode(c.relacl) x where c.relname = 'venues' and x.grantee = 0) then
        raise insufficient_privilege;  -- who may grant nothing is only warned
    end if;
end $$
"""
ATTACKS = (
    Attack("become the owner", "set local role lastlight_owner"),
    Attack("become the system", "set local role lastlight_system", ("app", "platform", "looker")),
    Attack("become a superuser", "set local role postgres"),
    Attack("change the session's user", "set session authorization postgres"),
    Attack(
        "switch the policies off and read", "set local row_security = off; select 1 from venues", ("app", "platform")
    ),
    Attack("play the replica, so that no trigger runs", "set local session_replication_role = replica"),
    Attack("truncate", "truncate venues"),
    Attack("truncate all", "truncate tenants cascade"),
    Attack("disable triggers", "alter table audit_entries disable trigger all"),
    Attack("disable the policies", "alter table venues disable row level security"),
    Attack("drop a policy", "drop policy tenant_rows on venues"),
    Attack("own a table", "alter table venues owner to lastlight_app"),
    Attack("make a table", "create table public.mine (n integer)"),
    Attack("make a schema", "create schema mine"),
    Attack("make a temporary table", "create temporary table venues (tenant_id uuid)"),
    Attack("make a view", "create view public.mine as select * from venues"),
    Attack("make a temporary view", "create temporary view mine as select * from venues"),
    Attack("make a function", "create function public.mine() returns integer language sql as 'select 1'"),
    Attack(
        "make a function in a temporary schema",
        "create function pg_temp.mine() returns integer language sql as 'select 1'",
    ),
    Attack("make a materialised view", "create materialized view public.mine as select * from venues"),
    Attack("make a partition", "create table public.mine partition of venues default"),
    Attack("make an event trigger", "create event trigger mine on ddl_command_start execute function ll.append_only()"),
    Attack("make an extension", "create extension dblink"),
    Attack("make a language", "create extension plperlu"),
    Attack("make a foreign server", "create foreign data wrapper mine"),
    Attack("publish all tables", "create publication mine for all tables"),
    Attack("subscribe", "create subscription mine connection 'host=127.0.0.1' publication mine with (connect = false)"),
    Attack("follow the log", "select pg_create_logical_replication_slot('mine', 'pgoutput')"),
    Attack("copy from a program", "copy users from program 'id'"),
    Attack("copy to a program", "copy (select 1) to program 'cat'"),
    Attack("copy to a file", "copy (select 1) to '/tmp/lastlight-attack'"),
    Attack("copy from a file", "copy idempotency_keys (key) from '/etc/hostname'"),
    Attack("read a file", "select pg_read_file('/etc/hostname')"),
    Attack("list a folder", "select pg_ls_dir('/')"),
    Attack("import a large object", "select lo_import('/etc/hostname')"),
    Attack("export a large object", "select lo_export(1, '/tmp/lastlight-attack')"),
    Attack("read passwords", "select rolpassword from pg_authid"),
    Attack("read user mappings", "select umoptions from pg_user_mapping"),
    Attack("read statistics of columns", "select count(*) from pg_statistic"),
    Attack(
        "end another's backend", "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'"
    ),
    Attack("reload the server", "select pg_reload_conf()"),
    Attack("set a server option", "alter system set fsync = off"),
    Attack("make a role", "create role mine superuser"),
    Attack("give oneself a role", "grant lastlight_owner to lastlight_app"),
    Attack("grant to everybody", GRANT),
    Attack("grant by default", "alter default privileges for role lastlight_owner grant select on tables to public"),
    Attack("edit the audit log", "update audit_entries set payload = 'x'", ("app", "platform", "looker")),
    Attack("delete from the audit log", "delete from audit_entries"),
    Attack("run code", "do $$ begin execute 'set role postgres'; end $$"),
    Attack("comment on a table", "comment on table venues is 'mine'"),
    Attack("label a table for security", "security label on table venues is 'mine'"),
    Attack("lock a table against all", "lock table venues in access exclusive mode", ("looker",)),
    Attack("read rows without a tenant", "select count(*) from venues", ("app",), shows=True),
    Attack(
        "read statistics of another's rows",
        "select count(*) from pg_stats where tablename = 'patrons' and most_common_vals is not null",
        ("app",),
        shows=True,
    ),
    Attack("read large objects", "select count(*) from pg_largeobject_metadata", shows=True),
    Attack(
        "read another's statements",
        "select count(*) from pg_stat_activity where usename <> current_user and query not in ('', '<insufficient privilege>')",
        shows=True,
    ),
)


async def succeeded(connection: Any, role: str) -> list[str]:
    """The attacks that get through on a role's connection; all of it is undone.

    What everybody may do is no attack: a role's settings for its own sessions, which a rule of the catalogue watches.
    """
    found: list[str] = []
    for attack in ATTACKS:
        if role not in attack.roles:
            continue
        transaction = connection.transaction()
        await transaction.start()
        try:
            if attack.shows:
                if shown := await connection.fetchval(attack.sql):
                    found.append(f"{role}: {attack.name}: {shown} shown")
                continue
            await connection.execute(attack.sql)
            found.append(f"{role}: {attack.name}")
        except asyncpg.PostgresError:
            continue
        finally:
            await transaction.rollback()
    return found
