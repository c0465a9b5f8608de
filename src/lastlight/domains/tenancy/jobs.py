"""E-mails about registrations and businesses."""

from uuid import UUID

import msgspec

from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.mail import send_mail


class Contact(msgspec.Struct, frozen=True):
    """A business and whom to write to."""

    name: str
    slug: str
    status: str
    status_reason: str | None
    contact_name: str
    contact_email: str
    locale: str


@job("tenancy.mail_registration_received", role="system")
async def mail_registration_received(ctx: Ctx, tenant: TenantId) -> None:
    """Tell the applicant that the registration waits."""
    contact = await _contact(ctx, tenant)
    await _send(
        ctx,
        contact,
        subject=f"We have your registration of {contact.name}",
        paragraphs=["thank you. We look at each registration ourselves and write to you as soon as it is decided."],
    )


@job("tenancy.mail_registration_refused", role="system")
async def mail_registration_refused(ctx: Ctx, email: str, business: str) -> None:
    """Tell the owner of an address that it was used to register a business with another password than theirs."""
    paragraphs = [
        f"somebody, perhaps you, tried to register “{business}” with this address.",
        "It has an account already, and the password was not its own, so nothing was registered.",
        "If that was you, register again with the password of your account.",
    ]
    await _mail(
        ctx,
        to=email,
        locale="en",
        subject="Your registration needs your password",
        paragraphs=["Hello,", *paragraphs],
        button=("I forgot my password", f"{ctx.services.settings.base_url}/forgot"),
    )


@job("tenancy.mail_decision", role="system")
async def mail_decision(ctx: Ctx, tenant: TenantId) -> None:
    """Tell the business what was decided: approved, rejected, suspended or reactivated, and why."""
    contact = await _contact(ctx, tenant)
    sign_in = ("Sign in", f"{ctx.services.settings.base_url}/sign-in?tenant={contact.slug}")
    match contact.status:
        case "active":
            await _send(
                ctx,
                contact,
                subject=f"{contact.name} is on Last Light",
                paragraphs=["your business is approved and running. Sign in, add your venues and your people."],
                button=sign_in,
            )
        case "rejected":
            await _send(
                ctx,
                contact,
                subject=f"{contact.name} was not approved",
                paragraphs=["we have decided not to take your registration.", contact.status_reason or ""],
            )
        case _:
            await _send(
                ctx,
                contact,
                subject=f"{contact.name} is suspended",
                paragraphs=["your business is suspended for now; nobody can sign in.", contact.status_reason or ""],
            )


async def _contact(ctx: Ctx, tenant: UUID) -> Contact:
    return await ctx.db.one(
        Contact,
        "select name, slug, status, status_reason, contact_name, contact_email, locale from tenants where id = $1",
        tenant,
    )


async def _send(
    ctx: Ctx, contact: Contact, *, subject: str, paragraphs: list[str], button: tuple[str, str] | None = None
) -> None:
    if not contact.contact_email:
        return  # a business that we set up ourselves may have nobody to write to yet
    lines = [f"Hello {contact.contact_name},", *(line for line in paragraphs if line)]
    await _mail(ctx, to=contact.contact_email, locale=contact.locale, subject=subject, paragraphs=lines, button=button)


async def _mail(
    ctx: Ctx, *, to: str, locale: str, subject: str, paragraphs: list[str], button: tuple[str, str] | None = None
) -> None:
    context = {
        "subject": subject,
        "paragraphs": paragraphs,
        "button": {"label": button[0], "url": button[1]} if button else None,
    }
    await send_mail(ctx, to=to, template="mail/message.html", context=context, locale=locale)


JOBS = (mail_registration_received, mail_registration_refused, mail_decision)
