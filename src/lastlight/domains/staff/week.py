"""The planner's week: who works when at a venue, how many hours that makes, and what does not fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from lastlight.domains.identity import colleagues
from lastlight.domains.staff.model import Shift
from lastlight.domains.staff.permissions import SHIFTS_PLAN
from lastlight.domains.staff.settings import REST_HOURS, WEEK_HOURS
from lastlight.domains.venues import Venue, business_day_span
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.tenant_settings import setting

# Those of its people elsewhere too, since they count for their rest; what is planned there is not shown.
SHIFTS = """
select s.id, s.venue_id, w.name as venue, s.user_id, coalesce(u.name, '') as person, s.duty, s.note, s.starts_at, s.ends_at, s.status,
       s.published_at, s.version
from shifts s
join venues w on w.tenant_id = $1 and w.id = s.venue_id
left join users u on u.id = s.user_id
where s.tenant_id = $1 and s.status <> 'cancelled' and s.starts_at >= $3::timestamptz - interval '2 days'
  and s.starts_at < $4::timestamptz + interval '2 days'
  and (s.venue_id = $2 or s.user_id = any($5))
order by s.starts_at, s.id
limit 2000
"""
ABSENT_NAME = "Nobody yet"


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A shift in the week, and what does not fit about it."""

    shift: Shift
    day: date
    seconds: int
    problems: list[str]


@dataclass(slots=True)
class Line:
    """Somebody's week at the venue: their shifts by day; elsewhere: the days on which they work at another venue."""

    user_id: UUID | None
    person: str
    days: dict[date, list[Planned]] = field(default_factory=dict[date, list[Planned]])
    elsewhere: set[date] = field(default_factory=set[date])
    seconds: int = 0
    problem: str = ""

    def on(self, day: date) -> list[Planned]:
        """Their shifts of a business day."""
        return self.days.get(day, [])


@dataclass(frozen=True, slots=True)
class Week:
    """A venue's week from Monday, by person and by day."""

    venue: Venue
    days: list[date]
    lines: list[Line]
    hours_by_day: Mapping[date, int]
    unpublished: int
    open: int

    @property
    def starts_from(self) -> datetime:
        """When its first business day begins."""
        return business_day_span(self.days[0], self.venue.zone, self.venue.business_day_hour)[0]

    @property
    def starts_to(self) -> datetime:
        """When its last one ends."""
        return business_day_span(self.days[-1], self.venue.zone, self.venue.business_day_hour)[1]

    @property
    def problems(self) -> int:
        """How many shifts and weeks do not fit."""
        return sum(
            bool(line.problem) + sum(bool(p.problems) for found in line.days.values() for p in found)
            for line in self.lines
        )


def monday_of(day: date) -> date:
    """The Monday of a date's week."""
    return day - timedelta(days=day.weekday())


async def read_week(ctx: Ctx, *, venue: Venue, monday: date) -> Week:
    """A venue's week for who plans it, the shifts that are not published included."""
    ctx.require(SHIFTS_PLAN, venue.id)
    days = [monday + timedelta(days=offset) for offset in range(7)]
    since, _ = business_day_span(days[0], venue.zone, venue.business_day_hour)
    _, until = business_day_span(days[-1], venue.zone, venue.business_day_hour)
    people = {one.id: one.name for one in await colleagues(ctx, venue_ids=[venue.id])}
    found = await ctx.db.rows(Shift, SHIFTS, ctx.tenant_id, venue.id, since, until, list(people))
    rest, most = timedelta(hours=await setting(ctx, REST_HOURS)), 3600 * await setting(ctx, WEEK_HOURS)
    lines = {None: Line(None, ABSENT_NAME)} | {user: Line(user, name) for user, name in people.items()}
    for shift in found:
        line = lines.setdefault(shift.user_id, Line(shift.user_id, shift.person))
        _place(line, shift, venue=venue, days=days, rest=rest, others=found)
    for line in lines.values():
        if line.user_id is not None and line.seconds > most:
            line.problem = f"More than {most // 3600} hours this week"
    here = [planned for line in lines.values() for day in days for planned in line.on(day)]
    return Week(
        venue=venue,
        days=days,
        lines=list(lines.values()),
        hours_by_day={day: sum(p.seconds for p in here if p.day == day) for day in days},
        unpublished=sum(p.shift.status == "planned" for p in here),
        open=sum(p.shift.user_id is None for p in here),
    )


def _place(
    line: Line, shift: Shift, *, venue: Venue, days: Sequence[date], rest: timedelta, others: Sequence[Shift]
) -> None:
    day = venue.business_day(shift.starts_at)
    if day not in days:
        return
    seconds = round((shift.ends_at - shift.starts_at).total_seconds())
    line.seconds += seconds
    if VenueId(shift.venue_id) != venue.id:
        line.elsewhere.add(day)
        return
    problems = rest_problems(shift, others, rest=rest)
    if not venue.is_open(shift.starts_at) and not venue.is_open(shift.ends_at - timedelta(seconds=1)):
        problems.append("The venue is closed then")
    line.days.setdefault(day, []).append(Planned(shift=shift, day=day, seconds=seconds, problems=problems))


def rest_problems(shift: Shift, others: Sequence[Shift], *, rest: timedelta) -> list[str]:
    """Whether somebody has too little rest before a shift: since the end of their shift before it, wherever that was."""
    if shift.user_id is None:
        return []
    before = [
        s.ends_at for s in others if s.user_id == shift.user_id and s.id != shift.id and s.ends_at <= shift.starts_at
    ]
    if not before or shift.starts_at - max(before) >= rest:
        return []
    hours = (shift.starts_at - max(before)).total_seconds() / 3600
    return [f"Only {hours:.1f} hours of rest before it".replace(".0 ", " ")]
