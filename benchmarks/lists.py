"""A list of 20 check-ins over HTTP, signed in, against pgbench with the same statements on the same server."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

import asyncpg

from benchmarks.client import Load, Plan
from benchmarks.ground import durable_ground
from benchmarks.house import House, load, opened_house, request
from benchmarks.measure import Figure, Work, interleaved, milliseconds, percentile
from benchmarks.nights import seed_nights, settle
from benchmarks.peer import Script, caught, make_script, pgbench
from benchmarks.processes import Platform, platform

PATH = "/api/checkins?limit=20"
CONNECTIONS = 32
VENUES = 6
READERS = 64
"""Managers who read; each may ask 600 times a minute, as shipped."""
CHECKINS = 20_000


@dataclass
class Desk:
    """The house, its web process, who reads, and the script of the peer."""

    house: House
    web: Platform
    readers: Sequence[str]
    script: Script
    size: int
    """Lists a round."""
    loads: list[Load] = field(default_factory=list[Load])
    shares: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    means_ms: list[float] = field(default_factory=list[float])

    async def ours(self) -> float:
        """A round over HTTP; lists a second."""
        asked = [request("GET", PATH, token) for token in self.readers]
        before = self.web.cpu_seconds("web")
        found = await load(Plan(port=self.web.port, requests=list(islice(cycle(asked), self.size))))
        self.shares.append(((self.web.cpu_seconds("web") - before) / found.seconds, found.cpu_seconds / found.seconds))
        self.loads.append(found)
        return found.rate

    async def theirs(self) -> float:
        """A round of pgbench; transactions a second."""
        ground, each = self.house.ground, self.size // CONNECTIONS
        pace = await pgbench(ground, self.script, folder=ground.folder, clients=CONNECTIONS, each=each, variables={})
        self.means_ms.append(pace.mean_ms)
        return pace.rate


async def list_script(house: House, token: str) -> Script:
    """One list, caught from the product in this process, as a script of pgbench."""
    async with caught(house.services.pools.app) as statements:
        for _ in range(2):  # the first teaches the connection its types
            statements.clear()
            answer = await house.people.client.get(PATH, headers={"Authorization": f"Bearer {token}"})
            assert len(answer.json()["items"]) == 20, answer.text
    connection = await asyncpg.connect(house.services.settings.dsn("app"))
    try:
        return await make_script(connection, statements, head=(), reckoned={})
    finally:
        await connection.close()


async def readers(house: House, number: int) -> list[str]:
    """Access tokens of so many managers."""
    made = [await house.people.newcomer(house.people.bar, role="manager") for _ in range(number)]
    return [await house.member_token(one.user_id, tenant_id=house.tenant_id) for one in made]


async def run(*, quick: bool) -> list[Figure]:
    """Ours against pgbench."""
    size, rounds, checkins = (64, 1, 500) if quick else (3_200, 7, CHECKINS)
    async with durable_ground() as ground, opened_house(ground, venues=VENUES, guests=1) as house:
        async with house.administrator() as administrator:
            await seed_nights(administrator, tenant_id=house.tenant_id, venue_ids=house.venues, checkins=checkins)
            await settle(administrator)
        tokens = await readers(house, 4 if quick else READERS)
        script = await list_script(house, tokens[0])
        async with platform(ground.settings, "web") as web:
            desk = Desk(house, web, tokens, script, size)
            return await measure(desk, ours=desk.ours, rounds=rounds)


async def measure(desk: Desk, *, ours: Work, rounds: int) -> list[Figure]:
    """The figures of a desk; `ours` is its round over HTTP."""
    found = await interleaved(ours, desk.theirs, rounds=rounds)
    web, client = (max(column) for column in zip(*desk.shares, strict=True))
    told = {
        "http_per_s": percentile(found.ours, 0.5),
        "pgbench_per_s": percentile(found.peer, 0.5),
        "pgbench_mean_ms": percentile(desk.means_ms, 0.5),
        **milliseconds(desk.loads[-1].latencies),
        "web_of_a_core": web,
        "client_of_a_core": client,
    }
    return [Figure("list of 20: HTTP / pgbench", found.ratios, aim=0.25, told=told)]
