"""The e-mail that carries an invitation. Its link is made here, so that only the mailbox ever holds it."""

from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.domains.identity.tokens import digest, new_token
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.mail import send_mail

OFFER = """
    select i.email, i.name, i.note, i.expires_at, r.name as role, t.name as business, u.name as inviter,
           coalesce(p.language, t.locale) as locale
    from invitations i
    join tenants t on t.id = i.tenant_id
    join roles r on r.tenant_id = i.tenant_id and r.id = i.role_id
    left join users u on u.id = i.invited_by
    left join users invited on invited.email = i.email
    left join user_preferences p on p.user_id = invited.id
    where i.tenant_id = $1 and i.id = $2 and i.status = 'open' and i.expires_at > now()
    for update of i"""


class Offer(msgspec.Struct, frozen=True):
    """An invitation in the words of its e-mail."""

    email: str
    name: str
    note: str
    expires_at: datetime
    role: str
    business: str
    inviter: str | None
    locale: str


@job("identity.mail_offer", role="system")
async def mail_offer(ctx: Ctx, invitation_id: UUID) -> None:
    """Send an open invitation with a link of its own; the link of an earlier e-mail stops working."""
    offer = await ctx.db.row(Offer, OFFER, ctx.tenant_id, invitation_id)
    if offer is None:
        return
    token = new_token(f"lli_{ctx.tenant_id.hex}_")
    await ctx.db.execute(
        """update invitations set token_hash = $3, sent_at = now(), sent_count = sent_count + 1
           where tenant_id = $1 and id = $2""",
        ctx.tenant_id,
        invitation_id,
        digest(token),
    )
    who = f"{offer.inviter} invites you" if offer.inviter else "You are invited"
    paragraphs = [f"Hello {offer.name}," if offer.name else "Hello,", f"{who} to {offer.business} as “{offer.role}”."]
    if offer.note:
        paragraphs.append(f"“{offer.note}”")
    context = {
        "subject": f"{offer.business} invites you to Last Light",
        "paragraphs": paragraphs,
        "button": {
            "label": "See the invitation",
            "url": f"{ctx.services.settings.base_url}/invitation?token={token}",
        },
        "note": f"The link works once, until {offer.expires_at:%d %B %Y}. If you do not know this business, do nothing.",
    }
    await send_mail(ctx, to=offer.email, template="mail/message.html", context=context, locale=offer.locale)
