"""Guests as the business manages them: their profile, verification, suspension and bans, which hold from their next request."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.identity.errors import NothingImposed
from lastlight.domains.identity.reports import reports_of_patron
from lastlight.domains.identity.sanctions import (
    check_end,
    impose,
    plain_reason,
    sanctions_of_patron,
    sentence,
)
from lastlight.domains.identity.session_ends import bump_sessions
from lastlight.domains.identity.standing_events import PatronStandingChanged, PatronVerified
from lastlight.domains.identity.standing_schemas import PatronProfile, StandingIn, VerificationIn
from lastlight.kernel.errors import Stale
from lastlight.kernel.ids import PatronId, TenantId, UserId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

PROFILE = """
    select p.id, p.user_id, p.name, u.email, u.email_verified_at is not null as email_verified, p.birth_date,
           case when p.status_until <= now() then 'active' else p.status end as status,
           p.status_reason, p.status_until, p.verified_at, w.name as verified_by, p.created_at as joined_at, u.last_seen_at,
           coalesce(v.visits, 0) as visits, coalesce(v.open, false) as open_visit, v.last as last_visit_at,
           '{}'::text[] as sanctions, '{}'::text[] as reports, p.version
    from patrons p
    join users u on u.id = p.user_id
    left join users w on w.id = p.verified_by
    left join lateral (
        select count(*) as visits, bool_or(o.status = 'open') as open, max(o.opened_at) as last from visits o
        where o.tenant_id = $1 and o.patron_id = p.id and o.status <> 'voided') v on true
    where p.tenant_id = $1 and p.id = $2"""


class _Guest(msgspec.Struct, frozen=True):
    """A guest's standing, held while it changes."""

    id: PatronId
    user_id: UserId
    status: str
    status_until: datetime | None
    verified_at: datetime | None
    version: int


async def read_patron(ctx: Ctx, *, patron_id: UUID) -> PatronProfile:
    """A guest with their visits, what was imposed on them, and what is on record against them.

    Visits belong to a domain above, so the table is asked.
    """
    found = await ctx.db.one(PatronProfile, PROFILE, ctx.tenant_id, patron_id)
    return msgspec.structs.replace(
        found,
        sanctions=await sanctions_of_patron(ctx, patron_id=patron_id),
        reports=await reports_of_patron(ctx, patron_id=patron_id),
    )


async def change_patron_standing(ctx: Ctx, *, patron_id: UUID, data: StandingIn, version: int) -> PatronProfile:
    """Suspend or ban a guest, or let them back in. Raises Invalid, NotFound, Stale, NothingImposed."""
    reason = plain_reason(data.reason)
    check_end(ctx, status=data.status, until=data.until)
    guest = await _lock(ctx, patron_id, version)
    if data.status == "active" and guest.status == "active":
        raise NothingImposed
    await ctx.db.execute(
        """update patrons set status = $3, status_until = $4, status_reason = case when $3 = 'active' then null else $5 end
           where tenant_id = $1 and id = $2""",
        ctx.tenant_id,
        guest.id,
        data.status,
        data.until,
        reason,
    )
    await impose(ctx, user_id=guest.user_id, patron_id=guest.id, status=data.status, reason=reason, until=data.until)
    await bump_sessions(ctx, user_id=guest.user_id, tenant_id=ctx.tenant_id)
    ctx.emit(
        PatronStandingChanged(patron_id=guest.id, status=data.status),
        entity=("patron", guest.id),
        before=sentence(guest.status, guest.status_until),
        after=sentence(data.status, data.until),
        reason=reason,
    )
    return await read_patron(ctx, patron_id=guest.id)


async def verify_patron(ctx: Ctx, *, patron_id: UUID, data: VerificationIn, version: int) -> PatronProfile:
    """Note that somebody at the business saw who a guest is, or take that back. Raises NotFound, Stale."""
    guest = await _lock(ctx, patron_id, version)
    if data.verified == (guest.verified_at is not None):
        return await read_patron(ctx, patron_id=guest.id)
    await ctx.db.execute(
        """update patrons set verified_at = case when $3 then now() end, verified_by = case when $3 then $4::uuid end
           where tenant_id = $1 and id = $2""",
        ctx.tenant_id,
        guest.id,
        data.verified,
        ctx.actor.user_id,
    )
    ctx.emit(
        PatronVerified(patron_id=guest.id, verified=data.verified),
        entity=("patron", guest.id),
        before={"verified": not data.verified},
        after={"verified": data.verified},
        reason=data.reason.strip(),
    )
    return await read_patron(ctx, patron_id=guest.id)


async def _lock(ctx: Ctx, patron_id: UUID, version: int) -> _Guest:
    guest = await ctx.db.one(
        _Guest,
        """select id, user_id, status, status_until, verified_at, version from patrons
           where tenant_id = $1 and id = $2 for update""",
        ctx.tenant_id,
        patron_id,
    )
    if guest.version != version:
        raise Stale
    return guest


async def tenants_with_ended_sanctions(ctx: Ctx) -> list[TenantId]:
    """The tenants under which a sanction's time is over; the platform too."""
    rows = await ctx.db.fetch(
        """select t.id from tenants t
           where exists (select from sanctions s where s.tenant_id = t.id and s.ended_at is null and s.ends_at <= now())"""
    )
    return [TenantId(row["id"]) for row in rows]


@job("identity.end_sanctions", schedule="* * * * *", each=tenants_with_ended_sanctions)
async def end_patron_sanctions(ctx: Ctx) -> int:
    """Let back in the guests whose suspension or ban is over; how many there were. They came in already, on time."""
    rows = await ctx.db.fetch(
        """update sanctions set ended_at = now(), end_reason = 'its time was over'
           where tenant_id = $1 and patron_id is not null and ended_at is null and ends_at <= now()
           returning patron_id, user_id, kind""",
        ctx.tenant_id,
    )
    for row in rows:
        await ctx.db.execute(
            """update patrons set status = 'active', status_until = null, status_reason = null
               where tenant_id = $1 and id = $2""",
            ctx.tenant_id,
            row["patron_id"],
        )
        await bump_sessions(ctx, user_id=row["user_id"], tenant_id=ctx.tenant_id)
        ctx.emit(
            PatronStandingChanged(patron_id=row["patron_id"], status="active"),
            entity=("patron", row["patron_id"]),
            before={"status": row["kind"]},
            after={"status": "active"},
            reason="its time was over",
        )
    return len(rows)
