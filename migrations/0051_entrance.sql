-- What the entrance to a venue costs in credits, and what became of it for each check-in. Off where a venue has no row.

create table entry_prices (
    tenant_id    uuid        not null,
    venue_id     uuid        not null,
    amount       bigint      not null,
    currency     text        not null,
    tax_category text        not null default 'untaxed',
    each_time    boolean     not null default false,
    updated_at   timestamptz not null default now(),
    version      bigint      not null default 1,
    constraint entry_prices_pkey primary key (tenant_id, venue_id),
    constraint entry_prices_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint entry_prices_amount_positive check (amount > 0),
    constraint entry_prices_currency_shape check (currency ~ '^[A-Z]{3}$')
);
comment on table entry_prices is 'what the entrance to a venue costs in credits; a venue without a row costs nothing';
comment on column entry_prices.amount is 'minor units';
comment on column entry_prices.currency is 'the venue''s when the price was set; it holds while the venue has that currency';
comment on column entry_prices.tax_category is 'the code of a category of taxes';
comment on column entry_prices.each_time is 'whoever comes back on the same business day pays again';
create trigger entry_prices_touch before update on entry_prices for each row execute function ll.touch();
select ll.tenant_table('entry_prices', guest => 'read', app => 'select, insert, update, delete');

create table entry_charges (
    tenant_id    uuid        not null,
    checkin_id   uuid        not null,
    venue_id     uuid        not null,
    patron_id    uuid        not null,
    business_day date        not null,
    status       text        not null,
    amount       bigint      not null,
    currency     text        not null,
    tax_category text        not null,
    entry_id     uuid,
    reason       text        not null default '',
    charged_at   timestamptz not null default now(),
    settled_by   uuid,
    updated_at   timestamptz not null default now(),
    version      bigint      not null default 1,
    constraint entry_charges_pkey primary key (tenant_id, checkin_id),
    constraint entry_charges_checkin_exists foreign key (tenant_id, checkin_id) references checkins (tenant_id, id),
    constraint entry_charges_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint entry_charges_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint entry_charges_entry_exists foreign key (tenant_id, entry_id) references credit_entries (tenant_id, id),
    constraint entry_charges_entry_once unique (tenant_id, entry_id),
    constraint entry_charges_status_known check (status in ('paid', 'unpaid', 'waived')),
    constraint entry_charges_paid_whole check ((status = 'paid') = (entry_id is not null)),
    constraint entry_charges_amount_positive check (amount > 0),
    constraint entry_charges_reason_given check (status <> 'waived' or length(btrim(reason)) > 0)
);
comment on table entry_charges is 'what a check-in cost: paid with credits by an entry of theirs, owed by who was let in without a network, or let off';
comment on column entry_charges.amount is 'minor units; with the taxes that came on top, once it is paid';
comment on column entry_charges.entry_id is 'the spend; what was given back of it are the entries that reverse it';
comment on column entry_charges.reason is 'personal: why it is not paid, or why it was let off, in a person''s words';
create index entry_charges_of_guest on entry_charges (tenant_id, patron_id, venue_id, business_day);
create index entry_charges_unpaid on entry_charges (tenant_id, charged_at, checkin_id) where status = 'unpaid';
create trigger entry_charges_touch before update on entry_charges for each row execute function ll.touch();
select ll.tenant_table('entry_charges', guest => 'own', app => 'select, insert, update');
