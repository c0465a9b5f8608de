-- People at work: tasks, shifts that are planned, time that is clocked, and the feed of one's shifts.

-- Equality of ids inside an exclusion constraint.
create extension if not exists btree_gist;

-- Tasks --------------------------------------------------------------------------------------------------------------
create table task_recurrences (
    tenant_id      uuid        not null,
    id             uuid        not null default uuidv7(),
    venue_id       uuid        not null,
    title          text        not null,
    details        text        not null default '',
    priority       text        not null default 'normal',
    assignee_id    uuid,
    every          text        not null,
    weekdays       smallint[]  not null default '{}',
    month_day      smallint,
    due_minute     smallint    not null,
    lead_minutes   integer     not null default 60,
    remind_minutes integer,
    next_due_at    timestamptz not null,
    created_by     uuid,
    ended_at       timestamptz,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    version        bigint      not null default 1,
    constraint task_recurrences_pkey primary key (tenant_id, id),
    constraint task_recurrences_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint task_recurrences_assignee_exists foreign key (assignee_id) references users (id),
    constraint task_recurrences_author_exists foreign key (created_by) references users (id),
    constraint task_recurrences_title_present check (length(btrim(title)) between 1 and 160),
    constraint task_recurrences_priority_known check (priority in ('low', 'normal', 'high', 'urgent')),
    constraint task_recurrences_every_known check (every in ('day', 'week', 'month')),
    constraint task_recurrences_weekdays_real check (weekdays <@ array[1, 2, 3, 4, 5, 6, 7]::smallint[] and (every = 'week') = (cardinality(weekdays) > 0)),
    constraint task_recurrences_month_day_real check (month_day between 1 and 31 and (every = 'month') = (month_day is not null)),
    constraint task_recurrences_due_real check (due_minute between 0 and 1439),
    constraint task_recurrences_lead_real check (lead_minutes between 0 and 10080),
    constraint task_recurrences_remind_real check (remind_minutes between 0 and 10080)
);
comment on table task_recurrences is 'tasks that come again: each makes its next task before that one is due';
comment on column task_recurrences.weekdays is 'ISO days of the week, 1 is Monday, for those of a week';
comment on column task_recurrences.month_day is 'for those of a month; a shorter month has it on its last day';
comment on column task_recurrences.due_minute is 'the minute of the day, on the venue''s clock, at which each task is due';
comment on column task_recurrences.lead_minutes is 'how long before that its task is created';
create index task_recurrences_due on task_recurrences (tenant_id, next_due_at) where ended_at is null;
create index task_recurrences_by_venue on task_recurrences (tenant_id, venue_id, id);
create trigger task_recurrences_touch before update on task_recurrences for each row execute function ll.touch();
select ll.tenant_table('task_recurrences', app => 'select, insert, update', system => 'select');

