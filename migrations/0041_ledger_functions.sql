-- The only writers of the ledger. A refusal carries the name of a constraint, as those of tables do; nothing of a refused call is kept.

-- Say no, in the form in which a constraint does.
create function ll.ledger_refuse(rule text, detail text) returns void language plpgsql as $$
begin
    raise exception '%', detail using errcode = 'check_violation', constraint = rule;
end $$;

-- The account of a code, currency and owner: always the same, so that opening it twice is opening it once.
create function ll.ledger_account_id(class smallint, tenant uuid, code text, currency text, owner uuid) returns uuid
language sql immutable parallel safe as $$
    select encode(set_byte(substr(sha256(convert_to(concat_ws('|', tenant, code, currency, coalesce(owner::text, '')), 'UTF8')), 1, 16), 0, class), 'hex')::uuid
$$;

create function ll.ledger_open(
    p_class smallint, p_code text, p_currency text, p_side text, p_mode text, p_floor bigint, p_patron_id uuid, p_venue_id uuid
) returns uuid language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    v_id constant uuid := ll.ledger_account_id(p_class, t, p_code, p_currency, coalesce(p_patron_id, p_venue_id));
begin
    insert into ledger_accounts (tenant_id, id, code, currency, side, mode, floor, patron_id, venue_id)
    values (t, v_id, p_code, p_currency, p_side, p_mode, p_floor, p_patron_id, p_venue_id)
    on conflict (tenant_id, id) do nothing;
    return v_id;
end $$;

-- A closed account takes no posting; only an empty one is closed, and it may be opened again.
create function ll.ledger_close(p_account uuid, p_closed boolean) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    found_account ledger_accounts;
begin
    select * into found_account from ledger_accounts where tenant_id = t and id = p_account for no key update;
    if not found then
        perform ll.ledger_refuse('ledger_account_missing', 'no such account');
    end if;
    if p_closed and (found_account.mode = 'deferred' or found_account.dr <> found_account.cr or found_account.dr_pending + found_account.cr_pending > 0) then
        perform ll.ledger_refuse('ledger_account_not_empty', 'only an empty account is closed');
    end if;
    update ledger_accounts set closed_at = case when p_closed then coalesce(closed_at, clock_timestamp()) end
    where tenant_id = t and id = p_account;
end $$;

-- Whether an id is new here; false: it was written before, for the same request. Whoever asks second waits for whoever asked first.
create function ll.ledger_first(t uuid, p_id uuid, p_request uuid) returns boolean language plpgsql as $$
declare
    known uuid;
begin
    perform pg_advisory_xact_lock(uuid_hash_extended(p_id, 0));
    select request into known from ledger_postings where tenant_id = t and id = p_id and leg = 0;
    if not found then
        return true;
    end if;
    if known <> p_request then
        perform ll.ledger_refuse('ledger_id_reused', 'this id stands for another transaction');
    end if;
    return false;
end $$;

-- Lock the strict accounts among these, always in one order.
create function ll.ledger_lock(t uuid, p_accounts uuid[]) returns void language plpgsql as $$
begin
    perform from ledger_accounts
    where tenant_id = t and id = any (p_accounts) and id < 'f0000000-0000-0000-0000-000000000000'
    order by id for no key update;
end $$;

-- One leg, both of whose accounts are locked or deferred; gives the moment that it was written at.
create function ll.ledger_leg(
    t uuid, p_id uuid, p_leg smallint, p_request uuid, p_kind text, p_src uuid, p_dst uuid, p_amount bigint, p_at timestamptz,
    p_effective_at timestamptz, p_meta jsonb, p_hold uuid, p_reverses uuid, p_reverses_leg smallint
) returns timestamptz language plpgsql as $$
declare
    deferred constant uuid := 'f0000000-0000-0000-0000-000000000000';
    v_at timestamptz := p_at;
    src_version bigint; src_balance bigint; src_currency text; src_closed timestamptz;
    dst_version bigint; dst_balance bigint; dst_currency text; dst_closed timestamptz; dst_at timestamptz;
