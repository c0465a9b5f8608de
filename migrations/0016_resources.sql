-- Games, rooms and tables with their bookings; how a venue is published; its banners and images; feature flags.

-- Trusted, so the owner's role may create it: an exclusion constraint compares ids beside ranges of time.
create extension if not exists btree_gist with schema ll;

create table resources (
    tenant_id       uuid        not null,
    id              uuid        not null default uuidv7(),
    venue_id        uuid        not null,
    kind            text        not null,
    name            text        not null,
    zone            text        not null default '',
    capacity        integer,
    price_minor     bigint,
    price_unit      text,
    bookable        boolean     not null default true,
    buffer_minutes  smallint    not null default 0,
    shortest_minutes smallint   not null default 30,
    longest_minutes smallint    not null default 240,
    status          text        not null default 'available',
    status_reason   text        not null default '',
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    retired_at      timestamptz,
    version         bigint      not null default 1,
    constraint resources_pkey primary key (tenant_id, id),
    constraint resources_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint resources_of_venue unique (tenant_id, venue_id, id),
    constraint resources_kind_known check (kind in ('game', 'room', 'table')),
    constraint resources_name_present check (length(btrim(name)) between 1 and 120),
    constraint resources_zone_short check (length(zone) <= 60),
    constraint resources_capacity_real check (capacity between 1 and 10000),
    constraint resources_price_whole check ((price_minor is null) = (price_unit is null)),
    constraint resources_price_real check (price_minor between 0 and 100000000000),
    constraint resources_price_unit_known check (price_unit in ('play', 'hour')),
    constraint resources_buffer_real check (buffer_minutes between 0 and 240),
    constraint resources_lengths_real check (shortest_minutes between 5 and longest_minutes and longest_minutes <= 1440),
    constraint resources_status_known check (status in ('available', 'maintenance', 'out_of_order', 'retired')),
    constraint resources_retired_dated check ((status = 'retired') = (retired_at is not null))
);
comment on table resources is 'what a venue lends by the play or the hour: arcade games, karaoke rooms, tables';
comment on column resources.price_minor is 'in the minor unit of the venue''s currency; null: no price of its own';
comment on column resources.buffer_minutes is 'kept free after each booking, to clean and reset';
create unique index resources_name_taken on resources (tenant_id, venue_id, kind, lower(name)) where status <> 'retired';
create index resources_by_venue on resources (tenant_id, venue_id, kind, name, id);
create index resources_by_status on resources (tenant_id, status, id);
create trigger resources_touch before update on resources for each row execute function ll.touch();
select ll.tenant_table('resources', guest => 'read', app => 'select, insert, update', system => 'select');

create table bookings (
    tenant_id      uuid        not null,
    id             uuid        not null default uuidv7(),
    venue_id       uuid        not null,
    resource_id    uuid        not null,
    patron_id      uuid,
    guest_name     text        not null default '',
    party_size     smallint    not null default 1,
    starts_at      timestamptz not null,
    ends_at        timestamptz not null,
    free_at        timestamptz not null,
    status         text        not null default 'booked',
    status_reason  text        not null default '',
    booked_by      text        not null,
    created_by     uuid,
    price_minor    bigint,
    currency       text,
    note           text        not null default '',
    arrived_at     timestamptz,
    ended_at       timestamptz,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    version        bigint      not null default 1,
    constraint bookings_pkey primary key (tenant_id, id),
    constraint bookings_resource_exists foreign key (tenant_id, venue_id, resource_id) references resources (tenant_id, venue_id, id),
    constraint bookings_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint bookings_somebody check (patron_id is not null or length(btrim(guest_name)) between 1 and 120),
    constraint bookings_party_real check (party_size between 1 and 10000),
    constraint bookings_forward check (ends_at > starts_at and free_at >= starts_at),
    constraint bookings_status_known check (status in ('booked', 'arrived', 'done', 'cancelled', 'no_show')),
    constraint bookings_booked_by_known check (booked_by in ('guest', 'staff')),
    constraint bookings_price_whole check ((price_minor is null) = (currency is null)),
    constraint bookings_overlap exclude using gist
        (tenant_id with =, resource_id with =, tstzrange(starts_at, free_at) with &&)
        where (status in ('booked', 'arrived', 'done'))
);
comment on column bookings.free_at is 'when the next booking may begin: the end and the buffer after it, or the moment of an earlier end';
comment on column bookings.guest_name is 'personal: the name that staff wrote down for somebody without an account';
comment on column bookings.note is 'personal: what the guest or staff wrote about the booking';
comment on column bookings.status_reason is 'personal: why it was cancelled, in a person''s words';
create index bookings_by_start on bookings (tenant_id, venue_id, starts_at, id);
create index bookings_by_resource on bookings (tenant_id, resource_id, starts_at, id);
create index bookings_by_patron on bookings (tenant_id, patron_id, starts_at desc, id desc) where patron_id is not null;
create index bookings_standing on bookings (tenant_id, starts_at) where status in ('booked', 'arrived');
create trigger bookings_touch before update on bookings for each row execute function ll.touch();
select ll.tenant_table('bookings', guest => 'own', app => 'select, insert, update', system => 'select');

