"""Performance: what people did over some days, from tasks, attendance and their answers to what happened on the floor."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from lastlight.domains import safety, staff
from lastlight.domains.staff import STAFF_PERFORMANCE, Performance
from lastlight.domains.venues import chosen_venue, standing_venues
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input, RequestInfo, View, page

USUAL_DAYS = 28
MOST_BARS = 14


class SpanQuery(Input, frozen=True, kw_only=True):
    """Business days, both included."""

    first: date | None = None
    last: date | None = None


@page("/manage/team/performance", permission=STAFF_PERFORMANCE, toggle="staff")
async def performance_page(ctx: Ctx, query: SpanQuery, request: RequestInfo) -> View:
    """Show everybody's tasks, response times and attendance over some days."""
    venues = await standing_venues(ctx, permission=STAFF_PERFORMANCE)
    picked = next((venue.id for venue in venues if venue.id == chosen_venue(request)), None)
    today = max((venue.business_day(ctx.now) for venue in venues), default=ctx.now.date())
    last = query.last or today
    first = query.first or last - timedelta(days=USUAL_DAYS - 1)
    found = await staff.performance(ctx, query=staff.DaysQuery(first=first, last=last, venue_id=picked))
    answers = await _answers(ctx, first, last, picked)
    context: dict[str, Any] = {
        "people": found.items,
        "answers": answers,
        "first": first,
        "last": last,
        "today": today,
        "spans": [("Last 7 days", today - timedelta(days=6)), ("Last 28 days", today - timedelta(days=27))],
        "sums": _sums(found.items),
        "charts": _charts(found.items),
        "hidden": max(0, len(found.items) - MOST_BARS),
    }
    return View("management/performance.html", context)


async def _answers(ctx: Ctx, first: date, last: date, venue_id: UUID | None) -> dict[UUID, safety.ResponseFigures]:
    """How fast people answered SOS calls and alerts, for a reader who may see safety."""
    if not ctx.allows(safety.SAFETY_READ):
        return {}
    only = None if venue_id is None else [venue_id]
    figures = await safety.response_figures(ctx, first=first, last=last, venue_ids=only)
    return {one.user_id: one for one in figures}


def _sums(people: Sequence[Performance]) -> dict[str, Any]:
    planned, attended = sum(one.shifts_planned for one in people), sum(one.shifts_attended for one in people)
    given, done = sum(one.tasks_given for one in people), sum(one.tasks_done for one in people)
    return {
        "planned": planned,
        "attended": attended,
        "attendance": attended / planned if planned else None,
        "late": sum(one.shifts_late for one in people),
        "missed": sum(one.shifts_missed for one in people),
        "given": given,
        "done": done,
        "done_share": done / given if given else None,
        "tasks_late": sum(one.tasks_late for one in people),
        "worked": sum(one.worked_seconds for one in people),
    }


def _charts(people: Sequence[Performance]) -> list[tuple[str, str, dict[str, Any]]]:
    """Tasks and attendance by person, those who did most first; nothing where there is nothing to show."""
    charts: list[tuple[str, str, dict[str, Any]]] = []
    by_tasks = sorted((one for one in people if one.tasks_given), key=lambda one: -one.tasks_done)[:MOST_BARS]
    if by_tasks:
        series = [
            ("Done", [one.tasks_done for one in by_tasks], "ok"),
            ("Not done", [one.tasks_given - one.tasks_done for one in by_tasks], "muted"),
        ]
        summary = f"Tasks of {len(by_tasks)} people: how many were done, and how many not."
        charts.append(("tasks-chart", "Tasks", _bars(by_tasks, series, summary)))
    by_shifts = sorted((one for one in people if one.shifts_planned), key=lambda one: -one.shifts_attended)[:MOST_BARS]
    if by_shifts:
        series = [
            ("In time", [one.shifts_attended - one.shifts_late for one in by_shifts], "ok"),
            ("Late", [one.shifts_late for one in by_shifts], "warn"),
            ("Missed", [one.shifts_missed for one in by_shifts], "danger"),
        ]
        summary = f"Shifts of {len(by_shifts)} people: in time, late and missed."
        charts.append(("shifts-chart", "Shifts", _bars(by_shifts, series, summary)))
    return charts


def _bars(people: Sequence[Performance], series: Sequence[tuple[str, list[int], str]], summary: str) -> dict[str, Any]:
    return {
        "kind": "stacked",
        "labels": [one.person for one in people],
        "series": [{"name": name, "values": values, "style": style} for name, values, style in series],
        "unit": "count",
        "summary": summary,
    }
