"""Reads of credits."""

from datetime import timedelta
from uuid import UUID

import msgspec

from lastlight.domains.credits.lots import ENTRY
from lastlight.domains.credits.model import CreditEntry
from lastlight.domains.credits.refundable import GOES_BACK, refundable_of
from lastlight.domains.credits.schemas import CreditOffer, CreditReceipt, CreditSum, GuestCredits, OwnCredits
from lastlight.domains.credits.settings import Rules, offered, read_rules
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PatronId
from lastlight.runtime.context import Ctx

BALANCES = """
select a.currency, a.balance, a.frozen, coalesce(l.available, 0)::bigint as available, l.expires_at,
       coalesce((select sum(n.remaining - n.frozen) from credit_lots n
                 where n.tenant_id = $1 and n.patron_id = $2 and n.currency = a.currency and n.remaining > 0 and n.expires_at = l.expires_at),
                0)::bigint as expiring
from credit_accounts a left join lateral (
    select sum(s.remaining - s.frozen) filter (where s.expires_at is null or s.expires_at > now()) as available,
           min(s.expires_at) filter (where s.remaining > s.frozen and s.expires_at > now()) as expires_at
    from credit_lots s where s.tenant_id = $1 and s.patron_id = $2 and s.currency = a.currency and s.remaining > 0
) l on true
where a.tenant_id = $1 and a.patron_id = $2 order by a.currency
"""
GUEST = "select name from patrons where tenant_id = $1 and id = $2"
RECEIPT = f"""
select p.id as payment_id, upper(right(replace(p.id::text, '-', ''), 12)) as number, p.status, t.name as business, v.name as venue, p.amount,
       p.currency, p.brand, p.last4, p.created_at, p.captured_at as paid_at, coalesce(l.remaining, 0)::bigint as remaining,
       coalesce(l.frozen, 0)::bigint as frozen, l.expires_at, {GOES_BACK} as refundable, null::timestamptz as refundable_until,
       coalesce((select jsonb_agg(jsonb_build_object('id', r.id, 'amount', r.amount, 'status', r.status, 'created_at', r.created_at,
                                                     'ended_at', r.ended_at) order by r.created_at, r.id)
                 from refunds r where r.tenant_id = $1 and r.payment_id = p.id), '[]'::jsonb) as refunds
from payments p join tenants t on t.id = $1
left join venues v on v.tenant_id = $1 and v.id = p.venue_id
left join credit_lots l on l.tenant_id = $1 and l.payment_id = p.id
where p.tenant_id = $1 and p.id = $2 and p.purpose = 'credits' and p.patron_id = $3
"""  # noqa: S608 - our own names
OWN_ENTRY = f"select {ENTRY} from credit_entries where tenant_id = $1 and id = $2 and patron_id = $3"  # noqa: S608 - our own names


def own_id(ctx: Ctx) -> PatronId:
    """The guest who asks. Raises NotFound for others."""
    if ctx.actor.patron_id is None:
        raise NotFound
    return ctx.actor.patron_id


async def balances_of(ctx: Ctx, *, patron_id: PatronId) -> list[CreditSum]:
    """What a guest has, for a caller that has seen to the permission."""
    return await ctx.db.rows(CreditSum, BALANCES, ctx.tenant_id, patron_id)


async def read_balances(ctx: Ctx, *, patron_id: PatronId) -> GuestCredits:
    """The same with the guest's name. Raises NotFound."""
    name = await ctx.db.fetchval(GUEST, ctx.tenant_id, patron_id)
    if name is None:
        raise NotFound
    return GuestCredits(patron_id=patron_id, guest=name, balances=await balances_of(ctx, patron_id=patron_id))


async def own_credits(ctx: Ctx) -> OwnCredits:
    """What the guest who asks has, and what they can buy."""
    rules = await read_rules(ctx)
    sold = await offered(ctx, rules=rules) if rules.on_sale else {}
    return OwnCredits(
        balances=await balances_of(ctx, patron_id=own_id(ctx)),
        on_sale=rules.on_sale,
        offers=[_offer(rules, currency, amounts) for currency, amounts in sold.items()],
        guest_refund_days=rules.guest_refund_days,
    )


async def own_entry(ctx: Ctx, *, entry_id: UUID) -> CreditEntry:
    """An entry of one's own credits. Raises NotFound."""
    return await ctx.db.one(CreditEntry, OWN_ENTRY, ctx.tenant_id, entry_id, own_id(ctx))


async def read_receipt(ctx: Ctx, *, payment_id: UUID) -> CreditReceipt:
    """The receipt of one's own purchase. Raises NotFound."""
    receipt = await ctx.db.one(CreditReceipt, RECEIPT, ctx.tenant_id, payment_id, own_id(ctx))
    refundable = refundable_of(receipt.refundable, receipt.currency)
    receipt = msgspec.structs.replace(receipt, refundable=refundable)
    rules = await read_rules(ctx)
    if receipt.paid_at is None or not refundable or not rules.guest_refund_days:
        return receipt
    until = receipt.paid_at + timedelta(days=rules.guest_refund_days)
    return msgspec.structs.replace(receipt, refundable_until=until if until > ctx.now else None)


def _offer(rules: Rules, currency: str, amounts: list[int]) -> CreditOffer:
    least, most = rules.minor(rules.least, currency), rules.minor(rules.most, currency)
    return CreditOffer(
        currency=currency, amounts=[one for one in amounts if least <= one <= most], least=least, most=most
    )
