"""Where somebody may go: the platform as its crew, tenants as a member, tenants as a guest; and where a sign-in leads."""

from typing import Literal

import msgspec

from lastlight.domains.identity.errors import NoPlace
from lastlight.domains.identity.events import PatronJoined
from lastlight.kernel.ids import PLATFORM, PatronId, TenantId, UserId
from lastlight.runtime.auth.actors import check_tenant
from lastlight.runtime.auth.errors import GuestBanned, TenantPending
from lastlight.runtime.auth.tokens import SessionKind
from lastlight.runtime.context import Ctx

As = Literal["member", "patron"]


class Place(msgspec.Struct, frozen=True):
    """One place a session may be for."""

    kind: SessionKind
    tenant_id: TenantId | None = None
    patron_id: PatronId | None = None
    slug: str = ""
    name: str = ""
    status: str = "active"
    roles: list[str] = []


NOWHERE = Place("guest")

PLACES = """
    select case when m.tenant_id = $2 then 'crew' else 'member' end as kind, m.tenant_id, null::uuid as patron_id,
           t.slug, t.name, t.status, array_agg(r.name order by r.name) as roles,
           (select max(s.last_seen_at) from sessions s
            where s.tenant_id = m.tenant_id and s.user_id = $1 and s.kind <> 'patron' and s.impersonator_id is null) as used, max(m.created_at) as since
    from memberships m
    join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
    join tenants t on t.id = m.tenant_id
    where m.user_id = $1 and m.status = 'active' and r.archived_at is null
    group by m.tenant_id, t.slug, t.name, t.status
    union all
    select 'patron', p.tenant_id, p.id, t.slug, t.name, t.status, '{}'::text[],
           (select max(s.last_seen_at) from sessions s
            where s.tenant_id = p.tenant_id and s.user_id = $1 and s.kind = 'patron' and s.impersonator_id is null), p.created_at
    from patrons p
    join tenants t on t.id = p.tenant_id
    where p.user_id = $1 and not (p.status = 'banned' and coalesce(p.status_until > now(), true))
    order by kind, used desc nulls last, since desc"""


async def places_of(ctx: Ctx, *, user_id: UserId) -> list[Place]:
    """Every place of a user: crew, then member, then patron; within each the last used first."""
    return await ctx.db.rows(
        Place,
        f"select kind, tenant_id, patron_id, slug, name, status, roles from ({PLACES}) as places",  # noqa: S608 - a constant
        user_id,
        PLATFORM,
    )


async def choose_place(ctx: Ctx, *, user_id: UserId, name: str, tenant: str | None, as_: As | None) -> Place:
    """Where a sign-in or a switch leads.

    Raises NoPlace when the business is none of theirs, guest-banned when it has banned them, and tenant-pending, -suspended or -closed
    when it is theirs and does not run.
    """
    places = await places_of(ctx, user_id=user_id)
    if tenant:
        return await _place_at(ctx, user_id=user_id, name=name, slug=tenant.strip().lower(), as_=as_, places=places)
    wanted = [p for p in places if as_ is None or (p.kind == "patron") == (as_ == "patron")]
    order = {"crew": 0, "member": 1, "patron": 2, "guest": 3}
    for place in sorted(wanted, key=lambda p: (p.status != "active", order[p.kind])):
        check_tenant(place.status)
        return place
    if as_ == "member" or not places:
        await _refuse_pending(ctx, user_id=user_id, slug=None)
    if as_ == "member":
        raise NoPlace
    return NOWHERE


async def _place_at(ctx: Ctx, *, user_id: UserId, name: str, slug: str, as_: As | None, places: list[Place]) -> Place:
    here = [p for p in places if p.slug == slug and (as_ is None or (p.kind == "patron") == (as_ == "patron"))]
    if here:
        check_tenant(here[0].status)
        return here[0]
    await _refuse_pending(ctx, user_id=user_id, slug=slug)
    if as_ != "member":
        await _refuse_banned(ctx, user_id=user_id, slug=slug)
    if as_ != "patron":
        raise NoPlace
    return await join_as_patron(ctx, user_id=user_id, name=name, slug=slug)


async def join_as_patron(ctx: Ctx, *, user_id: UserId, name: str, slug: str) -> Place:
    """Make somebody a guest of a running business; NoPlace when there is none of that name."""
    tenant = await ctx.db.fetchrow(
        "select id, slug, name from tenants where slug = $1 and status = 'active' and kind = 'business'", slug
    )
    if tenant is None:
        raise NoPlace
    patron_id = await ctx.db.fetchval(
        "insert into patrons (tenant_id, user_id, name) values ($1, $2, $3) on conflict do nothing returning id",
        tenant["id"],
        user_id,
        name,
    )
    if patron_id is not None:
        ctx.emit(
            PatronJoined(patron_id=patron_id),
            entity=("patron", patron_id),
            patron_id=patron_id,
            tenant_id=TenantId(tenant["id"]),
        )
    else:
        patron_id = await ctx.db.fetchval(
            "select id from patrons where tenant_id = $1 and user_id = $2", tenant["id"], user_id
        )
    return Place("patron", TenantId(tenant["id"]), PatronId(patron_id), tenant["slug"], tenant["name"])


async def _refuse_pending(ctx: Ctx, *, user_id: UserId, slug: str | None) -> None:
    """Tell applicants that their own registration waits; to everybody else it does not exist."""
    waiting = await ctx.db.fetchval(
        "select 1 from tenants where applicant_id = $1 and status = 'pending' and ($2::text is null or slug = $2) limit 1",
        user_id,
        slug,
    )
    if waiting:
        raise TenantPending


async def _refuse_banned(ctx: Ctx, *, user_id: UserId, slug: str) -> None:
    """Tell a guest that the business has banned them, who have just proven who they are."""
    banned = await ctx.db.fetchval(
        """select 1 from patrons p join tenants t on t.id = p.tenant_id
           where t.slug = $2 and p.user_id = $1 and p.status = 'banned' and coalesce(p.status_until > now(), true)""",
        user_id,
        slug,
    )
    if banned:
        raise GuestBanned
