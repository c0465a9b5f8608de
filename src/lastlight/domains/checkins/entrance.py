"""What the entrance to a venue costs: the price, charging it at the door, and what is owed by who is in already.

The price is the server's when the guest is admitted. Whoever has too few credits is not admitted; but a door without a network has let its guests
in, and nobody loses their place for that: the price is written down as owed. So it is where the venue's taxes do not stand, for a door
does not close because of the books. Who comes back on the same business day has paid, unless the venue asks each time.
"""

from datetime import date
from typing import Literal
from uuid import UUID

import msgspec

from lastlight.domains.checkins.errors import EntryUnfit, EntryUnpaid
from lastlight.domains.checkins.events import CheckinCharged
from lastlight.domains.checkins.model import Checkin
from lastlight.domains.credits import CreditEntry, CreditsShort, SpendLine, spend
from lastlight.domains.taxes import TaxNotSetUp
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import CheckinId, PatronId, VenueId
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx
from lastlight.ui import formats

ChargeStatus = Literal["paid", "unpaid", "waived"]
# Whoever is giving one of them back is waited for.
HOLD_BEFORE = """
select 1 from entry_charges where tenant_id = $1 and venue_id = $2 and patron_id = $3 and business_day = $4 for share
"""
PAID_BEFORE = """
select exists (
    select from entry_charges c
    where c.tenant_id = $1 and c.venue_id = $2 and c.patron_id = $3 and c.business_day = $4
      and (c.status <> 'waived'
           or not exists (select from checkin_revocations v where v.tenant_id = $1 and v.checkin_id = c.checkin_id))
      and (c.status <> 'paid' or c.amount > coalesce((
          select sum(r.amount) from credit_entries r where r.tenant_id = $1 and r.reverses = c.entry_id), 0)))
"""
WRITE = """
insert into entry_charges (tenant_id, checkin_id, venue_id, patron_id, business_day, status, amount, currency, tax_category, entry_id, reason)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
NO_TAX = "The taxes of this entrance are not set up."
UNFIT = "The price does not fit the venue's taxes or its currency any more."
TOO_FEW = "Let in without a network, with too few credits."


class EntryPrice(msgspec.Struct, frozen=True, kw_only=True):
    """What the entrance costs, as the door reads it."""

    amount: int
    currency: str
    tax_category: str
    each_time: bool


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest lacks who cannot pay the entrance, in minor units."""

    amount: int
    """Of the entrance."""
    currency: str
    missing: int
    frozen: int = 0
    """Of their credits: in dispute."""
    expired: int = 0
    """Of their credits: lost to its time in the last weeks."""


class EntryCharge(msgspec.Struct, frozen=True, kw_only=True):
    """What a check-in cost, in minor units."""

    checkin_id: CheckinId
    venue_id: VenueId
    patron_id: PatronId
    status: ChargeStatus
    amount: int
    refunded: int
    """What was given back of it."""
    currency: str
    tax_category: str
    entry_id: UUID | None
    """The spend, in the history of the guest's credits."""
    reason: str
    """Why it is not paid, or was let off."""

    @property
    def left(self) -> int:
        """What can still be given back."""
        return self.amount - self.refunded if self.status == "paid" else 0


