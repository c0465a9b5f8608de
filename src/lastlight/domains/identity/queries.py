"""Reads about oneself, and the lists of people, roles and guests."""

from datetime import datetime

import msgspec

from lastlight.domains.identity.contexts import Place, places_of
from lastlight.domains.identity.permissions import MEMBERS_READ, PATRONS_READ, ROLES_READ
from lastlight.domains.identity.schemas import (
    LookingOut,
    MemberOut,
    MeOut,
    PlaceOut,
    PreferencesOut,
    RoleOut,
    TenantBrief,
    VenueChoice,
)
from lastlight.kernel.errors import NotSignedIn
from lastlight.kernel.ids import PLATFORM, PatronId, TenantId, VenueId
from lastlight.kernel.permissions import Scope
from lastlight.runtime.context import Ctx
from lastlight.runtime.http.listing import Column, Filter, Listing

TENANT = """
    select t.id, t.slug, t.name, t.currency, t.time_zone,
           case when b.accent <> '' then '/brand/' || t.id || '/' || b.version || '/accent' else '' end as accent_css,
           case when b.logo_file_id is not null then '/brand/' || t.id || '/' || b.version || '/logo' else '' end as logo
    from tenants t left join tenant_brands b on b.tenant_id = t.id where t.id = $1"""


class PatronRow(msgspec.Struct, frozen=True, kw_only=True):
    """A guest of the business, as its people see them."""

    id: PatronId
    name: str
    status: str
    status_until: datetime | None
    verified: bool
    joined_at: datetime
    last_seen_at: datetime | None
    version: int


MEMBER_STATUS = (("active", "Active"), ("suspended", "Suspended"))
PATRON_STATUS = (("active", "Active"), ("suspended", "Suspended"), ("soft_banned", "Soft-banned"), ("banned", "Banned"))

MEMBERS: Listing[MemberOut] = Listing(
    name="members",
    label="People",
    row=MemberOut,
    permission=MEMBERS_READ,
    source="""memberships m
        join users u on u.id = m.user_id
        join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id""",
    tenant="m.tenant_id",
    venues="m.venue_ids",
    where="m.status <> 'ended'",
    key="m.id",
    columns=(
        Column(name="name", sql="u.name", label="Name", sort=True),
        Column(name="email", sql="u.email", label="E-mail", sort=True),
        Column(name="role", sql="r.name", label="Role", sort=True),
        Column(name="venue_ids", sql="m.venue_ids", label="Venues", kind="list"),
        Column(name="status", sql="m.status", label="Status", kind="enum", sort=True, choices=MEMBER_STATUS),
        Column(
            name="last_seen_at",
            sql="u.last_seen_at",
            label="Last seen",
            kind="time",
            sort=True,
            sort_sql="coalesce(u.last_seen_at, '-infinity')",
        ),
        Column(name="created_at", sql="m.created_at", label="Since", kind="time", sort=True),
        Column(
            name="email_verified", sql="u.email_verified_at is not null", label="Verified", kind="bool", shown=False
        ),
        Column(name="status_reason", sql="m.status_reason", label="Reason", shown=False),
        Column(name="role_key", sql="r.key", label="Role key", shown=False),
        Column(name="id", sql="m.id", label="Id", kind="uuid", shown=False),
        Column(name="user_id", sql="m.user_id", label="User", kind="uuid", shown=False),
        Column(name="role_id", sql="m.role_id", label="Role id", kind="uuid", shown=False),
        Column(name="updated_at", sql="m.updated_at", label="Changed", kind="time", shown=False),
        Column(name="version", sql="m.version", label="Version", kind="number", shown=False),
    ),
    filters=(
        Filter(name="role_id", sql="m.role_id", label="Role", kind="uuid"),
        Filter(name="status", sql="m.status", label="Status", kind="enum", choices=MEMBER_STATUS),
    ),
    search=("u.name", "u.email", "r.name"),
    sort="name",
)

ROLES: Listing[RoleOut] = Listing(
    name="roles",
    label="Roles",
    row=RoleOut,
    permission=ROLES_READ,
    source="roles r",
    tenant="r.tenant_id",
    where="r.archived_at is null",
    key="r.id",
    columns=(
        Column(name="name", sql="r.name", label="Role", sort=True),
        Column(name="description", sql="r.description", label="What it is for"),
        Column(name="builtin", sql="r.builtin", label="Built in", kind="bool", sort=True),
        Column(
            name="members",
            sql="""(select count(*) from memberships m
                    where m.tenant_id = r.tenant_id and m.role_id = r.id and m.status <> 'ended')""",
            label="People",
            kind="number",
        ),
        Column(name="second_factor", sql="r.second_factor", label="Second factor", kind="bool"),
        Column(name="permissions", sql="r.permissions", label="Permissions", kind="list", shown=False),
        Column(name="updated_at", sql="r.updated_at", label="Changed", kind="time", sort=True),
        Column(name="key", sql="r.key", label="Key", shown=False),
        Column(name="id", sql="r.id", label="Id", kind="uuid", shown=False),
        Column(name="version", sql="r.version", label="Version", kind="number", shown=False),
    ),
    filters=(
        Filter(name="builtin", sql="r.builtin", label="Built in", kind="bool"),
        Filter(name="second_factor", sql="r.second_factor", label="Second factor", kind="bool"),
    ),
    search=("r.name", "r.description"),
    sort="name",
)

