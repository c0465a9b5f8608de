"""Accounts as the platform's crew manages them: everywhere at once, from the person's next request on."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from lastlight.domains.identity.errors import NothingImposed, SanctionsCrew
from lastlight.domains.identity.reports import count_reports_of_user
from lastlight.domains.identity.sanctions import check_end, impose, plain_reason, sanctions_of_user, sentence
from lastlight.domains.identity.session_ends import bump_sessions
from lastlight.domains.identity.standing_events import UserStandingChanged
from lastlight.domains.identity.standing_schemas import AccountPlace, AccountProfile, StandingIn, SuspendIn
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import PLATFORM, UserId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job

# every tenant: the crew sees an account with the visits it made anywhere
PROFILE = """
    select u.id, u.name, u.email, u.email_verified_at is not null as email_verified,
           case when u.status <> 'closed' and u.status_until <= now() then 'active' else u.status end as status,
           u.status_reason, u.status_until, u.last_seen_at, u.created_at, u.version,
           (select count(*) from sessions s
            where s.user_id = u.id and s.revoked_at is null and s.expires_at > now()) as open_sessions,
           coalesce(v.visits, 0) as visits, v.last as last_visit_at, 0 as reports, 0 as reported_at,
           '{}'::text[] as places, '{}'::text[] as sanctions
    from users u
    left join lateral (
        select count(*) as visits, max(o.opened_at) as last
        from patrons p join visits o on o.tenant_id = p.tenant_id and o.patron_id = p.id
        where p.user_id = u.id and o.status <> 'voided') v on true
    where u.id = $1"""
# every tenant: the crew sees every place that an account belongs to
PLACES = """
    select t.slug as tenant, t.name, case when m.tenant_id = $2 then 'crew' else 'member' end as kind, r.name as role, m.status
    from memberships m
    join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
    join tenants t on t.id = m.tenant_id
    where m.user_id = $1 and m.status <> 'ended'
    union all
    select t.slug, t.name, 'patron', 'Guest', p.status from patrons p join tenants t on t.id = p.tenant_id where p.user_id = $1
    order by kind, name limit 200"""


class _Account(msgspec.Struct, frozen=True):
    """An account's standing, held while it changes."""

    id: UserId
    status: str
    status_until: datetime | None
    version: int
    crew: bool


async def read_account(ctx: Ctx, *, user_id: UUID, reported: bool = True) -> AccountProfile:
    """An account with its places, visits, how often it was reported, and what was imposed on it.

    Without `reported` the reports are left out, which the system's role of the database does not read.
    """
    found = await ctx.db.one(AccountProfile, PROFILE, user_id)
    reports, reported_at = await count_reports_of_user(ctx, user_id=found.id) if reported else (0, 0)
    return msgspec.structs.replace(
        found,
        reports=reports,
        reported_at=reported_at,
        places=await ctx.db.rows(AccountPlace, PLACES, user_id, PLATFORM),
        sanctions=await sanctions_of_user(ctx, user_id=found.id),
    )


async def change_account_standing(
    ctx: Ctx, *, user_id: UUID, data: StandingIn, version: int | None = None
) -> AccountProfile:
    """Suspend or ban an account, or let it back in. Raises Invalid, NotFound, Stale, NothingImposed, SanctionsCrew."""
    reason = plain_reason(data.reason)
    check_end(ctx, status=data.status, until=data.until)
    account = await ctx.db.one(
        _Account,
        """select id, status, status_until, version,
                  exists (select from memberships m
                          where m.tenant_id = $2 and m.user_id = users.id and m.status = 'active') as crew
           from users where id = $1 for update""",
        user_id,
        PLATFORM,
    )
    if version is not None and account.version != version:
        raise Stale
    if account.status == "closed":
        raise NotFound
    if account.crew and data.status != "active":
        raise SanctionsCrew
    if data.status == account.status == "active":
        raise NothingImposed
    await _set(ctx, user_id=account.id, status=data.status, reason=reason, until=data.until)
    await impose(ctx, user_id=account.id, patron_id=None, status=data.status, reason=reason, until=data.until)
    ctx.emit(
        UserStandingChanged(user_id=account.id, status=data.status),
        entity=("user", account.id),
        before=sentence(account.status, account.status_until),
        after=sentence(data.status, data.until),
        reason=reason,
    )
    return await read_account(ctx, user_id=account.id)


async def suspend_account(ctx: Ctx, *, user_id: UUID, data: SuspendIn) -> AccountProfile:
    """Suspend an account until a moment, or for a number of days. Raises as change_account_standing."""
    if (data.until is None) == (data.days is None):
        raise Invalid(fields={"until": "Say until when, or for how many days: one of the two."})
    until = data.until if data.days is None else ctx.now + timedelta(days=data.days)
    return await change_account_standing(
        ctx, user_id=user_id, data=StandingIn(status="suspended", reason=data.reason, until=until)
    )


async def _set(ctx: Ctx, *, user_id: UUID, status: str, reason: str, until: datetime | None) -> None:
    await ctx.db.execute(
        """update users set status = $2, status_until = $3, status_reason = case when $2 = 'active' then null else $4 end
           where id = $1""",
        user_id,
        status,
        until,
        reason,
    )
    await bump_sessions(ctx, user_id=user_id)


@job("identity.end_account_sanctions", schedule="* * * * *", each="platform")
async def end_account_sanctions(ctx: Ctx) -> int:
    """Let back in the accounts whose suspension or ban is over; how many there were. They came in already, on time."""
    rows = await ctx.db.fetch(
        """update sanctions set ended_at = now(), end_reason = 'its time was over'
           where tenant_id = $1 and patron_id is null and ended_at is null and ends_at <= now()
           returning user_id, kind""",
        PLATFORM,
    )
    for row in rows:
        await _set(ctx, user_id=row["user_id"], status="active", reason="", until=None)
        ctx.emit(
            UserStandingChanged(user_id=row["user_id"], status="active"),
            entity=("user", row["user_id"]),
            before={"status": row["kind"]},
            after={"status": "active"},
            reason="its time was over",
        )
    return len(rows)
