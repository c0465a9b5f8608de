"""What the screens of tasks read: one's own and the free ones, and the board of a venue."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from lastlight.domains.tasks.model import Priority, TaskStatus
from lastlight.domains.tasks.permissions import TASKS_READ
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.context import Ctx

RECENT = timedelta(hours=12)
"""How long what has ended still stands on a board."""
MOST = 200
CARDS = """
select t.id, t.venue_id, w.name as venue, t.title, t.priority, t.status, t.assignee_id, coalesce(u.name, '') as assignee, t.source,
       t.due_at, (t.status in ('open', 'started') and coalesce(t.due_at < now(), false)) as overdue, t.started_at, t.ended_at,
       (select count(*) from task_comments c where c.tenant_id = $1 and c.task_id = t.id)::integer as comments
from tasks t
join venues w on w.tenant_id = $1 and w.id = t.venue_id
left join users u on u.id = t.assignee_id
where t.tenant_id = $1 and ($2::uuid[] is null or t.venue_id = any($2))
  and (t.status in ('open', 'started') or t.ended_at > $3)
  and ($4::uuid is null or t.assignee_id = $4 or (t.assignee_id is null and t.status = 'open'))
order by array_position(array['started', 'open', 'done', 'cancelled'], t.status),
         case when t.ended_at is null then array_position(array['urgent', 'high', 'normal', 'low'], t.priority) end,
         t.ended_at desc, coalesce(t.due_at, 'infinity'), t.created_at, t.id
limit $5
"""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A task as a board shows it."""

    id: UUID
    venue_id: VenueId
    venue: str
    title: str
    priority: Priority
    status: TaskStatus
    assignee_id: UserId | None
    assignee: str
    source: str
    due_at: datetime | None
    overdue: bool
    started_at: datetime | None
    ended_at: datetime | None
    comments: int


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """Tasks by where they stand; `full` says that there are more than it shows."""

    free: list[Card]
    open: list[Card]
    started: list[Card]
    ended: list[Card]
    full: bool

    @property
    def overdue(self) -> int:
        """How many are late."""
        return sum(card.overdue for card in (*self.free, *self.open, *self.started))


async def read_board(ctx: Ctx, *, venue_ids: Sequence[UUID] | None = None, mine: bool = False) -> Board:
    """The tasks of the venues that the actor may see, or of some of them; `mine`: one's own and those that are nobody's."""
    seen = ctx.venues(TASKS_READ)
    if venue_ids is not None:
        seen = [VenueId(venue) for venue in venue_ids if seen is None or venue in seen]
    whose = ctx.actor.user_id if mine else None
    cards = await ctx.db.rows(Card, CARDS, ctx.tenant_id, seen, ctx.now - RECENT, whose, MOST)
    return Board(
        free=[card for card in cards if card.status == "open" and card.assignee_id is None],
        open=[card for card in cards if card.status == "open" and card.assignee_id is not None],
        started=[card for card in cards if card.status == "started"],
        ended=[card for card in cards if card.ended_at is not None],
        full=len(cards) == MOST,
    )
