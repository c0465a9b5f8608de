"""How fast people answer what happens on the floor: SOS calls and alerts, by who answered. Read from what happened; nothing is stored."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from lastlight.domains.safety.permissions import SAFETY_READ
from lastlight.domains.venues import business_spans
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.context import Ctx

# A day of an answer is the one on its venue's clock on which its business day began.
FIGURES = """
with places as (
    select * from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) as p (id, since, until)
), answers as (
    select a.user_id, a.response_seconds::double precision as seconds
    from sos_acknowledgements a
    join sos_calls c on c.tenant_id = $1 and c.id = a.sos_id
    join places p on p.id = c.venue_id and c.received_at >= p.since and c.received_at < p.until
    where a.tenant_id = $1
    union all
    select l.acknowledged_by, extract(epoch from l.acknowledged_at - l.raised_at)
    from safety_alerts l
    join places p on p.id = l.venue_id and l.raised_at >= p.since and l.raised_at < p.until
    where l.tenant_id = $1 and l.acknowledged_by is not null
)
select user_id, count(*)::integer as answered, round(percentile_cont(0.5) within group (order by seconds))::integer as median_seconds
from answers
group by user_id
order by user_id
"""


class ResponseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How many SOS calls and alerts somebody answered, and how many seconds that took in the middle."""

    user_id: UserId
    answered: int
    median_seconds: int


async def response_figures(
    ctx: Ctx, *, first: date, last: date, venue_ids: Sequence[UUID] | None = None
) -> list[ResponseFigures]:
    """Who answered what over some business days, at the venues whose safety the actor sees, or at some of them."""
    ctx.require(SAFETY_READ)
    seen = ctx.venues(SAFETY_READ)
    if venue_ids is not None:
        seen = [VenueId(venue) for venue in venue_ids if seen is None or venue in seen]
    days = await business_spans(ctx, first=first, last=last, venue_ids=seen)
    return await ctx.db.rows(ResponseFigures, FIGURES, ctx.tenant_id, days.venue_ids, days.since, days.until)
