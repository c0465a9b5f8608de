"""Venues of the demonstration, with ids that follow from a seed. May be repeated: a venue that is there stays as it is."""

from lastlight.domains import identity
from lastlight.domains.venues.actions import create_venue
from lastlight.domains.venues.geofence import Circle, Point
from lastlight.domains.venues.hours import HoursException, Interval, OpeningHours, Week
from lastlight.domains.venues.model import Address, TaxRate
from lastlight.domains.venues.schemas import VenueIn
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx

EXISTING = "select slug, id from venues where tenant_id = $1"
VAT = [TaxRate(name="VAT", rate_bp=1500)]


async def seed_venues(ctx: Ctx, *, seed: str, slug: str) -> dict[str, VenueId]:
    """The venues of a business of the demonstration, the main one first, each with its first key; their ids by short name."""
    existing = {row["slug"]: VenueId(row["id"]) for row in await ctx.db.fetch(EXISTING, ctx.tenant_id)}
    places: dict[str, VenueId] = {}
    for venue in _venues(ctx, slug):
        assert venue.slug is not None
        found = existing.get(venue.slug)
        if found is None:
            found = VenueId(identity.seeded_id(seed, "venue", slug, venue.slug))
            await create_venue(ctx, data=venue, venue_id=found)
        places[venue.slug] = found
    return places


def _venues(ctx: Ctx, slug: str) -> list[VenueIn]:
    if slug == "kojo-arcade":
        return [_rosebank(), _braamfontein(ctx), _melville()]
    if slug == "the-low-light":
        return [_maboneng(), _westlands()]
    raise ValueError(f"the demonstration knows no venues of {slug!r}")


def _rosebank() -> VenueIn:
    here = Point(lat=-26.14568, lon=28.04182)
    return VenueIn(
        name="Kōjō Rosebank",
        slug="kojo-rosebank",
        address=_address("160 Jan Smuts Avenue", "Rosebank", "2196"),
        position=here,
        capacity=180,
        tags=["arcade", "bar", "flagship"],
        tax_rates=VAT,
        geofence=Circle(center=here, radius_m=180),
    )


def _braamfontein(ctx: Ctx) -> VenueIn:
    late = [Interval(opens="12:00", closes="04:00")]
    usual = [Interval(opens="12:00", closes="24:00")]
    return VenueIn(
        name="Kōjō Braamfontein",
        slug="kojo-braamfontein",
        address=_address("73 Juta Street", "Braamfontein", "2001"),
        position=Point(lat=-26.19306, lon=28.03472),
        capacity=130,
        opening_hours=OpeningHours(
            weekly=Week(tue=usual, wed=usual, thu=usual, fri=late, sat=late, sun=usual),
            exceptions=[
                HoursException(date=ctx.now.date().replace(month=12, day=25), note="Christmas Day"),
                HoursException(date=ctx.now.date().replace(month=12, day=31), intervals=late, note="New Year's Eve"),
            ],
        ),
        tags=["arcade", "rooftop"],
        tax_rates=VAT,
    )


def _melville() -> VenueIn:
    usual = [Interval(opens="16:00", closes="01:00")]
    late = [Interval(opens="14:00", closes="03:00")]
    return VenueIn(
        name="Kōjō Melville",
        slug="kojo-melville",
        address=_address("7 Seventh Street", "Melville", "2092"),
        position=Point(lat=-26.17611, lon=28.00833),
        capacity=80,
        opening_hours=OpeningHours(
            weekly=Week(mon=usual, tue=usual, wed=usual, thu=usual, fri=late, sat=late, sun=usual)
        ),
        tags=["bar", "pinball"],
        age_limit=18,
        tax_rates=VAT,
        position_policy="required",
        visit_timeout_minutes=360,
    )


def _maboneng() -> VenueIn:
    return VenueIn(
        name="Low Light Maboneng",
        slug="low-light-maboneng",
        address=_address("264 Fox Street", "City and Suburban", "2094"),
        position=Point(lat=-26.20417, lon=28.05944),
        capacity=150,
        tags=["club", "live-music"],
        tax_rates=VAT,
    )


def _westlands() -> VenueIn:
    usual = [Interval(opens="17:00", closes="02:00")]
    late = [Interval(opens="17:00", closes="05:00")]
    return VenueIn(
        name="Low Light Westlands",
        slug="low-light-westlands",
        address=Address(line1="Woodvale Grove", line2="Westlands", city="Nairobi", postal_code="00800", country="KE"),
        position=Point(lat=-1.26472, lon=36.80361),
        time_zone="Africa/Nairobi",
        currency="KES",
        business_day_hour=7,
        capacity=110,
        opening_hours=OpeningHours(weekly=Week(wed=usual, thu=usual, fri=late, sat=late, sun=usual)),
        tags=["club"],
        age_limit=18,
        tax_rates=[TaxRate(name="VAT", rate_bp=1600)],
    )


def _address(line1: str, suburb: str, postal_code: str) -> Address:
    return Address(
        line1=line1, line2=suburb, city="Johannesburg", region="Gauteng", postal_code=postal_code, country="ZA"
    )
