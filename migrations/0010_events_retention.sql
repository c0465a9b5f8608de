-- How far a business's stream was dropped by retention: who asks from before that place is told, instead of missing it silently.
alter table tenant_sequences add column dropped_to bigint not null default 0;
comment on column tenant_sequences.dropped_to is 'events up to this number are kept no longer in the stream; the audit log keeps its entries';
