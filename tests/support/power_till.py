"""Credits that are spent, given back and put right while the power is cut: what was acknowledged, and what the disk has of it."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from lastlight.domains.credits.verify import verify_credits
from lastlight.domains.ledger.verify import verify_books
from lastlight.kernel.ids import PatronId, TenantId
from lastlight.runtime.settings import Settings
from tests.support.door import Guest, House
from tests.support.plain_wire import Answer, Wire, request
from tests.support.purses import Purse
from tests.support.tills import CURRENCY, Till, asked, hire
from tests.support.turnstile import SCANS, Turnstile, insist

GUESTS = 6
BOUGHT = 50_000_000
PATHS = ("/api/credits/spends", "/api/credits/adjustments", "/api/ledger/adjustments")
ROWS = """
select e.id, e.amount from credit_entries e where e.tenant_id = $1 and e.kind = 'spent'
union all
select a.id, a.amount from adjustments a where a.tenant_id = $1 and a.status = 'booked'
"""
HALVES = """
select count(*) from adjustments a where a.tenant_id = $1 and a.status = 'booked'
and not exists (select from credit_entries e where e.tenant_id = $1 and e.source_id = a.id and e.amount = a.amount)
and not exists (select from ledger_postings p where p.tenant_id = $1 and p.id = a.id and p.amount = a.amount)
"""
KEPT = "select count(*) from idempotency_keys where tenant_id = $1 and key = any ($2::text[])"


@dataclass(slots=True)
class Moved:
    """What the till's clients have been told so far, and what they asked without an answer yet."""

    told: dict[str, tuple[UUID, int, bytes]] = field(default_factory=dict[str, tuple[UUID, int, bytes]])
    """Key of an acknowledged write → its row, its amount, and the answer to the byte."""
    asked: set[str] = field(default_factory=set[str])
    sent: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def known(self) -> "Moved":
        """What is known at this moment."""
        return Moved(dict(self.told), set(self.asked), self.sent)

    def keep(self, key: str, answer: Answer) -> None:
        """Write an acknowledgement down."""
        body = answer.json()
        self.told[key] = (UUID(body["id"]), body["amount"], answer.body)
        self.asked.discard(key)


@dataclass(slots=True)
class PowerTill:
    """The bar of the turnstile's business, with guests who have plenty."""

    tenant_id: TenantId
    tills: list[Till]

    async def spend_all_night(self, port: int, moved: Moved, stop: asyncio.Event, dice: random.Random) -> list[str]:
        """One after the other, as fast as answers come; refusals."""
        wire, refused = Wire(port), list[str]()
        while not stop.is_set():
            key, sent = self._wish(dice)
            moved.asked.add(key)
            moved.sent[key] = sent
            answer = await wire.ask(sent)
            if answer.status == 201:
                moved.keep(key, answer)
            else:
                refused.append(f"{answer.status} {answer.body[:200]!r}")
        wire.close()
        return refused

    def _wish(self, dice: random.Random) -> tuple[str, bytes]:
        till, key, amount = dice.choice(self.tills), str(uuid4()), dice.randint(1, 900)
        path = dice.choice(PATHS)
        body: dict[str, Any] = asked(till, amount)
        if path == PATHS[1]:
            whose = {"patron_id": str(till.patron_id), "currency": CURRENCY}
            body = whose | {"amount": dice.choice((amount, -amount)), "reason": "A mistake"}
        elif path == PATHS[2]:
            body = {
                "source": "losses",
                "destination": "revenue",
                "amount": amount,
                "currency": CURRENCY,
                "reason": "Sorted",
            }
        return key, request("POST", path, token=till.tokens["staff"], body=body, Idempotency_Key=key)

    async def asked_again(
        self, wire: Wire, moved: Moved, *, until: float, dice: random.Random, times: int
    ) -> tuple[int, int]:
        """Send some acknowledged writes again, and all that had no answer; how many answers differ, how many never came."""
        other = unanswered = 0
        recent = list(moved.told)[-200:]
        for key in dice.sample(recent, min(times, len(recent))):
            answer, _ = await insist(wire, moved.sent[key], until=until)
            other += answer is None or answer.body != moved.told[key][2]
        for key in list(moved.asked):
            answer, _ = await insist(wire, moved.sent[key], until=until)
            if answer is None or answer.status != 201:
                unanswered += 1
            else:
                moved.keep(key, answer)
        return other, unanswered

    async def broken(self, settings: Settings, moved: Moved, *, all_told: bool = False) -> dict[str, int]:
        """What a database holds against what was acknowledged: how much is lost, doubled or half; nothing when all is well.

        Once `all_told`, whatever had no answer has one, and there is nothing else.
        """
        connection = await asyncpg.connect(settings.admin_dsn(), timeout=10)
        try:
            await connection.execute(SCANS)  # an index that a crash has spoilt hides nothing
            found = await self._compared(connection, moved, all_told=all_told)
        finally:
            await connection.close()
        return {what: count for what, count in found.items() if count}

    async def _compared(self, connection: Any, moved: Moved, *, all_told: bool) -> dict[str, int]:
        rows = {row["id"]: row["amount"] for row in await connection.fetch(ROWS, self.tenant_id)}
        told = {row_id: abs(amount) for row_id, amount, _ in moved.told.values()}
        lost = [row_id for row_id, amount in told.items() if abs(rows.get(row_id, 0)) != amount]
        keys: int = await connection.fetchval(KEPT, self.tenant_id, list(moved.told))
        more = len(rows.keys() - told.keys())
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            books = await verify_books(connection, self.tenant_id)
            wrong = books.findings + await verify_credits(connection, self.tenant_id)
        return {
            "lost money": max(len(lost), len(moved.told) - keys),
            "doubled money": more if all_told else max(0, more - len(moved.asked)),
            "half money": await connection.fetchval(HALVES, self.tenant_id),
            "wrong books": len(wrong),
        }


LIMITS = """
insert into tenant_settings (tenant_id, key, value) values ($1, 'ledger.adjustment_limit', '1000') on conflict do nothing
"""


async def power_till(stile: Turnstile) -> PowerTill:
    """Guests with plenty of credits in the turnstile's business, and staff who take them."""
    house = House(stile.services, stile.tenant_id)
    await house.add_venue()
    await house.sql(LIMITS, stile.tenant_id)
    tills: list[Till] = []
    for _ in range(GUESTS):
        till = await hire(stile.services, house)
        guest = Guest(PatronId(till.patron_id), till.guest.user_id, "Guest")  # pyright: ignore[reportArgumentType] an id of a user
        await Purse(house, guest, CURRENCY).buy(BOUGHT)
        tills.append(till)
    return PowerTill(stile.tenant_id, tills)
