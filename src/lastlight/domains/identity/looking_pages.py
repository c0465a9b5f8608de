"""Looks on screens: the dialogs that begin one, and the button of the bar that ends it."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.identity import accounts_admin, looking
from lastlight.domains.identity.looking import Look
from lastlight.domains.identity.queries import venue_choices
from lastlight.domains.identity.roles import read_role
from lastlight.domains.identity.session_tokens import cookie_token
from lastlight.kernel.ids import RoleId, UserId
from lastlight.runtime.auth.cookies import (
    no_cookie,
    own_cookie,
    own_cookie_name,
    session_cookie,
    session_cookie_name,
)
from lastlight.runtime.auth.looking import IMPERSONATE, PREVIEW
from lastlight.runtime.auth.tokens import COOKIE, read, token_keys
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Cookie, Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

ACCOUNTS = "/platform/accounts"
PREVIEW_DIALOG = "identity/preview.html"
IMPERSONATION_DIALOG = "identity/impersonation.html"
KEPT_SECONDS = 3600
"""How long after a look one's own cookie still leads back by itself."""
STOPPING = "Whoever looks may always stop; the look's own cookie is the credential."


class PreviewForm(Input, frozen=True, kw_only=True):
    """At which venues. None ticked: all of them."""

    venue_ids: list[UUID] = msgspec.field(default_factory=list[UUID])


class PlaceQuery(Input, frozen=True, kw_only=True):
    """Where somebody belongs, and as what."""

    tenant: Annotated[str, msgspec.Meta(max_length=48)]
    as_: Literal["member", "patron"] = msgspec.field(name="as", default="member")


class ImpersonationForm(Input, frozen=True, kw_only=True):
    """The place, why, and for how long."""

    tenant: Annotated[str, msgspec.Meta(max_length=48)]
    as_: Literal["member", "patron"] = msgspec.field(name="as", default="member")
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""
    minutes: Literal["15", "30", "60"] = "15"


def preview_pages(prefix: str) -> tuple[Operation, ...]:
    """The preview of roles inside one console."""
    home = f"{prefix}/roles"
    one = f"{home}/{{role_id:uuid}}/preview"

    async def asked(ctx: Ctx, *, role_id: UUID) -> dict[str, Any]:
        role = await read_role(ctx, role_id=role_id)
        venues = [(str(venue.id), venue.name) for venue in await venue_choices(ctx)]
        return {"home": home, "role": role, "venues": venues}

    @page(one, permission=PREVIEW)
    async def preview_dialog(ctx: Ctx, role_id: RoleId) -> View:
        """Ask where a role is to be previewed."""
        return View(PREVIEW_DIALOG, await asked(ctx, role_id=role_id), block="dialog")

    @page_post(
        one,
        permission=PREVIEW,
        db="system",
        secret=True,
        form_page=PREVIEW_DIALOG,
        form_block="dialog",
        form_context=asked,
    )
    async def preview_submit(ctx: Ctx, role_id: RoleId, form: Form[PreviewForm], request: RequestInfo) -> Redirect:
        """See the consoles as a role would, until one ends it."""
        look = await looking.start_preview(ctx, role_id=role_id, venue_ids=form.require().venue_ids)
        return _begun(ctx, look, request, to="/")

    return (preview_dialog, preview_submit)


async def _subject(ctx: Ctx, *, user_id: UUID) -> dict[str, Any]:
    account = await accounts_admin.read_account(ctx, user_id=user_id, reported=False)
    return {"home": ACCOUNTS, "account": account, "place": None, "as_": "member", "tenant": ""}


@page(f"{ACCOUNTS}/{{user_id:uuid}}/impersonation", permission=IMPERSONATE)
async def impersonation_dialog(ctx: Ctx, user_id: UserId, query: PlaceQuery) -> View:
    """Ask why one wants to look with somebody's eyes."""
    shown = {**await _subject(ctx, user_id=user_id), "tenant": query.tenant, "as_": query.as_}
    return View(IMPERSONATION_DIALOG, shown, block="dialog")


@page_post(
    f"{ACCOUNTS}/{{user_id:uuid}}/impersonation",
    permission=IMPERSONATE,
    db="system",
    secret=True,
    form_page=IMPERSONATION_DIALOG,
    form_block="dialog",
    form_context=_subject,
)
async def impersonation_submit(
    ctx: Ctx, user_id: UserId, form: Form[ImpersonationForm], request: RequestInfo
) -> Redirect:
    """Look with somebody's eyes for a while; the business has it on record."""
    data = form.require()
    minutes: dict[str, looking.Minutes] = {"15": 15, "30": 30, "60": 60}
    look = await looking.start_impersonation(
        ctx, user_id=user_id, tenant=data.tenant, as_=data.as_, reason=data.reason, minutes=minutes[data.minutes]
    )
    return _begun(ctx, look, request, to="/")


@page_post("/looking/end", public=STOPPING, looking=STOPPING, db="system")
async def looking_end(ctx: Ctx, request: RequestInfo) -> Redirect:
    """End the look, and be oneself again."""
    settings = ctx.services.settings
    cookie = request.cookies.get(session_cookie_name(settings))
    parent = await looking.end_presented(ctx, authorization=None, cookie=cookie)
    own = request.cookies.get(own_cookie_name(settings)) or ""
    if not await looking.way_back(ctx, cookie=own) or read(token_keys(ctx.services.secrets), own, COOKIE).sid != parent:
        return Redirect("/sign-in", cookies=[no_cookie(settings), own_cookie(settings, "", seconds=0)])
    return Redirect("/", cookies=own_again(ctx, token=own), toast="You are yourself again.")


def own_again(ctx: Ctx, *, token: str) -> list[Cookie]:
    """The cookies with which somebody's own session goes on after a look."""
    settings = ctx.services.settings
    seconds = max(1, int(read(token_keys(ctx.services.secrets), token, COOKIE).exp - ctx.now.timestamp()))
    return [session_cookie(settings, token, seconds=seconds), own_cookie(settings, "", seconds=0)]


def _begun(ctx: Ctx, look: Look, request: RequestInfo, *, to: str) -> Redirect:
    """Put one's own cookie aside, and take the look's."""
    settings = ctx.services.settings
    own = request.cookies.get(session_cookie_name(settings)) or ""
    token, seconds = cookie_token(ctx, session=look.session)
    kept = own_cookie(settings, own, seconds=seconds + KEPT_SECONDS) if own else own_cookie(settings, "", seconds=0)
    return Redirect(to, cookies=[session_cookie(settings, token, seconds=seconds), kept])


LOOKING_PAGES = (
    *preview_pages("/owner"),
    *preview_pages("/platform"),
    impersonation_dialog,
    impersonation_submit,
    looking_end,
)
