-- A batch in which some are refused is written together, too: what stands and what does not is reckoned first, in arrays.
--
-- One by one, each in a part of its own that is undone alone, two hundred took two hundred such parts: more than PostgreSQL keeps at hand of one
-- transaction, so that everybody else asked on disk what had become of each, and every account was left in as many versions.

-- What becomes of each transaction of a batch, one after another: posted, replay, or the rule that refuses it; a word for every leg.
-- Null where that is not told here: an id that the batch holds twice, an account with itself, an amount or a sum beyond all bounds. The accounts
-- are locked. The words are those of one by one, in which the lower account is moved first: where that one is missing, nothing else is looked at;
-- a floor comes before a higher account that is missing, that before two currencies, and a closed one last.
create function ll.ledger_sift(
    t uuid, p_ids uuid[], p_legs smallint[], p_requests uuid[], p_src uuid[], p_dst uuid[], p_amounts bigint[]
) returns text[] language plpgsql as $$
declare
    deferred constant uuid := 'f0000000-0000-0000-0000-000000000000';
    n constant integer := cardinality(p_ids);
    answers text[] := array_fill(null::text, array[n]);
    -- By account: its place is where its id stands. A deferred one has no sign.
    accounts uuid[]; signs bigint[]; balances bigint[]; floors bigint[]; currencies text[]; closed boolean[];
    -- By leg: where its accounts stand, and the request that its id stands for already.
    sources integer[]; destinations integer[]; known uuid[];
    first integer := 1;
    last integer;
    reckoned integer;
    s integer;
    d integer;
    word text;
    standing integer;
begin
    select array_agg(a.id), array_agg(case when a.mode = 'strict' then case a.side when 'credit' then 1 else -1 end end),
           array_agg(case a.side when 'credit' then a.cr - a.dr else a.dr - a.cr end),
           array_agg(a.floor + case a.side when 'credit' then a.dr_pending else a.cr_pending end), array_agg(a.currency), array_agg(a.closed_at is not null)
    into accounts, signs, balances, floors, currencies, closed
    from (
        select l.* from (
            select * from ledger_accounts o
            where o.tenant_id = t and o.id = any (p_src || p_dst) and o.id < 'f0000000-0000-0000-0000-000000000000' order by o.id for no key update
        ) l
        union all
        select * from ledger_accounts o
        where o.tenant_id = t and o.id = any (p_src || p_dst) and o.id >= 'f0000000-0000-0000-0000-000000000000'
    ) a;
    -- What is missing has the place behind the last, where there is nothing to reckon with.
    standing := coalesce(cardinality(accounts), 0);
    select array_agg(coalesce(a.place, standing + 1) order by u.place), array_agg(coalesce(b.place, standing + 1) order by u.place),
           array_agg(p.request order by u.place)
    into sources, destinations, known
    from unnest(p_ids, p_src, p_dst) with ordinality u (id, src, dst, place)
    left join unnest(accounts) with ordinality a (id, place) on a.id = u.src
    left join unnest(accounts) with ordinality b (id, place) on b.id = u.dst
    left join ledger_postings p on p.tenant_id = t and p.id = any (p_ids) and p.leg = 0 and p.id = u.id;
    if exists (select from unnest(p_ids, p_legs, p_src, p_dst, p_amounts) u (id, leg, src, dst, amount)
               having count(distinct u.id) <> count(*) filter (where u.leg = 0) or bool_or(u.src = u.dst or u.amount > 9007199254740991)) then
        return null;
    end if;
    while first <= n loop
        last := first;
        while last < n and p_legs[last + 1] > 0 loop
            last := last + 1;
        end loop;
        word := case when known[first] = p_requests[first] then 'replay' when known[first] is not null then 'ledger_id_reused' else 'posted' end;
        reckoned := first - 1;
        while word = 'posted' and reckoned < last loop
            reckoned := reckoned + 1;
            s := sources[reckoned];
            d := destinations[reckoned];
            balances[s] := balances[s] - signs[s] * p_amounts[reckoned];
            balances[d] := balances[d] + signs[d] * p_amounts[reckoned];
            word := case
                when (p_amounts[reckoned] > 0) is not true then 'ledger_postings_amount_positive'
                when case when p_dst[reckoned] < p_src[reckoned] then d > standing and p_dst[reckoned] < deferred
                          else s > standing and p_src[reckoned] < deferred end then 'ledger_account_missing'
                when balances[s] < floors[s] or balances[d] < floors[d] then 'ledger_accounts_floor'
                when s > standing or d > standing then 'ledger_account_missing'
                when currencies[s] <> currencies[d] then 'ledger_currency_mixed'
                when closed[s] or closed[d] then 'ledger_account_closed'
                else word end;
        end loop;
        if word <> 'posted' then  -- its legs give back what they took
            for i in first .. reckoned loop
                balances[sources[i]] := balances[sources[i]] + signs[sources[i]] * p_amounts[i];
                balances[destinations[i]] := balances[destinations[i]] - signs[destinations[i]] * p_amounts[i];
            end loop;
        end if;
        for i in first .. last loop
            answers[i] := word;
        end loop;
        first := last + 1;
    end loop;
    return answers;
end $$;
revoke execute on function ll.ledger_sift(uuid, uuid[], smallint[], uuid[], uuid[], uuid[], bigint[]) from public;

