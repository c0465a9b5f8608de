"""The edge of signing in and out, accounts and passwords."""

from lastlight.domains.identity import entrance, session_ends, session_tokens, sessions
from lastlight.domains.identity.accounts import Verdict
from lastlight.domains.identity.credential_post import credential_post
from lastlight.domains.identity.errors import (
    BrowserSession,
    NoPlace,
    RefreshInvalid,
    RefreshReused,
    WrongCredentials,
)
from lastlight.domains.identity.factor_errors import SecondFactorNeeded, SecondFactorWrong
from lastlight.domains.identity.queries import read_me
from lastlight.domains.identity.schemas import (
    LoginIn,
    MeOut,
    RefreshIn,
    SwitchIn,
)
from lastlight.domains.identity.session_tokens import Tokens
from lastlight.domains.identity.sessions import SessionOut
from lastlight.kernel.errors import NotFound, NotSignedIn
from lastlight.kernel.ids import SessionId
from lastlight.kernel.paging import Page
from lastlight.runtime.auth.actors import load_actor
from lastlight.runtime.auth.cookies import (
    known_cookie,
    no_cookie,
    own_cookie,
    own_cookie_name,
    session_cookie,
    session_cookie_name,
)
from lastlight.runtime.auth.errors import (
    AccountSuspended,
    GuestBanned,
    MembershipEnded,
    TenantClosed,
    TenantPending,
    TenantSuspended,
)
from lastlight.runtime.auth.known_devices import device_token
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Reply, RequestInfo, delete, get, post, put
from lastlight.runtime.http.decode import decode_json

TAGS = ("Signing in",)
REFUSED = (
    WrongCredentials,
    SecondFactorNeeded,
    SecondFactorWrong,
    AccountSuspended,
    NoPlace,
    GuestBanned,
    TenantPending,
    TenantSuspended,
    TenantClosed,
)
OWN = "it touches only what is their own"
LEAVING = "signing out must work when nothing else does any more"
SWITCHING = "one goes only where one has a place, or joins as a guest"


@credential_post(
    "/api/auth/login",
    public="it is how one signs in",
    tags=TAGS,
    raises=REFUSED,
    prepare=entrance.prepare_login,
)
async def login(ctx: Ctx, data: LoginIn, prepared: Verdict) -> Tokens:
    """Sign in with e-mail and password and get an access token (15 minutes) and a refresh token (7 days).

    Without `tenant` one comes in as the platform's crew, else where one was last, else as a guest without a business.
    """
    wish = entrance.wish_of(data, "bearer")
    session = await entrance.sign_in(ctx, email=data.email, verdict=prepared, wish=wish, code=data.code)
    return await session_tokens.issue_tokens(ctx, session=session)


@credential_post(
    "/api/auth/session",
    public="it is how a browser signs in",
    tags=TAGS,
    raises=REFUSED,
    prepare=entrance.prepare_login,
)
async def open_cookie_session(ctx: Ctx, data: LoginIn, prepared: Verdict) -> Reply[MeOut]:
    """Sign a browser in: sets the HttpOnly cookie of the consoles and says who one is."""
    wish = entrance.wish_of(data, "cookie")
    session = await entrance.sign_in(ctx, email=data.email, verdict=prepared, wish=wish, code=data.code)
    return await signed_in_reply(ctx, session=session)


async def signed_in_reply(ctx: Ctx, *, session: sessions.Session) -> Reply[MeOut]:
    """Who one now is, with the cookie that says so."""
    token, seconds = session_tokens.cookie_token(ctx, session=session)
    ctx.actor = await load_actor(ctx.db, ctx.services.registry, session.id)
    settings = ctx.services.settings
    known = known_cookie(settings, device_token(ctx.services, email=ctx.actor.email, now=ctx.now))
    cookies = [session_cookie(settings, token, seconds=seconds), own_cookie(settings, "", seconds=0), known]
    return Reply(value=await read_me(ctx), cookies=cookies)


@delete("/api/auth/session", public=LEAVING, looking=LEAVING, db="system", tags=TAGS)
async def close_cookie_session(ctx: Ctx, request: RequestInfo) -> Reply[None]:
    """Sign this browser out, of a look and of one's own session behind it."""
    settings = ctx.services.settings
    for name in (session_cookie_name(settings), own_cookie_name(settings)):
        await session_ends.close_presented(ctx, authorization=None, cookie=request.cookies.get(name))
    return Reply(value=None, cookies=[no_cookie(settings), own_cookie(settings, "", seconds=0)])


