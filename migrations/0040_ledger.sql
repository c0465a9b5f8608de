-- The double-entry ledger. A posting is one row that moves an amount from a source to a destination account: the source is debited, the
-- destination credited, so that nothing unbalanced can be written down. A transaction is the postings that share an id.
-- Only the functions below write. They run as the owner, who is held to the tenant by policies like everybody else.

create sequence ledger_order;

-- Accounts -----------------------------------------------------------------------------------------------------------
create table ledger_accounts (
    tenant_id  uuid        not null,
    id         uuid        not null,
    dr         bigint      not null default 0,
    cr         bigint      not null default 0,
    dr_pending bigint      not null default 0,
    cr_pending bigint      not null default 0,
    version    bigint      not null default 0,
    moved_at   timestamptz not null default '-infinity',
    floor      bigint,
    opened_at  timestamptz not null default now(),
    closed_at  timestamptz,
    code       text        not null,
    currency   text        not null,
    side       text        not null,
    mode       text        not null,
    patron_id  uuid,
    venue_id   uuid,
    constraint ledger_accounts_pkey primary key (tenant_id, id),
    constraint ledger_accounts_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint ledger_accounts_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint ledger_accounts_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint ledger_accounts_one_owner check (patron_id is null or venue_id is null),
    constraint ledger_accounts_code_shape check (code ~ '^[a-z][a-z0-9-]{1,39}$'),
    constraint ledger_accounts_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint ledger_accounts_side_known check (side in ('debit', 'credit')),
    constraint ledger_accounts_mode_known check (mode in ('strict', 'deferred')),
    constraint ledger_accounts_class_is_mode check ((mode = 'deferred') = (id >= 'f0000000-0000-0000-0000-000000000000')),
    constraint ledger_accounts_deferred_is_unbounded check (mode = 'strict' or (floor is null and version = 0 and dr = 0 and cr = 0)),
    constraint ledger_accounts_counts_up check (dr >= 0 and cr >= 0 and dr_pending >= 0 and cr_pending >= 0 and version >= 0),
    constraint ledger_accounts_floor check (floor is null or case side when 'credit' then cr - dr - dr_pending else dr - cr - cr_pending end >= floor)
) with (fillfactor = 50);
comment on table ledger_accounts is 'accounts of the ledger; a strict one carries its balance, a deferred one is summed from its postings';
comment on column ledger_accounts.id is 'class in the first byte (f0: deferred, so that these sort last), then 120 bits of SHA-256 of tenant, code, currency and owner';
comment on column ledger_accounts.side is 'the side on which its balance and floor are read: debit for assets and costs, credit for liabilities and income';
comment on column ledger_accounts.floor is 'least that may be available on its side after every posting and hold; null: unbounded';
comment on column ledger_accounts.dr_pending is 'held to be debited';
comment on column ledger_accounts.version is 'how many postings have moved it; each keeps the number it was given';
comment on column ledger_accounts.moved_at is 'when the last of them did; never earlier than the one before, whatever the clock does';
create index ledger_accounts_of_patron on ledger_accounts (tenant_id, patron_id) where patron_id is not null;
create index ledger_accounts_of_venue on ledger_accounts (tenant_id, venue_id) where venue_id is not null;
select ll.tenant_table('ledger_accounts', guest => 'own', app => 'select', system => 'select', platform => 'select');
create policy owner_rows on ledger_accounts for all to lastlight_owner
    using (tenant_id = (select ll.tenant_id())) with check (tenant_id = (select ll.tenant_id()));

