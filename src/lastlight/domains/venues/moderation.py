"""What of the guests' photos is shown: one decision, or one for many."""

from collections.abc import Sequence
from uuid import UUID

from lastlight.domains.venues.errors import ImageNotThere
from lastlight.domains.venues.images import Image, lock_image, read_image, tell_image
from lastlight.domains.venues.permissions import VENUES_MODERATE, VENUES_READ
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.kernel.ids import ImageId
from lastlight.runtime.context import Ctx

MODERATE = """
update venue_images i
set moderation = $3, moderation_reason = $4, moderated_by = $5, moderated_at = now(),
    place = case when $3 = 'approved' and i.place = 0 then (
        select max(o.place) + 1 from venue_images o
        where o.tenant_id = $1 and o.venue_id = i.venue_id and o.removed_at is null
    ) else i.place end
where i.tenant_id = $1 and i.id = $2
"""
WAITING = """
select id, venue_id from venue_images
where tenant_id = $1 and id = any($2) and moderation = 'waiting' and patron_id is not null and removed_at is null
order by id
"""
HOLD = "select 1 from venue_images where tenant_id = $1 and id = $2 and moderation = 'waiting' and removed_at is null for update"
COUNT = """
select count(*) from venue_images
where tenant_id = $1 and moderation = 'waiting' and state = 'ready' and removed_at is null and ($2::uuid[] is null or venue_id = any($2))
"""


async def moderate_image(ctx: Ctx, *, image_id: UUID, approved: bool, reason: str, version: int) -> Image:
    """Show a guest's photo, or refuse it with a reason that the guest reads."""
    before = await lock_image(ctx, image_id=image_id, version=version, permission=VENUES_MODERATE)
    if before.patron_id is None:
        raise NotPermitted("Only guests' photos are moderated. Remove this image instead.")
    _require_reason(approved, reason)
    return await _decide(ctx, before, approved=approved, reason=reason)


async def moderate_images(ctx: Ctx, *, image_ids: Sequence[ImageId], approved: bool, reason: str) -> int:
    """Decide on several photos alike; how many still waited. One at a venue that is not the actor's is NotFound, and nothing is done."""
    _require_reason(approved, reason)
    done = 0
    for row in await ctx.db.fetch(WAITING, ctx.tenant_id, list(image_ids)):
        if not ctx.allows(VENUES_READ, row["venue_id"]):
            raise NotFound
        ctx.require(VENUES_MODERATE, row["venue_id"])
        if not await ctx.db.fetchval(HOLD, ctx.tenant_id, row["id"]):
            continue  # somebody else has just decided
        await _decide(ctx, await read_image(ctx, image_id=row["id"]), approved=approved, reason=reason)
        done += 1
    return done


async def count_waiting(ctx: Ctx) -> int:
    """How many photos wait for a decision of this reader."""
    return await ctx.db.fetchval(COUNT, ctx.tenant_id, ctx.venues(VENUES_MODERATE))


def _require_reason(approved: bool, reason: str) -> None:
    if not approved and not reason.strip():
        raise Invalid(fields={"reason": "Say why, so that the guest can be told."})


async def _decide(ctx: Ctx, before: Image, *, approved: bool, reason: str) -> Image:
    if approved and before.state in {"awaited", "failed"}:
        raise ImageNotThere
    word = "approved" if approved else "rejected"
    await ctx.db.execute(MODERATE, ctx.tenant_id, before.id, word, reason.strip(), ctx.actor.user_id)
    after = await read_image(ctx, image_id=before.id)
    old = {"moderation": before.moderation}
    tell_image(ctx, change=word, image=after, before=old, after={"moderation": word}, reason=reason.strip())
    return after
