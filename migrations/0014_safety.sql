-- Safety on the floor: thresholds, alerts, interventions, SOS, incidents, broadcasts, safety checks, and a log that nobody edits.

create table safety_thresholds (
    tenant_id            uuid        not null,
    id                   uuid        not null default uuidv7(),
    venue_id             uuid        not null,
    minutes_inside       integer,
    spend_minor          bigint,
    drinks_per_hour      smallint,
    least_age            smallint,
    interventions        smallint,
    full_percent         smallint    not null default 100,
    alert_escalates_s    integer     not null default 300,
    sos_escalates_s      integer     not null default 60,
    created_at           timestamptz not null default now(),
    updated_at           timestamptz not null default now(),
    version              bigint      not null default 1,
    constraint safety_thresholds_pkey primary key (tenant_id, id),
    constraint safety_thresholds_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint safety_thresholds_one_a_venue unique (tenant_id, venue_id),
    constraint safety_thresholds_minutes_real check (minutes_inside between 1 and 2880),
    constraint safety_thresholds_spend_positive check (spend_minor > 0),
    constraint safety_thresholds_drinks_real check (drinks_per_hour between 1 and 100),
    constraint safety_thresholds_age_real check (least_age between 1 and 99),
    constraint safety_thresholds_interventions_real check (interventions between 1 and 100),
    constraint safety_thresholds_full_real check (full_percent between 10 and 100),
    constraint safety_thresholds_alert_escalates_real check (alert_escalates_s between 30 and 86400),
    constraint safety_thresholds_sos_escalates_real check (sos_escalates_s between 15 and 3600)
);
comment on table safety_thresholds is 'what a venue watches; null: not watched';
comment on column safety_thresholds.spend_minor is 'in minor units of the venue''s currency, over one visit';
comment on column safety_thresholds.interventions is 'so many within 30 days make a pattern of behaviour';
comment on column safety_thresholds.full_percent is 'one in, one out from this share of the capacity on';
create trigger safety_thresholds_touch before update on safety_thresholds for each row execute function ll.touch();
select ll.tenant_table('safety_thresholds', app => 'select, insert, update', system => 'select');

-- What was served or spent in a visit, told by other domains: a fact of a source counts once.
create table safety_facts (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    visit_id    uuid        not null,
    source      text        not null,
    source_id   uuid        not null,
    drinks      smallint    not null default 0,
    spend_minor bigint      not null default 0,
    at          timestamptz not null,
    constraint safety_facts_pkey primary key (tenant_id, id),
    constraint safety_facts_visit_exists foreign key (tenant_id, visit_id) references visits (tenant_id, id),
    constraint safety_facts_once unique (tenant_id, visit_id, source, source_id),
    constraint safety_facts_drinks_real check (drinks between -1000 and 1000)
);
comment on table safety_facts is 'a correction is a fact of its own with negative figures';
create index safety_facts_by_time on safety_facts (tenant_id, visit_id, at);
select ll.tenant_table('safety_facts', app => 'select, insert');

create table incidents (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    number      integer     not null,
    venue_id    uuid        not null,
    kind        text        not null,
    severity    text        not null,
    title       text        not null,
    status      text        not null default 'open',
    opened_at   timestamptz not null default now(),
    opened_by   uuid,
    resolved_at timestamptz,
    resolved_by uuid,
    resolution  text        not null default '',
    updated_at  timestamptz not null default now(),
    version     bigint      not null default 1,
    constraint incidents_pkey primary key (tenant_id, id),
    constraint incidents_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint incidents_number_once unique (tenant_id, number),
    constraint incidents_kind_known check (kind in ('sos', 'injury', 'fight', 'theft', 'fire', 'harassment', 'intoxication', 'device', 'other')),
    constraint incidents_severity_known check (severity in ('low', 'medium', 'high', 'critical')),
    constraint incidents_status_known check (status in ('open', 'resolved')),
    constraint incidents_resolved_dated check ((status = 'resolved') = (resolved_at is not null)),
    constraint incidents_title_present check (length(btrim(title)) between 1 and 200)
);
comment on column incidents.title is 'personal: words of staff, who may name somebody';
comment on column incidents.resolution is 'personal: words of staff, who may name somebody';
create index incidents_by_time on incidents (tenant_id, opened_at desc, id desc);
create index incidents_by_venue on incidents (tenant_id, venue_id, opened_at desc, id desc);
create index incidents_open on incidents (tenant_id, venue_id) where status = 'open';
create trigger incidents_touch before update on incidents for each row execute function ll.touch();
select ll.tenant_table('incidents', app => 'select, insert, update');