PATRONS: Listing[PatronRow] = Listing(
    name="patrons",
    label="Guests",
    row=PatronRow,
    permission=PATRONS_READ,
    source="patrons p join users u on u.id = p.user_id",
    tenant="p.tenant_id",
    key="p.id",
    columns=(
        Column(name="name", sql="p.name", label="Name", sort=True),
        Column(name="status", sql="p.status", label="Status", kind="enum", sort=True, choices=PATRON_STATUS),
        Column(name="verified", sql="p.verified_at is not null", label="Verified", kind="bool"),
        Column(name="joined_at", sql="p.created_at", label="Joined", kind="time", sort=True),
        Column(
            name="last_seen_at",
            sql="u.last_seen_at",
            label="Last seen",
            kind="time",
            sort=True,
            sort_sql="coalesce(u.last_seen_at, '-infinity')",
        ),
        Column(name="status_until", sql="p.status_until", label="Until", kind="time", shown=False),
        Column(name="version", sql="p.version", label="Version", kind="number", shown=False),
        Column(name="id", sql="p.id", label="Id", kind="uuid", shown=False),
    ),
    filters=(
        Filter(name="status", sql="p.status", label="Status", kind="enum", choices=PATRON_STATUS),
        Filter(name="verified", sql="p.verified_at is not null", label="Verified", kind="bool"),
        Filter(name="joined_at", sql="p.created_at", label="Joined", kind="time"),
    ),
    search=("p.name",),
    sort="-joined_at",
)

LISTINGS = (MEMBERS, ROLES, PATRONS)


async def read_me(ctx: Ctx) -> MeOut:
    """Who the signed-in person is here, what they may do, and where else they may go."""
    actor = ctx.actor
    if actor.user_id is None or actor.session_id is None:
        raise NotSignedIn
    tenant = await ctx.db.row(TenantBrief, TENANT, actor.tenant_id)
    permissions = {
        name: None if venues is None else sorted(venues) for name, venues in sorted(actor.grants.held.items())
    }
    return MeOut(
        user_id=actor.user_id,
        session_id=actor.session_id,
        kind=actor.kind,
        name=actor.name,
        email=actor.email,
        email_verified=actor.email_verified,
        tenant=None if actor.kind == "guest" else tenant,
        patron_id=actor.patron_id,
        roles=list(actor.roles),
        permissions=permissions,
        preferences=await preferences(ctx),
        places=[_place(ctx, place) for place in await places_of(ctx, user_id=actor.user_id)],
        venues=await venue_choices(ctx),
        looking=own_look(ctx),
    )


def own_look(ctx: Ctx) -> LookingOut | None:
    """As whom this session only looks; None for a session of one's own."""
    look = ctx.actor.looking
    if look is None:
        return None
    return LookingOut(
        kind=look.kind,
        subject=look.subject,
        by=look.by_name,
        reason=look.reason,
        venue_ids=list(look.venue_ids),
        ends_at=look.ends_at,
    )


def _place(ctx: Ctx, place: Place) -> PlaceOut:
    current = place.tenant_id == ctx.actor.tenant_id and place.kind == ctx.actor.kind
    return PlaceOut(place.slug, place.name, place.kind, place.status, place.roles, current)


async def venue_choices(ctx: Ctx) -> list[VenueChoice]:
    """The venues that any of the actor's permissions covers, to choose one's view from.

    Venues belong to a domain above this one, so the table is asked, not the domain.
    """
    known = ctx.services.registry.permissions
    held = [venues for name, venues in ctx.actor.grants.held.items() if known[name].scope is Scope.VENUE]
    if ctx.actor.tenant_id == PLATFORM or not held or ctx.actor.kind == "patron":
        return []
    mine: list[VenueId] | None = None if None in held else sorted({v for venues in held for v in venues or ()})
    return await ctx.db.rows(
        VenueChoice,
        """select id, slug, name from venues
           where tenant_id = $1 and archived_at is null and ($2::uuid[] is null or id = any($2)) order by name, id limit 500""",
        ctx.actor.tenant_id,
        mine,
    )


async def preferences(ctx: Ctx) -> PreferencesOut:
    """One's own preferences; the defaults while none were saved."""
    found = await ctx.db.row(
        PreferencesOut,
        "select language, time_zone, theme, notifications from user_preferences where user_id = $1",
        ctx.actor.user_id,
    )
    return found or PreferencesOut(language=ctx.actor.locale)


async def tenant_of_slug(ctx: Ctx, *, slug: str) -> TenantId | None:
    """The id of a running tenant by its short name."""
    found = await ctx.db.fetchval("select id from tenants where slug = $1 and status = 'active'", slug)
    return None if found is None else TenantId(found)
