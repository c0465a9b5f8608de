-- Check-ins (facts that are never edited) and the visits that they open.

create table checkins (
    tenant_id    uuid        not null,
    id           uuid        not null default uuidv7(),
    venue_id     uuid        not null,
    patron_id    uuid        not null,
    method       text        not null,
    key_number   integer     not null,
    nonce        bytea       not null,
    arrived_at   timestamptz not null,
    received_at  timestamptz not null default now(),
    claimed_at   timestamptz,
    proof_key_id uuid,
    business_day date        not null,
    position     jsonb,
    device       jsonb,
    revoked_at   timestamptz,
    constraint checkins_pkey primary key (tenant_id, id),
    constraint checkins_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint checkins_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint checkins_proof_key_exists foreign key (tenant_id, proof_key_id) references patron_keys (tenant_id, id),
    constraint checkins_method_known check (method in ('screen', 'poster')),
    constraint checkins_proof_of_a_claim check (proof_key_id is null or claimed_at is not null)
);
comment on column checkins.arrived_at is 'the time it counts from: received_at, or the claimed time when the phone proved it';
comment on column checkins.claimed_at is 'the phone''s own clock, kept as it was sent';
comment on column checkins.position is 'personal: position; what the phone reported, and what became of it';
comment on column checkins.device is 'personal: device; a snapshot of its state at the check-in';
-- A screen's code is good once for each guest; a proven claim is good once, whatever key its request carries.
create unique index checkins_code_once on checkins (tenant_id, patron_id, venue_id, nonce) where method = 'screen';
create unique index checkins_claim_once on checkins (tenant_id, patron_id, proof_key_id, claimed_at) where proof_key_id is not null;
create index checkins_by_time on checkins (tenant_id, arrived_at desc, id desc);
create index checkins_by_venue on checkins (tenant_id, venue_id, arrived_at desc, id desc);
create index checkins_by_patron on checkins (tenant_id, patron_id, arrived_at desc, id desc);
select ll.tenant_table('checkins', guest => 'own', app => 'select, insert');

create table visits (
    tenant_id         uuid        not null,
    id                uuid        not null default uuidv7(),
    venue_id          uuid        not null,
    patron_id         uuid        not null,
    checkin_id        uuid        not null,
    status            text        not null default 'open',
    status_reason     text        not null default '',
    opened_at         timestamptz not null,
    times_out_at      timestamptz not null,
    closed_at         timestamptz,
    closed_by         text,
    close_claimed_at  timestamptz,
    close_received_at timestamptz,
    duration_seconds  integer     generated always as (floor(extract(epoch from closed_at - opened_at))::integer) stored,
    business_day      date        not null,
    created_at        timestamptz not null default now(),
    updated_at        timestamptz not null default now(),
    version           bigint      not null default 1,
    constraint visits_pkey primary key (tenant_id, id),
    constraint visits_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint visits_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint visits_checkin_exists foreign key (tenant_id, checkin_id) references checkins (tenant_id, id),
    constraint visits_checkin_once unique (tenant_id, checkin_id),
    constraint visits_status_known check (status in ('open', 'closed', 'timed_out', 'voided')),
    constraint visits_closed_by_known check (closed_by in ('guest', 'staff', 'time_out')),
    constraint visits_closed_dated check ((status = 'open') = (closed_at is null)),
    constraint visits_in_order check (closed_at >= opened_at)
);
comment on column visits.status is 'voided: it never was, says staff; kept, and left out of every figure';
create unique index visits_one_open on visits (tenant_id, patron_id) where status = 'open';
create index visits_open on visits (tenant_id, venue_id, opened_at desc) where status = 'open';
create index visits_due on visits (tenant_id, times_out_at) where status = 'open';
create index visits_by_time on visits (tenant_id, opened_at desc, id desc);
create index visits_by_venue on visits (tenant_id, venue_id, opened_at desc, id desc);
create index visits_by_patron on visits (tenant_id, patron_id, opened_at desc, id desc);
create index visits_by_closing on visits (tenant_id, venue_id, closed_at desc) where closed_at is not null;
create trigger visits_touch before update on visits for each row execute function ll.touch();
select ll.tenant_table('visits', guest => 'own', app => 'select, insert, update', system => 'select');
