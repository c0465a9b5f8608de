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
from lastlight.runtime.http.columns import ID, VERSION, Column, Filter, ref
from lastlight.runtime.http.listing import Listing

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
    of="m",
    venues="m.venue_ids",
    where="m.status <> 'ended'",
    columns=(
        Column("name", "Name", sql="u.name", sort=True),
        Column("email", "E-mail", sql="u.email", sort=True),
        Column("role", "Role", sql="r.name", sort=True),
        Column("venue_ids", "Venues", kind="list"),
        Column("status", "Status", kind="enum", sort=True, choices=MEMBER_STATUS),
        Column(
            "last_seen_at",
            "Last seen",
            sql="u.last_seen_at",
            kind="time",
            sort=True,
            sort_sql="coalesce(u.last_seen_at, '-infinity')",
        ),
        Column("created_at", "Since", kind="time", sort=True),
        Column("email_verified", "Verified", sql="u.email_verified_at is not null", kind="bool", shown=False),
        Column("status_reason", "Reason", shown=False),
        Column("role_key", "Role key", sql="r.key", shown=False),
        ID,
        ref("user_id", "User"),
        ref("role_id", "Role id"),
        Column("updated_at", "Changed", kind="time", shown=False),
        VERSION,
    ),
    filters=(
        Filter("role_id", "Role"),
        Filter("status"),
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
    of="r",
    where="r.archived_at is null",
    columns=(
        Column("name", "Role", sort=True),
        Column("description", "What it is for"),
        Column("builtin", "Built in", kind="bool", sort=True),
        Column(
            "members",
            "People",
            sql="""(select count(*) from memberships m
                    where m.tenant_id = r.tenant_id and m.role_id = r.id and m.status <> 'ended')""",
            kind="number",
        ),
        Column("second_factor", "Second factor", kind="bool"),
        Column("permissions", "Permissions", kind="list", shown=False),
        Column("updated_at", "Changed", kind="time", sort=True),
        Column("key", "Key", shown=False),
        ID,
        VERSION,
    ),
    filters=(
        Filter("builtin"),
        Filter("second_factor"),
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
    of="p",
    columns=(
        Column("name", "Name", sort=True, sort_sql="p.name_key"),
        Column("status", "Status", kind="enum", sort=True, choices=PATRON_STATUS),
        Column("verified", "Verified", sql="p.verified_at is not null", kind="bool"),
        Column("joined_at", "Joined", sql="p.created_at", kind="time", sort=True),
        Column(
            "last_seen_at",
            "Last seen",
            sql="u.last_seen_at",
            kind="time",
            sort=True,
            sort_sql="coalesce(u.last_seen_at, '-infinity')",
        ),
        Column("status_until", "Until", kind="time", shown=False),
        VERSION,
        ID,
    ),
    filters=(
        Filter("status"),
        Filter("verified"),
        Filter("joined_at"),
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
