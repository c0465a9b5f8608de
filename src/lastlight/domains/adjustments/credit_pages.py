"""Adjusting a guest's credits: a dialog on their page that says from how many on a second person has to agree."""

from typing import Any, Literal
from uuid import uuid4

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
from lastlight.domains.adjustments.schemas import CreditAdjustmentIn
from lastlight.domains.adjustments.settings import CREDITS_LIMIT
from lastlight.domains.credits import CREDITS_ADJUST, read_balances
from lastlight.domains.payments import read_amount
from lastlight.kernel.ids import PatronId
from lastlight.kernel.money import MOST
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, View, page, page_post
from lastlight.runtime.tenant_settings import setting
from lastlight.ui import formats


class CreditForm(Input, frozen=True, kw_only=True):
    """How many credits more or fewer, and why; `once` tells a form that is sent twice from two requests."""

    direction: Literal["more", "fewer"] = "more"
    amount: Short = ""
    currency: Short = ""
    venue_id: Short = ""
    reason: Reason = ""
    once: Short = ""


def credit_pages(prefix: str) -> tuple[Operation, ...]:
    """The dialog that adjusts a guest's credits, inside one console."""
    path = f"{prefix}/credits/{{patron_id:uuid}}/adjustment"

    async def context(ctx: Ctx, *, patron_id: PatronId) -> dict[str, Any]:
        guest = await read_balances(ctx, patron_id=patron_id)
        currencies = await queries.currencies_of(ctx)
        limit = await setting(ctx, CREDITS_LIMIT)
        return {
            "guest": guest,
            "own": await queries.is_their_own(ctx, patron_id=patron_id),
            "currencies": [(one, one) for one in currencies],
            "venues": await venue_choices(ctx),
            "alone": alone(limit, currencies),
            "once": uuid4(),
            "action": f"{prefix}/credits/{patron_id}/adjustment",
        }

    @page(path, permission=CREDITS_ADJUST)
    async def credit_adjustment_dialog(ctx: Ctx, patron_id: PatronId) -> View:
        """Ask how many credits more or fewer, and why; say from how many on a second person has to agree."""
        return View("adjustments/credits.html", await context(ctx, patron_id=patron_id), block="dialog")

    @page_post(
        path,
        permission=CREDITS_ADJUST,
        form_page="adjustments/credits.html",
        form_block="dialog",
        form_context=context,
    )
    async def credit_adjustment_submit(ctx: Ctx, patron_id: PatronId, form: Form[CreditForm]) -> Redirect:
        """Adjust a guest's credits, or ask for it above the limit; a form that is sent twice asks once."""
        data = form.require()
        amount = read_amount(data.amount, data.currency, most=MOST)
        wanted = CreditAdjustmentIn(
            patron_id=patron_id,
            amount=amount if data.direction == "more" else -amount,
            currency=read_currency(data.currency, await queries.currencies_of(ctx)),
            reason=read_reason(data.reason),
            venue_id=read_venue_choice(data.venue_id),
        )
        made = await actions.adjust_credits(ctx, data=wanted, once=data.once)
        direction = "more" if amount == made.amount else "fewer"
        said = f"{formats.money(amount, made.currency)} {direction}."
        return Redirect(f"{prefix}/credits/{patron_id}", toast=WAITS if made.status == "waiting" else said)

    return (credit_adjustment_dialog, credit_adjustment_submit)
