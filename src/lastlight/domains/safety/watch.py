"""The watch: facts of a visit against its venue's thresholds, and the floor against its capacity."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lastlight.domains.checkins import read_occupancy
from lastlight.domains.safety.alerts import clear_alert, raise_alert
from lastlight.domains.safety.model import Alert, FloorState, Thresholds, floor_state
from lastlight.domains.safety.permissions import SAFETY_READ
from lastlight.domains.safety.thresholds import read_thresholds
from lastlight.runtime.context import Ctx
from lastlight.ui.formats import duration

EVER = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
PATTERN_DAYS = 30
KEEP_FACT = """
insert into safety_facts (tenant_id, visit_id, source, source_id, drinks, spend_minor, at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict on constraint safety_facts_once do nothing
"""
PLACE = "select venue_id, patron_id from visits where tenant_id = $1 and id = $2"
SO_FAR = """
select coalesce(sum(drinks) filter (where at > $3::timestamptz - interval '1 hour' and at <= $3::timestamptz), 0)::integer as drinks,
       coalesce(sum(spend_minor), 0)::bigint as spend
from safety_facts
where tenant_id = $1 and visit_id = $2
"""
LONG_STAYS = """
select v.id, v.venue_id, v.patron_id, t.minutes_inside, floor(extract(epoch from now() - v.opened_at) / 60)::integer as minutes
from visits v
join safety_thresholds t on t.tenant_id = $1 and t.venue_id = v.venue_id
where v.tenant_id = $1 and v.status = 'open' and v.opened_at <= now() - make_interval(mins => t.minutes_inside)
  and not exists (select from safety_alerts a where a.tenant_id = $1 and a.visit_id = v.id and a.kind = 'time')
order by v.opened_at
limit $2
"""
ARRIVAL = """
select p.birth_date, extract(year from age((v.opened_at at time zone w.time_zone)::date, p.birth_date))::integer as age,
       (select count(*) from safety_interventions i
        where i.tenant_id = $1 and i.patron_id = v.patron_id and i.recorded_at > now() - make_interval(days => $3)) as interventions
from visits v
join patrons p on p.tenant_id = $1 and p.id = v.patron_id
join venues w on w.tenant_id = $1 and w.id = v.venue_id
where v.tenant_id = $1 and v.id = $2
"""
OPEN_FULL = (
    "select id from safety_alerts where tenant_id = $1 and venue_id = $2 and kind = 'capacity' and status <> 'cleared'"
)
OF_VISIT = """
select id from safety_alerts
where tenant_id = $1 and visit_id = $2 and kind in ('time', 'spend', 'drinks', 'age') and status <> 'cleared'
order by id
"""


async def report_facts(
    ctx: Ctx,
    *,
    visit_id: UUID,
    source: str,
    source_id: UUID,
    drinks: int = 0,
    spend_minor: int = 0,
    at: datetime | None = None,
) -> list[Alert]:
    """Tell what a visit was served and what it cost, once for each source's id; the alerts that it raised.

    For other domains, inside their own transaction: orders call it for a line that is paid, with negative figures for one
    taken back. The caller has seen to its own permission for the visit.
    """
    moment = at or ctx.now
    if not await ctx.db.execute(KEEP_FACT, ctx.tenant_id, visit_id, source, source_id, drinks, spend_minor, moment):
        return []
    return await _judge_consumption(ctx, visit_id=visit_id, at=moment)


async def _judge_consumption(ctx: Ctx, *, visit_id: UUID, at: datetime) -> list[Alert]:
    place = await ctx.db.fetchrow(PLACE, ctx.tenant_id, visit_id)
    row = await ctx.db.fetchrow(SO_FAR, ctx.tenant_id, visit_id, at)
    assert place is not None
    assert row is not None
    limits = await read_thresholds(ctx, venue_id=place["venue_id"])
    raised: list[Alert | None] = []
    who: dict[str, Any] = {"visit_id": visit_id, "patron_id": place["patron_id"]}
    if limits.drinks_per_hour is not None and row["drinks"] > limits.drinks_per_hour:
        raised.append(
            await raise_alert(
                ctx,
                venue_id=place["venue_id"],
                kind="drinks",
                severity="high",
                summary=f"{row['drinks']} drinks within an hour",
                facts={"drinks": row["drinks"], "limit": limits.drinks_per_hour},
                not_since=at - timedelta(hours=1),
                **who,
            )
        )
    if limits.spend_minor is not None and row["spend"] >= limits.spend_minor:
        raised.append(
            await raise_alert(
                ctx,
                venue_id=place["venue_id"],
                kind="spend",
                severity="medium",
                summary="The visit's spend is over the limit",
                facts={"spend_minor": row["spend"], "limit": limits.spend_minor},
                not_since=EVER,
                **who,
            )
        )
    return [alert for alert in raised if alert is not None]


async def watch_stays(ctx: Ctx, *, limit: int) -> int:
    """Raise an alert for each guest who is in for longer than the venue's time; how many."""
    rows = await ctx.db.fetch(LONG_STAYS, ctx.tenant_id, limit)
    for row in rows:
        await raise_alert(
            ctx,
            venue_id=row["venue_id"],
            kind="time",
            severity="low",
            summary=f"In for {duration(60 * row['minutes'])}",
            visit_id=row["id"],
            patron_id=row["patron_id"],
            facts={"minutes": row["minutes"], "limit": row["minutes_inside"]},
            not_since=EVER,
        )
    return len(rows)


async def judge_arrival(ctx: Ctx, *, visit_id: UUID, venue_id: UUID, patron_id: UUID) -> None:
    """Look at who came: too young for the venue's floor, or a pattern of interventions; then at how full it is."""
    limits = await read_thresholds(ctx, venue_id=venue_id)
    row = await ctx.db.fetchrow(ARRIVAL, ctx.tenant_id, visit_id, PATTERN_DAYS)
    if row is not None:
        who: dict[str, Any] = {"venue_id": venue_id, "visit_id": visit_id, "patron_id": patron_id, "not_since": EVER}
        if limits.least_age is not None and row["age"] is not None and row["age"] < limits.least_age:
            facts = {"age": row["age"], "limit": limits.least_age}
            summary = f"Younger than {limits.least_age}"
            await raise_alert(ctx, kind="age", severity="high", summary=summary, facts=facts, **who)
        if limits.interventions is not None and row["interventions"] >= limits.interventions:
            facts = {"interventions": row["interventions"], "days": PATTERN_DAYS}
            summary = f"{row['interventions']} interventions within {PATTERN_DAYS} days"
            await raise_alert(ctx, kind="behaviour", severity="medium", summary=summary, facts=facts, **who)
    await judge_floor(ctx, venue_id=venue_id)


async def judge_departure(ctx: Ctx, *, visit_id: UUID, venue_id: UUID) -> None:
    """Clear what the visit's end settles, and look at how full the venue is."""
    for row in await ctx.db.fetch(OF_VISIT, ctx.tenant_id, visit_id):
        await clear_alert(ctx, alert_id=row["id"], reason="The guest has left.")
    await judge_floor(ctx, venue_id=venue_id)


async def judge_floor(ctx: Ctx, *, venue_id: UUID) -> FloorState:
    """Raise the one-in-one-out warning when a venue is full, and clear it when there is room again."""
    state = await _state(ctx, venue_id)
    standing = await ctx.db.fetchval(OPEN_FULL, ctx.tenant_id, venue_id)
    if state.one_in_one_out and standing is None:
        await raise_alert(
            ctx,
            venue_id=venue_id,
            kind="capacity",
            severity="medium",
            summary=f"One in, one out: {state.inside} of {state.capacity} are in",
            facts={"inside": state.inside, "capacity": state.capacity, "full_at": state.full_at},
        )
    elif standing is not None and not state.one_in_one_out:
        await clear_alert(ctx, alert_id=standing, reason="There is room again.")
    return state


async def read_floor(ctx: Ctx, *, venue_id: UUID) -> FloorState:
    """How full a venue is, and whether the door lets one in for one out."""
    ctx.require(SAFETY_READ, venue_id)
    return await _state(ctx, venue_id)


async def _state(ctx: Ctx, venue_id: UUID) -> FloorState:
    limits: Thresholds = await read_thresholds(ctx, venue_id=venue_id)
    found = await read_occupancy(ctx, venue_id=venue_id)
    return floor_state(
        venue_id=found.venue_id, inside=found.inside, capacity=found.capacity, full_percent=limits.full_percent
    )
