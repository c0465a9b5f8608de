-- The same transaction asked for twice at the same moment, by whichever functions: the second is told that it was a replay, or that the
-- id stands for another. And rules that a table's checks still held go where 0047 put the others, under the same names.

create domain ll.ledger_meta as jsonb constraint ledger_postings_meta_object check (jsonb_typeof(value) = 'object');

-- The venue is no longer generated: PostgreSQL reads that expression, too, for every statement that writes. The trigger below gives it.
alter table ledger_postings alter column venue_id drop expression;
alter table ledger_postings
    drop constraint ledger_postings_two_accounts,
    drop constraint ledger_postings_versions_whole,
    drop constraint ledger_postings_reversal_whole,
    drop constraint ledger_postings_meta_object,
    alter column meta type ll.ledger_meta;
alter table ledger_accounts drop constraint ledger_accounts_guests_are_strict;

-- A posting as it is written: a breach carries the name of its rule, and the venue is the one that the remarks name, whatever was given.
create function ll.ledger_posting_stands() returns trigger language plpgsql as $$
begin
    if new.src = new.dst or (new.src_version is null) <> (new.src_balance is null) or (new.dst_version is null) <> (new.dst_balance is null)
       or (new.reverses is null) <> (new.reverses_leg is null) then
        if new.src = new.dst then
            perform ll.ledger_refuse('ledger_postings_two_accounts', 'a posting goes from one account to another');
        end if;
        if (new.reverses is null) <> (new.reverses_leg is null) then
            perform ll.ledger_refuse('ledger_postings_reversal_whole', 'a reversal names a transaction and its leg');
        end if;
        perform ll.ledger_refuse('ledger_postings_versions_whole', 'an account that counts versions has a balance with each');
    end if;
    if new.meta <> '{}' or new.venue_id is not null then
        new.venue_id := case when new.meta ->> 'venue_id' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (new.meta ->> 'venue_id')::uuid end;
    end if;
    return new;
end $$;
revoke execute on function ll.ledger_posting_stands() from public;
create trigger ledger_postings_stand before insert on ledger_postings for each row execute function ll.ledger_posting_stands();

-- As before, and a guest's account is strict: it is locked by whoever moves it and carries its versions, by which entries of guests are found.
-- What is right is seen by one expression; which rule it is that does not hold is looked for only then.
create or replace function ll.ledger_account_stands() returns trigger language plpgsql as $$
begin
    if (least(new.dr, new.cr, new.dr_pending, new.cr_pending, new.version) >= 0
        and (new.floor is null or (case new.side when 'credit' then new.cr - new.dr - new.dr_pending else new.dr - new.cr - new.cr_pending end) >= new.floor)
        and (new.patron_id is null or new.venue_id is null)
        and (case new.mode when 'strict' then new.id < 'f0000000-0000-0000-0000-000000000000'
             else new.id >= 'f0000000-0000-0000-0000-000000000000' and new.floor is null and new.version + new.dr + new.cr = 0
                  and new.patron_id is null end)) then
        return null;
    end if;
    if least(new.dr, new.cr, new.dr_pending, new.cr_pending, new.version) < 0 then
        perform ll.ledger_refuse('ledger_accounts_counts_up', 'sums and versions only count up from nothing');
    end if;
    if (case new.side when 'credit' then new.cr - new.dr - new.dr_pending else new.dr - new.cr - new.cr_pending end) < new.floor then
        perform ll.ledger_refuse('ledger_accounts_floor', 'less is available than this');
    end if;
    if new.mode = 'deferred' and (new.floor is not null or new.version + new.dr + new.cr > 0) then
        perform ll.ledger_refuse('ledger_accounts_deferred_is_unbounded', 'a deferred account has no floor and carries no sums');
    end if;
    if (new.mode = 'deferred') <> (new.id >= 'f0000000-0000-0000-0000-000000000000') then
        perform ll.ledger_refuse('ledger_accounts_class_is_mode', 'the class in the id says whether an account is deferred');
    end if;
    if new.mode = 'deferred' and new.patron_id is not null then
        perform ll.ledger_refuse('ledger_accounts_guests_are_strict', 'a guest''s account is strict');
    end if;
    perform ll.ledger_refuse('ledger_accounts_one_owner', 'an account belongs to a guest or to a venue');
    return null;
end $$;

-- Post one transaction: its legs are written in their order, or nothing is. True: written now; false: it stood there already.
-- What is asked of accounts (p_watch) is looked at under their locks: the least that is available, and the version that was seen.
-- The id is looked for once the first account is locked: a batch, which locks no ids, may have written it until then. What locks no account
-- learns of it by the key, at the price of a part that can be undone; a single leg does without.
create or replace function ll.ledger_post(
    p_id uuid, p_request uuid, p_kind text, p_src uuid[], p_dst uuid[], p_amount bigint[],
    p_effective_at timestamptz default null, p_meta jsonb default '{}',
    p_watch uuid[] default null, p_least bigint[] default null, p_versions bigint[] default null
) returns boolean language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    n constant integer := cardinality(p_src);
    v_at timestamptz;
