"""Refusals of this domain."""

from lastlight.kernel.errors import Conflict


class TaskEnded(Conflict):
    """A task that is done or cancelled stays as it is."""

    type = "task-ended"
    title = "This task has ended"
    default_detail = "It is done or cancelled. Write a new task if there is more to do."


class TaskStarted(Conflict):
    """Two people started the same task."""

    type = "task-started"
    title = "This task has been started already"
    default_detail = "Finish it, or ask a manager to give it to somebody else."


class TaskOfAnother(Conflict):
    """Who works on a task is its assignee."""

    type = "task-of-another"
    title = "This task is somebody else's"
    default_detail = "Ask them or a manager to hand it over first."


class RecurrenceEnded(Conflict):
    """A recurrence that was ended makes no more tasks."""

    type = "task-recurrence-ended"
    title = "This task does not come again any more"
    default_detail = "Plan it anew."


class TaskThere(Conflict):
    """One thing has one open task of a kind."""

    type = "task-there"
    title = "There is such a task already"
    default_detail = "Look at the open task, and add a comment there."


ERRORS = (TaskEnded, TaskStarted, TaskOfAnother, RecurrenceEnded, TaskThere)
