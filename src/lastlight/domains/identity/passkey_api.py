"""The edge of passkeys, and of the second step of a sign-in."""

from lastlight.domains.identity import entrance, passkey_check, passkeys, session_tokens
from lastlight.domains.identity.accounts import Verdict
from lastlight.domains.identity.auth_api import REFUSED, signed_in_reply
from lastlight.domains.identity.credential_post import credential_post
from lastlight.domains.identity.factor_errors import (
    PasskeyKnown,
    PasskeyNotKept,
    PasskeyRefused,
    PasskeysFull,
    PasskeysUnavailable,
    SecondFactorNeeded,
    SignInLate,
)
from lastlight.domains.identity.passkey_schemas import (
    CreationOut,
    PasskeyChallengeIn,
    PasskeyId,
    PasskeyIn,
    PasskeyKeptOut,
    PasskeyLabelIn,
    PasskeyOut,
    PasskeyRemovalIn,
    PasskeySignInIn,
    RequestOut,
    SecondStepIn,
)
from lastlight.domains.identity.schemas import MeOut
from lastlight.domains.identity.second_factor import PasswordIn, own_user
from lastlight.domains.identity.session_tokens import Tokens
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.paging import Page
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Reply, get, patch, post

OWN = "it touches only what is their own"
DOOR = "it is how one signs in"
TAGS = ("Passkeys",)
SECOND = (*REFUSED[1:], SignInLate, PasskeyRefused, PasskeysUnavailable)


@credential_post(
    "/api/auth/passkeys/challenge",
    public=DOOR,
    tags=TAGS,
    raises=(PasskeysUnavailable, SignInLate),
)
async def challenge_passkey(ctx: Ctx, data: PasskeyChallengeIn) -> RequestOut:
    """Ask for a passkey to sign in with: by itself, or with a ticket after the password."""
    return await entrance.ask_for_passkey(ctx, ticket=data.ticket)


@credential_post(
    "/api/auth/session/passkey",
    public=DOOR,
    tags=TAGS,
    raises=(*REFUSED[3:], PasskeyRefused, PasskeysUnavailable),
)
async def open_passkey_session(ctx: Ctx, data: PasskeySignInIn) -> Reply[MeOut]:
    """Sign a browser in by a passkey alone, which has verified its owner; sets the HttpOnly cookie."""
    wish = entrance.wish_of(data, "cookie")
    return await signed_in_reply(ctx, session=await entrance.sign_in_by_passkey(ctx, shown=data.passkey, wish=wish))


@credential_post(
    "/api/auth/session/second-factor",
    public=DOOR,
    tags=TAGS,
    raises=SECOND,
    prepare=entrance.prepare_second_step,
)
async def finish_cookie_session(ctx: Ctx, data: SecondStepIn) -> Reply[MeOut]:
    """Finish signing a browser in, with the ticket of the first step and a code or a passkey."""
    return await signed_in_reply(ctx, session=await entrance.second_step(ctx, data=data, channel="cookie"))


@credential_post(
    "/api/auth/login/second-factor",
    public=DOOR,
    tags=TAGS,
    raises=SECOND,
    prepare=entrance.prepare_second_step,
)
async def finish_login(ctx: Ctx, data: SecondStepIn) -> Tokens:
    """Finish signing in for tokens, with the ticket of the first step and a code or a passkey."""
    return await session_tokens.issue_tokens(ctx, session=await entrance.second_step(ctx, data=data, channel="bearer"))


@get("/api/me/passkeys", signed_in=OWN, db="system", tags=TAGS)
async def list_passkeys(ctx: Ctx) -> Page[PasskeyOut]:
    """One's own passkeys."""
    return Page(await passkeys.list_passkeys(ctx))


@credential_post(
    "/api/me/passkeys/creation",
    signed_in=OWN,
    tags=TAGS,
    raises=(Invalid, SecondFactorNeeded, PasskeysFull, PasskeysUnavailable),
    prepare=passkeys.prepare_begin,
)
async def begin_passkey(ctx: Ctx, data: PasswordIn, prepared: Verdict) -> CreationOut:
    """Begin to make a passkey, with one's password: what the browser is asked with."""
    return await passkeys.begin(ctx, verdict=prepared)


@credential_post(
    "/api/me/passkeys",
    signed_in=OWN,
    status=201,
    tags=TAGS,
    raises=(Invalid, PasskeyNotKept, PasskeyKnown, PasskeysFull, PasskeysUnavailable),
)
async def keep_passkey(ctx: Ctx, data: PasskeyIn) -> PasskeyKeptOut:
    """Keep the passkey that the browser made. From now on sign-in asks for a second factor."""
    return await passkeys.keep(ctx, data=data)


@post("/api/me/passkeys/challenge", signed_in=OWN, status=200, db="system", tags=TAGS, raises=(PasskeysUnavailable,))
async def challenge_own_passkey(ctx: Ctx) -> RequestOut:
    """Ask for one of one's own passkeys, to show it in this session."""
    return await passkey_check.request_of(ctx, user_id=own_user(ctx))


@patch("/api/me/passkeys/{passkey_id:uuid}", signed_in=OWN, db="system", tags=TAGS, raises=(Invalid, NotFound))
async def rename_passkey(ctx: Ctx, passkey_id: PasskeyId, data: PasskeyLabelIn) -> PasskeyOut:
    """Give one of one's own passkeys another name."""
    return await passkeys.rename(ctx, passkey_id=passkey_id, label=data.label)


@credential_post(
    "/api/me/passkeys/{passkey_id:uuid}/removal",
    signed_in=OWN,
    status=204,
    tags=TAGS,
    raises=(Invalid, NotFound, SecondFactorNeeded),
    prepare=passkeys.prepare_begin,
)
async def remove_passkey(ctx: Ctx, passkey_id: PasskeyId, data: PasskeyRemovalIn, prepared: Verdict) -> None:
    """Remove one of one's own passkeys, with the password; it no longer signs in."""
    await passkeys.remove(ctx, passkey_id=passkey_id, verdict=prepared)


ROUTES = (
    challenge_passkey,
    open_passkey_session,
    finish_cookie_session,
    finish_login,
    list_passkeys,
    begin_passkey,
    keep_passkey,
    challenge_own_passkey,
    rename_passkey,
    remove_passkey,
)
