-- A block of seals holds two hundred thousand postings and a few more, so that sealing what was imported in one night is many short statements,
-- not one that no worker finishes.

-- Seal what was written since the last block, up to the same horizon; gives the number of the block, null where there was nothing.
-- A block ends between two transactions: before that of the posting that is one too many, or behind it where it holds all of them.
create or replace function ll.ledger_seal() returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    t constant uuid := ll.tenant_id();
    v_horizon bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
    before ledger_seals;
    v_since bigint := 0;
    v_last bigint;
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
    select p.xid into v_last from ledger_postings p
    where p.tenant_id = t and p.seq > coalesce(before.newest, 0) order by p.seq offset 200000 limit 1;
    if v_last < v_horizon then
        v_horizon := case when exists (select from ledger_postings p where p.tenant_id = t and p.xid >= v_since and p.xid < v_last)
            then v_last else v_last + 1 end;
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
