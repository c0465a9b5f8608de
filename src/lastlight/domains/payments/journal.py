"""How the provider's side of a payment is booked: each balance transaction once, and once more when its money becomes available.

Debits and credits of each event stand in docs/money.md. Amounts and fees always come from the balance transaction. Where the provider
settles in another currency than the payer paid in, both sides meet in the exchange accounts, each in its own currency.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from lastlight.domains.ledger import (
    DISPUTE_FEES,
    EXCHANGE,
    LOSSES,
    PROCESSING_FEES,
    PROVIDER_AVAILABLE,
    PROVIDER_PENDING,
    AccountId,
    AccountKind,
    Leg,
    Transaction,
    TransactionId,
    open_account,
    post,
    posted_among,
    transaction_id,
)
from lastlight.domains.payments.model import Payment
from lastlight.domains.payments.schemas import Movement
from lastlight.runtime.context import Ctx
from lastlight.runtime.processor import BalanceTransaction

FEES = {"charge": PROCESSING_FEES, "refund": PROCESSING_FEES, "dispute": DISPUTE_FEES}
LATE = timedelta(hours=1)
NOTE_MOVEMENT = """
insert into provider_movements (tenant_id, id, payment_id, refund_id, dispute_id, kind, amount, fee, net, currency, created_at, available_on)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict do nothing
"""
AVAILABLE = "update provider_movements set available = true where tenant_id = $1 and id = $2 and not available"


class DisagreementError(Exception):
    """The provider's objects contradict each other; nothing is booked, and somebody has to look."""


async def book(
    ctx: Ctx,
    *,
    payment: Payment,
    kind: str,
    moved: Sequence[BalanceTransaction],
    presented: int,
    other: AccountId,
    refund_id: UUID | None = None,
    dispute_id: UUID | None = None,
) -> TransactionId | None:
    """Book balance transactions that belong together, unless they are booked; the ledger's transaction, None where they were.

    `kind` is charge, refund or dispute. `presented` is what they mean in the payment's currency: above zero it comes from the provider's
    balance and is credited to `other`, below zero it is debited there and leaves it.
    """
    fresh = [one for one in moved if await _note(ctx, payment, one, refund_id, dispute_id)]
    if not fresh:
        return None
    settled, amount, fee = fresh[0].currency, sum(one.amount for one in fresh), sum(one.fee for one in fresh)
    pending = await open_account(ctx, kind=PROVIDER_PENDING, currency=settled)
    fees = await open_account(ctx, kind=FEES[kind], currency=settled)
    if settled == payment.currency:
        if amount != presented:
            raise DisagreementError(f"{fresh[0].id}: the provider moved {amount} for {presented} {settled}")
        legs = [*_move(pending, other, amount), *_move(fees, pending, fee)]
    else:
        abroad = await open_account(ctx, kind=EXCHANGE, currency=settled)
        home = await open_account(ctx, kind=EXCHANGE, currency=payment.currency)
        legs = [*_move(pending, abroad, amount), *_move(home, other, presented), *_move(fees, pending, fee)]
    posted_as = transaction_id(ctx.tenant_id, f"provider:{fresh[0].id}")
    meta = _meta(payment, refund_id, dispute_id) | {"provider_movement": fresh[0].id}
    at = _past(ctx, moment(fresh[0].created))
    if legs:
        await post(
            ctx, transaction=Transaction(id=posted_as, kind=f"card-{kind}", legs=legs, meta=meta, effective_at=at)
        )
    return posted_as


async def make_available(ctx: Ctx, *, payment: Payment, moved: Sequence[BalanceTransaction]) -> bool:
    """Book that the money of those that are available is; whether all of them are."""
    for one in moved:
        if one.status != "available" or not await ctx.db.execute(AVAILABLE, ctx.tenant_id, one.id):
            continue
        available = await open_account(ctx, kind=PROVIDER_AVAILABLE, currency=one.currency)
        pending = await open_account(ctx, kind=PROVIDER_PENDING, currency=one.currency)
        posted_as = transaction_id(ctx.tenant_id, f"provider:{one.id}:available")
        meta = _meta(payment, None, None) | {"provider_movement": one.id}
        legs = _move(available, pending, one.net)
        if legs:
            await post(ctx, transaction=Transaction(id=posted_as, kind="card-available", legs=legs, meta=meta))
    return all(one.status == "available" for one in moved)


async def booked_as(ctx: Ctx, *, movements: Sequence[Movement]) -> dict[str, list[TransactionId]]:
    """The transactions that each movement at the provider was booked as: when it happened, and when its money became available."""
    named = {
        one.id: [transaction_id(ctx.tenant_id, f"provider:{one.id}{end}") for end in ("", ":available")]
        for one in movements
    }
    there = await posted_among(ctx, transactions=[each for ids in named.values() for each in ids])
    return {name: [each for each in ids if each in there] for name, ids in named.items()}


async def write_off(
    ctx: Ctx, *, payment: Payment, key: str, kind: str, amount: int, to: AccountKind, meta: dict[str, str]
) -> None:
    """Book a loss of the business (or, below zero, that it was none) against the account that waits for the money."""
    losses = await open_account(ctx, kind=LOSSES, currency=payment.currency)
    other = await open_account(ctx, kind=to, currency=payment.currency)
    legs = _move(losses, other, amount)
    if legs:
        told = _meta(payment, None, None) | meta
        posted_as = transaction_id(ctx.tenant_id, key)
        await post(ctx, transaction=Transaction(id=posted_as, kind=kind, legs=legs, meta=told))


def moment(seconds: int) -> datetime:
    """The moment that the provider names."""
    return datetime.fromtimestamp(seconds, UTC)


async def _note(
    ctx: Ctx, payment: Payment, one: BalanceTransaction, refund_id: UUID | None, dispute_id: UUID | None
) -> bool:
    sums = (one.amount, one.fee, one.net, one.currency, moment(one.created), moment(one.available_on))
    return bool(
        await ctx.db.execute(NOTE_MOVEMENT, ctx.tenant_id, one.id, payment.id, refund_id, dispute_id, one.type, *sums)
    )


def _move(src: AccountId, dst: AccountId, amount: int) -> list[Leg]:
    """A leg from source to destination, from destination to source for an amount below zero, none for zero."""
    if amount == 0:
        return []
    return [Leg(src, dst, amount) if amount > 0 else Leg(dst, src, -amount)]


def _meta(payment: Payment, refund_id: UUID | None, dispute_id: UUID | None) -> dict[str, str]:
    named = {
        "payment_id": payment.id,
        "patron_id": payment.patron_id,
        "venue_id": payment.venue_id,
        "refund_id": refund_id,
        "dispute_id": dispute_id,
    }
    return {name: str(value) for name, value in named.items() if value is not None}


def _past(ctx: Ctx, at: datetime) -> datetime | None:
    """The moment it counts for, where that is long before it is written: what was found late counts for when it happened."""
    return at if at < ctx.now - LATE else None
