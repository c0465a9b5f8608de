"""A night, played: doors show codes, guests arrive, scan, stay and leave, at the speed that was asked for."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lastlight.simulator.client import Account, Api, ApiRefused, UnreachableError, new_key
from lastlight.simulator.crowd import Mishap, Outing, guest_name, plan_night, position_near

AT_ONCE = 24
ENTRANCES = 5
"""For how many entrances a guest pays at once."""
PAID = "Paid in cash at the desk"


@dataclass(frozen=True, slots=True)
class Place:
    """A venue as the simulator needs it."""

    id: str
    name: str
    lat: float | None
    lon: float | None


@dataclass(slots=True)
class Screen:
    """What a venue's display shows, and until when, by this process's clock."""

    code: str
    is_open: bool
    until: float


@dataclass(slots=True)
class Tally:
    """What happened so far."""

    minute: float = 0.0
    planned: int = 0
    first: float = 0.0
    """The minute when the first guest is to come."""
    inside: int = 0
    arrived: int = 0
    left: int = 0
    turned_away: int = 0
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
    screens: dict[str, Screen] = field(default_factory=dict[str, Screen])
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def play(self, *, guests: int, hours: float, first_guest: int = 0, report: Callable[[Tally], None]) -> Tally:
        """Play a night of so many hours; returns when its last guest has left."""
        outings = plan_night(seed=self.seed, guests=guests, venues=len(self.places), hours=hours)
        self.tally.planned, self.tally.first = len(outings), outings[0].arrives
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
        except (ApiRefused, UnreachableError) as error:
            self.tally.unexpected.append(str(error))

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
        code = (await self.screen(place)).code
        if outing.mishap is Mishap.STALE_CODE:
            code = code[:-4] + ("AAAA" if code[-4:] != "AAAA" else "BBBB")
        body = self._scan(outing, place, code)
        try:
            done, key = await self._let_in(account, body)
        except ApiRefused as refusal:
            self.tally.refused[refusal.problem] += 1
            self.tally.turned_away += 1
            return False
        await self._again(outing, account, body, key, done)
        return True

    async def _let_in(self, account: Account, body: dict[str, Any]) -> tuple[Any, UUID]:
        """The check-in, and the key it was made under; who has too few credits for the entrance pays at the desk and scans again."""
        key = new_key()
        try:
            return await self.api.call(account, "POST", "/api/checkin/verify", body, key=key), key
        except ApiRefused as refusal:
            if refusal.problem != "entry-unpaid":
                raise
            await self._pay_at_desk(account, price=refusal.told["amount"], currency=refusal.told["currency"])
        key = new_key()
        return await self.api.call(account, "POST", "/api/checkin/verify", body, key=key), key

    async def _pay_at_desk(self, account: Account, *, price: int, currency: str) -> None:
        """The desk takes cash for a few entrances, and gives as many credits."""
        guest = await self.api.call(account, "GET", "/api/me")
        body = {"patron_id": guest["patron_id"], "amount": ENTRANCES * price, "currency": currency, "reason": PAID}
        await self.api.call(self.door, "POST", "/api/credits/adjustments", body, key=new_key())

    async def screen(self, place: Place) -> Screen:
        """What the venue's display shows now: it asks for the next code when the last is over, not for every guest."""
        clock = asyncio.get_running_loop().time
        shown = self.screens.get(place.id)
        if shown is None or clock() >= shown.until:
            answer = await self.api.call(self.door, "GET", f"/api/venues/{place.id}/code")
            left = datetime.fromisoformat(answer["refresh_at"]) - datetime.fromisoformat(answer["now"])
            is_open = answer["is_open"] and answer["status"] == "active"
            shown = self.screens[place.id] = Screen(answer["code"], is_open, clock() + left.total_seconds())
        return shown

    def _scan(self, outing: Outing, place: Place, code: str) -> dict[str, Any]:
        body: dict[str, Any] = {"code": code}
        if place.lat is not None and place.lon is not None:
            metres = 4_000.0 if outing.mishap is Mishap.FAR_AWAY else 30.0
            lat, lon = position_near(self.seed, outing.guest, place.lat, place.lon, metres=metres)
            body["position"] = {"lat": round(lat, 6), "lon": round(lon, 6), "accuracy_m": 12}
        return body

    async def _again(self, outing: Outing, account: Account, body: dict[str, Any], key: UUID, done: Any) -> None:
        """A phone that lost the answer repeats its key; an impatient guest scans anew. Neither may count twice."""
        if outing.mishap is Mishap.RETRIED:
            repeated = await self.api.call(account, "POST", "/api/checkin/verify", body, key=key)
            if repeated["checkin"]["id"] != done["checkin"]["id"]:
                self.tally.unexpected.append("a repeated request made another check-in")
        if outing.mishap is Mishap.SCANNED_TWICE:
            try:
                await self.api.call(account, "POST", "/api/checkin/verify", body, key=new_key())
                self.tally.unexpected.append("a second scan was let in")
            except ApiRefused as refusal:
                self.tally.refused[refusal.problem] += 1


async def slow_night(night: Night, *, guests: int, stop: asyncio.Event, report: Callable[[Tally], None]) -> None:
    """A night that goes on by itself: now and then somebody arrives, somebody leaves, until told to stop."""
    dice = random.Random(night.seed)  # noqa: S311 - a plan to repeat, not a secret
    inside: set[int] = set()
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=dice.uniform(4, 14) / night.speed)
            return
        try:
            await _one_moment(night, dice, inside, guests)
        except ApiRefused as refusal:
            night.tally.refused[refusal.problem] += 1
        except UnreachableError as error:
            night.tally.unexpected.append(str(error))
        night.tally.inside = len(inside)
        report(night.tally)


async def _one_moment(night: Night, dice: random.Random, inside: set[int], guests: int) -> None:
    """Somebody leaves, the likelier the fuller it is, or somebody arrives where it is open."""
    if inside and dice.random() < len(inside) / guests:
        number = dice.choice(sorted(inside))
        account = await night.guest(number)
        inside.discard(number)
        await night.api.call(account, "POST", "/api/checkout", {}, key=new_key())
        night.tally.left += 1
        return
    opened = [number for number, place in enumerate(night.places) if (await night.screen(place)).is_open]
    outside = [number for number in range(guests) if number not in inside]
    if not opened or not outside:
        return
    number = dice.choice(outside)
    venue = dice.choices(opened, weights=[1 / (place + 1) for place in opened])[0]
    account = await night.guest(number)
    inside.add(number)  # also one whom a night before this one left inside, and who is refused: they may leave now
    if await night.arrive(Outing(number, venue, 0, None, Mishap.NONE), account):
        night.tally.arrived += 1
