"""The edge of people admin: guests of a business, and accounts of the platform."""

from lastlight.domains.identity import accounts_admin, guests_admin
from lastlight.domains.identity.errors import NothingImposed, SanctionsCrew
from lastlight.domains.identity.permissions import PATRONS_MODERATE, PATRONS_READ, USERS_MODERATE, USERS_READ
from lastlight.domains.identity.standing_schemas import (
    AccountProfile,
    AccountRow,
    PatronProfile,
    ReasonIn,
    StandingIn,
    SuspendIn,
    VerificationIn,
)
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import PatronId, UserId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, post, put
from lastlight.runtime.http.columns import ID, Column, Filter
from lastlight.runtime.http.listing import Listing, listing_get

GUESTS = ("Guests",)
ACCOUNTS = ("Accounts",)
STATUS = (
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("soft_banned", "Soft-banned"),
    ("banned", "Banned"),
    ("closed", "Closed"),
)
CHANGES = (Invalid, NotFound, Stale, NothingImposed, SanctionsCrew)

USERS: Listing[AccountRow] = Listing(
    name="users",
    label="Accounts",
    row=AccountRow,
    permission=USERS_READ,
    source="users u",
    of="u",
    tenant="'00000000-0000-0000-0000-000000000000'::uuid",
    columns=(
        Column("name", "Name", sort=True),
        Column("email", "E-mail", sort=True),
        Column("status", "Status", kind="enum", sort=True, choices=STATUS),
        Column("status_until", "Until", kind="time"),
        Column("email_verified", "Verified", sql="u.email_verified_at is not null", kind="bool"),
        Column("last_seen_at", "Last seen", kind="time", sort=True, sort_sql="coalesce(u.last_seen_at, '-infinity')"),
        Column("created_at", "Since", kind="time", sort=True),
        ID,
    ),
    filters=(
        Filter("status"),
        Filter("created_at"),
    ),
    search=("u.name", "u.email"),
    sort="-created_at",
)


@get(
    "/api/patrons/{patron_id:uuid}",
    permission=PATRONS_READ,
    tags=GUESTS,
    raises=(NotFound,),
)
async def read_patron(ctx: Ctx, patron_id: PatronId) -> PatronProfile:
    """A guest: who they are, when they were here, and what was imposed on them."""
    found = await guests_admin.read_patron(ctx, patron_id=patron_id)
    ctx.record("patron.profile_read", entity=("patron", found.id))
    return found


@put(
    "/api/patrons/{patron_id:uuid}/standing",
    permission=PATRONS_MODERATE,
    tags=GUESTS,
    raises=(Invalid, NotFound, Stale, NothingImposed),
)
async def change_patron_standing(ctx: Ctx, patron_id: PatronId, data: StandingIn, if_match: int) -> PatronProfile:
    """Suspend a guest until a time, soft-ban or ban them, or let them back in; it holds from their next request."""
    return await guests_admin.change_patron_standing(ctx, patron_id=patron_id, data=data, version=if_match)


@put(
    "/api/patrons/{patron_id:uuid}/verification",
    permission=PATRONS_MODERATE,
    tags=GUESTS,
    raises=(NotFound, Stale),
)
async def verify_patron(ctx: Ctx, patron_id: PatronId, data: VerificationIn, if_match: int) -> PatronProfile:
    """Note that somebody saw who a guest is, or take that back."""
    return await guests_admin.verify_patron(ctx, patron_id=patron_id, data=data, version=if_match)


@get(
    "/api/admin/users/{user_id:uuid}",
    permission=USERS_READ,
    tags=ACCOUNTS,
    raises=(NotFound,),
    sensitive="user.profile_read",
)
async def read_account(ctx: Ctx, user_id: UserId) -> AccountProfile:
    """An account: where it belongs, when it was seen, and what was imposed on it."""
    return await accounts_admin.read_account(ctx, user_id=user_id)


@put("/api/admin/users/{user_id:uuid}/standing", permission=USERS_MODERATE, tags=ACCOUNTS, raises=CHANGES)
async def change_account_standing(ctx: Ctx, user_id: UserId, data: StandingIn, if_match: int) -> AccountProfile:
    """Suspend an account until a time, soft-ban or ban it, or let it back in; everywhere, from its next request."""
    return await accounts_admin.change_account_standing(ctx, user_id=user_id, data=data, version=if_match)


@post(
    "/api/admin/users/{user_id:uuid}/suspend",
    permission=USERS_MODERATE,
    status=200,
    tags=ACCOUNTS,
    raises=CHANGES,
)
async def suspend_account(ctx: Ctx, user_id: UserId, data: SuspendIn) -> AccountProfile:
    """Suspend an account until a moment, or for a number of days."""
    return await accounts_admin.suspend_account(ctx, user_id=user_id, data=data)


@post(
    "/api/admin/users/{user_id:uuid}/reactivate",
    permission=USERS_MODERATE,
    status=200,
    tags=ACCOUNTS,
    raises=CHANGES,
)
async def reactivate_account(ctx: Ctx, user_id: UserId, data: ReasonIn) -> AccountProfile:
    """Lift whatever the platform imposed on an account."""
    return await accounts_admin.change_account_standing(
        ctx, user_id=user_id, data=StandingIn(status="active", reason=data.reason)
    )


ROUTES = (
    read_patron,
    change_patron_standing,
    verify_patron,
    listing_get("/api/admin/users", USERS, tags=ACCOUNTS),
    read_account,
    change_account_standing,
    suspend_account,
    reactivate_account,
)
