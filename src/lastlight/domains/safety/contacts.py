"""Whom a venue calls in an emergency, and who is written to when nobody answers."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from lastlight.domains.safety import log
from lastlight.domains.safety.events import ContactsChanged
from lastlight.domains.safety.model import Contact, EmergencyContacts
from lastlight.domains.safety.permissions import SAFETY_MANAGE, SAFETY_READ
from lastlight.domains.safety.schemas import ContactsIn
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Invalid, Stale
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.mail.send import checked_address

READ = "select venue_id, contacts, version from emergency_contacts where tenant_id = $1 and venue_id = $2"
OF_VENUES = "select venue_id, contacts, version from emergency_contacts where tenant_id = $1 and venue_id = any($2)"
LOCK = "select version from emergency_contacts where tenant_id = $1 and venue_id = $2 for update"
ADD = "insert into emergency_contacts (tenant_id, venue_id, contacts) values ($1, $2, $3)"
CHANGE = "update emergency_contacts set contacts = $3 where tenant_id = $1 and venue_id = $2"


async def read_contacts(ctx: Ctx, *, venue_id: UUID) -> EmergencyContacts:
    """Whom a venue calls; the caller sees to the permission."""
    found = await ctx.db.row(EmergencyContacts, READ, ctx.tenant_id, venue_id)
    return found or EmergencyContacts(venue_id=VenueId(venue_id))


async def find_contacts(ctx: Ctx, *, venue_id: UUID) -> EmergencyContacts:
    """Whom a venue calls that the actor may see."""
    await find_venue(ctx, venue_id=venue_id, permission=SAFETY_READ)
    return await read_contacts(ctx, venue_id=venue_id)


async def contacts_of(ctx: Ctx, *, venue_ids: Sequence[UUID]) -> dict[VenueId, list[Contact]]:
    """Whom several venues call; the caller sees to the permission."""
    rows = await ctx.db.rows(EmergencyContacts, OF_VENUES, ctx.tenant_id, list(venue_ids))
    return {row.venue_id: row.contacts for row in rows}


async def set_contacts(ctx: Ctx, *, venue_id: UUID, data: ContactsIn, version: int) -> EmergencyContacts:
    """Say anew whom a venue calls, all of them; Stale when they are no longer those that were read."""
    await find_venue(ctx, venue_id=venue_id, permission=SAFETY_MANAGE)
    contacts = _checked(data.contacts)
    held = await ctx.db.fetchval(LOCK, ctx.tenant_id, venue_id)
    if (held or 0) != version:
        raise Stale
    await ctx.db.execute(ADD if held is None else CHANGE, ctx.tenant_id, venue_id, msgspec.to_builtins(contacts))
    after = await read_contacts(ctx, venue_id=venue_id)
    await log.write(ctx, venue_id=venue_id, what="emergency contacts changed", entity=("venue", venue_id))
    # Names and phones stay out of the stream: pages ask again.
    ctx.emit(
        ContactsChanged(venue_id=VenueId(venue_id), version=after.version),
        entity=("venue", venue_id),
        venue_id=venue_id,
        after={"emergency_contacts": len(contacts)},
    )
    return after


def _checked(contacts: Sequence[Contact]) -> list[Contact]:
    wrong: dict[str, str] = {}
    for place, contact in enumerate(contacts):
        if not contact.name.strip():
            wrong[f"contacts[{place}].name"] = "Say who it is."
        if not contact.phone and not contact.email:
            wrong[f"contacts[{place}].phone"] = "Give a phone or an e-mail address."
        if contact.told and not contact.email:
            wrong[f"contacts[{place}].email"] = "An e-mail needs an address."
        if contact.email:
            try:
                checked_address(contact.email)
            except Invalid:
                wrong[f"contacts[{place}].email"] = "Give one address, such as name@example.org."
    if wrong:
        raise Invalid(fields=wrong)
    return [msgspec.structs.replace(contact, name=contact.name.strip()) for contact in contacts]
