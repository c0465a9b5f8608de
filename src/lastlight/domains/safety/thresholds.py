"""What a venue watches."""

from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.safety import log
from lastlight.domains.safety.events import ThresholdsChanged
from lastlight.domains.safety.model import Thresholds
from lastlight.domains.safety.permissions import SAFETY_MANAGE
from lastlight.domains.safety.schemas import ThresholdsIn
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Stale
from lastlight.kernel.ids import VenueId
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx

READ = """
select venue_id, minutes_inside, spend_minor, drinks_per_hour, least_age, interventions, full_percent, alert_escalates_s,
       sos_escalates_s, version
from safety_thresholds
where tenant_id = $1 and venue_id = $2
"""
LOCK = "select version from safety_thresholds where tenant_id = $1 and venue_id = $2 for update"
ADD = """
insert into safety_thresholds (tenant_id, venue_id, minutes_inside, spend_minor, drinks_per_hour, least_age, interventions,
                               full_percent, alert_escalates_s, sos_escalates_s)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
CHANGE = """
update safety_thresholds
set minutes_inside = $3, spend_minor = $4, drinks_per_hour = $5, least_age = $6, interventions = $7, full_percent = $8,
    alert_escalates_s = $9, sos_escalates_s = $10
where tenant_id = $1 and venue_id = $2
"""


async def read_thresholds(ctx: Ctx, *, venue_id: UUID) -> Thresholds:
    """A venue's thresholds, or the platform's where nobody has set them; the caller sees to the permission."""
    found = await ctx.db.row(Thresholds, READ, ctx.tenant_id, venue_id)
    return found or Thresholds(venue_id=VenueId(venue_id))


async def set_thresholds(ctx: Ctx, *, venue_id: UUID, data: ThresholdsIn, version: int) -> Thresholds:
    """Give every threshold of a venue anew; Stale when they are no longer those that were read."""
    venue = await find_venue(ctx, venue_id=venue_id, permission=SAFETY_MANAGE)
    held = await ctx.db.fetchval(LOCK, ctx.tenant_id, venue_id)
    if (held or 0) != version:
        raise Stale
    before = await read_thresholds(ctx, venue_id=venue_id)
    values = msgspec.structs.astuple(data)
    await ctx.db.execute(ADD if held is None else CHANGE, ctx.tenant_id, venue_id, *values)
    after = await read_thresholds(ctx, venue_id=venue_id)
    await log.write(ctx, venue_id=venue_id, what="thresholds changed", entity=("venue", venue_id))
    ctx.emit(
        ThresholdsChanged(venue_id=venue_id, version=after.version),
        entity=("venue", venue_id),
        venue_id=venue_id,
        before=_facts(before, venue.currency),
        after=_facts(after, venue.currency),
    )
    return after


def _facts(limits: Thresholds, currency: str) -> dict[str, Any]:
    """What the audit keeps of thresholds; the spend as people read it: 12.34 ZAR."""
    facts: dict[str, Any] = msgspec.to_builtins(limits)
    spend = facts.pop("spend_minor")
    return facts | {"spend": None if spend is None else str(Money(spend, currency))}
