"""The page that an invitation's e-mail leads to: look at it, choose a name and a password where one has none, take the role."""

from typing import Annotated
from urllib.parse import quote

import msgspec

from lastlight.domains import identity
from lastlight.runtime.auth.cookies import no_cookie, own_cookie, session_cookie
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.http import Form, Input, Redirect, View, page, page_post
from lastlight.runtime.services import Services

BY_MAIL = "The link in the e-mail is the proof."
PAGE = "account/invitation.html"
Token = Annotated[str, msgspec.Meta(max_length=500)]


class InvitationQuery(Input, frozen=True, kw_only=True):
    """The token of the link."""

    token: Token = ""


class InvitationForm(Input, frozen=True, kw_only=True):
    """The token, sent back by a person; name and password where the address has no account yet."""

    token: Token
    name: Annotated[str, msgspec.Meta(max_length=120)] = ""
    password: Annotated[str, msgspec.Meta(max_length=200)] = ""


@page("/invitation", public=BY_MAIL, db="system")
async def invitation_link(ctx: Ctx, query: InvitationQuery) -> View:
    """Show what is offered, to who holds the link; of a closed one, why."""
    try:
        seen = await identity.look_at_invitation(ctx, token=query.token)
    except identity.LinkInvalid as gone:
        return View(PAGE, {"seen": None, "gone": gone.detail, "token": ""}, status=gone.status)
    return View(PAGE, {"seen": seen, "gone": "", "token": query.token})


async def _again(_ctx: Ctx) -> dict[str, object]:
    return {"seen": None, "gone": "", "token": ""}


async def _prepare(services: Services, data: InvitationForm, actor: Actor) -> str | None:
    return await identity.prepare_acceptance(services, _wanted(data), actor)


@page_post(
    "/invitation",
    public=BY_MAIL,
    db="system",
    limit="auth",
    secret=True,
    prepare=_prepare,
    form_page=PAGE,
    form_context=_again,
)
async def invitation_accept(ctx: Ctx, form: Form[InvitationForm], prepared: str | None) -> Redirect:
    """Take the role. A new account is signed in at once; who has one signs in as ever, unless they are signed in already."""
    asker = ctx.actor
    accepted = await identity.accept_invitation(ctx, data=_wanted(form.require()), password_hash=prepared)
    said = f"You are {accepted.role} at {accepted.business} now."
    settings = ctx.services.settings
    itself = asker.session_id is not None and asker.channel == "cookie" and asker.user_id == ctx.actor.user_id
    if prepared is None and not itself:
        if asker.session_id is not None:
            await identity.close(ctx, session_id=asker.session_id)
        return Redirect(
            f"/sign-in?tenant={quote(accepted.tenant)}",
            cookies=[no_cookie(settings)],
            toast=f"{said} Sign in to go there.",
        )
    if itself:
        session = await identity.switch(ctx, tenant=accepted.tenant, as_="member")
    else:
        session = await identity.enter_accepted(ctx, tenant=accepted.tenant)
    token, seconds = identity.cookie_token(ctx, session=session)
    cookies = [session_cookie(settings, token, seconds=seconds), own_cookie(settings, "", seconds=0)]
    return Redirect("/", cookies=cookies, toast=said)


def _wanted(data: InvitationForm) -> identity.AcceptIn:
    return identity.AcceptIn(token=data.token, name=data.name, password=data.password)


INVITATION_LINK = (invitation_link, invitation_accept)
