"""The last of a guest's credits: many want it at the same moment, over HTTP, by every way that credits can leave."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID, uuid4

import httpx

from lastlight.domains import ledger
from lastlight.runtime.http.app import create_app
from lastlight.runtime.settings import Settings
from tests.support.purses import Purse, new_purse
from tests.support.tills import CURRENCY, Till, asked, opened_till

REFUSED = frozenset({409})
GUARDS = (
    "alter table credit_lots drop constraint if exists credit_lots_remaining_within, drop constraint if exists credit_lots_frozen_within",
    "alter table credit_accounts drop constraint if exists credit_accounts_frozen_within",
    "alter table credit_entries drop constraint if exists credit_entries_within",
    "update ledger_accounts set floor = null where floor is not null",
)
"""What the database holds by itself."""


@asynccontextmanager
async def opened_bar(settings: Settings) -> AsyncGenerator[tuple[Till, httpx.AsyncClient]]:
    """A till and its web application in this process; nobody carries out what is queued."""
    async with opened_till(settings, working=False) as till:
        transport = httpx.ASGITransport(app=cast("Any", create_app(till.services)), client=("203.0.113.7", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as web:
            yield till, web


async def purse_of(till: Till, *amounts: int) -> Purse:
    """Another guest, with credits that they have bought."""
    return await new_purse(till.house, *amounts, currency=CURRENCY)


class Contest:
    """One guest's credits, and all that want them."""

    def __init__(self, till: Till, web: httpx.AsyncClient, purse: Purse) -> None:
        self.till, self.web, self.purse = till, web, purse
        self.patron = str(purse.guest.patron_id)

    async def spend(self, amount: int) -> httpx.Response:
        """Somebody behind the bar takes them."""
        return await self._post("/api/credits/spends", asked(self.till, amount, patron_id=self.patron))

    async def take(self, amount: int) -> httpx.Response:
        """Somebody puts them right, downwards."""
        body = {"patron_id": self.patron, "amount": -amount, "currency": CURRENCY, "reason": "A mistake"}
        return await self._post("/api/credits/adjustments", body)

    async def refund(self, amount: int) -> httpx.Response:
        """Somebody sends them back to the card."""
        body = {"patron_id": self.patron, "amount": amount, "currency": CURRENCY, "reason": "They asked"}
        return await self._post("/api/credits/refunds", body)

    async def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.till.tokens['staff']}", "Idempotency-Key": str(uuid4())}
        answer = await self.web.post(path, json=body, headers=headers)
        while answer.status_code == 503:  # so many wait that no connection came free: they ask again, with their key
            answer = await self.web.post(path, json=body, headers=headers)
        return answer

    async def race(self, ways: Sequence[str], *, racers: int, amount: int, dice: random.Random) -> Counter[int]:
        """So many at once, each wanting an amount in one of the ways; how many got which answer."""
        wanted = [ways[number % len(ways)] for number in range(racers)]
        dice.shuffle(wanted)
        answers = await asyncio.gather(*(getattr(self, way)(amount) for way in wanted))
        return Counter(answer.status_code for answer in answers)


async def overspent(contest: Contest, statuses: Counter[int], *, held: int, amount: int) -> list[str]:
    """What is wrong after a race for credits of which so much was held."""
    wins, fit = sum(number for status, number in statuses.items() if status < 400), held // amount
    found = [f"{wins} took {amount} of {held}"] if wins != fit else []
    found += [
        f"{number} were answered {status}"
        for status, number in statuses.items()
        if status >= 400 and status not in REFUSED
    ]
    sql = "select balance from credit_accounts where tenant_id = $1 and patron_id = $2"
    house = contest.till.house
    [row] = await house.sql(sql, house.tenant_id, UUID(contest.patron))
    if row["balance"] != held - fit * amount:
        found.append(f"{row['balance']} is left of {held}")
    return found


async def take_guards_away(till: Till, patch: Any) -> None:
    """Switch off what holds the account and what the database holds by itself."""
    for sql in GUARDS:
        await till.house.sql(sql)

    async def nobody_waits(*_: Any, **__: Any) -> bool:
        return True

    patch.setattr(ledger, "keep_account", nobody_waits)
