"""The edge of oneself, people, roles and guests."""

from lastlight.domains.identity import members, profile, queries, role_factor, roles
from lastlight.domains.identity.errors import (
    GrantsTooMuch,
    LastOwner,
    MemberAlready,
    RoleFixed,
    RoleInUse,
    RoleNameTaken,
)
from lastlight.domains.identity.factor_errors import SecondFactorFirst
from lastlight.domains.identity.permissions import MEMBERS_MANAGE, MEMBERS_READ, ROLES_MANAGE, ROLES_READ
from lastlight.domains.identity.schemas import (
    MemberChangeIn,
    MemberOut,
    MeOut,
    NameIn,
    NameOut,
    PermissionOut,
    PreferencesIn,
    PreferencesOut,
    RoleFactorIn,
    RoleIn,
    RoleOut,
)
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import MembershipId, RoleId
from lastlight.kernel.paging import Page
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import delete, get, patch, post, put
from lastlight.runtime.http.listing import listing_get

OWN = "it touches only what is their own"
ME = ("Oneself",)
PEOPLE = ("People and roles",)


@get("/api/me", signed_in=OWN, db="system", tags=ME)
async def read_me(ctx: Ctx) -> MeOut:
    """Who one is here, what one may do, and where else one may go."""
    return await queries.read_me(ctx)


@put("/api/me/name", signed_in=OWN, db="system", tags=ME, raises=(Invalid,))
async def save_name(ctx: Ctx, data: NameIn) -> NameOut:
    """Change one's own name; a business whose guest one is here knows it from now on."""
    return NameOut(await profile.rename_self(ctx, name=data.name))


@get("/api/me/preferences", signed_in=OWN, tags=ME)
async def read_preferences(ctx: Ctx) -> PreferencesOut:
    """One's own language, time zone, theme and notifications."""
    return await queries.preferences(ctx)


@put("/api/me/preferences", signed_in=OWN, tags=ME, raises=(Invalid,))
async def save_preferences(ctx: Ctx, data: PreferencesIn) -> PreferencesOut:
    """Replace one's own preferences."""
    return await profile.save_preferences(ctx, data=data)


@get("/api/members/{member_id:uuid}", permission=MEMBERS_READ, tags=PEOPLE, raises=(NotFound,))
async def read_member(ctx: Ctx, member_id: MembershipId) -> MemberOut:
    """One role of one person."""
    return await members.read_member(ctx, member_id=member_id)


@patch(
    "/api/members/{member_id:uuid}",
    permission=MEMBERS_MANAGE,
    tags=PEOPLE,
    raises=(Invalid, NotFound, Stale, GrantsTooMuch, LastOwner, MemberAlready),
)
async def change_member(ctx: Ctx, member_id: MembershipId, data: MemberChangeIn, if_match: int) -> MemberOut:
    """Change somebody's role, venues or standing; it holds from their next request."""
    return await members.change_member(ctx, member_id=member_id, data=data, version=if_match)


@delete(
    "/api/members/{member_id:uuid}",
    permission=MEMBERS_MANAGE,
    tags=PEOPLE,
    raises=(NotFound, Stale, GrantsTooMuch, LastOwner),
)
async def remove_member(ctx: Ctx, member_id: MembershipId, if_match: int) -> None:
    """Take a role from somebody; it holds from their next request."""
    await members.remove_member(ctx, member_id=member_id, version=if_match)


@get("/api/permissions", permission=ROLES_READ, tags=PEOPLE)
async def list_permissions(ctx: Ctx) -> Page[PermissionOut]:
    """Every permission that a role here may be made of, and whether one could hand it out."""
    return Page(roles.list_permissions(ctx))


@get("/api/roles/{role_id:uuid}", permission=ROLES_READ, tags=PEOPLE, raises=(NotFound,))
async def read_role(ctx: Ctx, role_id: RoleId) -> RoleOut:
    """One role and what it may do."""
    return await roles.read_role(ctx, role_id=role_id)


@post("/api/roles", permission=ROLES_MANAGE, status=201, tags=PEOPLE, raises=(Invalid, RoleNameTaken, GrantsTooMuch))
async def create_role(ctx: Ctx, data: RoleIn) -> RoleOut:
    """Create a role of one's own from permissions that one holds."""
    return await roles.create_role(ctx, data=data)


@put(
    "/api/roles/{role_id:uuid}",
    permission=ROLES_MANAGE,
    tags=PEOPLE,
    raises=(Invalid, NotFound, Stale, RoleFixed, RoleNameTaken, GrantsTooMuch),
)
async def change_role(ctx: Ctx, role_id: RoleId, data: RoleIn, if_match: int) -> RoleOut:
    """Replace what a role of one's own is called and may do; it holds for its people from their next request."""
    return await roles.change_role(ctx, role_id=role_id, data=data, version=if_match)


@put(
    "/api/roles/{role_id:uuid}/second-factor",
    permission=ROLES_MANAGE,
    db="system",
    tags=PEOPLE,
    raises=(NotFound, Stale, GrantsTooMuch, SecondFactorFirst),
)
async def require_second_factor(ctx: Ctx, role_id: RoleId, data: RoleFactorIn, if_match: int) -> RoleOut:
    """Say whether a role, a built-in one too, gives nothing before its holder shows a second factor; it holds at once."""
    return await role_factor.require_second_factor(ctx, role_id=role_id, required=data.required, version=if_match)


@delete(
    "/api/roles/{role_id:uuid}",
    permission=ROLES_MANAGE,
    tags=PEOPLE,
    raises=(NotFound, Stale, RoleFixed, RoleInUse, GrantsTooMuch),
)
async def archive_role(ctx: Ctx, role_id: RoleId, if_match: int) -> None:
    """Take a role out of use that nobody holds any more."""
    await roles.archive_role(ctx, role_id=role_id, version=if_match)


ROUTES = (
    read_me,
    save_name,
    read_preferences,
    save_preferences,
    listing_get("/api/members", queries.MEMBERS, tags=PEOPLE),
    read_member,
    change_member,
    remove_member,
    listing_get("/api/roles", queries.ROLES, tags=PEOPLE),
    read_role,
    create_role,
    change_role,
    require_second_factor,
    archive_role,
    list_permissions,
    listing_get("/api/patrons", queries.PATRONS, tags=PEOPLE),
)