create table safety_alerts (
    tenant_id        uuid        not null,
    id               uuid        not null default uuidv7(),
    venue_id         uuid        not null,
    kind             text        not null,
    severity         text        not null,
    status           text        not null default 'raised',
    visit_id         uuid,
    patron_id        uuid,
    incident_id      uuid,
    summary          text        not null,
    facts            jsonb       not null default '{}',
    raised_at        timestamptz not null default now(),
    raised_by        uuid,
    acknowledged_at  timestamptz,
    acknowledged_by  uuid,
    cleared_at       timestamptz,
    cleared_by       uuid,
    clear_reason     text        not null default '',
    escalation       smallint    not null default 0,
    escalates_at     timestamptz,
    escalated_at     timestamptz,
    updated_at       timestamptz not null default now(),
    version          bigint      not null default 1,
    constraint safety_alerts_pkey primary key (tenant_id, id),
    constraint safety_alerts_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint safety_alerts_visit_exists foreign key (tenant_id, visit_id) references visits (tenant_id, id),
    constraint safety_alerts_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint safety_alerts_incident_exists foreign key (tenant_id, incident_id) references incidents (tenant_id, id),
    constraint safety_alerts_kind_known check (kind in ('time', 'spend', 'drinks', 'age', 'behaviour', 'check', 'capacity')),
    constraint safety_alerts_severity_known check (severity in ('low', 'medium', 'high', 'critical')),
    constraint safety_alerts_status_known check (status in ('raised', 'acknowledged', 'cleared')),
    constraint safety_alerts_cleared_dated check ((status = 'cleared') = (cleared_at is not null)),
    constraint safety_alerts_escalates_while_raised check (status = 'raised' or escalates_at is null)
);
comment on column safety_alerts.summary is 'personal: words of staff, who may name somebody';
create unique index safety_alerts_one_a_visit on safety_alerts (tenant_id, visit_id, kind)
    where visit_id is not null and status <> 'cleared';
create unique index safety_alerts_one_full on safety_alerts (tenant_id, venue_id) where kind = 'capacity' and status <> 'cleared';
create index safety_alerts_by_visit on safety_alerts (tenant_id, visit_id, kind, raised_at desc) where visit_id is not null;
create index safety_alerts_by_patron on safety_alerts (tenant_id, patron_id, raised_at desc) where patron_id is not null;
create index safety_alerts_by_incident on safety_alerts (tenant_id, incident_id) where incident_id is not null;
create index safety_alerts_by_time on safety_alerts (tenant_id, raised_at desc, id desc);
create index safety_alerts_by_venue on safety_alerts (tenant_id, venue_id, raised_at desc, id desc);
create index safety_alerts_due on safety_alerts (tenant_id, escalates_at) where escalates_at is not null;
create trigger safety_alerts_touch before update on safety_alerts for each row execute function ll.touch();
select ll.tenant_table('safety_alerts', app => 'select, insert, update', system => 'select');

