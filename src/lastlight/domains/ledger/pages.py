"""The books on screens: for a business's own people, and for the platform's crew, whose every look is on the business's record."""

from typing import Any
from uuid import UUID

from lastlight.domains.ledger import accounts
from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.listings import ACCOUNTS, ENTRIES, HOLDS
from lastlight.domains.ledger.page_facts import (
    AccountQuery,
    account_facts,
    list_facts,
    overview_facts,
    transaction_facts,
)
from lastlight.domains.ledger.permissions import LEDGER_MANAGE, LEDGER_READ
from lastlight.domains.ledger.reading import read_account
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Operation, Redirect, View, page, page_post
from lastlight.runtime.http.listing import Listing

HOME = "/owner/ledger"
BUSINESSES = "/platform/tenants"
CREW_HOME = f"{BUSINESSES}/{{tenant_id:uuid}}/ledger"
LISTS = (("entries", ENTRIES), ("accounts", ACCOUNTS), ("holds", HOLDS))
OWN = {"home": HOME, "crew": False, "business": None}


@page(HOME, permission=LEDGER_READ)
async def ledger_page(ctx: Ctx) -> View:
    """Show how the money stands."""
    return View("ledger/overview.html", {**await overview_facts(ctx), **OWN})


def _list_page(name: str, listing: Listing[Any]) -> Operation:
    @page(f"{HOME}/{name}", permission=LEDGER_READ, listing=listing)
    async def ledger_list_page(ctx: Ctx, query: Any) -> View:
        """List entries, accounts or holds of the ledger."""
        return View(f"ledger/{name}.html", {**await list_facts(ctx, listing=listing, query=query, export=True), **OWN})

    return ledger_list_page


@page(f"{HOME}/accounts/{{account_id:uuid}}", permission=LEDGER_READ)
async def ledger_account_page(ctx: Ctx, account_id: AccountId, query: AccountQuery) -> View:
    """Show one account with its statement and its balance as of a moment."""
    return View("ledger/account.html", {**await account_facts(ctx, account_id=account_id, query=query), **OWN})


@page(f"{HOME}/transactions/{{transaction_id:uuid}}", permission=LEDGER_READ)
async def ledger_transaction_page(ctx: Ctx, transaction_id: UUID) -> View:
    """Show one transaction with its debits and credits."""
    return View("ledger/transaction.html", {**await transaction_facts(ctx, transaction_id=transaction_id), **OWN})


async def _account(ctx: Ctx, account_id: AccountId) -> dict[str, Any]:
    return {"account": await read_account(ctx, account=account_id), **OWN}


@page(f"{HOME}/accounts/{{account_id:uuid}}/closure", permission=LEDGER_MANAGE)
async def account_closure_dialog(ctx: Ctx, account_id: AccountId) -> View:
    """Ask whether an account is to be closed."""
    return View("ledger/closure.html", await _account(ctx, account_id), block="dialog")


@page_post(
    f"{HOME}/accounts/{{account_id:uuid}}/closure",
    permission=LEDGER_MANAGE,
    form_page="ledger/closure.html",
    form_block="dialog",
    form_context=_account,
)
async def account_closure_submit(ctx: Ctx, account_id: AccountId) -> Redirect:
    """Close an empty account."""
    await accounts.close_account(ctx, account=account_id)
    return Redirect(f"{HOME}/accounts/{account_id}", toast="The account is closed. It takes nothing any more.")


@page_post(f"{HOME}/accounts/{{account_id:uuid}}/reopening", permission=LEDGER_MANAGE)
async def account_reopening_submit(ctx: Ctx, account_id: AccountId) -> Redirect:
    """Let a closed account take postings again."""
    await accounts.reopen_account(ctx, account=account_id)
    return Redirect(f"{HOME}/accounts/{account_id}", toast="The account takes postings again.")


# --- the platform's crew, inside a business that the path names -------------------------------------------------------

LOOKS_ONLY = {"may_manage": False, "may_close": False}
INSIDE: dict[str, Any] = {
    "permission": LEDGER_READ,
    "scope_tenant": "tenant_id",
    "db": "platform",
    "sensitive": "ledger.read_by_crew",
}


async def _inside(ctx: Ctx, tenant_id: TenantId) -> dict[str, Any]:
    """Where the pages of a business's books lie for the crew, and whose they are."""
    name = await ctx.db.fetchval("select name from tenants where id = $1", tenant_id)
    return {"home": f"{BUSINESSES}/{tenant_id}/ledger", "crew": True, "business": name, **LOOKS_ONLY}


@page(CREW_HOME, **INSIDE)
async def tenant_ledger_page(ctx: Ctx, tenant_id: TenantId) -> View:
    """Show how a business's money stands."""
    return View("ledger/overview.html", {**await overview_facts(ctx), **await _inside(ctx, tenant_id)})


def _tenant_list_page(name: str, listing: Listing[Any]) -> Operation:
    @page(f"{CREW_HOME}/{name}", listing=listing, **INSIDE)
    async def tenant_ledger_list_page(ctx: Ctx, tenant_id: TenantId, query: Any) -> View:
        """List entries, accounts or holds of a business's ledger."""
        shown = await list_facts(ctx, listing=listing, query=query, export=False)
        return View(f"ledger/{name}.html", {**shown, **await _inside(ctx, tenant_id)})

    return tenant_ledger_list_page


@page(f"{CREW_HOME}/accounts/{{account_id:uuid}}", **INSIDE)
async def tenant_ledger_account_page(ctx: Ctx, tenant_id: TenantId, account_id: AccountId, query: AccountQuery) -> View:
    """Show one account of a business with its statement."""
    shown = await account_facts(ctx, account_id=account_id, query=query)
    return View("ledger/account.html", {**shown, **await _inside(ctx, tenant_id)})


@page(f"{CREW_HOME}/transactions/{{transaction_id:uuid}}", **INSIDE)
async def tenant_ledger_transaction_page(ctx: Ctx, tenant_id: TenantId, transaction_id: UUID) -> View:
    """Show one transaction of a business."""
    shown = await transaction_facts(ctx, transaction_id=transaction_id)
    return View("ledger/transaction.html", {**shown, **await _inside(ctx, tenant_id)})


PAGES = (
    ledger_page,
    *(_list_page(name, listing) for name, listing in LISTS),
    ledger_account_page,
    ledger_transaction_page,
    account_closure_dialog,
    account_closure_submit,
    account_reopening_submit,
    tenant_ledger_page,
    *(_tenant_list_page(name, listing) for name, listing in LISTS),
    tenant_ledger_account_page,
    tenant_ledger_transaction_page,
)