-- Postings -----------------------------------------------------------------------------------------------------------
create table ledger_postings (
    tenant_id    uuid        not null,
    id           uuid        not null,
    src          uuid        not null,
    dst          uuid        not null,
    request      uuid        not null,
    seq          bigint      not null default nextval('ledger_order'),
    xid          bigint      not null default pg_current_xact_id()::text::bigint,
    amount       bigint      not null,
    src_version  bigint,
    src_balance  bigint,
    dst_version  bigint,
    dst_balance  bigint,
    at           timestamptz not null,
    effective_at timestamptz not null,
    leg          smallint    not null,
    reverses_leg smallint,
    reverses     uuid,
    hold_id      uuid,
    currency     text        not null,
    kind         text        not null,
    meta         jsonb       not null default '{}',
    constraint ledger_postings_pkey primary key (tenant_id, id, leg),
    constraint ledger_postings_amount_positive check (amount > 0),
    constraint ledger_postings_two_accounts check (src <> dst),
    constraint ledger_postings_leg_counts check (leg >= 0),
    constraint ledger_postings_kind_shape check (kind ~ '^[a-z][a-z0-9-]{1,39}$'),
    constraint ledger_postings_versions_whole check ((src_version is null) = (src_balance is null) and (dst_version is null) = (dst_balance is null)),
    constraint ledger_postings_reversal_whole check ((reverses is null) = (reverses_leg is null)),
    constraint ledger_postings_meta_object check (jsonb_typeof(meta) = 'object')
);
comment on table ledger_postings is 'what moved: one row for each leg of a transaction; never edited, never deleted';
comment on column ledger_postings.xid is 'the transaction of the database that wrote it, as a number: an index of blocks knows no xid8';
comment on column ledger_postings.request is '128 bits of SHA-256 of what was asked for: the same id with another request is refused';
comment on column ledger_postings.src is 'the account that is debited';
comment on column ledger_postings.dst is 'the account that is credited';
comment on column ledger_postings.src_balance is 'of the source on its own side, after this posting; null where it is deferred';
comment on column ledger_postings.effective_at is 'the moment it counts for in reports, where that is not when it was written';
comment on column ledger_postings.meta is 'ids of what it was for: checkin_id, venue_id, charge, reason …';
-- Each row is in one of the two indexes of its source, and in one of the two of its destination.
create unique index ledger_postings_src_once on ledger_postings (tenant_id, src, src_version) where src_version is not null;
create unique index ledger_postings_dst_once on ledger_postings (tenant_id, dst, dst_version) where dst_version is not null;
create index ledger_postings_src_deferred on ledger_postings (tenant_id, src, xid, seq) where src_version is null;
create index ledger_postings_dst_deferred on ledger_postings (tenant_id, dst, xid, seq) where dst_version is null;
-- These hold few rows: most postings count for the moment in which they are written, and most are not reversed.
create index ledger_postings_src_moved on ledger_postings (tenant_id, src, effective_at) where effective_at <> at;
create index ledger_postings_dst_moved on ledger_postings (tenant_id, dst, effective_at) where effective_at <> at;
create index ledger_postings_reversals on ledger_postings (tenant_id, reverses, reverses_leg) where reverses is not null;
create index ledger_postings_of_hold on ledger_postings (tenant_id, hold_id) where hold_id is not null;
-- Used by whoever says `seq > 0`, and by nobody else: with no statistics yet, it looks to the planner as good as the primary key.
create index ledger_postings_by_seq on ledger_postings (tenant_id, seq) where seq > 0;
create index ledger_postings_by_xid on ledger_postings using brin (xid) with (pages_per_range = 32);
create trigger ledger_postings_append_only before update or delete on ledger_postings for each row execute function ll.append_only();
select ll.tenant_table('ledger_postings', app => 'select', system => 'select', platform => 'select');
create policy owner_rows on ledger_postings for all to lastlight_owner
    using (tenant_id = (select ll.tenant_id())) with check (tenant_id = (select ll.tenant_id()));

