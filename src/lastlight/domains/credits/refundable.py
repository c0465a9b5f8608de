"""What of a lot can go back to the card that paid: one rule, for what is sent back and for every screen that says how much could be."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from lastlight.domains.credits.model import LotId
from lastlight.kernel.ids import PatronId
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx
from lastlight.runtime.processor import usable_part

GOES_BACK = """(case when p.id is null or l.expires_at <= now() then 0
    else greatest(least(l.remaining - l.frozen, p.captured - p.refunding - p.refunded - p.disputed), 0) end)::bigint"""
"""Of a lot `l` and its payment `p`: neither spent, expired nor frozen, and neither gone back, on its way nor disputed at the provider."""
UNSPENT = "l.payment_id is not null and l.remaining > l.frozen and (l.expires_at is null or l.expires_at > now())"
"""Of a lot `l`: a purchase of which something is left, neither in dispute nor expired."""
FUNDED = f"""
select l.id, l.patron_id, l.currency, l.payment_id, (l.remaining - l.frozen)::bigint as free, {GOES_BACK} as goes_back
from credit_lots l join payments p on p.tenant_id = $1 and p.id = l.payment_id
where l.tenant_id = $1 and {UNSPENT} and ($2::uuid is null or l.payment_id = $2)
  and ($3::uuid is null or l.patron_id = $3) and ($4::text is null or l.currency = $4)
order by l.created_at desc, l.id desc
"""  # noqa: S608 - our own names


class FundedLot(msgspec.Struct, frozen=True, kw_only=True):
    """What is unspent of a purchase, in minor units."""

    id: LotId
    patron_id: PatronId
    currency: str
    payment_id: UUID
    free: int
    goes_back: int

    @property
    def refundable(self) -> int:
        """What of it a card can be given now."""
        return refundable_of(self.goes_back, self.currency)


def refundable_of(goes_back: int, currency: str) -> int:
    """What a card can be given of what may go back: whole steps of what cards take. The rest stays credits."""
    return usable_part(Money(goes_back, currency))


async def funded_lots(
    ctx: Ctx, *, payment_id: UUID | None = None, patron_id: PatronId | None = None, currency: str | None = None
) -> Sequence[FundedLot]:
    """Purchases of which something is unspent, not in dispute and not expired, the newest first."""
    return await ctx.db.rows(FundedLot, FUNDED, ctx.tenant_id, payment_id, patron_id, currency)
