-- What a business (or the platform) looks like: its logo and its accent.
create table tenant_brands (
    tenant_id    uuid        not null,
    accent       text        not null default '',
    logo_state   text        not null default 'none',
    logo_reason  text        not null default '',
    logo_alt     text        not null default '',
    upload_id    uuid,
    upload_alt   text        not null default '',
    original_id  uuid,
    logo_file_id uuid,
    created_at   timestamptz not null default now(),
    updated_at   timestamptz not null default now(),
    version      bigint      not null default 1,
    constraint tenant_brands_pkey primary key (tenant_id),
    constraint tenant_brands_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint tenant_brands_accent_shape check (accent = '' or accent ~ '^#[0-9a-f]{6}$'),
    constraint tenant_brands_state_known check (logo_state in ('none', 'awaited', 'uploaded', 'ready', 'failed')),
    constraint tenant_brands_alt_short check (length(logo_alt) <= 300 and length(upload_alt) <= 300)
);
comment on table tenant_brands is 'what a business looks like to its guests and people: logo and accent';
comment on column tenant_brands.accent is 'as it was chosen; each theme shows a shade of it that can be read';
comment on column tenant_brands.logo_state is 'of the last upload; an earlier logo stays until the next is ready';
create trigger tenant_brands_touch before update on tenant_brands for each row execute function ll.touch();
select ll.tenant_table('tenant_brands', guest => 'read', app => 'select, insert, update', system => 'select, insert, update', platform => 'select, insert, update');

-- Which browsers are told under a key of notifications, as when it is retired.
create index push_subscriptions_by_key on push_subscriptions (key_id);
