"""The plan of a past night, made from a seed: who came when, how long they stayed, how it ended. Pure."""

import math
import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal

import msgspec

from lastlight.domains.venues import Venue, closes_at, moment_of

Ending = Literal["guest", "staff", "time_out", "voided"]

SLOT_MINUTES = 30
FIRST_SLOT_HOUR = 12
ARRIVALS = (
    1, 1, 2, 2, 2, 3, 3, 4, 5, 7, 10, 13, 16, 19, 22, 26, 30, 34, 38, 43, 45, 42, 36, 28, 20, 14, 9, 6, 4, 2, 1,
)  # fmt: skip
"""How likely an arrival is in each half hour from noon: a rise in the early evening, a peak around 22:00, a tail until 03:00."""
FULLNESS = (0.3, 0.36, 0.48, 0.62, 1.0, 1.12, 0.44)
"""How many guests come on each weekday, as a share of the capacity."""
USUAL_CAPACITY = 100
GROUPS = ((1, 22), (2, 36), (3, 18), (4, 14), (5, 6), (6, 4))
ENDINGS: tuple[Ending, ...] = ("guest", "staff", "time_out", "voided")
ENDING_WEIGHTS = (84.5, 6.5, 8.0, 1.0)
USUAL_STAY_MINUTES = 125


class PastVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit as it was to go: where, who (a place in the list of guests), from when until when, and how it ended."""

    venue: Venue
    guest: int
    opened_at: datetime
    closed_at: datetime
    ending: Ending
    poster: bool

    @property
    def business_day(self) -> date:
        """The venue's business day."""
        return self.venue.business_day(self.opened_at)


def plan_past_night(*, seed: str, day: date, venues: Sequence[Venue], guests: int) -> list[PastVisit]:
    """The visits of one business day in order of opening: the same for the same seed, day, venues and number of guests.

    A guest is in one venue at a time; a night out may lead from one venue to another.
    """
    dice = random.Random(f"{seed}/{day}")  # noqa: S311 - a plan to repeat, not a secret
    arrivals = sorted(
        ((at, venue, size) for venue in venues for at, size in _arrivals(dice, venue, day)), key=lambda each: each[0]
    )
    order = list(range(guests))
    dice.shuffle(order)
    waiting = order[::-1]
    busy: list[tuple[datetime, int]] = []
    visits: list[PastVisit] = []
    for at, venue, size in arrivals:
        waiting[:0] = [guest for until, guest in busy if until <= at]
        busy = [(until, guest) for until, guest in busy if until > at]
        stay = _stay(dice)
        for _ in range(min(size, len(waiting))):
            visit = _visit(dice, venue=venue, guest=waiting.pop(), at=at, stay=stay)
            visits.append(visit)
            busy.append((visit.closed_at + timedelta(minutes=20), visit.guest))
    return sorted(visits, key=lambda visit: (visit.opened_at, visit.guest))


def _arrivals(dice: random.Random, venue: Venue, day: date) -> list[tuple[datetime, int]]:
    """The groups that come to a venue on a day, those who find it closed left out."""
    capacity = venue.capacity or USUAL_CAPACITY
    expected = round(capacity * FULLNESS[day.weekday()] * dice.uniform(0.86, 1.1))
    sizes = [size for size, _ in GROUPS]
    weights = [weight for _, weight in GROUPS]
    groups: list[tuple[datetime, int]] = []
    while expected > 0:
        size = min(expected, dice.choices(sizes, weights)[0])
        slot = dice.choices(range(len(ARRIVALS)), ARRIVALS)[0]
        minutes = FIRST_SLOT_HOUR * 60 + (slot + dice.random()) * SLOT_MINUTES
        at = moment_of(day, int(minutes), venue.zone) + timedelta(seconds=dice.randrange(60))
        if venue.is_open(at):
            groups.append((at, size))
        expected -= size
    return groups


def _stay(dice: random.Random) -> float:
    return min(max(15.0, dice.lognormvariate(math.log(USUAL_STAY_MINUTES), 0.45)), 420.0)


def _visit(dice: random.Random, *, venue: Venue, guest: int, at: datetime, stay: float) -> PastVisit:
    opened = at + timedelta(seconds=dice.randrange(150))
    ending = dice.choices(ENDINGS, ENDING_WEIGHTS)[0]
    closed = opened + timedelta(minutes=max(6.0, stay + dice.gauss(0, 7)))
    last = closes_at(venue.opening_hours, venue.zone, at)
    if ending == "time_out":
        closed = opened + timedelta(minutes=venue.visit_timeout_minutes)
    elif ending == "voided":
        closed = opened + timedelta(minutes=dice.randrange(1, 9))
    elif last is not None:
        closed = max(opened, min(closed, last + timedelta(seconds=dice.randrange(60, 600))))
    closed = closed.replace(microsecond=0)
    return PastVisit(
        venue=venue, guest=guest, opened_at=opened, closed_at=closed, ending=ending, poster=dice.random() < 0.07
    )


def device_of(dice: random.Random) -> dict[str, Any]:
    """The state of a phone at a check-in."""
    system = dice.choices(["Android", "iOS"], [62, 38])[0]
    return {"app": "web", "os": system, "battery": dice.randrange(8, 100), "online": dice.random() > 0.02}
