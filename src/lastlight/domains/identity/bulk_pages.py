"""Many at once at the edge: the operations, the dialog that asks about those who were ticked, and the report of who was left."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.identity import bulk
from lastlight.domains.identity.bulk import MOST, MemberStandingsIn, StandingsIn, StandingsOut
from lastlight.domains.identity.permissions import MEMBERS_MANAGE, PATRONS_MODERATE
from lastlight.domains.identity.standing_pages import GUESTS, Wanted, standing_of
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import MembershipId, PatronId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, View, page, page_post, post

TEMPLATE = "identity/bulk.html"
Ids = Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=MOST)]
Text = Annotated[str, msgspec.Meta(max_length=500)]
Names = Annotated[str, msgspec.Meta(max_length=4000)]
"""Whom a dialog named, to name them again when its form is refused."""
DONE = {
    "active": ("1 person is let back in.", "{n} people are let back in."),
    "suspended": ("1 person is suspended.", "{n} people are suspended."),
    "soft_banned": ("1 person is soft-banned.", "{n} people are soft-banned."),
    "banned": ("1 person is banned.", "{n} people are banned."),
}


class ChosenGuestsQuery(Input, frozen=True, kw_only=True):
    """The guests who were ticked, and what their standing is to become."""

    ids: Ids
    to: Wanted = "suspended"


class ChosenMembersQuery(Input, frozen=True, kw_only=True):
    """The people who were ticked, and whether they are to be suspended."""

    ids: Ids
    to: Literal["active", "suspended"] = "suspended"


class ChosenGuestsForm(Input, frozen=True, kw_only=True):
    """The guests who were ticked, what their standing becomes, for how many days, and why."""

    ids: Ids
    to: Wanted
    days: Annotated[str, msgspec.Meta(max_length=4)] = ""
    reason: Text = ""
    names: Names = ""


class ChosenMembersForm(Input, frozen=True, kw_only=True):
    """The people who were ticked, whether they are suspended, and why."""

    ids: Ids
    to: Literal["active", "suspended"]
    reason: Text = ""
    names: Names = ""


@post(
    "/api/patrons/standing", permission=PATRONS_MODERATE, idempotent=True, raises=(Invalid, NotFound), tags=("Guests",)
)
async def change_patron_standings(ctx: Ctx, data: StandingsIn) -> StandingsOut:
    """Suspend, soft-ban or ban many guests, or let them back in, with one reason; those whom it cannot concern are named."""
    return await bulk.change_patron_standings(ctx, data=data)


@post(
    "/api/members/standing",
    permission=MEMBERS_MANAGE,
    idempotent=True,
    raises=(Invalid, NotFound),
    tags=("People and roles",),
)
async def change_member_standings(ctx: Ctx, data: MemberStandingsIn) -> StandingsOut:
    """Suspend many people at work, or let them back in, with one reason; those whom it cannot concern are named, with why."""
    return await bulk.change_member_standings(ctx, data=data)


def _answer(home: str, to: str, done: StandingsOut) -> View | Redirect:
    """A toast where it concerned everybody; else who was left, and why."""
    one, many = DONE[to]
    said = one if len(done.changed) == 1 else many.format(n=len(done.changed))
    if not done.left:
        return Redirect(home, toast=said)
    return View(
        TEMPLATE, {"done": done, "said": said, "to": to, "people": [], "action": "", "guests": False}, block="report"
    )


async def _again(_ctx: Ctx) -> dict[str, Any]:
    """What a dialog shows again when its form is refused; whom it is about stands in the form."""
    return {"people": None, "to": "suspended", "done": None, "said": ""}


async def _guests_again(ctx: Ctx) -> dict[str, Any]:
    return {**await _again(ctx), "action": f"{GUESTS}/chosen/standing", "guests": True}


@page(f"{GUESTS}/chosen", permission=PATRONS_MODERATE)
async def guests_chosen_dialog(ctx: Ctx, query: ChosenGuestsQuery) -> View:
    """Ask for how long and why the standing of the ticked guests changes."""
    people = await bulk.chosen_guests(ctx, patron_ids=query.ids)
    return View(TEMPLATE, {**await _guests_again(ctx), "people": people, "to": query.to}, block="dialog")


@page_post(
    f"{GUESTS}/chosen/standing",
    permission=PATRONS_MODERATE,
    form_page=TEMPLATE,
    form_block="dialog",
    form_context=_guests_again,
)
async def guests_chosen_submit(ctx: Ctx, form: Form[ChosenGuestsForm]) -> View | Redirect:
    """Suspend or ban the ticked guests, or let them back in."""
    data = form.require()
    one = standing_of(ctx, to=data.to, days=data.days, reason=data.reason)
    ids = [PatronId(one) for one in data.ids]
    wanted = StandingsIn(patron_ids=ids, status=one.status, reason=one.reason, until=one.until)
    return _answer(GUESTS, data.to, await bulk.change_patron_standings(ctx, data=wanted))


def _member_pages(prefix: str) -> tuple[Operation, ...]:
    home = f"{prefix}/people"

    async def again(ctx: Ctx) -> dict[str, Any]:
        return {**await _again(ctx), "action": f"{home}/chosen/standing", "guests": False}

    @page(f"{home}/chosen", permission=MEMBERS_MANAGE)
    async def members_chosen_dialog(ctx: Ctx, query: ChosenMembersQuery) -> View:
        """Ask why the ticked people are suspended or let back in."""
        people = await bulk.chosen_members(ctx, member_ids=query.ids)
        return View(TEMPLATE, {**await again(ctx), "people": people, "to": query.to}, block="dialog")

    @page_post(
        f"{home}/chosen/standing",
        permission=MEMBERS_MANAGE,
        form_page=TEMPLATE,
        form_block="dialog",
        form_context=again,
    )
    async def members_chosen_submit(ctx: Ctx, form: Form[ChosenMembersForm]) -> View | Redirect:
        """Suspend the ticked people, or let them back in."""
        data = form.require()
        ids = [MembershipId(one) for one in data.ids]
        wanted = MemberStandingsIn(member_ids=ids, status=data.to, reason=data.reason)
        return _answer(home, data.to, await bulk.change_member_standings(ctx, data=wanted))

    return (members_chosen_dialog, members_chosen_submit)


BULK_ROUTES = (change_patron_standings, change_member_standings)
BULK_PAGES = (
    guests_chosen_dialog,
    guests_chosen_submit,
    *(one for prefix in ("/owner", "/manage", "/platform") for one in _member_pages(prefix)),
)
