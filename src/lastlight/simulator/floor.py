"""The floor of a night: scanners at the doors, staff at work, alerts, calls for help, and the platform's crew looking on."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from lastlight.simulator.client import Account, Api, ApiRefused, UnreachableError, new_key
from lastlight.simulator.doors import Pass, Scanner, set_aside, stand_up, take_pass
from lastlight.simulator.lending import Lending
from lastlight.simulator.night import Night, Place

BEHAVIOURS = ("Unsteady at the bar", "Shouting near the booth", "Asleep at a table", "Bothering other guests")
TASKS = (
    "Restock the fridge behind the bar",
    "Mop the entrance",
    "Swap the broken joystick",
    "Fetch ice",
    "Check the toilets",
)
PLACES = ("By the stage", "Rear bar", "Upstairs corridor", "Smoking area")
WORDS = ("Last song in half an hour.", "The lift is out, use the stairs.", "A group of twelve is on its way.")
DRAIN = 0.4
"""Per cent of the battery for each heartbeat; at a tenth it is charged again."""

Act = Callable[[Place], Awaitable[None]]


@dataclass(slots=True)
class Floor:
    """Who works, and what they work with."""

    night: Night
    staff: Account
    manager: Account
    crew: Account | None
    dice: random.Random
    scanner_name: str
    """A night of its own has scanners of its own: enrolling one anew ends the key of whoever plays beside it."""
    ends: bool = True
    """Whether the night ends by itself: its scanners are put away then, and are not missed."""
    scanners: dict[str, Scanner] = field(default_factory=dict[str, Scanner])
    silent: dict[str, int] = field(default_factory=dict[str, int])
    """Scanners without a network: how many beats they still miss."""
    passes: dict[int, Pass] = field(default_factory=dict[int, Pass])
    played: Counter[str] = field(default_factory=Counter[str])
    lending: Lending = field(init=False)

    def __post_init__(self) -> None:
        self.lending = Lending(night=self.night, staff=self.staff, dice=self.dice, played=self.played)

    @property
    def api(self) -> Api:
        """The platform."""
        return self.night.api

    async def open(self) -> None:
        """Before the doors open: scanners stand, the venue watches its thresholds, staff clock in."""
        for place in self.night.places:
            self.scanners[place.id] = await stand_up(self.api, self.manager, venue_id=place.id, name=self.scanner_name)
            await self._watch(place)
        await self._clock("in")

    async def close(self) -> None:
        """After the last guest: what doors kept is sent, staff clock out."""
        for scanner in self.scanners.values():
            await self._count(scanner.sync(), "late scans")
            if self.ends:
                await set_aside(self.api, self.manager, scanner)
        await self._clock("out")

    def acts(self) -> dict[str, tuple[Act, int]]:
        """What may happen on a floor, and how often each does."""
        return {
            "beats": (self._beats, 30),
            "door": (self._door, 30),
            "task": (self._task, 14),
            "alert": (self._alert, 8),
            "sos": (self._sos, 2),
            "broadcast": (self._broadcast, 2),
            "break": (self._break, 3),
            "crew": (self._crew_looks, 4),
            "lending": (self.lending.moment, 7),
        }

    async def moment(self) -> None:
        """One thing happens."""
        acts = list(self.acts().values())
        [act] = self.dice.choices([act for act, _ in acts], weights=[weight for _, weight in acts])
        place = self.dice.choice(self.night.places)
        try:
            await act(place)
        except ApiRefused as refusal:
            self.night.tally.refused[refusal.problem] += 1
        except UnreachableError as error:
            self.night.tally.unexpected.append(str(error))

    async def _watch(self, place: Place) -> None:
        path = f"/api/venues/{place.id}/safety/thresholds"
        found = await self.api.call(self.manager, "GET", path)
        if found["version"] == 0:
            limits = {"minutes_inside": 300, "drinks_per_hour": 4, "interventions": 3, "full_percent": 90}
            await self.api.call(self.manager, "PUT", path, limits, version=0)

    async def _clock(self, way: str) -> None:
        place = self.night.places[0]
        at = {"lat": place.lat, "lon": place.lon, "accuracy_m": 15} if place.lat is not None else None
        body: dict[str, Any] = {"position": at} | ({"venue_id": place.id} if way == "in" else {})
        with contextlib.suppress(ApiRefused):  # they are in, or out, already
            await self.api.call(self.staff, "POST", f"/api/staff/clock-{way}", body, key=new_key())
            self.played[f"clocked {way}"] += 1

    async def _beats(self, place: Place) -> None:
        """Every scanner says that it is there; now and then one loses its network, and finds it again."""
        if self.scanners and self.dice.random() < 0.05:
            self.silent.setdefault(self.dice.choice(sorted(self.scanners)), self.dice.randint(3, 12))
        for venue_id, scanner in self.scanners.items():
            if self.silent.get(venue_id, 0) > 0:
                self.silent[venue_id] -= 1
                continue
            if self.silent.pop(venue_id, None) is not None:
                await self._count(scanner.sync(), "late scans")
            scanner.battery = 96.0 if scanner.battery < 10 else scanner.battery - DRAIN
            await scanner.beat()
            self.played["heartbeats"] += 1

    async def _door(self, place: Place) -> None:
        """A guest shows the night's pass at the door: in, or out again by their phone if they were in."""
        number = self.dice.randrange(10_000, 10_040)
        guest = await self.night.guest(number)
        if number not in self.passes:
            self.passes[number] = await take_pass(self.api, guest)
        code, scanner = self.passes[number].show(), self.scanners[place.id]
        if place.id in self.silent:
            scanner.scan_alone(code)
            self.played["scans without a network"] += 1
            return
        answer = await scanner.scan(code)
        self.played[f"scans {answer['result']}"] += 1
        if answer["refusal"] == "visit-open":
            await self.api.call(guest, "POST", "/api/checkout", {}, key=new_key())
            self.played["check-outs of passes"] += 1

    async def _task(self, place: Place) -> None:
        mine = await self.api.call(self.staff, "GET", "/api/tasks/mine?limit=20")
        going = [task for task in mine["items"] if task["status"] == "started"]
        if going:
            await self.api.call(self.staff, "POST", f"/api/tasks/{going[0]['id']}/finish", {"outcome": "Done."})
            self.played["tasks finished"] += 1
            return
        waiting = [task for task in mine["items"] if task["status"] in {"open", "assigned"}]
        if not waiting:
            body = {"venue_id": place.id, "title": self.dice.choice(TASKS)}
            waiting = [await self.api.call(self.manager, "POST", "/api/tasks", body)]
            self.played["tasks made"] += 1
        await self.api.call(self.staff, "POST", f"/api/tasks/{waiting[0]['id']}/start")
        self.played["tasks started"] += 1

    async def _alert(self, place: Place) -> None:
        standing = await self.api.call(self.manager, "GET", f"/api/safety/alerts?limit=20&venue_id={place.id}")
        raised = [alert for alert in standing["items"] if alert["status"] == "raised"]
        taken = [alert for alert in standing["items"] if alert["status"] == "acknowledged"]
        if taken:
            path, body = f"/api/safety/alerts/{taken[0]['id']}", {"reason": "Seen to, and calm again."}
            await self.api.call(self.manager, "POST", f"{path}/clearance", body)
            self.played["alerts cleared"] += 1
        elif raised:
            await self.api.call(self.staff, "POST", f"/api/safety/alerts/{raised[0]['id']}/acknowledgement")
            body = {"venue_id": place.id, "kind": "talk", "note": "A glass of water.", "alert_id": raised[0]["id"]}
            await self.api.call(self.staff, "POST", "/api/safety/interventions", body, key=new_key())
            self.played["alerts acknowledged"] += 1
        else:
            body = {"venue_id": place.id, "summary": self.dice.choice(BEHAVIOURS), "severity": "low"}
            await self.api.call(self.staff, "POST", "/api/safety/alerts", body)
            self.played["alerts raised"] += 1

    async def _sos(self, place: Place) -> None:
        body = {
            "venue_id": place.id,
            "place": self.dice.choice(PLACES),
            "severity": "assist",
            "note": "Two guests argue.",
        }
        call = await self.api.call(self.staff, "POST", "/api/emergency/sos", body, key=new_key())
        await asyncio.sleep(self.dice.uniform(0.2, 2))
        await self.api.call(self.manager, "POST", f"/api/emergency/sos/{call['id']}/acknowledgement")
        body = {"reason": "They were separated, and both stayed."}
        await self.api.call(self.manager, "POST", f"/api/emergency/sos/{call['id']}/resolution", body)
        self.played["calls for help"] += 1

    async def _broadcast(self, place: Place) -> None:
        body = {"venue_id": place.id, "text": self.dice.choice(WORDS)}
        await self.api.call(self.manager, "POST", "/api/emergency/broadcasts", body, key=new_key())
        self.played["broadcasts"] += 1

    async def _break(self, place: Place) -> None:
        clock = await self.api.call(self.staff, "GET", "/api/staff/clock")
        if clock["entry"] is None:
            await self._clock("in")
            return
        await self.api.call(self.staff, "POST", "/api/staff/break", key=new_key())
        await asyncio.sleep(self.dice.uniform(0.2, 1))
        await self.api.call(self.staff, "POST", "/api/staff/break/end", key=new_key())
        self.played["breaks"] += 1

    async def _crew_looks(self, place: Place) -> None:
        if self.crew is None:
            return
        for path in ("/api/admin/devices?limit=20", "/api/admin/checkins?limit=20"):
            await self.api.call(self.crew, "GET", path)
        self.played["looks of the crew"] += 1

    async def _count(self, results: Awaitable[list[Any]], what: str) -> None:
        for result in await results:
            self.played[f"{what} {result['result']}"] += 1


async def play_floor(floor: Floor, *, stop: asyncio.Event, pause: tuple[float, float]) -> None:
    """The floor's moments, one after the other, until told to stop; it opens first and closes at the end."""
    await floor.open()
    while not stop.is_set():
        await floor.moment()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=floor.dice.uniform(*pause))
    await floor.close()
