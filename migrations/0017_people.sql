-- People and crew: invitations, sanctions with an end, second factors, and sessions that only look.

-- Invitations --------------------------------------------------------------------------------------------------------
create table invitations (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    email       text        not null,
    name        text        not null default '',
    role_id     uuid        not null,
    venue_ids   uuid[],
    status      text        not null default 'open',
    note        text        not null default '',
    token_hash  bytea,
    invited_by  uuid,
    member_id   uuid,
    expires_at  timestamptz not null,
    sent_at     timestamptz,
    sent_count  integer     not null default 0,
    closed_at   timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    version     bigint      not null default 1,
    constraint invitations_pkey primary key (tenant_id, id),
    constraint invitations_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint invitations_role_exists foreign key (tenant_id, role_id) references roles (tenant_id, id),
    constraint invitations_member_exists foreign key (tenant_id, member_id) references memberships (tenant_id, id),
    constraint invitations_inviter_exists foreign key (invited_by) references users (id),
    constraint invitations_status_known check (status in ('open', 'accepted', 'revoked', 'expired')),
    constraint invitations_email_lower check (email = lower(email) and email like '%_@_%'),
    constraint invitations_venues_some check (venue_ids is null or cardinality(venue_ids) > 0),
    constraint invitations_closed_dated check ((status = 'open') = (closed_at is null)),
    constraint invitations_accepted_by_a_member check ((status = 'accepted') = (member_id is not null))
);
comment on table invitations is 'roles offered to an e-mail address; nobody holds anything before they accept';
comment on column invitations.email is 'personal: contact';
comment on column invitations.name is 'personal: name';
comment on column invitations.venue_ids is 'null: every venue of the tenant';
comment on column invitations.token_hash is 'digest of the link last sent; an earlier one no longer works';
create unique index invitations_open_once on invitations (tenant_id, email, role_id) where status = 'open';
create unique index invitations_token on invitations (tenant_id, token_hash) where token_hash is not null;
create index invitations_by_time on invitations (tenant_id, created_at desc, id desc);
create index invitations_by_role on invitations (tenant_id, role_id);
create index invitations_by_member on invitations (tenant_id, member_id) where member_id is not null;
create index invitations_by_inviter on invitations (invited_by) where invited_by is not null;
create index invitations_due on invitations (tenant_id, expires_at) where status = 'open';
create trigger invitations_touch before update on invitations for each row execute function ll.touch();
select ll.tenant_table('invitations', app => 'select, insert, update', system => 'select, insert, update', platform => 'select, insert, update');

-- Sanctions: the present standing is on the guest or the account, the history here ---------------------------------
create table sanctions (
    tenant_id  uuid        not null,
    id         uuid        not null default uuidv7(),
    user_id    uuid        not null,
    patron_id  uuid,
    kind       text        not null,
    reason     text        not null,
    imposed_by uuid,
    imposed_at timestamptz not null default now(),
    ends_at    timestamptz,
    ended_at   timestamptz,
    ended_by   uuid,
    end_reason text        not null default '',
    constraint sanctions_pkey primary key (tenant_id, id),
    constraint sanctions_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint sanctions_user_exists foreign key (user_id) references users (id),
    constraint sanctions_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint sanctions_kind_known check (kind in ('suspended', 'soft_banned', 'banned')),
    constraint sanctions_reason_present check (length(btrim(reason)) between 1 and 500),
    constraint sanctions_end_later check (ends_at is null or ends_at > imposed_at)
);
comment on table sanctions is 'what was imposed on a guest (or, under the platform, on an account), why, by whom and until when';
create unique index sanctions_one_of_patron on sanctions (tenant_id, patron_id) where ended_at is null and patron_id is not null;
create unique index sanctions_one_of_user on sanctions (tenant_id, user_id) where ended_at is null and patron_id is null;
create index sanctions_by_patron on sanctions (tenant_id, patron_id, imposed_at desc) where patron_id is not null;
create index sanctions_by_user on sanctions (tenant_id, user_id, imposed_at desc);
create index sanctions_due on sanctions (tenant_id, ends_at) where ended_at is null and ends_at is not null;
select ll.tenant_table('sanctions', app => 'select, insert, update', system => 'select, insert, update', platform => 'select, insert, update');

alter table users drop constraint users_status_known;
alter table users add constraint users_status_known check (status in ('active', 'suspended', 'soft_banned', 'banned', 'closed'));
alter table patrons drop constraint patrons_status_known;
alter table patrons add constraint patrons_status_known check (status in ('active', 'suspended', 'soft_banned', 'banned'));
alter table patrons add column verified_at timestamptz;
alter table patrons add column verified_by uuid;
alter table patrons add constraint patrons_verifier_exists foreign key (verified_by) references users (id);
comment on column patrons.status is 'soft_banned: may look and may not come in; banned: neither';
comment on column patrons.verified_at is 'when somebody at the business saw who this is';
create index patrons_by_verifier on patrons (verified_by) where verified_by is not null;
create index patrons_by_time on patrons (tenant_id, created_at desc, id desc);
grant update on patrons to lastlight_platform;

