-- People at work, more of it: open shifts that somebody takes, clock-outs that were forgotten, shifts that one is reminded of.

alter table shift_swaps alter column from_user_id drop not null;
alter table shift_swaps
    add constraint shift_swaps_open_is_taken check (from_user_id is not null or (for_shift_id is null and status not in ('asked', 'declined')));
comment on column shift_swaps.from_user_id is 'null: the shift was nobody''s, and its taker asked for it';

alter table time_entries add column forgotten_at timestamptz;
comment on column time_entries.forgotten_at is 'when it was noticed that nobody clocked out; the time itself is only ever corrected by people';
create index time_entries_running on time_entries (tenant_id, started_at) where status = 'open' and forgotten_at is null;
grant select on time_entries to lastlight_system;
create policy system_rows on time_entries for all to lastlight_system using (true) with check (true);

alter table shifts add column reminded_at timestamptz;
comment on column shifts.reminded_at is 'when its person was reminded that it is about to begin';
create index shifts_to_remind on shifts (tenant_id, starts_at) where status = 'published' and reminded_at is null and user_id is not null;
