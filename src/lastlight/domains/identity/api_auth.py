"""The edge of signing in and out, accounts and passwords."""

from lastlight.domains.identity import accounts, addresses, entrance, sessions
from lastlight.domains.identity.accounts import Verdict
from lastlight.domains.identity.errors import (
    AddressTaken,
    BrowserSession,
    LinkInvalid,
    NoPlace,
    RefreshInvalid,
    RefreshReused,
    WrongCredentials,
)
from lastlight.domains.identity.factor_errors import SecondFactorNeeded, SecondFactorWrong
from lastlight.domains.identity.names import clean_email, clean_name
from lastlight.domains.identity.queries import read_me
from lastlight.domains.identity.schemas import (
    ChangeEmailIn,
    ChangePasswordIn,
    ForgotIn,
    LinkIn,
    LoginIn,
    MeOut,
    MessageOut,
    RefreshIn,
    RegisteredOut,
    RegisterIn,
    ResetIn,
    SwitchIn,
)
from lastlight.domains.identity.sessions import SessionOut, Tokens
from lastlight.kernel.errors import Invalid, NotFound, NotSignedIn
from lastlight.kernel.ids import SessionId
from lastlight.kernel.paging import Page
from lastlight.runtime.auth.authenticate import load_actor
from lastlight.runtime.auth.cookies import (
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


@post(
    "/api/auth/login",
    public="it is how one signs in",
    status=200,
    db="system",
    limit="auth",
    secret=True,
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
    return await sessions.issue_tokens(ctx, session=session)


@post(
    "/api/auth/session",
    public="it is how a browser signs in",
    status=200,
    db="system",
    limit="auth",
    secret=True,
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
    token, seconds = sessions.cookie_token(ctx, session=session)
    ctx.actor = await load_actor(ctx.db, ctx.services.registry, session.id)
    cookies = [session_cookie(ctx.services.settings, token, seconds=seconds)]
    return Reply(value=await read_me(ctx), cookies=[*cookies, own_cookie(ctx.services.settings, "", seconds=0)])


@delete("/api/auth/session", public=LEAVING, looking=LEAVING, db="system", tags=TAGS)
async def close_cookie_session(ctx: Ctx, request: RequestInfo) -> Reply[None]:
    """Sign this browser out, of a look and of one's own session behind it."""
    settings = ctx.services.settings
    for name in (session_cookie_name(settings), own_cookie_name(settings)):
        await sessions.close_presented(ctx, authorization=None, cookie=request.cookies.get(name))
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
    return await sessions.refresh(ctx, token=data.refresh_token)


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
        await sessions.close(ctx, session_id=await sessions.session_of_refresh(ctx, token=token))
        return
    cookie = request.cookies.get(session_cookie_name(ctx.services.settings))
    if not await sessions.close_presented(ctx, authorization=request.headers.get("authorization"), cookie=cookie):
        raise NotSignedIn


@post("/api/auth/logout-all", signed_in=OWN, status=204, db="system", tags=TAGS)
async def logout_all(ctx: Ctx) -> None:
    """End every session of one's own, this one too."""
    assert ctx.actor.user_id is not None
    await sessions.revoke_all(ctx, user_id=ctx.actor.user_id, why="signed out everywhere")


@get("/api/auth/sessions", signed_in=OWN, db="system", tags=TAGS)
async def list_sessions(ctx: Ctx) -> Page[SessionOut]:
    """One's own sessions that stand, the last used first."""
    return Page(await sessions.list_own(ctx))


@delete("/api/auth/sessions", signed_in=OWN, db="system", tags=TAGS)
async def revoke_other_sessions(ctx: Ctx) -> None:
    """End every other session of one's own; this one goes on."""
    assert ctx.actor.user_id is not None
    await sessions.revoke_all(
        ctx, user_id=ctx.actor.user_id, why="ended from another device", keep=ctx.actor.session_id
    )


@delete("/api/auth/sessions/{session_id:uuid}", signed_in=OWN, db="system", tags=TAGS, raises=(NotFound,))
async def revoke_session(ctx: Ctx, session_id: SessionId) -> None:
    """End one of one's own sessions."""
    await sessions.revoke_own(ctx, session_id=session_id)


@post(
    "/api/auth/register",
    public="it is how one gets an account",
    status=201,
    db="system",
    limit="auth",
    tags=TAGS,
    raises=(Invalid,),
    prepare=accounts.prepare_register,
)
async def register(ctx: Ctx, data: RegisterIn, prepared: str) -> RegisteredOut:
    """Get an account, and with `tenant` become a guest there. The answer is the same for an address that has an account."""
    email = clean_email(data.email)
    await accounts.register(ctx, email=email, name=clean_name(data.name), password_hash=prepared, tenant=data.tenant)
    return RegisteredOut(email, "Check your inbox: we have sent you a link.")


@post(
    "/api/auth/verify-email",
    public="the link is the proof",
    status=204,
    db="system",
    limit="auth",
    tags=TAGS,
    raises=(LinkInvalid, AddressTaken),
)
async def verify_email(ctx: Ctx, data: LinkIn) -> None:
    """Prove an e-mail address with the token of the link that was sent to it."""
    await addresses.verify_email(ctx, token=data.token)


@post("/api/auth/verify-email/link", signed_in=OWN, status=202, db="system", limit="auth", tags=TAGS)
async def send_verification(ctx: Ctx) -> MessageOut:
    """Ask for another link that proves one's e-mail address."""
    await addresses.send_verification(ctx)
    return MessageOut("If your address is not proven yet, a link is on its way.")


@post(
    "/api/auth/password/forgot",
    public="whoever forgot it cannot sign in",
    status=202,
    db="system",
    limit="auth",
    tags=TAGS,
)
async def forgot_password(ctx: Ctx, data: ForgotIn) -> MessageOut:
    """Ask for a link to set a new password. The answer is the same whether or not there is such an account."""
    await accounts.forgot_password(ctx, email=data.email)
    return MessageOut("If there is an account for this address, a link is on its way.")


@post(
    "/api/auth/password/reset",
    public="the link is the proof",
    status=204,
    db="system",
    limit="auth",
    tags=TAGS,
    raises=(LinkInvalid, Invalid),
    prepare=accounts.prepare_reset,
)
async def reset_password(ctx: Ctx, data: ResetIn, prepared: str) -> None:
    """Set a new password with the token of a link; every session of the account ends."""
    await accounts.reset_password(ctx, token=data.token, password_hash=prepared)


@post(
    "/api/auth/password/change",
    signed_in=OWN,
    status=204,
    db="system",
    limit="auth",
    secret=True,
    tags=TAGS,
    raises=(Invalid,),
    prepare=accounts.prepare_change,
)
async def change_password(ctx: Ctx, data: ChangePasswordIn, prepared: tuple[Verdict, str]) -> None:
    """Change one's own password; every other session of one's own ends."""
    await accounts.change_password(ctx, verdict=prepared[0], password_hash=prepared[1])


@post(
    "/api/me/email",
    signed_in=OWN,
    status=202,
    db="system",
    limit="auth",
    secret=True,
    tags=TAGS,
    raises=(Invalid,),
    prepare=accounts.prepare_email_change,
)
async def change_email(ctx: Ctx, data: ChangeEmailIn, prepared: Verdict) -> MessageOut:
    """Ask for another e-mail address. It holds once the link that is sent there was followed; the old address is told."""
    await accounts.ask_email_change(ctx, email=data.new_email, verdict=prepared)
    return MessageOut("Look into the new mailbox: a link is on its way. Until you follow it, nothing changes.")


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
    return await sessions.issue_tokens(ctx, session=session)


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
    register,
    verify_email,
    send_verification,
    forgot_password,
    reset_password,
    change_password,
    change_email,
    switch,
    switch_cookie_session,
)
