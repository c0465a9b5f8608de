-- What the screens of safety need: whom to ring, who has seen a broadcast, who goes to an SOS call; and what the log may forget.

create table emergency_contacts (
    tenant_id  uuid        not null,
    id         uuid        not null default uuidv7(),
    venue_id   uuid        not null,
    contacts   jsonb       not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version    bigint      not null default 1,
    constraint emergency_contacts_pkey primary key (tenant_id, id),
    constraint emergency_contacts_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint emergency_contacts_one_a_venue unique (tenant_id, venue_id),
    constraint emergency_contacts_few check (jsonb_typeof(contacts) = 'array' and jsonb_array_length(contacts) <= 8)
);
comment on table emergency_contacts is 'whom a venue calls in an emergency, in the order of calling';
comment on column emergency_contacts.contacts is 'personal: name, phone, email; of those to call';
create trigger emergency_contacts_touch before update on emergency_contacts for each row execute function ll.touch();
select ll.tenant_table('emergency_contacts', app => 'select, insert, update');

create table broadcast_receipts (
    tenant_id    uuid        not null,
    broadcast_id uuid        not null,
    user_id      uuid        not null,
    name         text        not null,
    seen_at      timestamptz not null default now(),
    constraint broadcast_receipts_pkey primary key (tenant_id, broadcast_id, user_id),
    constraint broadcast_receipts_broadcast_exists foreign key (tenant_id, broadcast_id) references broadcasts (tenant_id, id)
);
comment on table broadcast_receipts is 'who has seen a broadcast, and when';
comment on column broadcast_receipts.name is 'personal: name; of the member, as it was';
select ll.tenant_table('broadcast_receipts', app => 'select, insert');

alter table sos_acknowledgements add column coming_at timestamptz;
comment on column sos_acknowledgements.coming_at is 'when they said that they are on the way; null: they heard it';
grant update (coming_at) on sos_acknowledgements to lastlight_app;

-- After its years a line forgets its words and people; that it was written, when and about what stays. Every other edit
-- raises, whoever asks, and so does forgetting a line that is younger than three years.
create function ll.safety_forgets_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and old.at < now() - interval '3 years' and new.text = '' and new.name = '' and new.user_id is null
        and (to_jsonb(new) ->> 'patron_id') is null
        and to_jsonb(new) - array['text', 'name', 'user_id', 'patron_id'] = to_jsonb(old) - array['text', 'name', 'user_id', 'patron_id'] then
        return new;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'LL003';
end $$;
revoke execute on function ll.safety_forgets_only() from public;
drop trigger safety_log_append_only on safety_log;
drop trigger incident_entries_append_only on incident_entries;
create trigger safety_log_append_only before update or delete on safety_log for each row execute function ll.safety_forgets_only();
create trigger incident_entries_append_only before update or delete on incident_entries for each row execute function ll.safety_forgets_only();
create policy system_rows on safety_log for all to lastlight_system using (true) with check (true);
create policy system_rows on incident_entries for all to lastlight_system using (true) with check (true);
grant select, update (text, name, user_id, patron_id) on safety_log to lastlight_system;
grant select, update (text, name, user_id) on incident_entries to lastlight_system;
create index safety_log_remembered on safety_log (at) where name <> '';
create index incident_entries_remembered on incident_entries (at) where name <> '';
