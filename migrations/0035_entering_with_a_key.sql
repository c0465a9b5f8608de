-- A request with an Idempotency-Key enters and takes its key in one statement.
--
-- Volatile: the key is looked for by a statement of its own, so that what another transaction kept under it before it let go of
-- the lock is seen.
create function ll.enter_with_key(session uuid, expected bigint, tenant uuid, who text, named text)
returns table (at timestamptz, free boolean, operation text, request_hash bytea, status integer, body bytea, headers jsonb)
language plpgsql volatile as $$
begin
    at := case when session is null then now() else ll.enter(session, expected) end;
    free := pg_try_advisory_xact_lock(hashtextextended(tenant || '/' || who || '/' || named, 11));
    select k.operation, k.request_hash, k.status, k.body, k.headers into operation, request_hash, status, body, headers
    from public.idempotency_keys k where k.tenant_id = tenant and k.principal = who and k.key = named;
    return next;
end $$;
revoke execute on function ll.enter_with_key(uuid, bigint, uuid, text, text) from public;
grant execute on function ll.enter_with_key(uuid, bigint, uuid, text, text) to lastlight_app, lastlight_system, lastlight_platform;
