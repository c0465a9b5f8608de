-- The crew's one list of the card provider's events of all businesses: the newest first, and those of one kind.
create index provider_events_of_all on provider_events (received_at desc, id desc);
create index provider_events_of_kind on provider_events (kind, received_at desc, id desc);
