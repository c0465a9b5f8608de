"""A task, and when one that comes again is due. Pure."""

import calendar
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lastlight.domains.venues import moment_of
from lastlight.kernel.ids import UserId, VenueId

Priority = Literal["low", "normal", "high", "urgent"]
TaskStatus = Literal["open", "started", "done", "cancelled"]
Every = Literal["day", "week", "month"]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is to do at a venue."""

    id: UUID
    venue_id: VenueId
    venue: str
    title: str
    details: str
    priority: Priority
    status: TaskStatus
    assignee_id: UserId | None
    assignee: str
    created_by: UserId | None
    source: str
    source_id: UUID | None
    recurrence_id: UUID | None
    due_at: datetime | None
    remind_at: datetime | None
    reminded_at: datetime | None
    assigned_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    outcome: str
    created_at: datetime
    version: int

    @property
    def is_ended(self) -> bool:
        """Whether nothing is to be done any more."""
        return self.status in {"done", "cancelled"}


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said about a task."""

    id: UUID
    task_id: UUID
    author_id: UserId | None
    author: str
    body: str
    created_at: datetime


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """When a task comes again, on the venue's clock: at a minute of each day, of some weekdays, or of a day of the month."""

    every: Every
    weekdays: Sequence[int] = ()
    month_day: int | None = None
    due_minute: int = 0

    def falls_on(self, day: date) -> bool:
        """Whether it comes on a date; a day that a month lacks is its last."""
        if self.every == "week":
            return day.isoweekday() in self.weekdays
        if self.every == "month":
            return day.day == min(self.month_day or 1, calendar.monthrange(day.year, day.month)[1])
        return True

    def next_due(self, after: datetime, zone: ZoneInfo) -> datetime:
        """The first moment (UTC) that lies after a moment."""
        day = after.astimezone(zone).date() - timedelta(days=1)
        while True:
            due = moment_of(day, self.due_minute, zone)
            if due > after and self.falls_on(day):
                return due
            day += timedelta(days=1)


def rhythm_problems(rhythm: Rhythm) -> dict[str, str]:
    """What is wrong with a rhythm, by the path of the field."""
    found: dict[str, str] = {}
    if (rhythm.every == "week") != bool(rhythm.weekdays):
        found["weekdays"] = "Name the weekdays (1 is Monday) of what comes each week, and of nothing else."
    elif any(day not in range(1, 8) for day in rhythm.weekdays):
        found["weekdays"] = "Give weekdays as 1 (Monday) to 7 (Sunday)."
    if (rhythm.every == "month") != (rhythm.month_day is not None):
        found["month_day"] = "Name the day of what comes each month, and of nothing else."
    return found
