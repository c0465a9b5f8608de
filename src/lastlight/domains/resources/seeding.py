"""The demonstration's games, rooms and tables, with ids that follow from a seed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from lastlight.domains import identity
from lastlight.domains.resources.actions import create_resource
from lastlight.domains.resources.model import BookingStatus, Price, ResourceKind
from lastlight.domains.resources.schemas import ResourceIn
from lastlight.kernel.ids import PatronId, ResourceId, VenueId
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


class Evening(NamedTuple):
    """A booking of the demonstration's night: of which offer, how many hours from now, how long, and what became of it."""

    offer: str
    hours: float
    minutes: int
    people: int
    status: BookingStatus = "booked"


EVENINGS = (
    Evening("Karaoke room Lotus", -2.5, 90, 6, "done"),
    Evening("Karaoke room Lotus", -0.5, 120, 7, "arrived"),
    Evening("Karaoke room Crane", 1, 120, 12),
    Evening("Karaoke room Crane", 4, 90, 9),
    Evening("Air hockey", 0.5, 30, 4),
    Evening("Air hockey", 2, 60, 2),
    Evening("Table 1", -1.25, 120, 4, "arrived"),
    Evening("Table 2", -3, 60, 2, "no_show"),
    Evening("Table 3", 1.5, 90, 3),
    Evening("Table 5", 0.75, 120, 4),
    Evening("Table 6", 25, 120, 4),
    Evening("Table 8", 3, 60, 2, "cancelled"),
)
FILL = """
insert into bookings (tenant_id, id, venue_id, resource_id, patron_id, party_size, starts_at, ends_at, free_at, status, status_reason,
                      booked_by, price_minor, currency, arrived_at, ended_at)
select $1, $2, r.venue_id, r.id, $4, $5, $6, $7::timestamptz, $7::timestamptz + r.buffer_minutes * interval '1 min', $8, $9, 'guest',
       case when r.price_unit = 'hour' then r.price_minor * $10 / 60 end, case when r.price_unit = 'hour' then v.currency end,
       case when $8 in ('arrived', 'done') then $6::timestamptz end,
       case when $8 in ('done', 'cancelled', 'no_show') then least($7::timestamptz, now()) end
from resources r join venues v on v.tenant_id = $1 and v.id = r.venue_id
where r.tenant_id = $1 and r.id = $3
"""
BOOKED = "select exists (select from bookings where tenant_id = $1)"


async def seed_bookings(ctx: Ctx, *, seed: str, venue_ids: Sequence[UUID], patron_ids: Sequence[PatronId]) -> int:
    """A night's bookings at every venue, around this moment; nothing where the business has any. How many were made."""
    if not patron_ids or await ctx.db.fetchval(BOOKED, ctx.tenant_id):
        return 0
    quarter = ctx.now.replace(minute=ctx.now.minute // 15 * 15, second=0, microsecond=0)
    rows: list[tuple[object, ...]] = []
    for place, venue_id in enumerate(venue_ids):
        for number, one in enumerate(EVENINGS):
            start = quarter + timedelta(hours=one.hours)
            known = identity.seeded_id(seed, "resource", f"{venue_id}/{one.offer}")
            booking_id = identity.seeded_id(seed, "booking", f"{venue_id}/{number}")
            guest = patron_ids[(place * len(EVENINGS) + number) % len(patron_ids)]
            reason = "They fell ill." if one.status == "cancelled" else ""
            end = start + timedelta(minutes=one.minutes)
            times = (one.people, start, end, one.status, reason, one.minutes)
            rows.append((ctx.tenant_id, booking_id, known, guest, *times))
    await ctx.db.executemany(FILL, rows)
    return len(rows)
