-- Card payments: what a guest pays by card, what the provider says of it, what went back, what is disputed. Amounts are minor units. The
-- money itself is in the ledger; these tables say why it moved and where the provider keeps its side.

create table payments (
    tenant_id     uuid        not null,
    id            uuid        not null,
    purpose       text        not null,
    patron_id     uuid,
    venue_id      uuid,
    amount        bigint      not null,
    currency      text        not null,
    status        text        not null default 'created',
    captured      bigint      not null default 0,
    refunding     bigint      not null default 0,
    refunded      bigint      not null default 0,
    disputed      bigint      not null default 0,
    intent_id     text,
    charge_id     text,
    brand         text        not null default '',
    last4         text        not null default '',
    failure_code  text        not null default '',
    failure       text        not null default '',
    details       jsonb       not null default '{}',
    created_by    uuid,
    created_at    timestamptz not null default now(),
    authorised_at timestamptz,
    captured_at   timestamptz,
    settled_at    timestamptz,
    ended_at      timestamptz,
    checked_at    timestamptz,
    updated_at    timestamptz not null default now(),
    version       bigint      not null default 1,
    constraint payments_pkey primary key (tenant_id, id),
    constraint payments_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint payments_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint payments_venue_exists foreign key (tenant_id, venue_id) references venues (tenant_id, id),
    constraint payments_amount_positive check (amount > 0),
    constraint payments_currency_shape check (currency ~ '^[A-Z]{3}$'),
    constraint payments_purpose_shape check (purpose ~ '^[a-z][a-z0-9-]{1,39}$'),
    constraint payments_status_known check (
        status in ('created', 'open', 'action', 'processing', 'authorised', 'captured', 'settled', 'canceled', 'failed')),
    constraint payments_captured_within check (captured between 0 and amount),
    constraint payments_captured_whole check ((captured > 0) = (status in ('captured', 'settled'))),
    constraint payments_back_within check (refunding >= 0 and refunded >= 0 and refunding + refunded <= captured),
    constraint payments_disputed_counts check (disputed >= 0),
    constraint payments_ended_whole check ((ended_at is not null) = (status in ('canceled', 'failed'))),
    constraint payments_details_object check (jsonb_typeof(details) = 'object')
);
comment on table payments is 'payments by card, from the wish to pay to the money at the provider';
comment on column payments.purpose is 'what is bought; the domain of that name says what happens when it is paid, refunded, disputed';
comment on column payments.status is 'created: the provider does not know it yet; open: it waits for a card; action: for the cardholder''s bank; settled: the money is available';
comment on column payments.refunding is 'of what was captured: on its way back';
comment on column payments.refunded is 'of what was captured: given back';
comment on column payments.disputed is 'in open or lost disputes';
comment on column payments.intent_id is 'the payment intent at the provider';
comment on column payments.brand is 'of the card';
comment on column payments.last4 is 'personal: the last four digits of the card''s number';
comment on column payments.failure is 'what the provider said of the last attempt that failed, in a sentence for people';
comment on column payments.checked_at is 'when the provider was last asked how it stands';
create unique index payments_intent_once on payments (tenant_id, intent_id) where intent_id is not null;
-- An event of the provider names its object, and not whose it is.
create index payments_by_intent on payments (intent_id) where intent_id is not null;
create index payments_by_charge on payments (charge_id) where charge_id is not null;
create index payments_newest on payments (tenant_id, created_at, id);
create index payments_of_patron on payments (tenant_id, patron_id, created_at desc, id desc) where patron_id is not null;
create index payments_of_venue on payments (tenant_id, venue_id, created_at, id) where venue_id is not null;
create index payments_by_status on payments (tenant_id, status, created_at, id);
create index payments_unfinished on payments (status, checked_at) where status in ('created', 'open', 'action', 'processing', 'authorised', 'captured');
create trigger payments_touch before update on payments for each row execute function ll.touch();
select ll.tenant_table('payments', guest => 'own', app => 'select, insert, update', system => 'select');

-- With its secret the payer's own browser may pay an intent, and nothing else; it is there while the intent is open.
create table payment_secrets (
    tenant_id  uuid        not null,
    payment_id uuid        not null,
    patron_id  uuid,
    secret     bytea       not null,
    made_at    timestamptz not null default now(),
    constraint payment_secrets_pkey primary key (tenant_id, payment_id),
    constraint payment_secrets_payment_exists foreign key (tenant_id, payment_id) references payments (tenant_id, id)
);
comment on table payment_secrets is 'client secrets of open payment intents';
comment on column payment_secrets.secret is 'sealed, and bound to the payment';
select ll.tenant_table('payment_secrets', guest => 'own', system => 'select, update');

