"""Resetting somebody's second factor at the edge: the operations, and the dialogs on a member's page and on an account's."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.identity.errors import GrantsTooMuch
from lastlight.domains.identity.factor_reset import (
    FactorResetOut,
    NoFactorHeld,
    OwnFactor,
    WorksElsewhere,
    factors_of_member,
    reset_account_factors,
    reset_member_factors,
)
from lastlight.domains.identity.members import read_member
from lastlight.domains.identity.permissions import MEMBERS_FACTORS_RESET, USERS_FACTORS_RESET
from lastlight.domains.identity.second_factor_check import factors_of
from lastlight.domains.identity.standing_schemas import ReasonIn
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import MembershipId, UserId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, View, page, page_post, post

DIALOG = "identity/factor_reset.html"
TAGS = ("Second factor",)
ACCOUNTS = "/platform/accounts"
TOLD = "{name} signs in with the password alone now, and is told by e-mail."


class ResetForm(Input, frozen=True, kw_only=True):
    """Why, and how one knows who asks."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


@post(
    "/api/members/{member_id:uuid}/second-factor/reset",
    permission=MEMBERS_FACTORS_RESET,
    status=200,
    db="system",
    tags=TAGS,
    raises=(Invalid, NotFound, GrantsTooMuch, OwnFactor, WorksElsewhere, NoFactorHeld),
)
async def reset_member_factor(ctx: Ctx, member_id: MembershipId, data: ReasonIn) -> FactorResetOut:
    """Reset the second factor of somebody who works here alone and holds no more than oneself; their sessions end, and they are told."""
    return await reset_member_factors(ctx, member_id=member_id, reason=data.reason)


@post(
    "/api/admin/users/{user_id:uuid}/second-factor/reset",
    permission=USERS_FACTORS_RESET,
    status=200,
    db="system",
    tags=TAGS,
    raises=(Invalid, NotFound, GrantsTooMuch, OwnFactor, NoFactorHeld),
)
async def reset_account_factor(ctx: Ctx, user_id: UserId, data: ReasonIn) -> FactorResetOut:
    """Reset the second factor of an account; its sessions end, its owner is told by e-mail, and every business of theirs has it on record."""
    return await reset_account_factors(ctx, user_id=user_id, reason=data.reason)


def _member_pages(prefix: str) -> tuple[Operation, ...]:
    home = f"{prefix}/people"
    path = f"{home}/{{member_id:uuid}}/second-factor"

    async def facts(ctx: Ctx, *, member_id: UUID) -> dict[str, Any]:
        member = await read_member(ctx, member_id=member_id)
        found = await factors_of_member(ctx, member_id=member_id)
        return {"name": member.name, "factors": found, "here": f"{home}/{member_id}"}

    @page(path, permission=MEMBERS_FACTORS_RESET, db="system")
    async def member_factor_dialog(ctx: Ctx, member_id: MembershipId) -> View:
        """Ask whether somebody's second factor is to be reset."""
        return View(DIALOG, await facts(ctx, member_id=member_id), block="dialog")

    @page_post(
        path,
        permission=MEMBERS_FACTORS_RESET,
        db="system",
        form_page=DIALOG,
        form_block="dialog",
        form_context=facts,
    )
    async def member_factor_submit(ctx: Ctx, member_id: MembershipId, form: Form[ResetForm]) -> Redirect:
        """Reset somebody's second factor."""
        await reset_member_factors(ctx, member_id=member_id, reason=form.require().reason)
        member = await read_member(ctx, member_id=member_id)
        return Redirect(f"{home}/{member_id}", toast=TOLD.format(name=member.name))

    return (member_factor_dialog, member_factor_submit)


async def _account(ctx: Ctx, *, user_id: UUID) -> dict[str, Any]:
    found = await factors_of(ctx, user_id=user_id)
    return {"name": await _name(ctx, user_id), "factors": found, "here": f"{ACCOUNTS}/{user_id}"}


@page(f"{ACCOUNTS}/{{user_id:uuid}}/second-factor", permission=USERS_FACTORS_RESET, db="system")
async def account_factor_dialog(ctx: Ctx, user_id: UserId) -> View:
    """Ask whether an account's second factor is to be reset."""
    return View(DIALOG, await _account(ctx, user_id=user_id), block="dialog")


@page_post(
    f"{ACCOUNTS}/{{user_id:uuid}}/second-factor",
    permission=USERS_FACTORS_RESET,
    db="system",
    form_page=DIALOG,
    form_block="dialog",
    form_context=_account,
)
async def account_factor_submit(ctx: Ctx, user_id: UserId, form: Form[ResetForm]) -> Redirect:
    """Reset an account's second factor."""
    await reset_account_factors(ctx, user_id=user_id, reason=form.require().reason)
    return Redirect(f"{ACCOUNTS}/{user_id}", toast=TOLD.format(name=await _name(ctx, user_id)))


async def _name(ctx: Ctx, user_id: UUID) -> str:
    name = await ctx.db.fetchval("select name from users where id = $1", user_id)
    if name is None:
        raise NotFound
    return name


FACTOR_RESET_ROUTES = (reset_member_factor, reset_account_factor)
FACTOR_RESET_PAGES = (
    *(one for prefix in ("/owner", "/manage", "/platform") for one in _member_pages(prefix)),
    account_factor_dialog,
    account_factor_submit,
)
