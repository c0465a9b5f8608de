"""Credits bought by card over HTTP, from the guest's wish to the credits in their purse, against the card provider alone.

A purchase is what a guest's phone does: it asks for credits, waits until the payment is open at the provider, reads what it needs to pay,
confirms with a card at the provider, and has its credits once the provider's webhook was taken and worked off. Web, worker, database and
sandbox run as shipped. The peer is the sandbox without us: as many payments made and confirmed there, by as many at once.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID, uuid4

import msgspec

from benchmarks.ground import durable_ground
from benchmarks.house import House, opened_house, request
from benchmarks.measure import Figure, Stopwatch, interleaved, milliseconds, percentile
from benchmarks.processes import Platform, platform
from lastlight.runtime.stripe_account import WEBHOOK_EVENTS, WEBHOOK_PATH
from lastlight.sandbox.events import EVENTS
from tests.support.own_processes import PROGRAM
from tests.support.processors import SandboxBeside, sandbox_beside

BUYERS = 8
AMOUNT = 5_000
LOOK_SECONDS = 0.01
PATIENCE = 60.0
AIM = 0.10
SOON_MS = 2_000
"""From the card's confirmation to the credits: as long as somebody at a bar looks at their phone."""
OPEN = "select id from payments where tenant_id = $1 and intent_id is not null and status not in ('created')"
DUE = "select count(*) from jobs where state in ('queued', 'running') and run_at < now() + interval '5 seconds'"
CREDITED = "select payment_id as id from credit_lots where tenant_id = $1 and payment_id is not null"


class Wire:
    """One kept connection to a server; one request at a time."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._at = (parts.hostname or "", parts.port or 80)
        self._open: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, whole: bytes) -> Any:
        """Send a whole request; the JSON of its answer. Fails on anything but a success."""
        if self._open is None:
            self._open = await asyncio.open_connection(*self._at)
        reader, writer = self._open
        writer.write(whole)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        if not head.startswith((b"http/1.1 200", b"http/1.1 201")):
            raise RuntimeError(f"refused: {head[:40]!r} {body[:400]!r}")
        return msgspec.json.decode(body)

    def close(self) -> None:
        """Hang up."""
        if self._open is not None:
            self._open[1].close()


def form(path: str, key: str, **fields: object) -> bytes:
    """A whole request to the provider, as its SDK sends it."""
    body = urlencode(fields).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        f"Idempotency-Key: {uuid4()}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


@dataclass(slots=True)
class Watch:
    """What stands in the database, looked at for all buyers by one statement at a time."""

    house: House
    _seen: "dict[tuple[str, UUID], asyncio.Future[float]]" = field(default_factory=dict)

    async def look(self) -> None:
        """Look, again and again, and tell whoever waits."""
        async with self.house.administrator() as connection:
            while True:
                for sql in (OPEN, CREDITED):
                    for row in await connection.fetch(sql, self.house.tenant_id):
                        told = self._of(sql, row["id"])
                        if not told.done():
                            told.set_result(time.perf_counter())
                await asyncio.sleep(LOOK_SECONDS)

    async def until(self, sql: str, payment_id: UUID) -> float:
        """When the payment stood so."""
        return await asyncio.wait_for(self._of(sql, payment_id), PATIENCE)

    def _of(self, sql: str, payment_id: UUID) -> "asyncio.Future[float]":
        return self._seen.setdefault((sql, payment_id), asyncio.get_running_loop().create_future())


@dataclass(slots=True)
class Till:
    """The house that sells credits, its processes, and the provider."""

    house: House
    site: Platform
    beside: SandboxBeside
    watch: Watch
    size: int
    waits: list[float] = field(default_factory=list[float])
    """From the confirmation of each card to its credits, in seconds."""
    used: dict[str, float] = field(default_factory=dict[str, float])
    """The processor's seconds that each process had used before."""
    buyers: "count[int]" = field(default_factory=count)

    async def ours(self) -> float:
        """A round of purchases; how many a second. What the provider tells of them later is worked off before the next round."""
        rate = await self._round(self._buy, self.site.url, self.beside.base)
        await self._worked_off()
        return rate

    async def _worked_off(self) -> None:
        async with self.house.administrator() as connection, asyncio.timeout(PATIENCE):
            while True:
                if not await connection.fetchval(DUE):
                    return
                await asyncio.sleep(0.05)

    async def theirs(self) -> float:
        """A round of payments at the provider alone; how many a second."""
        alone = self.beside.another()

        async def pay(_site: Wire, provider: Wire) -> None:
            made = await provider.ask(
                form("/v1/payment_intents", alone.secret_key, amount=AMOUNT, currency="zar", **_ONLY_CARDS)
            )
            await provider.ask(_confirmed(made["id"], alone.secret_key))

        return await self._round(pay, self.site.url, self.beside.base)

    async def _round(self, act: Callable[[Wire, Wire], Awaitable[None]], *bases: str) -> float:
        left = iter(range(self.size))

        async def buyer() -> None:
            wires = [Wire(base) for base in bases]
            for _ in left:
                await act(*wires)
            for wire in wires:
                wire.close()

        watch = Stopwatch()
        await asyncio.gather(*(buyer() for _ in range(min(BUYERS, self.size))))
        return self.size / watch.seconds

    async def _buy(self, site: Wire, provider: Wire) -> None:
        """One purchase, as a guest's phone makes it."""
        token = self.house.tokens[next(self.buyers) % len(self.house.tokens)]
        key = {"Idempotency-Key": str(uuid4())}
        begun = await site.ask(request("POST", "/api/patron/credits/purchases", token, {"amount": AMOUNT}, **key))
        payment_id = UUID(begun["payment_id"])
        await self.watch.until(OPEN, payment_id)
        page = await site.ask(request("GET", f"/api/patron/payments/{payment_id}", token))
        secret = page["client_secret"]
        paid = _confirmed(secret.partition("_secret_")[0], page["publishable_key"], client_secret=secret)
        await provider.ask(paid)
        confirmed = time.perf_counter()
        self.waits.append(max(0.0, await self.watch.until(CREDITED, payment_id) - confirmed))


