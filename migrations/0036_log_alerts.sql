-- What a device's log gives cause for: numbers that are missing, and a log that came after its device was revoked.
alter table device_alerts drop constraint device_alerts_kind_known;
alter table device_alerts add constraint device_alerts_kind_known check (kind in ('offline', 'battery_low', 'gap', 'late_log'));
comment on table device_alerts is 'raised and cleared by a job, or by what a device''s log tells';
