-- Many transactions in one call, and what is read back: balances, sums of deferred accounts, seals.

create function ll.ledger_short() returns bigint language plpgsql as $$
begin
    perform ll.ledger_refuse('ledger_accounts_floor', 'less is available than this');
    return null;
end $$;

-- Post transactions whose legs stand one after another in arrays of one length; each transaction by itself, in this order.
-- Gives a word for each leg's transaction, at its first leg: posted, replay, or the name of the rule that refused it (null at further legs).
-- All at once where none is refused; else one by one, so that a refused one does not stop its neighbours.
create function ll.ledger_post_batch(
    p_ids uuid[], p_legs smallint[], p_requests uuid[], p_kinds text[], p_src uuid[], p_dst uuid[], p_amounts bigint[],
    p_effective_at timestamptz[], p_metas jsonb[]
) returns text[] language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    n constant integer := cardinality(p_ids);
    v_first integer[];
    v_known integer;
begin
    if n = 0 or n <> all (array[cardinality(p_legs), cardinality(p_requests), cardinality(p_kinds), cardinality(p_src), cardinality(p_dst),
                                cardinality(p_amounts), cardinality(p_effective_at), cardinality(p_metas)]) then
        perform ll.ledger_refuse('ledger_legs_whole', 'the arrays of a batch are of one length');
    end if;
    perform ll.ledger_lock(t, (select array_agg(distinct a) from unnest(p_src || p_dst) a));
    -- Which ids are here twice, or stand in the ledger already: then it goes one by one.
    -- A look for each, which is how it is written here: as a join, without statistics, it became the product of both.
    select count((select p.leg from ledger_postings p where p.tenant_id = t and p.id = u.id and p.leg = 0)) into v_known
    from unnest(p_ids, p_legs) u (id, leg) where u.leg = 0;
    if v_known = 0 and (select count(*) = count(distinct u.id) from unnest(p_ids, p_legs) u (id, leg) where u.leg = 0) then
        begin
            perform ll.ledger_write_all(t, p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas);
            return (select array_agg(case u.leg when 0 then 'posted' end order by u.place) from unnest(p_legs) with ordinality u (leg, place));
        exception when integrity_constraint_violation or unique_violation or check_violation or not_null_violation then
            null;
        end;
    end if;
    return ll.ledger_write_each(t, p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas);
end $$;

-- Every leg in one statement, and every account in another. The running balances are those that one posting after another would give.
create function ll.ledger_write_all(
    t uuid, p_ids uuid[], p_legs smallint[], p_requests uuid[], p_kinds text[], p_src uuid[], p_dst uuid[], p_amounts bigint[],
    p_effective_at timestamptz[], p_metas jsonb[]
) returns void language plpgsql as $$
declare
    v_at timestamptz;
    v_written bigint;
begin
    select greatest(clock_timestamp(), max(a.moved_at)) into v_at from ledger_accounts a
    where a.tenant_id = t and a.id = any (p_src || p_dst);
    insert into ledger_postings (tenant_id, id, leg, request, kind, currency, src, src_version, src_balance, dst, dst_version, dst_balance,
                                 amount, at, effective_at, meta)
    select t, b.id, b.leg, b.request, b.kind, case when b.currency = b.other_currency then b.currency end, b.account, b.version, b.balance,
           b.other, b.other_version, b.other_balance, b.amount, v_at, coalesce(b.effective_at, v_at), b.meta
    from (
        select r.*, lead(r.version) over pairs as other_version, lead(r.balance) over pairs as other_balance,
               lead(r.currency) over pairs as other_currency
        from (
            select m.*, a.currency,
                   case a.mode when 'strict' then a.version + row_number() over moves end as version,
                   case when a.mode = 'deferred' then null
                        when (case a.side when 'credit' then a.cr - a.dr - a.dr_pending + sum(m.signed) over moves
                                          else a.dr - a.cr - a.cr_pending - sum(m.signed) over moves end) < a.floor then ll.ledger_short()
                        when a.side = 'credit' then (a.cr - a.dr + sum(m.signed) over moves)::bigint
                        else (a.dr - a.cr - sum(m.signed) over moves)::bigint end as balance
            from (
                select place, 0 as half, id, leg, request, kind, src as account, dst as other, amount, -amount as signed, effective_at, meta
                from unnest(p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas) with ordinality
                     u (id, leg, request, kind, src, dst, amount, effective_at, meta, place)
                union all
                select place, 1, null, null, null, null, dst, null, amount, amount, null, null
                from unnest(p_dst, p_amounts) with ordinality u (dst, amount, place)
            ) m cross join lateral (
                select * from ledger_accounts a where a.tenant_id = t and a.id = m.account and a.closed_at is null offset 0
            ) a
            window moves as (partition by m.account order by m.place, m.half)
        ) r window pairs as (order by r.place, r.half)
    ) b where b.half = 0 order by b.id, b.leg;
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

