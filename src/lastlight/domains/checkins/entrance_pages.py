"""The price of the entrance on screens: setting it for a venue, and giving back, taking or letting off what a check-in cost."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains import taxes
from lastlight.domains.checkins import charges, prices, queries
from lastlight.domains.checkins.by_hand_pages import HOME
from lastlight.domains.checkins.entrance import EntryCharge
from lastlight.domains.checkins.errors import NothingCharged, NothingOwed
from lastlight.domains.checkins.permissions import CHECKINS_PRICE, CHECKINS_REFUND
from lastlight.domains.checkins.scan_schemas import EntryPriceIn
from lastlight.domains.payments import read_amount
from lastlight.domains.venues import find_venue
from lastlight.kernel.errors import Conflict, Invalid
from lastlight.kernel.ids import CheckinId, VenueId
from lastlight.kernel.money import MOST
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, View, page, page_post
from lastlight.ui import amounts, formats

ONE = f"{HOME}/{{checkin_id:uuid}}"
Reason = Annotated[str, msgspec.Meta(max_length=500)]
Short = Annotated[str, msgspec.Meta(max_length=40)]


class EntryPriceForm(Input, frozen=True, kw_only=True):
    """What the entrance is to cost, as somebody types it; empty: nothing."""

    amount: Short = ""
    tax_category: Short = taxes.UNTAXED
    each_time: bool = False


class EntryRefundForm(Input, frozen=True, kw_only=True):
    """How much goes back, why, and what was left when the form was opened."""

    amount: Short = ""
    reason: Reason = ""
    left: int | None = None


class WaiverForm(Input, frozen=True, kw_only=True):
    """Why what is owed is let off."""

    reason: Reason = ""


def price_pages(prefix: str) -> tuple[Operation, ...]:
    """The price of the entrance inside one console, such as /manage."""
    one = f"{prefix}/venues/{{venue_id:uuid}}/entrance"

    async def facts(ctx: Ctx, *, venue_id: UUID) -> dict[str, Any]:
        venue = await find_venue(ctx, venue_id=venue_id, permission=CHECKINS_PRICE)
        price = await prices.read_price(ctx, venue_id=venue_id)
        return {
            "venue": venue,
            "home": f"{prefix}/venues",
            "price": price,
            "amount": "" if price.amount is None else amounts.in_field(price.amount, price.currency),
            "categories": await taxes.tax_choices(ctx),
            "owed": f"{HOME}?entrance=unpaid&venue_id={venue_id}",
            "history": await entity_history(ctx, entity="venue", entity_id=venue_id),
        }

    @page(one, permission=CHECKINS_PRICE)
    async def entrance_page(ctx: Ctx, venue_id: VenueId) -> View:
        """Show what the entrance to a venue costs."""
        return View("checkins/entrance.html", await facts(ctx, venue_id=venue_id))

    @page_post(one, permission=CHECKINS_PRICE, form_page="checkins/entrance.html", form_context=facts)
    async def entrance_submit(ctx: Ctx, venue_id: VenueId, form: Form[EntryPriceForm]) -> Redirect:
        """Set what the entrance to a venue costs, or nothing."""
        data = form.require()
        venue = await find_venue(ctx, venue_id=venue_id, permission=CHECKINS_PRICE)
        wanted = EntryPriceIn(
            amount=_amount(data.amount, venue.currency), tax_category=data.tax_category, each_time=data.each_time
        )
        price = await prices.set_price(ctx, venue_id=venue_id, data=wanted)
        said = "The entrance is free." if price.amount is None else "Whoever comes in from now on pays this."
        return Redirect(f"{prefix}/venues/{venue_id}/entrance", toast=said)

    return (entrance_page, entrance_submit)


async def _charge(ctx: Ctx, *, checkin_id: UUID) -> dict[str, Any]:
    """What the dialogs show; refuses where there is nothing to ask."""
    checkin = await queries.find_checkin(ctx, checkin_id=checkin_id)
    charge = await charges.find_charge(ctx, checkin_id=checkin_id)
    if charge is None:
        raise NothingCharged
    left = amounts.in_field(charge.left, charge.currency)
    return {"checkin": checkin, "charge": charge, "here": f"{HOME}/{checkin_id}", "left": left}


@page(f"{ONE}/refund", permission=CHECKINS_REFUND)
async def entry_refund_dialog(ctx: Ctx, checkin_id: CheckinId) -> View:
    """Ask how much of a check-in's price goes back, and why."""
    return View("checkins/entry_refund.html", await _charge(ctx, checkin_id=checkin_id), block="dialog")


