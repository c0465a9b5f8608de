"""Guests as a door needs them: found by name, e-mail address or number, with when they were last here and whether they are barred."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.checkins.permissions import PATRONS_FIND
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PatronId, VenueId, VisitId
from lastlight.runtime.context import Ctx

SHORTEST = 2
MOST = 12
LAST = "\U0010ffff"
"""Behind every text that begins alike."""

FACE = """
select p.id, p.name, upper(right(p.id::text, 8)) as number, p.created_at as joined_at, p.verified_at is not null as verified,
       case when p.status_until <= now() then 'active' else p.status end as status, p.status_until,
       o.venue as inside, o.venue_id as inside_id, o.id as visit_id, l.opened_at as last_visit_at, l.venue as last_venue
from patrons p
left join lateral (
    select v.id, v.venue_id, w.name as venue from visits v join venues w on w.tenant_id = $1 and w.id = v.venue_id
    where v.tenant_id = $1 and v.patron_id = p.id and v.status = 'open' limit 1) o on true
left join lateral (
    select v.opened_at, w.name as venue from visits v join venues w on w.tenant_id = $1 and w.id = v.venue_id
    where v.tenant_id = $1 and v.patron_id = p.id and v.status <> 'voided' and ($2::uuid[] is null or v.venue_id = any($2))
    order by v.opened_at desc limit 1) l on true
where p.tenant_id = $1 and p.id = any($3)
order by l.opened_at desc nulls last, p.name, p.id
"""
# Whoever works at some venues ($2) finds those who have been there.
BEGINS = """
(select p.id from patrons p
 where p.tenant_id = $1 and p.name_key >= $3 and p.name_key < $4
   and ($2::uuid[] is null or exists (select from visits v where v.tenant_id = $1 and v.patron_id = p.id and v.status <> 'voided'
                                                             and v.venue_id = any($2)))
 limit $5)
union
(select p.id from patrons p
 where p.tenant_id = $1 and p.surname_key >= $3 and p.surname_key < $4
   and ($2::uuid[] is null or exists (select from visits v where v.tenant_id = $1 and v.patron_id = p.id and v.status <> 'voided'
                                                             and v.venue_id = any($2)))
 limit $5)
union
(select p.id from users u join patrons p on p.tenant_id = $1 and p.user_id = u.id
 where u.email = $3
   and ($2::uuid[] is null or exists (select from visits v where v.tenant_id = $1 and v.patron_id = p.id and v.status <> 'voided'
                                                             and v.venue_id = any($2)))
 limit $5)
"""
# The number is the end of the id; of an address and a name any part.
CONTAINS = """
select p.id from patrons p join users u on u.id = p.user_id
where p.tenant_id = $1
  and (strpos(p.name_key, $3) > 0 or strpos(u.email, $3) > 0 or right(p.id::text, 8) = $3 or p.id::text = $3)
  and ($2::uuid[] is null or exists (select from visits v where v.tenant_id = $1 and v.patron_id = p.id and v.status <> 'voided'
                                                            and v.venue_id = any($2)))
order by p.name_key, p.id
limit $4
"""
SEEN = """
select p.id from patrons p
where p.tenant_id = $1 and p.id = $3
  and ($2::uuid[] is null or exists (select from visits v where v.tenant_id = $1 and v.patron_id = p.id and v.status <> 'voided'
                                                            and v.venue_id = any($2)))
"""


class GuestFace(msgspec.Struct, frozen=True, kw_only=True):
    """A guest as a door needs them; visits are those at the venues that the reader may see."""

    id: PatronId
    name: str
    number: str
    joined_at: datetime
    verified: bool
    status: str
    status_until: datetime | None
    inside: str | None
    inside_id: VenueId | None
    visit_id: VisitId | None
    last_visit_at: datetime | None
    last_venue: str | None


async def find_faces(ctx: Ctx, *, text: str) -> list[GuestFace]:
    """The guests whose name or address begins so, then those that contain it or have the number; at most twelve."""
    ctx.require(PATRONS_FIND)
    wanted = " ".join(text.split()).lower().removeprefix("#")
    if len(wanted) < SHORTEST:
        return []
    venues = ctx.venues(PATRONS_FIND)
    rows = await ctx.db.fetch(BEGINS, ctx.tenant_id, venues, wanted, wanted + LAST, MOST)
    ids = list(dict.fromkeys(row["id"] for row in rows))
    if len(ids) < MOST:
        rows = await ctx.db.fetch(CONTAINS, ctx.tenant_id, venues, wanted, MOST)
        ids = list(dict.fromkeys([*ids, *(row["id"] for row in rows)]))
    return await _faces(ctx, venues=venues, ids=ids[:MOST])


async def read_face(ctx: Ctx, *, patron_id: UUID) -> GuestFace:
    """One guest; NotFound for one who was never at a venue of the reader's."""
    ctx.require(PATRONS_FIND)
    venues = ctx.venues(PATRONS_FIND)
    seen = await ctx.db.fetchval(SEEN, ctx.tenant_id, venues, patron_id)
    if seen is None:
        raise NotFound
    return (await _faces(ctx, venues=venues, ids=[seen]))[0]


async def _faces(ctx: Ctx, *, venues: Sequence[UUID] | None, ids: Sequence[UUID]) -> list[GuestFace]:
    return await ctx.db.rows(GuestFace, FACE, ctx.tenant_id, venues, list(ids)) if ids else []
