"""Nights by the hundred thousand: guests, check-ins and visits made by the server itself, with every constraint in force.

A tenant's check-ins spread evenly over a year until an hour ago, over its venues and over its guests, one in twenty of whom comes in
each such night. All visits are over, one in fifty by time, one in two hundred voided. A check-in in five hundred is flagged.
"""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

BATCH = 100_000
CROWD = """
with people as (
    insert into users (email, name, email_verified_at)
    select 'crowd-' || gen_random_uuid() || '@bench.example',
           (array['Zinhle','Liam','Ayanda','Sipho','Lerato','Nandi','Johan','Mpho'])[1 + n % 8] || ' ' || md5(n::text), now()
    from generate_series(1, $2::integer) n
    returning id, name
)
insert into patrons (tenant_id, user_id, name) select $1, id, name from people returning id
"""
CHECKINS = """
insert into checkins (tenant_id, id, venue_id, patron_id, method, key_number, nonce, arrived_at, received_at, business_day, position, device)
select $1, uuidv7(at - now()), ($2::uuid[])[1 + n % cardinality($2::uuid[])], ($3::uuid[])[1 + n * 7919 % cardinality($3::uuid[])],
       case when n % 10 < 7 then 'screen' else 'poster' end, 1, int8send(n), at, at, (at - interval '6 hours')::date,
       '{"lat": -26.1467, "lon": 28.0436, "accuracy_m": 12, "result": "inside", "outside_m": 0}',
       '{"battery": 0.7, "charging": false, "online": true}'
from (select n, date_trunc('milliseconds', now() - interval '1 hour' - interval '365 days' * ($6::bigint - n) / $6) as at
      from generate_series($4::bigint, $5) n) nights
"""
VISITS = """
insert into visits (tenant_id, venue_id, patron_id, checkin_id, status, status_reason, opened_at, times_out_at, closed_at, closed_by,
                    close_received_at, business_day)
select c.tenant_id, c.venue_id, c.patron_id, c.id, k.status, case k.status when 'voided' then 'Scanned by mistake' else '' end,
       c.arrived_at, c.arrived_at + interval '8 hours', c.arrived_at + k.stay,
       case k.status when 'timed_out' then 'time_out' when 'voided' then 'staff' else 'guest' end, c.arrived_at + k.stay, c.business_day
from checkins c
cross join lateral (select case when n % 200 = 0 then 'voided' when n % 50 = 0 then 'timed_out' else 'closed' end as status,
                           interval '5 minutes' + interval '1 second' * (n * 31 % 2400) as stay
                    from (select ('x' || encode(c.nonce, 'hex'))::bit(64)::bigint as n) counted) k
where c.tenant_id = $1 and not exists (select from visits v where v.tenant_id = $1 and v.checkin_id = c.id)
"""
FLAGS = """
insert into checkin_flags (tenant_id, venue_id, patron_id, kind, detail, checkin_id, happened_at, raised_at, status, resolution, resolved_at)
select tenant_id, venue_id, patron_id, 'impossible_travel', '60 km within 12 minutes', id, arrived_at, arrived_at,
       case when n % 10 = 0 then 'open' else 'dismissed' end, case when n % 10 = 0 then '' else 'A mistake' end,
       case when n % 10 = 0 then null else arrived_at + interval '1 hour' end
from (select *, row_number() over (order by arrived_at) as n from checkins where tenant_id = $1 and patron_id = any($2)) c where n % 500 = 0
"""
EVENTS = """
with last as (select seq from tenant_sequences where tenant_id = $1)
insert into events (tenant_id, seq, id, name, version, at, venue_id, patron_id, audience, data)
select $1, coalesce((select seq from last), 0) + row_number() over (order by arrived_at), uuidv7(arrived_at - now()), 'checkin.verified', 1, arrived_at,
       venue_id, patron_id, 'checkins.read', jsonb_build_object('checkin_id', id, 'venue_id', venue_id, 'method', method)
from checkins where tenant_id = $1 and patron_id = any($2) and arrived_at > now() - interval '30 days'
"""
AUDIT = """
insert into audit_entries (tenant_id, seq, id, at, name, entity, entity_id, venue_id, actor_kind, origin, salt, payload, digest, hash)
select e.tenant_id, e.seq, e.id, e.at, e.name, 'checkin', e.data->>'checkin_id', e.venue_id, 'patron', 'api', int8send(e.seq), '{}',
       sha256(int8send(e.seq)), sha256(int8send(-e.seq))
from events e where e.tenant_id = $1 and not exists (select from audit_entries a where a.tenant_id = $1 and a.seq = e.seq)
"""
SEQUENCE = """
insert into tenant_sequences (tenant_id, seq, hash)
select $1, max(seq), sha256('bench') from events where tenant_id = $1 having count(*) > 0
on conflict (tenant_id) do update set seq = excluded.seq, hash = excluded.hash
"""
TABLES = (
    "users",
    "patrons",
    "checkins",
    "visits",
    "checkin_flags",
    "events",
    "audit_entries",
    "venues",
    "sessions",
    "tenants",
)


async def seed_nights(connection: Any, *, tenant_id: UUID, venue_ids: Sequence[UUID], checkins: int) -> None:
    """A year of a tenant with so many check-ins, by guests of their own; `connection` is the administrator's. 20,000 a second and core."""
    crowd = await connection.fetch(CROWD, tenant_id, max(50, checkins // 20))
    patrons = [row["id"] for row in crowd]
    async with _in_bulk(connection):
        for first in range(1, checkins + 1, BATCH):
            last = min(checkins, first + BATCH - 1)
            await connection.execute(CHECKINS, tenant_id, list(venue_ids), patrons, first, last, checkins)
        await connection.execute(VISITS, tenant_id)
        await connection.execute(FLAGS, tenant_id, patrons)
        await connection.execute(EVENTS, tenant_id, patrons)
        await connection.execute(AUDIT, tenant_id)
        await connection.execute(SEQUENCE, tenant_id)


@contextlib.asynccontextmanager
async def _in_bulk(connection: Any) -> AsyncGenerator[None]:
    """One transaction whose commit is waited for,."""
    async with connection.transaction():
        await connection.execute("set local work_mem = '64MB'")
        await connection.execute("set local session_replication_role = replica")
        yield


async def settle(connection: Any) -> None:
    """Statistics and visibility as autovacuum leaves them."""
    for table in TABLES:
        await connection.execute(f"vacuum analyze {table}")
