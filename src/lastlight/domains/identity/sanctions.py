"""Sanctions: what is imposed on a guest by the business, or on an account by the platform, with a reason and mostly an end.

Graded. Suspended: not through any door until a given time. Soft-banned: as before, but not through a door by themselves; staff may let
them in, with a reason. Banned: not through any door, and not into the business's (or the platform's) app either.
"""

from datetime import datetime, timedelta
from uuid import UUID

from lastlight.domains.identity.standing_schemas import SanctionOut
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx

LONGEST = timedelta(days=3660)
SANCTION = """
    select s.id, s.kind, s.reason, s.imposed_by, u.name as imposer, s.imposed_at, s.ends_at, s.ended_at, s.end_reason
    from sanctions s left join users u on u.id = s.imposed_by
    where s.tenant_id = $1 and """
NEWEST = " order by s.imposed_at desc, s.id desc limit 50"


def check_end(ctx: Ctx, *, status: str, until: datetime | None) -> None:
    """Refuse (Invalid at `until`) an end that is missing, past, or ten years away; what lifts a sanction has none."""
    if status == "active":
        if until is not None:
            raise Invalid(fields={"until": "Leave this out: what is lifted has no end."})
        return
    if until is None:
        if status == "suspended":
            raise Invalid(fields={"until": "Say until when; without an end it is a ban."})
        return
    if until.tzinfo is None:
        raise Invalid(fields={"until": "Give the time with its offset, such as 2026-12-01T06:00:00Z."})
    if not ctx.now < until <= ctx.now + LONGEST:
        raise Invalid(fields={"until": "Give a time to come, at most ten years from now; leave it out for good."})


async def impose(
    ctx: Ctx, *, user_id: UUID, patron_id: UUID | None, status: str, reason: str, until: datetime | None
) -> None:
    """Close the sanction that holds, and open the next one unless the person is let back in. The caller holds the row."""
    await ctx.db.execute(
        """update sanctions set ended_at = now(), ended_by = $4, end_reason = $5
           where tenant_id = $1 and user_id = $2 and patron_id is not distinct from $3 and ended_at is null""",
        ctx.tenant_id,
        user_id,
        patron_id,
        ctx.actor.user_id,
        reason,
    )
    if status == "active":
        return
    await ctx.db.execute(
        """insert into sanctions (tenant_id, user_id, patron_id, kind, reason, imposed_by, ends_at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        ctx.tenant_id,
        user_id,
        patron_id,
        status,
        reason,
        ctx.actor.user_id,
        until,
    )


async def sanctions_of_patron(ctx: Ctx, *, patron_id: UUID) -> list[SanctionOut]:
    """What the business imposed on a guest, the newest first."""
    return await ctx.db.rows(SanctionOut, SANCTION + "s.patron_id = $2" + NEWEST, ctx.tenant_id, patron_id)


async def sanctions_of_user(ctx: Ctx, *, user_id: UserId) -> list[SanctionOut]:
    """What the platform imposed on an account, the newest first."""
    where = "s.user_id = $2 and s.patron_id is null"
    return await ctx.db.rows(SanctionOut, SANCTION + where + NEWEST, ctx.tenant_id, user_id)


def plain_reason(reason: str) -> str:
    """A reason without needless spaces; Invalid when nothing is left."""
    plain = " ".join(reason.split())
    if not plain:
        raise Invalid(fields={"reason": "Say why; it stays on record."})
    return plain


def sentence(status: str, until: datetime | None) -> dict[str, object]:
    """A standing in the words of the audit trail."""
    return {"status": status, "until": until}
