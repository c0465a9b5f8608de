-- What screens and lists ask of the ledger, each read by an index of its own.

-- The venue that a posting was for, out of its remarks. It is a column, because an index over an expression of the remarks is of no use
-- below row-level security: the operators of jsonb may not run before the policy has.
alter table ledger_postings add column venue_id uuid generated always as (
    case when meta ->> 'venue_id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (meta ->> 'venue_id')::uuid end
) stored;
comment on column ledger_postings.venue_id is 'the venue that the remarks name; null where they name none';
create index ledger_postings_of_venue on ledger_postings (tenant_id, venue_id, seq) where seq > 0 and venue_id is not null;
-- Days that lie far back are found by their blocks: what is written together lies together.
create index ledger_postings_by_at on ledger_postings using brin (at) with (pages_per_range = 32);

-- A guest's account is locked by whoever moves it and carries its versions: entries of guests are found by them.
alter table ledger_accounts add constraint ledger_accounts_guests_are_strict check (patron_id is null or mode = 'strict');

-- Accounts in the orders of their list. None of these columns ever changes, so a posting touches none of these indexes.
create index ledger_accounts_by_code on ledger_accounts (tenant_id, code, id);
create index ledger_accounts_by_currency on ledger_accounts (tenant_id, currency, id);
create index ledger_accounts_by_opening on ledger_accounts (tenant_id, opened_at, id);
-- The few that are no guest's: what a business has, owes and earned is summed up from these.
create index ledger_accounts_of_house on ledger_accounts (tenant_id, currency, code) where patron_id is null;

-- Holds in the orders of their list, and those that ended a moment ago, which are told.
create index ledger_holds_by_opening on ledger_holds (tenant_id, opened_at, id);
create index ledger_holds_by_expiry on ledger_holds (tenant_id, expires_at, id);
create index ledger_holds_of_dst on ledger_holds (tenant_id, dst, opened_at desc);
create index ledger_holds_ended on ledger_holds (tenant_id, ended_at) where ended_at is not null;
