"""A turnstile: guests by the hundred, signed in, who check in over HTTP, and what must hold of their arrivals afterwards."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from lastlight.domains import tenancy
from lastlight.domains.venues.actions import create_venue
from lastlight.domains.venues.codes import code_text, screen_code
from lastlight.domains.venues.geofence import Point
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.domains.venues.schemas import VenueIn
from lastlight.kernel.ids import PLATFORM, PatronId, TenantId, VenueId, uuid7
from lastlight.modules import MODULES
from lastlight.runtime.audit.verify import verify_all
from lastlight.runtime.auth.tokens import ACCESS, issue, token_keys
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.plain_wire import Answer, Wire, request
from tests.support.services import administer, opened_services

GUESTS = """
with people as (
    insert into users (email, name, email_verified_at)
    select gen_random_uuid() || '@turnstile.example', 'Guest ' || n, now() from generate_series(1, $2) n
    returning id, name
), guests as (
    insert into patrons (tenant_id, user_id, name) select $1, id, name from people returning id, user_id
)
insert into sessions (user_id, tenant_id, kind, patron_id, channel, expires_at)
select user_id, $1, 'patron', id, 'bearer', now() + interval '7 days' from guests
returning id, user_id, patron_id
"""
AGAIN = frozenset({409, 429, 503})
"""Answers after which a client repeats the request with the same key."""


@dataclass(frozen=True, slots=True)
class Comer:
    """A guest who has not arrived yet, and the key of the arrival."""

    patron_id: PatronId
    token: str
    key: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """An arrival that the platform has acknowledged."""

    comer: Comer
    checkin_id: UUID
    body: bytes


@dataclass(slots=True)
class Turnstile:
    """A business with one venue, on a database of its own."""

    services: Services
    tenant_id: TenantId
    venue_id: VenueId
    secret: bytes
    key_number: int

    async def comers(self, number: int) -> list[Comer]:
        """So many new guests, each with a session."""
        keys = token_keys(self.services.secrets)
        rows = await administer(self.services.settings, GUESTS, self.tenant_id, number)
        return [
            Comer(
                PatronId(row["patron_id"]),
                issue(
                    keys,
                    ACCESS,
                    user_id=row["user_id"],
                    session_id=row["id"],
                    tenant_id=self.tenant_id,
                    session_kind="patron",
                    seconds=24 * 3600,
                ),
                str(uuid7()),
            )
            for row in rows
        ]

    def code(self, at: datetime | None = None) -> str:
        """What the venue's display shows."""
        shown = screen_code(self.secret, venue_id=self.venue_id, key_number=self.key_number, at=at or datetime.now(UTC))
        return code_text(shown)

    def arrival(self, comer: Comer, code: str = "") -> bytes:
        """The request with which a guest checks in; sent again, it is the same."""
        body = {"code": code or self.code()}
        return request("POST", "/api/checkin/verify", token=comer.token, body=body, Idempotency_Key=comer.key)

    async def broken(self, settings: Settings, arrived: Sequence[Arrived]) -> dict[str, int]:
        """What a database holds against what was acknowledged: how many are lost, doubled or torn; nothing when all is well."""
        connection = await asyncpg.connect(settings.admin_dsn(), timeout=10)
        try:
            found = await _compared(connection, self.tenant_id, arrived)
        finally:
            await connection.close()
        found["chains"] = sum([bool(report.findings) async for report in verify_all(settings)])
        return {what: count for what, count in found.items() if count}


@contextlib.asynccontextmanager
async def turnstile(settings: Settings) -> AsyncGenerator[Turnstile]:
    """A business with a venue that is always open, on the migrated database of `settings`."""
    async with opened_services(settings, MODULES) as services:
        await tenancy.sync_tenants(services)
        async with system_ctx(services, PLATFORM, role="system") as ctx:
            slug = f"t{secrets.token_hex(5)}"
            tenant_id = await tenancy.seed_tenant(ctx, seed=slug, slug=slug, name="Turnstile")
        async with system_ctx(services, tenant_id) as ctx:
            venue = await create_venue(ctx, data=VenueIn(name="Door", position=Point(lat=-26.1467, lon=28.0436)))
        async with system_ctx(services, tenant_id) as ctx:
            key = await current_key(ctx, venue_id=venue.id)
            secret = open_key(ctx, venue_id=venue.id, number=key.number, sealed=key.secret)
        yield Turnstile(services, tenant_id, venue.id, secret, key.number)


async def insist(wire: Wire, sent: bytes, *, until: float, pause: float = 0.05) -> tuple[Answer | None, int]:
    """Send a request until something other than "again" is answered, or the moment `until` (monotonic); how often it was sent."""
    tries = 0
    while time.monotonic() < until:
        tries += 1
        with contextlib.suppress(OSError, TimeoutError):
            answer = await wire.ask(sent, patience=15)
            if answer.status not in AGAIN or (b"idempotency-key-in-flight" not in answer.body and answer.status == 409):
                return answer, tries
        await asyncio.sleep(pause)
    return None, tries


def arrived(comer: Comer, answer: Answer) -> Arrived:
    """The arrival that a successful answer acknowledges."""
    return Arrived(comer, UUID(answer.json()["checkin"]["id"]), answer.body)


# Sequential scans, so that an index that a crash has spoilt hides nothing.
SCANS = "set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off"
LOST = """
select count(*) from unnest($2::uuid[], $3::uuid[], $4::text[], $5::bytea[]) as told(checkin, patron, key, body)
where not exists (select from checkins c where c.tenant_id = $1 and c.id = told.checkin and c.patron_id = told.patron)
   or not exists (select from idempotency_keys k where k.tenant_id = $1 and k.key = told.key and k.body = told.body)
"""
DOUBLED = """
select count(*) from (select from checkins where tenant_id = $1 group by patron_id having count(*) > 1) as twice
"""
TORN = """
with told as (
    select entity_id as id from outbox where tenant_id = $1 and name = 'checkin.verified'
    union all
    select a.entity_id from events e join audit_entries a on a.tenant_id = e.tenant_id and a.seq = e.seq
    where e.tenant_id = $1 and e.name = 'checkin.verified'
), counted as (select id, count(*) as n from told group by id)
select count(*)
from (select * from checkins where tenant_id = $1) c
full join (select * from visits where tenant_id = $1) v on v.checkin_id = c.id
full join counted t on t.id = c.id::text
full join (select * from idempotency_keys where tenant_id = $1 and operation = 'create_checkin') k
       on convert_from(k.body, 'UTF8')::jsonb #>> '{checkin,id}' = c.id::text
where c.id is null or v.id is null or t.n is distinct from 1 or k.key is null
"""


async def _compared(
    connection: "asyncpg.Connection[asyncpg.Record]", tenant_id: TenantId, arrived: Sequence[Arrived]
) -> dict[str, int]:
    told = (
        [one.checkin_id for one in arrived],
        [one.comer.patron_id for one in arrived],
        [one.comer.key for one in arrived],
        [one.body for one in arrived],
    )
    by_index: int = await connection.fetchval(LOST, tenant_id, *told)
    await connection.execute(SCANS)
    return {
        "lost": max(by_index, await connection.fetchval(LOST, tenant_id, *told)),
        "doubled": await connection.fetchval(DOUBLED, tenant_id),
        "torn": await connection.fetchval(TORN, tenant_id),
    }
