"""Many transactions in one call: each stands or falls by itself, and one that is refused does not stop its neighbours."""

from collections.abc import Sequence
from typing import Any, Literal

from lastlight.domains.ledger.errors import CONSTRAINTS
from lastlight.domains.ledger.posting import Transaction, encoded
from lastlight.kernel.errors import Conflict, Problem
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.single import run_single
from lastlight.runtime.services import Services

BATCH = "select ll.ledger_post_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)"
SINGLE = """
select ll.ledger_post_batch($2, $3, $4, $5, $6, $7, $8, $9, $10)
from (select set_config('app.tenant_id', $1, true) as tenant) entered where tenant <> ''
"""
"""The same as a transaction of its own."""

Outcome = Literal["posted", "replay"] | Problem


async def post_batch(ctx: Ctx, *, transactions: Sequence[Transaction]) -> list[Outcome]:
    """Post transactions, which may not carry conditions, in their order; what became of each: posted, replay, or why not.

    The same id twice in one batch is what it is in two: a replay, or IdReused.
    """
    columns = _columns(transactions)
    return _outcomes(transactions, await ctx.db.fetchval(BATCH, *columns) if columns else ())


async def post_batch_alone(
    services: Services, tenant_id: TenantId, *, transactions: Sequence[Transaction]
) -> list[Outcome]:
    """The same, committed, in one round trip to the database. Raises Busy (nothing was posted) or Unsure (it is not known)."""
    columns = _columns(transactions)
    return _outcomes(transactions, await run_single(services, tenant_id, SINGLE, *columns) if columns else ())


def _columns(transactions: Sequence[Transaction]) -> list[list[Any]]:
    """A row for each leg, column by column; nothing where there is no leg."""
    if any(transaction.conditions for transaction in transactions):
        raise ValueError("conditions are for transactions that are posted alone")
    rows = [
        (one.id, number, request, one.kind, leg.src, leg.dst, leg.amount, one.effective_at, meta)
        for one in transactions
        for request, meta in [(one.request(), encoded(one.meta))]
        for number, leg in enumerate(one.legs)
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _outcomes(transactions: Sequence[Transaction], words: Sequence[str | None]) -> list[Outcome]:
    answers = (word for word in words if word is not None)
    return [_outcome(next(answers) if transaction.legs else "ledger_legs_whole") for transaction in transactions]


def _outcome(word: str) -> Outcome:
    if word == "posted" or word == "replay":  # noqa: PLR1714 - the type of each is its own word
        return word
    return CONSTRAINTS.get(word, Conflict)()
