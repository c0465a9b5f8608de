"""A business to measure: venues, members, guests with sessions by the thousand."""

import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from benchmarks.client import Load, Plan
from benchmarks.ground import Ground
from lastlight.domains.venues.actions import create_venue
from lastlight.domains.venues.schemas import VenueIn
from lastlight.kernel.ids import TenantId, UserId, VenueId
from lastlight.modules import MODULES
from lastlight.runtime.auth.tokens import ACCESS, SessionKind, issue, token_keys
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services
from tests.support.people import HERE, People, people
from tests.support.programs import started
from tests.support.services import administer

Kind = Literal["user", "patron", "session", "checkin", "visit"]
KINDS: dict[Kind, int] = {"user": 1, "patron": 2, "session": 3, "checkin": 4, "visit": 5}
PLACE = 10**13

GUESTS = """
with people as (
    insert into users (id, email, name, email_verified_at)
    select lpad(($2::bigint * $6 + n)::text, 32, '0')::uuid, 'guest-' || n || '@bench.example', 'Guest ' || n, now()
    from generate_series($5::bigint, $5 + $1::bigint - 1) n
    returning id
), guests as (
    insert into patrons (tenant_id, id, user_id, name)
    select $7, lpad(($3::bigint * $6 + n)::text, 32, '0')::uuid, lpad(($2::bigint * $6 + n)::text, 32, '0')::uuid, 'Guest ' || n
    from generate_series($5::bigint, $5 + $1::bigint - 1) n
    returning id
)
insert into sessions (id, user_id, tenant_id, kind, patron_id, channel, expires_at)
select lpad(($4::bigint * $6 + n)::text, 32, '0')::uuid, lpad(($2::bigint * $6 + n)::text, 32, '0')::uuid, $7, 'patron',
       lpad(($3::bigint * $6 + n)::text, 32, '0')::uuid, 'bearer', now() + interval '7 days'
from generate_series($5::bigint, $5 + $1::bigint - 1) n
"""
SESSION = """
insert into sessions (user_id, tenant_id, kind, channel, expires_at) values ($1, $2, $3, 'bearer', now() + interval '7 days')
returning id
"""
EMPTY_HOUSE = """
update visits set status = 'closed', closed_by = 'guest', closed_at = now() where tenant_id = $1 and status = 'open'
"""


def numbered(kind: Kind, number: int) -> UUID:
    """The id of the thing of a kind with a number: pgbench can reckon it too, by `numbered_sql`."""
    return UUID(str(KINDS[kind] * PLACE + number).zfill(32))


def numbered_sql(kind: Kind, variable: str) -> str:
    """The same in a script of pgbench, of one of its variables that holds the whole number."""
    return f"lpad(:{kind}_{variable}, 32, '0')::uuid"


@dataclass
class House:
    """The business, its people and its services."""

    ground: Ground
    people: People
    tenant_id: TenantId
    venues: list[VenueId] = field(default_factory=list[VenueId])
    tokens: list[str] = field(default_factory=list[str])
    """A guest's access token, by the guest's number."""
    neighbours: list[TenantId] = field(default_factory=list[TenantId])
    """Other tenants of the same database."""

    @property
    def services(self) -> Services:
        """The services of this process, on the same database as the web process."""
        return self.people.services

    async def add_venues(self, number: int) -> None:
        """Venues that are always open, with a fence around HERE."""
        async with system_ctx(self.services, self.tenant_id) as ctx:
            for place in range(number):
                venue = await create_venue(ctx, data=VenueIn(name=f"Bench {place}", position=HERE, capacity=500))
                self.venues.append(venue.id)

    async def add_guests(self, number: int) -> None:
        """Guests who are signed in, numbered from those that are there."""
        first = len(self.tokens)
        kinds = [KINDS[kind] for kind in ("user", "patron", "session")]
        await administer(self.services.settings, GUESTS, number, *kinds, first, PLACE, self.tenant_id)
        for n in range(first, first + number):
            self.tokens.append(
                self.token(UserId(numbered("user", n)), numbered("session", n), self.tenant_id, "patron")
            )

    async def member_token(self, user_id: UserId, *, tenant_id: TenantId | None, kind: SessionKind = "member") -> str:
        """An access token of a session of somebody who works here, or of the crew."""
        rows = await administer(self.services.settings, SESSION, user_id, tenant_id, kind)
        return self.token(user_id, rows[0]["id"], tenant_id, kind)

    def token(self, user_id: UserId, session_id: UUID, tenant_id: UUID | None, kind: SessionKind) -> str:
        """A signed access token."""
        keys = token_keys(self.services.secrets)
        return issue(
            keys,
            ACCESS,
            user_id=user_id,
            session_id=session_id,
            tenant_id=tenant_id,
            session_kind=kind,
            seconds=24 * 3600,
        )

    async def empty(self) -> None:
        """Everybody goes home, and the relay has been: the next round finds what the last one found."""
        async with self.administrator() as connection:
            await connection.execute(EMPTY_HOUSE, self.tenant_id)
            await connection.execute("truncate outbox")

    @contextlib.asynccontextmanager
    async def administrator(self) -> AsyncGenerator[Any]:
        """A connection past every policy, for as long as it takes."""
        connection = await asyncpg.connect(self.ground.dsn, command_timeout=900)
        try:
            yield connection
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def opened_house(ground: Ground, *, venues: int, guests: int) -> AsyncGenerator[House]:
    """A business on the ground's database."""
    async with people(ground.settings, MODULES) as found:
        house = House(ground, found, found.bar.id)
        await house.add_venues(venues)
        await house.add_guests(guests)
        yield house


def request(method: str, path: str, token: str, body: Any = None, **headers: str) -> bytes:
    """A whole request, as a phone sends it."""
    content = b"" if body is None else msgspec.json.encode(body)
    given = {
        "Host": "127.0.0.1",
        "Authorization": f"Bearer {token}",
        "Accept": "application/json",
        "Accept-Language": "en-ZA,en;q=0.9",
        "User-Agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36",
    }
    if body is not None:
        given |= {"Content-Type": "application/json", "Content-Length": str(len(content))}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in (given | headers).items()), "", ""]
    return "\r\n".join(lines).encode() + content


async def load(plan: Plan) -> Load:
    """Carry out a plan in a process of its own; fails when an answer was no success."""
    async with started(sys.executable, "-m", "benchmarks.client", stdin=PIPE, stdout=PIPE) as process:
        output, _ = await process.communicate(msgspec.msgpack.encode(plan))
    if process.returncode:
        raise RuntimeError(f"the client ended with {process.returncode}")
    found = msgspec.msgpack.decode(output, type=Load)
    if found.refusals:
        raise RuntimeError(f"not every request succeeded: {found.statuses} {found.refusals[0]}")
    return found
