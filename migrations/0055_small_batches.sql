-- Batches, and small ones above all, with fewer statements; what they promise is what it was.
--
-- Who waits in line goes in batches of a few, and a statement costs most before its first row. So a few legs are reckoned in arrays, where
-- thousands are joined and summed. Locks are taken where the rows are then written, in the same part of the transaction: a row that the
-- outer part has locked and the inner one writes needs a list of both kept by PostgreSQL. Whether an id is known is left to its unique key.

-- A few legs: the accounts in one statement, the postings in another, and the accounts again.
create function ll.ledger_write_few(
    t uuid, p_ids uuid[], p_legs smallint[], p_requests uuid[], p_kinds text[], p_src uuid[], p_dst uuid[], p_amounts bigint[],
    p_effective_at timestamptz[], p_metas jsonb[]
) returns void language plpgsql as $$
declare
    -- By account: its place is where its id stands. A deferred one has no sign.
    accounts uuid[]; signs bigint[]; versions bigint[]; balances bigint[]; floors bigint[]; currencies text[]; drs bigint[]; crs bigint[];
    -- By leg, as they are written.
    leg_currencies text[];
    src_versions bigint[] := array_fill(null::bigint, array[cardinality(p_ids)]);
    src_balances bigint[] := src_versions;
    dst_versions bigint[] := src_versions;
    dst_balances bigint[] := src_versions;
    v_at timestamptz;
    v_closed bigint;
    s integer;
    d integer;
begin
    select array_agg(a.id), array_agg(case when a.mode = 'strict' then case a.side when 'credit' then 1 else -1 end end), array_agg(a.version),
           array_agg(case a.side when 'credit' then a.cr - a.dr else a.dr - a.cr end),
           array_agg(a.floor + case a.side when 'credit' then a.dr_pending else a.cr_pending end), array_agg(a.currency),
           array_agg(0), array_agg(0), greatest(clock_timestamp(), max(a.moved_at)), count(a.closed_at)
    into accounts, signs, versions, balances, floors, currencies, drs, crs, v_at, v_closed
    from (
        select l.* from (
            select * from ledger_accounts o
            where o.tenant_id = t and o.id = any (p_src || p_dst) and o.id < 'f0000000-0000-0000-0000-000000000000' order by o.id for no key update
        ) l
        union all
        select * from ledger_accounts o
        where o.tenant_id = t and o.id = any (p_src || p_dst) and o.id >= 'f0000000-0000-0000-0000-000000000000'
    ) a;
    if v_closed > 0 then
        perform ll.ledger_refuse('ledger_account_closed', 'the account is closed');
    end if;
    for i in 1 .. cardinality(p_ids) loop
        s := array_position(accounts, p_src[i]);
        d := array_position(accounts, p_dst[i]);
        if s is null or d is null then
            perform ll.ledger_refuse('ledger_account_missing', 'no such account');
        end if;
        if currencies[s] <> currencies[d] then
            perform ll.ledger_refuse('ledger_currency_mixed', 'both accounts of a posting are in one currency');
        end if;
        leg_currencies[i] := currencies[s];
        if signs[s] is not null then
            versions[s] := versions[s] + 1;
            drs[s] := drs[s] + p_amounts[i];
            balances[s] := balances[s] - signs[s] * p_amounts[i];
            src_versions[i] := versions[s];
            src_balances[i] := balances[s];
        end if;
        if signs[d] is not null then
            versions[d] := versions[d] + 1;
            crs[d] := crs[d] + p_amounts[i];
            balances[d] := balances[d] + signs[d] * p_amounts[i];
            dst_versions[i] := versions[d];
            dst_balances[i] := balances[d];
        end if;
        if balances[s] < floors[s] or balances[d] < floors[d] then
            perform ll.ledger_short();
        end if;
    end loop;
    insert into ledger_postings (tenant_id, id, leg, request, kind, currency, src, src_version, src_balance, dst, dst_version, dst_balance,
                                 amount, at, effective_at, meta)
    select t, u.id, u.leg, u.request, u.kind, u.currency, u.src, u.src_version, u.src_balance, u.dst, u.dst_version, u.dst_balance,
           u.amount, v_at, coalesce(u.effective_at, v_at), u.meta
    from unnest(p_ids, p_legs, p_requests, p_kinds, leg_currencies, p_src, src_versions, src_balances, p_dst, dst_versions, dst_balances,
                p_amounts, p_effective_at, p_metas)
         u (id, leg, request, kind, currency, src, src_version, src_balance, dst, dst_version, dst_balance, amount, effective_at, meta)
    order by u.id, u.leg;
    update ledger_accounts a set dr = a.dr + m.dr, cr = a.cr + m.cr, version = m.version, moved_at = v_at
    from unnest(accounts, signs, versions, drs, crs) m (account, sign, version, dr, cr)
    where a.tenant_id = t and a.id = any (accounts) and a.id = m.account and m.sign is not null;
