"""Server time of every page, list and dashboard that is asked without an id, of each console and app, with 1,000,000 check-ins.

Each is asked over HTTP on one connection by somebody whose place it is: its time is from the request's last byte to the answer's.
What is measured follows from the registry, so a new page is measured by itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from benchmarks.client import Plan
from benchmarks.ground import Ground, durable_ground
from benchmarks.house import House, load, opened_house, request
from benchmarks.measure import Figure, percentile
from benchmarks.nights import seed_nights, settle
from benchmarks.processes import Platform, platform
from lastlight.kernel.ids import PLATFORM
from lastlight.modules import MODULES
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.module import Registry

PLACES = (
    ("/manage", "management", "manager"),
    ("/owner", "owner", "owner"),
    ("/staff", "staff", "staff"),
    ("/platform", "platform", "super_admin"),
    ("/api/admin", "platform API", "super_admin"),
    ("/api/patron", "patron API", "patron"),
    ("/api/door", "", ""),
    ("/api", "API", "owner"),
)
"""Paths by their beginning: the place that a figure is of, and who asks there."""
LIMIT_MS = 50.0
VENUES = 12


@dataclass(frozen=True, slots=True)
class Place:
    """A page or a list, and who asks for it."""

    path: str
    place: str
    role: str


def places(operations: Sequence[Operation]) -> list[Place]:
    """Every read that needs no id."""
    found: list[Place] = []
    for op in sorted(operations, key=lambda op: op.path):
        known = next((one for one in PLACES if (op.path + "/").startswith(f"{one[0]}/")), None)
        if op.method == "GET" and "{" not in op.path and known is not None and known[1]:
            found.append(Place(op.path, known[1], known[2]))
    return found


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of each path by place, sorted by path."""

    of: Mapping[Place, list[float]]

    def slowest(self, name: str, number: int = 3) -> str:
        """The slowest of a place with their p95."""
        found = {place.path: percentile(times, 0.95) for place, times in self.of.items() if place.place == name}
        ordered = sorted(found.items(), key=lambda item: -item[1])[:number]
        return ", ".join(f"{path} {milliseconds:.1f}" for path, milliseconds in ordered)

    def of_place(self, name: str) -> list[float]:
        """All times of a place."""
        return [one for place, times in self.of.items() if place.place == name for one in times]


async def tokens(house: House) -> dict[str, str]:
    """Somebody of each role, signed in."""
    bar, crew = house.people.bar, house.people.crew
    members = {
        role: await house.member_token(bar.users[role], tenant_id=bar.id) for role in ("owner", "manager", "staff")
    }
    admin = await house.member_token(crew["super_admin"], tenant_id=PLATFORM, kind="crew")
    return {**members, "super_admin": admin, "patron": house.tokens[0]}


async def time_places(web: Platform, asked: Sequence[Place], held: Mapping[str, str], *, times: int) -> Times:
    """Ask for every place so many times, after once unmeasured; what does not answer with a page as it is is left out."""
    found: dict[Place, list[float]] = {}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{web.port}", timeout=60) as client:
        for place in asked:
            answer = await client.get(place.path, headers={"Authorization": f"Bearer {held[place.role]}"})
            if answer.status_code >= 500:
                raise RuntimeError(f"{place.path} answered {answer.status_code}: {answer.text[:500]}")
            if answer.status_code == 200:
                found[place] = []
    requests = [request("GET", place.path, held[place.role]) for place in found]
    for _ in range(times):
        latencies = (await load(Plan(port=web.port, requests=requests, connections=1))).latencies
        for place, seconds in zip(found, latencies, strict=True):
            found[place].append(seconds * 1000)
    return Times(found)


async def time_house(ground: Ground, house: House, *, times: int) -> Times:
    """The times of a house's pages by a web process of its own, which one client may ask as often as it likes."""
    async with platform(ground.settings, "web", LASTLIGHT_USER_REQUESTS_PER_MINUTE="1000000") as web:
        return await time_places(web, places(Registry(MODULES).operations), await tokens(house), times=times)


def figures(found: Times) -> list[Figure]:
    """A figure for each place: the p95 over all of its pages, with the slowest by name."""
    names = list(dict.fromkeys(place.place for place in found.of))
    return [
        Figure(
            f"pages: {name}, p95",
            (percentile(found.of_place(name), 0.95),),
            better="lower",
            aim=LIMIT_MS,
            unit="ms",
            told={
                "paths": sum(place.place == name for place in found.of),
                "p50_ms": percentile(found.of_place(name), 0.5),
                "over_50_ms": sum(
                    percentile(times, 0.95) > LIMIT_MS for place, times in found.of.items() if place.place == name
                ),
                "slowest": found.slowest(name),
            },
        )
        for name in names
    ]


async def run(*, quick: bool) -> list[Figure]:
    """Every page with a million check-ins of one business."""
    checkins, times = (2_000, 2) if quick else (1_000_000, 20)
    async with durable_ground() as ground, opened_house(ground, venues=VENUES, guests=10) as house:
        async with house.administrator() as administrator:
            await seed_nights(administrator, tenant_id=house.tenant_id, venue_ids=house.venues, checkins=checkins)
            await settle(administrator)
        return figures(await time_house(ground, house, times=times))
