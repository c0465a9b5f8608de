-- A venue's devices (scanners, tills) with their own keys, and the door's log: every scan that a device made.

create table devices (
    tenant_id          uuid        not null,
    id                 uuid        not null default uuidv7(),
    venue_id           uuid        not null,
    name               text        not null,
    kind               text        not null,
    status             text        not null default 'pending',
    maintenance        boolean     not null default false,
    maintenance_reason text        not null default '',
    public_key         bytea,
    code_hash          bytea,
    code_expires_at    timestamptz,
    enrolled_at        timestamptz,
    revoked_at         timestamptz,
    revoked_reason     text        not null default '',
    created_at         timestamptz not null default now(),
    updated_at         timestamptz not null default now(),
    version            bigint      not null default 1,
    constraint devices_pkey primary key (tenant_id, id),
    constraint devices_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint devices_name_present check (length(btrim(name)) between 1 and 80),
    constraint devices_kind_known check (kind in ('scanner', 'till')),
    constraint devices_status_known check (status in ('pending', 'active', 'revoked')),
    constraint devices_active_keyed check (status <> 'active' or (public_key is not null and enrolled_at is not null)),
    constraint devices_revoked_dated check ((status = 'revoked') = (revoked_at is not null)),
    constraint devices_code_dated check ((code_hash is null) = (code_expires_at is null))
);
comment on table devices is 'the allow-list of a venue: only an active device may speak for its door';
comment on column devices.public_key is 'ES256, SPKI: the private key never leaves the device';
comment on column devices.code_hash is 'SHA-256 of the one-time code; gone once it was used';
create unique index devices_name_once on devices (tenant_id, venue_id, lower(name)) where status <> 'revoked';
create unique index devices_code_once on devices (tenant_id, code_hash) where code_hash is not null;
create index devices_by_venue on devices (tenant_id, venue_id, id);
create trigger devices_touch before update on devices for each row execute function ll.touch();
select ll.tenant_table('devices', app => 'select, insert, update', system => 'select');

-- What a device last said of itself: apart from the device, so that a heartbeat edits nothing that a person edits.
create table device_states (
    tenant_id          uuid        not null,
    device_id          uuid        not null,
    heartbeat_sequence bigint      not null default 0,
    last_seen_at       timestamptz,
    claimed_at         timestamptz,
    battery            smallint,
    charging           boolean     not null default false,
    firmware           text        not null default '',
    last_scan          bigint      not null default 0,
    queued             integer     not null default 0,
    pinged_at          timestamptz,
    answered_at        timestamptz,
    constraint device_states_pkey primary key (tenant_id, device_id),
    constraint device_states_device_exists foreign key (tenant_id, device_id) references devices (tenant_id, id),
    constraint device_states_battery_real check (battery between 0 and 100)
) with (fillfactor = 70);
comment on table device_states is 'the last heartbeat of each device';
comment on column device_states.claimed_at is 'the device''s own clock at its last heartbeat';
select ll.tenant_table('device_states', app => 'select, insert, update', system => 'select');

create table device_alerts (
    tenant_id  uuid        not null,
    id         uuid        not null default uuidv7(),
    device_id  uuid        not null,
    venue_id   uuid        not null,
    kind       text        not null,
    detail     text        not null default '',
    raised_at  timestamptz not null default now(),
    cleared_at timestamptz,
    constraint device_alerts_pkey primary key (tenant_id, id),
    constraint device_alerts_device_exists foreign key (tenant_id, device_id) references devices (tenant_id, id),
    constraint device_alerts_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint device_alerts_kind_known check (kind in ('offline', 'battery_low'))
);
comment on table device_alerts is 'raised and cleared by a job';
create unique index device_alerts_one_open on device_alerts (tenant_id, device_id, kind) where cleared_at is null;
create index device_alerts_by_time on device_alerts (tenant_id, raised_at desc, id desc);
create index device_alerts_by_venue on device_alerts (tenant_id, venue_id, raised_at desc);
select ll.tenant_table('device_alerts', app => 'select, insert, update', system => 'select');

-- A check-in by a device reads the guest's pass; staff may let in with a reason what the rules refused.
alter table checkins drop constraint checkins_method_known;
alter table checkins add constraint checkins_method_known check (method in ('screen', 'poster', 'pass', 'override'));
alter table checkins add column device_id uuid;
alter table checkins add column override_reason text not null default '';
alter table checkins add column override_by uuid;
alter table checkins add constraint checkins_device_exists foreign key (tenant_id, device_id) references devices (tenant_id, id);
alter table checkins add constraint checkins_override_said check ((method = 'override') = (override_reason <> ''));
alter table checkins drop column revoked_at;
comment on column checkins.override_by is 'the member who let the guest in; null where a device did it for its staff';
create unique index checkins_pass_once on checkins (tenant_id, patron_id, nonce) where method = 'pass';
create index checkins_by_device on checkins (tenant_id, device_id, arrived_at desc) where device_id is not null;

