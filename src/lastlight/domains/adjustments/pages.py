"""What was put right by hand, in the consoles of managers and owners: what waits for a second person, and what became of the rest."""

from dataclasses import replace
from typing import Annotated, Any

import msgspec

from lastlight.domains.adjustments import actions, queries
from lastlight.domains.adjustments.credit_pages import credit_pages
from lastlight.domains.adjustments.ledger_pages import LEDGER_PAGES
from lastlight.domains.adjustments.listings import ADJUSTMENTS
from lastlight.domains.adjustments.permissions import ADJUSTMENTS_APPROVE, ADJUSTMENTS_READ
from lastlight.domains.adjustments.preview import entries_of
from lastlight.domains.adjustments.schemas import Adjustment, AdjustmentId
from lastlight.domains.adjustments.subjects import ACCOUNTS
from lastlight.domains.credits import read_balances
from lastlight.domains.venues import listed
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import PatronId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

CONSOLES = ("/manage", "/owner")
EVENTS = ["adjustment.requested", "adjustment.booked", "adjustment.ended"]
SAID = frozenset({"guest", "source", "destination", "currency", "needs_approval"})
"""Columns that another one of the list says with its own, or the page of one."""
Said = Annotated[str, msgspec.Meta(max_length=500)]


class DecisionForm(Input, frozen=True, kw_only=True):
    """What is said with a decision."""

    reason: Said = ""


def list_pages(prefix: str) -> tuple[Operation, ...]:
    """What waits, and the list of all."""
    home = f"{prefix}/adjustments"

    @page(home, permission=ADJUSTMENTS_READ, listing=ADJUSTMENTS)
    async def adjustments_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """Show what waits for a second person, and list every adjustment."""
        shown = await listed(ctx, request=request, listing=ADJUSTMENTS, query=query, home=home)
        headers = [one for one in shown["view"].headers if one.name not in SAID]
        headers = [replace(one, label="Amount") if one.name == "amount" else one for one in headers]
        context: dict[str, Any] = {
            "view": replace(shown["view"], headers=headers),
            "waiting": await queries.waiting(ctx),
            "may_decide": ctx.allows(ADJUSTMENTS_APPROVE),
            "me": ctx.actor.user_id,
            "accounts": ACCOUNTS,
            "console": prefix,
            "events": EVENTS,
        }
        return View("adjustments/adjustments.html", {**shown, **context})

    @page(f"{prefix}/credits/{{patron_id:uuid}}/adjustments", permission=ADJUSTMENTS_READ)
    async def guest_adjustments_part(ctx: Ctx, patron_id: PatronId) -> View:
        """Show what waits about one guest's credits: a part of their page."""
        guest = await read_balances(ctx, patron_id=patron_id)
        waiting = await queries.waiting(ctx, patron_id=guest.patron_id)
        context = {"waiting": waiting, "patron_id": patron_id, "home": home, "console": prefix, "events": EVENTS}
        return View("adjustments/of_guest.html", context, block="part")

    return (adjustments_page, guest_adjustments_part)


