"""Writes of adjustments: asked for, booked at once up to the limit, else decided by another person."""

from datetime import datetime
from uuid import UUID

from lastlight.domains import ledger
from lastlight.domains.adjustments.errors import AdjustmentDecided, NotYourRequest, OwnAdjustment, OwnCredits
from lastlight.domains.adjustments.events import AdjustmentBooked, AdjustmentEnded, AdjustmentRequested
from lastlight.domains.adjustments.queries import is_their_own, read_adjustment
from lastlight.domains.adjustments.schemas import (
    Adjustment,
    AdjustmentId,
    CreditAdjustmentIn,
    LedgerAdjustmentIn,
    Status,
    Subject,
)
from lastlight.domains.adjustments.subjects import SUBJECTS, account_kind
from lastlight.domains.ledger import AccountKind, transaction_id
from lastlight.domains.venues import read_venue
from lastlight.kernel.errors import Conflict, Invalid, NotFound, NotPermitted
from lastlight.kernel.ids import PLATFORM, PatronId, UserId, VenueId, uuid7
from lastlight.kernel.money import digits_of
from lastlight.runtime.context import Ctx
from lastlight.runtime.tenant_settings import setting

INSERT = """
insert into adjustments (tenant_id, id, subject, patron_id, venue_id, source, destination, amount, currency, reason, status,
                         needs_approval, requested_by, booked_at, effective_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, case when $11 then 'waiting' else 'booked' end, $11, $12,
        case when $11 then null else now() end, $13) on conflict (tenant_id, id) do nothing
"""
DECIDE = """
update adjustments
set status = $3, decided_by = $4, decided_at = now(), decision = $5, booked_at = case when $3 = 'booked' then now() end
where tenant_id = $1 and id = $2
"""
HOLD = "select status from adjustments where tenant_id = $1 and id = $2 for update"


async def adjust_credits(ctx: Ctx, *, data: CreditAdjustmentIn, once: str = "") -> Adjustment:
    """Put a guest's credits right; above the limit it waits for another person. Raises OwnCredits, CreditsShort.

    What the same person asks under the same `once` is one request.
    """
    if data.amount == 0:
        raise Invalid(fields={"amount": "Say how many credits more, or fewer with a minus."})
    await _require_not_their_own(ctx, data.patron_id)
    return await _ask(ctx, subject="credits", data=data, patron_id=data.patron_id, once=once)


async def adjust_ledger(ctx: Ctx, *, data: LedgerAdjustmentIn, once: str = "") -> Adjustment:
    """Move an amount between two accounts of the business; above the limit it waits for another person.

    It counts for the moment that is asked for, also where it is approved later.
    """
    ends_of(data)
    await require_in_books(ctx, at=data.effective_at)
    return await _ask(ctx, subject="ledger", data=data, accounts=(data.source, data.destination), once=once)


async def require_in_books(ctx: Ctx, *, at: datetime | None) -> None:
    """A moment for which something may count: since the books began, and not in the future. Raises Invalid."""
    if at is None:
        return
    if at > ctx.now:
        raise Invalid(fields={"effective_at": "This is in the future. Give a moment up to now, or leave it empty."})
    began = await ledger.books_began(ctx)
    if at < began:
        raise Invalid(
            fields={"effective_at": f"The books begin on {began:%Y-%m-%d at %H:%M} UTC. Give a later moment."}
        )


def ends_of(data: LedgerAdjustmentIn) -> tuple[AccountKind, AccountKind]:
    """The account that is debited and the one that is credited. Raises Invalid."""
    source, destination = (
        account_kind(data.source, field="source"),
        account_kind(data.destination, field="destination"),
    )
    if source == destination:
        raise Invalid(fields={"destination": "Choose another account than the one it comes from."})
    return source, destination


async def approve(ctx: Ctx, *, adjustment_id: UUID, note: str) -> Adjustment:
    """Agree to somebody else's request: it is booked now. Raises AdjustmentDecided, OwnAdjustment, OwnCredits."""
    waiting = await _held(ctx, adjustment_id)
    await _require_other(ctx, waiting)
    await _decide(ctx, waiting, "booked", note)
    return await _book(ctx, await read_adjustment(ctx, adjustment_id=waiting.id), approved=True)


async def decline(ctx: Ctx, *, adjustment_id: UUID, reason: str) -> Adjustment:
    """Decline somebody else's request, with a reason; nothing is moved."""
    waiting = await _held(ctx, adjustment_id)
    await _require_other(ctx, waiting)
    return await _end(ctx, waiting, "declined", reason)


async def withdraw(ctx: Ctx, *, adjustment_id: UUID, note: str) -> Adjustment:
    """Withdraw one's own request; nothing is moved. Raises NotYourRequest."""
    waiting = await _held(ctx, adjustment_id)
    if waiting.requested_by != ctx.actor.user_id:
        raise NotYourRequest
    return await _end(ctx, waiting, "withdrawn", note)