-- One transaction after another, each in a part of its own that is undone alone.
create function ll.ledger_write_each(
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
                when integrity_constraint_violation or check_violation or not_null_violation then
                    get stacked diagnostics rule = constraint_name;
                    answers[first] := coalesce(nullif(rule, ''), 'ledger_legs_whole');
            end;
        end if;
        first := last + 1;
    end loop;
    return answers;
end $$;

-- How many postings had moved a strict account by a moment: found by halving its versions, which count up with time.
create function ll.ledger_version_at(t uuid, p_account uuid, p_newest bigint, p_at timestamptz) returns bigint language plpgsql stable as $$
declare
    low bigint := 0;
    high bigint := p_newest;
    middle bigint;
    v_at timestamptz;
begin
    while low < high loop
        middle := (low + high + 1) / 2;
        select p.at into v_at from ledger_postings p where p.tenant_id = t and p.src = p_account and p.src_version = middle;
        if not found then
            select p.at into v_at from ledger_postings p where p.tenant_id = t and p.dst = p_account and p.dst_version = middle;
        end if;
        if v_at <= p_at then
            low := middle;
        else
            high := middle - 1;
        end if;
    end loop;
    return low;
end $$;

-- A balance on its own side. Of a strict account as it stands: its row; as of a moment: what its last posting by then left. Of a deferred
-- account: the newest sum by then, and what follows it.
create function ll.ledger_balance_at(p_account uuid, p_at timestamptz) returns bigint language plpgsql stable as $$
declare
    t constant uuid := ll.tenant_id();
    account ledger_accounts;
    v_version bigint;
    v_balance bigint;
    sums record;
    base record;
begin
    select * into account from ledger_accounts where tenant_id = t and id = p_account;
    if not found then
        return null;
    end if;
    if account.mode = 'deferred' then
        select horizon, dr, cr into base from ledger_rollups
        where tenant_id = t and account_id = p_account and newest_at <= p_at order by horizon desc limit 1;
        select coalesce(sum(amount) filter (where half = 0), 0)::bigint as dr, coalesce(sum(amount) filter (where half = 1), 0)::bigint as cr into sums from (
            select 0 as half, amount from ledger_postings
            where tenant_id = t and src = p_account and src_version is null and xid >= coalesce(base.horizon, 0) and at <= p_at
            union all
            select 1, amount from ledger_postings
            where tenant_id = t and dst = p_account and dst_version is null and xid >= coalesce(base.horizon, 0) and at <= p_at
        ) moved;
        v_balance := coalesce(base.cr, 0) + sums.cr - coalesce(base.dr, 0) - sums.dr;
        return case account.side when 'credit' then v_balance else -v_balance end;
    end if;
    if account.moved_at <= p_at then
        return case account.side when 'credit' then account.cr - account.dr else account.dr - account.cr end;
    end if;
    v_version := ll.ledger_version_at(t, p_account, account.version, p_at);
    select p.src_balance into v_balance from ledger_postings p where p.tenant_id = t and p.src = p_account and p.src_version = v_version;
    if not found then
        select p.dst_balance into v_balance from ledger_postings p where p.tenant_id = t and p.dst = p_account and p.dst_version = v_version;
    end if;
    return coalesce(v_balance, 0);
end $$;

-- What moved on an account from one moment up to, not with, another, in the order in which it was written.
create function ll.ledger_moves(p_account uuid, p_since timestamptz, p_until timestamptz) returns setof ledger_postings language plpgsql stable as $$
declare
    t constant uuid := ll.tenant_id();
    account ledger_accounts;
    v_after bigint;
    v_horizon bigint;
begin
    select * into account from ledger_accounts where tenant_id = t and id = p_account;
    if account.mode = 'strict' then
        v_after := ll.ledger_version_at(t, p_account, account.version, p_since - interval '1 microsecond');
        return query
            select (p).* from (
                select p, p.src_version as version from ledger_postings p
                where p.tenant_id = t and p.src = p_account and p.src_version > v_after and p.src_version is not null
                union all
                select p, p.dst_version from ledger_postings p
                where p.tenant_id = t and p.dst = p_account and p.dst_version > v_after and p.dst_version is not null
            ) moved where (p).at < p_until order by version;
    else
        select max(horizon) into v_horizon from ledger_rollups where tenant_id = t and account_id = p_account and newest_at < p_since;
        return query
            select (p).* from (
                select p from ledger_postings p
                where p.tenant_id = t and p.src = p_account and p.src_version is null and p.xid >= coalesce(v_horizon, 0)
                union all
                select p from ledger_postings p
                where p.tenant_id = t and p.dst = p_account and p.dst_version is null and p.xid >= coalesce(v_horizon, 0)
            ) moved where (p).at >= p_since and (p).at < p_until order by (p).at, (p).seq;
    end if;
end $$;

-- The same by the moments for which postings count: what was written later for earlier is added, what was written earlier for later taken off.
create function ll.ledger_balance_effective(p_account uuid, p_at timestamptz) returns bigint language plpgsql stable as $$
declare
    t constant uuid := ll.tenant_id();
    v_side text;
    v_shift bigint;
begin
    select side into v_side from ledger_accounts where tenant_id = t and id = p_account;
    select coalesce(sum(case when effective_at <= p_at then signed else -signed end), 0)::bigint into v_shift from (
        select at, effective_at, -amount as signed from ledger_postings where tenant_id = t and src = p_account and effective_at <> at
        union all
        select at, effective_at, amount from ledger_postings where tenant_id = t and dst = p_account and effective_at <> at
    ) moved where (at <= p_at) <> (effective_at <= p_at);
    return ll.ledger_balance_at(p_account, p_at) + case v_side when 'credit' then v_shift else -v_shift end;
end $$;

-- Sum up deferred accounts to the horizon below which every transaction has ended; gives how many sums were written.
create function ll.ledger_roll_up() returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    v_horizon constant bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    v_written integer;
begin
    perform pg_advisory_xact_lock(uuid_hash_extended(t, 2));
    insert into ledger_rollups (tenant_id, account_id, horizon, dr, cr, newest_at)
    select t, a.id, v_horizon, coalesce(base.dr, 0) + moved.dr, coalesce(base.cr, 0) + moved.cr, greatest(base.newest_at, moved.newest_at)
    from ledger_accounts a
    left join lateral (
        select r.horizon, r.dr, r.cr, r.newest_at from ledger_rollups r
        where r.tenant_id = t and r.account_id = a.id order by r.horizon desc limit 1
    ) base on true
    cross join lateral (
        select coalesce(sum(m.amount) filter (where m.half = 0), 0)::bigint as dr, coalesce(sum(m.amount) filter (where m.half = 1), 0)::bigint as cr,
               max(m.at) as newest_at
        from (
            select 0 as half, p.amount, p.at from ledger_postings p
            where p.tenant_id = t and p.src = a.id and p.src_version is null and p.xid >= coalesce(base.horizon, 0) and p.xid < v_horizon
            union all
            select 1, p.amount, p.at from ledger_postings p
            where p.tenant_id = t and p.dst = a.id and p.dst_version is null and p.xid >= coalesce(base.horizon, 0) and p.xid < v_horizon
        ) m
    ) moved
    where a.tenant_id = t and a.mode = 'deferred' and moved.newest_at is not null;
    get diagnostics v_written = row_count;
    return v_written;
end $$;

-- What a posting hashes to: every column, in one spelling.
create function ll.ledger_posting_digest(p ledger_postings) returns bytea language sql immutable as $$
    select sha256(convert_to(concat_ws('|', p.tenant_id, p.id, p.leg, p.seq, p.xid, p.request, p.kind, p.currency, p.amount, p.src,
        coalesce(p.src_version, -1), coalesce(p.src_balance, 0), p.dst, coalesce(p.dst_version, -1), coalesce(p.dst_balance, 0),
        extract(epoch from p.at), extract(epoch from p.effective_at), coalesce(p.reverses::text, ''), coalesce(p.reverses_leg, -1),
        coalesce(p.hold_id::text, ''), p.meta::text), 'UTF8'))
$$;

-- Seal what was written since the last block, up to the same horizon; gives the number of the block, null where there was nothing.
create function ll.ledger_seal() returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    v_horizon constant bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    before ledger_seals;
    v_since bigint := 0;
    v_count bigint;
    v_newest bigint;
    v_hash bytea;
begin
    perform pg_advisory_xact_lock(uuid_hash_extended(t, 3));
    select * into before from ledger_seals where tenant_id = t order by block desc limit 1;
    if found then
        v_since := before.horizon;
    end if;
    if v_since >= v_horizon then
        return null;
    end if;
    select count(*), max(p.seq), ll.ledger_block_hash(before.hash, string_agg(ll.ledger_posting_digest(p), ''::bytea order by p.xid, p.seq))
    into v_count, v_newest, v_hash
    from ledger_postings p where p.tenant_id = t and p.xid >= v_since and p.xid < v_horizon;
    if v_count = 0 then
        return null;
    end if;
    insert into ledger_seals (tenant_id, block, since, horizon, postings, newest, hash)
    values (t, coalesce(before.block, 0) + 1, v_since, v_horizon, v_count, greatest(before.newest, v_newest), v_hash);
    return coalesce(before.block, 0) + 1;
end $$;

create function ll.ledger_block_hash(p_before bytea, p_digests bytea) returns bytea language sql immutable as $$
    select sha256(coalesce(p_before, '\x0000000000000000000000000000000000000000000000000000000000000000'::bytea) || p_digests)
$$;

do $$
declare
    f regprocedure;
begin
    for f in select p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = 'll' and p.proname like 'ledger\_%' loop
        execute format('revoke execute on function %s from public', f);
    end loop;
end $$;
grant execute on function
    ll.ledger_open(smallint, text, text, text, text, bigint, uuid, uuid),
    ll.ledger_close(uuid, boolean),
    ll.ledger_post(uuid, uuid, text, uuid[], uuid[], bigint[], timestamptz, jsonb, uuid[], bigint[], bigint[]),
    ll.ledger_post_batch(uuid[], smallint[], uuid[], text[], uuid[], uuid[], bigint[], timestamptz[], jsonb[]),
    ll.ledger_reverse(uuid, uuid, text, uuid, bigint[], timestamptz, jsonb),
    ll.ledger_hold(uuid, uuid, text, uuid, uuid, bigint, timestamptz, jsonb),
    ll.ledger_capture(uuid, uuid, text, uuid, bigint, boolean, jsonb),
    ll.ledger_void(uuid),
    ll.ledger_expire(integer),
    ll.ledger_balance_at(uuid, timestamptz),
    ll.ledger_balance_effective(uuid, timestamptz),
    ll.ledger_version_at(uuid, uuid, bigint, timestamptz),
    ll.ledger_moves(uuid, timestamptz, timestamptz)
to lastlight_app, lastlight_system, lastlight_platform;
grant execute on function ll.ledger_roll_up(), ll.ledger_seal() to lastlight_system;
grant execute on function ll.ledger_posting_digest(ledger_postings), ll.ledger_block_hash(bytea, bytea) to lastlight_looker;
