"""What clients send and get about tasks."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from lastlight.domains.tasks.model import Comment, Every, Priority
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.http import Input

Title = Annotated[str, msgspec.Meta(min_length=1, max_length=160)]
Details = Annotated[str, msgspec.Meta(max_length=4000)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=10_080)]
Weekdays = Annotated[list[Annotated[int, msgspec.Meta(ge=1, le=7)]], msgspec.Meta(max_length=7)]
Note = Annotated[str, msgspec.Meta(max_length=1000)]


class TaskIn(Input, frozen=True, kw_only=True):
    """Something to do."""

    venue_id: VenueId
    title: Title
    details: Details = ""
    priority: Priority = "normal"
    assignee_id: UserId | None = None
    """Nobody: whoever takes it."""
    due_at: datetime | None = None
    remind_at: datetime | None = None


class TaskChange(Input, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    title: Title | UnsetType = UNSET
    details: Details | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    due_at: datetime | UnsetType | None = UNSET
    remind_at: datetime | UnsetType | None = UNSET


class AssignmentIn(Input, frozen=True, kw_only=True):
    """Who is to do it; null: nobody in particular."""

    assignee_id: UserId | None


class FinishIn(Input, frozen=True, kw_only=True):
    """What came of it."""

    outcome: Note = ""


class CancelTaskIn(Input, frozen=True, kw_only=True):
    """Why it need not be done."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class CommentIn(Input, frozen=True, kw_only=True):
    """Something to say about a task."""

    body: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class CommentsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What was said, oldest first."""

    items: list[Comment]


class RecurrenceIn(Input, frozen=True, kw_only=True):
    """A repeating task."""

    venue_id: VenueId
    title: Title
    details: Details = ""
    priority: Priority = "normal"
    assignee_id: UserId | None = None
    every: Every
    weekdays: Weekdays = msgspec.field(default_factory=list[int])
    """ISO days, 1 is Monday; for what comes each week."""
    month_day: Annotated[int, msgspec.Meta(ge=1, le=31)] | None = None
    due_minute: Annotated[int, msgspec.Meta(ge=0, le=1439)]
    """The minute of the day, on the venue's clock, at which it is due."""
    lead_minutes: Minutes = 60
    """How long before that the task appears."""
    remind_minutes: Minutes | None = None
    """How long before that its assignee is reminded."""


class RecurrenceChange(Input, frozen=True, kw_only=True):
    """What is to be different; what is left out stays."""

    title: Title | UnsetType = UNSET
    details: Details | UnsetType = UNSET
    priority: Priority | UnsetType = UNSET
    assignee_id: UserId | UnsetType | None = UNSET
    every: Every | UnsetType = UNSET
    weekdays: Weekdays | UnsetType = UNSET
    month_day: Annotated[int, msgspec.Meta(ge=1, le=31)] | UnsetType | None = UNSET
    due_minute: Annotated[int, msgspec.Meta(ge=0, le=1439)] | UnsetType = UNSET
    lead_minutes: Minutes | UnsetType = UNSET
    remind_minutes: Minutes | UnsetType | None = UNSET


class Recurrence(msgspec.Struct, frozen=True, kw_only=True):
    """A repeating task, as it is kept."""

    id: UUID
    venue_id: VenueId
    venue: str
    title: str
    details: str
    priority: Priority
    assignee_id: UserId | None
    assignee: str
    every: Every
    weekdays: list[int]
    month_day: int | None
    due_minute: int
    lead_minutes: int
    remind_minutes: int | None
    next_due_at: datetime
    ended_at: datetime | None
    version: int
