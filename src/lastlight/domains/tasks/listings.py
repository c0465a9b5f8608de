"""The lists of tasks: a venue's, one's own, and those that come again."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.tasks.permissions import TASKS_MANAGE, TASKS_READ, TASKS_WORK
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.http.columns import AT_VENUE, ID, VENUE, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing

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
    ID,
    Column("title", "Task", sort=True),
    Column(
        "priority",
        "Priority",
        kind="enum",
        choices=PRIORITIES,
        sort=True,
        sort_sql="array_position(array['low', 'normal', 'high', 'urgent'], t.priority)::text",
    ),
    Column("status", "Status", kind="enum", choices=STATUSES, sort=True),
    Column("assignee", "For", sql="coalesce(u.name, '')", sort=True),
    ref("assignee_id", "Assignee id"),
    *VENUE,
    Column("source", "From", shown=False),
    Column("due_at", "Due", kind="time", sort=True, sort_sql="coalesce(t.due_at, 'infinity'::timestamptz)"),
    Column(
        "overdue", "Overdue", sql="(t.status in ('open', 'started') and coalesce(t.due_at < now(), false))", kind="bool"
    ),
    Column("assigned_at", "Assigned", kind="time", shown=False),
    Column("started_at", "Started", kind="time", shown=False),
    Column("ended_at", "Ended", kind="time", shown=False),
    Column("created_at", "Created", kind="time", sort=True),
    VERSION,
)
FILTERS = (
    AT_VENUE,
    Filter("status"),
    Filter("priority"),
    Filter("assignee_id", "For"),
    Filter("free", "Nobody's", sql="(t.assignee_id is null)", kind="bool"),
    Filter("due_at"),
    Filter("created_at"),
)

TASKS = Listing(
    name="tasks",
    label="Tasks",
    row=TaskRow,
    permission=TASKS_READ,
    source=SOURCE,
    of="t",
    venue="t.venue_id",
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
    of="t",
    venue="t.venue_id",
    own_user="t.assignee_id",
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
    of="r",
    venue="r.venue_id",
    columns=(
        ID,
        Column("title", "Task", sort=True),
        Column("every", "Comes", kind="enum", choices=RHYTHMS),
        Column("priority", "Priority", kind="enum", choices=PRIORITIES),
        Column("assignee", "For", sql="coalesce(u.name, '')", sort=True),
        *VENUE,
        Column("next_due_at", "Next due", kind="time", sort=True),
        Column("ended_at", "Ended", kind="time", shown=False),
        VERSION,
    ),
    filters=(
        AT_VENUE,
        Filter("every"),
        Filter("ended", "Ended", sql="(r.ended_at is not null)", kind="bool"),
    ),
    search=("r.title",),
    sort="next_due_at",
)
LISTINGS = (TASKS, OWN_TASKS, RECURRENCES)