begin
    if n = 0 or cardinality(p_dst) <> n or cardinality(p_amount) <> n then
        perform ll.ledger_refuse('ledger_legs_whole', 'a transaction has legs, each with source, destination and amount');
    end if;
    if n = 1 and p_watch is null and least(p_src[1], p_dst[1]) < 'f0000000-0000-0000-0000-000000000000' then
        v_at := ll.ledger_leg(t, p_id, 0::smallint, p_request, p_kind, p_src[1], p_dst[1], p_amount[1], null, p_effective_at, p_meta, null, null, null);
        return v_at is not null;
    end if;
    if not ll.ledger_first(t, p_id, p_request) then
        return false;
    end if;
    perform ll.ledger_lock(t, p_src || p_dst || coalesce(p_watch, '{}'));
    if not ll.ledger_first(t, p_id, p_request) then
        return false;
    end if;
    if p_watch is not null then
        perform ll.ledger_conditions(t, p_watch, p_least, p_versions);
    end if;
    begin
        v_at := clock_timestamp();
        for i in 1 .. n loop
            v_at := ll.ledger_leg(t, p_id, (i - 1)::smallint, p_request, p_kind, p_src[i], p_dst[i], p_amount[i], v_at, p_effective_at, p_meta, null, null, null);
        end loop;
        return true;
    exception when unique_violation then
        if ll.ledger_first(t, p_id, p_request) then
            raise;
        end if;
        return false;
    end;
end $$;

-- One leg; gives the moment that it was written at. Its accounts are locked from the lower id to the higher, unless the caller holds them.
-- With p_at null the id was not looked for yet, and null is the answer where it is a replay: that is seen as the lower account is locked,
-- and seen again after waiting for it, since PostgreSQL then asks the statement's conditions again.
create or replace function ll.ledger_leg(
    t uuid, p_id uuid, p_leg smallint, p_request uuid, p_kind text, p_src uuid, p_dst uuid, p_amount bigint, p_at timestamptz,
    p_effective_at timestamptz, p_meta jsonb, p_hold uuid, p_reverses uuid, p_reverses_leg smallint
) returns timestamptz language plpgsql as $$
declare
    deferred constant uuid := 'f0000000-0000-0000-0000-000000000000';
    v_at timestamptz := p_at;
    low uuid := p_src; high uuid := p_dst;
    low_version bigint; low_balance bigint; low_currency text; low_closed timestamptz;
    high_version bigint; high_balance bigint; high_currency text; high_closed timestamptz; high_at timestamptz;
begin
    if p_amount is null or p_amount <= 0 then
        perform ll.ledger_refuse('ledger_postings_amount_positive', 'an amount is more than nothing');
    end if;
    if p_dst < p_src then
        low := p_dst;
        high := p_src;
    end if;
    if low < deferred then
        update ledger_accounts a set dr = a.dr + case a.id when p_src then p_amount else 0 end, cr = a.cr + case a.id when p_dst then p_amount else 0 end,
                                     version = a.version + 1, moved_at = greatest(a.moved_at, coalesce(v_at, clock_timestamp()))
        where a.tenant_id = t and a.id = low and (p_at is not null or ll.ledger_first(t, p_id, p_request))
        returning a.version, case a.side when 'credit' then a.cr - a.dr else a.dr - a.cr end, a.currency, a.moved_at, a.closed_at
        into low_version, low_balance, low_currency, v_at, low_closed;
        if not found then
            if p_at is null and not ll.ledger_first(t, p_id, p_request) then
                return null;
            end if;
            perform ll.ledger_refuse('ledger_account_missing', 'no such account');
        end if;
    else
        select a.currency, a.closed_at into low_currency, low_closed from ledger_accounts a where a.tenant_id = t and a.id = low;
    end if;
    if high < deferred then
        update ledger_accounts a set dr = a.dr + case a.id when p_src then p_amount else 0 end, cr = a.cr + case a.id when p_dst then p_amount else 0 end,
                                     version = a.version + 1, moved_at = greatest(a.moved_at, v_at)
        where a.tenant_id = t and a.id = high
        returning a.version, case a.side when 'credit' then a.cr - a.dr else a.dr - a.cr end, a.currency, a.moved_at, a.closed_at
        into high_version, high_balance, high_currency, high_at, high_closed;
        if high_at > v_at then
            v_at := high_at;
            update ledger_accounts a set moved_at = v_at where a.tenant_id = t and a.id = low;
        end if;
    else
        select a.currency, a.closed_at into high_currency, high_closed from ledger_accounts a where a.tenant_id = t and a.id = high;
    end if;
    if low_currency is null or high_currency is null then
        perform ll.ledger_refuse('ledger_account_missing', 'no such account');
    end if;
    if low_currency <> high_currency then
        perform ll.ledger_refuse('ledger_currency_mixed', 'both accounts of a posting are in one currency');
    end if;
    if low_closed is not null or high_closed is not null then
        perform ll.ledger_refuse('ledger_account_closed', 'the account is closed');
    end if;
    insert into ledger_postings (tenant_id, id, leg, request, kind, currency, src, src_version, src_balance, dst, dst_version, dst_balance,
                                 amount, at, effective_at, meta, hold_id, reverses, reverses_leg)
    values (t, p_id, p_leg, p_request, p_kind, low_currency,
            p_src, case low when p_src then low_version else high_version end, case low when p_src then low_balance else high_balance end,
            p_dst, case low when p_src then high_version else low_version end, case low when p_src then high_balance else low_balance end,
            p_amount, v_at, coalesce(p_effective_at, v_at), p_meta, p_hold, p_reverses, p_reverses_leg);
    return v_at;