create table tasks (
    tenant_id     uuid        not null,
    id            uuid        not null default uuidv7(),
    venue_id      uuid        not null,
    title         text        not null,
    details       text        not null default '',
    priority      text        not null default 'normal',
    status        text        not null default 'open',
    assignee_id   uuid,
    created_by    uuid,
    source        text        not null default 'person',
    source_id     uuid,
    recurrence_id uuid,
    due_at        timestamptz,
    remind_at     timestamptz,
    reminded_at   timestamptz,
    assigned_at   timestamptz,
    started_at    timestamptz,
    started_by    uuid,
    ended_at      timestamptz,
    ended_by      uuid,
    outcome       text        not null default '',
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    version       bigint      not null default 1,
    constraint tasks_pkey primary key (tenant_id, id),
    constraint tasks_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint tasks_recurrence_exists foreign key (tenant_id, recurrence_id) references task_recurrences (tenant_id, id),
    constraint tasks_assignee_exists foreign key (assignee_id) references users (id),
    constraint tasks_author_exists foreign key (created_by) references users (id),
    constraint tasks_starter_exists foreign key (started_by) references users (id),
    constraint tasks_ender_exists foreign key (ended_by) references users (id),
    constraint tasks_title_present check (length(btrim(title)) between 1 and 160),
    constraint tasks_priority_known check (priority in ('low', 'normal', 'high', 'urgent')),
    constraint tasks_status_known check (status in ('open', 'started', 'done', 'cancelled')),
    constraint tasks_started_dated check (status <> 'started' or (started_at is not null and assignee_id is not null)),
    constraint tasks_ended_dated check ((status in ('done', 'cancelled')) = (ended_at is not null)),
    constraint tasks_assigned_dated check (assignee_id is null or assigned_at is not null)
);
comment on table tasks is 'what somebody is to do at a venue, for people, other parts of the platform, or because it comes again';
comment on column tasks.source is 'person, recurrence, or the part of the platform that asked for it';
comment on column tasks.source_id is 'the thing that it is about; a thing has one task of a source that is not ended';
create unique index tasks_source_once on tasks (tenant_id, source, source_id) where source_id is not null and status in ('open', 'started');
create unique index tasks_occurrence_once on tasks (tenant_id, recurrence_id, due_at) where recurrence_id is not null;
create index tasks_by_time on tasks (tenant_id, created_at desc, id desc);
create index tasks_by_venue on tasks (tenant_id, venue_id, created_at desc, id desc);
create index tasks_by_assignee on tasks (tenant_id, assignee_id, created_at desc, id desc);
create index tasks_to_remind on tasks (tenant_id, remind_at) where reminded_at is null and status in ('open', 'started');
create trigger tasks_touch before update on tasks for each row execute function ll.touch();
select ll.tenant_table('tasks', app => 'select, insert, update', system => 'select');

create table task_comments (
    tenant_id  uuid        not null,
    id         uuid        not null default uuidv7(),
    task_id    uuid        not null,
    author_id  uuid,
    body       text        not null,
    created_at timestamptz not null default now(),
    constraint task_comments_pkey primary key (tenant_id, id),
    constraint task_comments_task_exists foreign key (tenant_id, task_id) references tasks (tenant_id, id),
    constraint task_comments_author_exists foreign key (author_id) references users (id),
    constraint task_comments_body_present check (length(btrim(body)) between 1 and 2000)
);
comment on table task_comments is 'what was said about a task; never edited';
create index task_comments_by_task on task_comments (tenant_id, task_id, id);
select ll.tenant_table('task_comments', app => 'select, insert');

-- Schedules ----------------------------------------------------------------------------------------------------------
create table shifts (
    tenant_id    uuid        not null,
    id           uuid        not null default uuidv7(),
    venue_id     uuid        not null,
    user_id      uuid,
    duty         text        not null default '',
    note         text        not null default '',
    starts_at    timestamptz not null,
    ends_at      timestamptz not null,
    status       text        not null default 'planned',
    published_at timestamptz,
    created_by   uuid,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    version      bigint      not null default 1,
    constraint shifts_pkey primary key (tenant_id, id),
    constraint shifts_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint shifts_user_exists foreign key (user_id) references users (id),
    constraint shifts_author_exists foreign key (created_by) references users (id),
    constraint shifts_status_known check (status in ('planned', 'published', 'cancelled')),
    constraint shifts_published_dated check (status <> 'published' or published_at is not null),
    constraint shifts_length_real check (ends_at > starts_at and ends_at <= starts_at + interval '24 hours'),
    -- Deferrable, so that one statement can exchange the people of two shifts.
    constraint shifts_overlap exclude using gist (tenant_id with =, user_id with =, tstzrange(starts_at, ends_at) with &&)
        where (status <> 'cancelled') deferrable initially immediate
);
comment on table shifts is 'when somebody is to work where: planned, then published; one without a person is open';
create index shifts_by_time on shifts (tenant_id, starts_at desc, id desc);
create index shifts_by_venue on shifts (tenant_id, venue_id, starts_at desc, id desc);
create index shifts_by_user on shifts (tenant_id, user_id, starts_at desc, id desc);
create trigger shifts_touch before update on shifts for each row execute function ll.touch();
select ll.tenant_table('shifts', app => 'select, insert, update', system => 'select');

