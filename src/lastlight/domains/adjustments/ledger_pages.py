"""Moving an amount between two accounts of the business, on a page that shows both entries before anything is posted."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import msgspec

from lastlight.domains.adjustments import actions, queries
from lastlight.domains.adjustments.forms import (
    WAITS,
    Reason,
    Short,
    alone,
    read_currency,
    read_reason,
    read_venue_choice,
    venue_choices,
)
from lastlight.domains.adjustments.permissions import LEDGER_ADJUST
from lastlight.domains.adjustments.preview import moved
from lastlight.domains.adjustments.schemas import LedgerAdjustmentIn
from lastlight.domains.adjustments.settings import LEDGER_LIMIT
from lastlight.domains.adjustments.subjects import ACCOUNTS, account_kind
from lastlight.domains.payments import read_amount
from lastlight.domains.venues import read_wall_clock, write_wall_clock
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId
from lastlight.kernel.money import MOST, digits_of
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, View, page, page_post
from lastlight.runtime.tenant_settings import setting
from lastlight.runtime.zones import reader_zone

LEDGER = "/owner/ledger"
NEW = f"{LEDGER}/adjustments/new"


class MoveQuery(Input, frozen=True, kw_only=True):
    """What would be moved, as somebody typed it."""

    source: Short = ""
    destination: Short = ""
    amount: Short = ""
    currency: Short = ""
    effective_at: Short = ""


class MoveForm(Input, frozen=True, kw_only=True):
    """What is moved, and why."""

    source: Short = ""
    destination: Short = ""
    amount: Short = ""
    currency: Short = ""
    effective_at: Short = ""
    venue_id: Short = ""
    reason: Reason = ""
    once: Short = ""


async def _page_facts(ctx: Ctx) -> dict[str, Any]:
    currencies = await queries.currencies_of(ctx)
    return {
        "home": LEDGER,
        "action": NEW,
        "values": MoveQuery(currency=currencies[0]),
        "errors": {},
        "entries": [],
        "accounts": list(ACCOUNTS.items()),
        "currencies": [(one, one) for one in currencies],
        "venues": await venue_choices(ctx),
        "alone": alone(await setting(ctx, LEDGER_LIMIT), currencies),
        "once": uuid4(),
        "now": write_wall_clock(ctx.now, await reader_zone(ctx)),
        "crew": False,
    }


@page(NEW, permission=LEDGER_ADJUST)
async def ledger_adjustment_page(ctx: Ctx, query: MoveQuery) -> View:
    """Ask between which accounts how much is moved, and show both entries before anything is posted."""
    context = await _page_facts(ctx)
    if not query.currency:
        query = msgspec.structs.replace(query, currency=context["values"].currency)
    context["values"] = query
    if query.amount or (query.source and query.destination):
        try:
            context |= await _preview(ctx, query)
        except Invalid as problem:
            context["errors"] = problem.fields
    return View("adjustments/ledger.html", context)


async def _preview(ctx: Ctx, query: MoveQuery) -> dict[str, Any]:
    """Both entries of what was typed, and whether it would wait. Raises Invalid."""
    wanted = await _wanted(ctx, query, reason="-", venue_id=None)
    await actions.require_in_books(ctx, at=wanted.effective_at)
    source, destination = actions.ends_of(wanted)
    limit = await setting(ctx, LEDGER_LIMIT) * 10 ** digits_of(wanted.currency)
    entries = await moved(ctx, source=source, destination=destination, amount=wanted.amount, currency=wanted.currency)
    return {"entries": entries, "amount": wanted.amount, "waits": wanted.amount > limit}


@page_post(NEW, permission=LEDGER_ADJUST, form_page="adjustments/ledger.html", form_context=_page_facts)
async def ledger_adjustment_submit(ctx: Ctx, form: Form[MoveForm]) -> Redirect:
    """Move an amount between two accounts, or ask for it above the limit; a form that is sent twice asks once."""
    data = form.require()
    asked = MoveQuery(**{name: getattr(data, name) for name in MoveQuery.__struct_fields__})
    wanted = await _wanted(ctx, asked, reason=read_reason(data.reason), venue_id=read_venue_choice(data.venue_id))
    made = await actions.adjust_ledger(ctx, data=wanted, once=data.once)
    said = WAITS if made.status == "waiting" else "It is booked."
    return Redirect(f"/owner/adjustments/{made.id}", toast=said)


async def _wanted(ctx: Ctx, query: MoveQuery, *, reason: str, venue_id: VenueId | None) -> LedgerAdjustmentIn:
    """What was typed, as the action takes it. Raises Invalid at the field."""
    currency = read_currency(query.currency, await queries.currencies_of(ctx))
    account_kind(query.source, field="source")
    account_kind(query.destination, field="destination")
    return LedgerAdjustmentIn(
        source=query.source,
        destination=query.destination,
        amount=read_amount(query.amount, currency, most=MOST),
        currency=currency,
        reason=reason,
        venue_id=venue_id,
        effective_at=await _moment(ctx, query.effective_at),
    )


async def _moment(ctx: Ctx, text: str) -> datetime | None:
    """For which moment it counts, as the clock of the business shows it; none: when it is booked. Raises Invalid."""
    return read_wall_clock(text, await reader_zone(ctx), field="effective_at") if text else None


LEDGER_PAGES = (ledger_adjustment_page, ledger_adjustment_submit)
