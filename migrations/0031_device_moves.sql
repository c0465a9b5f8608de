-- Where a device stood before: what it decided there without a network, and sends after it was moved, counts for that venue.
create table device_moves (
    tenant_id uuid        not null,
    id        uuid        not null default uuidv7(),
    device_id uuid        not null,
    venue_id  uuid        not null,
    left_at   timestamptz not null default now(),
    constraint device_moves_pkey primary key (tenant_id, id),
    constraint device_moves_device_exists foreign key (tenant_id, device_id) references devices (tenant_id, id),
    constraint device_moves_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id)
);
comment on table device_moves is 'venues that a device was moved away from, and when';
create index device_moves_by_device on device_moves (tenant_id, device_id, left_at desc);
select ll.tenant_table('device_moves', app => 'select, insert');
