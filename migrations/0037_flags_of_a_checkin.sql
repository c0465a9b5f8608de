-- A list of check-ins counts the flags of each: without these it read all flags of the business for every row.
create index checkin_flags_of_checkin on checkin_flags (tenant_id, checkin_id) where checkin_id is not null;
create index checkin_flags_of_other on checkin_flags (tenant_id, other_checkin_id) where other_checkin_id is not null;
