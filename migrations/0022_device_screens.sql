-- Devices over time: heartbeats worth keeping, alerts that somebody took note of, maintenance that ends by itself.
-- Doors that only the venue's own scanners open. Flags that name both sides, and what was done about them, step by step.

alter table devices add column maintenance_until timestamptz;
alter table devices add constraint devices_maintenance_ends check (maintenance or maintenance_until is null);
comment on column devices.maintenance_until is 'when the maintenance ends by itself; null: when somebody ends it';

create table device_heartbeats (
    tenant_id uuid        not null,
    id        uuid        not null default uuidv7(),
    device_id uuid        not null,
    heard_at  timestamptz not null default now(),
    battery   smallint,
    charging  boolean     not null default false,
    firmware  text        not null default '',
    last_scan bigint      not null default 0,
    queued    integer     not null default 0,
    constraint device_heartbeats_pkey primary key (tenant_id, id),
    constraint device_heartbeats_device_exists foreign key (tenant_id, device_id) references devices (tenant_id, id)
);
comment on table device_heartbeats is 'one in five minutes of each device, and each that tells something new; dropped after a month';
create index device_heartbeats_by_device on device_heartbeats (tenant_id, device_id, heard_at desc);
create index device_heartbeats_by_time on device_heartbeats (heard_at);
select ll.tenant_table('device_heartbeats', app => 'select, insert', system => 'select, delete');

alter table device_alerts add column acknowledged_at timestamptz;
alter table device_alerts add column acknowledged_by uuid;
comment on column device_alerts.acknowledged_at is 'somebody has taken note of it and sees to it';

create table door_rules (
    tenant_id    uuid        not null,
    venue_id     uuid        not null,
    devices_only boolean     not null default false,
    updated_at   timestamptz not null default now(),
    version      bigint      not null default 1,
    constraint door_rules_pkey primary key (tenant_id, venue_id),
    constraint door_rules_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id)
);
comment on table door_rules is 'what a venue asks at its door; a venue without a row asks nothing';
comment on column door_rules.devices_only is 'only the venue''s own scanners let guests in: codes on screens and posters do not';
create trigger door_rules_touch before update on door_rules for each row execute function ll.touch();
select ll.tenant_table('door_rules', guest => 'read', app => 'select, insert, update');

alter table checkin_flags add column other_checkin_id uuid;
alter table checkin_flags add column other_scan_id uuid;
alter table checkin_flags add column kilometres double precision;
alter table checkin_flags add column seconds_apart integer;
alter table checkin_flags add constraint checkin_flags_other_checkin_exists
    foreign key (tenant_id, other_checkin_id) references checkins (tenant_id, id);
alter table checkin_flags add constraint checkin_flags_other_scan_exists
    foreign key (tenant_id, other_scan_id) references door_scans (tenant_id, id);
comment on column checkin_flags.other_checkin_id is 'the earlier one of the two check-ins that do not fit together';
comment on column checkin_flags.other_scan_id is 'the earlier one of the two scans';
-- A pair is one finding, whichever of the two was judged first, and once judged by a person it does not come back.
drop index checkin_flags_travel_once;
create unique index checkin_flags_pair_once on checkin_flags (tenant_id, checkin_id, other_checkin_id, kind) nulls not distinct
    where scan_id is null;

create table checkin_flag_steps (
    tenant_id uuid        not null,
    flag_id   uuid        not null,
    step      text        not null,
    reason    text        not null,
    found     text        not null default '',
    done_by   uuid,
    done_at   timestamptz not null default now(),
    constraint checkin_flag_steps_pkey primary key (tenant_id, flag_id, step),
    constraint checkin_flag_steps_flag_exists foreign key (tenant_id, flag_id) references checkin_flags (tenant_id, id),
    constraint checkin_flag_steps_known check (step in ('renew_codes', 'revoke_checkins', 'tell_finance', 'bar_guest'))
);
comment on table checkin_flag_steps is 'what was done about a flag: each step of the playbook once';
select ll.tenant_table('checkin_flag_steps', app => 'select, insert');
