"""A guest who is in calls for help: the guest's own side. What it becomes for the staff is made by jobs (help_calls.py)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from lastlight.domains.flags import enabled
from lastlight.domains.safety.errors import HelpNotOffered, HelpOutside, HelpTooOften
from lastlight.domains.safety.events import HelpCalled, HelpSaidMore, HelpWithdrawn
from lastlight.domains.safety.help_model import GUEST_HELP, HelpCall, HelpIn, HelpState
from lastlight.domains.safety.permissions import SAFETY_HELP
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import uuid7
from lastlight.runtime.context import Ctx

LATE = timedelta(hours=1)
"""For so long a call that had no network is heard of a guest who has left since."""
MOST_CALLS = 5
MOST_WITHIN = timedelta(minutes=15)

CALL = """
select h.id, h.venue_id, w.name as venue, h.about, h.place, h.note, h.quiet, h.status, h.helpers, h.escalation, h.pressed_at,
       h.received_at, h.answered_at, h.ended_at
from help_calls h
join venues w on w.tenant_id = $1 and w.id = h.venue_id
where h.tenant_id = $1 and h.patron_id = $2 and h.id = $3
"""
LAST = """
select id from help_calls
where tenant_id = $1 and patron_id = $2 and (ended_at is null or ended_at > now() - interval '1 hour')
order by ended_at is null desc, received_at desc, id desc
limit 1
"""
# One press of a guest at a time: two at once are one call.
TURN = "select pg_advisory_xact_lock(hashtextextended($1::uuid || '/help/' || $2::uuid, 0))"
STANDING = "select id, pressed_at from help_calls where tenant_id = $1 and patron_id = $2 and ended_at is null"
COUNT = """
select count(*) from help_calls where tenant_id = $1 and patron_id = $2 and received_at > now() - $3::interval
"""
WHERE = """
select id, venue_id from visits
where tenant_id = $1 and patron_id = $2 and status <> 'voided' and (closed_at is null or closed_at > $3)
  and opened_at <= $4
