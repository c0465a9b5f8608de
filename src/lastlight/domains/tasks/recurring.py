"""Repeating tasks: planned, changed and ended by who manages tasks, and made in time by a job."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from lastlight.domains.identity import require_colleague, works_at
from lastlight.domains.tasks.actions import create_task
from lastlight.domains.tasks.errors import RecurrenceEnded
from lastlight.domains.tasks.events import RecurrenceChanged
from lastlight.domains.tasks.model import Rhythm, rhythm_problems
from lastlight.domains.tasks.permissions import TASKS_MANAGE
from lastlight.domains.tasks.queries import find_recurrence
from lastlight.domains.tasks.schemas import Recurrence, RecurrenceChange, RecurrenceIn
from lastlight.domains.venues import Venue, find_venue, standing_venues
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Ctx

MISSED = timedelta(hours=12)
"""A task that was due longer ago than this, because no worker ran, is not made any more."""

INSERT = """
insert into task_recurrences (tenant_id, id, venue_id, title, details, priority, assignee_id, every, weekdays, month_day, due_minute,
                              lead_minutes, remind_minutes, next_due_at, created_by)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
UPDATE = """
update task_recurrences
set title = $3, details = $4, priority = $5, assignee_id = $6, every = $7, weekdays = $8, month_day = $9, due_minute = $10,
    lead_minutes = $11, remind_minutes = $12, next_due_at = $13
where tenant_id = $1 and id = $2
"""
LOCK = "select 1 from task_recurrences where tenant_id = $1 and id = $2 for update"
END = "update task_recurrences set ended_at = now() where tenant_id = $1 and id = $2"
ADVANCE = "update task_recurrences set next_due_at = $3 where tenant_id = $1 and id = $2"
DUE = """
select id from task_recurrences
where tenant_id = $1 and ended_at is null and next_due_at - lead_minutes * interval '1 minute' <= now()
order by next_due_at, id
limit $2
for update skip locked
"""
MADE = "select exists (select from tasks where tenant_id = $1 and recurrence_id = $2 and due_at = $3)"
DECIDED = tuple(field.name for field in msgspec.structs.fields(RecurrenceChange))


async def plan_recurrence(ctx: Ctx, *, data: RecurrenceIn) -> Recurrence:
    """Plan a task that comes again; its first is the next one due."""
    venue = await find_venue(ctx, venue_id=data.venue_id, permission=TASKS_MANAGE)
    if venue.status == "archived":
        raise Invalid(fields={"venue_id": "This venue is archived; choose another."})
    _require_valid(data)
    if data.assignee_id is not None:
        await require_colleague(ctx, user_id=data.assignee_id, venue_id=venue.id, field="assignee_id")
    recurrence_id = uuid7()
    first = _rhythm(data).next_due(ctx.now, venue.zone)
    await ctx.db.execute(INSERT, ctx.tenant_id, recurrence_id, data.venue_id, *_columns(data), first, ctx.actor.user_id)
    return await _told(ctx, recurrence_id, before=None)


async def change_recurrence(ctx: Ctx, *, recurrence_id: UUID, data: RecurrenceChange, version: int) -> Recurrence:
    """Change what comes again or when; tasks that are there already stay as they are."""
    before = await _lock(ctx, recurrence_id)
    if before.version != version:
        raise Stale
    if before.ended_at is not None:
        raise RecurrenceEnded
    given = {name: value for name in DECIDED if (value := getattr(data, name)) is not UNSET}
    wanted = msgspec.structs.replace(before, **given)
    _require_valid(wanted)
    if wanted.assignee_id is not None and wanted.assignee_id != before.assignee_id:
        await require_colleague(ctx, user_id=wanted.assignee_id, venue_id=before.venue_id, field="assignee_id")
    due = before.next_due_at
    if _rhythm(wanted) != _rhythm(before):
        venue = await find_venue(ctx, venue_id=before.venue_id, permission=TASKS_MANAGE)
        due = _rhythm(wanted).next_due(ctx.now, venue.zone)
    await ctx.db.execute(UPDATE, ctx.tenant_id, recurrence_id, *_columns(wanted), due)
    return await _told(ctx, recurrence_id, before=before)


