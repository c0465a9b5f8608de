-- Guests are found by how their first or last name, or their e-mail address, begins. The comparisons are ones that row-level
-- security lets an index answer; what a name contains elsewhere is looked for among the tenant's own guests only.
alter table patrons add column name_key text collate "C" generated always as (lower(name)) stored;
alter table patrons add column surname_key text collate "C" generated always as (lower(regexp_replace(btrim(name), '^.*\s', ''))) stored;
comment on column patrons.name_key is 'personal: name; in small letters, for the search';
comment on column patrons.surname_key is 'personal: name; its last word in small letters, for the search';
create index patrons_by_name on patrons (tenant_id, name_key);
create index patrons_by_surname on patrons (tenant_id, surname_key);
