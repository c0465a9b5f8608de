-- Guests' credits: lots that remember what paid for them, and what became of each. The money is in the ledger; these tables say which lot
-- it belongs to. Whatever changes them holds the guest's account of the ledger first, so that one happens after the other.
-- Adjustments by hand, above a limit with a second person, are at the end.

-- Keep others from moving an account until the transaction ends; false: there is no such account.
create function ll.ledger_keep(p_account uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    perform from ledger_accounts where tenant_id = ll.tenant_id() and id = p_account for no key update;
    return found;
end $$;
revoke execute on function ll.ledger_keep(uuid) from public;
grant execute on function ll.ledger_keep(uuid) to lastlight_app, lastlight_system, lastlight_platform;

create table credit_accounts (
    tenant_id uuid        not null,
    id        uuid        not null,
    patron_id uuid        not null,
    currency  text        not null,
    balance   bigint      not null default 0,
    frozen    bigint      not null default 0,
    entries   bigint      not null default 0,
    moved_at  timestamptz not null default now(),
    constraint credit_accounts_pkey primary key (tenant_id, id),
    constraint credit_accounts_ledger_exists foreign key (tenant_id, id) references ledger_accounts (tenant_id, id),
    constraint credit_accounts_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint credit_accounts_once unique (tenant_id, patron_id, currency),
    constraint credit_accounts_frozen_within check (frozen between 0 and balance),
    constraint credit_accounts_entries_count check (entries >= 0)
);
comment on table credit_accounts is 'a guest''s credits of one currency: what the lots add up to, which is what the ledger''s account of the same id holds';
comment on column credit_accounts.frozen is 'of the balance: in dispute, set aside in the ledger';
comment on column credit_accounts.entries is 'how many entries there are; the next one is numbered by it';
create index credit_accounts_moved on credit_accounts (tenant_id, moved_at, id);
create index credit_accounts_balance on credit_accounts (tenant_id, balance, id);
select ll.tenant_table('credit_accounts', guest => 'own', app => 'select, insert, update', system => 'select');

create table credit_lots (
    tenant_id  uuid        not null,
    id         uuid        not null,
    patron_id  uuid        not null,
    currency   text        not null,
    venue_id   uuid,
    origin     text        not null,
    payment_id uuid,
    amount     bigint      not null,
    remaining  bigint      not null,
    frozen     bigint      not null default 0,
    expires_at timestamptz,
    warned_at  timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version    bigint      not null default 1,
    constraint credit_lots_pkey primary key (tenant_id, id),
    constraint credit_lots_account_exists foreign key (tenant_id, patron_id, currency)
        references credit_accounts (tenant_id, patron_id, currency),
    constraint credit_lots_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint credit_lots_payment_exists foreign key (tenant_id, payment_id) references payments (tenant_id, id),
    constraint credit_lots_origin_known check (origin in ('purchase', 'adjustment', 'gift')),
    constraint credit_lots_purchase_paid check ((origin = 'purchase') = (payment_id is not null)),
    constraint credit_lots_amount_positive check (amount > 0),
    constraint credit_lots_remaining_within check (remaining between 0 and amount),
    constraint credit_lots_frozen_within check (frozen between 0 and remaining)
);
comment on table credit_lots is 'credits that came in together: what paid for them, what is left of them, until when they can be spent';
comment on column credit_lots.payment_id is 'the payment whose charge funded it: what is left of it can go back to that card';
comment on column credit_lots.frozen is 'of what is left: in dispute, neither spent nor refunded nor expired';
comment on column credit_lots.warned_at is 'when the guest was told that it is about to expire';
create unique index credit_lots_of_payment on credit_lots (tenant_id, payment_id) where payment_id is not null;
create index credit_lots_newest on credit_lots (tenant_id, created_at, id);
create index credit_lots_of_patron on credit_lots (tenant_id, patron_id, created_at, id);
create index credit_lots_of_venue on credit_lots (tenant_id, venue_id, created_at, id) where venue_id is not null;
create index credit_lots_left on credit_lots (tenant_id, patron_id, currency, expires_at) where remaining > 0;
create index credit_lots_due on credit_lots (tenant_id, expires_at) where remaining > 0 and expires_at is not null;
create trigger credit_lots_touch before update on credit_lots for each row execute function ll.touch();
select ll.tenant_table('credit_lots', guest => 'own', app => 'select, insert, update', system => 'select');

create table credit_entries (
    tenant_id   uuid        not null,
    id          uuid        not null,
    patron_id   uuid        not null,
    currency    text        not null,
    number      bigint      not null,
    kind        text        not null,
    amount      bigint      not null,
    balance     bigint      not null,
    froze       bigint      not null default 0,
    frozen      bigint      not null default 0,
    venue_id    uuid,
    payment_id  uuid,
    refund_id   uuid,
    dispute_id  uuid,
    reverses    uuid,
    source_kind text,
    source_id   uuid,
    description text        not null default '',
    actor_id    uuid,
    at          timestamptz not null default clock_timestamp(),
    constraint credit_entries_pkey primary key (tenant_id, id),
    constraint credit_entries_account_exists foreign key (tenant_id, patron_id, currency)
        references credit_accounts (tenant_id, patron_id, currency),
    constraint credit_entries_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint credit_entries_payment_exists foreign key (tenant_id, payment_id) references payments (tenant_id, id),
    constraint credit_entries_reverses_exists foreign key (tenant_id, reverses) references credit_entries (tenant_id, id),
    constraint credit_entries_numbered unique (tenant_id, patron_id, currency, number),
    constraint credit_entries_number_counts check (number > 0),
    constraint credit_entries_kind_known check (kind in ('bought', 'spent', 'spend-reversed', 'refunded', 'refund-failed', 'adjusted', 'gift',
        'expired', 'frozen', 'released', 'disputed')),
    constraint credit_entries_signed check (case
        when kind in ('bought', 'spend-reversed', 'refund-failed', 'gift') then amount > 0 and froze = 0
        when kind in ('spent', 'refunded', 'expired') then amount < 0 and froze = 0
        when kind = 'adjusted' then amount <> 0 and froze = 0
        when kind = 'frozen' then amount = 0 and froze > 0
        when kind = 'released' then amount = 0 and froze < 0
        else amount < 0 and froze <= 0 end),
    constraint credit_entries_within check (frozen between 0 and balance),
    constraint credit_entries_reversal_whole check ((kind = 'spend-reversed') = (reverses is not null)),
    constraint credit_entries_source_whole check ((source_kind is null) = (source_id is null))
);
comment on table credit_entries is 'the history of a guest''s credits, never edited; one that moved money is the ledger''s transaction of the same id, a purchase that of its payment';
comment on column credit_entries.number is 'counts up for each guest and currency';
comment on column credit_entries.amount is 'what the balance changed by';
comment on column credit_entries.balance is 'after it';
comment on column credit_entries.froze is 'what the frozen part of the balance changed by';
comment on column credit_entries.frozen is 'after it';
comment on column credit_entries.reverses is 'the spend that it gives back, wholly or in part';
comment on column credit_entries.source_kind is 'what was paid for, where another domain spent: checkin …';
comment on column credit_entries.description is 'personal: what it was for, or why, in a person''s words';
create index credit_entries_newest on credit_entries (tenant_id, at, id);
create index credit_entries_of_patron on credit_entries (tenant_id, patron_id, at, id);
create index credit_entries_of_venue on credit_entries (tenant_id, venue_id, at, id) where venue_id is not null;
create index credit_entries_by_kind on credit_entries (tenant_id, kind, at, id);
create index credit_entries_reversals on credit_entries (tenant_id, reverses) where reverses is not null;
create index credit_entries_of_payment on credit_entries (tenant_id, payment_id, at) where payment_id is not null;
create index credit_entries_of_dispute on credit_entries (tenant_id, dispute_id) where dispute_id is not null;
create index credit_entries_of_source on credit_entries (tenant_id, source_kind, source_id) where source_id is not null;
create trigger credit_entries_append_only before update or delete on credit_entries for each row execute function ll.append_only();
select ll.tenant_table('credit_entries', guest => 'own', app => 'select, insert', system => 'select');

create table credit_uses (
    tenant_id uuid   not null,
    entry_id  uuid   not null,
    lot_id    uuid   not null,
    patron_id uuid   not null,
    amount    bigint not null,
    froze     bigint not null default 0,
    constraint credit_uses_pkey primary key (tenant_id, entry_id, lot_id),
    constraint credit_uses_entry_exists foreign key (tenant_id, entry_id) references credit_entries (tenant_id, id),
    constraint credit_uses_lot_exists foreign key (tenant_id, lot_id) references credit_lots (tenant_id, id),
    constraint credit_uses_something check (amount <> 0 or froze <> 0)
);
comment on table credit_uses is 'which lot gave or got how much of an entry, so that what is given back goes where it came from; never edited';
create index credit_uses_of_lot on credit_uses (tenant_id, lot_id);
create trigger credit_uses_append_only before update or delete on credit_uses for each row execute function ll.append_only();
select ll.tenant_table('credit_uses', guest => 'own', app => 'select, insert', system => 'select');

-- Adjustments ----------------------------------------------------------------------------------------------------------
create table adjustments (
    tenant_id      uuid        not null,
    id             uuid        not null,
    subject        text        not null,
    patron_id      uuid,
    venue_id       uuid,
    source         text,
    destination    text,
    amount         bigint      not null,
    currency       text        not null,
    reason         text        not null,
    status         text        not null,
    needs_approval boolean     not null,
    requested_by   uuid        not null,
    requested_at   timestamptz not null default now(),
    decided_by     uuid,
    decided_at     timestamptz,
    decision       text        not null default '',
    booked_at      timestamptz,
    updated_at     timestamptz not null default now(),
    version        bigint      not null default 1,
    constraint adjustments_pkey primary key (tenant_id, id),
    constraint adjustments_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint adjustments_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint adjustments_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint adjustments_subject_known check (subject in ('credits', 'ledger')),
    constraint adjustments_subject_whole check (case subject
        when 'credits' then patron_id is not null and source is null and destination is null and amount <> 0
        else patron_id is null and source is not null and destination is not null and source <> destination and amount > 0 end),
    constraint adjustments_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint adjustments_reason_given check (length(btrim(reason)) > 0),
    constraint adjustments_status_known check (status in ('waiting', 'booked', 'declined', 'withdrawn')),
    constraint adjustments_booked_whole check ((status = 'booked') = (booked_at is not null)),
    constraint adjustments_decided_whole check (
        (decided_by is not null) = (decided_at is not null) and (decided_at is not null) = (status <> 'waiting' and needs_approval)),
    constraint adjustments_two_people check (status not in ('booked', 'declined') or decided_by is null or decided_by <> requested_by)
);
comment on table adjustments is 'what was put right by hand: guests'' credits, or money between two accounts of the business; above a limit it waits for another person';
comment on column adjustments.source is 'of the ledger: the account, by its line of the chart, that is debited';
comment on column adjustments.destination is 'of the ledger: the account that is credited';
comment on column adjustments.amount is 'minor units; of credits with its sign, of the ledger above zero';
comment on column adjustments.reason is 'personal: why, in a person''s words';
comment on column adjustments.decision is 'personal: what was said with the decision';
create index adjustments_newest on adjustments (tenant_id, requested_at, id);
create index adjustments_by_status on adjustments (tenant_id, status, requested_at, id);
create index adjustments_of_patron on adjustments (tenant_id, patron_id, requested_at, id) where patron_id is not null;
create index adjustments_of_venue on adjustments (tenant_id, venue_id, requested_at, id) where venue_id is not null;
create trigger adjustments_touch before update on adjustments for each row execute function ll.touch();
select ll.tenant_table('adjustments', app => 'select, insert, update', system => 'select');
