"""The books at the edge: lists, one account and its statement, one transaction, and closing an account."""

from uuid import UUID

from lastlight.domains.ledger import accounts
from lastlight.domains.ledger.accounts import AccountId
from lastlight.domains.ledger.errors import AccountMissing, AccountNotEmpty, TransactionMissing
from lastlight.domains.ledger.listings import ACCOUNTS, ENTRIES, HOLDS
from lastlight.domains.ledger.permissions import LEDGER_MANAGE, LEDGER_READ
from lastlight.domains.ledger.reading import LedgerAccountOut, TransactionOut, read_account, read_transaction
from lastlight.domains.ledger.schemas import BalanceQuery, StatementOut, StatementQuery
from lastlight.domains.ledger.statements import read_statement
from lastlight.domains.ledger.summary import LedgerSummary, read_summary
from lastlight.kernel.errors import Invalid
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get, post
from lastlight.runtime.http.listing import listing_get

TAGS = ("Ledger",)

list_ledger_accounts = listing_get("/api/ledger/accounts", ACCOUNTS, tags=TAGS)
list_ledger_entries = listing_get("/api/ledger/entries", ENTRIES, tags=TAGS)
list_ledger_holds = listing_get("/api/ledger/holds", HOLDS, tags=TAGS)


@get("/api/ledger/summary", permission=LEDGER_READ, tags=TAGS)
async def read_ledger_summary(ctx: Ctx) -> LedgerSummary:
    """How the business's money stands in each currency, and by how much it changed today and within a week."""
    return await read_summary(ctx)


@get("/api/ledger/accounts/{account_id:uuid}", permission=LEDGER_READ, raises=[AccountMissing], tags=TAGS)
async def read_ledger_account(ctx: Ctx, account_id: AccountId, query: BalanceQuery) -> LedgerAccountOut:
    """Read an account with its balance: now, or as of any moment, by when it was posted or for when it counts."""
    return await read_account(ctx, account=account_id, at=query.at, basis=query.basis)


@get(
    "/api/ledger/accounts/{account_id:uuid}/statement",
    permission=LEDGER_READ,
    raises=[AccountMissing, Invalid],
    tags=TAGS,
)
async def read_ledger_statement(ctx: Ctx, account_id: AccountId, query: StatementQuery) -> StatementOut:
    """Read what moved on an account within a time, or counts for it, with its balance before and after."""
    return await read_statement(ctx, account=account_id, query=query)


@post(
    "/api/ledger/accounts/{account_id:uuid}/closure",
    permission=LEDGER_MANAGE,
    raises=[AccountMissing, AccountNotEmpty],
    tags=TAGS,
)
async def close_ledger_account(ctx: Ctx, account_id: AccountId) -> LedgerAccountOut:
    """Close an empty account: it takes nothing any more."""
    await accounts.close_account(ctx, account=account_id)
    return await read_account(ctx, account=account_id)


@post(
    "/api/ledger/accounts/{account_id:uuid}/reopening",
    permission=LEDGER_MANAGE,
    raises=[AccountMissing],
    tags=TAGS,
)
async def reopen_ledger_account(ctx: Ctx, account_id: AccountId) -> LedgerAccountOut:
    """Let a closed account take postings again."""
    await accounts.reopen_account(ctx, account=account_id)
    return await read_account(ctx, account=account_id)


@get("/api/ledger/transactions/{transaction_id:uuid}", permission=LEDGER_READ, raises=[TransactionMissing], tags=TAGS)
async def read_ledger_transaction(ctx: Ctx, transaction_id: UUID) -> TransactionOut:
    """Read a transaction: its debits and credits by account, what it takes back and what took it back, and what it was for."""
    return await read_transaction(ctx, transaction=transaction_id)


ROUTES = (
    read_ledger_summary,
    list_ledger_accounts,
    read_ledger_account,
    read_ledger_statement,
    close_ledger_account,
    reopen_ledger_account,
    list_ledger_entries,
    read_ledger_transaction,
    list_ledger_holds,
)
