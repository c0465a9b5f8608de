"""The business days of several venues at once, each on its own clock, for statements that count over days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from lastlight.domains.venues.hours import business_day_span
from lastlight.runtime.context import Ctx

CLOCKS = """
select id, time_zone, business_day_hour from venues
where tenant_id = $1 and ($2::uuid[] is null or id = any($2))
order by id
"""


@dataclass(frozen=True, slots=True)
class BusinessSpans:
    """Venues and the moments at which the days begin and end there: three columns for `unnest`."""

    venue_ids: list[UUID]
    since: list[datetime]
    until: list[datetime]


async def business_spans(ctx: Ctx, *, first: date, last: date, venue_ids: Sequence[UUID] | None) -> BusinessSpans:
    """From the beginning of the first business day to the end of the last one, at some venues of the tenant or at all.

    Reckoned here and not in SQL: PostgreSQL takes the second of two equal times of a night on which clocks are set back.
    """
    rows = await ctx.db.fetch(CLOCKS, ctx.tenant_id, None if venue_ids is None else list(venue_ids))
    spans = [(row["id"], ZoneInfo(row["time_zone"]), row["business_day_hour"]) for row in rows]
    return BusinessSpans(
        venue_ids=[venue for venue, _, _ in spans],
        since=[business_day_span(first, zone, hour)[0] for _, zone, hour in spans],
        until=[business_day_span(last, zone, hour)[1] for _, zone, hour in spans],
    )
