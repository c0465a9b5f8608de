"""The demonstration's purchases by card, made at the sandbox as guests make them: paid, declined, refunded, disputed."""

from collections.abc import Sequence
from typing import NamedTuple

from lastlight.domains import payments
from lastlight.domains.credits.funding import FUNDING
from lastlight.domains.credits.spending import spend
from lastlight.kernel.ids import PatronId, TenantId, VenueId
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services

KNOWN = "select exists (select from payments where tenant_id = $1)"


class Purchase(NamedTuple):
    """With which card a guest pays how much, in hundredths; what they spend of it, and what is sent back."""

    card: str
    amount: int
    spent: tuple[int, str] = (0, "")
    refund: tuple[int, str] = (0, "")


PURCHASES = (
    Purchase("pm_card_visa", 25_000, (9_500, "Two burgers"), (10_000, "Left earlier than planned")),
    Purchase("pm_card_mastercard", 50_000, (18_000, "Karaoke room, an hour and a half")),
    Purchase("pm_card_visa_chargeDeclinedInsufficientFunds", 10_000),
    Purchase("pm_card_amex", 10_000),
    Purchase("pm_card_createDispute", 25_000, (4_000, "Skee-ball")),
    Purchase("pm_card_bypassPending", 50_000, (12_500, "Table 7")),
    Purchase("pm_card_authenticationRequired", 25_000),
    Purchase("pm_card_refundFail", 10_000, refund=(5_000, "Charged twice, they thought")),
)


async def seed_purchases(
    services: Services,
    tenant_id: TenantId,
    *,
    venue_ids: Sequence[VenueId],
    patron_ids: Sequence[PatronId],
    currency: str,
) -> int:
    """Purchases of some guests; nothing without a sandbox, or where anybody has paid. How many were made."""
    async with system_ctx(services, tenant_id) as ctx:
        known: bool = await ctx.db.fetchval(KNOWN, tenant_id)
    if known or not venue_ids or not await payments.can_try(services):
        return 0
    told = list(zip(patron_ids, PURCHASES, strict=False))
    for number, (patron_id, wish) in enumerate(told):
        venue_id = venue_ids[number % len(venue_ids)]
        made = await payments.try_payment(
            services,
            tenant_id,
            purpose=FUNDING,
            amount=wish.amount,
            currency=currency,
            patron_id=patron_id,
            venue_id=venue_id,
            card=wish.card,
        )
        async with system_ctx(services, tenant_id) as ctx:
            if wish.spent[0] and made.captured:
                amount, what = wish.spent
                await spend(
                    ctx, patron_id=patron_id, amount=amount, currency=currency, venue_id=venue_id, description=what
                )
            if wish.refund[0] and made.captured:
                await payments.begin_refund(ctx, payment_id=made.id, amount=wish.refund[0], reason=wish.refund[1])
    return len(told)
