-- Venues, and the keys that sign their codes.

create table venues (
    tenant_id             uuid        not null,
    id                    uuid        not null default uuidv7(),
    slug                  text        not null,
    name                  text        not null,
    status                text        not null default 'active',
    status_reason         text        not null default '',
    address               jsonb       not null default '{}',
    latitude              double precision,
    longitude             double precision,
    time_zone             text        not null,
    currency              text        not null,
    business_day_hour     smallint    not null default 6,
    capacity              integer,
    opening_hours         jsonb,
    tags                  text[]      not null default '{}',
    age_limit             smallint,
    tax_rates             jsonb       not null default '[]',
    geofence              jsonb,
    position_policy       text        not null default 'when_given',
    visit_timeout_minutes integer     not null default 480,
    created_at            timestamptz not null default now(),
    updated_at            timestamptz not null default now(),
    archived_at           timestamptz,
    version               bigint      not null default 1,
    constraint venues_pkey primary key (tenant_id, id),
    constraint venues_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint venues_slug_taken unique (tenant_id, slug),
    constraint venues_slug_shape check (slug ~ '^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$'),
    constraint venues_name_present check (length(btrim(name)) between 1 and 120),
    constraint venues_status_known check (status in ('active', 'paused', 'archived')),
    constraint venues_archived_dated check ((status = 'archived') = (archived_at is not null)),
    constraint venues_position_whole check ((latitude is null) = (longitude is null)),
    constraint venues_position_real check (latitude between -90 and 90 and longitude between -180 and 180),
    constraint venues_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint venues_business_day_hour_real check (business_day_hour between 0 and 12),
    constraint venues_capacity_positive check (capacity between 1 and 1000000),
    constraint venues_age_limit_real check (age_limit between 1 and 99),
    constraint venues_position_policy_known check (position_policy in ('off', 'when_given', 'required')),
    constraint venues_visit_timeout_real check (visit_timeout_minutes between 15 and 2880)
);
comment on column venues.business_day_hour is 'the hour, on the venue''s clock, at which one business day ends and the next begins';
comment on column venues.opening_hours is 'null: always open';
comment on column venues.geofence is 'null: positions are not checked, and the poster cannot be used';
create index venues_by_name on venues (tenant_id, name, id);
create index venues_by_status on venues (tenant_id, status, id);
create trigger venues_touch before update on venues for each row execute function ll.touch();
select ll.tenant_table('venues', guest => 'read', app => 'select, insert, update', system => 'select');

-- A venue's key signs its codes. The newest stands; older ones live until they retire or are revoked.
create table venue_keys (
    tenant_id  uuid        not null,
    id         uuid        not null default uuidv7(),
    venue_id   uuid        not null,
    number     integer     not null,
    secret     bytea       not null,
    created_at timestamptz not null default now(),
    retires_at timestamptz,
    revoked_at timestamptz,
    constraint venue_keys_pkey primary key (tenant_id, id),
    constraint venue_keys_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint venue_keys_number_once unique (tenant_id, venue_id, number),
    constraint venue_keys_number_real check (number between 1 and 65535)
);
comment on column venue_keys.secret is 'sealed by the platform''s secret key; useless by itself, so a guest''s check-in may read the row';
comment on column venue_keys.retires_at is 'its codes die then: the end of a grace time, or the moment of a regeneration without one';
create unique index venue_keys_current_once on venue_keys (tenant_id, venue_id) where retires_at is null and revoked_at is null;
-- The system role reads it to tell whose a scanned code is.
select ll.tenant_table('venue_keys', guest => 'read', app => 'select, insert, update', system => 'select', platform => '');
