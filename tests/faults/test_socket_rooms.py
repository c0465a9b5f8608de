"""Rooms: every event of the platform to every kind of listener, each with a canary; who may not hear it hears nothing, however they ask."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
import pytest_asyncio

from lastlight.kernel.events import Event
from lastlight.kernel.ids import PatronId, TenantId, VenueId, uuid7
from lastlight.kernel.permissions import Scope
from lastlight.modules import MODULES
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.events import catch_up
from lastlight.runtime.events.audience import EVERYWHERE
from lastlight.runtime.realtime import server as server_module
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.examples import example_struct
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.services import opened_services
from tests.support.socket_faults import RawSocket, raw_socket, unbounded_session
from tests.support.sockets import Person, Site, serving, sign_in, until
from tests.support.streams import new_tenant, relaying

pytestmark = pytest.mark.database
SOME_VENUES_SUFFICE = {"exports.create", "tenant.read"}
"""Permissions over the whole business that somebody at some venues has all the same."""
GUESSES = ("join", "subscribe", "enter_room", "room", "catch_up", "authenticate", "system.hello")


@dataclass(frozen=True, slots=True)
class Canary:
    """One event: where it stands in its tenant's stream, whom it is for, where it happened, whom it concerns."""

    seq: int
    audience: str | None
    venue_id: VenueId | None
    patron_id: PatronId | None


@dataclass(frozen=True, slots=True)
class Listener:
    """Somebody on a socket: what they hold, at which venues (None: at all), and whose events are their own."""

    person: Person
    tenant: TenantId
    holds: frozenset[str] = frozenset()
    venues: tuple[VenueId, ...] | None = None
    patron_id: UUID | None = None

    def hears(self, canary: Canary) -> bool:
        """Whether they may hear it, as the documents say."""
        if self.patron_id is not None:
            return canary.patron_id == self.patron_id
        if canary.audience is None or canary.audience not in self.holds:
            return False
        return self.venues is None or canary.venue_id is None or canary.venue_id in self.venues


@pytest_asyncio.fixture
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    async with opened_services(database_settings, MODULES) as opened, relaying(opened):
        yield opened


@pytest_asyncio.fixture
async def site(services: Services) -> AsyncGenerator[Site]:
    async with serving(services) as running:
        yield running


def held(
    services: Services, name: str, places: tuple[VenueId, ...] | None
) -> tuple[frozenset[str], tuple[VenueId, ...] | None]:
    """What a role with one permission gives its holder at some venues, as the documents say; the crew's and guests' own give nothing."""
    scope = services.registry.permissions[name].scope
    if scope is Scope.VENUE:
        return frozenset({name}), places
    if scope is Scope.TENANT and (places is None or name in SOME_VENUES_SUFFICE):
        return frozenset({name}), None
    return frozenset(), None


async def audience_of(
    services: Services, tenant: TenantId, venues: tuple[VenueId, ...], names: Sequence[str]
) -> list[Listener]:
    """A holder of each of the permissions, everywhere and at each venue; one of all of them; guests; and nobody."""
    found: list[Listener] = []
    for name in names:
        for places in (None, *((venue,) for venue in venues)):
            person = await sign_in(services, tenant, [name], venue_ids=places)
            found.append(Listener(person, tenant, *held(services, name, places)))
    for _ in range(2):
        guest = await sign_in(services, tenant, patron=True)
        found.append(Listener(guest, tenant, patron_id=guest.patron_id))
    every = every_audience(services)
    holds = frozenset[str]().union(*(held(services, name, None)[0] for name in every))
    found.append(Listener(await sign_in(services, tenant, every), tenant, holds))
    found.append(Listener(await sign_in(services, tenant, []), tenant))
    return found


def every_audience(services: Services) -> list[str]:
    """The permissions that some event is for."""
    return sorted({event.audience.name for event in services.registry.events.values() if event.audience})


async def release(
    services: Services, plan: tuple[TenantId, tuple[VenueId, ...], list[PatronId]], kinds: Sequence[type[Event]]
) -> list[Canary]:
    """Emit events of every kind at every kind of place and about every kind of guest."""
    tenant, venues, guests = plan
    canaries: list[Canary] = []
    async with system_ctx(services, tenant) as ctx:
        for kind in kinds:
            data = msgspec.convert(example_struct(kind, {}), kind)
            for venue in (None, *venues):
                for guest in (None, *guests):
                    audience = kind.audience.name if kind.audience else None
                    canaries.append(Canary(len(canaries) + 1, audience, venue, guest))
                    ctx.emit(data, entity=("canary", uuid4()), venue_id=venue, patron_id=guest)
    return canaries