_ONLY_CARDS = {"automatic_payment_methods[enabled]": "true", "automatic_payment_methods[allow_redirects]": "never"}


def _confirmed(intent_id: str, key: str, **more: str) -> bytes:
    return form(f"/v1/payment_intents/{intent_id}/confirm", key, payment_method="pm_card_visa", **more)


@contextlib.asynccontextmanager
async def opened_till(house: House, *, size: int, program: Sequence[str] = PROGRAM) -> AsyncGenerator[Till]:
    """The processes around the house; `program` replaces `-m lastlight`."""
    with sandbox_beside(house.ground.folder / "sandbox") as beside:
        provider = Wire(beside.base)
        wanted = [name for name in WEBHOOK_EVENTS if name in EVENTS]
        events = {f"enabled_events[{place}]": name for place, name in enumerate(wanted)}
        hook = form("/v1/webhook_endpoints", beside.secret_key, url="http://127.0.0.1:9/", **events)
        made = await provider.ask(hook)
        told = beside.environment() | {"LASTLIGHT_STRIPE_WEBHOOK_SECRETS": made["secret"]}
        async with platform(house.ground.settings, "worker", "web", program=program, **told) as site:
            path = f"/v1/webhook_endpoints/{made['id']}"
            await provider.ask(form(path, beside.secret_key, url=f"{site.url}{WEBHOOK_PATH}"))
            provider.close()
            watch = Watch(house)
            looking = asyncio.create_task(watch.look())
            try:
                yield Till(house, site, beside, watch, size)
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)


async def run(*, quick: bool) -> list[Figure]:
    """Purchases against payments at the provider alone, and how long the credits take."""
    size, rounds = (8, 1) if quick else (48, 5)
    async with (
        durable_ground() as ground,
        opened_house(ground, venues=1, guests=size) as house,
        opened_till(house, size=size) as till,
    ):
        return await measure(till, rounds=rounds)


async def measure(till: Till, *, rounds: int) -> list[Figure]:
    """The figures of a till."""
    till.used |= {name: till.site.cpu_seconds(name) for name in ("worker", "web")}
    found = await interleaved(till.ours, till.theirs, rounds=rounds)
    used = {
        f"{name}_ms": (till.site.cpu_seconds(name) - till.used[name]) * 1000 / len(till.waits) for name in till.used
    }
    told = {"bought_per_s": percentile(found.ours, 0.5), "provider_per_s": percentile(found.peer, 0.5)} | used
    delays = milliseconds(till.waits)
    return [
        Figure("credits bought / payments at the provider", found.ratios, aim=AIM, told=told),
        Figure("card confirmed to credits: p95", (delays["p95_ms"],), "lower", aim=SOON_MS, unit="ms", told=delays),
    ]
