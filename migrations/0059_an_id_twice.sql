-- A batch that holds an id twice is written together, too: what the second is answered follows from what became of the first.

-- What becomes of each transaction of a batch, one after another: posted, replay, or the rule that refuses it; a word for every leg.
-- Null where that is not told here: an account with itself, an amount or a sum beyond all bounds. The accounts are locked.
-- An id that the batch holds again is free while all before it were refused; from then on it stands for the request of the one that was posted.
-- The words are those of one by one, in which the lower account is moved first: where that one is missing, nothing else is looked at; a floor comes
-- before a higher account that is missing, that before two currencies, and a closed one last.
create or replace function ll.ledger_sift(
    t uuid, p_ids uuid[], p_legs smallint[], p_requests uuid[], p_src uuid[], p_dst uuid[], p_amounts bigint[]
) returns text[] language plpgsql as $$
declare
    deferred constant uuid := 'f0000000-0000-0000-0000-000000000000';
    n constant integer := cardinality(p_ids);
    answers text[] := array_fill(null::text, array[n]);
    -- By account: its place is where its id stands. A deferred one has no sign.
    accounts uuid[]; signs bigint[]; balances bigint[]; floors bigint[]; currencies text[]; closed boolean[];
    -- By leg: where its accounts stand, the request that its id stands for already, and where the batch holds its id before.
    sources integer[]; destinations integer[]; known uuid[]; before integer[];
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
           array_agg(p.request order by u.place), array_agg(u.before order by u.place)
    into sources, destinations, known, before
    from (
        select l.*, lag(l.place) over (partition by l.id, l.leg order by l.place) as before
        from unnest(p_ids, p_legs, p_src, p_dst) with ordinality l (id, leg, src, dst, place)
    ) u
    left join unnest(accounts) with ordinality a (id, place) on a.id = u.src
    left join unnest(accounts) with ordinality b (id, place) on b.id = u.dst
    left join ledger_postings p on p.tenant_id = t and p.id = any (p_ids) and p.leg = 0 and p.id = u.id;
    if exists (select from unnest(p_src, p_dst, p_amounts) u (src, dst, amount) where u.src = u.dst or u.amount > 9007199254740991) then
        return null;
    end if;
    while first <= n loop
        last := first;
        while last < n and p_legs[last + 1] > 0 loop
            last := last + 1;
        end loop;
        known[first] := coalesce(known[first], known[before[first]]);
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
        if word = 'posted' then
            known[first] := p_requests[first];
        else  -- its legs give back what they took
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