@page_post(
    f"{ONE}/refund",
    permission=CHECKINS_REFUND,
    form_page="checkins/entry_refund.html",
    form_block="dialog",
    form_context=_charge,
)
async def entry_refund_submit(ctx: Ctx, checkin_id: CheckinId, form: Form[EntryRefundForm]) -> Redirect:
    """Give back what a check-in cost, wholly or in part; a form that is sent twice gives back once."""
    data = form.require()
    charge = await _held(ctx, checkin_id)
    if data.left is not None and data.left != charge.left:
        raise Conflict("Something went back in the meantime. Look at the check-in again before you give back more.")
    amount = read_amount(data.amount, charge.currency, most=charge.left)
    await charges.refund_entry(ctx, checkin_id=checkin_id, reason=data.reason, amount=amount)
    said = f"{formats.money(amount, charge.currency)} went back to the guest's credits."
    return Redirect(f"{HOME}/{checkin_id}", toast=said)


@page_post(f"{ONE}/collection", permission=CHECKINS_REFUND)
async def entry_collection_submit(ctx: Ctx, checkin_id: CheckinId) -> Redirect:
    """Take what a guest owes for a check-in from their credits."""
    charge = await charges.collect_entry(ctx, checkin_id=checkin_id)
    said = f"{formats.money(charge.amount, charge.currency)} was taken from the guest's credits."
    return Redirect(f"{HOME}/{checkin_id}", toast=said)


@page(f"{ONE}/waiver", permission=CHECKINS_REFUND)
async def entry_waiver_dialog(ctx: Ctx, checkin_id: CheckinId) -> View:
    """Ask why what is owed for a check-in is let off."""
    return View("checkins/entry_waiver.html", await _charge(ctx, checkin_id=checkin_id), block="dialog")


@page_post(
    f"{ONE}/waiver",
    permission=CHECKINS_REFUND,
    form_page="checkins/entry_waiver.html",
    form_block="dialog",
    form_context=_charge,
)
async def entry_waiver_submit(ctx: Ctx, checkin_id: CheckinId, form: Form[WaiverForm]) -> Redirect:
    """Let off what a guest owes for a check-in, with a reason."""
    await charges.waive_entry(ctx, checkin_id=checkin_id, reason=form.require().reason)
    return Redirect(f"{HOME}/{checkin_id}", toast="It is let off.")


async def _held(ctx: Ctx, checkin_id: UUID) -> EntryCharge:
    charge = await charges.hold_charge(ctx, checkin_id=checkin_id, permission=CHECKINS_REFUND)
    if charge is None:
        raise NothingCharged
    if charge.status != "paid":
        raise NothingOwed if charge.status == "waived" else NothingCharged
    return charge


def _amount(text: str, currency: str) -> int | None:
    """The price that somebody typed; None where the field is empty."""
    if not text.strip():
        return None
    try:
        amount = amounts.of_field(text, currency)
    except ValueError as error:
        raise Invalid(fields={"amount": str(error)}) from error
    if not 0 < amount <= MOST:
        raise Invalid(fields={"amount": "Give more than nothing, or leave it empty: then the entrance is free."})
    return amount


ENTRANCE_PAGES = (
    *price_pages("/manage"),
    *price_pages("/owner"),
    entry_refund_dialog,
    entry_refund_submit,
    entry_collection_submit,
    entry_waiver_dialog,
    entry_waiver_submit,
)
