"""Lists, walked over all of their pages: events, balance transactions; and the balance itself."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

from lastlight.runtime.processor.client import Json, ask
from lastlight.runtime.processor.objects import Balance, BalanceTransaction, Event
from lastlight.runtime.processor.readings import balance_of, balance_transaction_of, event_of
from lastlight.runtime.services import Services

if TYPE_CHECKING:
    from stripe.params import BalanceTransactionListParams, EventListParams

PAGE = 100
MOST_TYPES = 20
"""How many types of events one list may name."""


class _Page(TypedDict, total=False):
    limit: int
    starting_after: str


class _Bounds(TypedDict, total=False):
    gt: int
    gte: int
    lt: int
    lte: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """Bounds of the time when something was made, in seconds: from `since` on, and before `before`."""

    since: int | None = None
    before: int | None = None

    def bounds(self) -> _Bounds:
        """As a list takes them."""
        bounds: _Bounds = {}
        if self.since is not None:
            bounds["gte"] = self.since
        if self.before is not None:
            bounds["lt"] = self.before
        return bounds


async def every(page: Callable[[_Page], Awaitable[Json]]) -> AsyncIterator[Json]:
    """Every object of a list, page by page; nothing is skipped, whatever is added while it is walked."""
    after: _Page = {"limit": PAGE}
    while True:
        found = await page(after)
        objects: list[dict[str, Any]] = found["data"]
        for one in objects:
            yield one
        if not found.get("has_more") or not objects:
            return
        after = {"limit": PAGE, "starting_after": objects[-1]["id"]}


async def list_events(
    services: Services, *, created: Created | None = None, types: Sequence[str] = ()
) -> AsyncIterator[Event]:
    """Events of the last 30 days, the newest first; `types` are up to 20."""
    if len(types) > MOST_TYPES:
        raise ValueError(f"events are listed by up to {MOST_TYPES} types")
    params: EventListParams = {}
    if created and (bounds := created.bounds()):
        params["created"] = bounds
    if types:
        params["types"] = list(types)
    async for found in every(lambda after: ask(services, lambda v1: v1.events.list_async({**params, **after}))):
        yield event_of(found)


async def list_balance_transactions(
    services: Services,
    *,
    created: Created | None = None,
    kind: str = "",
    source: str = "",
) -> AsyncIterator[BalanceTransaction]:
    """Movements of the balance, the newest first; `kind` is the type of a transaction, `source` the id of what it is about."""
    params: BalanceTransactionListParams = {}
    if created and (bounds := created.bounds()):
        params["created"] = bounds
    if kind:
        params["type"] = kind
    if source:
        params["source"] = source
    async for found in every(
        lambda after: ask(services, lambda v1: v1.balance_transactions.list_async({**params, **after}))
    ):
        yield balance_transaction_of(found)


async def retrieve_balance_transaction(services: Services, transaction_id: str) -> BalanceTransaction:
    """One movement of the balance."""
    return balance_transaction_of(
        await ask(services, lambda v1: v1.balance_transactions.retrieve_async(transaction_id))
    )


async def retrieve_balance(services: Services) -> Balance:
    """What the processor keeps for us."""
    return balance_of(await ask(services, lambda v1: v1.balance.retrieve_async()))
