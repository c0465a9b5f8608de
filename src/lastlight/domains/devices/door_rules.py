"""What a venue asks at its door: whether only its own scanners let guests in."""

from uuid import UUID

from lastlight.domains.devices.errors import NoScannerYet
from lastlight.domains.devices.events import DoorRulesChanged
from lastlight.domains.devices.model import DoorRules, DoorRulesIn
from lastlight.domains.devices.permissions import DEVICES_MANAGE, DEVICES_READ
from lastlight.domains.venues import find_venue
from lastlight.runtime.context import Ctx

RULES = """
select v.id as venue_id, coalesce(r.devices_only, false) as devices_only,
       (select count(*) from devices d
        where d.tenant_id = $1 and d.venue_id = v.id and d.kind = 'scanner' and d.status = 'active') as scanners
from venues v
left join door_rules r on r.tenant_id = $1 and r.venue_id = v.id
where v.tenant_id = $1 and v.id = $2
"""
SET = """
insert into door_rules (tenant_id, venue_id, devices_only) values ($1, $2, $3)
on conflict (tenant_id, venue_id) do update set devices_only = excluded.devices_only
"""


async def read_door_rules(ctx: Ctx, *, venue_id: UUID) -> DoorRules:
    """What a venue asks at its door."""
    await find_venue(ctx, venue_id=venue_id, permission=DEVICES_READ)
    return await ctx.db.one(DoorRules, RULES, ctx.tenant_id, venue_id)


async def set_door_rules(ctx: Ctx, *, venue_id: UUID, data: DoorRulesIn) -> DoorRules:
    """Let guests in by the venue's own scanners only, or by its codes too. NoScannerYet where there is none."""
    await find_venue(ctx, venue_id=venue_id, permission=DEVICES_MANAGE)
    before = await ctx.db.one(DoorRules, RULES, ctx.tenant_id, venue_id)
    if data.devices_only and not before.scanners:
        raise NoScannerYet
    await ctx.db.execute(SET, ctx.tenant_id, venue_id, data.devices_only)
    ctx.emit(
        DoorRulesChanged(venue_id=venue_id, devices_only=data.devices_only),
        entity=("venue", venue_id),
        venue_id=venue_id,
        before={"devices_only": before.devices_only},
        after={"devices_only": data.devices_only},
    )
    return await ctx.db.one(DoorRules, RULES, ctx.tenant_id, venue_id)