end $$;
revoke execute on function ll.ledger_write_few(uuid, uuid[], smallint[], uuid[], text[], uuid[], uuid[], bigint[], timestamptz[], jsonb[]) from public;

-- Thousands: every leg in one statement, and every account in another. The running balances are those that one posting after another would give.
create or replace function ll.ledger_write_all(
    t uuid, p_ids uuid[], p_legs smallint[], p_requests uuid[], p_kinds text[], p_src uuid[], p_dst uuid[], p_amounts bigint[],
    p_effective_at timestamptz[], p_metas jsonb[]
) returns void language plpgsql as $$
declare
    v_at timestamptz;
    v_written bigint;
begin
    select greatest(clock_timestamp(), max(l.moved_at)) into v_at from (
        select a.moved_at from ledger_accounts a
        where a.tenant_id = t and a.id = any (p_src || p_dst) and a.id < 'f0000000-0000-0000-0000-000000000000' order by a.id for no key update
    ) l;
    insert into ledger_postings (tenant_id, id, leg, request, kind, currency, src, src_version, src_balance, dst, dst_version, dst_balance,
                                 amount, at, effective_at, meta)
    select t, b.id, b.leg, b.request, b.kind, case when b.src_currency = b.dst_currency then b.src_currency end, b.src, b.src_version, b.src_balance,
           b.dst, b.dst_version, b.dst_balance, b.amount, v_at, coalesce(b.effective_at, v_at), b.meta
    from (
        select any_value(r.id) as id, any_value(r.leg) as leg, any_value(r.request) as request, any_value(r.kind) as kind,
               any_value(r.amount) as amount, any_value(r.effective_at) as effective_at, any_value(r.meta) as meta,
               any_value(r.account) filter (where r.half = 0) as src, any_value(r.account) filter (where r.half = 1) as dst,
               any_value(r.version) filter (where r.half = 0) as src_version, any_value(r.version) filter (where r.half = 1) as dst_version,
               any_value(r.balance) filter (where r.half = 0) as src_balance, any_value(r.balance) filter (where r.half = 1) as dst_balance,
               any_value(r.currency) filter (where r.half = 0) as src_currency, any_value(r.currency) filter (where r.half = 1) as dst_currency
        from (
            select m.*, a.currency,
                   case a.mode when 'strict' then a.version + row_number() over moves end as version,
                   case when a.mode = 'deferred' then null
                        when (case a.side when 'credit' then a.cr - a.dr - a.dr_pending + sum(m.signed) over moves
                                          else a.dr - a.cr - a.cr_pending - sum(m.signed) over moves end) < a.floor then ll.ledger_short()
                        when a.side = 'credit' then (a.cr - a.dr + sum(m.signed) over moves)::bigint
                        else (a.dr - a.cr - sum(m.signed) over moves)::bigint end as balance
            from (
                select place, 0 as half, id, leg, request, kind, src as account, amount, -amount as signed, effective_at, meta
                from unnest(p_ids, p_legs, p_requests, p_kinds, p_src, p_amounts, p_effective_at, p_metas) with ordinality
                     u (id, leg, request, kind, src, amount, effective_at, meta, place)
                union all
                select place, 1, null, null, null, null, dst, null, amount, null, null
                from unnest(p_dst, p_amounts) with ordinality u (dst, amount, place)
            ) m join ledger_accounts a on a.id = m.account and a.tenant_id = t and a.id = any (p_src || p_dst) and a.closed_at is null
            window moves as (partition by m.account order by m.place, m.half)
        ) r group by r.place
    ) b order by b.id, b.leg;
    get diagnostics v_written = row_count;
    if v_written <> cardinality(p_ids) then
        perform ll.ledger_refuse('ledger_account_missing', 'no such account, or it is closed');
    end if;
    update ledger_accounts a set dr = a.dr + m.dr, cr = a.cr + m.cr, version = a.version + m.times, moved_at = v_at
    from (
        select u.account, sum(u.dr)::bigint as dr, sum(u.cr)::bigint as cr, count(*) as times from (
            select src as account, amount as dr, 0 as cr from unnest(p_src, p_amounts) u (src, amount)
            union all
            select dst, 0, amount from unnest(p_dst, p_amounts) u (dst, amount)
        ) u where u.account < 'f0000000-0000-0000-0000-000000000000' group by u.account
    ) m where a.tenant_id = t and a.id = any (p_src || p_dst) and a.id = m.account;
