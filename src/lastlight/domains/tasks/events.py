"""What happens to tasks. The assignee is named, so that their phone rings; titles are not in it: screens refetch."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from lastlight.domains.tasks.permissions import TASKS_MANAGE, TASKS_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class TaskEvent(Event, frozen=True, kw_only=True):
    """What every event of a task says."""

    audience: ClassVar[Permission | None] = TASKS_READ
    webhook: ClassVar[bool] = True
    task_id: UUID
    venue_id: UUID
    assignee_id: UUID | None
    priority: str
    version: int


class TaskCreated(TaskEvent, frozen=True, kw_only=True):
    """There is something to do."""

    event_name: ClassVar[str] = "task.created"
    source: str


class TaskAssigned(TaskEvent, frozen=True, kw_only=True):
    """A task was given to somebody, who is told by push; or taken from its assignee and given to nobody."""

    event_name: ClassVar[str] = "task.assigned"
    assigned_by: UUID | None


class TaskChanged(TaskEvent, frozen=True, kw_only=True):
    """What is to be done, or until when, was changed."""

    event_name: ClassVar[str] = "task.changed"


class TaskBegun(TaskEvent, frozen=True, kw_only=True):
    """Somebody works on it."""

    event_name: ClassVar[str] = "task.started"


class TaskFinished(TaskEvent, frozen=True, kw_only=True):
    """It is done."""

    event_name: ClassVar[str] = "task.finished"


class TaskCancelled(TaskEvent, frozen=True, kw_only=True):
    """It need not be done."""

    event_name: ClassVar[str] = "task.cancelled"


class TaskReminded(TaskEvent, frozen=True, kw_only=True):
    """Its time to remind came, and it is not done; the assignee is told by push."""

    event_name: ClassVar[str] = "task.reminded"
    due_at: datetime | None


class TaskCommented(TaskEvent, frozen=True, kw_only=True):
    """Somebody said something about it."""

    event_name: ClassVar[str] = "task.commented"
    comment_id: UUID


class RecurrenceChanged(Event, frozen=True, kw_only=True):
    """A repeating task was planned, changed or ended."""

    event_name: ClassVar[str] = "task.recurrence_changed"
    audience: ClassVar[Permission | None] = TASKS_MANAGE
    recurrence_id: UUID
    venue_id: UUID
    ended: bool
    version: int


EVENTS = (
    TaskCreated,
    TaskAssigned,
    TaskChanged,
    TaskBegun,
    TaskFinished,
    TaskCancelled,
    TaskReminded,
    TaskCommented,
    RecurrenceChanged,
)
