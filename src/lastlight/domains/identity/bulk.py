"""Many at once: guests suspended, banned or let back in, and people at work suspended or let back in, with one reason.

One who is not there is NotFound, and nothing is done. One whom it cannot concern is left as they are and named, with why.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.identity.errors import GrantsTooMuch, LastOwner, NothingImposed
from lastlight.domains.identity.guests_admin import change_patron_standing
from lastlight.domains.identity.members import change_member
from lastlight.domains.identity.permissions import MEMBERS_READ
from lastlight.domains.identity.sanctions import check_end, plain_reason
from lastlight.domains.identity.schemas import MemberChangeIn
from lastlight.domains.identity.standing_schemas import Reason, StandingIn
from lastlight.kernel.errors import NotFound, NotPermitted, Problem
from lastlight.kernel.ids import MembershipId, PatronId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input

MOST = 200
GUESTS = "select id, name, status, version from patrons where tenant_id = $1 and id = any($2) order by id"
MEMBERS = """
select m.id, u.name, m.status, m.version, m.user_id
from memberships m join users u on u.id = m.user_id
where m.tenant_id = $1 and m.id = any($2) and m.status <> 'ended' and ($3::uuid[] is null or m.venue_ids is null or m.venue_ids && $3)
order by m.id
"""
HOLD_GUESTS, HOLD_MEMBERS = f"{GUESTS} for update", f"{MEMBERS} for update of m"


class StandingsIn(StandingIn, frozen=True, kw_only=True):
    """Guests, and what their standing becomes."""

    patron_ids: Annotated[list[PatronId], msgspec.Meta(min_length=1, max_length=MOST)]


class MemberStandingsIn(Input, frozen=True, kw_only=True):
    """People at work, and whether they are suspended."""

    member_ids: Annotated[list[MembershipId], msgspec.Meta(min_length=1, max_length=MOST)]
    status: Literal["active", "suspended"]
    reason: Reason


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who was left as they are, and why."""

    id: UUID
    name: str
    why: str


class StandingsOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whom it concerned, and who was left as they are."""

    changed: list[UUID]
    left: list[LeftOut]


async def chosen_guests(ctx: Ctx, *, patron_ids: Sequence[UUID], hold: bool = False) -> list[Any]:
    """The guests, held in one order, so that two such requests cannot lock each other; NotFound when one is not there."""
    found = await ctx.db.fetch(HOLD_GUESTS if hold else GUESTS, ctx.tenant_id, list(set(patron_ids)))
    return _all(found, patron_ids)


async def chosen_members(ctx: Ctx, *, member_ids: Sequence[UUID], hold: bool = False) -> list[Any]:
    """The people at work whom the reader sees, held in one order; NotFound when one is not there."""
    sql = HOLD_MEMBERS if hold else MEMBERS
    return _all(await ctx.db.fetch(sql, ctx.tenant_id, list(set(member_ids)), ctx.venues(MEMBERS_READ)), member_ids)


async def change_patron_standings(ctx: Ctx, *, data: StandingsIn) -> StandingsOut:
    """Suspend or ban guests, or let them back in. Raises Invalid, NotFound."""
    plain_reason(data.reason)
    check_end(ctx, status=data.status, until=data.until)
    wanted = StandingIn(status=data.status, reason=data.reason, until=data.until)
    changed: list[UUID] = []
    left: list[LeftOut] = []
    for row in await chosen_guests(ctx, patron_ids=data.patron_ids, hold=True):
        try:
            await change_patron_standing(ctx, patron_id=row["id"], data=wanted, version=row["version"])
            changed.append(row["id"])
        except NothingImposed:
            left.append(LeftOut(id=row["id"], name=row["name"], why="Nothing is imposed on them."))
    return StandingsOut(changed=changed, left=left)


async def change_member_standings(ctx: Ctx, *, data: MemberStandingsIn) -> StandingsOut:
    """Suspend people at work, or let them back in, but oneself. Raises Invalid, NotFound."""
    change = MemberChangeIn(status=data.status, reason=plain_reason(data.reason))
    changed: list[UUID] = []
    left: list[LeftOut] = []
    for row in await chosen_members(ctx, member_ids=data.member_ids, hold=True):
        why = _needless(ctx, row, data.status)
        if not why:
            try:
                await change_member(ctx, member_id=row["id"], data=change, version=row["version"])
                changed.append(row["id"])
            except (GrantsTooMuch, LastOwner, NotPermitted) as refused:
                why = _sentence(refused)
        if why:
            left.append(LeftOut(id=row["id"], name=row["name"], why=why))
    return StandingsOut(changed=changed, left=left)


def _all(found: list[Any], wanted: Sequence[UUID]) -> list[Any]:
    if len(found) != len(set(wanted)):
        raise NotFound("One of them is not there any more, or you may not see them. Load the list again.")
    return found


def _needless(ctx: Ctx, row: Any, status: str) -> str:
    if row["status"] == status:
        return "They are suspended already." if status == "suspended" else "They are active already."
    if row["user_id"] == ctx.actor.user_id:
        return "It is you; somebody else must do that."
    return ""


def _sentence(refused: Problem) -> str:
    return f"{refused.title}. {refused.detail}"