-- Second factors -----------------------------------------------------------------------------------------------------
create table authenticators (
    user_id      uuid        not null,
    secret       bytea       not null,
    confirmed_at timestamptz,
    last_step    bigint      not null default 0,
    created_at   timestamptz not null default now(),
    constraint authenticators_pkey primary key (user_id),
    constraint authenticators_user_exists foreign key (user_id) references users (id) on delete cascade
);
comment on table authenticators is 'the secret that an authenticator app shares with us (RFC 6238), sealed';
comment on column authenticators.last_step is 'the time step of the last accepted code: it and earlier ones are spent';
select ll.global_table('authenticators');
grant select, insert, update, delete on authenticators to lastlight_system;
create policy system_rows on authenticators for all to lastlight_system using (true) with check (true);

create table recovery_codes (
    user_id    uuid        not null,
    hash       bytea       not null,
    created_at timestamptz not null default now(),
    used_at    timestamptz,
    constraint recovery_codes_pkey primary key (user_id, hash),
    constraint recovery_codes_user_exists foreign key (user_id) references users (id) on delete cascade
);
comment on table recovery_codes is 'each lets its owner in once without their second factor';
select ll.global_table('recovery_codes');
grant select, insert, update, delete on recovery_codes to lastlight_system;
create policy system_rows on recovery_codes for all to lastlight_system using (true) with check (true);

create table passkeys (
    id            uuid        not null default uuidv7(),
    user_id       uuid        not null,
    credential_id bytea       not null,
    public_key    bytea       not null,
    sign_count    bigint      not null default 0,
    label         text        not null,
    transports    text[]      not null default '{}',
    backed_up     boolean     not null default false,
    created_at    timestamptz not null default now(),
    last_used_at  timestamptz,
    constraint passkeys_pkey primary key (id),
    constraint passkeys_credential_once unique (credential_id),
    constraint passkeys_user_exists foreign key (user_id) references users (id) on delete cascade,
    constraint passkeys_label_present check (length(btrim(label)) between 1 and 80)
);
comment on table passkeys is 'public keys of WebAuthn credentials';
create index passkeys_by_user on passkeys (user_id, created_at);
select ll.global_table('passkeys');
grant select, insert, update, delete on passkeys to lastlight_system;
create policy system_rows on passkeys for all to lastlight_system using (true) with check (true);

create table passkey_challenges (
    challenge  bytea       not null,
    user_id    uuid,
    purpose    text        not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint passkey_challenges_pkey primary key (challenge),
    constraint passkey_challenges_user_exists foreign key (user_id) references users (id) on delete cascade,
    constraint passkey_challenges_purpose_known check (purpose in ('register', 'sign_in', 'confirm'))
);
comment on table passkey_challenges is 'what a passkey is asked to sign: good once, for five minutes';
create index passkey_challenges_by_user on passkey_challenges (user_id) where user_id is not null;
create index passkey_challenges_by_end on passkey_challenges (expires_at);
select ll.global_table('passkey_challenges');
grant select, insert, update, delete on passkey_challenges to lastlight_system;
create policy system_rows on passkey_challenges for all to lastlight_system using (true) with check (true);

alter table roles add column second_factor boolean not null default false;
comment on column roles.second_factor is 'the role gives nothing to a session that was opened without a second factor';

-- Sessions that only look: the preview of a role, and the crew in somebody's place ---------------------------------
alter table sessions add column second_factor_at timestamptz;
alter table sessions add column preview_role_id uuid;
alter table sessions add column impersonator_id uuid;
alter table sessions add column parent_id uuid;
alter table sessions add constraint sessions_impersonator_exists foreign key (impersonator_id) references users (id);
alter table sessions add constraint sessions_parent_exists foreign key (parent_id) references sessions (id);
alter table sessions add constraint sessions_impersonation_reasoned check (impersonator_id is null or (reason <> '' and impersonator_id <> user_id));
alter table sessions add constraint sessions_one_view check (preview_role_id is null or impersonator_id is null);
comment on column sessions.second_factor_at is 'when the second factor was shown in this session';
comment on column sessions.preview_role_id is 'the session sees what this role would, and writes nothing';
comment on column sessions.impersonator_id is 'who of the crew looks through the eyes of the session''s user, and writes nothing';
comment on column sessions.parent_id is 'the session to which the end of a preview or an impersonation leads back';
create index sessions_by_impersonator on sessions (impersonator_id, created_at desc) where impersonator_id is not null;
create index sessions_by_parent on sessions (parent_id) where parent_id is not null;