async def charge_entry(
    ctx: Ctx, *, checkin: Checkin, price: EntryPrice, today: date, on_credit: bool
) -> EntryCharge | None:
    """Charge an arrival that was just written; None where it is paid for already. Raises EntryUnpaid, unless `on_credit` lets them owe it.

    `today` is the venue's business day as the server has it: what was paid counts on that day only, whatever day a phone says. It comes after the check-in, whose visit only one admission of the guest can open: whoever waited for another one sees what that paid.
    """
    where = (checkin.venue_id, checkin.patron_id, checkin.business_day)
    if not price.each_time and today == checkin.business_day and await _paid_before(ctx, where):
        return None
    entry, reason = None, ""
    try:
        entry = await spend_entry(ctx, checkin=checkin, price=price)
    except CreditsShort as short:
        if not on_credit:
            raise unpaid(price, short) from None
        reason = TOO_FEW
    except TaxNotSetUp:
        reason = NO_TAX
    except EntryUnfit:
        reason = UNFIT
    charge = EntryCharge(
        checkin_id=checkin.id,
        venue_id=checkin.venue_id,
        patron_id=checkin.patron_id,
        status="paid" if entry else "unpaid",
        amount=-entry.amount if entry else price.amount,
        refunded=0,
        currency=price.currency,
        tax_category=price.tax_category,
        entry_id=entry.id if entry else None,
        reason=reason,
    )
    money = (charge.amount, charge.currency, charge.tax_category)
    await ctx.db.execute(WRITE, ctx.tenant_id, checkin.id, *where, charge.status, *money, charge.entry_id, reason)
    tell_charge(ctx, charge=charge, before=None)
    return charge


async def spend_entry(ctx: Ctx, *, checkin: Checkin, price: EntryPrice) -> CreditEntry:
    """Take the price from the guest's credits, with the taxes in it. Raises CreditsShort and TaxNotSetUp.

    It is never more than the guest was told: EntryUnfit where taxes have come on top of it since it was set, or the venue has
    another currency.
    """
    line = SpendLine(description="Entrance", amount=price.amount, category=price.tax_category)
    try:
        return await spend(
            ctx,
            patron_id=checkin.patron_id,
            amount=price.amount,
            currency=price.currency,
            venue_id=checkin.venue_id,
            description=f"Entrance, {checkin.venue}",
            lines=[line],
            source=("checkin", checkin.id),
        )
    except Invalid as error:
        raise EntryUnfit from error


async def _paid_before(ctx: Ctx, where: tuple[UUID, UUID, date]) -> bool:
    await ctx.db.execute(HOLD_BEFORE, ctx.tenant_id, *where)
    return await ctx.db.fetchval(PAID_BEFORE, ctx.tenant_id, *where)


def tell_charge(ctx: Ctx, *, charge: EntryCharge, before: EntryCharge | None, reason: str = "") -> None:
    """Say what a check-in cost, or what became of what was owed."""
    ctx.emit(
        CheckinCharged(
            checkin_id=charge.checkin_id,
            venue_id=charge.venue_id,
            patron_id=charge.patron_id,
            status=charge.status,
            amount=charge.amount,
            currency=charge.currency,
            entry_id=charge.entry_id,
        ),
        entity=("checkin", charge.checkin_id),
        venue_id=charge.venue_id,
        patron_id=charge.patron_id,
        before={"entrance": before.status} if before else None,
        after={"entrance": charge.status, "amount": str(Money(charge.amount, charge.currency))},
        reason=reason or charge.reason,
    )


def unpaid(price: EntryPrice, short: CreditsShort) -> EntryUnpaid:
    """Why nobody is admitted, and how much is missing."""
    available, frozen, expired = (int(short.extra[name] or 0) for name in ("available", "frozen", "expired"))
    missing = price.amount - available
    lack = Lack(amount=price.amount, currency=price.currency, missing=missing, frozen=frozen, expired=expired)
    return EntryUnpaid(said_short(lack), extra=msgspec.structs.asdict(lack) | {"available": available})


def said_short(lack: Lack) -> str:
    """What a guest is told who cannot pay the entrance."""
    price, short, frozen, expired = (
        formats.money(amount, lack.currency) for amount in (lack.amount, lack.missing, lack.frozen, lack.expired)
    )
    said = f"The entrance costs {price}, and {short} of it is missing."
    if lack.frozen:
        said += f" {frozen} of your credits is frozen while a card payment is disputed."
    if lack.expired:
        said += f" {expired} of your credits has expired."
    return f"{said} Buy credits in the app, then scan again."
