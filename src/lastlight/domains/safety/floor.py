"""The floor as staff look at it: who is in and how near each threshold, and how fast calls were answered."""

from datetime import timedelta
from uuid import UUID

from lastlight.domains.safety.model import FloorGuest, ResponseFigures, Thresholds
from lastlight.domains.safety.permissions import SAFETY_READ
from lastlight.domains.safety.schemas import FiguresQuery
from lastlight.domains.safety.thresholds import read_thresholds
from lastlight.domains.venues import find_venue
from lastlight.runtime.context import Ctx

MOST_GUESTS = 500
INSIDE = """
select v.id as visit_id, v.patron_id, p.name as patron, v.opened_at,
       floor(extract(epoch from now() - v.opened_at) / 60)::integer as minutes,
       coalesce(f.drinks, 0) as drinks_last_hour, coalesce(f.spend, 0) as spend_minor,
       extract(year from age((v.opened_at at time zone w.time_zone)::date, p.birth_date))::integer as age, a.open_alerts
from visits v
join venues w on w.tenant_id = $1 and w.id = v.venue_id
join patrons p on p.tenant_id = $1 and p.id = v.patron_id
cross join lateral (
    select coalesce(sum(s.drinks) filter (where s.at > now() - interval '1 hour'), 0)::integer as drinks,
           coalesce(sum(s.spend_minor), 0)::bigint as spend
    from safety_facts s where s.tenant_id = $1 and s.visit_id = v.id
) f
cross join lateral (
    select count(*)::integer as open_alerts from safety_alerts x
    where x.tenant_id = $1 and x.visit_id = v.id and x.status <> 'cleared'
) a
where v.tenant_id = $1 and v.venue_id = $2 and v.status = 'open'
order by v.opened_at, v.id
limit $3
"""
FIGURES = """
select s.*, a.*
from (
    select count(*) as sos_calls, count(acknowledged_at) as sos_answered, count(*) filter (where escalation > 0) as sos_escalated,
           (percentile_cont(0.5) within group (order by response_seconds))::integer as sos_median_s,
           max(response_seconds) as sos_slowest_s
    from sos_calls
    where tenant_id = $1 and received_at >= $3 and ($2::uuid[] is null or venue_id = any($2))
) s
cross join (
    select count(*) as alerts, count(acknowledged_at) as alerts_answered, count(*) filter (where escalation > 0) as alerts_escalated,
           (percentile_cont(0.5) within group (order by extract(epoch from acknowledged_at - raised_at)))::integer as alerts_median_s,
           max(extract(epoch from acknowledged_at - raised_at))::integer as alerts_slowest_s
    from safety_alerts
    where tenant_id = $1 and raised_at >= $3 and ($2::uuid[] is null or venue_id = any($2))
) a
"""


async def floor_guests(ctx: Ctx, *, venue_id: UUID) -> list[FloorGuest]:
    """The guests who are in a venue, whoever is nearest to a threshold first."""
    await find_venue(ctx, venue_id=venue_id, permission=SAFETY_READ)
    limits = await read_thresholds(ctx, venue_id=venue_id)
    rows = await ctx.db.fetch(INSIDE, ctx.tenant_id, venue_id, MOST_GUESTS)
    guests = [floor_guest(dict(row), limits) for row in rows]
    return sorted(guests, key=lambda guest: (-guest.nearest, guest.opened_at))


def floor_guest(facts: dict[str, object], limits: Thresholds) -> FloorGuest:
    """Judge what a visit has had: a share of 1 is the threshold; an age under the least counts as the nearest of all."""
    minutes, drinks = _number(facts["minutes"]), _number(facts["drinks_last_hour"])
    spend, age = _number(facts["spend_minor"]), facts["age"]
    under_age = limits.least_age is not None and isinstance(age, int) and age < limits.least_age
    shares = {
        "time_share": _share(minutes, limits.minutes_inside),
        # One more than the limit is what raises the alert.
        "drinks_share": _share(drinks, None if limits.drinks_per_hour is None else limits.drinks_per_hour + 1),
        "spend_share": _share(spend, limits.spend_minor),
    }
    nearest = max([share for share in shares.values() if share is not None] + ([1.0] if under_age else []), default=0.0)
    given: dict[str, object] = facts | shares | {"under_age": under_age, "nearest": nearest}
    return FloorGuest(**given)  # pyright: ignore[reportArgumentType] the columns of INSIDE are the fields


async def response_figures(ctx: Ctx, *, query: FiguresQuery) -> ResponseFigures:
    """How fast calls and alerts were answered at the venues that the actor may see."""
    ctx.require(SAFETY_READ, query.venue_id)
    only = ctx.venues(SAFETY_READ)
    if query.venue_id is not None:
        await find_venue(ctx, venue_id=query.venue_id, permission=SAFETY_READ)
        only = [query.venue_id]
    since = ctx.now - timedelta(days=query.days)
    return await ctx.db.one(ResponseFigures, FIGURES, ctx.tenant_id, only, since)


def _share(value: int, limit: int | None) -> float | None:
    return None if limit is None else round(value / limit, 4)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
