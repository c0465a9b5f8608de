-- Scans on leaving: a door checks guests out, too. Who let a guest in by hand at a door without a network is named in its log.
alter table door_scans add column direction text not null default 'in';
alter table door_scans add column override_by uuid;
alter table door_scans add column visit_id uuid;
alter table door_scans add constraint door_scans_direction_known check (direction in ('in', 'out'));
alter table door_scans add constraint door_scans_visit_exists foreign key (tenant_id, visit_id) references visits (tenant_id, id);
alter table door_scans drop constraint door_scans_result_known;
alter table door_scans add constraint door_scans_result_known check (result in ('admitted', 'refused', 'double', 'left'));
alter table door_scans add constraint door_scans_left_outward check (result not in ('admitted', 'double', 'left') or (result = 'left') = (direction = 'out'));
comment on column door_scans.direction is 'in: an arrival; out: a guest who left';
comment on column door_scans.decided is 'server: asked at once; admitted, refused: whether the device let the guest pass, without a network';
comment on column door_scans.override_by is 'the member who was signed in at the door when it let the guest in against its rules';
comment on column door_scans.visit_id is 'the visit that a scan on leaving closed';
create index door_scans_by_visit on door_scans (tenant_id, visit_id) where visit_id is not null;

alter table visits drop constraint visits_closed_by_known;
alter table visits add constraint visits_closed_by_known check (closed_by in ('guest', 'staff', 'door', 'time_out'));

alter table checkin_flags drop constraint checkin_flags_kind_known;
alter table checkin_flags add constraint checkin_flags_kind_known
    check (kind in ('duplicate', 'impossible_travel', 'cloned_code', 'barred', 'override'));
