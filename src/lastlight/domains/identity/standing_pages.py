"""People admin on screens: a business's guests, and for the crew every account; their profiles, verification and sanctions."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.identity import accounts_admin, guests_admin
from lastlight.domains.identity.permissions import PATRONS_MODERATE, PATRONS_READ, USERS_MODERATE, USERS_READ
from lastlight.domains.identity.queries import PATRONS
from lastlight.domains.identity.standing_api import USERS
from lastlight.domains.identity.standing_schemas import StandingIn, VerificationIn
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import PatronId, UserId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, View, page, page_post

GUESTS = "/manage/guests"
GUEST = f"{GUESTS}/{{patron_id:uuid}}"
ACCOUNTS = "/platform/accounts"
ACCOUNT = f"{ACCOUNTS}/{{user_id:uuid}}"
STANDING_DIALOG = "identity/standing.html"
VERIFICATION_DIALOG = "identity/verification.html"
GUEST_EVENTS = ["patron.joined", "patron.standing_changed", "patron.verification_changed"]
ACCOUNT_EVENTS = ["user.standing_changed", "user.second_factor_reset"]
Wanted = Literal["active", "suspended", "soft_banned", "banned"]
DONE = {
    "active": "{name} is let back in.",
    "suspended": "{name} is suspended.",
    "soft_banned": "{name} is soft-banned: only staff can let them in.",
    "banned": "{name} is banned.",
}


class StandingQuery(Input, frozen=True, kw_only=True):
    """What is asked about."""

    to: Wanted = "suspended"


class StandingForm(Input, frozen=True, kw_only=True):
    """What somebody's standing becomes, for how many days (none: for good), and why."""

    to: Wanted
    days: Annotated[str, msgspec.Meta(max_length=4)] = ""
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    version: int


class VerificationForm(Input, frozen=True, kw_only=True):
    """Whether somebody saw who this is, and how they know."""

    verified: bool = False
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    version: int


@page(GUESTS, permission=PATRONS_READ, listing=PATRONS)
async def guests_page(ctx: Ctx, query: Any) -> View:
    """List the guests of the business."""
    view = await PATRONS.view(ctx, query)
    shown = {"view": view, "home": GUESTS, "paged": bool(query.after), "events": GUEST_EVENTS}
    return View("identity/guests.html", {**shown, "may_moderate": ctx.allows(PATRONS_MODERATE)})


async def _guest(ctx: Ctx, *, patron_id: UUID) -> dict[str, Any]:
    guest = await guests_admin.read_patron(ctx, patron_id=patron_id)
    return {
        "person": guest,
        "home": GUESTS,
        "here": f"{GUESTS}/{patron_id}",
        "events": GUEST_EVENTS,
        "may_moderate": ctx.allows(PATRONS_MODERATE),
        "to": "suspended",
        "history": await entity_history(ctx, entity="patron", entity_id=patron_id),
    }


@page(GUEST, permission=PATRONS_READ, sensitive="patron.profile_read")
async def guest_page(ctx: Ctx, patron_id: PatronId) -> View:
    """Show a guest: who, when they were here, and what was imposed on them."""
    return View("identity/guest.html", await _guest(ctx, patron_id=patron_id))


@page(f"{GUEST}/standing", permission=PATRONS_MODERATE)
async def guest_standing_dialog(ctx: Ctx, patron_id: PatronId, query: StandingQuery) -> View:
    """Ask for how long and why a guest's standing changes."""
    shown = {**await _guest(ctx, patron_id=patron_id), "to": query.to}
    return View(STANDING_DIALOG, shown, block="dialog")


@page_post(
    f"{GUEST}/standing",
    permission=PATRONS_MODERATE,
    form_page=STANDING_DIALOG,
    form_block="dialog",
    form_context=_guest,
)
async def guest_standing_submit(ctx: Ctx, patron_id: PatronId, form: Form[StandingForm]) -> Redirect:
    """Suspend or ban a guest, or let them back in; from their next request on."""
    data = form.require()
    guest = await guests_admin.change_patron_standing(
        ctx, patron_id=patron_id, data=_standing(ctx, data), version=data.version
    )
    return Redirect(f"{GUESTS}/{patron_id}", toast=DONE[data.to].format(name=guest.name))


