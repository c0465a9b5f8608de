-- Sessions that only look: the venues of a preview, how long a look may last, and a database that refuses them any write.
alter table sessions add column preview_venue_ids uuid[];
alter table sessions add constraint sessions_looks_lead_back check ((preview_role_id is null and impersonator_id is null) = (parent_id is null));
alter table sessions add constraint sessions_preview_short
    check (preview_role_id is null or expires_at <= created_at + interval '30 minutes');
alter table sessions add constraint sessions_impersonation_short
    check (impersonator_id is null or expires_at <= created_at + interval '60 minutes');
alter table sessions add constraint sessions_preview_venues_some
    check (preview_venue_ids is null or (preview_role_id is not null and cardinality(preview_venue_ids) > 0));
comment on column sessions.preview_venue_ids is 'the venues that a preview is held to; null: all of them';

-- A look in a transaction that could write is refused before anything else happens in it.
create or replace function ll.enter(session uuid, expected bigint) returns timestamptz language plpgsql stable as $$
declare s record;
begin
    select version, revoked_at, expires_at, parent_id into s from public.sessions where id = session;
    if not found or s.revoked_at is not null or s.expires_at <= now() then
        raise exception 'session ended' using errcode = 'LL001';
    end if;
    if s.version <> expected then
        raise exception 'session changed' using errcode = 'LL002';
    end if;
    if s.parent_id is not null and current_setting('transaction_read_only') <> 'on' then
        raise exception 'session only looks' using errcode = 'LL003';
    end if;
    return now();
end $$;
