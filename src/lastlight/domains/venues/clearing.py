"""Images that were never sent, or never became ready, are cleared away with their files."""

from collections.abc import Sequence
from datetime import timedelta

from lastlight.domains.venues.events import VenueImageChanged
from lastlight.kernel.ids import FileId, TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.storage.files import remove_file

BATCH = 200
AWAITED_FOR = timedelta(hours=1)
"""An upload's address holds for a quarter of an hour: what did not come by then does not come."""
UPLOADED_FOR = timedelta(days=1)
"""A picture whose copies nobody could make in a day, for all the job's tries."""
FAILED_FOR = timedelta(days=7)
"""So long its people may read what was wrong with it."""
# every tenant: the schedule asks who has anything to clear, before it queues a job for each
TENANTS = """
select t.id from tenants t
where exists (select from venue_images i
              where i.tenant_id = t.id and i.removed_at is null and i.state <> 'ready' and i.created_at < now() - interval '1 hour')
"""
STALE = """
select id, venue_id, file_id, state from venue_images
where tenant_id = $1 and removed_at is null
  and ((state = 'awaited' and created_at < $2) or (state = 'uploaded' and updated_at < $3) or (state = 'failed' and updated_at < $4))
order by id limit $5
for update skip locked
"""
REMOVE = "update venue_images set removed_at = now(), file_id = null where tenant_id = $1 and id = $2"
GIVE_UP = """
update venue_images set state = 'failed', state_reason = 'Its copies could not be made. Send it again.', file_id = null
where tenant_id = $1 and id = $2
"""


async def tenants_with_stale(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants with images that are not ready and not new."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(TENANTS)]


@job("venues.clear_images", schedule="17 * * * *", each=tenants_with_stale)
async def clear_images(ctx: Ctx) -> int:
    """Take away what was never sent, give up what could not be resized, forget what failed long ago; the next hour takes the rest."""
    limits = (ctx.now - AWAITED_FOR, ctx.now - UPLOADED_FOR, ctx.now - FAILED_FOR)
    stale = await ctx.db.fetch(STALE, ctx.tenant_id, *limits, BATCH)
    for row in stale:
        given_up = row["state"] == "uploaded"
        await ctx.db.execute(GIVE_UP if given_up else REMOVE, ctx.tenant_id, row["id"])
        if row["file_id"] is not None:
            await remove_file(ctx, FileId(row["file_id"]))
        event = VenueImageChanged(
            venue_id=row["venue_id"], image_id=row["id"], change="failed" if given_up else "cleared"
        )
        ctx.emit(event, entity=("image", row["id"]), venue_id=row["venue_id"], before={"state": row["state"]})
    return len(stale)
