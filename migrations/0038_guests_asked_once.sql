-- Whether a guest reads is a question with one answer for a whole statement, and is asked as one: `(select ll.patron_id() is null)`.
-- Of `(select ll.patron_id()) is null` the planner expects that one row in two hundred passes; it then took every business to have next
-- to no rows, and read and sorted whole tables where an index gives the order. What the policies let through is the same.
do $$
declare
    asked constant text := '(( SELECT ll.patron_id() AS patron_id) IS NULL)';
    answer constant text := '( SELECT (ll.patron_id() IS NULL))';
    found record;
begin
    for found in
        select p.polname, p.polrelid::regclass as tbl, pg_get_expr(p.polqual, p.polrelid) as qual,
               pg_get_expr(p.polwithcheck, p.polrelid) as checked
        from pg_policy p
    loop
        if position(asked in found.qual) > 0 then
            execute format('alter policy %I on %s using (%s)', found.polname, found.tbl, replace(found.qual, asked, answer));
        end if;
        if position(asked in found.checked) > 0 then
            execute format('alter policy %I on %s with check (%s)', found.polname, found.tbl, replace(found.checked, asked, answer));
        end if;
    end loop;
end $$;

-- The same for the tables to come.
create or replace function ll.tenant_table(
    tbl regclass, guest text default 'none', guest_column name default 'patron_id',
    app text default 'select, insert, update, delete', system text default '', platform text default 'select'
) returns void language plpgsql as $$
declare
    mine constant text := 'tenant_id = (select ll.tenant_id())';
    staff constant text := '(select ll.patron_id() is null)';
begin
    if guest not in ('none', 'read', 'append', 'own') then
        raise exception 'unknown guest mode %', guest;
    end if;
    execute format('alter table %s enable row level security', tbl);
    execute format('alter table %s force row level security', tbl);
    execute format('grant select on %s to lastlight_looker', tbl);
    execute format('create policy looker_reads on %s for select to lastlight_looker using (true)', tbl);
    if app <> '' then
        execute format('grant %s on %s to lastlight_app', app, tbl);
    end if;
    execute format('create policy tenant_rows on %s for all to lastlight_app using (%s) with check (%s)', tbl, mine, mine);
    if guest = 'own' then
        -- No guest: the comparison is null, and staff see all. Not an or: the planner expects next to no rows from an or of two
        -- sub-selects, and then sorts whole tables where an index gives the order.
        execute format('create policy guest_rows on %s as restrictive for all to lastlight_app using (coalesce(%I = (select ll.patron_id()), %s))',
                       tbl, guest_column, staff);
    else
        if guest <> 'read' then
            execute format('create policy guest_reads on %s as restrictive for select to lastlight_app using (%s)', tbl, staff);
        end if;
        if guest <> 'append' then
            execute format('create policy guest_inserts on %s as restrictive for insert to lastlight_app with check (%s)', tbl, staff);
        end if;
        execute format('create policy guest_updates on %s as restrictive for update to lastlight_app using (%s)', tbl, staff);
        execute format('create policy guest_deletes on %s as restrictive for delete to lastlight_app using (%s)', tbl, staff);
    end if;
    if system <> '' then
        execute format('grant %s on %s to lastlight_system', system, tbl);
        execute format('create policy system_rows on %s for all to lastlight_system using (true) with check (true)', tbl);
    end if;
    if platform <> '' then
        execute format('grant %s on %s to lastlight_platform', platform, tbl);
        execute format('create policy platform_reads on %s for select to lastlight_platform using (true)', tbl);
        execute format('create policy platform_inserts on %s for insert to lastlight_platform with check (%s)', tbl, mine);
        execute format('create policy platform_updates on %s for update to lastlight_platform using (%s) with check (%s)', tbl, mine, mine);
        execute format('create policy platform_deletes on %s for delete to lastlight_platform using (%s)', tbl, mine);
    end if;
end $$;

-- Guests by name and by status, in their order.
drop index patrons_by_name;
create index patrons_by_name on patrons (tenant_id, name_key, id);
create index patrons_by_status on patrons (tenant_id, status, id);
