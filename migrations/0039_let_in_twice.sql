-- Each door asks at every beat whether another one has let one of its guests in again: there are few, and they are found at once.
create index door_scans_doubled on door_scans (tenant_id, received_at desc) where result = 'double';
