"""A guest's call for help as the staff hear it: an SOS call of the same id, which they answer as any other, and whose answers the
guest reads on the phone. Jobs, since a guest's own transaction sees nothing of the venue's safety.
"""

from typing import Any
from uuid import UUID

from lastlight.domains.safety import log
from lastlight.domains.safety.events import HelpAnswered, SosChanged
from lastlight.domains.safety.help_model import About, HelpRow, HelpStatus
from lastlight.domains.safety.incidents import add_entry
from lastlight.domains.safety.model import SosCall, SosSeverity
from lastlight.domains.safety.sos import NewCall, begin_call, read_sos, sos_facts
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import Retry, job

QUICK = Retry(attempts=8, backoff=0.5)
UNSAID = "Place not said"
ABOUT: dict[About | None, str] = {
    "unwell": "feels unwell",
    "bothered": "is being bothered",
    "lost": "is lost",
    "other": "asks for help",
    None: "calls for help",
}
SEVERITY: dict[About | None, SosSeverity] = {"lost": "assist"}

ROW = """
select h.id, h.venue_id, h.visit_id, h.patron_id, h.user_id, p.name as patron, h.about, h.place, h.note, h.quiet, h.status, h.helpers,
       h.escalation, h.pressed_at, h.raised_at, h.ended_at
from help_calls h
join patrons p on p.tenant_id = $1 and p.id = h.patron_id
where h.tenant_id = $1 and h.id = $2
for update of h
"""
RAISED = "update help_calls set raised_at = $3 where tenant_id = $1 and id = $2"
UNRAISED = """
select id from help_calls
where tenant_id = $1 and raised_at is null and ended_at is null and received_at < now() - interval '20 seconds'
order by received_at, id
limit $2
for update skip locked
"""
SAY = "update sos_calls set place = $3, note = $4 where tenant_id = $1 and id = $2"
QUIETEN = "update sos_calls set escalates_at = null where tenant_id = $1 and id = $2"
ANSWER = """
update help_calls
set status = $3, helpers = $4, escalation = $5, answered_at = coalesce(answered_at, $6), ended_at = $7
where tenant_id = $1 and id = $2
"""


@job("safety.call_for_guest", retry=QUICK)
async def call_for_guest(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Make the SOS call of a guest who calls for help."""
    await raise_help(ctx, help_id=UUID(data["help_id"]))


@job("safety.say_for_guest", retry=QUICK)
async def say_for_guest(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Tell the staff what a guest has said since, or that they have taken the call back."""
    await follow_help(ctx, help_id=UUID(data["help_id"]))


@job("safety.answer_guest", retry=QUICK)
async def answer_guest(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> None:
    """Let a guest read on the phone who has heard the call, who comes, and that it is over."""
    if data.get("guest"):
        await tell_guest(ctx, help_id=UUID(data["sos_id"]))


async def raise_help(ctx: Ctx, *, help_id: UUID) -> None:
    """Make the SOS call of a guest's call, once; one that was taken back before makes none."""
    row = await ctx.db.one(HelpRow, ROW, ctx.tenant_id, help_id)
    if row.raised_at is not None or row.ended_at is not None:
        return
    await ctx.db.execute(RAISED, ctx.tenant_id, help_id, ctx.now)
    call = NewCall(
        id=row.id,
        venue_id=row.venue_id,
        severity=SEVERITY.get(row.about, "urgent"),
        place=row.place or UNSAID,
        note=row.note,
        silent=row.quiet,
        pressed_by=row.user_id,
        pressed_at=row.pressed_at,
        title=f"A guest {ABOUT[row.about]}: {row.place or UNSAID}",
    )
    await begin_call(ctx, call=call)


async def raise_missed_help(ctx: Ctx, *, limit: int) -> int:
    """Make the SOS calls that no job has made; how many there were. None is left behind."""
    rows = await ctx.db.fetch(UNRAISED, ctx.tenant_id, limit)
    for row in rows:
        await raise_help(ctx, help_id=row["id"])
    return len(rows)


async def follow_help(ctx: Ctx, *, help_id: UUID) -> None:
    """Bring the SOS call to what its guest says now. One that was taken back is told no more and stands until somebody has looked."""
    row = await ctx.db.one(HelpRow, ROW, ctx.tenant_id, help_id)
    if row.raised_at is None:
        return
    call = await read_sos(ctx, sos_id=help_id)
    if call.status == "resolved":
        return
    if row.status == "withdrawn":
        await ctx.db.execute(QUIETEN, ctx.tenant_id, help_id)
        await _note(ctx, call, "The guest says that they need no help any more.")
        return
    place = row.place or UNSAID
    await ctx.db.execute(SAY, ctx.tenant_id, help_id, place, row.note)
    said = f"The guest {ABOUT[row.about]}: {place}"
    await _note(ctx, call, f"{said}. “{row.note}”" if row.note else said)


async def tell_guest(ctx: Ctx, *, help_id: UUID) -> None:
    """Write what became of the SOS call where its guest reads it; what they took back stays so."""
    row = await ctx.db.one(HelpRow, ROW, ctx.tenant_id, help_id)
    if row.ended_at is not None:
        return
    call = await read_sos(ctx, sos_id=help_id)
    status, helpers = _standing(call)
    if (status, helpers, call.escalation) == (row.status, row.helpers, row.escalation):
        return
    over = call.resolved_at if status == "over" else None
    answer = (status, helpers, call.escalation, call.acknowledged_at, over)
    await ctx.db.execute(ANSWER, ctx.tenant_id, help_id, *answer)
    ctx.emit(
        HelpAnswered(help_id=row.id, venue_id=row.venue_id, status=status),
        entity=("help_call", row.id),
        venue_id=row.venue_id,
        patron_id=row.patron_id,
        before={"status": row.status},
        after={"status": status, "escalation": call.escalation},
    )


def _standing(call: SosCall) -> tuple[HelpStatus, list[str]]:
    coming = [_first(one.name) for one in call.acknowledgements if one.coming_at]
    heard = [_first(one.name) for one in call.acknowledgements]
    if call.status == "resolved":
        return "over", coming or heard
    if coming:
        return "coming", coming
    return ("heard", heard) if heard else ("sent", [])


def _first(name: str) -> str:
    return name.split(maxsplit=1)[0] if name.split() else name


async def _note(ctx: Ctx, call: SosCall, words: str) -> None:
    await add_entry(ctx, incident_id=call.incident_id, kind="sos", text=words, ref_id=call.id)
    what = "SOS: the guest says"
    await log.write(
        ctx, venue_id=call.venue_id, what=what, entity=("sos", call.id), patron_id=call.patron_id, text=words
    )
    changed = await read_sos(ctx, sos_id=call.id)
    ctx.emit(
        SosChanged(**sos_facts(changed)),
        entity=("sos_call", call.id),
        venue_id=call.venue_id,
        after={"status": changed.status, "withdrawn": changed.withdrawn_at is not None},
    )


HELP_JOBS = (call_for_guest, say_for_guest, answer_guest)
