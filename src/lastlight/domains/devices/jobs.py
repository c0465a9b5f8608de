"""Scheduled work on devices."""

from collections.abc import Sequence

from lastlight.domains.devices.heartbeats import watch_fleet
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.jobs.run import JobRun

BATCH = 2_000
# every tenant: the platform keeps house for all
DROP_OLD = """
delete from device_heartbeats using (
    select tenant_id, id from device_heartbeats
    where tenant_id is not null and heard_at < now() - interval '30 days' limit $1
) as old
where device_heartbeats.tenant_id = old.tenant_id and device_heartbeats.id = old.id
"""
WITH_DEVICES = """
select t.id from tenants t
where t.status = 'active' and exists (select from devices d where d.tenant_id = t.id and d.status <> 'revoked')
"""


async def tenants_with_devices(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants that have a device at work."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(WITH_DEVICES)]


@job("devices.watch", schedule="* * * * *", each=tenants_with_devices)
async def watch_devices(ctx: Ctx) -> int:
    """Raise alerts for devices that are silent or low on battery, and clear those that are over."""
    return await watch_fleet(ctx)


@job("devices.drop_old_heartbeats", schedule="35 4 * * *", each="platform")
async def drop_old_heartbeats(job: JobRun) -> None:
    """Delete heartbeats of more than 30 days ago."""
    await job.in_batches(lambda ctx: ctx.db.execute(DROP_OLD, BATCH), size=BATCH)