-- How a venue is shown to guests; whether its door takes them is its status.
alter table venues
    add column publication text not null default 'published',
    add column publication_reason text not null default '',
    add column published_at timestamptz,
    add column featured_until timestamptz,
    add constraint venues_publication_known check (publication in ('draft', 'published', 'degraded', 'unpublished'));
comment on column venues.publication is 'degraded: shown to guests with its reason; draft and unpublished: not shown';
comment on column venues.featured_until is 'until then it stands first among a business''s venues';

create table venue_banners (
    tenant_id  uuid        not null,
    id         uuid        not null default uuidv7(),
    venue_id   uuid        not null,
    title      text        not null,
    body       text        not null default '',
    link       text        not null default '',
    starts_at  timestamptz not null,
    ends_at    timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    removed_at timestamptz,
    version    bigint      not null default 1,
    constraint venue_banners_pkey primary key (tenant_id, id),
    constraint venue_banners_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint venue_banners_title_present check (length(btrim(title)) between 1 and 120),
    constraint venue_banners_body_short check (length(body) <= 500),
    constraint venue_banners_forward check (ends_at > starts_at)
);
create index venue_banners_by_end on venue_banners (tenant_id, venue_id, ends_at, id) where removed_at is null;
create trigger venue_banners_touch before update on venue_banners for each row execute function ll.touch();
select ll.tenant_table('venue_banners', guest => 'read', app => 'select, insert, update');

-- Images of a venue. The original is never shown: guests and staff see copies that a job made, without its metadata.
create table venue_images (
    tenant_id     uuid        not null,
    id            uuid        not null default uuidv7(),
    venue_id      uuid        not null,
    patron_id     uuid,
    file_id       uuid,
    large_file_id uuid,
    small_file_id uuid,
    state         text        not null default 'awaited',
    state_reason  text        not null default '',
    moderation    text        not null default 'approved',
    moderation_reason text    not null default '',
    moderated_by  uuid,
    moderated_at  timestamptz,
    place         integer     not null default 0,
    alt           text        not null default '',
    width         integer,
    height        integer,
    created_by    uuid,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    removed_at    timestamptz,
    version       bigint      not null default 1,
    constraint venue_images_pkey primary key (tenant_id, id),
    constraint venue_images_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint venue_images_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint venue_images_state_known check (state in ('awaited', 'uploaded', 'ready', 'failed')),
    constraint venue_images_moderation_known check (moderation in ('waiting', 'approved', 'rejected')),
    constraint venue_images_ready_whole check (state <> 'ready' or (large_file_id is not null and small_file_id is not null)),
    constraint venue_images_alt_short check (length(alt) <= 300)
);
comment on column venue_images.alt is 'personal: a description that may name somebody';
create index venue_images_by_place on venue_images (tenant_id, venue_id, place, id) where removed_at is null;
create index venue_images_by_patron on venue_images (tenant_id, patron_id, id) where patron_id is not null;
create index venue_images_waiting on venue_images (tenant_id, created_at, id)
    where moderation = 'waiting' and state = 'ready' and removed_at is null;
create trigger venue_images_touch before update on venue_images for each row execute function ll.touch();
select ll.tenant_table('venue_images', guest => 'own', app => 'select, insert, update', system => 'select, update');

-- Feature flags: the platform's answer for all, and a business's own where it differs.
create table feature_flags (
    key         text        not null,
    description text        not null,
    enabled     boolean     not null default false,
    percentage  smallint    not null default 100,
    spread      text        not null default 'tenant',
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    version     bigint      not null default 1,
    constraint feature_flags_pkey primary key (key),
    constraint feature_flags_key_shape check (key ~ '^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$' and length(key) <= 80),
    constraint feature_flags_described check (length(btrim(description)) between 1 and 300),
    constraint feature_flags_percentage_real check (percentage between 0 and 100),
    constraint feature_flags_spread_known check (spread in ('tenant', 'user'))
);
comment on column feature_flags.spread is 'what is rolled out one by one: whole businesses, or users';
create trigger feature_flags_touch before update on feature_flags for each row execute function ll.touch();
select ll.global_table('feature_flags');
grant select on feature_flags to lastlight_app, lastlight_system;
grant select, insert, update, delete on feature_flags to lastlight_platform;
create policy app_reads on feature_flags for select to lastlight_app using (true);
create policy system_reads on feature_flags for select to lastlight_system using (true);
create policy platform_rows on feature_flags for all to lastlight_platform using (true) with check (true);

create table tenant_flags (
    tenant_id  uuid        not null,
    key        text        not null,
    enabled    boolean     not null,
    percentage smallint    not null default 100,
    reason     text        not null default '',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version    bigint      not null default 1,
    constraint tenant_flags_pkey primary key (tenant_id, key),
    constraint tenant_flags_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint tenant_flags_flag_exists foreign key (key) references feature_flags (key) on delete cascade,
    constraint tenant_flags_percentage_real check (percentage between 0 and 100)
);
create index tenant_flags_by_key on tenant_flags (key, tenant_id);
create trigger tenant_flags_touch before update on tenant_flags for each row execute function ll.touch();
select ll.tenant_table('tenant_flags', guest => 'read', app => 'select', system => 'select',
                       platform => 'select, insert, update, delete');
