-- The audit chain keeps its digests for good; what a person said or was may be forgotten, and nothing else may change.

-- Retention and erasure may empty payload and salt of an entry, together; every other edit raises, whoever asks.
create function ll.audit_forgets_only() returns trigger language plpgsql as $$
begin
    if tg_op = 'UPDATE' and new.payload is null and new.salt is null
        and to_jsonb(new) - 'payload' - 'salt' = to_jsonb(old) - 'payload' - 'salt' then
        return new;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'LL003';
end $$;
drop trigger audit_entries_append_only on audit_entries;
create trigger audit_entries_append_only before update or delete on audit_entries for each row execute function ll.audit_forgets_only();
grant update (payload, salt) on audit_entries to lastlight_system;

-- Not even the tables' owner edits, deletes or truncates: only a superuser could, and `lastlight verify audit` finds it.
revoke update, delete, truncate on audit_entries, audit_checkpoints from lastlight_owner;
revoke delete, truncate on tenant_sequences from lastlight_owner;
revoke execute on function ll.append_only(), ll.audit_forgets_only() from public;
