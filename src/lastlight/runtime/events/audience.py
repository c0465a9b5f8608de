"""Who hears an event: rooms of venue × permission, and a room for each guest. Sockets and catch-up read it here."""

from uuid import UUID

from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Actor
from lastlight.runtime.module import Registry

EVERYWHERE = "*"
TENANT_WIDE = "-"
"""Events without a venue, for those who hold the permission at some venues only; holders for all venues sit in `*`."""


def audiences(registry: Registry) -> frozenset[str]:
    """The permissions that some event is for."""
    return frozenset(event.audience.name for event in registry.events.values() if event.audience is not None)


def rooms_of(actor: Actor, names: frozenset[str]) -> frozenset[str]:
    """The rooms that somebody may sit in. Without a tenant there is none; a guest hears only what is their own."""
    tenant = actor.tenant_id
    if actor.kind == "patron":
        return frozenset({patron_room(tenant, actor.patron_id)}) if actor.patron_id else frozenset()
    if actor.kind not in {"member", "crew"} or (tenant == PLATFORM and actor.kind != "crew"):
        return frozenset()
    rooms: set[str] = set()
    for name in names & actor.grants.held.keys():
        venues = actor.grants.held[name]
        if venues is None:
            rooms.add(_room(tenant, EVERYWHERE, name))
        elif venues:
            rooms.add(_room(tenant, TENANT_WIDE, name))
            rooms.update(_room(tenant, str(venue), name) for venue in venues)
    return frozenset(rooms)


def rooms_for(tenant_id: UUID, *, venue_id: UUID | None, audience: str | None, patron_id: UUID | None) -> list[str]:
    """The rooms that an event goes to."""
    rooms: list[str] = []
    if audience is not None:
        rooms.append(_room(tenant_id, EVERYWHERE, audience))
        rooms.append(_room(tenant_id, TENANT_WIDE if venue_id is None else str(venue_id), audience))
    if patron_id is not None:
        rooms.append(patron_room(tenant_id, patron_id))
    return rooms


def patron_room(tenant_id: UUID, patron_id: UUID) -> str:
    """The room of one guest of one tenant."""
    return f"t:{tenant_id}:patron:{patron_id}"


def _room(tenant_id: UUID, venue: str, permission: str) -> str:
    return f"t:{tenant_id}:v:{venue}:{permission}"
