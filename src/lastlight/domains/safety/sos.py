"""SOS: one press, heard at once by everybody who works at the venue, answered, and told again until somebody does."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.safety import log
from lastlight.domains.safety.errors import SosIdTaken, SosOwn, SosResolved
from lastlight.domains.safety.events import SosAcknowledged, SosComing, SosEscalated, SosRaised, SosResolvedEvent
from lastlight.domains.safety.incidents import add_entry, begin_incident
from lastlight.domains.safety.model import HIGHEST_ESCALATION, SEVERITY_OF_SOS, Acknowledgement, SosCall, SosSeverity
from lastlight.domains.safety.permissions import SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import SosIn
from lastlight.domains.safety.thresholds import read_thresholds
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.kernel.ids import PLATFORM, VenueId, uuid7
from lastlight.runtime.context import Ctx

CALL = """
select s.id, s.venue_id, w.name as venue, s.severity, s.place, s.note, s.silent, s.status, s.incident_id, s.pressed_by,
       coalesce(split_part(p.name, ' ', 1), u.name, '') as caller, s.pressed_at, s.received_at, s.acknowledged_at, s.response_seconds, s.resolved_at, s.resolved_by, s.escalation, s.escalates_at, s.version,
       h.patron_id, h.visit_id, h.about, case when h.status = 'withdrawn' then h.ended_at end as withdrawn_at, h.latitude, h.longitude,
       h.accuracy_m
