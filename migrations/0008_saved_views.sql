-- Saved views: the filters, search and order of a list under a name, for the person who saved them.
create table saved_views (
    tenant_id  uuid        not null,
    id         uuid        not null default uuidv7(),
    user_id    uuid        not null,
    listing    text        not null,
    name       text        not null,
    query      text        not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    version    bigint      not null default 1,
    constraint saved_views_pkey primary key (tenant_id, id),
    constraint saved_views_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint saved_views_user_exists foreign key (user_id) references users (id),
    constraint saved_views_name_once unique (tenant_id, user_id, listing, name),
    constraint saved_views_name_present check (length(btrim(name)) between 1 and 60),
    constraint saved_views_query_short check (length(query) <= 2000)
);
comment on table saved_views is 'filters, search and order of a list under a name, for the person who saved them';
comment on column saved_views.listing is 'the name of the listing in the registry';
comment on column saved_views.query is 'the query string that brings the view back, without cursor and page size';
create index saved_views_by_user on saved_views (user_id);
create trigger saved_views_touch before update on saved_views for each row execute function ll.touch();
select ll.tenant_table('saved_views', platform => 'select, insert, update, delete');
create policy own_views on saved_views as restrictive for all to lastlight_app, lastlight_platform
    using (user_id = (select ll.user_id())) with check (user_id = (select ll.user_id()));
