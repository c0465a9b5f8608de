-- The ledger's writers, faster; what they promise is what it was.
--
-- PostgreSQL reads the text of a table's check constraints again for every statement that writes, and tests each of them on every update.
-- So a rule over one column is a rule of its type from now on, tested where a value is given. The rules over several columns of an
-- account are tested by one constraint trigger, which the session keeps compiled. Every rule keeps its name.

create domain ll.ledger_code as text constraint ledger_accounts_code_shape check (value ~ '^[a-z][a-z0-9-]{1,39}$');
create domain ll.ledger_currency as text constraint ledger_accounts_currency_shape check (value ~ '^[A-Z]{3}$');
create domain ll.ledger_side as text constraint ledger_accounts_side_known check (value in ('debit', 'credit'));
create domain ll.ledger_mode as text constraint ledger_accounts_mode_known check (value in ('strict', 'deferred'));
-- The same shape without a regular expression, which a batch of thousands felt.
create domain ll.ledger_kind as text constraint ledger_postings_kind_shape check (
    length(value) between 2 and 40 and ltrim(value, 'abcdefghijklmnopqrstuvwxyz0123456789-') = '' and ltrim(left(value, 1), '0123456789-') <> '');
create domain ll.ledger_amount as bigint constraint ledger_postings_amount_positive check (value > 0);
create domain ll.ledger_leg_number as smallint constraint ledger_postings_leg_counts check (value >= 0);

alter table ledger_accounts
    drop constraint ledger_accounts_one_owner,
    drop constraint ledger_accounts_code_shape,
    drop constraint ledger_accounts_currency_shape,
    drop constraint ledger_accounts_side_known,
    drop constraint ledger_accounts_mode_known,
    drop constraint ledger_accounts_class_is_mode,
    drop constraint ledger_accounts_deferred_is_unbounded,
    drop constraint ledger_accounts_counts_up,
    drop constraint ledger_accounts_floor,
    alter column code type ll.ledger_code,
    alter column currency type ll.ledger_currency,
    alter column side type ll.ledger_side,
    alter column mode type ll.ledger_mode;

alter table ledger_postings
    drop constraint ledger_postings_amount_positive,
    drop constraint ledger_postings_leg_counts,
    drop constraint ledger_postings_kind_shape,
    alter column amount type ll.ledger_amount,
    alter column leg type ll.ledger_leg_number,
    alter column kind type ll.ledger_kind;

-- An account as it stands after a statement; a breach carries the name of its rule.
create function ll.ledger_account_stands() returns trigger language plpgsql as $$
begin
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
    if new.patron_id is not null and new.venue_id is not null then
        perform ll.ledger_refuse('ledger_accounts_one_owner', 'an account belongs to a guest or to a venue');
    end if;
    return null;
end $$;
revoke execute on function ll.ledger_account_stands() from public;
create constraint trigger ledger_accounts_stand after insert or update on ledger_accounts
    for each row execute function ll.ledger_account_stands();

-- Post one transaction: its legs are written in their order, or nothing is. True: written now; false: it stood there already.
-- What is asked of accounts (p_watch) is looked at under their locks: the least that is available, and the version that was seen.
-- A single leg takes its locks by its updates, in the order of the ids.
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
    if not ll.ledger_first(t, p_id, p_request) then
        return false;
    end if;
    if n > 1 or p_watch is not null then
        perform ll.ledger_lock(t, p_src || p_dst || coalesce(p_watch, '{}'));
        if p_watch is not null then
            perform ll.ledger_conditions(t, p_watch, p_least, p_versions);
        end if;
    end if;
    v_at := clock_timestamp();
    for i in 1 .. n loop
        v_at := ll.ledger_leg(t, p_id, (i - 1)::smallint, p_request, p_kind, p_src[i], p_dst[i], p_amount[i], v_at, p_effective_at, p_meta, null, null, null);
    end loop;
    return true;
end $$;

-- Whether an id is new here; false: it was written before, for the same request. Whoever asks second waits for whoever asked first.
create or replace function ll.ledger_first(t uuid, p_id uuid, p_request uuid) returns boolean language plpgsql as $$
declare
    locked constant boolean := pg_advisory_xact_lock(uuid_hash_extended(p_id, 0)) is null;
    known uuid;
begin
    select p.request into known from ledger_postings p where p.tenant_id = t and p.id = p_id and p.leg = 0;
    if known <> p_request then
        perform ll.ledger_refuse('ledger_id_reused', 'this id stands for another transaction');
    end if;
    return known is null;
end $$;

create or replace function ll.ledger_leg(
    t uuid, p_id uuid, p_leg smallint, p_request uuid, p_kind text, p_src uuid, p_dst uuid, p_amount bigint, p_at timestamptz,
    p_effective_at timestamptz, p_meta jsonb, p_hold uuid, p_reverses uuid, p_reverses_leg smallint
) returns timestamptz language plpgsql as $$
declare
    deferred constant uuid := 'f0000000-0000-0000-0000-000000000000';
    v_at timestamptz := p_at;
    src_version bigint; src_balance bigint; src_currency text; src_closed timestamptz; src_at timestamptz;
    dst_version bigint; dst_balance bigint; dst_currency text; dst_closed timestamptz; dst_at timestamptz;
begin
    if p_amount is null or p_amount <= 0 then
        perform ll.ledger_refuse('ledger_postings_amount_positive', 'an amount is more than nothing');
    end if;
    if p_dst < p_src and p_src < deferred then
        update ledger_accounts a set cr = a.cr + p_amount, version = a.version + 1, moved_at = greatest(a.moved_at, v_at)
        where a.tenant_id = t and a.id = p_dst
        returning a.version, case a.side when 'credit' then a.cr - a.dr else a.dr - a.cr end, a.currency, a.moved_at, a.closed_at
        into dst_version, dst_balance, dst_currency, v_at, dst_closed;
    end if;
    if p_src < deferred then
        update ledger_accounts a set dr = a.dr + p_amount, version = a.version + 1, moved_at = greatest(a.moved_at, v_at)
        where a.tenant_id = t and a.id = p_src
        returning a.version, case a.side when 'credit' then a.cr - a.dr else a.dr - a.cr end, a.currency, a.moved_at, a.closed_at
        into src_version, src_balance, src_currency, src_at, src_closed;
        if src_at > v_at then
            v_at := src_at;
            if dst_version is not null then
                update ledger_accounts a set moved_at = v_at where a.tenant_id = t and a.id = p_dst;
            end if;
        end if;
    else
        select a.currency, a.closed_at into src_currency, src_closed from ledger_accounts a where a.tenant_id = t and a.id = p_src;
    end if;
    if dst_version is not null then
        null;
    elsif p_dst < deferred then
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
    n constant integer := cardinality(p_ids);
    v_fresh boolean;
begin
    if n = 0 or n <> all (array[cardinality(p_legs), cardinality(p_requests), cardinality(p_kinds), cardinality(p_src), cardinality(p_dst),
                                cardinality(p_amounts), cardinality(p_effective_at), cardinality(p_metas)]) then
        perform ll.ledger_refuse('ledger_legs_whole', 'the arrays of a batch are of one length');
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
        exception when integrity_constraint_violation or unique_violation or check_violation or not_null_violation then
            null;
        end;
    end if;
    return ll.ledger_write_each(t, p_ids, p_legs, p_requests, p_kinds, p_src, p_dst, p_amounts, p_effective_at, p_metas);
end $$;
-- Every leg in one statement, and every account in another. The running balances are those that one posting after another would give.
create or replace function ll.ledger_write_all(
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
