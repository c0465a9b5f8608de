"""Check-in verify over HTTP against pgbench running the same SQL on the same server.

A round is so many check-ins, each by another guest, over 32 keep-alive connections; before it every guest's app has been open for a
moment, as in life. pgbench's round is as many transactions of the same statements in 32 clients. Between rounds everybody leaves.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import asyncpg

from benchmarks.client import Load, Plan
from benchmarks.ground import durable_ground
from benchmarks.house import House, load, numbered, numbered_sql, opened_house, request
from benchmarks.measure import Figure, Work, interleaved, milliseconds, percentile
from benchmarks.peer import Pace, Script, caught, make_script, pgbench
from benchmarks.processes import Platform, platform
from lastlight.domains.venues.codes import VenueCode, code_text, screen_code
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx

PATH = "/api/checkin/verify"
CONNECTIONS = 32
VENUES = 12
"""Each round is at another venue: a screen's code lets a guest in once."""
POSITION = {"lat": -26.14671, "lon": 28.04358, "accuracy_m": 12.5}
DEVICE = {"battery": 0.71, "charging": False, "online": True, "network": "4g", "standalone": True, "language": "en-ZA"}
GUEST_VARIABLES = ("user", "patron", "session")
SCRIPT_HEAD = (
    "\\set i :i + 1",
    "\\set guest_n :i * :clients + :client_id",
    "\\set serial :base + :guest_n",
    "\\set user_n 10000000000000 + :guest_n",
    "\\set patron_n 20000000000000 + :guest_n",
    "\\set session_n 30000000000000 + :guest_n",
    "\\set checkin_n 40000000000000 + :serial",
    "\\set visit_n 50000000000000 + :serial",
)


@dataclass
class Door:
    """The house, its web process, and the script of the peer."""

    house: House
    web: Platform
    script: Script
    size: int
    """Check-ins a round."""
    rounds: Iterator[int] = field(default_factory=count)
    """Numbers of our rounds; each is at the next venue."""
    bases: Iterator[int] = field(default_factory=count)
    """Numbers of the peer's, whose ids follow from them."""
    loads: list[Load] = field(default_factory=list[Load])
    shares: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    """Of each round of ours: the processor's share of the web process, and of the client."""
    means_ms: list[float] = field(default_factory=list[float])

    async def ours(self) -> float:
        """A round over HTTP; check-ins a second."""
        await self._arrive()
        before = self.web.cpu_seconds("web")
        found = await load(Plan(port=self.web.port, requests=await self.requests(), connections=CONNECTIONS))
        self.loads.append(found)
        self.shares.append(((self.web.cpu_seconds("web") - before) / found.seconds, found.cpu_seconds / found.seconds))
        await self.house.empty()
        return found.rate

    async def theirs(self) -> float:
        """A round of pgbench; transactions a second."""
        pace = await pgbench_round(self.house, self.script, number=next(self.bases), size=self.size)
        self.means_ms.append(pace.mean_ms)
        return pace.rate

    async def at_rate(self, rate: float) -> Load:
        """A round over HTTP at so many check-ins a second, whether or not the answers keep up."""
        await self._arrive()
        requests = await self.requests()
        found = await load(Plan(port=self.web.port, requests=requests, connections=CONNECTIONS, rate=rate))
        await self.house.empty()
        return found

    async def requests(self) -> list[bytes]:
        """A check-in of every guest, at the next venue."""
        number = next(self.rounds)
        code = code_text(await venue_code(self.house, self.house.venues[number % VENUES]))
        return checkins(self.house.tokens[: self.size], code, number)

    async def _arrive(self) -> None:
        """Every guest opens the app."""
        homes = [request("GET", "/api/patron/keys", token) for token in self.house.tokens[: self.size]]
        await load(Plan(port=self.web.port, requests=homes, connections=CONNECTIONS))


async def pgbench_round(house: House, script: Script, *, number: int, size: int) -> Pace:
    """Each of `size` guests checks in by pgbench, at the venue of that round; then everybody goes home."""
    code = await venue_code(house, house.venues[number % VENUES])
    variables = {
        "i": -1,
        "clients": CONNECTIONS,
        "base": number * size,
        "venue": code.venue_id,
        "nonce": "\\x" + os.urandom(8).hex(),
    }
    pace = await pgbench(
        house.ground,
        script,
        folder=house.ground.folder,
        clients=CONNECTIONS,
        each=size // CONNECTIONS,
        variables=variables,
    )
    await house.empty()
    return pace