begin
    if p_amount is null or p_amount <= 0 then
        perform ll.ledger_refuse('ledger_postings_amount_positive', 'an amount is more than nothing');
    end if;
    if p_src < deferred then
        update ledger_accounts a set dr = a.dr + p_amount, version = a.version + 1, moved_at = greatest(a.moved_at, v_at)
        where a.tenant_id = t and a.id = p_src
        returning a.version, case a.side when 'credit' then a.cr - a.dr else a.dr - a.cr end, a.currency, a.moved_at, a.closed_at
        into src_version, src_balance, src_currency, v_at, src_closed;
    else
        select a.currency, a.closed_at into src_currency, src_closed from ledger_accounts a where a.tenant_id = t and a.id = p_src;
    end if;
    if p_dst < deferred then
        update ledger_accounts a set cr = a.cr + p_amount, version = a.version + 1, moved_at = greatest(a.moved_at, v_at)
        where a.tenant_id = t and a.id = p_dst
        returning a.version, case a.side when 'credit' then a.cr - a.dr else a.dr - a.cr end, a.currency, a.moved_at, a.closed_at
        into dst_version, dst_balance, dst_currency, dst_at, dst_closed;
        if dst_at > v_at then
            v_at := dst_at;
            if src_version is not null then
                update ledger_accounts a set moved_at = v_at where a.tenant_id = t and a.id = p_src;
            end if;
        end if;
    else
        select a.currency, a.closed_at into dst_currency, dst_closed from ledger_accounts a where a.tenant_id = t and a.id = p_dst;
    end if;
    if src_currency is null or dst_currency is null then
        perform ll.ledger_refuse('ledger_account_missing', 'no such account');
    end if;
    if src_currency <> dst_currency then
        perform ll.ledger_refuse('ledger_currency_mixed', 'both accounts of a posting are in one currency');
    end if;
    if src_closed is not null or dst_closed is not null then
        perform ll.ledger_refuse('ledger_account_closed', 'the account is closed');
    end if;
    insert into ledger_postings (tenant_id, id, leg, request, kind, currency, src, src_version, src_balance, dst, dst_version, dst_balance,
                                 amount, at, effective_at, meta, hold_id, reverses, reverses_leg)
    values (t, p_id, p_leg, p_request, p_kind, src_currency, p_src, src_version, src_balance, p_dst, dst_version, dst_balance,
            p_amount, v_at, coalesce(p_effective_at, v_at), p_meta, p_hold, p_reverses, p_reverses_leg);
    return v_at;
end $$;

