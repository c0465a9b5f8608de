"""Examples of the pages of safety: their forms, as browsers send them."""

from tests.contracts.example import REASON, example
from tests.support.calls import Given
from tests.support.things import venue
from tests.support.world import Somebody, World


@example("alert_new_submit")
async def new_alert(world: World, who: Somebody) -> Given:
    return Given(data={"venue_id": str(await venue(world, who)), "summary": world.unique("Loud")})


@example("intervention_new_submit")
async def new_intervention(world: World, who: Somebody) -> Given:
    return Given(data={"venue_id": str(await venue(world, who)), "kind": "water"})


@example("incident_new_submit")
async def new_incident(world: World, who: Somebody) -> Given:
    return Given(data={"venue_id": str(await venue(world, who)), "title": world.unique("Incident")})


@example("broadcast_new_submit")
async def new_broadcast(world: World, who: Somebody) -> Given:
    return Given(data={"venue_id": str(await venue(world, who)), "text": world.unique("Word")})


@example("incident_note")
async def incident_line(world: World, who: Somebody) -> Given:
    return Given(data={"text": world.unique("Seen")})


@example("assignment_submit")
async def assigned(world: World, who: Somebody) -> Given:
    return Given(data={"user_id": str((who.home or world.a).users["staff"])})


@example(
    "clearance_submit",
    "escalation_submit",
    "intervention_resolution_submit",
    "incident_resolution_submit",
    "sos_resolution_submit",
)
async def with_reason(world: World, who: Somebody) -> Given:
    return Given(data=REASON)


@example("thresholds_submit")
async def new_thresholds(world: World, who: Somebody) -> Given:
    place = await venue(world, who)
    found = await world.value("select version from safety_thresholds where venue_id = $1", place)
    return Given(data={"minutes_inside": "180", "version": str(found or 0)})


@example("contacts_submit")
async def new_contacts(world: World, who: Somebody) -> Given:
    place = await venue(world, who)
    found = await world.value("select version from emergency_contacts where venue_id = $1", place)
    return Given(data={"name_1": "Armed response", "phone_1": "10111", "version": str(found or 0)})


@example("urgent_acknowledge", "urgent_come", "urgent_seen")
async def from_the_bar(world: World, who: Somebody) -> Given:
    return Given(query={"app": "staff"})
