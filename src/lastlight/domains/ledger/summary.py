"""How a business's money stands in each currency, and by how much it changed today and within a week."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.chart import (
    ADJUSTMENTS,
    BANK,
    BREAKAGE,
    BY_CODE,
    CREDITS,
    DISPUTE_FEES,
    DISPUTES_HELD,
    EXCHANGE,
    LOSSES,
    ORDER_CLEARING,
    PROCESSING_FEES,
    PROVIDER_AVAILABLE,
    PROVIDER_PENDING,
    PROVIDER_RESERVE,
    REFUNDS_PAYABLE,
    REVENUE,
    TAX_PAYABLE,
    Side,
)
from lastlight.domains.ledger.listings import name_of
from lastlight.runtime.context import Ctx
from lastlight.runtime.zones import business_zone

# Guests' accounts are many and are not read: what is theirs is what all others together owe, because books balance in each currency.
HOUSE = """
select a.id, a.code, a.currency, a.side, ll.ledger_balance_at(a.id, 'infinity') as balance,
       ll.ledger_balance_at(a.id, $2) as day, ll.ledger_balance_at(a.id, $3) as week
from ledger_accounts a where a.tenant_id = $1 and a.patron_id is null
order by a.currency, a.code, a.id
"""
GROUPS = (
    ("held", (PROVIDER_PENDING, PROVIDER_AVAILABLE, PROVIDER_RESERVE, DISPUTES_HELD, BANK)),
    ("owed", (CREDITS, ORDER_CLEARING, REFUNDS_PAYABLE, TAX_PAYABLE)),
    (
        "result",
        (REVENUE, BREAKAGE, PROCESSING_FEES, DISPUTE_FEES, LOSSES, ADJUSTMENTS, EXCHANGE),
    ),
)
Group = Literal["held", "owed", "result", "other"]
GROUP_OF = {kind.code: group for group, kinds in GROUPS for kind in kinds}
PLACE_OF = {kind.code: place for place, kind in enumerate(kind for _, kinds in GROUPS for kind in kinds)}


class SummaryLine(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on all accounts of a code, on their own side, in minor units."""

    code: str
    name: str
    group: Group
    side: Side
    account_id: AccountId | None
    """Where it is one account."""
    balance: int
    today: int
    """By how much it changed since midnight where the business is."""
    week: int
    """By how much it changed since the midnight seven days before."""


class CurrencySummary(msgspec.Struct, frozen=True, kw_only=True):
    """A business's money in one currency."""

    currency: str
    lines: list[SummaryLine]

    def of(self, code: str) -> SummaryLine | None:
        """The line of a code of the chart."""
        return next((line for line in self.lines if line.code == code), None)


class LedgerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A business's money, as all of it stood at one moment."""

    at: datetime
    day_from: datetime
    week_from: datetime
    currencies: list[CurrencySummary]
    """The one with the most accounts that moved first."""


async def read_summary(ctx: Ctx) -> LedgerSummary:
    """How the business's money stands; as many statements as it has currencies makes no difference."""
    zone = await business_zone(ctx)
    midnight = ctx.now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    week = midnight - timedelta(days=7)
    instant = timedelta(microseconds=1)
    rows = await ctx.db.fetch(HOUSE, ctx.tenant_id, midnight - instant, week - instant)
    by_currency: dict[str, list[Any]] = {}
    for row in rows:
        by_currency.setdefault(row["currency"], []).append(row)
    found = [CurrencySummary(currency=currency, lines=_lines(own)) for currency, own in by_currency.items()]
    found.sort(key=lambda one: (-sum(bool(line.balance) for line in one.lines), one.currency))
    return LedgerSummary(at=ctx.now, day_from=midnight, week_from=week, currencies=found)


def _lines(rows: Sequence[Any]) -> list[SummaryLine]:
    """A line for each code, and one for what is the guests'."""
    by_code: dict[str, list[Any]] = {}
    for row in rows:
        by_code.setdefault(row["code"], []).append(row)
    lines = [_line(code, own) for code, own in by_code.items()]
    lines.append(
        SummaryLine(
            code=CREDITS.code,
            name=name_of(CREDITS.code),
            group="owed",
            side=CREDITS.side,
            account_id=None,
            balance=_debits(rows, "balance"),
            today=_debits(rows, "balance") - _debits(rows, "day"),
            week=_debits(rows, "balance") - _debits(rows, "week"),
        )
    )
    return sorted(lines, key=lambda line: (PLACE_OF.get(line.code, len(PLACE_OF)), line.code))


def _line(code: str, rows: Sequence[Any]) -> SummaryLine:
    side: Side = BY_CODE[code].side if code in BY_CODE else rows[0]["side"]
    sign = 1 if side == "debit" else -1
    stands = sign * _debits(rows, "balance")
    return SummaryLine(
        code=code,
        name=name_of(code),
        group=GROUP_OF.get(code, "other"),  # pyright: ignore[reportArgumentType] the keys of GROUPS are groups
        side=side,
        account_id=rows[0]["id"] if len(rows) == 1 else None,
        balance=stands,
        today=stands - sign * _debits(rows, "day"),
        week=stands - sign * _debits(rows, "week"),
    )


def _debits(rows: Iterable[Any], column: str) -> int:
    """What was debited more than credited."""
    return sum(row[column] if row["side"] == "debit" else -row[column] for row in rows)
