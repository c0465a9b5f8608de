"""The lists of tasks: a venue's, one's own, and those that come again."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.tasks.permissions import TASKS_MANAGE, TASKS_READ, TASKS_WORK
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.http.listing import Column, Filter, Listing

STATUSES = (("open", "To do"), ("started", "In progress"), ("done", "Done"), ("cancelled", "Cancelled"))
PRIORITIES = (("low", "Low"), ("normal", "Normal"), ("high", "High"), ("urgent", "Urgent"))
RHYTHMS = (("day", "Every day"), ("week", "Every week"), ("month", "Every month"))


class TaskRow(msgspec.Struct, frozen=True, kw_only=True):
    """A task in a list."""

    id: UUID
    venue_id: VenueId
    venue: str
    title: str
    priority: str
    status: str
    assignee_id: UserId | None
    assignee: str
    source: str
    due_at: datetime | None
    overdue: bool
    assigned_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    created_at: datetime
    version: int


class RecurrenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A repeating task, in a list."""

    id: UUID
    venue_id: VenueId
    venue: str
    title: str
    priority: str
    assignee: str
    every: str
    next_due_at: datetime
    ended_at: datetime | None
    version: int


SOURCE = """tasks t
join venues w on w.tenant_id = t.tenant_id and w.id = t.venue_id
left join users u on u.id = t.assignee_id"""
COLUMNS = (
    Column(name="id", sql="t.id", label="Id", kind="uuid", shown=False),
    Column(name="title", sql="t.title", label="Task", sort=True),
    Column(
        name="priority",
        sql="t.priority",
        label="Priority",
        kind="enum",
        choices=PRIORITIES,
        sort=True,
        sort_sql="array_position(array['low', 'normal', 'high', 'urgent'], t.priority)",
    ),
    Column(name="status", sql="t.status", label="Status", kind="enum", choices=STATUSES, sort=True),
    Column(name="assignee", sql="coalesce(u.name, '')", label="For", sort=True),
    Column(name="assignee_id", sql="t.assignee_id", label="Assignee id", kind="uuid", shown=False),
    Column(name="venue", sql="w.name", label="Venue", sort=True),
    Column(name="venue_id", sql="t.venue_id", label="Venue id", kind="uuid", shown=False),
    Column(name="source", sql="t.source", label="From", shown=False),
    Column(
        name="due_at",
        sql="t.due_at",
        label="Due",
        kind="time",
        sort=True,
        sort_sql="coalesce(t.due_at, 'infinity'::timestamptz)",
    ),
    Column(
        name="overdue",
        sql="(t.status in ('open', 'started') and coalesce(t.due_at < now(), false))",
        label="Overdue",
        kind="bool",
    ),
    Column(name="assigned_at", sql="t.assigned_at", label="Assigned", kind="time", shown=False),
    Column(name="started_at", sql="t.started_at", label="Started", kind="time", shown=False),
    Column(name="ended_at", sql="t.ended_at", label="Ended", kind="time", shown=False),
    Column(name="created_at", sql="t.created_at", label="Created", kind="time", sort=True),
    Column(name="version", sql="t.version", label="Version", kind="number", shown=False),
)
FILTERS = (
    Filter(name="venue_id", sql="t.venue_id", label="Venue", kind="uuid"),
    Filter(name="status", sql="t.status", label="Status", kind="enum", choices=STATUSES),
    Filter(name="priority", sql="t.priority", label="Priority", kind="enum", choices=PRIORITIES),
    Filter(name="assignee_id", sql="t.assignee_id", label="For", kind="uuid"),
    Filter(name="free", sql="(t.assignee_id is null)", label="Nobody's", kind="bool"),
    Filter(name="due_at", sql="t.due_at", label="Due", kind="time"),
    Filter(name="created_at", sql="t.created_at", label="Created", kind="time"),
)

TASKS = Listing(
    name="tasks",
    label="Tasks",
    row=TaskRow,
    permission=TASKS_READ,
    source=SOURCE,
    tenant="t.tenant_id",
    venue="t.venue_id",
    key="t.id",
    columns=COLUMNS,
    filters=FILTERS,
    search=("t.title", "t.details"),
    sort="-created_at",
)
OWN_TASKS = Listing(
    name="own_tasks",
    label="My tasks",
    row=TaskRow,
    permission=TASKS_WORK,
    source=SOURCE,
    tenant="t.tenant_id",
    venue="t.venue_id",
    own_user="t.assignee_id",
    key="t.id",
    columns=COLUMNS,
    filters=FILTERS,
    search=("t.title", "t.details"),
    sort="-created_at",
)
RECURRENCES = Listing(
    name="task_recurrences",
    label="Repeating tasks",
    row=RecurrenceRow,
    permission=TASKS_MANAGE,
    source="""task_recurrences r
join venues w on w.tenant_id = r.tenant_id and w.id = r.venue_id
left join users u on u.id = r.assignee_id""",
    tenant="r.tenant_id",
    venue="r.venue_id",
    key="r.id",
    columns=(
        Column(name="id", sql="r.id", label="Id", kind="uuid", shown=False),
        Column(name="title", sql="r.title", label="Task", sort=True),
        Column(name="every", sql="r.every", label="Comes", kind="enum", choices=RHYTHMS),
        Column(name="priority", sql="r.priority", label="Priority", kind="enum", choices=PRIORITIES),
        Column(name="assignee", sql="coalesce(u.name, '')", label="For", sort=True),
        Column(name="venue", sql="w.name", label="Venue", sort=True),
        Column(name="venue_id", sql="r.venue_id", label="Venue id", kind="uuid", shown=False),
        Column(name="next_due_at", sql="r.next_due_at", label="Next due", kind="time", sort=True),
        Column(name="ended_at", sql="r.ended_at", label="Ended", kind="time", shown=False),
        Column(name="version", sql="r.version", label="Version", kind="number", shown=False),
    ),
    filters=(
        Filter(name="venue_id", sql="r.venue_id", label="Venue", kind="uuid"),
        Filter(name="every", sql="r.every", label="Comes", kind="enum", choices=RHYTHMS),
        Filter(name="ended", sql="(r.ended_at is not null)", label="Ended", kind="bool"),
    ),
    search=("r.title",),
    sort="next_due_at",
)
LISTINGS = (TASKS, OWN_TASKS, RECURRENCES)
