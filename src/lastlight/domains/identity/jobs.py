"""E-mails about accounts. Look-ups happen here, after the answer, so that neither it nor its time tells who has an account."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.identity.tokens import drop_spent, issue_one_time, sent_lately
from lastlight.kernel.ids import UserId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.mail import send_mail


class Recipient(msgspec.Struct, frozen=True):
    """Whom an e-mail is for, in their language."""

    id: UserId
    name: str
    email: str
    email_verified_at: datetime | None
    locale: str


RECIPIENT = """
    select u.id, u.name, u.email, u.email_verified_at, coalesce(p.language, 'en') as locale
    from users u left join user_preferences p on p.user_id = u.id
    where u.status = 'active' and """

IGNORE = "If that was not you, do nothing: without this link nothing happens."


@job("identity.mail_verification", role="system")
async def mail_verification(ctx: Ctx, user_id: UserId) -> None:
    """Send the link that proves an e-mail address."""
    person = await _by_id(ctx, user_id)
    if person is None or person.email_verified_at is not None:
        return
    token = await issue_one_time(ctx, user_id=person.id, purpose="verify_email")
    await _send(
        ctx,
        person,
        subject="Confirm your e-mail address",
        paragraphs=[
            f"Hello {person.name},",
            "somebody, hopefully you, opened an account at Last Light with this address. Is it yours?",
        ],
        button=("Yes, this is my address", _link(ctx, "/verify", token)),
        note=f"The link works once, for three days. {IGNORE}",
    )


@job("identity.mail_address_in_use", role="system")
async def mail_address_in_use(ctx: Ctx, email: str) -> None:
    """Tell somebody that their address was given for an account, though they have one."""
    found = await _reset_link(ctx, email)
    if found is None:
        return
    person, link = found
    await _send(
        ctx,
        person,
        subject="You already have an account",
        paragraphs=[
            f"Hello {person.name},",
            "somebody, perhaps you, just tried to use this address for an account. It has one: sign in with it.",
        ],
        button=("I forgot my password", link),
        note=f"The link works once, for an hour. {IGNORE}",
    )


@job("identity.mail_new_address", role="system")
async def mail_new_address(ctx: Ctx, user_id: UserId, email: str) -> None:
    """Send the link that changes somebody's address to that address; who has an account with it is told instead."""
    person = await _by_id(ctx, user_id)
    if person is None or person.email == email:
        return
    if await _by_email(ctx, email) is not None:
        await ctx.enqueue(mail_address_in_use, email=email)
        return
    token = await issue_one_time(ctx, user_id=person.id, purpose="verify_email", data={"email": email})
    await _send(
        ctx,
        msgspec.structs.replace(person, email=email),
        subject="Confirm your new e-mail address",
        paragraphs=[
            f"Hello {person.name},",
            "you asked to sign in at Last Light with this address from now on. Until you confirm it, the old one stays.",
        ],
        button=("Use this address", _link(ctx, "/verify", token)),
        note=f"The link works once, for three days. {IGNORE}",
    )


@job("identity.mail_address_changed", role="system")
async def mail_address_changed(ctx: Ctx, user_id: UserId, old: str) -> None:
    """Tell the mailbox that somebody's account has left."""
    person = await _by_id(ctx, user_id)
    if person is None:
        return
    await _send(
        ctx,
        msgspec.structs.replace(person, email=old),
        subject="Your e-mail address was changed",
        paragraphs=[
            f"Hello {person.name},",
            "your account at Last Light has another e-mail address now. This one no longer signs you in.",
            "If that was not you, answer this e-mail at once, so that we can give you your account back.",
        ],
    )


@job("identity.mail_forgotten_password", role="system")
async def mail_forgotten_password(ctx: Ctx, email: str) -> None:
    """Send the link to set a new password, if there is such an account."""
    found = await _reset_link(ctx, email)
    if found is None:
        return
    person, link = found
    await _send(
        ctx,
        person,
        subject="Set a new password",
        paragraphs=[
            f"Hello {person.name},",
            "here is the link to set a new password. Every device of yours is signed out by it.",
        ],
        button=("Set a new password", link),
        note=f"The link works once, for an hour. {IGNORE}",
    )


