"""Signing in and out, and the links that come by e-mail."""

from typing import Annotated

import msgspec

from lastlight.apps.account.places import safe_next
from lastlight.apps.catalogue import home_of
from lastlight.domains import identity
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.auth.cookies import (
    known_cookie,
    no_cookie,
    own_cookie,
    own_cookie_name,
    session_cookie,
    session_cookie_name,
)
from lastlight.runtime.auth.known_devices import device_token
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.http import Form, Input, Redirect, RequestInfo, View, page, page_post
from lastlight.runtime.services import Services

DOOR = "Nobody is signed in yet where people sign in."
BY_MAIL = "The link in the e-mail is the proof."
SECOND_STEP = "account/second_step.html"
Text = Annotated[str, msgspec.Meta(max_length=500)]


class SignInQuery(Input, frozen=True, kw_only=True):
    """Where to go afterwards, and which business is meant."""

    next: Text = ""
    tenant: Annotated[str, msgspec.Meta(max_length=48)] = ""


class SignInForm(Input, frozen=True, kw_only=True):
    """What the sign-in form sends."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    password: Annotated[str, msgspec.Meta(max_length=200)]
    tenant: Annotated[str, msgspec.Meta(max_length=48)] = ""
    next: Text = ""


class SecondStepForm(Input, frozen=True, kw_only=True):
    """The ticket of the first step, and a code or what a passkey signed."""

    ticket: Annotated[str, msgspec.Meta(max_length=1_000)]
    methods: Annotated[str, msgspec.Meta(max_length=100)] = ""
    code: Annotated[str, msgspec.Meta(max_length=40)] = ""
    passkey: Annotated[str, msgspec.Meta(max_length=40_000)] = ""
    next: Text = ""


class EmailForm(Input, frozen=True, kw_only=True):
    """An address alone."""

    email: Annotated[str, msgspec.Meta(max_length=254)]


class LinkQuery(Input, frozen=True, kw_only=True):
    """The token of a link in an e-mail."""

    token: Text = ""


class LinkForm(Input, frozen=True, kw_only=True):
    """The token, sent back by a person and not by a mail scanner that follows links."""

    token: Text


class ResetForm(Input, frozen=True, kw_only=True):
    """The token and the new password."""

    token: Text
    password: Annotated[str, msgspec.Meta(max_length=200)]


@page("/", public="The front door.")
async def welcome(ctx: Ctx) -> View | Redirect:
    """Say who is welcome where; who is signed in goes to their own app."""
    if ctx.actor.user_id is not None:
        return Redirect(home_of(ctx.actor).prefix)
    return View("account/welcome.html", {"demo": ctx.services.settings.demo})


@page("/sign-in", public=DOOR)
async def sign_in_page(ctx: Ctx, query: SignInQuery, request: RequestInfo) -> View | Redirect:
    """Ask for e-mail and password. Whose preview or visit has run out goes on as themselves."""
    if ctx.actor.user_id is not None:
        home = home_of(ctx.actor)
        wanted = safe_next(query.next)
        crew_alone = ctx.actor.kind == "crew" and ctx.actor.tenant_id == PLATFORM  # back from a look, say
        elsewhere = crew_alone and not wanted.startswith((f"{home.prefix}/", "/account"))
        return Redirect(home.prefix if elsewhere else wanted or home.prefix)
    own = request.cookies.get(own_cookie_name(ctx.services.settings)) or ""
    if await identity.way_back(ctx, cookie=own):
        return Redirect(
            "/", cookies=identity.own_again(ctx, token=own), toast="Its time was over: you are yourself again."
        )
    return View(
        "account/sign_in.html",
        {**await _sign_in_again(ctx), "next": safe_next(query.next), "tenant": query.tenant},
    )


async def _check(services: Services, data: SignInForm, _actor: Actor) -> identity.Verdict:
    return await identity.check_credentials(services, email=data.email, password=data.password)


async def _sign_in_again(ctx: Ctx) -> dict[str, str]:
    return {"next": "", "tenant": "", "passkey_origin": identity.passkey_origin(ctx)}


@page_post(
    "/sign-in",
    public=DOOR,
    db="system",
    limit="auth",
    prepare=_check,
    form_page="account/sign_in.html",
    form_context=_sign_in_again,
)
async def sign_in_submit(ctx: Ctx, form: Form[SignInForm], prepared: identity.Verdict) -> View | Redirect:
    """Sign in with a cookie and go where one came from, or to one's own app; who has a second factor is asked for it."""
    data = form.require()
    wish = identity.Wish(channel="cookie", tenant=data.tenant or None)
    try:
        session = await identity.sign_in(ctx, email=data.email, verdict=prepared, wish=wish)
    except identity.SecondFactorNeeded as needed:
        return View(SECOND_STEP, {**needed.extra, "next": safe_next(data.next)})
    return _entered(ctx, session, data.next)


