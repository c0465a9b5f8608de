-- Taxes: what an item is for the tax office, and the rates on it by venue and day. What was in force on a day that is over stays as it was.

create table tax_categories (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    code        text        not null,
    name        text        not null,
    exempt      boolean     not null default false,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    archived_at timestamptz,
    version     bigint      not null default 1,
    constraint tax_categories_pkey primary key (tenant_id, id),
    constraint tax_categories_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint tax_categories_code_taken unique (tenant_id, code),
    constraint tax_categories_code_shape check (code ~ '^[a-z][a-z0-9-]{0,38}[a-z0-9]$'),
    constraint tax_categories_code_free check (code <> 'untaxed'),
    constraint tax_categories_name_present check (length(btrim(name)) between 1 and 60)
);
comment on table tax_categories is 'what items are for the tax office: standard, food, alcohol, entry …';
comment on column tax_categories.code is 'what menus and prices refer to; it never changes';
comment on column tax_categories.exempt is 'its items bear no tax and need no rate; it never changes';
create unique index tax_categories_name_taken on tax_categories (tenant_id, lower(name)) where archived_at is null;
create trigger tax_categories_touch before update on tax_categories for each row execute function ll.touch();
select ll.tenant_table('tax_categories', guest => 'read', app => 'select, insert, update', system => 'select');

create table tax_rates (
    tenant_id    uuid        not null,
    id           uuid        not null default uuidv7(),
    tax_category_id  uuid        not null,
    venue_id     uuid,
    name         text        not null,
    millionths   integer     not null,
    included     boolean     not null,
    place        smallint    not null default 0,
    valid_from   date        not null,
    valid_until  date,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    withdrawn_at timestamptz,
    version      bigint      not null default 1,
    constraint tax_rates_pkey primary key (tenant_id, id),
    constraint tax_rates_category_exists foreign key (tenant_id, tax_category_id) references tax_categories (tenant_id, id),
    constraint tax_rates_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint tax_rates_name_present check (length(btrim(name)) between 1 and 40),
    constraint tax_rates_real check (millionths between 0 and 1000000),
    constraint tax_rates_place_real check (place between 0 and 99),
    constraint tax_rates_forward check (valid_until >= valid_from),
    constraint tax_rates_overlap exclude using gist (
        tenant_id with =, tax_category_id with =, coalesce(venue_id, '00000000-0000-0000-0000-000000000000') with =, lower(name) with =,
        daterange(valid_from, valid_until, '[]') with &&
    ) where (withdrawn_at is null)
);
comment on table tax_rates is 'rates of tax on a category, for the business or for one venue, by business days; a venue''s own replace those of the business';
comment on column tax_rates.venue_id is 'null: at every venue that has no rate of its own for the category';
comment on column tax_rates.millionths is 'of the amount without tax: 150000 is 15 %, 88750 is 8.875 %';
comment on column tax_rates.included is 'prices contain it; else it comes on top';
comment on column tax_rates.place is 'where it stands on a receipt, lowest first';
comment on column tax_rates.valid_until is 'its last business day; null: until it is ended';
comment on column tax_rates.withdrawn_at is 'taken back before its first day was over: it never counted';
create index tax_rates_by_category on tax_rates (tenant_id, tax_category_id, valid_from);
create index tax_rates_by_venue on tax_rates (tenant_id, venue_id) where venue_id is not null;

-- A rate is ended or withdrawn; nothing else about it changes, or receipts of the past could not be explained any more.
create function ll.tax_rate_fixed() returns trigger language plpgsql as $$
begin
    if (new.tax_category_id, new.name, new.millionths, new.included, new.place, new.valid_from) is distinct from
       (old.tax_category_id, old.name, old.millionths, old.included, old.place, old.valid_from)
       or new.venue_id is distinct from old.venue_id or (old.withdrawn_at is not null) then
        raise exception 'a rate is ended or withdrawn, and nothing else' using errcode = 'check_violation', constraint = 'tax_rates_fixed';
    end if;
    return new;
end $$;
revoke execute on function ll.tax_rate_fixed() from public;
create trigger tax_rates_fixed before update on tax_rates for each row execute function ll.tax_rate_fixed();
create trigger tax_rates_touch before update on tax_rates for each row execute function ll.touch();
select ll.tenant_table('tax_rates', guest => 'read', app => 'select, insert, update', system => 'select');
