"""What may be done with tasks."""

from lastlight.kernel.permissions import Permission, Scope

TASKS_READ = Permission("tasks.read", "See the tasks of a venue", Scope.VENUE)
TASKS_WORK = Permission("tasks.work", "Write down, take, start, finish and comment tasks", Scope.VENUE)
TASKS_MANAGE = Permission(
    "tasks.manage", "Assign, change and cancel tasks, and plan those that come again", Scope.VENUE
)

PERMISSIONS = (TASKS_READ, TASKS_WORK, TASKS_MANAGE)
