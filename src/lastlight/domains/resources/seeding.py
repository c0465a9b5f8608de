"""The demonstration's games, rooms and tables, with ids that follow from a seed."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from lastlight.domains import identity
from lastlight.domains.resources.actions import create_resource
from lastlight.domains.resources.model import Price, ResourceKind
from lastlight.domains.resources.schemas import ResourceIn
from lastlight.kernel.ids import ResourceId, VenueId
from lastlight.runtime.context import Ctx

KNOWN = "select exists (select from resources where tenant_id = $1 and venue_id = $2)"


class Offer(NamedTuple):
    """One thing that every venue of the demonstration lends."""

    kind: ResourceKind
    name: str
    zone: str
    capacity: int
    price: Price | None
    buffer: int


OFFERS = (
    Offer("game", "Neon Drift", "Arcade", 2, Price(amount=2500, unit="play"), 0),
    Offer("game", "Claw of Plenty", "Arcade", 1, Price(amount=1500, unit="play"), 0),
    Offer("game", "Air hockey", "Arcade", 4, Price(amount=12_000, unit="hour"), 5),
    Offer("room", "Karaoke room Lotus", "Upstairs", 8, Price(amount=35_000, unit="hour"), 15),
    Offer("room", "Karaoke room Crane", "Upstairs", 14, Price(amount=55_000, unit="hour"), 15),
    *(Offer("table", f"Table {number}", "Floor", 4, None, 10) for number in range(1, 9)),
)


async def seed_resources(ctx: Ctx, *, seed: str, venue_ids: Sequence[UUID]) -> int:
    """What venues lend; nothing is done where a venue has any already. How many were made."""
    made = 0
    for venue_id in venue_ids:
        if await ctx.db.fetchval(KNOWN, ctx.tenant_id, venue_id):
            continue
        for offer in OFFERS:
            data = ResourceIn(
                venue_id=VenueId(venue_id),
                kind=offer.kind,
                name=offer.name,
                zone=offer.zone,
                capacity=offer.capacity,
                price=offer.price,
                bookable=offer.price is None or offer.price.unit == "hour",
                buffer_minutes=offer.buffer,
            )
            own_id = ResourceId(identity.seeded_id(seed, "resource", f"{venue_id}/{offer.name}"))
            await create_resource(ctx, data=data, resource_id=own_id)
            made += 1
    return made