create table shift_swaps (
    tenant_id     uuid        not null,
    id            uuid        not null default uuidv7(),
    venue_id      uuid        not null,
    shift_id      uuid        not null,
    from_user_id  uuid        not null,
    to_user_id    uuid        not null,
    for_shift_id  uuid,
    status        text        not null default 'asked',
    reason        text        not null default '',
    answered_at   timestamptz,
    decided_at    timestamptz,
    decided_by    uuid,
    decision_note text        not null default '',
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    version       bigint      not null default 1,
    constraint shift_swaps_pkey primary key (tenant_id, id),
    constraint shift_swaps_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint shift_swaps_shift_exists foreign key (tenant_id, shift_id) references shifts (tenant_id, id),
    constraint shift_swaps_for_shift_exists foreign key (tenant_id, for_shift_id) references shifts (tenant_id, id),
    constraint shift_swaps_giver_exists foreign key (from_user_id) references users (id),
    constraint shift_swaps_taker_exists foreign key (to_user_id) references users (id),
    constraint shift_swaps_decider_exists foreign key (decided_by) references users (id),
    constraint shift_swaps_two_people check (from_user_id <> to_user_id),
    constraint shift_swaps_two_shifts check (for_shift_id <> shift_id),
    constraint shift_swaps_status_known check (status in ('asked', 'accepted', 'declined', 'approved', 'refused', 'withdrawn')),
    constraint shift_swaps_decided check ((status in ('approved', 'refused')) = (decided_by is not null))
);
comment on table shift_swaps is 'a shift that one hands to another, perhaps for one of theirs: asked, accepted by them, approved by who plans';
create unique index shift_swaps_open_once on shift_swaps (tenant_id, shift_id) where status in ('asked', 'accepted');
create index shift_swaps_by_time on shift_swaps (tenant_id, created_at desc, id desc);
create trigger shift_swaps_touch before update on shift_swaps for each row execute function ll.touch();
select ll.tenant_table('shift_swaps', app => 'select, insert, update');

-- Clocked time -------------------------------------------------------------------------------------------------------
create table time_entries (
    tenant_id     uuid        not null,
    id            uuid        not null default uuidv7(),
    venue_id      uuid        not null,
    user_id       uuid        not null,
    shift_id      uuid,
    status        text        not null default 'open',
    started_at    timestamptz not null,
    ended_at      timestamptz,
    break_seconds integer     not null default 0,
    worked_seconds integer    generated always as (floor(extract(epoch from ended_at - started_at))::integer - break_seconds) stored,
    business_day  date        not null,
    in_position   jsonb,
    out_position  jsonb,
    corrected_at  timestamptz,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    version       bigint      not null default 1,
    constraint time_entries_pkey primary key (tenant_id, id),
    constraint time_entries_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint time_entries_user_exists foreign key (user_id) references users (id),
    constraint time_entries_shift_exists foreign key (tenant_id, shift_id) references shifts (tenant_id, id),
    constraint time_entries_status_known check (status in ('open', 'closed', 'voided')),
    constraint time_entries_ended_dated check (status = 'voided' or (status = 'open') = (ended_at is null)),
    constraint time_entries_in_order check (ended_at >= started_at),
    constraint time_entries_breaks_fit check (break_seconds >= 0 and (ended_at is null or break_seconds <= extract(epoch from ended_at - started_at))),
    constraint time_entries_overlap exclude using gist (tenant_id with =, user_id with =, tstzrange(started_at, ended_at) with &&)
        where (status <> 'voided')
);
comment on table time_entries is 'time that somebody was clocked in at a venue';
comment on column time_entries.in_position is 'personal: position; where the phone was at clocking in, and what the fence said';
comment on column time_entries.out_position is 'personal: position; the same at clocking out';
create unique index time_entries_one_open on time_entries (tenant_id, user_id) where status = 'open';
create index time_entries_by_time on time_entries (tenant_id, started_at desc, id desc);
create index time_entries_by_venue on time_entries (tenant_id, venue_id, started_at desc, id desc);
create index time_entries_by_user on time_entries (tenant_id, user_id, started_at desc, id desc);
create trigger time_entries_touch before update on time_entries for each row execute function ll.touch();
select ll.tenant_table('time_entries', app => 'select, insert, update');

