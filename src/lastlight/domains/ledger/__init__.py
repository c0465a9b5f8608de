"""The double-entry ledger, below everything that moves money.

`open_account` names an account by its line of the chart, its owner and its currency; `post` moves amounts between accounts under an id
that stands for one request for good; `reverse` takes back; `hold`, `capture` and `void` set aside; `balance` and `statement` read, also
as of earlier moments. Amounts are minor units. This is all that other domains may use.
"""

from lastlight.domains.ledger.accounts import (
    Account,
    AccountId,
    account_id,
    close_account,
    find_account,
    keep_account,
    open_account,
    reopen_account,
)
from lastlight.domains.ledger.balances import balance, books_began, statement
from lastlight.domains.ledger.batches import post_batch
from lastlight.domains.ledger.chart import (
    ADJUSTMENTS,
    BANK,
    BREAKAGE,
    CHART,
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
    AccountKind,
)
from lastlight.domains.ledger.events import TransactionHeld, TransactionPosted, TransactionReleased
from lastlight.domains.ledger.holds import HoldId, capture, find_hold, hold, void
from lastlight.domains.ledger.opening import open_chart
from lastlight.domains.ledger.permissions import LEDGER_MANAGE, LEDGER_READ
from lastlight.domains.ledger.posting import (
    Condition,
    Leg,
    Transaction,
    TransactionId,
    post,
    reverse,
    tell_posted,
    transaction_id,
)
from lastlight.domains.ledger.reading import TransactionOut, moved_among, posted_among
from lastlight.domains.ledger.sources import SOURCES, Source
from lastlight.domains.ledger.summary import SummaryLine, read_summary
from lastlight.domains.ledger.verify import each_business, findings_of, say_found

__all__ = [
    "ADJUSTMENTS",
    "BANK",
    "BREAKAGE",
    "CHART",
    "CREDITS",
    "DISPUTES_HELD",
    "DISPUTE_FEES",
    "EXCHANGE",
    "LEDGER_MANAGE",
    "LEDGER_READ",
    "LOSSES",
    "ORDER_CLEARING",
    "PROCESSING_FEES",
    "PROVIDER_AVAILABLE",
    "PROVIDER_PENDING",
    "PROVIDER_RESERVE",
    "REFUNDS_PAYABLE",
    "REVENUE",
    "SOURCES",
    "TAX_PAYABLE",
    "Account",
    "AccountId",
    "AccountKind",
    "Condition",
    "HoldId",
    "Leg",
    "Source",
    "SummaryLine",
    "Transaction",
    "TransactionHeld",
    "TransactionId",
    "TransactionOut",
    "TransactionPosted",
    "TransactionReleased",
    "account_id",
    "balance",
    "books_began",
    "capture",
    "close_account",
    "each_business",
    "find_account",
    "find_hold",
    "findings_of",
    "hold",
    "keep_account",
    "moved_among",
    "open_account",
    "open_chart",
    "post",
    "post_batch",
    "posted_among",
    "read_summary",
    "reopen_account",
    "reverse",
    "say_found",
    "statement",
    "tell_posted",
    "transaction_id",
    "void",
]
