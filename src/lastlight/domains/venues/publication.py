"""How a venue is shown to guests: draft, published, degraded, unpublished, featured. Its door is governed by its status."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from lastlight.domains.venues.errors import VenueArchived
from lastlight.domains.venues.events import VenuePublicationChanged
from lastlight.domains.venues.permissions import VENUES_PUBLISH, VENUES_READ
from lastlight.domains.venues.queries import lock_venue
from lastlight.kernel.errors import Invalid, Stale
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx

PublicationState = Literal["draft", "published", "degraded", "unpublished"]

READ = """
select id as venue_id, publication as state, publication_reason as reason,
       case when publication in ('published', 'degraded') then coalesce(published_at, created_at) else published_at end as published_at,
       featured_until,
       coalesce(featured_until > now(), false) as featured, status = 'paused' as paused, version
from venues where tenant_id = $1 and id = $2
"""
UPDATE = """
update venues
set publication = $3, publication_reason = $4, featured_until = $5,
    published_at = case when $3 = 'published' and publication <> 'published' then now() else published_at end
where tenant_id = $1 and id = $2
"""


SHOWN = """
select id, publication = 'published' and coalesce(featured_until > now(), false) as featured,
       case when publication = 'degraded' then publication_reason else '' end as reason
from venues
where tenant_id = $1 and publication in ('published', 'degraded') and status <> 'archived'
"""
IS_SHOWN = """
select exists (select from venues
               where tenant_id = $1 and id = $2 and publication in ('published', 'degraded') and status <> 'archived')
"""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """How guests see a venue: first among the others, or with a reason why something is not as usual."""

    featured: bool
    degraded_reason: str


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """How a venue is shown to guests; `paused` says that its door takes nobody at present."""

    venue_id: VenueId
    state: PublicationState
    reason: str
    published_at: datetime | None
    featured: bool
    featured_until: datetime | None
    paused: bool
    version: int


async def find_publication(ctx: Ctx, *, venue_id: UUID) -> Publication:
    """How a venue is shown."""
    ctx.require(VENUES_READ, venue_id)
    return await _read(ctx, venue_id)


async def shown_venues(ctx: Ctx) -> dict[VenueId, Shown]:
    """The venues that guests of the business see, and how."""
    rows = await ctx.db.fetch(SHOWN, ctx.tenant_id)
    return {VenueId(row["id"]): Shown(featured=row["featured"], degraded_reason=row["reason"]) for row in rows}


async def read_shown_state(ctx: Ctx, *, venue_id: UUID) -> Publication | None:
    """How a venue is shown, or None while guests do not see it."""
    if not await ctx.db.fetchval(IS_SHOWN, ctx.tenant_id, venue_id):
        return None
    return await _read(ctx, venue_id)


async def set_publication(
    ctx: Ctx,
    *,
    venue_id: UUID,
    state: PublicationState,
    reason: str,
    featured_until: datetime | None,
    version: int,
) -> Publication:
    """Publish a venue, show it degraded, or take it from view; only a published one is featured.

    Degrading and unpublishing want a reason; guests read that of a degraded venue.
    """
    ctx.require(VENUES_PUBLISH, venue_id)
    venue = await lock_venue(ctx, venue_id=venue_id)
    if venue.version != version:
        raise Stale
    if venue.status == "archived":
        raise VenueArchived
    _require_fitting(ctx, state=state, reason=reason, featured_until=featured_until)
    before = await _read(ctx, venue_id)
    said = (state, reason.strip(), featured_until)
    if said == (before.state, before.reason, before.featured_until):
        return before
    await ctx.db.execute(UPDATE, ctx.tenant_id, venue_id, *said)
    after = await _read(ctx, venue_id)
    ctx.emit(
        VenuePublicationChanged(venue_id=venue_id, version=after.version, state=state, featured=after.featured),
        entity=("venue", venue_id),
        venue_id=venue_id,
        before={"publication": before.state, "featured_until": before.featured_until},
        after={"publication": after.state, "featured_until": after.featured_until},
        reason=reason.strip(),
    )
    return after


def _require_fitting(ctx: Ctx, *, state: PublicationState, reason: str, featured_until: datetime | None) -> None:
    found: dict[str, str] = {}
    if state in {"degraded", "unpublished"} and not reason.strip():
        found["reason"] = "Say why, so that guests and the others know."
    if featured_until is not None:
        if state != "published":
            found["featured_until"] = "Only a published venue is featured; leave this out."
        elif featured_until.tzinfo is None or featured_until <= ctx.now:
            found["featured_until"] = "Give a time to come, with its offset."
    if found:
        raise Invalid(fields=found)


async def _read(ctx: Ctx, venue_id: UUID) -> Publication:
    return await ctx.db.one(Publication, READ, ctx.tenant_id, venue_id)