def detail_pages(prefix: str) -> tuple[Operation, ...]:
    """One adjustment, and what is decided about it."""
    home = f"{prefix}/adjustments"
    one = f"{home}/{{adjustment_id:uuid}}"

    async def context(ctx: Ctx, *, adjustment_id: AdjustmentId) -> dict[str, Any]:
        adjustment = await queries.read_adjustment(ctx, adjustment_id=adjustment_id)
        return {
            "adjustment": adjustment,
            "accounts": ACCOUNTS,
            "entries": await entries_of(ctx, adjustment=adjustment),
            "home": home,
            "console": prefix,
        }

    @page(one, permission=ADJUSTMENTS_READ)
    async def adjustment_page(ctx: Ctx, adjustment_id: AdjustmentId) -> View:
        """Show an adjustment: who asked and why, what it moves, who decided."""
        shown = await context(ctx, adjustment_id=adjustment_id)
        adjustment: Adjustment = shown["adjustment"]
        more: dict[str, Any] = {
            "why_not": await _why_not(ctx, adjustment),
            "may_withdraw": adjustment.requested_by == ctx.actor.user_id,
            "booked_as": await queries.booked_as(ctx, adjustment=adjustment),
            "history": await entity_history(ctx, entity="adjustment", entity_id=adjustment_id),
            "events": EVENTS,
        }
        return View("adjustments/adjustment.html", {**shown, **more})

    def dialog(ending: str, template: str, permission: Any) -> Operation:
        async def decision_dialog(ctx: Ctx, *, adjustment_id: AdjustmentId) -> View:
            return View(template, await context(ctx, adjustment_id=adjustment_id), block="dialog")

        decision_dialog.__name__ = f"adjustment_{ending}_dialog"
        decision_dialog.__doc__ = f"Ask about the {ending} of an adjustment."
        return page(f"{one}/{ending}", permission=permission)(decision_dialog)

    options: dict[str, Any] = {"form_block": "dialog", "form_context": context}

    @page_post(f"{one}/approval", permission=ADJUSTMENTS_APPROVE, form_page="adjustments/approval.html", **options)
    async def adjustment_approval_submit(ctx: Ctx, adjustment_id: AdjustmentId, form: Form[DecisionForm]) -> Redirect:
        """Agree to what somebody else asked for; it is booked at once."""
        await actions.approve(ctx, adjustment_id=adjustment_id, note=form.require().reason)
        return Redirect(f"{home}/{adjustment_id}", toast="It is approved and booked.")

    @page_post(f"{one}/decline", permission=ADJUSTMENTS_APPROVE, form_page="adjustments/decline.html", **options)
    async def adjustment_decline_submit(ctx: Ctx, adjustment_id: AdjustmentId, form: Form[DecisionForm]) -> Redirect:
        """Decline what somebody else asked for, with a reason."""
        reason = form.require().reason
        if not reason.strip():
            raise Invalid(fields={"reason": "Say why: whoever asked reads it."})
        await actions.decline(ctx, adjustment_id=adjustment_id, reason=reason)
        return Redirect(f"{home}/{adjustment_id}", toast="It is declined. Nothing was moved.")

    @page_post(f"{one}/withdrawal", permission=ADJUSTMENTS_READ, form_page="adjustments/withdrawal.html", **options)
    async def adjustment_withdrawal_submit(ctx: Ctx, adjustment_id: AdjustmentId, form: Form[DecisionForm]) -> Redirect:
        """Withdraw one's own request."""
        await actions.withdraw(ctx, adjustment_id=adjustment_id, note=form.require().reason)
        return Redirect(f"{home}/{adjustment_id}", toast="It is withdrawn. Nothing was moved.")

    return (
        adjustment_page,
        dialog("approval", "adjustments/approval.html", ADJUSTMENTS_APPROVE),
        adjustment_approval_submit,
        dialog("decline", "adjustments/decline.html", ADJUSTMENTS_APPROVE),
        adjustment_decline_submit,
        dialog("withdrawal", "adjustments/withdrawal.html", ADJUSTMENTS_READ),
        adjustment_withdrawal_submit,
    )


async def _why_not(ctx: Ctx, adjustment: Adjustment) -> str:
    """Why the reader cannot decide: it is decided, asked for by them, about their own credits, or not theirs to decide."""
    if adjustment.status != "waiting":
        return "decided"
    if adjustment.requested_by == ctx.actor.user_id:
        return "asked"
    if adjustment.patron_id is not None and await queries.is_their_own(ctx, patron_id=adjustment.patron_id):
        return "oneself"
    return "" if ctx.allows(ADJUSTMENTS_APPROVE) else "not-permitted"


PAGES = (
    *(one for prefix in CONSOLES for maker in (list_pages, detail_pages, credit_pages) for one in maker(prefix)),
    *LEDGER_PAGES,
)