async def _count_code(services: Services, data: SecondStepForm, actor: Actor) -> None:
    await identity.prepare_second_step(services, identity.SecondStepIn(ticket=data.ticket, code=data.code), actor)


async def _second_step_again(_ctx: Ctx) -> dict[str, str]:
    return {"ticket": "", "methods": "", "next": ""}


@page_post(
    "/sign-in/second-factor",
    public=DOOR,
    db="system",
    limit="auth",
    prepare=_count_code,
    form_page=SECOND_STEP,
    form_context=_second_step_again,
)
async def second_step_submit(ctx: Ctx, form: Form[SecondStepForm]) -> Redirect:
    """Finish a sign-in with a code, a recovery code or a passkey."""
    data = form.require()
    shown = identity.read_shown(data.passkey) if data.passkey else None
    step = identity.SecondStepIn(ticket=data.ticket, code=data.code, passkey=shown)
    return _entered(ctx, await identity.second_step(ctx, data=step, channel="cookie"), data.next)


def _entered(ctx: Ctx, session: identity.Session, following: str) -> Redirect:
    token, seconds = identity.cookie_token(ctx, session=session)
    settings = ctx.services.settings
    own = own_cookie(settings, "", seconds=0)  # whose ever it was that looked from this browser before
    known = known_cookie(settings, device_token(ctx.services, email=ctx.actor.email, now=ctx.now))
    cookies = [session_cookie(settings, token, seconds=seconds), own, known]
    return Redirect(safe_next(following) or "/", cookies=cookies)


LEAVING = "Signing out must work when nothing else does any more."


@page_post("/sign-out", public=LEAVING, looking=LEAVING, db="system")
async def sign_out(ctx: Ctx, request: RequestInfo) -> Redirect:
    """End this session, and one's own behind a preview, and forget the cookies."""
    settings = ctx.services.settings
    for name in (session_cookie_name(settings), own_cookie_name(settings)):
        await identity.close_presented(ctx, authorization=None, cookie=request.cookies.get(name))
    cookies = [no_cookie(settings), own_cookie(settings, "", seconds=0)]
    return Redirect("/sign-in", cookies=cookies, toast="You are signed out.")


@page("/forgot", public=DOOR)
async def forgot_page(ctx: Ctx) -> View:
    """Ask whose password is forgotten."""
    return View("account/forgot.html", {"sent": False})


async def _forgot_again(_ctx: Ctx) -> dict[str, bool]:
    return {"sent": False}


@page_post("/forgot", public=DOOR, limit="auth", form_page="account/forgot.html", form_context=_forgot_again)
async def forgot_submit(ctx: Ctx, form: Form[EmailForm]) -> View:
    """Send a link, if there is such an account; the page says the same either way."""
    await identity.forgot_password(ctx, email=form.require().email)
    return View("account/forgot.html", {"sent": True})


@page("/reset", public=BY_MAIL)
async def reset_page(ctx: Ctx, query: LinkQuery) -> View:
    """Ask for the new password."""
    return View("account/reset.html", {"token": query.token})


async def _reset_again(_ctx: Ctx) -> dict[str, str]:
    return {"token": ""}


async def _hash_new(services: Services, data: ResetForm, actor: Actor) -> str:
    return await identity.prepare_reset(services, identity.ResetIn(token=data.token, password=data.password), actor)


@page_post(
    "/reset",
    public=BY_MAIL,
    db="system",
    limit="auth",
    prepare=_hash_new,
    form_page="account/reset.html",
    form_context=_reset_again,
)
async def reset_submit(ctx: Ctx, form: Form[ResetForm], prepared: str) -> Redirect:
    """Set the new password; every session ends."""
    await identity.reset_password(ctx, token=form.require().token, password_hash=prepared)
    return Redirect(
        "/sign-in", cookies=[no_cookie(ctx.services.settings)], toast="Your password is changed. Sign in with it."
    )


@page("/verify", public=BY_MAIL)
async def verify_page(ctx: Ctx, query: LinkQuery) -> View:
    """Ask for one press: mail scanners follow links, people press buttons."""
    return View("account/verify.html", {"token": query.token, "done": False})


async def _verify_again(_ctx: Ctx) -> dict[str, object]:
    return {"token": "", "done": False}


@page_post(
    "/verify",
    public=BY_MAIL,
    db="system",
    limit="auth",
    form_page="account/verify.html",
    form_context=_verify_again,
)
async def verify_submit(ctx: Ctx, form: Form[LinkForm]) -> View:
    """Take the proof of an address."""
    await identity.verify_email(ctx, token=form.require().token)
    return View("account/verify.html", {"token": "", "done": True})


SIGNING = (
    welcome,
    sign_in_page,
    sign_in_submit,
    second_step_submit,
    sign_out,
    forgot_page,
    forgot_submit,
    reset_page,
    reset_submit,
    verify_page,
    verify_submit,
)