async def guess(nosy: RawSocket, rooms: list[str]) -> None:
    """Ask for rooms by their own names, as attackers would who knew them."""
    for number, room in enumerate(rooms[:28]):
        await nosy.emit(GUESSES[number % len(GUESSES)], {"room": room, "rooms": [room]} if number % 2 else room)
        await asyncio.sleep(0.01)


async def repeated(socket: RawSocket) -> list[int]:
    """The numbers of all that somebody gets who asks for the stream from its beginning."""
    found: list[int] = []
    after = 0
    while True:
        answer = await socket.ask("catch_up", {"after": after, "limit": 500})
        found += [event["seq"] for event in answer["events"]]
        if answer["next"] <= after or (not answer["events"] and answer["next"] == after):
            return found
        after = answer["next"]


async def overheard(services: Services, site: Site, run: FaultRun, *, patience: float) -> list[str]:
    """Release canaries in two businesses; who heard what they may not, or did not hear what they may."""
    broken: list[str] = []
    crowds: list[tuple[Listener, RawSocket]] = []
    released: dict[TenantId, list[Canary]] = {}
    async with (
        unbounded_session() as session,
        contextlib.AsyncExitStack() as stack,
    ):
        plans: list[tuple[TenantId, tuple[VenueId, ...], list[PatronId]]] = []
        every = every_audience(services)
        kinds = run.rng.sample(
            [*services.registry.events.values()], run.size(quick=40, long=len(services.registry.events))
        )
        names = run.rng.sample(every, min(len(every), run.size(quick=6, long=1_000)))
        for asked in (names, names[:1] if not run.long else names):
            tenant, venues = await new_tenant(services), (VenueId(uuid7()), VenueId(uuid7()))
            listeners = await audience_of(services, tenant, venues, asked)
            for listener in listeners:
                opened = raw_socket(session, site, listener.person.token(services))
                crowds.append((listener, await stack.enter_async_context(opened)))
            plans.append((tenant, venues, [PatronId(one.patron_id) for one in listeners if one.patron_id]))
        nobody = next(socket for listener, socket in crowds if not listener.holds and not listener.patron_id)
        await guess(nobody, [room for room in site.realtime.hub.rooms if EVERYWHERE in room])
        for plan in plans:
            released[plan[0]] = await release(services, plan, kinds)
        due = {id(socket): [one.seq for one in released[who.tenant] if who.hears(one)] for who, socket in crowds}
        with contextlib.suppress(AssertionError):
            await until(
                lambda: all(len(socket.numbers()) >= len(due[id(socket)]) for _, socket in crowds),
                seconds=patience,
            )
        await asyncio.sleep(0.3)
        for who, socket in crowds:
            broken += differences(who, "live", due[id(socket)], socket.numbers())
            broken += differences(who, "catch-up", due[id(socket)], await repeated(socket))
    total = sum(map(len, released.values()))
    figures = {"canaries": total, "listeners": len(crowds), "probes": 2 * len(crowds) * total}
    run.report(events=len(kinds), **figures, wrong=len(broken))
    return broken


def differences(who: Listener, way: str, due: list[int], got: list[int]) -> list[str]:
    """What somebody heard and may not, and what they did not hear."""
    if got == due:
        return []
    name = "a guest" if who.patron_id else f"a holder of {sorted(who.holds)[:3]}"
    return [
        f"{name} at {who.venues}, {way}: {len({*got} - {*due})} too many, {len({*due} - {*got})} missing of {len(due)}"
    ]


@pytest.mark.fault("R1")
async def test_canaries_are_heard_by_whom_they_are_for_alone(services: Services, site: Site, run: FaultRun) -> None:
    assert await overheard(services, site, run, patience=60) == []


@pytest.mark.control("R1")
@pytest.mark.parametrize("guard", ["rooms", "catch-up"])
async def test_a_guard_that_is_gone_is_found(
    services: Services, site: Site, run: FaultRun, guard: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if guard == "rooms":

        def everywhere(tenant_id: UUID, **_: Any) -> list[str]:
            return [room for room in site.realtime.hub.rooms if str(tenant_id) in room]

        monkeypatch.setattr(server_module, "rooms_for", everywhere)
    else:
        monkeypatch.setattr(catch_up, "HEARD", catch_up.HEARD.replace(" and held.venue_id = e.venue_id", ""))
    must_fail(await overheard(services, site, run, patience=60 if run.long else 8))