create table safety_interventions (
    tenant_id    uuid        not null,
    id           uuid        not null default uuidv7(),
    venue_id     uuid        not null,
    kind         text        not null,
    status       text        not null default 'open',
    note         text        not null default '',
    visit_id     uuid,
    patron_id    uuid,
    alert_id     uuid,
    incident_id  uuid,
    assigned_to  uuid,
    assigned_at  timestamptz,
    escalation   smallint    not null default 0,
    escalated_at timestamptz,
    recorded_at  timestamptz not null default now(),
    recorded_by  uuid,
    resolved_at  timestamptz,
    resolved_by  uuid,
    outcome      text        not null default '',
    updated_at   timestamptz not null default now(),
    version      bigint      not null default 1,
    constraint safety_interventions_pkey primary key (tenant_id, id),
    constraint safety_interventions_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint safety_interventions_visit_exists foreign key (tenant_id, visit_id) references visits (tenant_id, id),
    constraint safety_interventions_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint safety_interventions_alert_exists foreign key (tenant_id, alert_id) references safety_alerts (tenant_id, id),
    constraint safety_interventions_incident_exists foreign key (tenant_id, incident_id) references incidents (tenant_id, id),
    constraint safety_interventions_kind_known check (kind in ('talk', 'water', 'pause_service', 'escort', 'remove', 'medical', 'other')),
    constraint safety_interventions_status_known check (status in ('open', 'resolved')),
    constraint safety_interventions_resolved_dated check ((status = 'resolved') = (resolved_at is not null))
);
comment on column safety_interventions.note is 'personal: words of staff about a guest';
comment on column safety_interventions.outcome is 'personal: words of staff about a guest';
create index safety_interventions_by_time on safety_interventions (tenant_id, recorded_at desc, id desc);
create index safety_interventions_by_venue on safety_interventions (tenant_id, venue_id, recorded_at desc, id desc);
create index safety_interventions_by_patron on safety_interventions (tenant_id, patron_id, recorded_at desc) where patron_id is not null;
create index safety_interventions_by_visit on safety_interventions (tenant_id, visit_id) where visit_id is not null;
create index safety_interventions_by_alert on safety_interventions (tenant_id, alert_id) where alert_id is not null;
create index safety_interventions_by_incident on safety_interventions (tenant_id, incident_id) where incident_id is not null;
create trigger safety_interventions_touch before update on safety_interventions for each row execute function ll.touch();
select ll.tenant_table('safety_interventions', app => 'select, insert, update');

create table sos_calls (
    tenant_id        uuid        not null,
    id               uuid        not null default uuidv7(),
    venue_id         uuid        not null,
    severity         text        not null,
    place            text        not null,
    note             text        not null default '',
    silent           boolean     not null default false,
    status           text        not null default 'raised',
    incident_id      uuid        not null,
    pressed_by       uuid        not null,
    pressed_at       timestamptz not null,
    received_at      timestamptz not null default now(),
    acknowledged_at  timestamptz,
    response_seconds integer     generated always as (ceil(extract(epoch from acknowledged_at - received_at))::integer) stored,
    resolved_at      timestamptz,
    resolved_by      uuid,
    escalation       smallint    not null default 0,
    escalates_at     timestamptz,
    escalated_at     timestamptz,
    updated_at       timestamptz not null default now(),
    version          bigint      not null default 1,
    constraint sos_calls_pkey primary key (tenant_id, id),
    constraint sos_calls_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint sos_calls_incident_exists foreign key (tenant_id, incident_id) references incidents (tenant_id, id),
    constraint sos_calls_severity_known check (severity in ('assist', 'urgent', 'emergency')),
    constraint sos_calls_status_known check (status in ('raised', 'acknowledged', 'resolved')),
    constraint sos_calls_resolved_dated check ((status = 'resolved') = (resolved_at is not null)),
    constraint sos_calls_place_present check (length(btrim(place)) between 1 and 120),
    constraint sos_calls_escalates_while_raised check (status = 'raised' or escalates_at is null)
);
comment on column sos_calls.pressed_at is 'the phone''s own clock: earlier than received_at when it had no network';
comment on column sos_calls.silent is 'no sound and no sign on the screens near the caller';
comment on column sos_calls.note is 'personal: words of staff, who may name somebody';
create index sos_calls_by_time on sos_calls (tenant_id, received_at desc, id desc);
create index sos_calls_by_venue on sos_calls (tenant_id, venue_id, received_at desc, id desc);
create index sos_calls_by_incident on sos_calls (tenant_id, incident_id);
create index sos_calls_due on sos_calls (tenant_id, escalates_at) where escalates_at is not null;
create trigger sos_calls_touch before update on sos_calls for each row execute function ll.touch();
select ll.tenant_table('sos_calls', app => 'select, insert, update', system => 'select');

create table sos_acknowledgements (
    tenant_id        uuid        not null,
    sos_id           uuid        not null,
    user_id          uuid        not null,
    name             text        not null,
    at               timestamptz not null default now(),
    response_seconds integer     not null,
    constraint sos_acknowledgements_pkey primary key (tenant_id, sos_id, user_id),
    constraint sos_acknowledgements_sos_exists foreign key (tenant_id, sos_id) references sos_calls (tenant_id, id)
);
comment on column sos_acknowledgements.name is 'personal: name; of the member, as it was';
select ll.tenant_table('sos_acknowledgements', app => 'select, insert');