def checkins(tokens: Sequence[str], code: str, number: int) -> list[bytes]:
    """One check-in for each token."""
    body = {"code": code, "position": POSITION, "device": DEVICE}
    return [
        request("POST", PATH, token, body, **{"Idempotency-Key": f"bench-{number}-{guest}"})
        for guest, token in enumerate(tokens)
    ]


async def venue_code(house: House, venue_id: VenueId) -> VenueCode:
    """What the venue's screen shows now."""
    async with system_ctx(house.services, house.tenant_id) as ctx:
        return await _shown(ctx, venue_id)


async def _shown(ctx: Ctx, venue_id: VenueId) -> VenueCode:
    key = await current_key(ctx, venue_id=venue_id)
    secret = open_key(ctx, venue_id=venue_id, number=key.number, sealed=key.secret)
    return screen_code(secret, venue_id=venue_id, key_number=key.number, at=ctx.now)


async def check_in_script(house: House) -> Script:
    """One check-in, caught from the product in this process, as a script of pgbench."""
    venue_id = house.venues[-1]
    code = await venue_code(house, venue_id)
    answers: list[dict[str, Any]] = []
    async with caught(house.services.pools.app) as statements:
        for guest in (0, 1):  # the first teaches the connection its types
            statements.clear()
            headers = {"Authorization": f"Bearer {house.tokens[guest]}", "Idempotency-Key": f"caught-{guest}"}
            body = {"code": code_text(code), "position": POSITION, "device": DEVICE}
            answer = await house.people.client.post(PATH, json=body, headers=headers)
            assert answer.status_code == 201, answer.text
            answers.append(answer.json())
    user, now = numbered("user", 1), answers[1]["checkin"]["received_at"].replace("Z", "+00:00")
    reckoned = {str(numbered(kind, 1)): numbered_sql(kind, "n") for kind in GUEST_VARIABLES}
    reckoned |= {
        answers[1]["checkin"]["id"]: numbered_sql("checkin", "n"),
        answers[1]["visit"]["id"]: numbered_sql("visit", "n"),
        str(venue_id): ":venue",
        "\\x" + code.nonce.hex(): ":nonce",
        "caught-1": "'peer-' || :serial",
        f"user:{user}": f"'user:' || {numbered_sql('user', 'n')}",
        f"{house.tenant_id}/user:{user}/caught-1": f"'{house.tenant_id}/user:' || {numbered_sql('user', 'n')} || '/peer-' || :serial",
        now: "now()",
    }
    await house.empty()
    connection = await asyncpg.connect(house.services.settings.dsn("app"))
    try:
        return await make_script(connection, statements, head=SCRIPT_HEAD, reckoned=reckoned)
    finally:
        await connection.close()


async def run(*, quick: bool) -> list[Figure]:
    """Ours against pgbench, then the delays at half of what we reached."""
    size, rounds = (64, 1) if quick else (3_200, 7)
    async with durable_ground() as ground, opened_house(ground, venues=VENUES, guests=size) as house:
        script = await check_in_script(house)
        async with platform(ground.settings, "web") as web:
            door = Door(house, web, script, size)
            return await measure(door, ours=door.ours, rounds=rounds)


async def measure(door: Door, *, ours: Work, rounds: int) -> list[Figure]:
    """The figures of a door; `ours` is its round over HTTP."""
    found = await interleaved(ours, door.theirs, rounds=rounds)
    web, client = (max(column) for column in zip(*door.shares, strict=True))
    told = {
        "http_per_s": percentile(found.ours, 0.5),
        "pgbench_per_s": percentile(found.peer, 0.5),
        "pgbench_mean_ms": percentile(door.means_ms, 0.5),
        "p50_ms": milliseconds(door.loads[-1].latencies)["p50_ms"],
        "web_of_a_core": web,
        "client_of_a_core": client,
        "web_mb": door.web.memory("web") / 1e6,
    }
    half = [await door.at_rate(percentile(found.ours, 0.5) / 2) for _ in range(min(3, rounds))]
    delays = [milliseconds(one.latencies) for one in half]
    return [
        Figure("check-in: HTTP / pgbench", found.ratios, aim=0.40, told=told),
        Figure(
            "check-in: p95 at half load",
            tuple(delay["p95_ms"] for delay in delays),
            better="lower",
            aim=50,
            unit="ms",
            told={**delays[-1], "per_s": half[-1].rate},
        ),
    ]
