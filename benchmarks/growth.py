"""What grows with the data: the times of pages, lists and a check-in with 10,000 to 1,000,000 check-ins, and 1 to 100 tenants.

A figure is the ratio to the base of 10,000 check-ins of one tenant: 1 means that nobody notices. The same house is measured while its
rows grow; another one while its neighbours come.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.checkins import checkins, venue_code
from benchmarks.client import Plan
from benchmarks.ground import Ground, durable_ground
from benchmarks.house import House, load, opened_house
from benchmarks.measure import Figure
from benchmarks.nights import seed_nights, settle
from benchmarks.pages import Place, places, time_places, tokens
from benchmarks.processes import Platform, platform
from lastlight.domains import tenancy
from lastlight.domains.venues.actions import create_venue
from lastlight.domains.venues.codes import code_text
from lastlight.domains.venues.schemas import VenueIn
from lastlight.kernel.ids import PLATFORM
from lastlight.modules import MODULES
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.module import Registry
from tests.support.people import HERE

BASE = 10_000
VENUES = 12
ARRIVALS = 100
NOTICED = 1.5
CHECK_IN = Place("POST /api/checkin/verify", "check-in", "patron")


@dataclass(frozen=True, slots=True)
class Step:
    """The median milliseconds of each place at one size."""

    rows: int
    tenants: int
    of: Mapping[Place, float]


async def time_step(ground: Ground, house: House, *, rows: int, tenants: int, times: int) -> Step:
    """The times of a house as it is now; the second round of check-ins, for a page's first change after a checkpoint is logged whole."""
    async with house.administrator() as administrator:
        await settle(administrator)
    async with platform(ground.settings, "web", LASTLIGHT_USER_REQUESTS_PER_MINUTE="1000000") as web:
        asked = places(Registry(MODULES).operations)
        found = await time_places(web, asked, await tokens(house), times=times)
        medians = {place: statistics.median(measured) for place, measured in found.of.items()}
        await time_check_ins(house, web, 2 * (rows + tenants))
        await house.empty()
        medians[CHECK_IN] = await time_check_ins(house, web, 2 * (rows + tenants) + 1)
    await house.empty()
    return Step(rows, tenants, medians)


async def time_check_ins(house: House, web: Platform, number: int) -> float:
    """The median of check-ins one after another, in milliseconds."""
    code = code_text(await venue_code(house, house.venues[number % VENUES]))
    found = await load(Plan(port=web.port, requests=checkins(house.tokens[:ARRIVALS], code, number), connections=1))
    return statistics.median(found.latencies) * 1000


async def add_neighbours(house: House, number: int, *, rows: int) -> None:
    """Other businesses, each with so many check-ins."""
    for _ in range(number):
        place = len(house.neighbours)
        async with system_ctx(house.services, PLATFORM, role="system") as ctx:
            tenant_id = await tenancy.seed_tenant(
                ctx, seed="growth", slug=f"bench-{place}", name=f"Bench {place}", contact_email=f"{place}@bench.example"
            )
        async with system_ctx(house.services, tenant_id) as ctx:
            venues = [await create_venue(ctx, data=VenueIn(name=f"Door {n}", position=HERE)) for n in range(2)]
        house.neighbours.append(tenant_id)
        async with house.administrator() as administrator:
            await seed_nights(
                administrator, tenant_id=tenant_id, venue_ids=[venue.id for venue in venues], checkins=rows
            )


async def more_rows(sizes: tuple[int, ...], *, times: int) -> list[Step]:
    """One tenant whose check-ins grow to each of the sizes."""
    steps: list[Step] = []
    async with durable_ground() as ground, opened_house(ground, venues=VENUES, guests=ARRIVALS) as house:
        for rows in sizes:
            before = steps[-1].rows if steps else 0
            async with house.administrator() as administrator:
                await seed_nights(
                    administrator, tenant_id=house.tenant_id, venue_ids=house.venues, checkins=rows - before
                )
            steps.append(await time_step(ground, house, rows=rows, tenants=1, times=times))
    return steps


async def more_tenants(base: int, numbers: tuple[int, ...], *, times: int) -> list[Step]:
    """One tenant whose neighbours become so many, each with as many check-ins."""
    steps: list[Step] = []
    async with durable_ground() as ground, opened_house(ground, venues=VENUES, guests=ARRIVALS) as house:
        async with house.administrator() as administrator:
            await seed_nights(administrator, tenant_id=house.tenant_id, venue_ids=house.venues, checkins=base)
        for tenants in numbers:
            await add_neighbours(house, tenants - 1 - len(house.neighbours), rows=base)
            steps.append(await time_step(ground, house, rows=base, tenants=tenants, times=times))
    return steps


def ratios(base: Step, step: Step) -> dict[Place, float]:
    """How many times as long each place takes."""
    return {place: milliseconds / base.of[place] for place, milliseconds in step.of.items() if place in base.of}


def figure(name: str, base: Step, step: Step) -> Figure:
    """What a step costs: the median of all ratios, with those that somebody notices by name."""
    found = ratios(base, step)
    noticed = sorted((place for place in found if found[place] > NOTICED), key=lambda place: -found[place])
    named = ", ".join(f"{place.path} ×{found[place]:.1f} ({step.of[place]:.0f} ms)" for place in noticed[:8])
    return Figure(
        f"growth: {name}",
        tuple(sorted(found.values())),
        better="lower",
        aim=1.2,
        told={
            "check_in": round(found[CHECK_IN], 2),
            "grew": f"{len(noticed)} of {len(found)}",
            "most": named or "none",
        },
    )


async def run(*, quick: bool) -> list[Figure]:
    """The ratios at 10 and 100 times the rows, and with 10 and 100 tenants."""
    base, times = (200, 1) if quick else (BASE, 9)
    numbers = (1, 2) if quick else (1, 10, 100)
    grown = await more_rows(tuple(base * number for number in numbers), times=times)
    among = await more_tenants(base, numbers, times=times)
    return [
        *(figure(f"{step.rows // base}× the rows", grown[0], step) for step in grown[1:]),
        *(figure(f"{step.tenants} tenants", among[0], step) for step in among[1:]),
    ]
