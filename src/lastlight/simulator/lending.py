"""What a venue lends, on a night: guests book ahead and think better of it, staff seat whoever stands there, a game breaks."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lastlight.simulator.client import Account, Api, new_key
from lastlight.simulator.night import Night, Place

SEATED_MINUTES = (30, 45, 60)
LONGEST_BUFFER = 15
TROUBLES = ("The joystick is loose", "The coin slot jams", "A spilt drink")


@dataclass(slots=True)
class Lending:
    """Who lends, and what became of it."""

    night: Night
    staff: Account
    dice: random.Random
    played: Counter[str]
    booked: list[tuple[Account, str]] = field(default_factory=list[tuple[Account, str]])
    """Bookings that guests of this night made and may still cancel."""

    @property
    def api(self) -> Api:
        """The platform."""
        return self.night.api

    async def moment(self, place: Place) -> None:
        """One thing happens at one venue; who goes first is a matter of chance, as on a real floor."""
        acts = (self.book_ahead, self.seat, self.clear, self.think_again, self.break_and_mend)
        [act] = self.dice.choices(acts, weights=(4, 4, 4, 1, 1))
        await act(place)

    async def book_ahead(self, place: Place) -> None:
        """A guest looks at what is free today or tomorrow, and takes a time."""
        guest = await self.night.guest(self.dice.randrange(10_000, 10_040))
        offers = await self.api.call(guest, "GET", f"/api/patron/venues/{place.id}/resources")
        wanted = [offer for offer in offers["items"] if offer["bookable"]]
        if not wanted:
            return
        offer = self.dice.choice(wanted)
        minutes = offer["shortest_minutes"]
        day = (datetime.now(UTC) + timedelta(days=self.dice.randint(0, 1))).date()
        path = f"/api/patron/resources/{offer['id']}/times?day={day}&minutes={minutes}"
        starts = (await self.api.call(guest, "GET", path))["starts"]
        if not starts:
            self.played["times all taken"] += 1
            return
        begins = datetime.fromisoformat(self.dice.choice(starts))
        body = self._span(offer, begins, minutes)
        made = await self.api.call(guest, "POST", "/api/patron/bookings", body, key=new_key())
        self.booked.append((guest, made["id"]))
        self.played["bookings of guests"] += 1

    async def seat(self, place: Place) -> None:
        """Somebody stands there without a booking: staff give them what is free now."""
        listed = await self.api.call(
            self.staff, "GET", f"/api/resources?limit=50&venue_id={place.id}&status=available&bookable=true"
        )
        for resource in self.dice.sample(listed["items"], len(listed["items"])):
            now = datetime.now(UTC)
            minutes = self.dice.choice(SEATED_MINUTES)
            ends = now + timedelta(minutes=minutes + LONGEST_BUFFER)
            taken = await self.api.call(self.staff, "GET", f"/api/resources/{resource['id']}/availability?hours=6")
            if any(datetime.fromisoformat(span["starts_at"]) < ends for span in taken["taken"]):
                continue
            body = self._span(resource, now, minutes) | {"guest_name": "Walk-in"}
            made = await self.api.call(self.staff, "POST", "/api/bookings", body, key=new_key())
            await self.api.call(self.staff, "POST", f"/api/bookings/{made['id']}/arrival")
            self.played["guests seated"] += 1
            return
        self.played["times all taken"] += 1

    async def clear(self, place: Place) -> None:
        """Who sat long enough goes, and the place is free for others."""
        here = await self.api.call(self.staff, "GET", f"/api/bookings?limit=20&venue_id={place.id}&status=arrived")
        if here["items"]:
            await self.api.call(self.staff, "POST", f"/api/bookings/{here['items'][0]['id']}/end")
            self.played["places cleared"] += 1

    async def think_again(self, place: Place) -> None:
        """A guest of this night cancels what they booked."""
        if self.booked:
            guest, booking_id = self.booked.pop(self.dice.randrange(len(self.booked)))
            body = {"reason": "We go elsewhere."}
            await self.api.call(guest, "POST", f"/api/patron/bookings/{booking_id}/cancellation", body)
            self.played["bookings cancelled"] += 1

    async def break_and_mend(self, place: Place) -> None:
        """A game that is out of order works again; else one breaks that nobody plays by booking."""
        path = f"/api/resources?limit=50&venue_id={place.id}&kind=game"
        games: list[Any] = (await self.api.call(self.staff, "GET", path))["items"]
        broken = [game for game in games if game["status"] == "out_of_order"]
        if broken:
            await self._stand(broken[0], "available", "")
            self.played["games mended"] += 1
        elif able := [game for game in games if game["status"] == "available" and not game["bookable"]]:
            await self._stand(self.dice.choice(able), "out_of_order", self.dice.choice(TROUBLES))
            self.played["games broken"] += 1

    async def _stand(self, game: Any, status: str, reason: str) -> None:
        body = {"status": status, "reason": reason}
        await self.api.call(self.staff, "PUT", f"/api/resources/{game['id']}/status", body, version=game["version"])

    def _span(self, resource: Any, begins: datetime, minutes: int) -> dict[str, Any]:
        party = self.dice.randint(1, min(6, resource["capacity"] or 6))
        ends = begins + timedelta(minutes=minutes)
        return {
            "resource_id": resource["id"],
            "starts_at": begins.isoformat(),
            "ends_at": ends.isoformat(),
            "party_size": party,
        }