from sos_calls s
join venues w on w.tenant_id = $1 and w.id = s.venue_id
left join users u on u.id = s.pressed_by
left join help_calls h on h.tenant_id = $1 and h.id = s.id
left join patrons p on p.tenant_id = $1 and p.id = h.patron_id
where s.tenant_id = $1 and s.id = $2
"""
ANSWERS = """
select user_id, name, at, response_seconds, coming_at from sos_acknowledgements
where tenant_id = $1 and sos_id = $2
order by at, user_id
"""
OPEN = """
select id from sos_calls
where tenant_id = $1 and status <> 'resolved' and ($2::uuid[] is null or venue_id = any($2))
order by received_at desc, id desc
limit 20
"""
# The same call sent twice at once: the second waits for the first, then finds it.
TURN = "select pg_advisory_xact_lock(hashtextextended($1::uuid || '/sos/' || $2::uuid, 0))"
KNOWN = "select pressed_by, venue_id from sos_calls where tenant_id = $1 and id = $2"
ADD = """
insert into sos_calls (tenant_id, id, venue_id, severity, place, note, silent, incident_id, pressed_by, pressed_at, received_at,
                       escalates_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
LOCK = "select venue_id, status, received_at, pressed_by from sos_calls where tenant_id = $1 and id = $2 for update"
ANSWER = """
insert into sos_acknowledgements (tenant_id, sos_id, user_id, name, at, response_seconds)
values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
"""
COMING = """
update sos_acknowledgements set coming_at = $4
where tenant_id = $1 and sos_id = $2 and user_id = $3 and coming_at is null
"""
FIRST_ANSWER = """
update sos_calls set status = 'acknowledged', acknowledged_at = $3, escalates_at = null
where tenant_id = $1 and id = $2 and status = 'raised'
"""
RESOLVE = """
update sos_calls set status = 'resolved', resolved_at = $3, resolved_by = $4, escalates_at = null where tenant_id = $1 and id = $2
"""
DUE = """
select id, venue_id, incident_id, escalation from sos_calls
where tenant_id = $1 and escalates_at <= now()
order by escalates_at, id
limit $2
for update skip locked
"""
ESCALATE = (
    "update sos_calls set escalation = $3, escalated_at = now(), escalates_at = $4 where tenant_id = $1 and id = $2"
)


class NewCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call for help that is about to be made, and what its incident is called."""

    id: UUID
    venue_id: VenueId
    severity: SosSeverity
    place: str
    note: str
    silent: bool
    pressed_by: UUID
    pressed_at: datetime
    title: str


async def find_sos(ctx: Ctx, *, sos_id: UUID) -> SosCall:
    """An SOS call with its answers, at a venue that the actor may see."""
    ctx.require(SAFETY_READ)
    call = await read_sos(ctx, sos_id=sos_id)
    ctx.require(SAFETY_READ, call.venue_id)
    return call


async def read_sos(ctx: Ctx, *, sos_id: UUID) -> SosCall:
    """An SOS call with its answers, for a caller that has seen to the permission."""
    call = await ctx.db.one(SosCall, CALL, ctx.tenant_id, sos_id)
    answers = await ctx.db.rows(Acknowledgement, ANSWERS, ctx.tenant_id, sos_id)
    return msgspec.structs.replace(call, acknowledgements=answers)


async def open_calls(ctx: Ctx) -> list[SosCall]:
    """The calls that are not over at the venues that the actor may hear of, newest first."""
    ctx.require(SAFETY_READ)
    rows = await ctx.db.fetch(OPEN, ctx.tenant_id, ctx.venues(SAFETY_READ))
    return [await read_sos(ctx, sos_id=row["id"]) for row in rows]


async def press_sos(ctx: Ctx, *, data: SosIn, sos_id: UUID | None = None) -> SosCall:
    """Call for help: an incident is opened and everybody of the venue hears it. The same id again is the same call."""
    await find_venue(ctx, venue_id=data.venue_id, permission=SAFETY_RESPOND)
    if ctx.actor.user_id is None:
        raise NotPermitted("An SOS call comes from somebody of the staff.")
    pressed_at = data.pressed_at or ctx.now
    if pressed_at.tzinfo is None:
        raise Invalid(fields={"pressed_at": "Give the time with its offset."})
    place = data.place.strip()
    if not place:
        raise Invalid(fields={"place": "Say where help is needed."})
    sos_id = sos_id or uuid7()
    await ctx.db.execute(TURN, ctx.tenant_id, sos_id)
    known = await ctx.db.fetchrow(KNOWN, ctx.tenant_id, sos_id)
    if known is None:
        call = NewCall(
            id=sos_id,
            venue_id=data.venue_id,
            severity=data.severity,
            place=place,
            note=data.note.strip(),
            silent=data.silent,
            pressed_by=ctx.actor.user_id,
            pressed_at=min(pressed_at, ctx.now),
            title=f"SOS: {place}",
        )
        return await begin_call(ctx, call=call)
    if (known["pressed_by"], known["venue_id"]) != (ctx.actor.user_id, data.venue_id):
        raise SosIdTaken
    return await read_sos(ctx, sos_id=sos_id)


async def begin_call(ctx: Ctx, *, call: NewCall) -> SosCall:
    """Write a new call down with its incident, and tell everybody of the venue; the caller has seen to the permission."""
    severity = SEVERITY_OF_SOS[call.severity]
    incident_id = await begin_incident(
        ctx, venue_id=call.venue_id, kind="sos", severity=severity, title=call.title, note=call.note
    )
    wait = (await read_thresholds(ctx, venue_id=call.venue_id)).sos_escalates_s
    due = ctx.now + timedelta(seconds=wait)
    head = (ctx.tenant_id, call.id, call.venue_id, call.severity, call.place, call.note, call.silent, incident_id)
    await ctx.db.execute(ADD, *head, call.pressed_by, call.pressed_at, ctx.now, due)
    await add_entry(
        ctx, incident_id=incident_id, kind="sos", text=f"{call.severity.capitalize()}, {call.place}", ref_id=call.id
    )
    made = await read_sos(ctx, sos_id=call.id)
    told = SosRaised(**sos_facts(made), pressed_at=call.pressed_at, received_at=ctx.now)
    await _tell(ctx, made, told, what=f"SOS pressed: {call.severity}", text=call.place)
    return made


async def acknowledge_sos(ctx: Ctx, *, sos_id: UUID) -> SosCall:
    """Say that one has heard it; each answers once, and the first ends the escalation. SosOwn for who called."""
    await _answer(ctx, sos_id)
    return await read_sos(ctx, sos_id=sos_id)


async def come_to_sos(ctx: Ctx, *, sos_id: UUID) -> SosCall:
    """Say that one is on the way, which is an answer as well; a second time changes nothing."""
    await _answer(ctx, sos_id)
    if not await ctx.db.execute(COMING, ctx.tenant_id, sos_id, ctx.actor.user_id, ctx.now):
        return await read_sos(ctx, sos_id=sos_id)
    call = await read_sos(ctx, sos_id=sos_id)
    name = log.who(ctx)
    words = f"{name} is on the way"
    await add_entry(ctx, incident_id=call.incident_id, kind="sos", text=words, ref_id=sos_id)
    assert ctx.actor.user_id is not None
    told = SosComing(**sos_facts(call), user_id=ctx.actor.user_id, name=name)
    await _tell(ctx, call, told, what="SOS: on the way", text=words)
    return call


async def _answer(ctx: Ctx, sos_id: UUID) -> None:
    row = await _hold(ctx, sos_id)
    if row["status"] == "resolved":
        raise SosResolved
    if row["pressed_by"] == ctx.actor.user_id:
        raise SosOwn
    seconds = max(0, int((ctx.now - row["received_at"]).total_seconds()))
    name = log.who(ctx)
    if not await ctx.db.execute(ANSWER, ctx.tenant_id, sos_id, ctx.actor.user_id, name, ctx.now, seconds):
        return
    await ctx.db.execute(FIRST_ANSWER, ctx.tenant_id, sos_id, ctx.now)
    call = await read_sos(ctx, sos_id=sos_id)
    words = f"{name} has heard it, after {seconds} s"
    await add_entry(ctx, incident_id=call.incident_id, kind="sos", text=words, ref_id=sos_id)
    assert ctx.actor.user_id is not None
    told = SosAcknowledged(**sos_facts(call), user_id=ctx.actor.user_id, name=name, response_seconds=seconds)
    await _tell(ctx, call, told, what="SOS acknowledged", text=words)


async def resolve_sos(ctx: Ctx, *, sos_id: UUID, reason: str) -> SosCall:
    """Say that the call is over; its incident stays open until somebody resolves it."""
    row = await _hold(ctx, sos_id)
    if row["status"] == "resolved":
        raise SosResolved
    words = reason.strip()
    if not words:
        raise Invalid(fields={"reason": "Say what came of it; it stands in the incident."})
    await ctx.db.execute(RESOLVE, ctx.tenant_id, sos_id, ctx.now, ctx.actor.user_id)
    call = await read_sos(ctx, sos_id=sos_id)
    await add_entry(ctx, incident_id=call.incident_id, kind="sos", text=words, ref_id=sos_id)
    await _tell(ctx, call, SosResolvedEvent(**sos_facts(call)), what="SOS resolved", text=words)
    return call


async def escalate_calls(ctx: Ctx, *, limit: int) -> int:
    """Tell again the SOS calls that nobody answered in time; how many there were."""
    rows = await ctx.db.fetch(DUE, ctx.tenant_id, limit)
    for row in rows:
        level = row["escalation"] + 1
        wait = (await read_thresholds(ctx, venue_id=row["venue_id"])).sos_escalates_s
        again = None if level >= HIGHEST_ESCALATION else ctx.now + timedelta(seconds=wait)
        await ctx.db.execute(ESCALATE, ctx.tenant_id, row["id"], level, again)
        words = f"Nobody answered: escalated to {level}"
        await add_entry(ctx, incident_id=row["incident_id"], kind="sos", text=words, ref_id=row["id"])
        call = await read_sos(ctx, sos_id=row["id"])
        await _tell(ctx, call, SosEscalated(**sos_facts(call), escalation=level), what=f"SOS escalated to {level}")
    return len(rows)


async def _hold(ctx: Ctx, sos_id: UUID) -> Any:
    ctx.require(SAFETY_RESPOND)
    row = None if ctx.tenant_id == PLATFORM else await ctx.db.fetchrow(LOCK, ctx.tenant_id, sos_id)
    if row is None:
        raise NotFound
    ctx.require(SAFETY_RESPOND, row["venue_id"])
    return row


async def _tell(ctx: Ctx, call: SosCall, event: Any, *, what: str, text: str = "") -> None:
    await log.write(ctx, venue_id=call.venue_id, what=what, entity=("sos", call.id), text=text)
    ctx.emit(
        event,
        entity=("sos_call", call.id),
        venue_id=call.venue_id,
        after={"status": call.status, "escalation": call.escalation},
    )


def sos_facts(call: SosCall) -> dict[str, Any]:
    """What every event of a call says of it."""
    names = ("incident_id", "venue_id", "severity", "place", "silent", "pressed_by")
    facts = {name: getattr(call, name) for name in names}
    return {"sos_id": call.id, "guest": call.patron_id is not None} | facts
