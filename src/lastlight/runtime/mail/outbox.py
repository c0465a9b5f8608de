"""The outbox: every mail that was written, for the platform's crew; where mail is kept, it is the only mailbox there is."""

import re
from datetime import datetime
from uuid import UUID

import msgspec

from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PLATFORM, MailId, TenantId
from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get
from lastlight.runtime.http.columns import ID, Column, Filter, ref
from lastlight.runtime.http.listing import Listing, listing_get
from lastlight.runtime.mail.deliver import HIDDEN, ONE_TIME

OUTBOX_READ = Permission("platform.outbox.read", "Read the mail that the platform sends", Scope.PLATFORM)
STATES = (("queued", "Waiting"), ("sent", "Sent"), ("kept", "Kept here"), ("failed", "Not delivered"))


class MailRow(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as the list shows it."""

    id: UUID
    tenant_id: UUID
    tenant: str
    recipient: str
    subject: str
    template: str
    state: str
    attempts: int
    error: str
    created_at: datetime
    sent_at: datetime | None


class MailOut(MailRow, frozen=True, kw_only=True):
    """One mail with its bodies."""

    body_text: str
    body_html: str


OUTBOX = Listing(
    name="outbox",
    label="Mail",
    row=MailRow,
    permission=OUTBOX_READ,
    source="outgoing_mail m join tenants t on t.id = m.tenant_id",
    of="m",
    cross_tenant=True,
    sort="-created_at",
    columns=(
        Column("created_at", "Written", kind="time", sort=True),
        Column("recipient", "To", sort=True),
        Column("subject", "Subject"),
        Column("tenant", "Business", sql="t.name"),
        Column("state", "State", kind="enum", choices=STATES),
        Column("attempts", "Attempts", kind="number", shown=False),
        Column("error", "Error"),
        Column("sent_at", "Sent", kind="time"),
        Column("template", "Template", shown=False),
        ref("tenant_id", "Tenant"),
        ID,
    ),
    filters=(
        Filter("state"),
        Filter("tenant_id"),
        Filter("created_at"),
    ),
    search=("m.recipient", "m.subject"),
)

ONE = """
select m.id, m.tenant_id, t.name as tenant, m.recipient, m.subject, m.template, m.state, m.attempts, m.error, m.created_at, m.sent_at,
       m.body_text, m.body_html
from outgoing_mail m join tenants t on t.id = m.tenant_id
where m.tenant_id = $1 and m.id = $2
"""

# whether the addressee is one of the crew who may do something that the reader may not
ABOVE = """
select exists (
    select from users u
    join memberships m on m.tenant_id = $1 and m.user_id = u.id and m.status = 'active'
    join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id and r.archived_at is null
    cross join unnest(r.permissions) as theirs (permission)
    where u.email = $2 and theirs.permission not in (
        select unnest(o.permissions)
        from memberships n
        join roles o on o.tenant_id = n.tenant_id and o.id = n.role_id and o.archived_at is null
        where n.tenant_id = $1 and n.user_id = $3 and n.status = 'active'))
"""

list_outbox = listing_get("/api/admin/outbox", OUTBOX, db="platform")


@get(
    "/api/admin/tenants/{tenant_id:uuid}/outbox/{mail_id:uuid}",
    permission=OUTBOX_READ,
    db="platform",
    scope_tenant="tenant_id",
    sensitive="mail.read",
    raises=[NotFound],
)
async def read_mail(ctx: Ctx, tenant_id: TenantId, mail_id: MailId) -> MailOut:
    """Read one mail as it was written; the reading is audited."""
    return await find_mail(ctx, tenant_id=tenant_id, mail_id=mail_id)


async def find_mail(ctx: Ctx, *, tenant_id: TenantId, mail_id: MailId) -> MailOut:
    """One mail of a tenant, for its page; NotFound when there is none.

    Its links work for the reader only where mail is kept, since this is the mailbox there; and never those of a colleague with
    wider permissions, whose password they would set.
    """
    mail = await ctx.db.one(MailOut, ONE, tenant_id, mail_id)
    if mail.state == "kept" and not await ctx.db.fetchval(ABOVE, PLATFORM, mail.recipient, ctx.actor.user_id):
        return mail
    return msgspec.structs.replace(
        mail, body_text=re.sub(ONE_TIME, HIDDEN, mail.body_text), body_html=re.sub(ONE_TIME, HIDDEN, mail.body_html)
    )
