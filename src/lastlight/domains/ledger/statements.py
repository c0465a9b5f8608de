"""A statement as it is shown: the other account of each line by name, what moved as a debit or a credit."""

from datetime import datetime, timedelta

from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.balances import Line, statement
from lastlight.domains.ledger.events import Amount
from lastlight.domains.ledger.listings import name_of
from lastlight.domains.ledger.schemas import StatementLine, StatementOut, StatementQuery
from lastlight.kernel.errors import Invalid
from lastlight.runtime.context import Ctx

SPAN = timedelta(days=30)
NAMES = """
select a.id, a.code, g.name as patron from ledger_accounts a
left join patrons g on g.tenant_id = a.tenant_id and g.id = a.patron_id
where a.tenant_id = $1 and a.id = any ($2::uuid[])
"""


async def read_statement(ctx: Ctx, *, account: AccountId, query: StatementQuery) -> StatementOut:
    """What moved within the time that is asked for. Raises AccountMissing, Invalid where it ends before it begins."""
    until = query.until or ctx.now
    since = query.since or _before(until)
    if since >= until:
        raise Invalid(fields={"until": "Let it end after it begins."})
    found = await statement(ctx, account=account, since=since, until=until, limit=query.limit, basis=query.basis)
    names = await _names(ctx, {line.other for line in found.lines})
    held = found.account
    return StatementOut(
        account_id=held.id,
        code=held.code,
        name=name_of(held.code),
        currency=held.currency,
        since=since,
        until=until,
        basis=query.basis,
        opening=Amount(found.opening, held.currency),
        closing=Amount(found.closing, held.currency),
        lines=[_line(line, held.currency, held.side == "credit", names) for line in found.lines],
        whole=found.whole,
    )


def _before(until: datetime) -> datetime:
    try:
        return until - SPAN
    except OverflowError:
        raise Invalid(fields={"until": "This is before there were any books."}) from None


async def _names(ctx: Ctx, accounts: set[AccountId]) -> dict[AccountId, str]:
    if not accounts:
        return {}
    rows = await ctx.db.fetch(NAMES, ctx.tenant_id, list(accounts))
    return {
        row["id"]: f"{name_of(row['code'])}: {row['patron']}" if row["patron"] else name_of(row["code"]) for row in rows
    }


def _line(line: Line, currency: str, grows_by_credit: bool, names: dict[AccountId, str]) -> StatementLine:
    amount = Amount(abs(line.moved), currency)
    credited = (line.moved > 0) == grows_by_credit
    return StatementLine(
        transaction_id=line.id,
        leg=line.leg,
        kind=line.kind,
        at=line.at,
        effective_at=line.effective_at,
        other_id=line.other,
        other=names.get(line.other, ""),
        debit=None if credited else amount,
        credit=amount if credited else None,
        balance=Amount(line.balance, currency),
        reverses=line.reverses,
        meta=line.meta,
    )
