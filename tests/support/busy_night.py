"""A busy night over HTTP, for tests that break things meanwhile: guests who check in and out, staff who write tasks down.

Whoever gets no answer asks again with the same key, as phones do. What was acknowledged is written down here, outside of the
platform; `tests/support/night_books.py` compares it with the database afterwards.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from lastlight.kernel.ids import TenantId, VenueId
from lastlight.modules import MODULES
from lastlight.runtime.settings import Settings
from lastlight.simulator.client import Account, Api, ApiRefused, UnreachableError, new_key
from tests.support.door import HERE, House
from tests.support.services import administer, make_tenant, opened_services
from tests.support.sockets import Person, sign_in

IMPATIENCE = 0.25
"""Guests ask again after so long at most, whatever they are told, so that something is always under way."""
ATTEMPTS = 120
STAFF_MAY = ("tasks.read", "tasks.work", "checkins.read", "visits.read")
DAY = 24 * 3600
RECENT = 200
"""So many successes are looked back on for the first after a fault."""
PULSE_PATIENCE = 2.0
"""How long whoever measures the recovery waits for one answer before asking again."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: a business with one venue, its guests and staff, each with a token for the whole night."""

    tenant_id: TenantId
    venue_id: VenueId
    code: str
    guests: list[tuple[Person, str]]
    staff: list[tuple[Person, str]]


async def engage(settings: Settings, *, guests: int, staff: int) -> Cast:
    """Write the business and everybody in it into the database."""
    async with opened_services(settings, MODULES) as services:
        tenant_id = await make_tenant(settings, f"night-{uuid4().hex[:12]}")
        await administer(
            settings, "insert into tenant_modules (tenant_id, module, enabled) values ($1, 'staff', true)", tenant_id
        )
        house = House(services, tenant_id)
        venue = await house.add_venue()
        code = await house.code(poster=True)
        found: list[list[tuple[Person, str]]] = []
        for count, patron in ((guests, True), (staff, False)):
            people = [await sign_in(services, tenant_id, STAFF_MAY, patron=patron) for _ in range(count)]
            found.append([(person, person.token(services, seconds=DAY)) for person in people])
        return Cast(tenant_id, venue.id, code, *found)


@dataclass(slots=True)
class Books:
    """What the clients were told, and what they still wait for."""

    admitted: dict[UUID, tuple[UUID, UUID, UUID]] = field(default_factory=dict[UUID, tuple[UUID, UUID, UUID]])
    """Key of an acknowledged check-in → guest, check-in, visit."""
    left: set[UUID] = field(default_factory=set[UUID])
    """Visits whose end was acknowledged."""
    tasks: dict[str, UUID] = field(default_factory=dict[str, UUID])
    """Title of an acknowledged task → its id."""
    unanswered: dict[UUID, tuple[int, str, dict[str, Any]]] = field(
        default_factory=dict[UUID, tuple[int, str, dict[str, Any]]]
    )
    """Keys that were given up before an answer came: guest, path, body. `settle` asks them again."""
    beats: list[tuple[float, float, str]] = field(default_factory=list[tuple[float, float, str]])
    """Of each acknowledged task: when its last attempt began, when its answer was here (monotonic), and its id."""
    through: int = 0
    """Requests that succeeded in the end."""
    given_up: int = 0
    """Requests that did not, however often they were repeated."""
    refused: Counter[str] = field(default_factory=Counter[str])
    """Refusals that no client should meet on such a night."""

    def recovery(self, since: float) -> float | None:
        """Seconds from a moment to the first success that was asked for after it; None when there is none yet."""
        found = [ended for began, ended, _ in reversed(self.beats[-RECENT:]) if began >= since]
        return min(found) - since if found else None

    def since(self, moment: float) -> list[str]:
        """The tasks that were asked for after a moment."""
        return [task for began, _, task in self.beats if began >= moment]


