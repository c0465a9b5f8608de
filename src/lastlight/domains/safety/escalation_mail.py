"""The last resort of an escalation: an e-mail to those who manage safety at the venue and to its emergency contacts."""

from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.safety.alerts import read_alert
from lastlight.domains.safety.contacts import read_contacts
from lastlight.domains.safety.model import HIGHEST_ESCALATION
from lastlight.domains.safety.permissions import SAFETY_MANAGE
from lastlight.domains.safety.sos import read_sos
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.mail import send_mail

IN_CHARGE = """
select distinct u.email, u.name
from memberships m
join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
join users u on u.id = m.user_id
where m.tenant_id = $1 and m.status = 'active' and u.status = 'active' and $3 = any(r.permissions)
  and (m.venue_ids is null or $2 = any(m.venue_ids))
order by u.email
"""


class Addressee(msgspec.Struct, frozen=True):
    """Somebody who is written to."""

    email: str
    name: str


@job("safety.mail_sos")
async def mail_sos(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> int:
    """Write to those in charge that nobody has answered an SOS call, once its last escalation is reached; how many."""
    if data["escalation"] < HIGHEST_ESCALATION:
        return 0
    call = await read_sos(ctx, sos_id=UUID(data["sos_id"]))
    if call.status != "raised":
        return 0
    about = [
        f"{f'{call.caller}, a guest,' if call.patron_id else call.caller or 'Somebody of the staff'} pressed SOS at {call.venue}: {call.severity}, {call.place}.",
        f"It came in at {call.received_at:%H:%M} UTC, and nobody has answered it.",
    ]
    if call.note:
        about.append(f"\u201c{call.note}\u201d")
    subject = f"Nobody has answered an SOS at {call.venue}"
    return await _write(ctx, venue_id=call.venue_id, subject=subject, about=about, path=f"/manage/safety/sos/{call.id}")


@job("safety.mail_alert")
async def mail_alert(ctx: Ctx, event_id: UUID, seq: int, data: dict[str, Any]) -> int:
    """Write to those in charge that nobody has answered an alert, once its last escalation is reached; how many."""
    if data["escalation"] < HIGHEST_ESCALATION:
        return 0
    alert = await read_alert(ctx, alert_id=UUID(data["alert_id"]))
    if alert.status != "raised":
        return 0
    about = [
        f"At {alert.venue}: {alert.summary} ({alert.severity}).",
        f"It was raised at {alert.raised_at:%H:%M} UTC, and nobody has answered it.",
    ]
    subject = f"Nobody has answered an alert at {alert.venue}"
    path = f"/manage/safety/alerts/{alert.id}"
    return await _write(ctx, venue_id=alert.venue_id, subject=subject, about=about, path=path)


async def _write(ctx: Ctx, *, venue_id: UUID, subject: str, about: list[str], path: str) -> int:
    in_charge = await ctx.db.rows(Addressee, IN_CHARGE, ctx.tenant_id, venue_id, str(SAFETY_MANAGE))
    contacts = (await read_contacts(ctx, venue_id=venue_id)).contacts
    button = {"label": "See it", "url": f"{ctx.services.settings.base_url}{path}"}
    written: set[str] = set()
    for person in in_charge:
        written.add(person.email.lower())
        content = {"subject": subject, "paragraphs": [f"Hello {person.name},", *about], "button": button}
        await send_mail(ctx, to=person.email, template="mail/message.html", context=content)
    for contact in contacts:
        if not contact.told or not contact.email or contact.email.lower() in written:
            continue
        written.add(contact.email.lower())
        note = "You are one of this venue's emergency contacts."
        content = {"subject": subject, "paragraphs": [f"Hello {contact.name},", *about], "note": note}
        await send_mail(ctx, to=contact.email, template="mail/message.html", context=content)
    return len(written)
