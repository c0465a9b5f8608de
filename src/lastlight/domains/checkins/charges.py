"""What became of the price of a check-in: given back, wholly or in part; what is owed taken later, or let off."""

from uuid import UUID

import msgspec

from lastlight.domains.checkins.entrance import EntryCharge, EntryPrice, spend_entry, tell_charge
from lastlight.domains.checkins.errors import NothingCharged, NothingOwed
from lastlight.domains.checkins.events import CheckinRefunded
from lastlight.domains.checkins.permissions import CHECKINS_READ, CHECKINS_REFUND
from lastlight.domains.checkins.queries import read_checkin
from lastlight.domains.credits import reverse_spend
from lastlight.kernel.errors import Invalid
from lastlight.kernel.money import Money
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx

CHARGE = """
select c.checkin_id, c.venue_id, c.patron_id, c.status, c.amount, c.currency, c.tax_category, c.entry_id, c.reason,
       coalesce((select sum(r.amount) from credit_entries r where r.tenant_id = $1 and r.reverses = c.entry_id), 0)::bigint as refunded
from entry_charges c
where c.tenant_id = $1 and c.checkin_id = $2
"""
HOLD = "select 1 from entry_charges where tenant_id = $1 and checkin_id = $2 for update"
SETTLE = """
update entry_charges set status = $3, amount = $4, entry_id = $5, reason = $6, settled_by = $7 where tenant_id = $1 and checkin_id = $2
"""


async def find_charge(ctx: Ctx, *, checkin_id: UUID, permission: Permission = CHECKINS_READ) -> EntryCharge | None:
    """What a check-in cost, and what was given back of it; None: nothing. Raises NotFound for what the actor may not see."""
    ctx.require(permission)
    checkin = await read_checkin(ctx, checkin_id=checkin_id)
    ctx.require(permission, checkin.venue_id)
    return await ctx.db.row(EntryCharge, CHARGE, ctx.tenant_id, checkin_id)


async def hold_charge(ctx: Ctx, *, checkin_id: UUID, permission: Permission) -> EntryCharge | None:
    """The charge, which nobody else changes until the transaction ends."""
    if await find_charge(ctx, checkin_id=checkin_id, permission=permission) is None:
        return None
    await ctx.db.fetchval(HOLD, ctx.tenant_id, checkin_id)
    return await ctx.db.row(EntryCharge, CHARGE, ctx.tenant_id, checkin_id)


async def refund_entry(ctx: Ctx, *, checkin_id: UUID, reason: str, amount: int | None = None) -> EntryCharge:
    """Give back what a check-in cost, all that is left of it or a part. Raises NothingCharged and SpendReversed."""
    charge = await hold_charge(ctx, checkin_id=checkin_id, permission=CHECKINS_REFUND)
    if charge is None or charge.entry_id is None:
        raise NothingCharged
    return await _give_back(ctx, charge, _said(reason), amount)


async def collect_entry(ctx: Ctx, *, checkin_id: UUID) -> EntryCharge:
    """Take what is owed from the guest's credits, now that they have some. Raises NothingOwed, CreditsShort, TaxNotSetUp and EntryUnfit."""
    charge = await hold_charge(ctx, checkin_id=checkin_id, permission=CHECKINS_REFUND)
    if charge is None or charge.status != "unpaid":
        raise NothingOwed
    checkin = await read_checkin(ctx, checkin_id=checkin_id)
    price = EntryPrice(
        amount=charge.amount, currency=charge.currency, tax_category=charge.tax_category, each_time=False
    )
    entry = await spend_entry(ctx, checkin=checkin, price=price)
    return await _settle(
        ctx, charge, msgspec.structs.replace(charge, status="paid", amount=-entry.amount, entry_id=entry.id, reason="")
    )


async def waive_entry(ctx: Ctx, *, checkin_id: UUID, reason: str) -> EntryCharge:
    """Let off what is owed for a check-in, with a reason. Raises NothingOwed."""
    charge = await hold_charge(ctx, checkin_id=checkin_id, permission=CHECKINS_REFUND)
    if charge is None or charge.status != "unpaid":
        raise NothingOwed
    return await _settle(ctx, charge, msgspec.structs.replace(charge, status="waived", reason=_said(reason)))


async def undo_charge(ctx: Ctx, *, checkin_id: UUID, reason: str) -> None:
    """Give back what is left of a check-in's price, or let it off where it is owed; nothing where nothing is left."""
    charge = await hold_charge(ctx, checkin_id=checkin_id, permission=CHECKINS_REFUND)
    if charge is not None and charge.left:
        await _give_back(ctx, charge, reason, None)
    elif charge is not None and charge.status == "unpaid":
        await _settle(ctx, charge, msgspec.structs.replace(charge, status="waived", reason=reason))


async def _give_back(ctx: Ctx, charge: EntryCharge, reason: str, amount: int | None) -> EntryCharge:
    assert charge.entry_id is not None
    back = await reverse_spend(ctx, entry_id=charge.entry_id, amount=amount, reason=reason)
    after = msgspec.structs.replace(charge, refunded=charge.refunded + back.amount)
    ctx.emit(
        CheckinRefunded(
            checkin_id=charge.checkin_id,
            venue_id=charge.venue_id,
            patron_id=charge.patron_id,
            amount=back.amount,
            currency=charge.currency,
            left=after.left,
            entry_id=back.id,
        ),
        entity=("checkin", charge.checkin_id),
        venue_id=charge.venue_id,
        patron_id=charge.patron_id,
        before={"refunded": str(Money(charge.refunded, charge.currency))},
        after={"refunded": str(Money(after.refunded, charge.currency))},
        reason=reason,
    )
    return after


async def _settle(ctx: Ctx, before: EntryCharge, after: EntryCharge) -> EntryCharge:
    values = (after.status, after.amount, after.entry_id, after.reason, ctx.actor.user_id)
    await ctx.db.execute(SETTLE, ctx.tenant_id, before.checkin_id, *values)
    tell_charge(ctx, charge=after, before=before)
    return after


def _said(reason: str) -> str:
    if not reason.strip():
        raise Invalid(fields={"reason": "Say why; it stands in the history."})
    return reason.strip()