async def _ask(
    ctx: Ctx,
    *,
    subject: Subject,
    data: CreditAdjustmentIn | LedgerAdjustmentIn,
    patron_id: PatronId | None = None,
    accounts: tuple[str | None, str | None] = (None, None),
    once: str = "",
) -> Adjustment:
    if ctx.tenant_id == PLATFORM:
        raise NotFound("Go inside the business first.")
    if not data.reason.strip():
        raise Invalid(fields={"reason": "Say why: it stays on record."})
    if data.venue_id is not None:
        await read_venue(ctx, venue_id=VenueId(data.venue_id))
    limit = await setting(ctx, SUBJECTS[subject].limit) * 10 ** digits_of(data.currency)
    waits = abs(data.amount) > limit
    made_id = _id(ctx, once)
    what = (data.amount, data.currency, data.reason.strip(), waits, _user(ctx), _counts_for(data))
    new = await ctx.db.execute(INSERT, ctx.tenant_id, made_id, subject, patron_id, data.venue_id, *accounts, *what)
    made = await read_adjustment(ctx, adjustment_id=made_id)
    if not new:
        return _the_same(made, subject, patron_id, accounts, data)
    if not waits:
        return await _book(ctx, made, approved=False)
    _emit(
        ctx,
        AdjustmentRequested(adjustment_id=made.id, subject=subject, amount=made.amount, currency=made.currency),
        made,
        made.reason,
    )
    return made


def _counts_for(data: CreditAdjustmentIn | LedgerAdjustmentIn) -> datetime | None:
    """The moment for which it is to count; credits count when they are booked."""
    return data.effective_at if isinstance(data, LedgerAdjustmentIn) else None


def _id(ctx: Ctx, once: str) -> AdjustmentId:
    """A new id; the same one for what the same person asks under the same `once`."""
    return AdjustmentId(transaction_id(ctx.tenant_id, f"adjustment:{_user(ctx)}:{once}") if once else uuid7())


def _the_same(
    made: Adjustment,
    subject: Subject,
    patron_id: PatronId | None,
    accounts: tuple[str | None, str | None],
    data: CreditAdjustmentIn | LedgerAdjustmentIn,
) -> Adjustment:
    """What was asked for before under the same `once`. Raises Conflict where that was something else."""
    asked = (made.subject, made.patron_id, made.source, made.destination, made.amount, made.currency, made.effective_at)
    if asked != (subject, patron_id, *accounts, data.amount, data.currency, _counts_for(data)):
        raise Conflict("This form was sent already, with something else in it. Open it again to ask for more.")
    return made


async def _book(ctx: Ctx, adjustment: Adjustment, *, approved: bool) -> Adjustment:
    await SUBJECTS[adjustment.subject].book(ctx, adjustment)
    event = AdjustmentBooked(
        adjustment_id=adjustment.id,
        subject=adjustment.subject,
        amount=adjustment.amount,
        currency=adjustment.currency,
        approved=approved,
    )
    _emit(ctx, event, adjustment, adjustment.reason)
    return adjustment


async def _end(ctx: Ctx, waiting: Adjustment, status: Status, said: str) -> Adjustment:
    await _decide(ctx, waiting, status, said)
    event = AdjustmentEnded(adjustment_id=waiting.id, subject=waiting.subject, status=status)
    _emit(ctx, event, waiting, said.strip())
    return await read_adjustment(ctx, adjustment_id=waiting.id)


async def _decide(ctx: Ctx, waiting: Adjustment, status: Status, said: str) -> None:
    await ctx.db.execute(DECIDE, ctx.tenant_id, waiting.id, status, _user(ctx), said.strip())


async def _held(ctx: Ctx, adjustment_id: UUID) -> Adjustment:
    """A request that waits, held against other decisions until the transaction ends. Raises NotFound, AdjustmentDecided."""
    await read_adjustment(ctx, adjustment_id=adjustment_id)
    await ctx.db.fetchval(HOLD, ctx.tenant_id, adjustment_id)
    found = await read_adjustment(ctx, adjustment_id=adjustment_id)
    if found.status != "waiting":
        raise AdjustmentDecided(extra={"status": found.status})
    return found


async def _require_other(ctx: Ctx, waiting: Adjustment) -> None:
    """Two people decide: an identity is one person, whichever of its places it acts from."""
    if waiting.requested_by == _user(ctx):
        raise OwnAdjustment
    if waiting.patron_id is not None:
        await _require_not_their_own(ctx, waiting.patron_id)


async def _require_not_their_own(ctx: Ctx, patron_id: PatronId) -> None:
    if await is_their_own(ctx, patron_id=patron_id):
        raise OwnCredits


def _user(ctx: Ctx) -> UserId:
    """Who answers for it: nobody puts money right as the platform itself."""
    if ctx.actor.user_id is None:
        raise NotPermitted
    return ctx.actor.user_id


def _emit(ctx: Ctx, event: AdjustmentRequested | AdjustmentBooked | AdjustmentEnded, of: Adjustment, why: str) -> None:
    after = {"subject": of.subject, "amount": of.amount, "currency": of.currency, "patron_id": of.patron_id}
    accounts = {"source": of.source, "destination": of.destination, "effective_at": of.effective_at}
    ctx.emit(event, entity=("adjustment", of.id), venue_id=of.venue_id, after=after | accounts, reason=why)
