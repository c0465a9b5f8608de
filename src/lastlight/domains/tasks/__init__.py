"""Tasks: what somebody is to do at a venue.

A task is open, started, done or cancelled. Whoever works at the venue takes a free one; a manager gives it to somebody, who is told by
push (`task.assigned`, `task.reminded`). Other domains write tasks by `create_task`: a thing of theirs has one open task at a time, which
`settle_task` ends when the thing is over.
A repeating task makes its next task some time before it is due. This is all that other domains may use.
"""

from lastlight.domains.tasks.actions import create_task
from lastlight.domains.tasks.board import Board, Card, read_board
from lastlight.domains.tasks.events import TaskAssigned, TaskFinished, TaskReminded
from lastlight.domains.tasks.model import Priority, Task
from lastlight.domains.tasks.permissions import TASKS_MANAGE, TASKS_READ, TASKS_WORK
from lastlight.domains.tasks.queries import count_mine, count_open, find_task
from lastlight.domains.tasks.seeding import seed_tasks
from lastlight.domains.tasks.sources import had_task, hasten_task, settle_task

__all__ = [
    "TASKS_MANAGE",
    "TASKS_READ",
    "TASKS_WORK",
    "Board",
    "Card",
    "Priority",
    "Task",
    "TaskAssigned",
    "TaskFinished",
    "TaskReminded",
    "count_mine",
    "count_open",
    "create_task",
    "find_task",
    "had_task",
    "hasten_task",
    "read_board",
    "seed_tasks",
    "settle_task",
]