async def end_recurrence(ctx: Ctx, *, recurrence_id: UUID) -> None:
    """It comes no more; the tasks that it made stay."""
    before = await _lock(ctx, recurrence_id)
    if before.ended_at is not None:
        return
    await ctx.db.execute(END, ctx.tenant_id, recurrence_id)
    await _told(ctx, recurrence_id, before=before)


async def make_due_tasks(ctx: Ctx, *, limit: int) -> int:
    """Make the tenant's recurring tasks whose time has come; how many there were."""
    venues = {venue.id: venue for venue in await standing_venues(ctx, permission=None)}
    made = 0
    for row in await ctx.db.fetch(DUE, ctx.tenant_id, limit):
        plan = await find_recurrence(ctx, recurrence_id=row["id"], permission=TASKS_MANAGE)
        venue = venues.get(plan.venue_id)
        if venue is None:  # archived since
            await ctx.db.execute(END, ctx.tenant_id, plan.id)
            await _told(ctx, plan.id, before=plan)
            continue
        # one whose rhythm was changed there and back is due once more for a time that has its task
        there = await ctx.db.fetchval(MADE, ctx.tenant_id, plan.id, plan.next_due_at)
        if not there and ctx.now - plan.next_due_at <= MISSED:
            await _make(ctx, plan)
            made += 1
        await ctx.db.execute(ADVANCE, ctx.tenant_id, plan.id, _following(plan, venue, ctx.now))
    return made


async def _make(ctx: Ctx, plan: Recurrence) -> None:
    due = plan.next_due_at
    assignee = plan.assignee_id
    if assignee is not None and not await works_at(ctx, user_id=assignee, venue_id=plan.venue_id):
        assignee = None
    await create_task(
        ctx,
        venue_id=plan.venue_id,
        title=plan.title,
        details=plan.details,
        priority=plan.priority,
        assignee_id=assignee,
        due_at=due,
        remind_at=None if plan.remind_minutes is None else due - timedelta(minutes=plan.remind_minutes),
        source="recurrence",
        recurrence_id=plan.id,
    )


def _following(plan: Recurrence, venue: Venue, now: datetime) -> datetime:
    return _rhythm(plan).next_due(max(plan.next_due_at, now - MISSED), venue.zone)


async def _lock(ctx: Ctx, recurrence_id: UUID) -> Recurrence:
    ctx.require(TASKS_MANAGE)
    if not await ctx.db.fetchval(LOCK, ctx.tenant_id, recurrence_id):
        raise NotFound
    return await find_recurrence(ctx, recurrence_id=recurrence_id, permission=TASKS_MANAGE)


async def _told(ctx: Ctx, recurrence_id: UUID, *, before: Recurrence | None) -> Recurrence:
    after = await find_recurrence(ctx, recurrence_id=recurrence_id, permission=TASKS_MANAGE)
    ended = after.ended_at is not None
    ctx.emit(
        RecurrenceChanged(recurrence_id=after.id, venue_id=after.venue_id, ended=ended, version=after.version),
        entity=("task_recurrence", after.id),
        venue_id=after.venue_id,
        before=None if before is None else _facts(before),
        after=_facts(after),
    )
    return after


def _facts(plan: Recurrence) -> dict[str, Any]:
    return {name: msgspec.to_builtins(getattr(plan, name)) for name in (*DECIDED, "ended_at")}


def _rhythm(plan: RecurrenceIn | Recurrence) -> Rhythm:
    days = tuple(sorted(set(plan.weekdays)))
    return Rhythm(every=plan.every, weekdays=days, month_day=plan.month_day, due_minute=plan.due_minute)


def _require_valid(plan: RecurrenceIn | Recurrence) -> None:
    found = rhythm_problems(_rhythm(plan))
    if not plan.title.strip():
        found["title"] = "Say what is to be done."
    if found:
        raise Invalid(fields=found)


def _columns(plan: RecurrenceIn | Recurrence) -> tuple[Any, ...]:
    return (
        plan.title.strip(),
        plan.details.strip(),
        plan.priority,
        plan.assignee_id,
        plan.every,
        sorted(set(plan.weekdays)),
        plan.month_day,
        plan.due_minute,
        plan.lead_minutes,
        plan.remind_minutes,
    )
