-- What a batch may ask for, written down: nothing is added to a transaction that stands, and one transaction that cannot be written does not
-- stop its neighbours, whatever is wrong with it. Accounts that are opened again by whoever needs them, and adjustments that count for an
-- earlier moment.

-- As much as JSON's readers hold exactly. Sums over accounts may go beyond it, up to what a bigint holds.
alter domain ll.ledger_amount add constraint ledger_postings_amount_within check (value <= 9007199254740991) not valid;

-- Whether the legs of a batch are whole transactions: each begins with leg 0, and what follows it counts up under the same id, request and kind.
create function ll.ledger_legs_in_order(p_ids uuid[], p_legs smallint[], p_requests uuid[], p_kinds text[]) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select coalesce(bool_and(u.leg is not null and (
        u.leg = 0 or ((u.leg, u.id, u.request, u.kind) is not distinct from (u.before + 1, u.id_before, u.request_before, u.kind_before))
    )), false)
    from (
        select b.*, lag(b.leg) over w as before, lag(b.id) over w as id_before, lag(b.request) over w as request_before, lag(b.kind) over w as kind_before
        from unnest(p_ids, p_legs, p_requests, p_kinds) with ordinality b (id, leg, request, kind, place) window w as (order by b.place)
    ) u
$$;
revoke execute on function ll.ledger_legs_in_order(uuid[], smallint[], uuid[], text[]) from public;

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
    v_fresh boolean;
begin
    if (dims = all (array[array_dims(p_ids), array_dims(p_legs), array_dims(p_requests), array_dims(p_kinds), array_dims(p_src), array_dims(p_dst),
                          array_dims(p_amounts), array_dims(p_effective_at), array_dims(p_metas)])) is not true then
        perform ll.ledger_refuse('ledger_legs_whole', 'the arrays of a batch are of one length, from 1 on');
    end if;
    if (0 = all (p_legs)) is not true and not ll.ledger_legs_in_order(p_ids, p_legs, p_requests, p_kinds) then
        perform ll.ledger_refuse('ledger_legs_whole', 'a transaction begins with leg 0, and its legs count up under one id, request and kind');
    end if;
    perform ll.ledger_lock(t, p_src || p_dst);
    -- An id that is here twice, or stands in the ledger already: then it goes one by one.
    select count(*) = count(distinct u.id)
           and not exists (select from ledger_postings p where p.tenant_id = t and p.id = any (p_ids) and p.leg = 0)
    into v_fresh from unnest(p_ids, p_legs) u (id, leg) where u.leg = 0;
    if v_fresh then
        begin
            perform ll.ledger_write_all(t, p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas);
            return (select array_agg(case u.leg when 0 then 'posted' end order by u.place) from unnest(p_legs) with ordinality u (leg, place));
        exception when integrity_constraint_violation or numeric_value_out_of_range then
            null;
        end;
    end if;
    return ll.ledger_write_each(t, p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas);
end $$;

-- One transaction after another, each in a part of its own that is undone alone.
create or replace function ll.ledger_write_each(
    t uuid, p_ids uuid[], p_legs smallint[], p_requests uuid[], p_kinds text[], p_src uuid[], p_dst uuid[], p_amounts bigint[],
    p_effective_at timestamptz[], p_metas jsonb[]
) returns text[] language plpgsql as $$
declare
    n constant integer := cardinality(p_ids);
    answers text[] := array_fill(null::text, array[n]);
    first integer := 1;
    last integer;
    known uuid;
    rule text;
    v_at timestamptz;
begin
    while first <= n loop
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
        first := last + 1;
    end loop;
    return answers;
end $$;

-- Keep others from moving an account until the transaction ends, and open it again where it was closed.
-- Whoever needs the account asks for it: closing an empty one tidies up, and refuses nobody their money.
create function ll.ledger_keep_open(p_account uuid) returns text
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    v_closed boolean;
begin
    select closed_at is not null into v_closed from ledger_accounts where tenant_id = t and id = p_account for no key update;
    if v_closed then
        update ledger_accounts set closed_at = null where tenant_id = t and id = p_account;
    end if;
    return case v_closed when true then 'reopened' when false then 'kept' else 'missing' end;
end $$;
revoke execute on function ll.ledger_keep_open(uuid) from public;
grant execute on function ll.ledger_keep_open(uuid) to lastlight_app, lastlight_system, lastlight_platform;

alter table adjustments add column effective_at timestamptz;
comment on column adjustments.effective_at is 'the moment for which it counts in the books; null: when it is booked';
