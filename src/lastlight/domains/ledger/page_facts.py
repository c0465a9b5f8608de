"""What the pages of the books show: the same for a business's own people and for the platform's crew."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.balances import Basis
from lastlight.domains.ledger.listings import ACCOUNTS, ENTRIES, HOLDS, name_of
from lastlight.domains.ledger.permissions import LEDGER_MANAGE
from lastlight.domains.ledger.reading import read_account, read_transaction
from lastlight.domains.ledger.schemas import StatementQuery
from lastlight.domains.ledger.sources import SOURCES
from lastlight.domains.ledger.statements import read_statement
from lastlight.domains.ledger.summary import read_summary
from lastlight.domains.venues import read_wall_clock, write_wall_clock
from lastlight.kernel.errors import Invalid
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input
from lastlight.runtime.http.listing import Listing, TableView
from lastlight.runtime.zones import reader_zone

POSTED = ["transaction.posted"]
HELD = ["transaction.held", "transaction.released", "transaction.posted"]
LINES = 200
"""Most lines of a statement on a page."""
VENUES = "select id, name from venues where tenant_id = $1 order by name, id"
CURRENCIES = """
select distinct a.currency from ledger_accounts a where a.tenant_id = $1 and a.patron_id is null order by 1
"""


class AccountQuery(Input, frozen=True, kw_only=True):
    """Of which moment the balance, of which time the statement, and how both are counted: moments as the clock of the business shows them, empty for now."""

    at: str = ""
    basis: Basis = "posted"
    since: str = ""
    until: str = ""


async def overview_facts(ctx: Ctx) -> dict[str, Any]:
    """How the money stands in each currency."""
    summary = await read_summary(ctx)
    return {"summary": summary, "main": summary.currencies[0] if summary.currencies else None, "tab": "overview"}


async def list_facts(ctx: Ctx, *, listing: Listing[Any], query: Any, export: bool) -> dict[str, Any]:
    """A list with what its filters offer, and the names of the accounts and guests that it is narrowed to."""
    view: TableView[Any] = await listing.view(ctx, query)
    narrowed: list[tuple[str, str, str]] = []
    if account := getattr(query, "account_id", None):
        found = await read_account(ctx, account=account[0])
        label = f"{found.name}: {found.patron}" if found.patron else f"{found.name}, {found.currency}"
        narrowed.append(("account_id", str(account[0]), label))
    given = {name: getattr(query, name, None) for name in ("kind", "patron_id", "transaction_id")}
    narrowed += [(name, str(value), await _said(ctx, name, value)) for name, value in given.items() if value]
    choices = {"currency": [(row["currency"],) * 2 for row in await ctx.db.fetch(CURRENCIES, ctx.tenant_id)]}
    if any(item.name == "venue_id" for item in listing.filters):
        choices["venue_id"] = [(str(row["id"]), row["name"]) for row in await ctx.db.fetch(VENUES, ctx.tenant_id)]
    tab = {ACCOUNTS.name: "accounts", ENTRIES.name: "entries", HOLDS.name: "holds"}[listing.name]
    events = {ACCOUNTS.name: POSTED, ENTRIES.name: POSTED, HOLDS.name: HELD}[listing.name]
    return {
        "view": view if export else replace(view, export=False),
        "choices": choices,
        "narrowed": narrowed,
        "paged": bool(query.after),
        "events": events,
        "name_of": name_of,
        "tab": tab,
    }


async def _said(ctx: Ctx, name: str, value: Any) -> str:
    """A filter's value as people say it."""
    if name == "kind":
        return str(value).replace("-", " ").capitalize()
    if name == "transaction_id":
        return "One transaction"
    sql = "select name from patrons where tenant_id = $1 and id = $2"
    return await ctx.db.fetchval(sql, ctx.tenant_id, value[0]) or "A guest who is not here"


async def account_facts(ctx: Ctx, *, account_id: UUID, query: AccountQuery) -> dict[str, Any]:
    """One account, its balance as of the moment that is asked for, and its statement."""
    zone = await reader_zone(ctx)
    errors: dict[str, str] = {}
    moments = {name: _moment(getattr(query, name), name, zone, errors) for name in ("at", "since", "until")}
    account = await read_account(ctx, account=AccountId(account_id))
    until = moments["until"] or ctx.now
    span = timedelta(days=30 if account.mode == "strict" else 1)
    wanted = StatementQuery(since=moments["since"] or until - span, until=until, limit=LINES, basis=query.basis)
    try:
        found = await read_statement(ctx, account=account.id, query=wanted)
    except Invalid as problem:
        errors |= problem.fields
        wanted = msgspec.structs.replace(wanted, since=until - span)
        found = await read_statement(ctx, account=account.id, query=wanted)
    may_manage = ctx.allows(LEDGER_MANAGE) and account.mode == "strict"
    then = None
    if moments["at"] is not None:
        then = await read_account(ctx, account=account.id, at=moments["at"], basis=query.basis)
    return {
        "account": account,
        "then": then,
        "statement": found,
        "errors": errors,
        "basis": query.basis,
        "at": query.at,
        "since": query.since or write_wall_clock(found.since, zone),
        "until": query.until or write_wall_clock(found.until, zone),
        "lines": LINES,
        "may_manage": may_manage,
        "may_close": may_manage and not account.balance.amount and account.available == account.balance,
        "history": await entity_history(ctx, entity="account", entity_id=account_id),
        "events": POSTED,
        "tab": "accounts",
    }


async def transaction_facts(ctx: Ctx, *, transaction_id: UUID) -> dict[str, Any]:
    """One transaction with its debits and credits."""
    transaction = await read_transaction(ctx, transaction=transaction_id)
    history = await entity_history(ctx, entity="transaction", entity_id=transaction_id)
    debited = {str(leg.debit_patron_id): leg.debit_patron for leg in transaction.legs}
    guests = debited | {str(leg.credit_patron_id): leg.credit_patron for leg in transaction.legs}
    sources = [(one, ctx.allows(one.permission)) for one in await SOURCES.of(ctx, transaction=transaction)]
    shown = {"transaction": transaction, "guests": guests, "sources": sources}
    return {**shown, "history": history, "tab": "entries"}


def _moment(text: str, name: str, zone: ZoneInfo, errors: dict[str, str]) -> datetime | None:
    """What somebody typed, as a moment; what is wrong with it is put at its field."""
    if not text:
        return None
    try:
        return read_wall_clock(text, zone, field=name)
    except Invalid as problem:
        errors.update(problem.fields)
        return None