-- A check-in stays a fact; that it does not count is another one.
create table checkin_revocations (
    tenant_id  uuid        not null,
    checkin_id uuid        not null,
    venue_id   uuid        not null,
    patron_id  uuid        not null,
    kind       text        not null,
    reason     text        not null,
    revoked_by uuid,
    revoked_at timestamptz not null default now(),
    constraint checkin_revocations_pkey primary key (tenant_id, checkin_id),
    constraint checkin_revocations_checkin_exists foreign key (tenant_id, checkin_id) references checkins (tenant_id, id),
    constraint checkin_revocations_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint checkin_revocations_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint checkin_revocations_kind_known check (kind in ('revoked', 'false_positive')),
    constraint checkin_revocations_reason_present check (length(btrim(reason)) between 1 and 500)
);
comment on table checkin_revocations is 'check-ins that were taken back, with the reason';
select ll.tenant_table('checkin_revocations', guest => 'own', app => 'select, insert');
create index checkin_revocations_by_patron on checkin_revocations (tenant_id, patron_id);

create table door_scans (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    device_id   uuid        not null,
    sequence    bigint      not null,
    venue_id    uuid        not null,
    patron_id   uuid,
    code_hash   bytea       not null,
    step        bigint,
    decided     text        not null,
    claimed_at  timestamptz not null,
    received_at timestamptz not null default now(),
    result      text        not null,
    refusal     text        not null default '',
    reason      text        not null default '',
    checkin_id  uuid,
    constraint door_scans_pkey primary key (tenant_id, id),
    constraint door_scans_sequence_once unique (tenant_id, device_id, sequence),
    constraint door_scans_device_exists foreign key (tenant_id, device_id) references devices (tenant_id, id),
    constraint door_scans_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint door_scans_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint door_scans_checkin_exists foreign key (tenant_id, checkin_id) references checkins (tenant_id, id),
    constraint door_scans_decided_known check (decided in ('server', 'admitted', 'refused')),
    constraint door_scans_result_known check (result in ('admitted', 'refused', 'double')),
    constraint door_scans_sequence_positive check (sequence > 0)
);
comment on table door_scans is 'the door''s log, as the devices sent it: device sequence, claimed and received time';
comment on column door_scans.decided is 'server: asked at once; admitted, refused: what the device decided without a network';
comment on column door_scans.result is 'double: let in, although the guest was in already by another door';
create index door_scans_by_time on door_scans (tenant_id, claimed_at desc, id desc);
create index door_scans_by_venue on door_scans (tenant_id, venue_id, claimed_at desc, id desc);
create index door_scans_by_patron on door_scans (tenant_id, patron_id, claimed_at desc) where patron_id is not null;
select ll.tenant_table('door_scans', app => 'select, insert');

create table checkin_flags (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    venue_id    uuid        not null,
    patron_id   uuid        not null,
    kind        text        not null,
    detail      text        not null default '',
    checkin_id  uuid,
    scan_id     uuid,
    happened_at timestamptz not null,
    raised_at   timestamptz not null default now(),
    status      text        not null default 'open',
    resolution  text        not null default '',
    resolved_by uuid,
    resolved_at timestamptz,
    updated_at  timestamptz not null default now(),
    version     bigint      not null default 1,
    constraint checkin_flags_pkey primary key (tenant_id, id),
    constraint checkin_flags_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint checkin_flags_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint checkin_flags_checkin_exists foreign key (tenant_id, checkin_id) references checkins (tenant_id, id),
    constraint checkin_flags_scan_exists foreign key (tenant_id, scan_id) references door_scans (tenant_id, id),
    constraint checkin_flags_kind_known check (kind in ('duplicate', 'impossible_travel', 'cloned_code', 'barred')),
    constraint checkin_flags_status_known check (status in ('open', 'confirmed', 'dismissed')),
    constraint checkin_flags_resolved_dated check ((status = 'open') = (resolved_at is null))
);
comment on table checkin_flags is 'what looks like fraud at the door, until somebody has judged it';
create unique index checkin_flags_scan_once on checkin_flags (tenant_id, scan_id, kind) where scan_id is not null;
create unique index checkin_flags_travel_once on checkin_flags (tenant_id, checkin_id, kind) where scan_id is null;
create index checkin_flags_by_time on checkin_flags (tenant_id, raised_at desc, id desc);
create index checkin_flags_by_venue on checkin_flags (tenant_id, venue_id, raised_at desc, id desc);
create trigger checkin_flags_touch before update on checkin_flags for each row execute function ll.touch();
select ll.tenant_table('checkin_flags', app => 'select, insert, update');