-- Post one transaction: its legs are written in their order, or nothing is. True: written now; false: it stood there already.
-- What is asked of accounts (p_watch) is looked at under their locks: the least that is available, and the version that was seen.
create function ll.ledger_post(
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
    if not ll.ledger_first(t, p_id, p_request) then
        return false;
    end if;
    if n > 1 or p_watch is not null or p_src[1] > p_dst[1] then
        perform ll.ledger_lock(t, p_src || p_dst || coalesce(p_watch, '{}'));
    end if;
    if p_watch is not null then
        perform ll.ledger_conditions(t, p_watch, p_least, p_versions);
    end if;
    v_at := clock_timestamp();
    for i in 1 .. n loop
        v_at := ll.ledger_leg(t, p_id, (i - 1)::smallint, p_request, p_kind, p_src[i], p_dst[i], p_amount[i], v_at, p_effective_at, p_meta, null, null, null);
    end loop;
    return true;
end $$;

create function ll.ledger_conditions(t uuid, p_watch uuid[], p_least bigint[], p_versions bigint[]) returns void
language plpgsql as $$
declare
    wanted record;
begin
    for wanted in
        select w.least, w.version as seen, a.version, case a.side when 'credit' then a.cr - a.dr - a.dr_pending else a.dr - a.cr - a.cr_pending end as available
        from unnest(p_watch, p_least, p_versions) w (id, least, version) left join ledger_accounts a on a.tenant_id = t and a.id = w.id
    loop
        if wanted.available is null then
            perform ll.ledger_refuse('ledger_account_missing', 'no such account');
        end if;
        if wanted.available < wanted.least then
            perform ll.ledger_refuse('ledger_accounts_floor', 'less is available than was asked for');
        end if;
        if wanted.version <> wanted.seen then
            perform ll.ledger_refuse('ledger_version_changed', 'the account has moved since it was looked at');
        end if;
    end loop;
end $$;

-- Take back a transaction, wholly (p_amounts null: what is left of each leg) or in part (an amount for each leg, 0 for none of it).
-- No more is taken back than was moved.
create function ll.ledger_reverse(
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

-- Set an amount aside: it counts as gone from what is available, and is not yet moved.
create function ll.ledger_hold(
    p_id uuid, p_request uuid, p_kind text, p_src uuid, p_dst uuid, p_amount bigint, p_expires_at timestamptz, p_meta jsonb default '{}'
) returns boolean language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    known uuid;
    accounts integer; currencies integer; closed integer;
begin
    perform pg_advisory_xact_lock(uuid_hash_extended(p_id, 0));
    select request into known from ledger_holds where tenant_id = t and id = p_id;
    if found then
        if known <> p_request then
            perform ll.ledger_refuse('ledger_id_reused', 'this id stands for another hold');
        end if;
        return false;
    end if;
    perform ll.ledger_lock(t, array[p_src, p_dst]);
    select count(*), count(distinct currency), count(closed_at) into accounts, currencies, closed
    from ledger_accounts where tenant_id = t and id in (p_src, p_dst);
    if accounts <> 2 and p_src <> p_dst then
        perform ll.ledger_refuse('ledger_account_missing', 'no such account');
    end if;
    if currencies > 1 then
        perform ll.ledger_refuse('ledger_currency_mixed', 'both accounts of a hold are in one currency');
    end if;
    if closed > 0 then
        perform ll.ledger_refuse('ledger_account_closed', 'the account is closed');
    end if;
    insert into ledger_holds (tenant_id, id, request, src, dst, amount, kind, meta, opened_at, expires_at)
    values (t, p_id, p_request, p_src, p_dst, p_amount, p_kind, p_meta, clock_timestamp(), p_expires_at);
    perform ll.ledger_set_aside(t, p_src, p_dst, p_amount);
    return true;
end $$;

create function ll.ledger_set_aside(t uuid, p_src uuid, p_dst uuid, p_amount bigint) returns void language plpgsql as $$
begin
    update ledger_accounts set dr_pending = dr_pending + case id when p_src then p_amount else 0 end,
                               cr_pending = cr_pending + case id when p_dst then p_amount else 0 end
    where tenant_id = t and id in (p_src, p_dst) and mode = 'strict';
end $$;

-- Move what a hold set aside, all of it or a part; with p_last the rest is let go, without it more may be captured later.
create function ll.ledger_capture(
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
    v_let_go := case when p_last then held.amount - held.captured else p_amount end;
    perform ll.ledger_set_aside(t, held.src, held.dst, -v_let_go);
    perform ll.ledger_leg(t, p_id, 0::smallint, p_request, p_kind, held.src, held.dst, p_amount, clock_timestamp(), null, p_meta, p_hold, null, null);
    update ledger_holds set captured = captured + p_amount,
        state = case when p_last or captured + p_amount = amount then 'captured' else 'open' end,
        ended_at = case when p_last or captured + p_amount = amount then clock_timestamp() end
    where tenant_id = t and id = p_hold;
    return true;
end $$;

create function ll.ledger_open_hold(t uuid, p_hold uuid) returns ledger_holds language plpgsql as $$
declare
    held ledger_holds;
begin
    select * into held from ledger_holds where tenant_id = t and id = p_hold for no key update;
    if not found then
        perform ll.ledger_refuse('ledger_hold_missing', 'no such hold');
    end if;
    if held.state <> 'open' then
        perform ll.ledger_refuse('ledger_hold_ended', 'the hold has ended');
    end if;
    return held;
end $$;

-- Let go of what a hold still sets aside. True: let go now; false: it had ended in this way already.
create function ll.ledger_void(p_hold uuid) returns boolean
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
begin
    if exists (select from ledger_holds where tenant_id = t and id = p_hold and state = 'void') then
        return false;
    end if;
    perform ll.ledger_end_hold(t, p_hold, 'void');
    return true;
end $$;

create function ll.ledger_end_hold(t uuid, p_hold uuid, p_state text) returns void language plpgsql as $$
declare
    held ledger_holds;
begin
    held := ll.ledger_open_hold(t, p_hold);
    perform ll.ledger_lock(t, array[held.src, held.dst]);
    perform ll.ledger_set_aside(t, held.src, held.dst, held.captured - held.amount);
    update ledger_holds set state = p_state, ended_at = clock_timestamp() where tenant_id = t and id = p_hold;
end $$;

-- End the holds whose time is over, the oldest first; gives how many.
create function ll.ledger_expire(p_limit integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    v_holds uuid[];
    v_accounts uuid[];
    v_hold uuid;
begin
    select array_agg(h.id), array_agg(h.src) || array_agg(h.dst) into v_holds, v_accounts from (
        select id, src, dst from ledger_holds where tenant_id = t and state = 'open' and expires_at <= clock_timestamp()
        order by expires_at limit p_limit for no key update skip locked
    ) h;
    perform ll.ledger_lock(t, v_accounts);
    foreach v_hold in array coalesce(v_holds, '{}') loop
        perform ll.ledger_end_hold(t, v_hold, 'expired');
    end loop;
    return coalesce(cardinality(v_holds), 0);
end $$;
