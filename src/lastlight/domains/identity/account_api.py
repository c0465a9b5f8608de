"""Opening an account and keeping it: registration, the address, the password."""

from lastlight.domains.identity import accounts, addresses
from lastlight.domains.identity.accounts import Verdict
from lastlight.domains.identity.auth_api import OWN, TAGS
from lastlight.domains.identity.credential_post import credential_post
from lastlight.domains.identity.errors import (
    AddressTaken,
    LinkInvalid,
)
from lastlight.domains.identity.names import clean_email, clean_name
from lastlight.domains.identity.schemas import (
    ChangeEmailIn,
    ChangePasswordIn,
    ForgotIn,
    LinkIn,
    MessageOut,
    RegisteredOut,
    RegisterIn,
    ResetIn,
)
from lastlight.kernel.errors import Invalid
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import post


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


@credential_post(
    "/api/auth/password/change",
    signed_in=OWN,
    status=204,
    tags=TAGS,
    raises=(Invalid,),
    prepare=accounts.prepare_change,
)
async def change_password(ctx: Ctx, data: ChangePasswordIn, prepared: tuple[Verdict, str]) -> None:
    """Change one's own password; every other session of one's own ends."""
    await accounts.change_password(ctx, verdict=prepared[0], password_hash=prepared[1])


@credential_post(
    "/api/me/email",
    signed_in=OWN,
    status=202,
    tags=TAGS,
    raises=(Invalid,),
    prepare=accounts.prepare_email_change,
)
async def change_email(ctx: Ctx, data: ChangeEmailIn, prepared: Verdict) -> MessageOut:
    """Ask for another e-mail address. It holds once the link that is sent there was followed; the old address is told."""
    await accounts.ask_email_change(ctx, email=data.new_email, verdict=prepared)
    return MessageOut("Look into the new mailbox: a link is on its way. Until you follow it, nothing changes.")


ROUTES = (
    register,
    verify_email,
    send_verification,
    forgot_password,
    reset_password,
    change_password,
    change_email,
)
