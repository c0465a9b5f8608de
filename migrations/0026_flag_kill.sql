-- A feature that does harm is switched off for everybody at once, whatever businesses answer for themselves; and back as it was.
alter table feature_flags add column killed_at timestamptz;
alter table feature_flags add column killed_reason text not null default '';
alter table feature_flags add constraint feature_flags_kill_reasoned check ((killed_at is null) = (killed_reason = ''));
comment on column feature_flags.killed_at is 'since when it is off for everybody, before any other answer';