@page(f"{GUEST}/verification", permission=PATRONS_MODERATE)
async def verification_dialog(ctx: Ctx, patron_id: PatronId) -> View:
    """Ask how one knows who a guest is."""
    return View(VERIFICATION_DIALOG, await _guest(ctx, patron_id=patron_id), block="dialog")


@page_post(
    f"{GUEST}/verification",
    permission=PATRONS_MODERATE,
    form_page=VERIFICATION_DIALOG,
    form_block="dialog",
    form_context=_guest,
)
async def verification_submit(ctx: Ctx, patron_id: PatronId, form: Form[VerificationForm]) -> Redirect:
    """Note that one saw who a guest is, or take that back."""
    data = form.require()
    wanted = VerificationIn(verified=data.verified, reason=data.reason)
    guest = await guests_admin.verify_patron(ctx, patron_id=patron_id, data=wanted, version=data.version)
    said = f"{guest.name} is verified." if data.verified else f"{guest.name} is no longer verified."
    return Redirect(f"{GUESTS}/{patron_id}", toast=said)


@page(ACCOUNTS, permission=USERS_READ, listing=USERS)
async def accounts_page(ctx: Ctx, query: Any) -> View:
    """List every account of the platform."""
    view = await USERS.view(ctx, query)
    shown = {"view": view, "home": ACCOUNTS, "paged": bool(query.after), "events": ACCOUNT_EVENTS}
    return View("identity/accounts.html", shown)


async def _account(ctx: Ctx, *, user_id: UUID) -> dict[str, Any]:
    account = await accounts_admin.read_account(ctx, user_id=user_id)
    return {
        "person": account,
        "home": ACCOUNTS,
        "here": f"{ACCOUNTS}/{user_id}",
        "events": ACCOUNT_EVENTS,
        "may_moderate": ctx.allows(USERS_MODERATE) and all(place.kind != "crew" for place in account.places),
        "to": "suspended",
        "history": await entity_history(ctx, entity="user", entity_id=user_id),
    }


@page(ACCOUNT, permission=USERS_READ, sensitive="user.profile_read")
async def account_profile_page(ctx: Ctx, user_id: UserId) -> View:
    """Show an account: where it belongs, when it was seen, and what was imposed on it."""
    return View("identity/account.html", await _account(ctx, user_id=user_id))


@page(f"{ACCOUNT}/standing", permission=USERS_MODERATE)
async def account_standing_dialog(ctx: Ctx, user_id: UserId, query: StandingQuery) -> View:
    """Ask for how long and why an account's standing changes."""
    shown = {**await _account(ctx, user_id=user_id), "to": query.to}
    return View(STANDING_DIALOG, shown, block="dialog")


@page_post(
    f"{ACCOUNT}/standing",
    permission=USERS_MODERATE,
    form_page=STANDING_DIALOG,
    form_block="dialog",
    form_context=_account,
)
async def account_standing_submit(ctx: Ctx, user_id: UserId, form: Form[StandingForm]) -> Redirect:
    """Suspend or ban an account everywhere, or let it back in; from its next request on."""
    data = form.require()
    account = await accounts_admin.change_account_standing(
        ctx, user_id=user_id, data=_standing(ctx, data), version=data.version
    )
    return Redirect(f"{ACCOUNTS}/{user_id}", toast=DONE[data.to].format(name=account.name))


def standing_of(ctx: Ctx, *, to: Wanted, days: str, reason: str) -> StandingIn:
    """What a form says, with its days as a moment; Invalid at its fields."""
    if not reason.strip():
        raise Invalid(fields={"reason": "Say why; it stays on record."})
    until: datetime | None = None
    if to != "active" and days:
        if not days.isdecimal() or not 1 <= int(days) <= 3650:
            raise Invalid(fields={"days": "Choose for how long, at most ten years."})
        until = ctx.now + timedelta(days=int(days))
    if to == "suspended" and until is None:
        raise Invalid(fields={"days": "Choose for how long; without an end it is a ban."})
    return StandingIn(status=to, reason=reason, until=until)


def _standing(ctx: Ctx, data: StandingForm) -> StandingIn:
    return standing_of(ctx, to=data.to, days=data.days, reason=data.reason)


STANDING_PAGES = (
    guests_page,
    guest_page,
    guest_standing_dialog,
    guest_standing_submit,
    verification_dialog,
    verification_submit,
    accounts_page,
    account_profile_page,
    account_standing_dialog,
    account_standing_submit,
)
