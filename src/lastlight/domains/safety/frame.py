"""What the frame of every page says about safety: where the urgent bar is read, and where its reader may call for help."""

from collections.abc import Sequence
from uuid import UUID

from lastlight.domains.safety.contacts import contacts_of
from lastlight.domains.safety.permissions import SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.sos_pages import PREFIXES, URGENT_EVENTS
from lastlight.domains.staff import where_clocked_in
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx
from lastlight.ui.shell import Emergency, EmergencyPlace, VenueRef

CALLING_APPS = frozenset({"staff"})
"""The apps whose every page has the SOS button."""


async def emergency_of(ctx: Ctx, *, app: str, venues: Sequence[VenueRef]) -> Emergency | None:
    """What stands above the pages of a console for somebody who may hear of safety; None for anybody else."""
    if app not in PREFIXES or ctx.tenant_id == PLATFORM or ctx.actor.user_id is None or not ctx.allows(SAFETY_READ):
        return None
    pressing = [venue for venue in venues if ctx.allows(SAFETY_RESPOND, UUID(venue.id))]
    places: tuple[EmergencyPlace, ...] = ()
    if app in CALLING_APPS and pressing:
        known = {
            str(venue_id): found
            for venue_id, found in (await contacts_of(ctx, venue_ids=[UUID(v.id) for v in pressing])).items()
        }
        places = tuple(
            EmergencyPlace(
                id=venue.id,
                name=venue.name,
                contacts=tuple((contact.name, contact.phone) for contact in known.get(venue.id, []) if contact.phone),
            )
            for venue in pressing
        )
    return Emergency(
        urgent_url=f"/safety/urgent?app={app}",
        events=URGENT_EVENTS,
        me=str(ctx.actor.user_id),
        send_url="/api/emergency/sos",
        here=str(await where_clocked_in(ctx) or "") if places else "",
        places=places,
    )