create table incident_entries (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    incident_id uuid        not null,
    at          timestamptz not null default now(),
    user_id     uuid,
    name        text        not null,
    kind        text        not null,
    text        text        not null default '',
    ref_id      uuid,
    constraint incident_entries_pkey primary key (tenant_id, id),
    constraint incident_entries_incident_exists foreign key (tenant_id, incident_id) references incidents (tenant_id, id),
    constraint incident_entries_kind_known check (kind in ('opened', 'note', 'alert', 'intervention', 'sos', 'resolved', 'reopened'))
);
comment on column incident_entries.name is 'personal: name; of the member, as it was';
comment on column incident_entries.text is 'personal: words of staff, who may name somebody';
create index incident_entries_by_incident on incident_entries (tenant_id, incident_id, at, id);
select ll.tenant_table('incident_entries', app => 'select, insert');

create table broadcasts (
    tenant_id uuid        not null,
    id        uuid        not null default uuidv7(),
    venue_id  uuid        not null,
    text      text        not null,
    urgent    boolean     not null default false,
    sent_by   uuid,
    name      text        not null,
    sent_at   timestamptz not null default now(),
    constraint broadcasts_pkey primary key (tenant_id, id),
    constraint broadcasts_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint broadcasts_text_present check (length(btrim(text)) between 1 and 500)
);
comment on column broadcasts.name is 'personal: name; of the member, as it was';
comment on column broadcasts.text is 'personal: words of staff, who may name somebody';
create index broadcasts_by_time on broadcasts (tenant_id, sent_at desc, id desc);
create index broadcasts_by_venue on broadcasts (tenant_id, venue_id, sent_at desc, id desc);
select ll.tenant_table('broadcasts', app => 'select, insert');

create table safety_checks (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    venue_id    uuid        not null,
    visit_id    uuid        not null,
    patron_id   uuid        not null,
    question    text        not null,
    asked_by    uuid,
    asked_at    timestamptz not null default now(),
    expires_at  timestamptz not null,
    answer      text,
    note        text        not null default '',
    answered_at timestamptz,
    missed_at   timestamptz,
    constraint safety_checks_pkey primary key (tenant_id, id),
    constraint safety_checks_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint safety_checks_visit_exists foreign key (tenant_id, visit_id) references visits (tenant_id, id),
    constraint safety_checks_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint safety_checks_answer_known check (answer in ('fine', 'help')),
    constraint safety_checks_answer_dated check ((answer is null) = (answered_at is null))
);
comment on column safety_checks.note is 'personal: words of the guest';
create unique index safety_checks_one_open on safety_checks (tenant_id, visit_id) where answer is null and missed_at is null;
create index safety_checks_by_patron on safety_checks (tenant_id, patron_id, asked_at desc);
create index safety_checks_by_venue on safety_checks (tenant_id, venue_id, asked_at desc, id desc);
create index safety_checks_due on safety_checks (tenant_id, expires_at) where answer is null and missed_at is null;
select ll.tenant_table('safety_checks', guest => 'own', app => 'select, insert, update', system => 'select');

create table safety_log (
    tenant_id uuid        not null,
    id        uuid        not null default uuidv7(),
    venue_id  uuid        not null,
    at        timestamptz not null default now(),
    user_id   uuid,
    name      text        not null,
    what      text        not null,
    entity    text        not null,
    entity_id uuid        not null,
    patron_id uuid,
    text      text        not null default '',
    constraint safety_log_pkey primary key (tenant_id, id),
    constraint safety_log_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id)
);
comment on column safety_log.name is 'personal: name; of the member, as it was';
comment on column safety_log.text is 'personal: words of staff, who may name somebody';
create index safety_log_by_time on safety_log (tenant_id, at desc, id desc);
create index safety_log_by_venue on safety_log (tenant_id, venue_id, at desc, id desc);
create index safety_log_by_entity on safety_log (tenant_id, entity_id, at);
select ll.tenant_table('safety_log', app => 'select, insert');

-- Not even the tables' owner changes what was written here.
create trigger safety_log_append_only before update or delete on safety_log for each row execute function ll.append_only();
create trigger incident_entries_append_only before update or delete on incident_entries for each row execute function ll.append_only();
