"""Rules of what surrounds the tables: large objects, event triggers, publications, extensions, predefined roles, the database's own grants."""

from tests.database.rules import Rule

SURROUNDINGS = (
    Rule(
        "no large objects: no policy holds them",
        "select 'large object ' || oid from pg_largeobject_metadata",
        "select lo_create(0)",
        "large object",
    ),
    Rule(
        "no event triggers",
        "select evtname from pg_event_trigger",
        """create function public.offender() returns event_trigger language plpgsql as 'begin end';
           create event trigger offender on ddl_command_start execute function public.offender()""",
    ),
    Rule(
        "nothing is published or subscribed to",
        "select pubname from pg_publication union all select subname from pg_subscription",
        "create publication offender for table venues",
    ),
    Rule(
        "no foreign servers",
        "select fdwname from pg_foreign_data_wrapper union all select srvname from pg_foreign_server",
        "create foreign data wrapper offender",
    ),
    Rule(
        "no extensions but those that are known",
        "select extname from pg_extension where extname <> all (array['plpgsql', 'btree_gist', 'pg_trgm'])",
        "create extension pg_stat_statements",
        "pg_stat_statements",
    ),
    Rule(
        "no role of ours has a predefined one",
        """select m.member::regrole || ' has ' || m.roleid::regrole from pg_auth_members m
           where m.member::regrole::text like 'lastlight\\_%' and m.roleid::regrole::text like 'pg\\_%'""",
        "grant pg_read_server_files to lastlight_app",
        "lastlight_app has pg_read_server_files",
    ),
    Rule(
        "in the database everybody may nothing, and our roles connect only",
        """select case x.grantee when 0 then 'public' else x.grantee::regrole::text end || ' ' || x.privilege_type
           from pg_database d cross join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
           where d.datname = current_database() and x.grantee <> d.datdba
             and (x.grantee = 0 or (x.grantee::regrole::text like 'lastlight\\_%' and x.privilege_type <> 'CONNECT'
                                    and x.grantee::regrole::text not in ('lastlight_owner', 'lastlight_migrator')))""",
        "do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$",
        "public TEMPORARY",
    ),
    Rule(
        "no role of ours carries settings that change what it is",
        """select r.rolname || ' ' || c from pg_db_role_setting s join pg_roles r on r.oid = s.setrole cross join unnest(s.setconfig) c
           where r.rolname like 'lastlight\\_%' and c !~* '^(timezone|default_transaction_read_only|(statement|lock|idle_in_transaction_session)_timeout)='""",
        "alter role lastlight_app set row_security = off",
        "lastlight_app row_security",
    ),
    Rule(
        "sequences are read and set by their owner only",
        """select t.title || ' ' || x.privilege_type from tables t cross join lateral aclexplode(t.relacl) x
           where t.relkind = 'S' and x.privilege_type in ('UPDATE', 'SELECT') and x.grantee not in ('lastlight_owner'::regrole, t.relowner)
             and t.title not like 'queue.%'""",
        "create sequence offender; grant update on sequence offender to lastlight_app",
    ),
    Rule(
        "a function finds its objects by its own path, or names them",
        """select p.title from functions p where p.prosecdef and not exists (select from unnest(p.proconfig) c where c like 'search_path=%pg_temp%')""",
        "create function ll.offender() returns integer language sql security definer set search_path = public as 'select 1'",
    ),
)
