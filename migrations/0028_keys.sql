-- Since when each secret of the deployment is as it is, by fingerprint; and a rotation that seals again what lies under earlier keys.
create table secret_sightings (
    name          text        not null,
    fingerprint   text        not null,
    first_seen_at timestamptz not null default now(),
    last_seen_at  timestamptz not null default now(),
    constraint secret_sightings_pkey primary key (name, fingerprint),
    constraint secret_sightings_short check (fingerprint ~ '^[0-9a-f]{8}$')
);
comment on table secret_sightings is 'fingerprints of the deployment''s secrets, noted by a job; never a secret';
select ll.global_table('secret_sightings');
grant select, insert, update on secret_sightings to lastlight_system;
create policy system_rows on secret_sightings for all to lastlight_system using (true) with check (true);

grant update (secret) on venue_keys to lastlight_system;