-- One transaction after another, each in a part of its own that is undone alone. Those that lock no account come first, in the order of their
-- ids: whoever else writes the same ones is waited for there, and two who wait for each other would both lose. They move no balance that a
-- floor limits, so that nobody else's word changes.
create or replace function ll.ledger_write_each(
    t uuid, p_ids uuid[], p_legs smallint[], p_requests uuid[], p_kinds text[], p_src uuid[], p_dst uuid[], p_amounts bigint[],
    p_effective_at timestamptz[], p_metas jsonb[]
) returns text[] language plpgsql as $$
declare
    n constant integer := cardinality(p_ids);
    answers text[] := array_fill(null::text, array[n]);
    firsts integer[];
    first integer;
    last integer;
    known uuid;
    rule text;
    v_at timestamptz;
begin
    -- An id that the batch asks for with and without such an account keeps its place: its first writer is the first that was given.
    select array_agg(b.place order by case when not b.locks then b.id end nulls last, b.place) into firsts
    from (
        select g.id, g.place, bool_or(g.locks) over (partition by g.id) as locks
        from (
            select any_value(l.id) as id, min(l.place) as place, bool_or(least(l.src, l.dst) < 'f0000000-0000-0000-0000-000000000000') as locks
            from (
                select u.*, count(*) filter (where u.leg = 0) over (order by u.place) as number
                from unnest(p_ids, p_legs, p_src, p_dst) with ordinality u (id, leg, src, dst, place)
            ) l group by l.number
        ) g
    ) b;
    foreach first in array firsts loop
        last := first;
        while last < n and p_legs[last + 1] > 0 loop
            last := last + 1;
        end loop;
        select request into known from ledger_postings where tenant_id = t and id = p_ids[first] and leg = 0;
        if found then
            answers[first] := case when known = p_requests[first] then 'replay' else 'ledger_id_reused' end;
        else
            begin
                v_at := clock_timestamp();
                for i in first .. last loop
                    v_at := ll.ledger_leg(t, p_ids[i], p_legs[i], p_requests[i], p_kinds[i], p_src[i], p_dst[i], p_amounts[i], v_at,
                                          p_effective_at[i], p_metas[i], null, null, null);
                end loop;
                answers[first] := 'posted';
            exception
                when unique_violation then  -- somebody else's batch wrote it meanwhile
                    select request into known from ledger_postings where tenant_id = t and id = p_ids[first] and leg = 0;
                    answers[first] := case when known = p_requests[first] then 'replay' else 'ledger_id_reused' end;
                when numeric_value_out_of_range then  -- an account holds no such sum
                    answers[first] := 'ledger_postings_amount_within';
                when integrity_constraint_violation then
                    get stacked diagnostics rule = constraint_name;
                    answers[first] := coalesce(nullif(rule, ''), 'ledger_legs_whole');
            end;
        end if;
    end loop;
    return answers;
end $$;

-- Post transactions whose legs stand one after another in arrays of one length; each transaction by itself, in this order.
-- Gives a word for each leg's transaction, at its first leg: posted, replay, or the name of the rule that refused it (null at further legs).
-- All at once where none is refused; else all that stand; and one by one where it cannot be told beforehand which do.
-- Planned once for any size, and never with a loop over a loop: the planner knows nothing of what stands in arrays.
create or replace function ll.ledger_post_batch(
    p_ids uuid[], p_legs smallint[], p_requests uuid[], p_kinds text[], p_src uuid[], p_dst uuid[], p_amounts bigint[],
    p_effective_at timestamptz[], p_metas jsonb[]
) returns text[] language plpgsql security definer
set search_path = pg_catalog, public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_nestloop = off as $$
declare
    t constant uuid := ll.tenant_id();
    dims constant text := '[1:' || cardinality(p_ids) || ']';
    answers text[];
    standing record;
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
    begin
        answers := ll.ledger_sift(t, p_ids, p_legs, p_requests, p_src, p_dst, p_amounts);
        if answers is not null then
            select array_agg(u.id order by u.place) as ids, array_agg(u.leg order by u.place) as legs, array_agg(u.request order by u.place) as requests,
                   array_agg(u.kind order by u.place) as kinds, array_agg(u.src order by u.place) as src, array_agg(u.dst order by u.place) as dst,
                   array_agg(u.amount order by u.place) as amounts, array_agg(u.effective_at order by u.place) as effective_at,
                   array_agg(u.meta order by u.place) as metas
            into standing
            from unnest(answers, p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas) with ordinality
                 u (answer, id, leg, request, kind, src, dst, amount, effective_at, meta, place)
            where u.answer = 'posted';
            if standing.ids is not null then
                perform ll.ledger_write_all(t, standing.ids, standing.legs, standing.requests, standing.kinds, standing.src, standing.dst,
                                            standing.amounts, standing.effective_at, standing.metas);
            end if;
            return (select array_agg(case u.leg when 0 then u.answer end order by u.place) from unnest(answers, p_legs) with ordinality u (answer, leg, place));
        end if;
    exception when integrity_constraint_violation or numeric_value_out_of_range then
        null;  -- a rule of which nothing is told beforehand, or somebody wrote one of them meanwhile
    end;
    perform ll.ledger_lock(t, p_src || p_dst);
    return ll.ledger_write_each(t, p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas);
end $$;

-- Nobody asks it any more: what keeps an account open also opens it again.
drop function ll.ledger_keep(uuid);
