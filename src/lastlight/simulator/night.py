"""A night, played: doors show codes, guests arrive, scan, stay and leave, at the speed that was asked for."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lastlight.simulator.client import Account, Api, ApiRefused, new_key
from lastlight.simulator.crowd import Mishap, Outing, guest_name, plan_night, position_near

AT_ONCE = 24


@dataclass(frozen=True, slots=True)
class Place:
    """A venue as the simulator needs it."""

    id: str
    name: str
    lat: float | None
    lon: float | None


@dataclass(slots=True)
class Tally:
    """What happened so far."""

    minute: float = 0.0
    planned: int = 0
    inside: int = 0
    arrived: int = 0
    left: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    unexpected: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Night:
    """One night's cast and clock."""

    api: Api
    door: Account
    tenant: str
    places: list[Place]
    seed: int
    speed: float
    domain: str = "guests.example"
    password: str = "a long night out 7"  # noqa: S105 - simulated guests of a demo
    tally: Tally = field(default_factory=Tally)
    guests: dict[int, Account] = field(default_factory=dict[int, Account])
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def play(self, *, guests: int, hours: float, first_guest: int = 0, report: Callable[[Tally], None]) -> Tally:
        """Play a night of so many hours; returns when its last guest has left."""
        outings = plan_night(seed=self.seed, guests=guests, venues=len(self.places), hours=hours)
        self.tally.planned = len(outings)
        started = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            teller = group.create_task(self._tell(started, report))
            parts = [group.create_task(self._outing(outing, started, first_guest)) for outing in outings]
            await asyncio.wait(parts)
            teller.cancel()
        report(self.tally)
        return self.tally

    async def _tell(self, started: float, report: Callable[[Tally], None]) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            while True:
                self.tally.minute = (asyncio.get_running_loop().time() - started) / 60 * self.speed
                report(self.tally)
                await asyncio.sleep(1)

    async def _outing(self, outing: Outing, started: float, first_guest: int) -> None:
        try:
            await self._until(started, outing.arrives)
            async with self.gate:
                account = await self.guest(first_guest + outing.guest)
                inside = await self.arrive(outing, account)
            if not inside:
                return
            self.tally.arrived += 1
            self.tally.inside += 1
            if outing.leaves is not None:
                await self._until(started, outing.leaves)
                async with self.gate:
                    await self.api.call(account, "POST", "/api/checkout", {}, key=new_key())
                self.tally.left += 1
            self.tally.inside -= 1
        except ApiRefused as refusal:
            self.tally.unexpected.append(str(refusal))

    async def _until(self, started: float, minute: float) -> None:
        await asyncio.sleep(max(0.0, started + minute * 60 / self.speed - asyncio.get_running_loop().time()))

    async def guest(self, number: int) -> Account:
        """The guest's account; registered when it is new, which the platform tells by refusing nothing and nobody twice."""
        if number in self.guests:
            return self.guests[number]
        name = guest_name(self.seed, number)
        email = f"{name.lower().replace(' ', '.')}.{self.seed}.{number}@{self.domain}"
        account = Account(email, self.password, self.tenant)
        try:
            await self.api.call(account, "GET", "/api/me")
        except ApiRefused as refusal:
            if refusal.status != 401:
                raise
            body = {"email": email, "password": self.password, "name": name, "tenant": self.tenant}
            await self.api.call(None, "POST", "/api/auth/register", body, key=new_key())
        self.guests[number] = account
        return account

    async def arrive(self, outing: Outing, account: Account) -> bool:
        """Scan the code that the venue's screen shows now; whether the guest was let in."""
        place = self.places[outing.venue]
        screen = await self.api.call(self.door, "GET", f"/api/venues/{place.id}/code")
        code: str = screen["code"]
        if outing.mishap is Mishap.STALE_CODE:
            code = code[:-4] + ("AAAA" if code[-4:] != "AAAA" else "BBBB")
        body = self._scan(outing, place, code)
        key = new_key()
        try:
            await self.api.call(account, "POST", "/api/checkin/verify", body, key=key)
        except ApiRefused as refusal:
            self.tally.refused[refusal.problem] += 1
            return False
        await self._again(outing, account, body, key)
        return True

    def _scan(self, outing: Outing, place: Place, code: str) -> dict[str, Any]:
        body: dict[str, Any] = {"code": code}
        if place.lat is not None and place.lon is not None:
            metres = 4_000.0 if outing.mishap is Mishap.FAR_AWAY else 30.0
            lat, lon = position_near(self.seed, outing.guest, place.lat, place.lon, metres=metres)
            body["position"] = {"lat": round(lat, 6), "lon": round(lon, 6), "accuracy_m": 12}
        return body

    async def _again(self, outing: Outing, account: Account, body: dict[str, Any], key: Any) -> None:
        """A phone that lost the answer repeats its key; an impatient guest scans anew. Neither may count twice."""
        if outing.mishap is Mishap.RETRIED:
            await self.api.call(account, "POST", "/api/checkin/verify", body, key=key)
        if outing.mishap is Mishap.SCANNED_TWICE:
            try:
                await self.api.call(account, "POST", "/api/checkin/verify", body, key=new_key())
                self.tally.unexpected.append("a second scan was let in")
            except ApiRefused as refusal:
                self.tally.refused[refusal.problem] += 1


async def slow_night(night: Night, *, guests: int, stop: asyncio.Event, report: Callable[[Tally], None]) -> None:
    """A night that goes on by itself: now and then somebody arrives, somebody leaves, until told to stop."""
    dice = random.Random(night.seed)  # noqa: S311 - a plan to repeat, not a secret
    inside: list[int] = []
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=dice.uniform(4, 14) / night.speed)
            return
        await _one_moment(night, dice, inside, guests)
        report(night.tally)


async def _one_moment(night: Night, dice: random.Random, inside: list[int], guests: int) -> None:
    try:
        if inside and dice.random() < len(inside) / guests:
            account = await night.guest(inside.pop(dice.randrange(len(inside))))
            await night.api.call(account, "POST", "/api/checkout", {}, key=new_key())
            night.tally.left += 1
        else:
            number = dice.choice([n for n in range(guests) if n not in inside])
            venue = dice.choices(range(len(night.places)), weights=[1 / (n + 1) for n in range(len(night.places))])[0]
            account = await night.guest(number)
            if await night.arrive(Outing(number, venue, 0, None, Mishap.NONE), account):
                night.tally.arrived += 1
                inside.append(number)
        night.tally.inside = len(inside)
    except ApiRefused as refusal:
        night.tally.refused[refusal.problem] += 1