-- Holds --------------------------------------------------------------------------------------------------------------
create table ledger_holds (
    tenant_id  uuid        not null,
    id         uuid        not null,
    request    uuid        not null,
    src        uuid        not null,
    dst        uuid        not null,
    amount     bigint      not null,
    captured   bigint      not null default 0,
    state      text        not null default 'open',
    kind       text        not null,
    meta       jsonb       not null default '{}',
    opened_at  timestamptz not null,
    expires_at timestamptz not null,
    ended_at   timestamptz,
    constraint ledger_holds_pkey primary key (tenant_id, id),
    constraint ledger_holds_src_exists foreign key (tenant_id, src) references ledger_accounts (tenant_id, id),
    constraint ledger_holds_dst_exists foreign key (tenant_id, dst) references ledger_accounts (tenant_id, id),
    constraint ledger_holds_amount_positive check (amount > 0),
    constraint ledger_holds_two_accounts check (src <> dst),
    constraint ledger_holds_captured_within check (captured between 0 and amount),
    constraint ledger_holds_state_known check (state in ('open', 'captured', 'void', 'expired')),
    constraint ledger_holds_ended_whole check ((state = 'open') = (ended_at is null)),
    constraint ledger_holds_kind_shape check (kind ~ '^[a-z][a-z0-9-]{1,39}$')
);
comment on table ledger_holds is 'amounts that are set aside and not yet moved; captured wholly, in parts or not at all';
create index ledger_holds_open on ledger_holds (tenant_id, expires_at) where state = 'open';
create index ledger_holds_of_src on ledger_holds (tenant_id, src, opened_at desc);
select ll.tenant_table('ledger_holds', app => 'select', system => 'select', platform => 'select');
create policy owner_rows on ledger_holds for all to lastlight_owner
    using (tenant_id = (select ll.tenant_id())) with check (tenant_id = (select ll.tenant_id()));

-- What deferred accounts sum up to, and the seals over blocks of postings ---------------------------------------------------
create table ledger_rollups (
    tenant_id  uuid        not null,
    account_id uuid        not null,
    horizon    bigint      not null,
    dr         bigint      not null,
    cr         bigint      not null,
    newest_at  timestamptz not null,
    made_at    timestamptz not null default now(),
    constraint ledger_rollups_pkey primary key (tenant_id, account_id, horizon),
    constraint ledger_rollups_account_exists foreign key (tenant_id, account_id) references ledger_accounts (tenant_id, id),
    constraint ledger_rollups_counts_up check (dr >= 0 and cr >= 0)
);
comment on table ledger_rollups is 'a deferred account''s sums over all postings of transactions before the horizon, which all have ended';
comment on column ledger_rollups.newest_at is 'of the postings that it sums';
create trigger ledger_rollups_append_only before update or delete on ledger_rollups for each row execute function ll.append_only();
select ll.tenant_table('ledger_rollups', app => 'select', system => 'select', platform => 'select');
create policy owner_rows on ledger_rollups for all to lastlight_owner
    using (tenant_id = (select ll.tenant_id())) with check (tenant_id = (select ll.tenant_id()));

create table ledger_seals (
    tenant_id uuid        not null,
    block     bigint      not null,
    since     bigint      not null,
    horizon   bigint      not null,
    postings  bigint      not null,
    newest    bigint      not null,
    hash      bytea       not null,
    sealed_at timestamptz not null default now(),
    constraint ledger_seals_pkey primary key (tenant_id, block),
    constraint ledger_seals_block_counts check (block > 0),
    constraint ledger_seals_ahead check (since < horizon),
    constraint ledger_seals_hash_whole check (length(hash) = 32)
);
comment on table ledger_seals is 'a chain of hashes over the postings of ended transactions, block by block: each covers those from since up to, not with, horizon';
comment on column ledger_seals.newest is 'the highest place in order (seq) of what is sealed so far: what stands higher is still to be sealed';
create trigger ledger_seals_append_only before update or delete on ledger_seals for each row execute function ll.append_only();
select ll.tenant_table('ledger_seals', app => 'select', system => 'select', platform => 'select');
create policy owner_rows on ledger_seals for all to lastlight_owner
    using (tenant_id = (select ll.tenant_id())) with check (tenant_id = (select ll.tenant_id()));

-- What is written stays: not even the owner may change it.
revoke update, delete, truncate on ledger_postings, ledger_rollups, ledger_seals from lastlight_owner;
revoke delete, truncate on ledger_accounts, ledger_holds from lastlight_owner;
