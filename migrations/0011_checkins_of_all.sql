-- The crew's list of check-ins across tenants begins with the newest; the other indexes begin with a tenant.
create index checkins_of_all on checkins (arrived_at desc, id desc);
