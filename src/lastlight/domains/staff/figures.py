"""Time sheets and figures of people's work, over business days. They are read from what happened; nothing is stored."""

from itertools import groupby

from lastlight.domains.staff.permissions import STAFF_PERFORMANCE, TIME_READ
from lastlight.domains.staff.schemas import DaysQuery, Performance, PerformanceOut, Sheet, SheetDay, SheetsOut
from lastlight.domains.staff.settings import LATE_MINUTES
from lastlight.domains.venues import business_spans
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx
from lastlight.runtime.tenant_settings import setting

MOST_DAYS = 100
SHEETS = """
select e.user_id, u.name as person, e.business_day, count(*)::integer as entries,
       coalesce(sum(e.worked_seconds), 0)::integer as worked_seconds, coalesce(sum(e.break_seconds), 0)::integer as break_seconds,
       bool_or(e.status = 'open') as is_open
from time_entries e
join users u on u.id = e.user_id
where e.tenant_id = $1 and e.status <> 'voided' and e.business_day between $2 and $3
  and ($4::uuid[] is null or e.venue_id = any($4))
group by e.user_id, u.name, e.business_day
order by u.name, e.user_id, e.business_day
"""
# A day of a task or a shift is the one on its venue's clock on which its business day began.
PERFORMANCE = """
with places as (
    select * from unnest($4::uuid[], $6::timestamptz[], $7::timestamptz[]) as p (id, since, until)
), work as (
    select t.assignee_id as user_id, count(*) as given, count(*) filter (where t.status = 'done') as done,
           count(*) filter (where t.due_at < coalesce(t.ended_at, now())) as late,
           percentile_cont(0.5) within group (order by extract(epoch from t.started_at - t.assigned_at)) as response,
           percentile_cont(0.5) within group (order by extract(epoch from t.ended_at - t.started_at))
               filter (where t.status = 'done') as completion
    from tasks t
    join places p on p.id = t.venue_id and t.assigned_at >= p.since and t.assigned_at < p.until
    where t.tenant_id = $1 and t.assignee_id is not null and t.status <> 'cancelled'
    group by t.assignee_id
), came as (
    select s.user_id, s.id, s.starts_at, s.ends_at,
           (select min(e.started_at) from time_entries e
            where e.tenant_id = $1 and e.user_id = s.user_id and e.venue_id = s.venue_id and e.status <> 'voided'
              and (e.shift_id = s.id or (e.started_at < s.ends_at and coalesce(e.ended_at, now()) > s.starts_at))) as came_at
    from shifts s
    join places p on p.id = s.venue_id and s.starts_at >= p.since and s.starts_at < p.until
    where s.tenant_id = $1 and s.status = 'published' and s.user_id is not null and s.starts_at <= now()
), attendance as (
    select user_id, count(*) as planned, count(came_at) as attended,
           count(*) filter (where came_at > starts_at + make_interval(mins => $5)) as late,
           count(*) filter (where came_at is null and ends_at <= now()) as missed,
           coalesce(sum(extract(epoch from came_at - starts_at)) filter (where came_at > starts_at + make_interval(mins => $5)), 0)
               as late_seconds
    from came
    group by user_id
), hours as (
    select e.user_id, coalesce(sum(e.worked_seconds), 0) as worked
    from time_entries e
    join places p on p.id = e.venue_id
    where e.tenant_id = $1 and e.status <> 'voided' and e.business_day between $2 and $3
    group by e.user_id
)
select u.id as user_id, u.name as person, coalesce(w.given, 0)::integer as tasks_given, coalesce(w.done, 0)::integer as tasks_done,
       coalesce(w.late, 0)::integer as tasks_late, round(w.response)::integer as response_median,
       round(w.completion)::integer as completion_median, coalesce(a.planned, 0)::integer as shifts_planned,
       coalesce(a.attended, 0)::integer as shifts_attended, coalesce(a.late, 0)::integer as shifts_late,
       coalesce(a.missed, 0)::integer as shifts_missed, round(coalesce(a.late_seconds, 0))::integer as late_seconds,
       coalesce(h.worked, 0)::integer as worked_seconds
from (select user_id from work union select user_id from attendance union select user_id from hours) as known
join users u on u.id = known.user_id
left join work w on w.user_id = known.user_id
left join attendance a on a.user_id = known.user_id
left join hours h on h.user_id = known.user_id
order by u.name, u.id
"""


async def time_sheets(ctx: Ctx, *, query: DaysQuery) -> SheetsOut:
    """Everybody's time over some business days, day by day, at the venues that the actor may see."""
    venues = _places(ctx, query, TIME_READ)
    rows = await ctx.db.fetch(SHEETS, ctx.tenant_id, query.first, query.last, venues)
    sheets: list[Sheet] = []
    for (user_id, person), days in groupby(rows, key=lambda row: (row["user_id"], row["person"])):
        kept = [
            SheetDay(
                **{
                    name: day[name]
                    for name in ("business_day", "entries", "worked_seconds", "break_seconds", "is_open")
                }
            )
            for day in days
        ]
        worked, breaks = sum(day.worked_seconds for day in kept), sum(day.break_seconds for day in kept)
        sheets.append(Sheet(user_id=user_id, person=person, worked_seconds=worked, break_seconds=breaks, days=kept))
    return SheetsOut(first=query.first, last=query.last, items=sheets)


async def performance(ctx: Ctx, *, query: DaysQuery) -> PerformanceOut:
    """Everybody's tasks, response times and attendance over some business days, at the venues that the actor may see."""
    venues = _places(ctx, query, STAFF_PERFORMANCE)
    late = await setting(ctx, LATE_MINUTES)
    days = await business_spans(ctx, first=query.first, last=query.last, venue_ids=venues)
    bounds = (days.venue_ids, late, days.since, days.until)
    rows = await ctx.db.rows(Performance, PERFORMANCE, ctx.tenant_id, query.first, query.last, *bounds)
    return PerformanceOut(first=query.first, last=query.last, items=rows)


def _places(ctx: Ctx, query: DaysQuery, permission: Permission) -> list[VenueId] | None:
    ctx.require(permission, query.venue_id)
    if not 0 <= (query.last - query.first).days < MOST_DAYS:
        raise Invalid(fields={"last": f"Give a last day that is not before the first, within {MOST_DAYS} days."})
    return ctx.venues(permission) if query.venue_id is None else [query.venue_id]
