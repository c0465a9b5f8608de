-- What each table of the door and the floor holds, for whoever reads the schema.

comment on table bookings is 'who has a resource when; two bookings of one never overlap, the buffer after each included';
comment on table broadcasts is 'words to all staff of a venue';
comment on table feature_flags is 'the platform''s flags: on for nobody, for a share of the businesses, or for all';
comment on table incident_entries is 'the timeline of an incident; lines are only ever added';
comment on table incidents is 'things that happened at a venue and have to be on record, numbered in each business';
comment on table safety_alerts is 'what staff should look at: a threshold was crossed, or somebody saw something';
comment on table safety_checks is 'questions to guests whether they are all right, and their answers';
comment on table safety_interventions is 'what staff did about an alert, a guest or an incident';
comment on table safety_log is 'everything that was done for safety, in order; lines are only ever added';
comment on table sos_acknowledgements is 'who heard a call for help, and after how long';
comment on table sos_calls is 'calls for help by staff, from the press to the end';
comment on table tenant_flags is 'what a business was given of a flag, whatever its share says';
comment on table venue_banners is 'what a venue announces to guests, and from when until when';
comment on table venue_images is 'pictures of a venue, its own and guests'', with their copies and the decision about each';