end $$;

-- Post transactions whose legs stand one after another in arrays of one length; each transaction by itself, in this order.
-- Gives a word for each leg's transaction, at its first leg: posted, replay, or the name of the rule that refused it (null at further legs).
-- All at once where none is refused; else one by one, so that a refused one does not stop its neighbours.
-- Planned once for any size, and never with a loop over a loop: the planner knows nothing of what stands in arrays.
create or replace function ll.ledger_post_batch(
    p_ids uuid[], p_legs smallint[], p_requests uuid[], p_kinds text[], p_src uuid[], p_dst uuid[], p_amounts bigint[],
    p_effective_at timestamptz[], p_metas jsonb[]
) returns text[] language plpgsql security definer
set search_path = pg_catalog, public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_nestloop = off as $$
declare
    t constant uuid := ll.tenant_id();
    dims constant text := '[1:' || cardinality(p_ids) || ']';
begin
    if (dims = all (array[array_dims(p_ids), array_dims(p_legs), array_dims(p_requests), array_dims(p_kinds), array_dims(p_src), array_dims(p_dst),
                          array_dims(p_amounts), array_dims(p_effective_at), array_dims(p_metas)])) is not true then
        perform ll.ledger_refuse('ledger_legs_whole', 'the arrays of a batch are of one length, from 1 on');
    end if;
    if (0 = all (p_legs)) is not true and not ll.ledger_legs_in_order(p_ids, p_legs, p_requests, p_kinds) then
        perform ll.ledger_refuse('ledger_legs_whole', 'a transaction begins with leg 0, and its legs count up under one id, request and kind');
    end if;
    begin
        if cardinality(p_ids) <= 64 then
            perform ll.ledger_write_few(t, p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas);
        else
            perform ll.ledger_write_all(t, p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas);
        end if;
        if 0 = all (p_legs) then
            return array_fill('posted'::text, array[cardinality(p_legs)]);
        end if;
        return (select array_agg(case u.leg when 0 then 'posted' end order by u.place) from unnest(p_legs) with ordinality u (leg, place));
    exception when integrity_constraint_violation or numeric_value_out_of_range then
        null;  -- one of them is refused, or was posted before
    end;
    perform ll.ledger_lock(t, p_src || p_dst);
    return ll.ledger_write_each(t, p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas);
end $$;