@post(
    "/api/auth/refresh",
    public="the refresh token is the credential",
    status=200,
    db="system",
    limit="refresh",
    secret=True,
    tags=TAGS,
    raises=(
        RefreshInvalid,
        RefreshReused,
        AccountSuspended,
        TenantPending,
        TenantSuspended,
        TenantClosed,
        MembershipEnded,
    ),
)
async def refresh(ctx: Ctx, data: RefreshIn) -> Tokens:
    """Trade the refresh token for a new pair. It works once; the second use of one ends the whole session."""
    return await session_tokens.refresh(ctx, token=data.refresh_token)


@post(
    "/api/auth/logout",
    public=LEAVING,
    looking=LEAVING,
    status=204,
    db="system",
    tags=TAGS,
    raises=(RefreshInvalid, NotSignedIn),
)
async def logout(ctx: Ctx, body: bytes, request: RequestInfo) -> None:
    """End the session of the access token, or of the refresh token in the body: its tokens stop working at once."""
    if body.strip():
        token = decode_json(body, RefreshIn).refresh_token
        await session_ends.close(ctx, session_id=await session_tokens.session_of_refresh(ctx, token=token))
        return
    cookie = request.cookies.get(session_cookie_name(ctx.services.settings))
    if not await session_ends.close_presented(ctx, authorization=request.headers.get("authorization"), cookie=cookie):
        raise NotSignedIn


@post("/api/auth/logout-all", signed_in=OWN, status=204, db="system", tags=TAGS)
async def logout_all(ctx: Ctx) -> None:
    """End every session of one's own, this one too."""
    assert ctx.actor.user_id is not None
    await session_ends.revoke_all(ctx, user_id=ctx.actor.user_id, why="signed out everywhere")


@get("/api/auth/sessions", signed_in=OWN, db="system", tags=TAGS)
async def list_sessions(ctx: Ctx) -> Page[SessionOut]:
    """One's own sessions that stand, the last used first."""
    return Page(await sessions.list_own(ctx))


@delete("/api/auth/sessions", signed_in=OWN, db="system", tags=TAGS)
async def revoke_other_sessions(ctx: Ctx) -> None:
    """End every other session of one's own; this one goes on."""
    assert ctx.actor.user_id is not None
    await session_ends.revoke_all(
        ctx, user_id=ctx.actor.user_id, why="ended from another device", keep=ctx.actor.session_id
    )


@delete("/api/auth/sessions/{session_id:uuid}", signed_in=OWN, db="system", tags=TAGS, raises=(NotFound,))
async def revoke_session(ctx: Ctx, session_id: SessionId) -> None:
    """End one of one's own sessions."""
    await session_ends.revoke_own(ctx, session_id=session_id)


@post(
    "/api/auth/switch",
    signed_in=SWITCHING,
    status=200,
    db="system",
    secret=True,
    tags=TAGS,
    raises=(*REFUSED[1:], BrowserSession),
)
async def switch(ctx: Ctx, data: SwitchIn) -> Tokens:
    """Go to another business, or back to the platform (`platform`), and get tokens for it; the tokens one has go on."""
    if ctx.actor.channel == "cookie":
        raise BrowserSession
    session = await sessions.switch(ctx, tenant=data.tenant, as_=data.as_)
    return await session_tokens.issue_tokens(ctx, session=session)


@put("/api/auth/session", signed_in=SWITCHING, status=200, db="system", secret=True, tags=TAGS, raises=REFUSED[1:])
async def switch_cookie_session(ctx: Ctx, data: SwitchIn) -> Reply[MeOut]:
    """Take this browser to another business, or back to the platform (`platform`); says who one is there."""
    session = await sessions.switch(ctx, tenant=data.tenant, as_=data.as_)
    return await signed_in_reply(ctx, session=session)


ROUTES = (
    login,
    open_cookie_session,
    close_cookie_session,
    refresh,
    logout,
    logout_all,
    list_sessions,
    revoke_other_sessions,
    revoke_session,
    switch,
    switch_cookie_session,
)
