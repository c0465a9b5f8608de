-- A guest's call for help: what the guest's own phone sends and reads. The SOS call that it becomes has the same id.

create table help_calls (
    tenant_id    uuid        not null,
    id           uuid        not null default uuidv7(),
    venue_id     uuid        not null,
    visit_id     uuid        not null,
    patron_id    uuid        not null,
    user_id      uuid        not null,
    about        text,
    place        text        not null default '',
    note         text        not null default '',
    quiet        boolean     not null default false,
    latitude     double precision,
    longitude    double precision,
    accuracy_m   real,
    status       text        not null default 'sent',
    helpers      text[]      not null default '{}',
    escalation   smallint    not null default 0,
    pressed_at   timestamptz not null,
    received_at  timestamptz not null default now(),
    raised_at    timestamptz,
    answered_at  timestamptz,
    ended_at     timestamptz,
    updated_at   timestamptz not null default now(),
    version      bigint      not null default 1,
    constraint help_calls_pkey primary key (tenant_id, id),
    constraint help_calls_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint help_calls_visit_exists foreign key (tenant_id, visit_id) references visits (tenant_id, id),
    constraint help_calls_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint help_calls_about_known check (about in ('unwell', 'bothered', 'lost', 'other')),
    constraint help_calls_status_known check (status in ('sent', 'heard', 'coming', 'over', 'withdrawn')),
    constraint help_calls_ended_dated check ((status in ('over', 'withdrawn')) = (ended_at is not null)),
    constraint help_calls_place_short check (length(place) <= 120),
    constraint help_calls_position_whole check (num_nulls(latitude, longitude, accuracy_m) in (0, 3))
);
comment on table help_calls is 'a guest who is in calls for help; the SOS call of the same id is what the staff answer';
comment on column help_calls.about is 'personal: what a guest says is wrong';
comment on column help_calls.place is 'personal: where somebody called from, in words';
comment on column help_calls.note is 'personal: words of the guest';
comment on column help_calls.latitude is 'personal: where the guest was';
comment on column help_calls.longitude is 'personal: where the guest was';
comment on column help_calls.accuracy_m is 'personal: how exact the position is, in metres';
comment on column help_calls.helpers is 'personal: name; first names of those who heard it or come, as the guest reads them';
comment on column help_calls.pressed_at is 'the phone''s own clock: earlier than received_at when it had no network';
comment on column help_calls.raised_at is 'since when the SOS call stands; null: the worker has yet to make it';
create unique index help_calls_one_open on help_calls (tenant_id, patron_id) where ended_at is null;
create index help_calls_by_patron on help_calls (tenant_id, patron_id, received_at desc);
create index help_calls_unraised on help_calls (tenant_id, received_at) where raised_at is null and ended_at is null;
create index help_calls_by_visit on help_calls (tenant_id, visit_id);
create trigger help_calls_touch before update on help_calls for each row execute function ll.touch();
select ll.tenant_table('help_calls', guest => 'own', app => 'select, insert, update', system => 'select');
