-- Lists that grow with every night are read in their order from an index, for one business and for the platform's crew.

create index users_newest on users (created_at desc, id desc);
create index device_heartbeats_newest on device_heartbeats (tenant_id, heard_at desc, id desc);
create index safety_checks_newest on safety_checks (tenant_id, asked_at desc, id desc);
create index bookings_latest on bookings (tenant_id, starts_at desc, id desc);
create index venue_images_newest on venue_images (tenant_id, created_at desc, id desc) where removed_at is null;
create index safety_alerts_of_all on safety_alerts (raised_at desc, id desc);
create index incidents_of_all on incidents (opened_at desc, id desc);
create index jobs_of_all on jobs (created_at desc, id desc);
