-- The mechanisms that every domain uses: idempotency keys, the outbox, events, the audit chain.

create table idempotency_keys (
    tenant_id    uuid        not null,
    principal    text        not null,
    key          text        not null,
    operation    text        not null,
    request_hash bytea       not null,
    status       integer     not null,
    body         bytea       not null,
    headers      jsonb       not null default '{}',
    user_id      uuid,
    created_at   timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (tenant_id, principal, key)
);
comment on column idempotency_keys.principal is 'user:<id>, or session-less callers by what they present; a key of one principal says nothing to another';
create index idempotency_keys_by_age on idempotency_keys using brin (created_at);
select ll.tenant_table('idempotency_keys', guest => 'append', app => 'select, insert', system => 'select, insert, delete', platform => 'select, insert');
-- A guest reads back the answers to its own keys only.
drop policy guest_reads on idempotency_keys;
create policy guest_reads on idempotency_keys as restrictive for select to lastlight_app
    using ((select ll.patron_id()) is null or user_id = (select ll.user_id()));

-- Written in the transaction of the change; the relay moves rows on, in commit order, below the transaction-id horizon.
create table outbox (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    xid         xid8        not null default pg_current_xact_id(),
    position    bigint      not null generated always as identity,
    name        text        not null,
    version     integer     not null,
    at          timestamptz not null default now(),
    venue_id    uuid,
    patron_id   uuid,
    audience    text,
    data        jsonb       not null,
    entity      text        not null default '',
    entity_id   text        not null default '',
    actor       jsonb       not null,
    audit       text        not null,
    constraint outbox_pkey primary key (tenant_id, id)
);
comment on column outbox.audience is 'the permission that hears it; null: nobody but the patron it concerns';
comment on column outbox.audit is 'canonical JSON of before, after and reason: hashed as it stands';
create index outbox_in_order on outbox (xid, position);
select ll.tenant_table('outbox', guest => 'append', app => 'insert', system => 'select, insert, delete', platform => 'insert');
-- No one but the relay reads it back.

create table tenant_sequences (
    tenant_id uuid   not null,
    seq       bigint not null default 0,
    hash      bytea  not null default '\x0000000000000000000000000000000000000000000000000000000000000000',
    constraint tenant_sequences_pkey primary key (tenant_id)
);
select ll.tenant_table('tenant_sequences', guest => 'read', app => 'select', system => 'select, insert, update');

create table events (
    tenant_id uuid        not null,
    seq       bigint      not null,
    position  bigint      not null generated always as identity,
    id        uuid        not null,
    name      text        not null,
    version   integer     not null,
    at        timestamptz not null,
    venue_id  uuid,
    patron_id uuid,
    audience  text,
    data      jsonb       not null,
    constraint events_pkey primary key (tenant_id, seq)
);
create index events_by_position on events (position);
create index events_by_patron on events (tenant_id, patron_id, seq) where patron_id is not null;
select ll.tenant_table('events', guest => 'own', app => 'select', system => 'select, insert, delete');

create table audit_entries (
    tenant_id uuid        not null,
    seq       bigint      not null,
    id        uuid        not null,
    at        timestamptz not null,
    name      text        not null,
    entity    text        not null,
    entity_id text        not null,
    venue_id  uuid,
    actor_kind text       not null,
    actor_id  uuid,
    origin    text        not null,
    salt      bytea,
    payload   text,
    digest    bytea       not null,
    hash      bytea       not null,
    constraint audit_entries_pkey primary key (tenant_id, seq)
);
comment on column audit_entries.payload is 'personal: who, before, after, reason, address; canonical JSON, dropped with its salt by retention or erasure while digest and hash stay';
create index audit_entries_by_entity on audit_entries (tenant_id, entity, entity_id, seq desc);
create index audit_entries_by_actor on audit_entries (tenant_id, actor_id, seq desc);
create index audit_entries_by_name on audit_entries (tenant_id, name, seq desc);
select ll.tenant_table('audit_entries', app => 'select', system => 'select, insert');

create table audit_checkpoints (
    tenant_id uuid        not null,
    seq       bigint      not null,
    hash      bytea       not null,
    at        timestamptz not null default now(),
    signature bytea       not null,
    constraint audit_checkpoints_pkey primary key (tenant_id, seq)
);
select ll.tenant_table('audit_checkpoints', app => 'select', system => 'select, insert');

-- Append-only, whoever asks: edits and deletions raise, also for the owner; TRUNCATE is granted to no role.
create function ll.append_only() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'LL003';
end $$;
create trigger audit_entries_append_only before update or delete on audit_entries for each row execute function ll.append_only();
create trigger audit_checkpoints_append_only before update or delete on audit_checkpoints for each row execute function ll.append_only();