end $$;

-- Take back a transaction, as before; a batch that wrote this id meanwhile is seen under the locks.
create or replace function ll.ledger_reverse(
    p_id uuid, p_request uuid, p_kind text, p_of uuid, p_amounts bigint[] default null,
    p_effective_at timestamptz default null, p_meta jsonb default '{}'
) returns boolean language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    v_at timestamptz;
    original record;
    v_amount bigint;
    n smallint := 0;
begin
    if not ll.ledger_first(t, p_id, p_request) then
        return false;
    end if;
    perform pg_advisory_xact_lock(uuid_hash_extended(p_of, 1));  -- two reversals of one transaction, one after the other
    perform ll.ledger_lock(t, (select array_agg(p.src) || array_agg(p.dst) from ledger_postings p where p.tenant_id = t and p.id = p_of));
    if not ll.ledger_first(t, p_id, p_request) then
        return false;
    end if;
    v_at := clock_timestamp();
    for original in
        select p.leg, p.src, p.dst, p.amount, p.amount - coalesce((
            select sum(r.amount) from ledger_postings r where r.tenant_id = t and r.reverses = p_of and r.reverses_leg = p.leg), 0)::bigint as remaining
        from ledger_postings p where p.tenant_id = t and p.id = p_of order by p.leg desc
    loop
        v_amount := case when p_amounts is null then original.remaining else p_amounts[original.leg + 1] end;
        if v_amount > original.remaining then
            perform ll.ledger_refuse('ledger_reversal_within', 'no more is taken back than was moved');
        end if;
        if v_amount <> 0 then
            v_at := ll.ledger_leg(t, p_id, n, p_request, p_kind, original.dst, original.src, v_amount, v_at, p_effective_at, p_meta, null, p_of, original.leg);
            n := n + 1;
        end if;
    end loop;
    if n = 0 then
        perform ll.ledger_refuse('ledger_reversal_within', 'there is nothing of it left to take back');
    end if;
    return true;
end $$;

-- Move what a hold set aside, as before; a batch that wrote this id meanwhile is seen under the locks.
create or replace function ll.ledger_capture(
    p_id uuid, p_request uuid, p_kind text, p_hold uuid, p_amount bigint, p_last boolean default true, p_meta jsonb default '{}'
) returns boolean language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    held ledger_holds;
    v_let_go bigint;
begin
    if not ll.ledger_first(t, p_id, p_request) then
        return false;
    end if;
    held := ll.ledger_open_hold(t, p_hold);
    if p_amount > held.amount - held.captured then
        perform ll.ledger_refuse('ledger_holds_captured_within', 'less is held than this');
    end if;
    perform ll.ledger_lock(t, array[held.src, held.dst]);
    if not ll.ledger_first(t, p_id, p_request) then
        return false;
    end if;
    v_let_go := case when p_last then held.amount - held.captured else p_amount end;
    perform ll.ledger_set_aside(t, held.src, held.dst, -v_let_go);
    perform ll.ledger_leg(t, p_id, 0::smallint, p_request, p_kind, held.src, held.dst, p_amount, clock_timestamp(), null, p_meta, p_hold, null, null);
    update ledger_holds set captured = captured + p_amount,
        state = case when p_last or captured + p_amount = amount then 'captured' else 'open' end,
        ended_at = case when p_last or captured + p_amount = amount then clock_timestamp() end
    where tenant_id = t and id = p_hold;
    return true;
end $$;

-- Let go of what a hold still sets aside. True: let go now; false: it had ended in this way already, or did while this waited for it.
create or replace function ll.ledger_void(p_hold uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
begin
    perform from ledger_holds where tenant_id = t and id = p_hold and state = 'open' for no key update;
    if exists (select from ledger_holds where tenant_id = t and id = p_hold and state = 'void') then
        return false;
    end if;
    perform ll.ledger_end_hold(t, p_hold, 'void');
    return true;
end $$;
