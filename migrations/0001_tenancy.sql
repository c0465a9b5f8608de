-- Tenant tables, and who may see what: the helper that every tenant table goes through, and the tables of tenancy and identity.
-- Runs as lastlight_owner (no login). Policies are forced, so not even the owner reads past them.

create schema ll;
grant usage on schema ll to lastlight_app, lastlight_system, lastlight_platform, lastlight_looker;
grant usage on schema public to lastlight_app, lastlight_system, lastlight_platform, lastlight_looker;

-- The context of a transaction. A transaction-local setting reads '' after it ends, hence nullif.
create function ll.tenant_id() returns uuid language sql stable parallel safe
as $$ select nullif(current_setting('app.tenant_id', true), '')::uuid $$;
create function ll.user_id() returns uuid language sql stable parallel safe
as $$ select nullif(current_setting('app.user_id', true), '')::uuid $$;
create function ll.patron_id() returns uuid language sql stable parallel safe
as $$ select nullif(current_setting('app.patron_id', true), '')::uuid $$;

-- Give a table its tenant: policies forced, grants, and what a guest may do with it.
--   guest:   none (default), read, append (insert only), own (rows whose guest_column is the guest's own patron id)
--   app, system, platform: the privileges of each role, '' for none.
--   The system role sees every tenant's rows of a table that grants it anything; the platform role reads every tenant
--   and writes only inside the tenant it has entered.
create function ll.tenant_table(
    tbl regclass, guest text default 'none', guest_column name default 'patron_id',
    app text default 'select, insert, update, delete', system text default '', platform text default 'select'
) returns void language plpgsql as $$
declare
    mine constant text := 'tenant_id = (select ll.tenant_id())';
    staff constant text := '(select ll.patron_id()) is null';
begin
    if guest not in ('none', 'read', 'append', 'own') then
        raise exception 'unknown guest mode %', guest;
    end if;
    execute format('alter table %s enable row level security', tbl);
    execute format('alter table %s force row level security', tbl);
    execute format('grant select on %s to lastlight_looker', tbl);
    execute format('create policy looker_reads on %s for select to lastlight_looker using (true)', tbl);
    if app <> '' then
        execute format('grant %s on %s to lastlight_app', app, tbl);
    end if;
    execute format('create policy tenant_rows on %s for all to lastlight_app using (%s) with check (%s)', tbl, mine, mine);
    if guest = 'own' then
        -- No guest: the comparison is null, and staff see all. Not an or: the planner expects next to no rows from an or of two
        -- sub-selects, and then sorts whole tables where an index gives the order.
        execute format('create policy guest_rows on %s as restrictive for all to lastlight_app using (coalesce(%I = (select ll.patron_id()), %s))',
                       tbl, guest_column, staff);
    else
        if guest <> 'read' then
            execute format('create policy guest_reads on %s as restrictive for select to lastlight_app using (%s)', tbl, staff);
        end if;
        if guest <> 'append' then
            execute format('create policy guest_inserts on %s as restrictive for insert to lastlight_app with check (%s)', tbl, staff);
        end if;
        execute format('create policy guest_updates on %s as restrictive for update to lastlight_app using (%s)', tbl, staff);
        execute format('create policy guest_deletes on %s as restrictive for delete to lastlight_app using (%s)', tbl, staff);
    end if;
    if system <> '' then
        execute format('grant %s on %s to lastlight_system', system, tbl);
        execute format('create policy system_rows on %s for all to lastlight_system using (true) with check (true)', tbl);
    end if;
    if platform <> '' then
        execute format('grant %s on %s to lastlight_platform', platform, tbl);
        execute format('create policy platform_reads on %s for select to lastlight_platform using (true)', tbl);
        execute format('create policy platform_inserts on %s for insert to lastlight_platform with check (%s)', tbl, mine);
        execute format('create policy platform_updates on %s for update to lastlight_platform using (%s) with check (%s)', tbl, mine, mine);
        execute format('create policy platform_deletes on %s for delete to lastlight_platform using (%s)', tbl, mine);
    end if;
end $$;

-- A global table is on the allow-list of tests/database; it writes its own policies after this.
create function ll.global_table(tbl regclass) returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security', tbl);
    execute format('alter table %s force row level security', tbl);
    execute format('grant select on %s to lastlight_looker', tbl);
    execute format('create policy looker_reads on %s for select to lastlight_looker using (true)', tbl);
end $$;

create function ll.touch() returns trigger language plpgsql as $$
begin
    new.updated_at := now();
    new.version := old.version + 1;
    return new;
end $$;

-- Tenants ------------------------------------------------------------------------------------------------------------
create table tenants (
    id            uuid        not null default uuidv7(),
    kind          text        not null default 'business',
    slug          text        not null,
    name          text        not null,
    status        text        not null default 'pending',
    status_reason text,
    plan          text        not null default 'trial',
    contact_name  text        not null default '',
    contact_email text        not null default '',
    contact_phone text        not null default '',
    country       text        not null default 'ZA',
    currency      text        not null default 'ZAR',
    time_zone     text        not null default 'Africa/Johannesburg',
    locale        text        not null default 'en',
    note          text        not null default '',
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    approved_at   timestamptz,
    version       bigint      not null default 1,
    constraint tenants_pkey primary key (id),
    constraint tenants_slug_taken unique (slug),
    constraint tenants_kind_known check (kind in ('business', 'platform')),
    constraint tenants_status_known check (status in ('pending', 'active', 'suspended', 'rejected', 'archived')),
    constraint tenants_slug_shape check (slug ~ '^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$'),
    constraint tenants_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint tenants_name_present check (length(btrim(name)) between 1 and 120)
);
create index tenants_by_status on tenants (status, created_at desc);
create trigger tenants_touch before update on tenants for each row execute function ll.touch();
-- The platform is the tenant of its own crew: its members, roles, events and audit chain live under the nil id;
-- written before the policies are forced, which would refuse even the owner.
insert into tenants (id, kind, slug, name, status, approved_at)
values ('00000000-0000-0000-0000-000000000000', 'platform', 'platform', 'Last Light', 'active', now());
select ll.global_table('tenants');
grant select on tenants to lastlight_app;
grant update (name, contact_name, contact_email, contact_phone, country, currency, time_zone, locale) on tenants to lastlight_app;
grant select, insert, update on tenants to lastlight_system, lastlight_platform;
create policy own_tenant on tenants for all to lastlight_app using (id = (select ll.tenant_id()));
create policy guest_updates on tenants as restrictive for update to lastlight_app using ((select ll.patron_id()) is null);
create policy system_rows on tenants for all to lastlight_system using (true) with check (true);
create policy platform_rows on tenants for all to lastlight_platform using (true) with check (true);

-- Identity -----------------------------------------------------------------------------------------------------------
create table users (
    id                uuid        not null default uuidv7(),
    email             text        not null,
    name              text        not null,
    password_hash     text,
    status            text        not null default 'active',
    status_reason     text,
    status_until      timestamptz,
    email_verified_at timestamptz,
    last_seen_at      timestamptz,
    created_at        timestamptz not null default now(),
    updated_at        timestamptz not null default now(),
    version           bigint      not null default 1,
    constraint users_pkey primary key (id),
    constraint users_email_taken unique (email),
    constraint users_email_lower check (email = lower(email) and email like '%_@_%'),
    constraint users_name_present check (length(btrim(name)) between 1 and 120),
    constraint users_status_known check (status in ('active', 'suspended', 'closed'))
);
comment on column users.email is 'personal: contact';
comment on column users.name is 'personal: name';
create trigger users_touch before update on users for each row execute function ll.touch();
select ll.global_table('users');
grant select (id, email, name, status, status_until, email_verified_at, last_seen_at, created_at, updated_at, version) on users to lastlight_app, lastlight_platform;
grant update (name, last_seen_at) on users to lastlight_app;
grant update (status, status_reason, status_until) on users to lastlight_platform;
grant select (status_reason) on users to lastlight_platform;
grant select, insert, update on users to lastlight_system;
create policy system_rows on users for all to lastlight_system using (true) with check (true);
create policy platform_rows on users for all to lastlight_platform using (true) with check (true);

create table user_preferences (
    user_id       uuid        not null,
    language      text        not null default 'en',
    time_zone     text        not null default '',
    theme         text        not null default 'dark',
    notifications jsonb       not null default '{}',
    updated_at    timestamptz not null default now(),
    version       bigint      not null default 1,
    constraint user_preferences_pkey primary key (user_id),
    constraint user_preferences_user_exists foreign key (user_id) references users (id),
    constraint user_preferences_theme_known check (theme in ('dark', 'light', 'system'))
);
create trigger user_preferences_touch before update on user_preferences for each row execute function ll.touch();
select ll.global_table('user_preferences');
grant select, insert, update on user_preferences to lastlight_app, lastlight_platform, lastlight_system;
create policy own_rows on user_preferences for all to lastlight_app, lastlight_platform using (user_id = (select ll.user_id()));
create policy system_rows on user_preferences for all to lastlight_system using (true) with check (true);

-- A session is a family of refresh tokens, or one console cookie. Its version rises whenever what its owner may do changes.
create table sessions (
    id             uuid        not null default uuidv7(),
    user_id        uuid        not null,
    tenant_id      uuid,
    kind           text        not null,
    patron_id      uuid,
    channel        text        not null default 'bearer',
    label          text        not null default '',
    ip             text        not null default '',
    reason         text        not null default '',
    version        bigint      not null default 1,
    created_at     timestamptz not null default now(),
    last_seen_at   timestamptz not null default now(),
    expires_at     timestamptz not null,
    revoked_at     timestamptz,
    revoked_reason text,
    constraint sessions_pkey primary key (id),
    constraint sessions_user_exists foreign key (user_id) references users (id),
    constraint sessions_kind_known check (kind in ('member', 'patron', 'crew', 'guest')),
    constraint sessions_channel_known check (channel in ('bearer', 'cookie'))
);
create index sessions_by_user on sessions (user_id, created_at desc);
create index sessions_by_tenant on sessions (tenant_id, user_id) where revoked_at is null;
select ll.global_table('sessions');
grant select on sessions to lastlight_app, lastlight_platform;
grant update (version, revoked_at, revoked_reason, last_seen_at) on sessions to lastlight_app, lastlight_platform;
grant select, insert, update on sessions to lastlight_system;
create policy own_or_tenant on sessions for all to lastlight_app
    using (user_id = (select ll.user_id()) or (tenant_id = (select ll.tenant_id()) and (select ll.patron_id()) is null));
create policy platform_rows on sessions for all to lastlight_platform using (true);
create policy system_rows on sessions for all to lastlight_system using (true) with check (true);

create table refresh_tokens (
    hash        bytea       not null,
    session_id  uuid        not null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    used_at     timestamptz,
    constraint refresh_tokens_pkey primary key (hash),
    constraint refresh_tokens_session_exists foreign key (session_id) references sessions (id) on delete cascade
);
create index refresh_tokens_by_session on refresh_tokens (session_id);
select ll.global_table('refresh_tokens');
grant select, insert, update, delete on refresh_tokens to lastlight_system;
create policy system_rows on refresh_tokens for all to lastlight_system using (true) with check (true);

create table one_time_tokens (
    hash       bytea       not null,
    user_id    uuid        not null,
    purpose    text        not null,
    data       jsonb       not null default '{}',
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz,
    constraint one_time_tokens_pkey primary key (hash),
    constraint one_time_tokens_user_exists foreign key (user_id) references users (id) on delete cascade,
    constraint one_time_tokens_purpose_known check (purpose in ('verify_email', 'reset_password', 'invitation', 'sign_in'))
);
create index one_time_tokens_by_user on one_time_tokens (user_id, purpose);
select ll.global_table('one_time_tokens');
grant select, insert, update, delete on one_time_tokens to lastlight_system;
create policy system_rows on one_time_tokens for all to lastlight_system using (true) with check (true);

-- Roles and members --------------------------------------------------------------------------------------------------
create table roles (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    key         text        not null,
    name        text        not null,
    description text        not null default '',
    builtin     boolean     not null default false,
    permissions text[]      not null default '{}',
    archived_at timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    version     bigint      not null default 1,
    constraint roles_pkey primary key (tenant_id, id),
    constraint roles_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint roles_key_taken unique (tenant_id, key),
    constraint roles_name_present check (length(btrim(name)) between 1 and 80)
);
create trigger roles_touch before update on roles for each row execute function ll.touch();
select ll.tenant_table('roles', system => 'select, insert, update');

create table memberships (
    tenant_id     uuid        not null,
    id            uuid        not null default uuidv7(),
    user_id       uuid        not null,
    role_id       uuid        not null,
    venue_ids     uuid[],
    status        text        not null default 'active',
    status_reason text,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    version       bigint      not null default 1,
    constraint memberships_pkey primary key (tenant_id, id),
    constraint memberships_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint memberships_user_exists foreign key (user_id) references users (id),
    constraint memberships_role_exists foreign key (tenant_id, role_id) references roles (tenant_id, id),
    constraint memberships_role_once unique (tenant_id, user_id, role_id),
    constraint memberships_status_known check (status in ('active', 'suspended', 'ended')),
    constraint memberships_venues_some check (venue_ids is null or cardinality(venue_ids) > 0)
);
comment on column memberships.venue_ids is 'null: every venue of the tenant';
create index memberships_by_user on memberships (user_id);
create index memberships_by_role on memberships (tenant_id, role_id);
create trigger memberships_touch before update on memberships for each row execute function ll.touch();
select ll.tenant_table('memberships', system => 'select, insert, update', platform => 'select, insert, update');

create table patrons (
    tenant_id     uuid        not null,
    id            uuid        not null default uuidv7(),
    user_id       uuid        not null,
    name          text        not null,
    birth_date    date,
    status        text        not null default 'active',
    status_reason text,
    status_until  timestamptz,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    version       bigint      not null default 1,
    constraint patrons_pkey primary key (tenant_id, id),
    constraint patrons_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint patrons_user_exists foreign key (user_id) references users (id),
    constraint patrons_user_once unique (tenant_id, user_id),
    constraint patrons_status_known check (status in ('active', 'suspended', 'banned'))
);
comment on column patrons.name is 'personal: name';
comment on column patrons.birth_date is 'personal: birth date';
create index patrons_by_user on patrons (user_id);
create trigger patrons_touch before update on patrons for each row execute function ll.touch();
select ll.tenant_table('patrons', guest => 'own', guest_column => 'id', system => 'select, insert, update');

create policy known_users on users for all to lastlight_app using (
    id = (select ll.user_id())
    or ((select ll.patron_id()) is null and (
        exists (select from memberships m where m.tenant_id = (select ll.tenant_id()) and m.user_id = users.id)
        or exists (select from patrons p where p.tenant_id = (select ll.tenant_id()) and p.user_id = users.id))));
create policy own_name on users as restrictive for update to lastlight_app using (id = (select ll.user_id()));

-- A phone's public key: it signs the time of a check-in made without a network.
create table patron_keys (
    tenant_id  uuid        not null,
    id         uuid        not null default uuidv7(),
    patron_id  uuid        not null,
    algorithm  text        not null default 'ES256',
    public_key bytea       not null,
    label      text        not null default '',
    created_at timestamptz not null default now(),
    revoked_at timestamptz,
    constraint patron_keys_pkey primary key (tenant_id, id),
    constraint patron_keys_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint patron_keys_once unique (tenant_id, patron_id, public_key),
    constraint patron_keys_algorithm_known check (algorithm = 'ES256')
);
select ll.tenant_table('patron_keys', guest => 'own');

create table tenant_modules (
    tenant_id  uuid        not null,
    module     text        not null,
    enabled    boolean     not null,
    updated_at timestamptz not null default now(),
    version    bigint      not null default 1,
    constraint tenant_modules_pkey primary key (tenant_id, module),
    constraint tenant_modules_tenant_exists foreign key (tenant_id) references tenants (id)
);
create trigger tenant_modules_touch before update on tenant_modules for each row execute function ll.touch();
select ll.tenant_table('tenant_modules', guest => 'read', app => 'select', system => 'select, insert, update', platform => 'select, insert, update');

create table tenant_settings (
    tenant_id  uuid        not null,
    key        text        not null,
    value      jsonb       not null,
    updated_at timestamptz not null default now(),
    version    bigint      not null default 1,
    constraint tenant_settings_pkey primary key (tenant_id, key),
    constraint tenant_settings_tenant_exists foreign key (tenant_id) references tenants (id)
);
create trigger tenant_settings_touch before update on tenant_settings for each row execute function ll.touch();
select ll.tenant_table('tenant_settings', guest => 'read', system => 'select, insert, update', platform => 'select, insert, update');

-- Called with BEGIN: the session must stand, at the version whose permissions the caller holds. Returns the transaction's time.
create function ll.enter(session uuid, expected bigint) returns timestamptz language plpgsql stable as $$
declare s record;
begin
    select version, revoked_at, expires_at into s from public.sessions where id = session;
    if not found or s.revoked_at is not null or s.expires_at <= now() then
        raise exception 'session ended' using errcode = 'LL001';
    end if;
    if s.version <> expected then
        raise exception 'session changed' using errcode = 'LL002';
    end if;
    return now();
end $$;

revoke execute on all functions in schema ll from public;
grant execute on function ll.tenant_id(), ll.user_id(), ll.patron_id(), ll.enter(uuid, bigint), ll.touch()
    to lastlight_app, lastlight_system, lastlight_platform, lastlight_looker;
