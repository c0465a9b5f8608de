"""What tasks bring to the platform."""

from lastlight.domains.tasks.api import ROUTES
from lastlight.domains.tasks.errors import ERRORS, TaskThere
from lastlight.domains.tasks.events import EVENTS
from lastlight.domains.tasks.jobs import make_recurring_tasks, remind_of_tasks
from lastlight.domains.tasks.listings import LISTINGS
from lastlight.domains.tasks.permissions import PERMISSIONS
from lastlight.runtime.module import Module

MODULE = Module(
    name="tasks",
    summary="What is to be done at a venue: given, taken, started, finished, and come again.",
    toggle="staff",
    routes=ROUTES,
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={"tasks_source_once": TaskThere, "tasks_occurrence_once": TaskThere},
    jobs=(remind_of_tasks, make_recurring_tasks),
    listings=LISTINGS,
)
