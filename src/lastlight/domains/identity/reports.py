"""What stands on record against a guest: flags of the door, alerts about their behaviour, and what staff had to do.

All of it belongs to domains above, so the tables are asked; nobody sees here what they could not see there.
"""

from uuid import UUID

from lastlight.domains.identity.standing_schemas import ReportOut
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.context import Ctx

FLAGS, SAFETY = "checkins.flags.read", "safety.read"
COUNTED = "('behaviour', 'drinks', 'age')"
"""The alerts that say something about the guest, and not about the length or the price of a visit."""
OF_PATRON = f"""
    select r.source, r.id, r.kind, r.words, r.status, r.at, r.venue_id, v.name as venue
    from (
        select 'flag' as source, f.id, f.kind, f.detail as words, f.status, f.happened_at as at, f.venue_id
        from checkin_flags f
        where f.tenant_id = $1 and f.patron_id = $2 and f.status <> 'dismissed' and ($3::uuid[] is null or f.venue_id = any($3))
        union all
        select 'alert', a.id, a.kind, a.summary, a.status, a.raised_at, a.venue_id
        from safety_alerts a
        where a.tenant_id = $1 and a.patron_id = $2 and a.kind in {COUNTED} and ($4::uuid[] is null or a.venue_id = any($4))
        union all
        select 'intervention', i.id, i.kind, case when i.outcome = '' then i.note else i.outcome end, i.status, i.recorded_at, i.venue_id
        from safety_interventions i
        where i.tenant_id = $1 and i.patron_id = $2 and ($4::uuid[] is null or i.venue_id = any($4))
    ) r
    join venues v on v.tenant_id = $1 and v.id = r.venue_id
    order by r.at desc, r.id desc limit 50"""  # noqa: S608 - a constant
# every tenant: the crew sees how often something was reported about an account, and at how many businesses
OF_USER = f"""
    select (select count(*) from checkin_flags f
            where f.tenant_id = p.tenant_id and f.patron_id = p.id and f.status <> 'dismissed')
         + (select count(*) from safety_alerts a
            where a.tenant_id = p.tenant_id and a.patron_id = p.id and a.kind in {COUNTED})
         + (select count(*) from safety_interventions i where i.tenant_id = p.tenant_id and i.patron_id = p.id) as reports
    from patrons p where p.user_id = $1"""  # noqa: S608 - a constant


async def reports_of_patron(ctx: Ctx, *, patron_id: UUID) -> list[ReportOut]:
    """What stands on record against a guest, at the venues where the reader may see it; the newest first."""
    return await ctx.db.rows(ReportOut, OF_PATRON, ctx.tenant_id, patron_id, _venues(ctx, FLAGS), _venues(ctx, SAFETY))


async def count_reports_of_user(ctx: Ctx, *, user_id: UserId) -> tuple[int, int]:
    """How often something was reported about an account anywhere, and at how many businesses."""
    counts: list[int] = [row["reports"] for row in await ctx.db.fetch(OF_USER, user_id) if row["reports"]]
    return sum(counts), len(counts)


def _venues(ctx: Ctx, name: str) -> list[VenueId] | None:
    """Where the reader holds a permission of a domain above: None for everywhere, empty where they lack it."""
    permission = ctx.services.registry.permissions.get(name)
    return [] if permission is None else ctx.venues(permission)
