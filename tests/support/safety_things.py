"""Things of safety that paths name, added to THINGS when this is imported."""

from typing import Any
from uuid import uuid4

from tests.support.things import ELSEWHERE, THINGS, VERSIONED, checked_in
from tests.support.world import Somebody, World


async def safety_alert(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A raised alert of no visit."""
    body = {"venue_id": str((who.home or world.a).venues[place]), "summary": world.unique("Loud")}
    return (await world.make("POST", "/api/safety/alerts", _owner(world, who), json=body))["id"]


async def intervention(world: World, who: Somebody, *, place: int = 0) -> Any:
    """An open intervention."""
    body = {"venue_id": str((who.home or world.a).venues[place]), "kind": "talk"}
    return (await _keyed(world, "/api/safety/interventions", who, body))["id"]


async def incident(world: World, who: Somebody, *, place: int = 0) -> Any:
    """An open incident."""
    body = {"venue_id": str((who.home or world.a).venues[place]), "kind": "other", "title": world.unique("Incident")}
    return (await _keyed(world, "/api/incidents", who, body))["id"]


async def sos_call(world: World, who: Somebody, *, place: int = 0) -> Any:
    """An SOS call that nobody has answered, of somebody else: nobody answers their own."""
    body = {"venue_id": str((who.home or world.a).venues[place]), "place": world.unique("Bar")}
    owner = _owner(world, who)
    caller = world.somebody[owner.name.replace("owner", "manager")] if who.user_id == owner.user_id else owner
    headers = {"Idempotency-Key": str(uuid4())}
    return (await world.make("POST", "/api/emergency/sos", caller, json=body, headers=headers))["id"]


async def safety_check(world: World, who: Somebody, *, patron: Somebody | None = None) -> Any:
    """A question to a guest who is in."""
    made = await checked_in(world, who, patron=patron)
    body = {"visit_id": str(made.visit.id)}
    return (await world.make("POST", "/api/safety/checks", _owner(world, who), json=body))["id"]


async def help_call(world: World, who: Somebody, *, patron: Somebody | None = None) -> Any:
    """A call for help of a guest who is in."""
    tenant = who.home or world.a
    guest = patron or await world.newcomer(Somebody("patron", "patron", "patron", tenant))
    await checked_in(world, who, patron=guest)
    headers = {"Idempotency-Key": str(uuid4())}
    return (await world.make("POST", "/api/patron/help", guest, json={}, headers=headers))["id"]


async def broadcast(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A word to all staff of a venue."""
    body = {"venue_id": str((who.home or world.a).venues[place]), "text": world.unique("Word")}
    return (await _keyed(world, "/api/emergency/broadcasts", who, body))["id"]


async def _roof_broadcast(world: World, who: Somebody) -> Any:
    return await broadcast(world, who, place=1)


async def _roof_alert(world: World, who: Somebody) -> Any:
    return await safety_alert(world, who, place=1)


async def _roof_intervention(world: World, who: Somebody) -> Any:
    return await intervention(world, who, place=1)


async def _roof_incident(world: World, who: Somebody) -> Any:
    return await incident(world, who, place=1)


async def _roof_sos(world: World, who: Somebody) -> Any:
    return await sos_call(world, who, place=1)


async def _keyed(world: World, path: str, who: Somebody, body: dict[str, Any]) -> Any:
    headers = {"Idempotency-Key": str(uuid4())}
    return await world.make("POST", path, _owner(world, who), json=body, headers=headers)


def _owner(world: World, who: Somebody) -> Somebody:
    return world.somebody["B.owner" if who.home is world.b else "A.owner"]


THINGS.update(
    alert_id=safety_alert,
    intervention_id=intervention,
    incident_id=incident,
    sos_id=sos_call,
    broadcast_id=broadcast,
    check_id=safety_check,
    help_id=help_call,
)
ELSEWHERE.update(
    alert_id=_roof_alert,
    intervention_id=_roof_intervention,
    incident_id=_roof_incident,
    sos_id=_roof_sos,
    broadcast_id=_roof_broadcast,
)
VERSIONED.update(incident_id="incidents")
