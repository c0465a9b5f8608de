-- Drills: emergencies that were played on purpose. Their evidence is kept under the platform and is never edited.
create table drill_runs (
    tenant_id   uuid        not null,
    id          uuid        not null default uuidv7(),
    drill       text        not null,
    runbook     text        not null,
    business_id uuid        not null,
    run_by      text        not null,
    passed      boolean     not null,
    seconds     numeric     not null,
    steps       jsonb       not null,
    ran_at      timestamptz not null default now(),
    constraint drill_runs_pkey primary key (tenant_id, id),
    constraint drill_runs_tenant_exists foreign key (tenant_id) references tenants (id),
    constraint drill_runs_business_exists foreign key (business_id) references tenants (id)
);
comment on table drill_runs is 'the evidence of drills: what each step found';
comment on column drill_runs.business_id is 'the business in which it was played; the row itself is the platform''s';
comment on column drill_runs.steps is 'a list of {title, passed, found, seconds}';
create index drill_runs_by_time on drill_runs (tenant_id, ran_at desc, id desc);
create index drill_runs_by_business on drill_runs (business_id);
select ll.tenant_table('drill_runs', app => 'select, insert');