order by closed_at is null desc, opened_at desc
limit 1
"""
ADD = """
insert into help_calls (tenant_id, id, venue_id, visit_id, patron_id, user_id, about, place, note, quiet, latitude, longitude, accuracy_m,
                        pressed_at, received_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
"""
SAY_MORE = """
update help_calls
set about = coalesce($4, about), place = case when $5 = '' then place else $5 end, note = case when $6 = '' then note else $6 end,
    latitude = coalesce($7, latitude), longitude = coalesce($8, longitude), accuracy_m = coalesce($9, accuracy_m)
where tenant_id = $1 and patron_id = $2 and id = $3
  and (coalesce($4, about), case when $5 = '' then place else $5 end, case when $6 = '' then note else $6 end,
       coalesce($7, latitude), coalesce($8, longitude))
      is distinct from (about, place, note, latitude, longitude)
"""
LOCK = "select status from help_calls where tenant_id = $1 and patron_id = $2 and id = $3 for update"
WITHDRAW = """
update help_calls set status = 'withdrawn', ended_at = $4 where tenant_id = $1 and patron_id = $2 and id = $3
"""


async def read_help(ctx: Ctx) -> HelpState:
    """Whether a guest may call for help here and now, and the call that stands or ended last within the hour."""
    ctx.require(SAFETY_HELP)
    offered = await enabled(ctx, key=GUEST_HELP.key)
    last = await ctx.db.fetchval(LAST, ctx.tenant_id, ctx.actor.patron_id)
    return HelpState(offered=offered, call=await _read(ctx, last) if last else None)


async def press_help(ctx: Ctx, *, data: HelpIn, help_id: UUID | None = None) -> HelpCall:
    """Call for help, or say more about the call that stands; the same id again is the same call.

    Raises HelpNotOffered, HelpOutside, HelpTooOften, SosIdTaken, Invalid.
    """
    ctx.require(SAFETY_HELP)
    if data.pressed_at is not None and data.pressed_at.tzinfo is None:
        raise Invalid(fields={"pressed_at": "Give the time with its offset."})
    await ctx.db.execute(TURN, ctx.tenant_id, ctx.actor.patron_id)
    if help_id is not None and (known := await ctx.db.row(HelpCall, CALL, *_key(ctx, help_id))):
        return known
    standing = await ctx.db.fetchrow(STANDING, ctx.tenant_id, ctx.actor.patron_id)
    if standing is not None:
        return await _say_more(ctx, standing["id"], data)
    if not await enabled(ctx, key=GUEST_HELP.key):
        raise HelpNotOffered
    if await ctx.db.fetchval(COUNT, ctx.tenant_id, ctx.actor.patron_id, MOST_WITHIN) >= MOST_CALLS:
        raise HelpTooOften
    return await _call(ctx, data, help_id or uuid7())


async def withdraw_help(ctx: Ctx, *, help_id: UUID) -> HelpCall:
    """Say that one needs no help any more; a second time changes nothing. Staff look in before they end it."""
    ctx.require(SAFETY_HELP)
    row = await ctx.db.fetchrow(LOCK, *_key(ctx, help_id))
    if row is None:
        raise NotFound
    if row["status"] in ("over", "withdrawn"):
        return await _read(ctx, help_id)
    await ctx.db.execute(WITHDRAW, *_key(ctx, help_id), ctx.now)
    call = await _read(ctx, help_id)
    _tell(ctx, HelpWithdrawn(help_id=call.id, venue_id=call.venue_id), call)
    return call


async def _call(ctx: Ctx, data: HelpIn, help_id: UUID) -> HelpCall:
    pressed_at = min(data.pressed_at or ctx.now, ctx.now)
    visit = await _visit(ctx, pressed_at)
    where = data.position
    position = (where.lat, where.lon, where.accuracy_m) if where else (None, None, None)
    said = (data.about, data.place.strip(), data.note.strip(), data.quiet, *position)
    whose = (visit["venue_id"], visit["id"], ctx.actor.patron_id, ctx.actor.user_id)
    await ctx.db.execute(ADD, ctx.tenant_id, help_id, *whose, *said, pressed_at, ctx.now)
    call = await _read(ctx, help_id)
    _tell(ctx, HelpCalled(help_id=call.id, venue_id=call.venue_id), call)
    return call


async def _visit(ctx: Ctx, pressed_at: datetime) -> Any:
    """The visit of a guest who is in, or was when they pressed, not long ago."""
    since = max(pressed_at, ctx.now - LATE)
    visit = await ctx.db.fetchrow(WHERE, ctx.tenant_id, ctx.actor.patron_id, since, ctx.now)
    if visit is None:
        raise HelpOutside
    return visit


async def _say_more(ctx: Ctx, help_id: UUID, data: HelpIn) -> HelpCall:
    where = data.position
    position = (where.lat, where.lon, where.accuracy_m) if where else (None, None, None)
    said = (data.about, data.place.strip(), data.note.strip(), *position)
    changed = await ctx.db.execute(SAY_MORE, *_key(ctx, help_id), *said)
    call = await _read(ctx, help_id)
    if changed:
        _tell(ctx, HelpSaidMore(help_id=call.id, venue_id=call.venue_id), call)
    return call


async def _read(ctx: Ctx, help_id: UUID) -> HelpCall:
    return await ctx.db.one(HelpCall, CALL, *_key(ctx, help_id))


def _key(ctx: Ctx, help_id: UUID) -> tuple[Any, ...]:
    return ctx.tenant_id, ctx.actor.patron_id, help_id


def _tell(ctx: Ctx, event: Any, call: HelpCall) -> None:
    ctx.emit(
        event,
        entity=("help_call", call.id),
        venue_id=call.venue_id,
        patron_id=ctx.actor.patron_id,
        after={"status": call.status, "about": call.about, "quiet": call.quiet},
    )