@job("identity.mail_factors_reset", role="system")
async def mail_factors_reset(ctx: Ctx, user_id: UserId, by: str, crew: bool) -> None:
    """Tell somebody that their second factor was reset for them, and by whom."""
    person = await _by_id(ctx, user_id)
    if person is None:
        return
    who = f"{by} of Last Light" if crew else by
    await _send(
        ctx,
        person,
        subject="Your second factor was reset",
        paragraphs=[
            f"Hello {person.name},",
            f"{who} has reset your second factor. Your authenticator app, passkeys and recovery codes no longer count.",
            "Every device of yours is signed out. Sign in with your password, and set one up again under Account, Security.",
            "If you did not ask for this, set a new password at once, and tell those you work for.",
        ],
        button=("Sign in", f"{ctx.services.settings.base_url}/sign-in"),
    )


CHANGES = {
    "changed": (
        "Your password was changed",
        "Your password at Last Light was changed. Your other devices are signed out.",
    ),
    "reset_password": (
        "Your password was changed",
        "Your password at Last Light was set anew by a link from an e-mail.",
    ),
    "set up": (
        "An authenticator app was set up",
        "Sign-in at Last Light asks for a code of your authenticator app from now on.",
    ),
    "removed": (
        "Your authenticator app was switched off",
        "Sign-in at Last Light no longer asks for a code of your app.",
    ),
    "passkey added": ("A passkey was added", "A new passkey signs you in at Last Light from now on."),
    "passkey removed": ("A passkey was removed", "One of your passkeys no longer signs you in at Last Light."),
    "recovery codes renewed": (
        "Your recovery codes were replaced",
        "New recovery codes were made; the old ones no longer work.",
    ),
    "recovery code used": (
        "A recovery code was used",
        "Somebody, hopefully you, used one of your recovery codes at Last Light.",
    ),
}
"""What changed about how somebody signs in, as its event words it: the subject and the first sentence of an e-mail."""


@job("identity.mail_change_of_sign_in", role="system")
async def mail_change_of_sign_in(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, object]) -> None:
    """Tell somebody that a way in to their account has changed, so that a stranger's hand does not go unseen."""
    said = CHANGES.get(str(data.get("way") or data.get("what")))
    person = await _by_id(ctx, UUID(str(data["user_id"])))
    if said is None or person is None:
        return
    await _send(
        ctx,
        person,
        subject=said[0],
        paragraphs=[
            f"Hello {person.name},",
            said[1],
            "If that was you, there is nothing to do. If not, set a new password at once: every device is signed out by it.",
        ],
        button=("That was not me", f"{ctx.services.settings.base_url}/forgot"),
    )


async def _by_id(ctx: Ctx, user_id: UUID) -> Recipient | None:
    return await ctx.db.row(Recipient, RECIPIENT + "u.id = $1", user_id)


async def _by_email(ctx: Ctx, email: str) -> Recipient | None:
    return await ctx.db.row(Recipient, RECIPIENT + "u.email = $1", email)


async def _reset_link(ctx: Ctx, email: str) -> tuple[Recipient, str] | None:
    """Who has an account with an address, and a new link to set its password; None without one, or when one went out just now."""
    person = await _by_email(ctx, email)
    if person is None or await sent_lately(ctx, user_id=person.id, purpose="reset_password"):
        return None
    token = await issue_one_time(ctx, user_id=person.id, purpose="reset_password")
    return person, _link(ctx, "/reset", token)


def _link(ctx: Ctx, path: str, token: str) -> str:
    """The address of a page of ours that takes a one-time token."""
    return f"{ctx.services.settings.base_url}{path}?token={token}"


async def _send(
    ctx: Ctx,
    person: Recipient,
    *,
    subject: str,
    paragraphs: list[str],
    button: tuple[str, str] | None = None,
    note: str = "",
) -> None:
    context = {
        "subject": subject,
        "paragraphs": paragraphs,
        "button": {"label": button[0], "url": button[1]} if button else None,
        "note": note,
    }
    await send_mail(ctx, to=person.email, template="mail/message.html", context=context, locale=person.locale)


@job("identity.drop_spent", schedule="25 4 * * *", each="platform")
async def drop_spent_tokens(ctx: Ctx) -> None:
    """Delete links and refresh tokens that can do nothing any more."""
    await drop_spent(ctx)


JOBS = (
    mail_verification,
    mail_address_in_use,
    mail_new_address,
    mail_address_changed,
    mail_forgotten_password,
    mail_factors_reset,
    mail_change_of_sign_in,
    drop_spent_tokens,
)