@dataclass(slots=True)
class Night:
    """The clients of one night; `retrying=False` is the control: everything is asked once."""

    cast: Cast
    api: Api
    books: Books = field(default_factory=Books)
    retrying: bool = True
    under_way: int = 0
    """Writes that wait for their answer, those that are being asked again included."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def settle(self) -> None:
        """Ask again, with its key, for everything that nobody answered; what is not answered now stays open."""
        waiting = dict(self.books.unanswered)
        self.books.unanswered.clear()
        for key, (guest, path, body) in waiting.items():
            await self._write(guest, path, body, key)

    async def guest(self, number: int, *, pause: float) -> None:
        """One guest: in, sometimes the same once more, out, and again, until the night ends."""
        while not self.stopping.is_set():
            key = new_key()
            position = {"lat": HERE.lat, "lon": HERE.lon, "accuracy_m": 10}
            body = {"code": self.cast.code, "position": position}
            inside = await self._write(number, "/api/checkin/verify", body, key)
            if inside and key.int % 8 == 0:
                await self._write(number, "/api/checkin/verify", body, key)  # a phone that lost the answer
            if inside:
                await self._write(number, "/api/checkout", {}, new_key())
            await asyncio.sleep(pause)

    async def _write(self, number: int, path: str, body: dict[str, Any], key: UUID) -> bool:
        """One write of a guest, written down with what became of it; whether it was acknowledged."""
        person, token = self.cast.guests[number]
        account = Account(f"guest-{number}@example.test", "", "", access=token)
        self.under_way += 1
        try:
            answer = await self.api.call(account, "POST", path, body, key=key)
        except UnreachableError:
            self.books.given_up += 1
            self.books.unanswered[key] = (number, path, body)
            return False
        except ApiRefused as refusal:
            self.books.refused[f"{path} {refusal.status} {refusal.problem}"] += 1
            return False
        finally:
            self.under_way -= 1
        self.books.through += 1
        if "checkin" not in answer:
            self.books.left.add(UUID(answer["id"]))
            return True
        assert person.patron_id is not None
        told = (person.patron_id, UUID(answer["checkin"]["id"]), UUID(answer["visit"]["id"]))
        if self.books.admitted.setdefault(key, told) != told:
            self.books.refused["the same key was answered with another check-in"] += 1
        return True

    async def pulse(self, number: int, *, pause: float) -> None:
        """One of the staff: writes tasks down as fast as `pause` allows, and asks at once again where no answer comes."""
        _, token = self.cast.staff[number]
        count = 0
        while not self.stopping.is_set():
            count += 1
            title = f"task {number}-{count}"
            answered = await self._insist(token, title, new_key())
            if answered is not None:
                self.books.tasks[title] = UUID(answered["id"])
                self.books.through += 1
            else:
                self.books.given_up += 1
            await asyncio.sleep(pause)

    async def _insist(self, token: str, title: str, key: UUID, *, seconds: float = 30.0) -> Any:
        """Ask until it is answered; None when that takes too long, or at the first failure where nobody retries."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(key)}
        body = {"venue_id": str(self.cast.venue_id), "title": title}
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            began = time.monotonic()
            with contextlib.suppress(httpx.TransportError):
                answer = await self.api.http.post("/api/tasks", json=body, headers=headers, timeout=PULSE_PATIENCE)
                if answer.status_code == 201:
                    told: Any = answer.json()
                    self.books.beats.append((began, time.monotonic(), told["id"]))
                    return told
                if answer.status_code not in {409, 502, 503, 504}:
                    self.books.refused[f"/api/tasks {answer.status_code} {answer.text[:200]}"] += 1
                    return None
            if not self.retrying:
                return None
            await asyncio.sleep(0.05)
        return None


@contextlib.asynccontextmanager
async def busy_night(
    cast: Cast, url: str, *, guest_pause: float = 0.0, pulse_pause: float = 0.02, retrying: bool = True
) -> AsyncGenerator[Night]:
    """The night goes on for the length of the block; at its end everybody has their answer, or gave up and asked again."""
    limits = httpx.Limits(max_connections=256, max_keepalive_connections=256)
    async with httpx.AsyncClient(base_url=url, timeout=20, limits=limits) as http:
        api = Api(http, attempts=ATTEMPTS if retrying else 1, longest_wait=IMPATIENCE)
        night = Night(cast, api, retrying=retrying)
        tasks = [asyncio.create_task(night.guest(n, pause=guest_pause)) for n in range(len(cast.guests))]
        tasks += [asyncio.create_task(night.pulse(n, pause=pulse_pause)) for n in range(len(cast.staff))]
        try:
            yield night
        finally:
            night.stopping.set()
            done, _ = await asyncio.wait(tasks, timeout=90)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()
        assert len(done) == len(tasks), "somebody waits for an answer that never comes"
        await night.settle()
