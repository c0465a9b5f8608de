"""Send a mail: render it, write it into the transaction, and let its job deliver it once that is durable."""

import html
import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, TemplateNotFound

from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import MailId, uuid7
from lastlight.runtime.context import Ctx
from lastlight.runtime.mail.deliver import DELIVER
from lastlight.runtime.mail.plain import plain_text
from lastlight.runtime.staged import begin
from lastlight.ui.colours import shade_for
from lastlight.ui.reader import reading_as
from lastlight.ui.render import render_block

ADDRESS = re.compile(r"[^@\s<>,;:\"()\[\]\\\x00-\x1f\x7f]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
BRAND = """
select t.name, b.accent, case when b.logo_file_id is not null then '/brand/' || t.id || '/' || b.version || '/logo' else '' end as logo
from tenant_brands b join tenants t on t.id = b.tenant_id where b.tenant_id = $1
"""
WRITE = """
insert into outgoing_mail (tenant_id, id, recipient, template, locale, subject, body_text, body_html, state)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def send_mail(ctx: Ctx, *, to: str, template: str, context: Mapping[str, Any], locale: str = "en") -> MailId:
    """Send `template` to one address; it leaves if, and only if, the transaction commits.

    `template` is a page with the blocks `subject` and, if wished, `text` (such as "identity/mail/verify.html", which extends
    "layouts/email.html"); "mail/message.html" takes subject, heading, paragraphs, button {label, url} and note. The text part
    is made from the HTML where there is no such block. Without LASTLIGHT_SMTP_URL it is kept for the outbox page.
    """
    address = checked_address(to)
    given = {"look": await _look(ctx), **context}
    subject, text, page = _render(ctx.services.templates, template, given, locale)
    mail_id = MailId(uuid7())
    leaves = bool(ctx.services.settings.smtp_url)
    state = "queued" if leaves else "kept"
    await ctx.db.execute(WRITE, ctx.tenant_id, mail_id, address, template, locale, subject, text, page, state)
    if leaves:
        await begin(ctx, DELIVER, key=str(mail_id), intent={"mail_id": mail_id})
    return mail_id


async def _look(ctx: Ctx) -> dict[str, str]:
    """The logo, the button's colour and what is written on it, of the business in whose name the mail leaves; empty for none."""
    row = await ctx.db.fetchrow(BRAND, ctx.tenant_id)
    if row is None:
        return dict.fromkeys(("name", "logo", "button", "ink"), "")
    shade = shade_for(row["accent"], "light") if row["accent"] else None
    return {
        "name": row["name"],
        "logo": f"{ctx.services.settings.base_url}{row['logo']}" if row["logo"] else "",
        "button": shade.accent if shade else "",
        "ink": shade.ink if shade else "",
    }


def checked_address(address: str) -> str:
    """One bare address; Invalid for anything that could smuggle in a header or a second recipient."""
    bare = address.strip()
    if len(bare) > 254 or not ADDRESS.fullmatch(bare) or ".." in bare or address != bare:
        raise Invalid("This is not an e-mail address.", fields={"email": "Give one address, such as name@example.org."})
    return bare


def _render(environment: Environment, template: str, context: Mapping[str, Any], locale: str) -> tuple[str, str, str]:
    given = {"locale": locale, **context}
    with reading_as(locale=locale, zone="UTC"):
        page = environment.get_template(template).render(given)
    subject = html.unescape(render_block(environment, template, "subject", given, locale=locale))
    subject = " ".join(subject.split())
    if not subject or any(ord(c) < 32 or ord(c) == 127 for c in subject):
        raise Invalid("The subject of a mail is one line of text.")
    try:
        text = html.unescape(render_block(environment, template, "text", given, locale=locale)).strip() + "\n"
    except TemplateNotFound:
        text = plain_text(page)
    return subject[:200], text, page
