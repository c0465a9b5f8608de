"""The drill of an emergency: an SOS is pressed, heard, told again, answered, and written up; then all of it is rolled back."""

from typing import Any
from uuid import UUID

from lastlight.domains.identity import Holder, holders
from lastlight.domains.safety.contacts import read_contacts
from lastlight.domains.safety.incidents import read_incident, report_text, resolve_incident
from lastlight.domains.safety.model import SosCall
from lastlight.domains.safety.notices import push_sos
from lastlight.domains.safety.permissions import SAFETY_MANAGE, SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import SosIn
from lastlight.domains.safety.sos import acknowledge_sos, come_to_sos, escalate_calls, press_sos, resolve_sos
from lastlight.kernel.ids import VenueId, uuid7
from lastlight.runtime.context import Actor, Ctx, Grants
from lastlight.runtime.drills import Drilling, drill

PLACE = "select id, name from venues where tenant_id = $1 and status <> 'archived' order by created_at, id limit 1"
LATER = """
update sos_calls set pressed_at = pressed_at - $3 * interval '1 second', received_at = received_at - $3 * interval '1 second',
       escalates_at = now() - interval '1 second'
where tenant_id = $1 and id = $2
"""
TOLD = "select args -> 'people' from jobs where tenant_id = $1 and kind = 'push.spread' and created_at = now() order by id desc limit 1"
SILENT_SECONDS = 95
"""For how long nobody answers in the drill."""
FEWEST = 2
"""The least that a venue needs to help each other: somebody who calls, and somebody who comes."""


@drill("incident-response", runbook="emergency-and-incidents.md")
async def incident_response(drilling: Drilling) -> None:
    """Somebody calls for help: others hear it, nobody answers at first, then somebody comes, and the report says it all."""
    async with drilling.rehearsal() as ctx:
        with drilling.step("Those who would hear a call are found"):
            venue = await ctx.db.fetchrow(PLACE, ctx.tenant_id)
            drilling.prove(venue is not None, "This business has no venue.")
            assert venue is not None
            people = await holders(ctx, permission=SAFETY_READ, venue_id=venue["id"])
            contacts = (await read_contacts(ctx, venue_id=venue["id"])).contacts
            drilling.note(f"At {venue['name']} {len(people)} people hear it; {len(contacts)} emergency contacts.")
            drilling.prove(
                len(people) >= FEWEST, "Nobody but the caller would hear a call for help: give others the role."
            )
        caller, helper = people[0], people[1]
        call = await _press(ctx, drilling, VenueId(venue["id"]), caller)
        await _nobody_answers(ctx, drilling, call)
        await _help_comes(ctx, drilling, call, helper)
        await _write_up(ctx, drilling, call, helper)


async def _press(ctx: Ctx, drilling: Drilling, venue_id: VenueId, caller: Holder) -> SosCall:
    with drilling.step("SOS is pressed: the call and its incident stand, and the venue's screens are told"):
        _be(ctx, caller)
        data = SosIn(venue_id=venue_id, place="Drill: the bar", severity="emergency", note="This is a drill.")
        sos_id = uuid7()
        call = await press_sos(ctx, data=data, sos_id=sos_id)
        again = await press_sos(ctx, data=data, sos_id=sos_id)
        drilling.prove(again.incident_id == call.incident_id, "Pressed twice, it was two calls.")
        drilling.prove(_said(ctx, "sos.raised", venue_id) == 1, "The venue's rooms were not told, or told twice.")
    with drilling.step("Phones are told: everybody but the caller"):
        raised: Any = next(one for one in ctx.pending if one.name == "sos.raised")
        await push_sos.fn(ctx, event_id=uuid7(), seq=0, data=raised.data)
        people: list[Any] = await ctx.db.fetchval(TOLD, ctx.tenant_id) or []
        told = {UUID(str(person)) for person in people}
        drilling.prove(bool(told), "No phone would be told.")
        drilling.prove(caller.id not in told, "The caller's own phone would ring.")
        drilling.note(f"{len(told)} people, on every device that they switched on.")
    return call


async def _nobody_answers(ctx: Ctx, drilling: Drilling, call: SosCall) -> None:
    with drilling.step(f"Nobody answers for {SILENT_SECONDS} seconds: it is told again, louder"):
        await ctx.db.execute(LATER, ctx.tenant_id, call.id, SILENT_SECONDS)
        await escalate_calls(ctx, limit=200)
        drilling.prove(_said(ctx, "sos.escalated", call.venue_id) >= 1, "It was not told again.")


async def _help_comes(ctx: Ctx, drilling: Drilling, call: SosCall, helper: Holder) -> None:
    with drilling.step("Somebody hears it and comes: the escalation ends, the response time is kept"):
        _be(ctx, helper)
        answered = await acknowledge_sos(ctx, sos_id=call.id)
        await come_to_sos(ctx, sos_id=call.id)
        drilling.prove(answered.status == "acknowledged", f"The call is {answered.status}.")
        drilling.prove(answered.escalates_at is None, "It would be told again although somebody comes.")
        seconds = answered.response_seconds
        drilling.prove(seconds is not None and seconds >= SILENT_SECONDS, f"The response time says {seconds} s.")
        drilling.note(f"Response after {seconds} s.")


async def _write_up(ctx: Ctx, drilling: Drilling, call: SosCall, helper: Holder) -> None:
    with drilling.step("It is over: call and incident are closed, and the report holds the whole timeline"):
        _be(ctx, helper)
        await resolve_sos(ctx, sos_id=call.id, reason="Drill over.")
        incident = await read_incident(ctx, incident_id=call.incident_id)
        await resolve_incident(ctx, incident_id=incident.id, resolution="Drill over.", version=incident.version)
        report = report_text(await read_incident(ctx, incident_id=incident.id))
        missing = [word for word in ("Drill: the bar", "escalated", "on the way", "Drill over.") if word not in report]
        drilling.prove(not missing, f"The report says nothing of {', '.join(missing)}.")
        drilling.note(f"Incident {incident.number}, {len(report.splitlines())} lines.")


def _be(ctx: Ctx, person: Holder) -> None:
    """Act as somebody of the venue for the rest of the rehearsal."""
    held = Grants({str(permission): None for permission in (SAFETY_READ, SAFETY_RESPOND, SAFETY_MANAGE)})
    ctx.actor = Actor(kind="member", user_id=person.id, tenant_id=ctx.tenant_id, name=person.name, grants=held)


def _said(ctx: Ctx, name: str, venue_id: UUID) -> int:
    """How often an event was said to a venue so far."""
    return sum(one.name == name and one.venue_id == venue_id for one in ctx.pending)
