"""Posting: what is to be moved, under which id, and taking it back."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NewType
from uuid import UUID

import msgspec

from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.errors import AmountTooLarge, LegsBroken
from lastlight.domains.ledger.telling import Facts, Move, known_of, tell, tell_later
from lastlight.kernel.ids import TenantId
from lastlight.kernel.money import MOST
from lastlight.runtime.context import Ctx

TransactionId = NewType("TransactionId", UUID)
Meta = Mapping[str, str]

POST = """
select ll.ledger_post($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) as posted, (
    select jsonb_agg(jsonb_build_array(a.id, a.currency, a.patron_id, a.venue_id)) from ledger_accounts a
    where a.tenant_id = $12 and a.id = any ($4::uuid[] || $5::uuid[])
) as accounts
"""
REVERSE = "select ll.ledger_reverse($1, $2, $3, $4, $5, $6, $7)"
WRITTEN = """
select p.src, p.dst, p.amount, p.currency, s.patron_id as src_patron, s.venue_id as src_venue, d.patron_id as dst_patron, d.venue_id as dst_venue
from ledger_postings p
join ledger_accounts s on s.tenant_id = p.tenant_id and s.id = p.src
join ledger_accounts d on d.tenant_id = p.tenant_id and d.id = p.dst
where p.tenant_id = $1 and p.id = $2 order by p.leg
"""
ENDS = ("src", "dst")
MOST_LEGS = 2**15
"""Most legs of one transaction: their numbers are of two bytes."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Move an amount (minor units, above zero): the source is debited, the destination credited."""

    src: AccountId
    dst: AccountId
    amount: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What must hold of an account when its turn has come: the least available, the version that was seen."""

    account: AccountId
    least: int | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """Legs that are posted together, in their order, or not at all."""

    id: TransactionId
    kind: str
    legs: Sequence[Leg]
    meta: Meta = field(default_factory=dict[str, str])
    effective_at: datetime | None = None
    """The moment it counts for in reports; None: when it is written."""
    conditions: Sequence[Condition] = ()

    def request(self) -> UUID:
        """128 bits of SHA-256 of what is asked for; conditions are no part of it."""
        legs = [(leg.src, leg.dst, leg.amount) for leg in self.legs]
        return request_of(self.kind, legs, self.meta, self.effective_at)


def transaction_id(tenant_id: TenantId, key: str) -> TransactionId:
    """The id that a key stands for in a business, for good: 128 bits of SHA-256."""
    return TransactionId(UUID(bytes=hashlib.sha256(f"{tenant_id}|{key}".encode()).digest()[:16]))


async def post(ctx: Ctx, *, transaction: Transaction) -> bool:
    """Post a transaction in the caller's unit of work. True: written now; False: the same request was posted under this id before.

    Raises NotEnough, AccountMissing, AccountClosed, CurrenciesMixed, IdReused, AccountMoved, LegsBroken or AmountTooLarge; nothing was
    moved then.
    """
    require_writable(transaction)
    legs, conditions = transaction.legs, transaction.conditions
    watched = [condition.account for condition in conditions] or None
    row = await ctx.db.fetchrow(
        POST,
        transaction.id,
        transaction.request(),
        transaction.kind,
        [leg.src for leg in legs],
        [leg.dst for leg in legs],
        [leg.amount for leg in legs],
        transaction.effective_at,
        encoded(transaction.meta),
        watched,
        [condition.least for condition in conditions] if watched else None,
        [condition.version for condition in conditions] if watched else None,
        ctx.tenant_id,
    )
    if row is None or not row["posted"]:
        return False
    moves = [Move(leg.src, leg.dst, leg.amount) for leg in legs]
    known = known_of(row["accounts"])
    tell(ctx, transaction=transaction.id, kind=transaction.kind, moves=moves, meta=transaction.meta, known=known)
    return True


def require_writable(transaction: Transaction) -> None:
    """Refuse what cannot even be told to the database. Raises LegsBroken, AmountTooLarge."""
    if len(transaction.legs) > MOST_LEGS:
        raise LegsBroken(f"A transaction has at most {MOST_LEGS:,} legs. Nothing was moved.")
    for leg in transaction.legs:
        if leg.amount > MOST:
            raise AmountTooLarge
        if leg.amount <= 0:
            raise LegsBroken
    meta = transaction.meta
    if not (_is_plain(transaction.kind) and all(_is_plain(key) and _is_plain(meta[key]) for key in meta)):
        raise LegsBroken("The kind and the remarks of a transaction are text without NUL. Nothing was moved.")


def _is_plain(text: str) -> bool:
    """Text as PostgreSQL keeps it: without NUL, and without halves of a character."""
    if text.isascii():
        return "\0" not in text
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def tell_posted(ctx: Ctx, *, transaction: Transaction) -> None:
    """Say that a transaction of a batch was written: what the batcher's `posted` is for. The event is in the same unit of work.

    `post` says it by itself; `post_batch` leaves it to whoever knows which of a batch were written.
    """
    moves = [(leg.src, leg.dst, leg.amount) for leg in transaction.legs]
    tell_later(ctx, transaction=transaction.id, kind=transaction.kind, moves=moves, meta=transaction.meta)


async def reverse(
    ctx: Ctx,
    *,
    posted_as: TransactionId,
    of: TransactionId,
    kind: str = "reversal",
    amounts: Sequence[int] | None = None,
    meta: Meta | None = None,
    effective_at: datetime | None = None,
) -> bool:
    """Take back a transaction: what is left of each leg, or `amounts` of the legs in their order (0: none of that leg).

    True: done now; False: done under this id before. Raises ReversedAlready where less is left, NotEnough where it was spent since.
    """
    told = dict(meta or {})
    request = request_of(kind, [str(of), list(amounts) if amounts is not None else None], told, effective_at)
    if not await ctx.db.fetchval(REVERSE, posted_as, request, kind, of, amounts, effective_at, encoded(told)):
        return False
    rows = await ctx.db.fetch(WRITTEN, ctx.tenant_id, posted_as)
    moves = [Move(row["src"], row["dst"], row["amount"]) for row in rows]
    known = {
        row[end]: Facts(row["currency"], row[f"{end}_patron"], row[f"{end}_venue"]) for row in rows for end in ENDS
    }
    tell(ctx, transaction=posted_as, kind=kind, moves=moves, meta=told, known=known, reverses=of)
    return True


def encoded(meta: Meta) -> dict[str, str]:
    """The remarks as they are kept, their keys in order."""
    return dict(sorted(meta.items()))


def request_of(kind: str, what: object, meta: Meta, effective_at: datetime | None) -> UUID:
    """128 bits of SHA-256 of what is asked for."""
    moment = effective_at.astimezone(UTC).isoformat() if effective_at else None
    told = msgspec.json.encode([kind, what, encoded(meta), moment])
    return UUID(bytes=hashlib.sha256(told).digest()[:16])
