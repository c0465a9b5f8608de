"""Many transactions in one call: each stands or falls by itself, and one that is refused does not stop its neighbours."""

from collections.abc import Sequence
from typing import Literal

from lastlight.domains.ledger.errors import CONSTRAINTS
from lastlight.domains.ledger.posting import Transaction, encoded
from lastlight.kernel.errors import Conflict, Problem
from lastlight.runtime.context import Ctx

BATCH = "select ll.ledger_post_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)"

Outcome = Literal["posted", "replay"] | Problem


async def post_batch(ctx: Ctx, *, transactions: Sequence[Transaction]) -> list[Outcome]:
    """Post transactions, which may not carry conditions, in their order; what became of each: posted, replay, or why not.

    The same id twice in one batch is what it is in two: a replay, or IdReused.
    """
    if any(transaction.conditions for transaction in transactions):
        raise ValueError("conditions are for transactions that are posted alone")
    whole = [transaction for transaction in transactions if transaction.legs]
    answers = iter(await _posted(ctx, whole)) if whole else iter(())
    return [_outcome(next(answers) if transaction.legs else "ledger_legs_whole") for transaction in transactions]


async def _posted(ctx: Ctx, transactions: Sequence[Transaction]) -> list[str]:
    """The database's word for each transaction."""
    rows = [
        (one.id, number, request, one.kind, leg.src, leg.dst, leg.amount, one.effective_at, meta)
        for one in transactions
        for request, meta in [(one.request(), encoded(one.meta))]
        for number, leg in enumerate(one.legs)
    ]
    words: list[str | None] = await ctx.db.fetchval(BATCH, *(list(column) for column in zip(*rows, strict=True)))
    return [word for word in words if word is not None]


def _outcome(word: str) -> Outcome:
    if word == "posted" or word == "replay":  # noqa: PLR1714 - the type of each is its own word
        return word
    return CONSTRAINTS.get(word, Conflict)()
