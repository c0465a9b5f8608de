-- What retention looks for each night: audit entries whose payload is still remembered, the oldest first.
create index audit_entries_remembered on audit_entries (at) where payload is not null;
