"""Saying what was posted: one event for each transaction, with what its accounts say of currency, guest and venue.

An account never changes its currency or its owner, so what is read of it beside a posting holds whatever happens meanwhile.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.events import Amount, TransactionPosted
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx

FACTS = """
select a.id, a.currency, a.patron_id, a.venue_id from ledger_accounts a
where a.tenant_id = $1 and a.id = any ($2::uuid[])
"""


class Facts(NamedTuple):
    """What an account says of a posting: the currency, and whose it is."""

    currency: str
    patron_id: UUID | None
    venue_id: UUID | None


class Move(NamedTuple):
    """What moved between two accounts, in minor units."""

    src: UUID
    dst: UUID
    amount: int


Known = Mapping[UUID, Facts]


def known_of(rows: Iterable[Any] | None) -> Known:
    """Facts by account, of what the database gave as (id, currency, guest, venue)."""
    return {_id(row[0]): Facts(row[1], _optional(row[2]), _optional(row[3])) for row in rows or ()}


@dataclass(frozen=True, slots=True)
class Happening:
    """Somebody's money and where: what every event of the ledger says."""

    account_ids: list[UUID]
    amounts: list[Amount]
    patron_id: UUID | None
    venue_id: UUID | None


def happening(known: Known, moves: Sequence[Move], meta: Mapping[str, str]) -> Happening:
    """The accounts in their order, the sum of each currency, and the first guest and venue that remarks or accounts name.

    Inside a guest's own transaction the accounts of the business are not to be seen: each move has one of the guest's.
    """
    accounts = list(dict.fromkeys(account for move in moves for account in (move.src, move.dst)))
    sums: dict[str, int] = {}
    for move in moves:
        currency = (known.get(move.src) or known[move.dst]).currency
        sums[currency] = sums.get(currency, 0) + move.amount
    owners = [known[account] for account in accounts if account in known]
    return Happening(
        accounts,
        [Amount(amount, currency) for currency, amount in sums.items()],
        _named(meta, "patron_id") or next((owner.patron_id for owner in owners if owner.patron_id), None),
        _named(meta, "venue_id") or next((owner.venue_id for owner in owners if owner.venue_id), None),
    )


def tell(
    ctx: Ctx,
    *,
    transaction: UUID,
    kind: str,
    moves: Sequence[Move],
    meta: Mapping[str, str],
    known: Known,
    reverses: UUID | None = None,
    hold: UUID | None = None,
) -> None:
    """Say that a transaction was posted now."""
    found = happening(known, moves, meta)
    ctx.emit(
        TransactionPosted(
            transaction_id=transaction,
            kind=kind,
            amounts=found.amounts,
            account_ids=found.account_ids,
            patron_id=found.patron_id,
            of_venue_id=found.venue_id,
            reverses=reverses,
            hold_id=hold,
        ),
        entity=("transaction", transaction),
        after={"kind": kind, "amounts": [written(one) for one in found.amounts], "legs": len(moves)},
    )


def written(amount: Amount) -> str:
    """An amount for the audit log's readers: 12.34 ZAR."""
    return str(Money(amount.amount, amount.currency))


@dataclass(slots=True)
class Later:
    """Transactions of a batch, which are told together: one look at all their accounts at the end of the unit of work."""

    told: list[tuple[UUID, str, list[Move], Mapping[str, str]]] = field(
        default_factory=list[tuple[UUID, str, list[Move], Mapping[str, str]]]
    )

    async def __call__(self, ctx: Ctx) -> None:
        accounts = {account for _, _, moves, _ in self.told for move in moves for account in (move.src, move.dst)}
        known = known_of(await ctx.db.fetch(FACTS, ctx.tenant_id, list(accounts)))
        for transaction, kind, moves, meta in self.told:
            tell(ctx, transaction=transaction, kind=kind, moves=moves, meta=meta, known=known)


def tell_later(
    ctx: Ctx,
    *,
    transaction: UUID,
    kind: str,
    moves: Sequence[tuple[AccountId, AccountId, int]],
    meta: Mapping[str, str],
) -> None:
    """Say at the end of the unit of work that a transaction was posted in it; asks nothing of the database for each."""
    later = next((finisher for finisher in ctx.finishers if isinstance(finisher, Later)), None)
    if later is None:
        later = Later()
        ctx.before_commit(later)
    later.told.append((transaction, kind, [Move(*move) for move in moves], meta))


def _named(meta: Mapping[str, str], name: str) -> UUID | None:
    """The id that remarks give under a name; None where it is none."""
    try:
        return UUID(meta[name])
    except (KeyError, ValueError, AttributeError, TypeError):
        return None


def _id(value: str | UUID) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _optional(value: str | UUID | None) -> UUID | None:
    return None if value is None else _id(value)