-- The life of a payment, step by step ----------------------------------------------------------------------------------
create table payment_steps (
    tenant_id  uuid        not null,
    payment_id uuid        not null,
    id         uuid        not null default uuidv7(),
    step       text        not null,
    source     text        not null,
    cause      text        not null default '',
    details    jsonb       not null default '{}',
    at         timestamptz not null default now(),
    constraint payment_steps_pkey primary key (tenant_id, payment_id, id),
    constraint payment_steps_payment_exists foreign key (tenant_id, payment_id) references payments (tenant_id, id),
    constraint payment_steps_source_known check (source in ('request', 'answer', 'webhook', 'poll', 'sweep', 'retry', 'console')),
    constraint payment_steps_details_object check (jsonb_typeof(details) = 'object')
);
comment on table payment_steps is 'what became of a payment, in its order; never edited';
comment on column payment_steps.source is 'how it became known: our request, the provider''s answer to it, a webhook, a look at the provider, the sweep for lost webhooks';
comment on column payment_steps.cause is 'the provider''s event, or the person who asked';
create trigger payment_steps_append_only before update or delete on payment_steps for each row execute function ll.append_only();
select ll.tenant_table('payment_steps', guest => 'append', app => 'select, insert');

-- Refunds --------------------------------------------------------------------------------------------------------------
create table refunds (
    tenant_id    uuid        not null,
    id           uuid        not null,
    payment_id   uuid        not null,
    patron_id    uuid,
    amount       bigint      not null,
    released     bigint      not null,
    status       text        not null default 'created',
    reason       text        not null default '',
    provider_id  text,
    failure      text        not null default '',
    requested_by uuid,
    outside      boolean     not null default false,
    created_at   timestamptz not null default now(),
    ended_at     timestamptz,
    updated_at   timestamptz not null default now(),
    version      bigint      not null default 1,
    constraint refunds_pkey primary key (tenant_id, id),
    constraint refunds_payment_exists foreign key (tenant_id, payment_id) references payments (tenant_id, id),
    constraint refunds_patron_exists foreign key (tenant_id, patron_id) references patrons (tenant_id, id),
    constraint refunds_amount_positive check (amount > 0),
    constraint refunds_released_within check (released between 0 and amount),
    constraint refunds_status_known check (status in ('created', 'pending', 'succeeded', 'failed', 'canceled')),
    constraint refunds_ended_whole check ((ended_at is not null) = (status in ('succeeded', 'failed', 'canceled')))
);
comment on table refunds is 'what goes back to the card that paid';
comment on column refunds.released is 'of the amount: taken back from what was bought; the rest was spent already and is a loss, which only a refund made at the provider''s can be';
comment on column refunds.outside is 'it was made at the provider''s, not here';
comment on column refunds.reason is 'personal: why, in a person''s words';
create unique index refunds_provider_once on refunds (tenant_id, provider_id) where provider_id is not null;
create index refunds_of_payment on refunds (tenant_id, payment_id, created_at, id);
create index refunds_of_patron on refunds (tenant_id, patron_id, created_at desc, id desc) where patron_id is not null;
create index refunds_newest on refunds (tenant_id, created_at, id);
create index refunds_by_status on refunds (tenant_id, status, created_at, id);
create index refunds_under_way on refunds (status, updated_at) where status in ('created', 'pending');
create trigger refunds_touch before update on refunds for each row execute function ll.touch();
select ll.tenant_table('refunds', guest => 'own', app => 'select, insert, update', system => 'select');

