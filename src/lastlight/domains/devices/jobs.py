"""Scheduled work on devices."""

from collections.abc import Sequence

from lastlight.domains.devices.heartbeats import watch_fleet
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

WITH_DEVICES = """
select t.id from tenants t
where t.status = 'active' and exists (select from devices d where d.tenant_id = t.id and d.status = 'active')
"""


async def tenants_with_devices(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants that have a device at work."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(WITH_DEVICES)]


@job("devices.watch", schedule="* * * * *", each=tenants_with_devices)
async def watch_devices(ctx: Ctx) -> int:
    """Raise alerts for devices that are silent or low on battery, and clear those that are over."""
    return await watch_fleet(ctx)
