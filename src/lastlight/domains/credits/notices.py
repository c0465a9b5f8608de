"""What credits tell guests on their phones: that some came after all, or are about to expire."""

from collections.abc import Sequence
from datetime import timedelta

from lastlight.domains.credits.settings import WARNED, read_rules
from lastlight.domains.identity import account_of_guest
from lastlight.domains.payments import Payment
from lastlight.kernel.ids import TenantId
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import job
from lastlight.runtime.push import Notice, NoticeKind, notify
from lastlight.runtime.zones import business_zone

CREDITS = NoticeKind(
    key="credits", label="Credits", description="A slow payment went through, or credits of yours are about to expire."
)
PATIENT = timedelta(minutes=5)
"""So long a guest looks at the page on which they pay; what comes later is told."""
BATCH = 200
# every tenant: the schedule asks who has anything to say, before it queues a job for each
SOON_TENANTS = """
select t.id from tenants t
where t.status = 'active' and exists (
    select from credit_lots l
    where l.tenant_id = t.id and l.remaining > 0 and l.remaining > l.frozen and l.warned_at is null
      and l.expires_at > now() and l.expires_at <= now() + make_interval(days => $1))
"""
SOON = """
with soon as (
    select id from credit_lots
    where tenant_id = $1 and remaining > 0 and remaining > frozen and warned_at is null and expires_at > $2 and expires_at <= $3
    order by expires_at, id limit $4 for no key update skip locked
)
update credit_lots l set warned_at = $2 from soon where l.tenant_id = $1 and l.id = soon.id
returning l.id, l.patron_id, l.currency, l.remaining - l.frozen as left, l.expires_at
"""


async def tell_late(ctx: Ctx, *, payment: Payment) -> None:
    """Tell a guest whose payment took its time that their credits are there."""
    user_id = await account_of_guest(ctx, patron_id=payment.patron_id) if payment.patron_id else None
    if user_id is None or ctx.now - payment.created_at < PATIENT:
        return
    notice = Notice(
        kind=CREDITS,
        title="Your {amount} of credits are here",
        body="The payment has gone through; you can spend them now.",
        amounts={"amount": Money(payment.captured, payment.currency)},
        zone=(await business_zone(ctx)).key,
        url="/patron/credits",
        tag=f"payment/{payment.id}",
    )
    await notify(ctx, people=[user_id], notice=notice, key=f"credits/paid/{payment.id}")


async def tenants_with_soon(ctx: Ctx) -> Sequence[TenantId]:
    """The tenants in which credits expire soon of which nobody was told."""
    return [TenantId(row["id"]) for row in await ctx.db.fetch(SOON_TENANTS, WARNED.maximum)]


@job("credits.warn", schedule="10 * * * *", each=tenants_with_soon)
async def warn(ctx: Ctx) -> int:
    """Tell guests of credits that expire within the days that the business has set; each lot once."""
    days = (await read_rules(ctx)).warning_days
    if not days:
        return 0
    soon = await ctx.db.fetch(SOON, ctx.tenant_id, ctx.now, ctx.now + timedelta(days=days), BATCH)
    zone = await business_zone(ctx)
    for row in soon:
        user_id = await account_of_guest(ctx, patron_id=row["patron_id"])
        if user_id is None:
            continue
        notice = Notice(
            kind=CREDITS,
            title="{amount} of your credits expire soon",
            body="Spend them by {until}.",
            amounts={"amount": Money(row["left"], row["currency"])},
            moments={"until": row["expires_at"]},
            zone=zone.key,
            url="/patron/credits",
            tag=f"credits/{row['id']}",
            urgency="low",
        )
        await notify(ctx, people=[user_id], notice=notice, key=f"credits/{row['id']}/{row['expires_at'].isoformat()}")
    return len(soon)
