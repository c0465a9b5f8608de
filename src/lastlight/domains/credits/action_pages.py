"""What people do about a guest's credits: send unspent ones back to a card, give back a spend. Each asked in a dialog."""

from typing import Annotated, Any, NamedTuple
from uuid import UUID

import msgspec

from lastlight.domains.credits import looking, purchases, queries, spending
from lastlight.domains.credits.listings import KINDS
from lastlight.domains.credits.model import EntryId
from lastlight.domains.credits.permissions import CREDITS_CHARGE
from lastlight.domains.credits.schemas import CreditRefundIn
from lastlight.domains.payments import PAYMENTS_REFUND, read_amount
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import PatronId, uuid_of
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, View, page, page_post
from lastlight.ui import amounts, formats

Amount = Annotated[str, msgspec.Meta(max_length=40)]
Reason = Annotated[str, msgspec.Meta(max_length=500)]


class RefundForm(Input, frozen=True, kw_only=True):
    """Which purchase goes back or, by its currency, the newest ones; how much of it, and why."""

    of: Annotated[str, msgspec.Meta(max_length=80)] = ""
    amount: Amount = ""
    reason: Reason = ""


class ReversalForm(Input, frozen=True, kw_only=True):
    """How much of a spend is given back, why, and what was left of it when the form was opened."""

    amount: Amount = ""
    reason: Reason = ""
    left: int | None = None


class Refundable(NamedTuple):
    """What can be chosen: one purchase, or a currency for the newest purchases first, with what is left of it."""

    payment_id: UUID | None
    currency: str
    left: int


def _read_choice(text: str) -> Refundable:
    """A choice as its form sends it: the payment or nothing, the currency, and what was left. Raises Invalid."""
    payment, _, rest = text.partition(":")
    currency, _, left = rest.partition(":")
    if not (currency and left.isdecimal()):
        raise Invalid(fields={"of": "Choose what goes back."})
    return Refundable(uuid_of(payment), currency, int(left))


def refund_pages(prefix: str) -> tuple[Operation, ...]:
    """Sending unspent credits back to the cards that paid."""
    home = f"{prefix}/credits"
    path = f"{home}/{{patron_id:uuid}}/refund"

    async def context(ctx: Ctx, *, patron_id: PatronId) -> dict[str, Any]:
        guest = await queries.read_balances(ctx, patron_id=patron_id)
        funded = await looking.funded_lots(ctx, patron_id=patron_id)
        lots = [lot for lot in funded if lot.refundable]
        sums: dict[str, list[int]] = {}
        for lot in lots:
            sums.setdefault(lot.currency, []).append(lot.refundable)
        stays: dict[str, int] = {}
        for lot in funded:
            stays[lot.currency] = stays.get(lot.currency, 0) + lot.stays
        return {"guest": guest, "lots": lots, "sums": sums, "stays": stays, "action": f"{home}/{patron_id}/refund"}

    @page(path, permission=PAYMENTS_REFUND)
    async def guest_credits_refund_dialog(ctx: Ctx, patron_id: PatronId) -> View:
        """Ask what of a guest's unspent purchases goes back to the card, and why."""
        return View("credits/refund.html", await context(ctx, patron_id=patron_id), block="dialog")

    @page_post(
        path,
        permission=PAYMENTS_REFUND,
        form_page="credits/refund.html",
        form_block="dialog",
        form_context=context,
    )
    async def guest_credits_refund_submit(ctx: Ctx, patron_id: PatronId, form: Form[RefundForm]) -> Redirect:
        """Send unspent credits back to the card; a form that is sent twice refunds once."""
        data = form.require()
        await queries.read_balances(ctx, patron_id=patron_id)
        chosen = _read_choice(data.of)
        amount = read_amount(data.amount, chosen.currency, most=chosen.left)
        if not data.reason.strip():
            raise Invalid(fields={"reason": "Say why the money goes back."})
        wanted = CreditRefundIn(
            payment_id=chosen.payment_id,
            patron_id=None if chosen.payment_id else patron_id,
            currency=chosen.currency,
            amount=amount,
            reason=data.reason,
        )
        await purchases.refund(ctx, data=wanted, of=patron_id, seen=chosen.left)
        said = f"{formats.money(amount, chosen.currency)} is on its way back to the card."
        return Redirect(f"{home}/{patron_id}", toast=said)

    return (guest_credits_refund_dialog, guest_credits_refund_submit)


def reversal_pages(prefix: str) -> tuple[Operation, ...]:
    """Giving back what was spent."""
    home = f"{prefix}/credits"
    path = f"{home}/entries/{{spend_id:uuid}}/reversal"

    async def context(ctx: Ctx, *, spend_id: EntryId) -> dict[str, Any]:
        spent = await spending.find_spend(ctx, entry_id=spend_id)
        ctx.require(CREDITS_CHARGE, spent.venue_id)
        left = await looking.left_of_spend(ctx, entry_id=spend_id)
        return {
            "entry": await looking.read_entry(ctx, entry_id=spend_id),
            "left": left,
            "left_written": amounts.in_field(left, spent.currency),
            "kinds": dict(KINDS),
            "action": f"{home}/entries/{spend_id}/reversal",
        }

    @page(path, permission=CREDITS_CHARGE)
    async def credit_reversal_dialog(ctx: Ctx, spend_id: EntryId) -> View:
        """Ask how much of a spend is given back, and why."""
        return View("credits/reversal.html", await context(ctx, spend_id=spend_id), block="dialog")

    @page_post(
        path,
        permission=CREDITS_CHARGE,
        form_page="credits/reversal.html",
        form_block="dialog",
        form_context=context,
    )
    async def credit_reversal_submit(ctx: Ctx, spend_id: EntryId, form: Form[ReversalForm]) -> Redirect:
        """Give back all or a part of a spend; a form that is sent twice gives back once."""
        data = form.require()
        spent = await spending.find_spend(ctx, entry_id=spend_id)
        ctx.require(CREDITS_CHARGE, spent.venue_id)
        amount = read_amount(data.amount, spent.currency, most=-spent.amount)
        if not data.reason.strip():
            raise Invalid(fields={"reason": "Say why it is given back."})
        await spending.reverse_spend(ctx, entry_id=spend_id, amount=amount, reason=data.reason, seen=data.left)
        said = f"{formats.money(amount, spent.currency)} is the guest's again."
        return Redirect(f"{home}/entries/{spend_id}", toast=said)

    return (credit_reversal_dialog, credit_reversal_submit)


def action_pages(prefix: str) -> tuple[Operation, ...]:
    """All of them inside one console."""
    return (*refund_pages(prefix), *reversal_pages(prefix))
