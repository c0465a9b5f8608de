"""What tasks bring to the platform."""

from lastlight.domains.tasks.api import ROUTES
from lastlight.domains.tasks.errors import ERRORS, TaskThere
from lastlight.domains.tasks.events import EVENTS, TaskAssigned, TaskReminded
from lastlight.domains.tasks.jobs import make_recurring_tasks, remind_of_tasks
from lastlight.domains.tasks.listings import LISTINGS
from lastlight.domains.tasks.notices import PUSH_JOBS, TASKS, push_assigned, push_reminded
from lastlight.domains.tasks.pages import COUNT_EVENTS, PAGES, count_own, count_waiting
from lastlight.domains.tasks.permissions import PERMISSIONS, TASKS_READ, TASKS_WORK
from lastlight.domains.tasks.recurring_pages import RECURRENCE_PAGES
from lastlight.runtime.module import Module, Nav, Reaction

MODULE = Module(
    name="tasks",
    summary="What is to be done at a venue: given, taken, started, finished, and come again.",
    toggle="staff",
    routes=ROUTES,
    pages=(*PAGES, *RECURRENCE_PAGES),
    permissions=PERMISSIONS,
    events=EVENTS,
    errors=ERRORS,
    constraints={"tasks_source_once": TaskThere, "tasks_occurrence_once": TaskThere},
    jobs=(remind_of_tasks, make_recurring_tasks, *PUSH_JOBS),
    reactions=(Reaction(TaskAssigned, push_assigned), Reaction(TaskReminded, push_reminded)),
    notices=(TASKS,),
    listings=LISTINGS,
    nav=(
        Nav(
            app="staff",
            label="Tasks",
            href="/staff/tasks",
            icon="list-checks",
            permission=TASKS_WORK,
            order=14,
            count=count_own,
            count_events=COUNT_EVENTS,
        ),
        Nav(
            app="management",
            label="Tasks",
            href="/manage/tasks",
            icon="list-checks",
            permission=TASKS_READ,
            group="Team",
            order=40,
            count=count_waiting,
            count_events=COUNT_EVENTS,
        ),
    ),
)
