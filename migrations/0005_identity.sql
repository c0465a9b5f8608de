-- What registration, members and the role editor need on top of 0001.

-- Who asked for the tenant; on approval this person becomes its first owner.
alter table tenants add column applicant_id uuid;
alter table tenants add constraint tenants_applicant_exists foreign key (applicant_id) references users (id);
create index tenants_by_applicant on tenants (applicant_id) where applicant_id is not null;

-- A membership that ended stays as history; the same role may be given again later.
alter table memberships drop constraint memberships_role_once;
create unique index memberships_role_once on memberships (tenant_id, user_id, role_id) where status <> 'ended';

-- Two roles of one tenant never read the same. Built-in ones are kept apart by the editor, so that their names can be synced.
create unique index roles_name_taken on roles (tenant_id, lower(name)) where archived_at is null and not builtin;

-- Crew edit the platform's own roles, and inside a tenant that they have entered its roles; policies hold them to that tenant.
grant insert, update on roles to lastlight_platform;

-- One-time tokens of one user and purpose: a new one retires the older ones.
create index one_time_tokens_open on one_time_tokens (user_id, purpose, expires_at) where used_at is null;
