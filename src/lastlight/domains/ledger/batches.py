"""Many transactions in one call: each stands or falls by itself, and one that is refused does not stop its neighbours."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, Literal

from lastlight.domains.ledger.errors import CONSTRAINTS
from lastlight.domains.ledger.posting import Transaction, encoded, require_writable
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
Rows = Sequence[tuple[Any, ...]]
"""What the database is given of a transaction: a row for each leg."""


def rows_of(transaction: Transaction) -> Rows:
    """A transaction as it goes into a batch. Raises ValueError where it carries conditions, LegsBroken or AmountTooLarge where it
    says what no row can hold: that would refuse the whole call.
    """
    if transaction.conditions:
        raise ValueError("conditions are for transactions that are posted alone")
    require_writable(transaction)
    key, kind, at = transaction.id, transaction.kind, transaction.effective_at
    request, meta = transaction.request(), encoded(transaction.meta)
    return [
        (key, number, request, kind, leg.src, leg.dst, leg.amount, at, meta)
        for number, leg in enumerate(transaction.legs)
    ]


async def post_batch(ctx: Ctx, *, transactions: Sequence[Transaction]) -> list[Outcome]:
    """Post transactions, which may not carry conditions, in their order; what became of each: posted, replay, or why not.

    The same id twice in one batch is what it is in two: a replay, or IdReused.
    """
    ready = [_ready(transaction) for transaction in transactions]
    written = iter(await post_rows(ctx, batch=[one for one in ready if not isinstance(one, Problem)]))
    return [one if isinstance(one, Problem) else next(written) for one in ready]


def _ready(transaction: Transaction) -> Rows | Problem:
    try:
        return rows_of(transaction)
    except Problem as refusal:
        return refusal


async def post_rows(ctx: Ctx, *, batch: Sequence[Rows]) -> list[Outcome]:
    """The same for transactions that were made ready."""
    columns = _columns(batch)
    return _outcomes(batch, await ctx.db.fetchval(BATCH, *columns) if columns else ())


async def post_rows_alone(services: Services, tenant_id: TenantId, *, batch: Sequence[Rows]) -> list[Outcome]:
    """The same, committed, in one round trip to the database. Raises Busy (nothing was posted) or Unsure (it is not known)."""
    columns = _columns(batch)
    return _outcomes(batch, await run_single(services, tenant_id, SINGLE, *columns) if columns else ())


def _columns(batch: Sequence[Rows]) -> list[list[Any]]:
    """Column by column; nothing where there is no leg."""
    return [list(column) for column in zip(*chain.from_iterable(batch), strict=True)]


def _outcomes(batch: Sequence[Rows], words: Sequence[str | None]) -> list[Outcome]:
    answers = (word for word in words if word is not None)
    return [_outcome(next(answers) if rows else "ledger_legs_whole") for rows in batch]


def _outcome(word: str) -> Outcome:
    if word == "posted" or word == "replay":  # noqa: PLR1714 - the type of each is its own word
        return word
    return CONSTRAINTS.get(word, Conflict)()
