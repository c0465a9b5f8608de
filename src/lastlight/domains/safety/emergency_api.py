"""SOS, broadcasts and incidents at the edge."""

from uuid import UUID

from lastlight.domains.safety import broadcasts, incidents, sos
from lastlight.domains.safety.emergency_listings import BROADCASTS, SOS_CALLS
from lastlight.domains.safety.errors import IncidentResolved, SosIdTaken, SosOwn, SosResolved
from lastlight.domains.safety.listings import INCIDENTS
from lastlight.domains.safety.model import Broadcast, BroadcastDetail, Incident, SosCall
from lastlight.domains.safety.permissions import SAFETY_BROADCAST, SAFETY_MANAGE, SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import BroadcastIn, EntryIn, IncidentIn, ReasonIn, SosIn
from lastlight.kernel.errors import NotFound, Stale
from lastlight.kernel.ids import uuid_of
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Download, get, post
from lastlight.runtime.http.listing import listing_get

SOS = ("SOS",)
INCIDENT = ("Incidents",)

list_sos_calls = listing_get("/api/emergency/sos", SOS_CALLS, tags=SOS)
list_broadcasts = listing_get("/api/emergency/broadcasts", BROADCASTS, tags=SOS)
list_incidents = listing_get("/api/incidents", INCIDENTS, tags=INCIDENT)


@post(
    "/api/emergency/sos",
    permission=SAFETY_RESPOND,
    raises=[NotFound, SosIdTaken],
    status=201,
    idempotent=True,
    tags=SOS,
)
async def press_sos(ctx: Ctx, data: SosIn) -> SosCall:
    """Call for help: staff, managers and owners of the venue hear it at once, and an incident is opened."""
    return await sos.press_sos(ctx, data=data, sos_id=key_as_id(ctx.idempotency_key))


@get("/api/emergency/sos/{sos_id:uuid}", permission=SAFETY_READ, raises=[NotFound], tags=SOS)
async def read_sos(ctx: Ctx, sos_id: UUID) -> SosCall:
    """Read an SOS call, with who is on the way and how fast they said so."""
    return await sos.find_sos(ctx, sos_id=sos_id)


@post(
    "/api/emergency/sos/{sos_id:uuid}/acknowledgement",
    permission=SAFETY_RESPOND,
    raises=[NotFound, SosResolved, SosOwn],
    tags=SOS,
)
async def acknowledge_sos(ctx: Ctx, sos_id: UUID) -> SosCall:
    """Say that one has heard the call; a second time changes nothing."""
    return await sos.acknowledge_sos(ctx, sos_id=sos_id)


@post(
    "/api/emergency/sos/{sos_id:uuid}/on-the-way",
    permission=SAFETY_RESPOND,
    raises=[NotFound, SosResolved, SosOwn],
    tags=SOS,
)
async def come_to_sos(ctx: Ctx, sos_id: UUID) -> SosCall:
    """Say that one is on the way, which answers the call as well; a second time changes nothing."""
    return await sos.come_to_sos(ctx, sos_id=sos_id)


@post(
    "/api/emergency/sos/{sos_id:uuid}/resolution",
    permission=SAFETY_RESPOND,
    raises=[NotFound, SosResolved],
    tags=SOS,
)
async def resolve_sos(ctx: Ctx, sos_id: UUID, data: ReasonIn) -> SosCall:
    """Say that the call is over, and what came of it."""
    return await sos.resolve_sos(ctx, sos_id=sos_id, reason=data.reason)


@post(
    "/api/emergency/broadcasts",
    permission=SAFETY_BROADCAST,
    raises=[NotFound],
    status=201,
    idempotent=True,
    tags=SOS,
)
async def send_broadcast(ctx: Ctx, data: BroadcastIn) -> Broadcast:
    """Tell all staff of a venue something."""
    return await broadcasts.send_broadcast(ctx, data=data)


@get("/api/emergency/broadcasts/{broadcast_id:uuid}", permission=SAFETY_READ, raises=[NotFound], tags=SOS)
async def read_broadcast(ctx: Ctx, broadcast_id: UUID) -> BroadcastDetail:
    """Read a broadcast, with who has seen it."""
    return await broadcasts.find_broadcast(ctx, broadcast_id=broadcast_id)


@post("/api/emergency/broadcasts/{broadcast_id:uuid}/receipt", permission=SAFETY_READ, raises=[NotFound], tags=SOS)
async def see_broadcast(ctx: Ctx, broadcast_id: UUID) -> BroadcastDetail:
    """Say that one has seen a broadcast; a second time changes nothing."""
    return await broadcasts.see_broadcast(ctx, broadcast_id=broadcast_id)


@post(
    "/api/incidents",
    permission=SAFETY_RESPOND,
    raises=[NotFound],
    status=201,
    idempotent=True,
    tags=INCIDENT,
)
async def open_incident(ctx: Ctx, data: IncidentIn) -> Incident:
    """Open an incident, and link alerts to it."""
    return await incidents.open_incident(ctx, data=data)


@get("/api/incidents/{incident_id:uuid}", permission=SAFETY_READ, raises=[NotFound], tags=INCIDENT)
async def read_incident(ctx: Ctx, incident_id: UUID) -> Incident:
    """Read an incident with its timeline."""
    return await incidents.find_incident(ctx, incident_id=incident_id)


@post(
    "/api/incidents/{incident_id:uuid}/entries",
    permission=SAFETY_RESPOND,
    raises=[NotFound, IncidentResolved],
    status=201,
    tags=INCIDENT,
)
async def note_incident(ctx: Ctx, incident_id: UUID, data: EntryIn) -> Incident:
    """Add a line to the timeline, or link an alert."""
    return await incidents.note_incident(ctx, incident_id=incident_id, data=data)


@post(
    "/api/incidents/{incident_id:uuid}/resolution",
    permission=SAFETY_MANAGE,
    raises=[NotFound, Stale, IncidentResolved],
    tags=INCIDENT,
)
async def resolve_incident(ctx: Ctx, incident_id: UUID, data: ReasonIn, if_match: int) -> Incident:
    """Close an incident, with what came of it."""
    return await incidents.resolve_incident(ctx, incident_id=incident_id, resolution=data.reason, version=if_match)


@get(
    "/api/incidents/{incident_id:uuid}/report",
    permission=SAFETY_READ,
    raises=[NotFound],
    tags=INCIDENT,
    sensitive="incident.reported",
)
async def read_incident_report(ctx: Ctx, incident_id: UUID) -> Download:
    """Fetch an incident's report as plain text."""
    incident = await incidents.find_incident(ctx, incident_id=incident_id)
    body = incidents.report_text(incident).encode()
    return Download(body=body, media_type="text/plain; charset=utf-8", filename=f"incident-{incident.number}.txt")


def key_as_id(key: str) -> UUID | None:
    """The call's id, where the key is a UUID; any other key gets a new id, and is remembered as every key is."""
    return uuid_of(key)


EMERGENCY_ROUTES = (
    list_sos_calls,
    list_broadcasts,
    list_incidents,
    press_sos,
    read_sos,
    acknowledge_sos,
    come_to_sos,
    resolve_sos,
    send_broadcast,
    read_broadcast,
    see_broadcast,
    open_incident,
    read_incident,
    note_incident,
    resolve_incident,
    read_incident_report,
)
