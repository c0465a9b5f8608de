-- What a guest lacked whom a door refused for the price of the entrance: a scan that is sent again gets the answer that it had.

alter table door_scans add column short jsonb;
comment on column door_scans.short is 'of a guest who could not pay the entrance: its price, the currency and how much was missing, in minor units';
