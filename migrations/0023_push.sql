-- Web Push: the platform's keys (VAPID), and the browsers that somebody wants to be told through.
create table push_keys (
    tenant_id  uuid        not null,
    id         uuid        not null default uuidv7(),
    public_key text        not null,
    sealed     bytea       not null,
    created_at timestamptz not null default now(),
    retired_at timestamptz,
    constraint push_keys_pkey primary key (tenant_id, id),
    constraint push_keys_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint push_keys_public_once unique (tenant_id, public_key),
    constraint push_keys_public_shape check (public_key ~ '^[A-Za-z0-9_-]{87}$')
);
comment on table push_keys is 'the keys that prove to push services that a message is ours; the platform''s own, sealed';
comment on column push_keys.public_key is 'what browsers subscribe with: an uncompressed P-256 point in base64url';
comment on column push_keys.retired_at is 'no browser subscribes with it any more; those that did are still told under it';
create unique index push_keys_one_current on push_keys (tenant_id) where retired_at is null;
select ll.tenant_table('push_keys', app => '', system => 'select, insert, update, delete', platform => 'select');

create table push_subscriptions (
    tenant_id       uuid        not null,
    id              uuid        not null default uuidv7(),
    user_id         uuid        not null,
    session_id      uuid        not null,
    key_id          uuid        not null,
    endpoint        text        not null,
    public_key      bytea       not null,
    auth            bytea       not null,
    label           text        not null default '',
    created_at      timestamptz not null default now(),
    updated_at      timestamptz not null default now(),
    last_success_at timestamptz,
    last_failure_at timestamptz,
    last_failure    text        not null default '',
    version         bigint      not null default 1,
    constraint push_subscriptions_pkey primary key (tenant_id, id),
    constraint push_subscriptions_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint push_subscriptions_user_exists foreign key (user_id) references users (id) on delete cascade,
    constraint push_subscriptions_session_exists foreign key (session_id) references sessions (id) on delete cascade,
    constraint push_subscriptions_endpoint_once unique (tenant_id, endpoint),
    constraint push_subscriptions_endpoint_short check (length(endpoint) between 1 and 1000),
    constraint push_subscriptions_public_key_whole check (length(public_key) = 65),
    constraint push_subscriptions_auth_whole check (length(auth) = 16),
    constraint push_subscriptions_label_short check (length(label) <= 80)
);
comment on table push_subscriptions is 'a browser through which somebody is told, for as long as its session lives';
comment on column push_subscriptions.endpoint is 'personal: the address at the browser''s push service; whoever knows it and our key can reach the device';
comment on column push_subscriptions.key_id is 'the key of push_keys that the browser subscribed with';
comment on column push_subscriptions.label is 'the browser and the system, as in the list of sessions';
create index push_subscriptions_by_user on push_subscriptions (tenant_id, user_id, id);
create index push_subscriptions_by_account on push_subscriptions (user_id);
create index push_subscriptions_by_session on push_subscriptions (session_id);
create index push_subscriptions_by_endpoint on push_subscriptions (endpoint);
create trigger push_subscriptions_touch before update on push_subscriptions for each row execute function ll.touch();
select ll.tenant_table('push_subscriptions', app => '', system => 'select, insert, update, delete', platform => '');
