"""Deliver a mail through SMTP, as a staged action: the same Message-ID each time, so that a repetition is recognised."""

import email.policy
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiosmtplib
import msgspec

from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs.declaration import Retry
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from lastlight.runtime.staged import RefusedError, Stage, Staged

TIMEOUT_SECONDS = 20.0
PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as it was written."""

    id: UUID
    recipient: str
    subject: str
    body_text: str
    body_html: str
    created_at: datetime


READ = """
update outgoing_mail set attempts = attempts + 1 where tenant_id = $1 and id = $2
returning id, recipient, subject, body_text, body_html, created_at
"""
ONE_TIME = "llo_[A-Za-z0-9_-]{20,}"
"""The secret in a link; once its mail is on its way, it is the addressee's alone."""
HIDDEN = "llo_…"
SENT = """
update outgoing_mail
set state = 'sent', sent_at = now(), error = '', body_text = regexp_replace(body_text, $3, $4, 'g'),
    body_html = regexp_replace(body_html, $3, $4, 'g')
where tenant_id = $1 and id = $2
"""
FAILED = "update outgoing_mail set state = 'failed', error = $3 where tenant_id = $1 and id = $2"


async def _call(services: Services, staged: Staged) -> str:
    row = await services.pools.system.fetchrow(READ, staged.tenant_id, UUID(staged.intent["mail_id"]))
    if row is None:
        raise RefusedError("The mail was deleted before it was sent.")
    mail = msgspec.convert(dict(row), Mail)
    message = compose(mail, services.settings)
    try:
        await aiosmtplib.send(message, recipients=[mail.recipient], **server(services.settings.smtp_url))
    except aiosmtplib.SMTPRecipientsRefused as error:
        if all(refusal.code >= 500 for refusal in error.recipients):
            raise RefusedError(f"The mail server refused {mail.recipient}: {error.recipients[0].message}") from error
        raise
    except aiosmtplib.SMTPResponseException as error:
        if error.code >= 500 and not isinstance(error, aiosmtplib.SMTPAuthenticationError):
            raise RefusedError(f"The mail server refused it: {error.code} {error.message}") from error
        raise
    return str(message["Message-ID"])


async def _sent(ctx: Ctx, staged: Staged, result: Any) -> None:
    await ctx.db.execute(SENT, ctx.tenant_id, UUID(staged.intent["mail_id"]), ONE_TIME, HIDDEN)


async def _given_up(ctx: Ctx, staged: Staged, error: str) -> None:
    await ctx.db.execute(FAILED, ctx.tenant_id, UUID(staged.intent["mail_id"]), error)


DELIVER = Stage(
    kind="mail.deliver",
    call=_call,
    apply=_sent,
    given_up=_given_up,
    role="system",
    retry=Retry(attempts=10, backoff=5.0, most=3600.0),
    again=True,
)


def compose(mail: Mail, settings: Settings) -> EmailMessage:
    """The message with both bodies; the headers come from fields, never from text glued together."""
    message = EmailMessage(policy=email.policy.SMTP)
    name, address = parseaddr(settings.mail_from)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}@{urlsplit(settings.base_url).hostname or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body_text)
    message.add_alternative(mail.body_html, subtype="html")
    return message


def server(smtp_url: str) -> dict[str, Any]:
    """Where LASTLIGHT_SMTP_URL points, as arguments of the client."""
    parts = urlsplit(smtp_url)
    found: dict[str, Any] = {
        "hostname": parts.hostname,
        "port": parts.port or PORTS[parts.scheme],
        "use_tls": parts.scheme == "smtps",
        "timeout": TIMEOUT_SECONDS,
    }
    if parts.scheme == "smtp+starttls":
        found["start_tls"] = True
    if parts.username:
        found |= {"username": unquote(parts.username), "password": unquote(parts.password or "")}
    return found
