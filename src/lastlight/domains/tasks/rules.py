"""What a task must be: a title, times that somebody can mean, and somebody who works there."""

from datetime import datetime, timedelta
from uuid import UUID

from lastlight.domains.identity import require_colleague
from lastlight.domains.tasks.errors import TaskEnded
from lastlight.domains.tasks.model import Task
from lastlight.domains.tasks.permissions import TASKS_MANAGE
from lastlight.kernel.errors import Invalid, NotPermitted
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx

FARTHEST = timedelta(days=36_525)
"""Beyond a hundred years there are days that have no local time everywhere."""


async def require_assignable(ctx: Ctx, *, venue_id: UUID, assignee_id: UserId) -> None:
    """Refuse to give a task to another without the right to, or to somebody who does not work at the venue."""
    if assignee_id != ctx.actor.user_id and not ctx.allows(TASKS_MANAGE, venue_id):
        raise NotPermitted(
            "Only who manages tasks gives them to others. Take it yourself, or leave it to whoever takes it."
        )
    await require_colleague(ctx, user_id=assignee_id, venue_id=venue_id, field="assignee_id")


def myself(ctx: Ctx) -> UserId:
    """Who acts; nobody else may."""
    if ctx.actor.user_id is None:
        raise NotPermitted
    return ctx.actor.user_id


def require_standing(task: Task) -> None:
    """Refuse to change what has ended."""
    if task.is_ended:
        raise TaskEnded


def require_title(title: str) -> None:
    """Refuse a title without a letter."""
    if not title.strip():
        raise Invalid(fields={"title": "Say what is to be done."})


def require_times(now: datetime, **times: datetime | None) -> None:
    """Refuse times without an offset, and those that nobody can mean."""
    found: dict[str, str] = {}
    for name, time in times.items():
        if time is None:
            continue
        if time.tzinfo is None:
            found[name] = "Give the time with its offset, such as 2026-11-21T22:00:00+02:00."
        elif abs(time - now) > FARTHEST:
            found[name] = "Give a time within a hundred years from now."
    if found:
        raise Invalid(fields=found)
