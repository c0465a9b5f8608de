"""Guests' credits in the consoles of managers and owners: who has how many, one guest's, every entry, one entry with its lots."""

from dataclasses import replace
from typing import Any

import msgspec

from lastlight.domains.credits import looking, queries
from lastlight.domains.credits.action_pages import action_pages
from lastlight.domains.credits.listings import BALANCES, ENTRIES, ORIGINS
from lastlight.domains.credits.model import EntryId
from lastlight.domains.credits.permissions import CREDITS_CHARGE, CREDITS_READ
from lastlight.domains.ledger import CREDITS, LEDGER_READ, SummaryLine, read_summary
from lastlight.domains.payments import PAYMENTS_REFUND
from lastlight.domains.venues import listed, standing_venues
from lastlight.kernel.ids import PatronId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Operation, RequestInfo, View, page
from lastlight.runtime.http.listing import TableView

EVENTS = ["credit.balance"]
CONSOLES = ("/manage", "/owner")
CURRENCIES = """
select distinct c.currency from (
    select t.currency from tenants t where t.id = $1
    union all select v.currency from venues v where v.tenant_id = $1
) c order by 1
"""
MONEY = {"balance": "Balance", "amount": "Amount", "frozen": "Frozen"}
"""Amounts stand with their currency on screens."""


def _in_money(view: TableView[Any], *, without: frozenset[str] = frozenset()) -> TableView[Any]:
    """The same view as screens show it: amounts with their currency, which needs no column of its own."""
    shown = [header for header in view.headers if header.name not in without | {"currency"}]
    return replace(view, headers=[replace(one, label=MONEY.get(one.name, one.label)) for one in shown])


async def _choices(ctx: Ctx) -> dict[str, list[tuple[str, str]]]:
    venues = await standing_venues(ctx, permission=CREDITS_READ)
    return {
        "currency": [(row["currency"],) * 2 for row in await ctx.db.fetch(CURRENCIES, ctx.tenant_id)],
        "venue_id": [(str(venue.id), venue.name) for venue in venues],
    }


async def _sums(ctx: Ctx) -> list[tuple[str, SummaryLine]]:
    """What all guests have together, in each currency that anybody has; for those who may read the books."""
    if not ctx.allows(LEDGER_READ):
        return []
    lines = [(one.currency, one.of(CREDITS.code)) for one in (await read_summary(ctx)).currencies]
    return [(currency, line) for currency, line in lines if line and (line.balance or line.week)]


def list_pages(prefix: str) -> tuple[Operation, ...]:
    """The lists inside one console."""
    home = f"{prefix}/credits"

    @page(home, permission=CREDITS_READ, listing=BALANCES)
    async def credits_page(ctx: Ctx, query: Any) -> View:
        """List what guests have in credits."""
        view = _in_money(await BALANCES.view(ctx, query))
        shown = {"view": view, "home": home, "paged": bool(query.after), "choices": await _choices(ctx)}
        return View("credits/balances.html", {**shown, "sums": await _sums(ctx), "events": EVENTS, "tab": "guests"})

    @page(f"{home}/entries", permission=CREDITS_READ, listing=ENTRIES)
    async def credit_entries_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List every change of guests' credits."""
        shown = await listed(ctx, request=request, listing=ENTRIES, query=query, home=f"{home}/entries")
        choices = await _choices(ctx) | shown["choices"]
        view = _in_money(shown["view"])
        context = {"view": view, "choices": choices, "credits_home": home, "events": EVENTS, "tab": "entries"}
        return View("credits/entries.html", {**shown, **context})

    return (credits_page, credit_entries_page)


def detail_pages(prefix: str) -> tuple[Operation, ...]:
    """One guest's credits, and one entry, inside one console."""
    home = f"{prefix}/credits"

    @page(f"{home}/{{patron_id:uuid}}", permission=CREDITS_READ, listing=ENTRIES)
    async def guest_credits_page(ctx: Ctx, patron_id: PatronId, query: Any) -> View:
        """Show what a guest has, the lots that it is kept as, and what became of it."""
        guest = await queries.read_balances(ctx, patron_id=patron_id)
        query = msgspec.structs.replace(query, patron_id=[patron_id])
        lots = await looking.lots_of(ctx, patron_id=patron_id)
        funded = await looking.funded_lots(ctx, patron_id=patron_id) if ctx.allows(PAYMENTS_REFUND) else []
        view = await ENTRIES.view(ctx, query)
        view = replace(view, filters=tuple(one for one in view.filters if one.name != "patron_id"))
        context: dict[str, Any] = {
            "guest": guest,
            "lots": lots,
            "most_lots": looking.MOST_LOTS,
            "refundable": any(lot.refundable for lot in funded),
            "view": _in_money(view, without=frozenset({"guest"})),
            "choices": await _choices(ctx),
            "paged": bool(query.after),
            "origins": dict(ORIGINS),
            "home": home,
            "console": prefix,
            "here": f"{home}/{patron_id}",
            "events": EVENTS,
        }
        return View("credits/guest.html", context)

    @page(f"{home}/entries/{{credit_entry_id:uuid}}", permission=CREDITS_READ)
    async def credit_entry_page(ctx: Ctx, credit_entry_id: EntryId) -> View:
        """Show one entry: which lots gave or got it, what it was for, what took it back."""
        entry = await looking.read_entry(ctx, entry_id=credit_entry_id)
        spent = entry.kind == "spent"
        left = await looking.left_of_spend(ctx, entry_id=entry.id) if spent else 0
        context: dict[str, Any] = {
            "entry": entry,
            "uses": await looking.uses_of(ctx, entry_id=entry.id),
            "back": await looking.given_back_of(ctx, entry_id=entry.id) if spent else [],
            "left": left,
            "may_return": left > 0 and _may_return(ctx, entry),
            "origins": dict(ORIGINS),
            "home": home,
            "console": prefix,
            "history": await entity_history(ctx, entity="credit_entry", entity_id=entry.id),
            "events": EVENTS,
        }
        return View("credits/entry.html", context)

    return (guest_credits_page, credit_entry_page)


def _may_return(ctx: Ctx, entry: looking.WholeEntry) -> bool:
    return ctx.allows(CREDITS_CHARGE, entry.venue_id) if entry.venue_id else ctx.allows(CREDITS_CHARGE)


PAGES = tuple(
    operation
    for prefix in CONSOLES
    for maker in (list_pages, detail_pages, action_pages)
    for operation in maker(prefix)
)