-- Disputes -------------------------------------------------------------------------------------------------------------
create table disputes (
    tenant_id   uuid        not null,
    id          uuid        not null,
    payment_id  uuid        not null,
    provider_id text        not null,
    amount      bigint      not null,
    currency    text        not null,
    reason      text        not null,
    status      text        not null,
    lost        bigint      not null default 0,
    due_by      timestamptz,
    answered_at timestamptz,
    opened_at   timestamptz not null,
    ended_at    timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    version     bigint      not null default 1,
    constraint disputes_pkey primary key (tenant_id, id),
    constraint disputes_payment_exists foreign key (tenant_id, payment_id) references payments (tenant_id, id),
    constraint disputes_amount_counts check (amount >= 0),
    constraint disputes_lost_within check (lost between 0 and amount),
    constraint disputes_status_known check (status in ('warning_needs_response', 'warning_under_review', 'warning_closed',
        'needs_response', 'under_review', 'won', 'lost', 'prevented')),
    constraint disputes_ended_whole check ((ended_at is not null) = (status in ('warning_closed', 'won', 'lost', 'prevented')))
);
comment on table disputes is 'payments that the cardholder''s bank asks back';
comment on column disputes.lost is 'of a lost one: what could not be taken back from what was bought';
create unique index disputes_provider_once on disputes (tenant_id, provider_id);
create index disputes_of_payment on disputes (tenant_id, payment_id, opened_at);
create index disputes_newest on disputes (tenant_id, opened_at, id);
create index disputes_by_due on disputes (tenant_id, due_by, id);
create index disputes_by_status on disputes (tenant_id, status, opened_at, id);
create trigger disputes_touch before update on disputes for each row execute function ll.touch();
select ll.tenant_table('disputes', app => 'select, insert, update', system => 'select');

-- What moved the balance at the provider -------------------------------------------------------------------------------
create table provider_movements (
    tenant_id    uuid        not null,
    id           text        not null,
    payment_id   uuid        not null,
    refund_id    uuid,
    dispute_id   uuid,
    kind         text        not null,
    amount       bigint      not null,
    fee          bigint      not null,
    net          bigint      not null,
    currency     text        not null,
    created_at   timestamptz not null,
    available_on timestamptz not null,
    available    boolean     not null default false,
    noted_at     timestamptz not null default now(),
    constraint provider_movements_pkey primary key (tenant_id, id),
    constraint provider_movements_payment_exists foreign key (tenant_id, payment_id) references payments (tenant_id, id),
    constraint provider_movements_refund_exists foreign key (tenant_id, refund_id) references refunds (tenant_id, id),
    constraint provider_movements_dispute_exists foreign key (tenant_id, dispute_id) references disputes (tenant_id, id),
    constraint provider_movements_net_adds_up check (net = amount - fee),
    constraint provider_movements_currency_shape check (currency ~ '^[A-Z]{3}$')
);
comment on table provider_movements is 'balance transactions of the provider; each is booked once, and once more when its money becomes available';
create index provider_movements_of_payment on provider_movements (tenant_id, payment_id, created_at, id);
create index provider_movements_due on provider_movements (available_on) where not available;
select ll.tenant_table('provider_movements', app => 'select, insert, update', system => 'select');

-- The inbox of the provider's events -----------------------------------------------------------------------------------
create table provider_events (
    tenant_id   uuid        not null,
    id          uuid        not null,
    endpoint    text        not null,
    account     text        not null default '',
    event_id    text        not null,
    kind        text        not null,
    api_version text        not null,
    object_id   text        not null,
    payment_id  uuid,
    source      text        not null,
    state       text        not null default 'waiting',
    attempts    integer     not null default 0,
    error       text        not null default '',
    body        bytea       not null,
    happened_at timestamptz not null,
    received_at timestamptz not null default now(),
    handled_at  timestamptz,
    updated_at  timestamptz not null default now(),
    version     bigint      not null default 1,
    constraint provider_events_pkey primary key (tenant_id, id),
    constraint provider_events_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint provider_events_source_known check (source in ('webhook', 'sweep')),
    constraint provider_events_state_known check (state in ('waiting', 'done', 'ignored', 'held', 'failed')),
    constraint provider_events_handled_whole check ((state = 'waiting') = (handled_at is null)),
    constraint provider_events_attempts_counts check (attempts >= 0)
);
comment on table provider_events is 'what the provider told us, as it came: one row for each event, however often it is brought';
comment on column provider_events.body is 'personal: the bytes that were signed';
comment on column provider_events.state is 'ignored: nothing that we act on; held: of a version of the interface that we do not know; failed: tried to the end';
create unique index provider_events_once on provider_events (tenant_id, endpoint, account, event_id);
create index provider_events_newest on provider_events (tenant_id, received_at, id);
create index provider_events_by_state on provider_events (tenant_id, state, received_at, id);
create index provider_events_of_payment on provider_events (tenant_id, payment_id, received_at) where payment_id is not null;
create index provider_events_waiting on provider_events (received_at) where state = 'waiting';
create trigger provider_events_touch before update on provider_events for each row execute function ll.touch();
select ll.tenant_table('provider_events', app => 'select, insert, update', system => 'select, insert, update');