create table time_breaks (
    tenant_id  uuid        not null,
    id         uuid        not null default uuidv7(),
    entry_id   uuid        not null,
    started_at timestamptz not null default now(),
    ended_at   timestamptz,
    constraint time_breaks_pkey primary key (tenant_id, id),
    constraint time_breaks_entry_exists foreign key (tenant_id, entry_id) references time_entries (tenant_id, id),
    constraint time_breaks_in_order check (ended_at >= started_at)
);
comment on table time_breaks is 'breaks within clocked time; one at a time';
create unique index time_breaks_one_open on time_breaks (tenant_id, entry_id) where ended_at is null;
create index time_breaks_by_entry on time_breaks (tenant_id, entry_id, started_at);
select ll.tenant_table('time_breaks', app => 'select, insert, update');

create table time_corrections (
    tenant_id     uuid        not null,
    id            uuid        not null default uuidv7(),
    venue_id      uuid        not null,
    user_id       uuid        not null,
    entry_id      uuid,
    started_at    timestamptz not null,
    ended_at      timestamptz not null,
    break_seconds integer     not null,
    reason        text        not null,
    status        text        not null default 'asked',
    asked_by      uuid        not null,
    decided_at    timestamptz,
    decided_by    uuid,
    decision_note text        not null default '',
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    version       bigint      not null default 1,
    constraint time_corrections_pkey primary key (tenant_id, id),
    constraint time_corrections_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint time_corrections_entry_exists foreign key (tenant_id, entry_id) references time_entries (tenant_id, id),
    constraint time_corrections_user_exists foreign key (user_id) references users (id),
    constraint time_corrections_asker_exists foreign key (asked_by) references users (id),
    constraint time_corrections_decider_exists foreign key (decided_by) references users (id),
    constraint time_corrections_reason_present check (length(btrim(reason)) between 1 and 500),
    constraint time_corrections_status_known check (status in ('asked', 'approved', 'refused', 'withdrawn')),
    constraint time_corrections_decided check ((status in ('approved', 'refused')) = (decided_by is not null)),
    constraint time_corrections_other_eyes check (decided_by <> asked_by and decided_by <> user_id),
    constraint time_corrections_times_real check (ended_at > started_at and ended_at <= started_at + interval '24 hours'),
    constraint time_corrections_breaks_fit check (break_seconds >= 0 and break_seconds <= extract(epoch from ended_at - started_at))
);
comment on table time_corrections is 'how clocked time should read, says somebody; it counts once another approves it';
comment on column time_corrections.entry_id is 'null: time that was never clocked; set when it is approved';
create unique index time_corrections_open_once on time_corrections (tenant_id, entry_id) where status = 'asked' and entry_id is not null;
create index time_corrections_by_time on time_corrections (tenant_id, created_at desc, id desc);
create trigger time_corrections_touch before update on time_corrections for each row execute function ll.touch();
select ll.tenant_table('time_corrections', app => 'select, insert, update');

-- The feed of one's shifts: a secret address for calendars, which cannot sign in.
create table calendar_feeds (
    tenant_id   uuid        not null,
    user_id     uuid        not null,
    secret_hash bytea       not null,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    version     bigint      not null default 1,
    constraint calendar_feeds_pkey primary key (tenant_id, user_id),
    constraint calendar_feeds_user_exists foreign key (user_id) references users (id),
    constraint calendar_feeds_secret_once unique (tenant_id, secret_hash)
);
comment on table calendar_feeds is 'secret addresses of calendars, by their hash; renewing one ends the old';
create trigger calendar_feeds_touch before update on calendar_feeds for each row execute function ll.touch();
select ll.tenant_table('calendar_feeds', system => 'select', platform => '');
