"""A business with a door: a tenant, its venues and guests, on a real database as the app's own role."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from lastlight.domains.checkins.module import MODULE as CHECKINS
from lastlight.domains.checkins.permissions import CHECKINS_PASS, CHECKINS_VERIFY, VISITS_CHECKOUT, VISITS_OWN
from lastlight.domains.checkins.schemas import CheckinOut, VerifyIn
from lastlight.domains.checkins.verify import verify
from lastlight.domains.devices.module import MODULE as DEVICES
from lastlight.domains.venues import Venue
from lastlight.domains.venues.actions import create_venue
from lastlight.domains.venues.codes import VenueCode, code_text, poster_code, screen_code
from lastlight.domains.venues.geofence import Point
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.domains.venues.module import MODULE as VENUES
from lastlight.domains.venues.schemas import VenueIn
from lastlight.kernel.ids import PatronId, TenantId, UserId, VenueId, uuid7
from lastlight.runtime.context import Actor, Ctx, Grants
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.services import administer, make_tenant, opened_services

MODULES = (VENUES, DEVICES, CHECKINS)
HERE = Point(lat=-26.1467, lon=28.0436)
PATRON_GRANTS = Grants(
    {permission.name: None for permission in (CHECKINS_VERIFY, CHECKINS_PASS, VISITS_OWN, VISITS_CHECKOUT)}
)


@dataclass
class Guest:
    """A guest of a tenant."""

    patron_id: PatronId
    user_id: UserId
    name: str


@dataclass
class House:
    """A tenant with a venue, and how its people act."""

    services: Services
    tenant_id: TenantId
    venues: list[Venue] = field(default_factory=list[Venue])

    @property
    def venue(self) -> Venue:
        """Its first venue."""
        return self.venues[0]

    async def add_venue(self, **fields: Any) -> Venue:
        """A venue that is always open and asks nothing, but for what is given."""
        given: dict[str, Any] = {
            "name": f"Venue {len(self.venues) + 1}",
            "position": HERE,
            "time_zone": "Africa/Johannesburg",
        } | fields
        async with self.system() as ctx:
            venue = await create_venue(ctx, data=VenueIn(**given))
        self.venues.append(venue)
        return venue

    async def add_guest(self, name: str = "Zinhle Dube", **fields: Any) -> Guest:
        """A guest, written by the administrator."""
        user_id, patron_id = UserId(uuid7()), PatronId(uuid7())
        settings = self.services.settings
        await administer(
            settings,
            "insert into users (id, email, name) values ($1, $2, $3)",
            user_id,
            f"{uuid4().hex}@example.test",
            name,
        )
        birth_date: date | None = fields.get("birth_date")
        await administer(
            settings,
            "insert into patrons (tenant_id, id, user_id, name, birth_date, status, status_until) values ($1, $2, $3, $4, $5, $6, $7)",
            self.tenant_id,
            patron_id,
            user_id,
            name,
            birth_date,
            fields.get("status", "active"),
            fields.get("status_until"),
        )
        return Guest(patron_id, user_id, name)

    async def add_crowd(self, size: int) -> list[PatronId]:
        """So many guests at once, who do nothing by themselves."""
        rows = await self.sql(
            """with people as (insert into users (email, name)
                               select gen_random_uuid() || '@example.test', 'Guest ' || n from generate_series(1, $2) n
                               returning id, name)
               insert into patrons (tenant_id, user_id, name) select $1, id, name from people returning id""",
            self.tenant_id,
            size,
        )
        return [PatronId(row["id"]) for row in rows]

    @asynccontextmanager
    async def system(self) -> AsyncGenerator[Ctx]:
        """A transaction of the platform inside the tenant, as the app's role."""
        async with system_ctx(self.services, self.tenant_id) as ctx:
            yield ctx

    @asynccontextmanager
    async def as_guest(self, guest: Guest, *, key: str = "", may: Grants = PATRON_GRANTS) -> AsyncGenerator[Ctx]:
        """A guest's transaction, with the Idempotency-Key that the request carried."""
        actor = Actor(
            kind="patron",
            user_id=guest.user_id,
            tenant_id=self.tenant_id,
            patron_id=guest.patron_id,
            name=guest.name,
            grants=may,
        )
        scope = WorkScope(actor=actor, tenant_id=self.tenant_id, idempotency_key=key)
        async with unit_of_work(self.services, scope) as ctx:
            yield ctx

    @asynccontextmanager
    async def as_member(self, grants: dict[str, frozenset[VenueId] | None]) -> AsyncGenerator[Ctx]:
        """A member's transaction, with the permissions and venues given."""
        actor = Actor(kind="member", user_id=UserId(uuid4()), tenant_id=self.tenant_id, grants=Grants(grants))
        async with unit_of_work(self.services, WorkScope(actor=actor, tenant_id=self.tenant_id)) as ctx:
            yield ctx

    async def code(self, *, at: datetime | None = None, poster: bool = False, venue: Venue | None = None) -> str:
        """What a display of the venue shows at a moment, or what its poster says."""
        return code_text(await self.venue_code(at=at, poster=poster, venue=venue))

    async def venue_code(
        self, *, at: datetime | None = None, poster: bool = False, venue: Venue | None = None
    ) -> VenueCode:
        """The same, not yet as text."""
        place = venue or self.venue
        async with self.system() as ctx:
            key = await current_key(ctx, venue_id=place.id)
            secret = open_key(ctx, venue_id=place.id, number=key.number, sealed=key.secret)
            if poster:
                return poster_code(secret, venue_id=place.id, key_number=key.number)
            return screen_code(secret, venue_id=place.id, key_number=key.number, at=at or ctx.now)

    async def check_in(self, guest: Guest, *, key: str = "", **fields: Any) -> CheckinOut:
        """A guest's scan, of the current code unless one is given."""
        given: dict[str, Any] = {"code": fields["code"] if "code" in fields else await self.code()} | fields
        async with self.as_guest(guest, key=key) as ctx:
            return await verify(ctx, data=VerifyIn(**given))

    async def sql(self, statement: str, *args: object) -> list[Any]:
        """Run SQL as the administrator, past every policy."""
        return await administer(self.services.settings, statement, *args)

    async def count(self, table: str) -> int:
        """How many rows of a table the tenant has."""
        rows = await self.sql(f"select count(*) as n from {table} where tenant_id = $1", self.tenant_id)
        return rows[0]["n"]

    def clear_id(self) -> UUID:
        """An id of nothing."""
        return uuid4()


@asynccontextmanager
async def opened_house(settings: Settings, slug: str = "") -> AsyncGenerator[House]:
    """A tenant with one venue that is always open."""
    async with opened_services(settings, MODULES) as services:
        yield await new_house(services, slug)


async def new_house(services: Services, slug: str = "") -> House:
    """Another tenant with one venue, in the same services."""
    house = House(services, await make_tenant(services.settings, slug or f"t{uuid4().hex[:12]}"))
    await house.add_venue()
    return house
