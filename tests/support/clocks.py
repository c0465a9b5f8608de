"""Clocks that are wrong or are set while a process runs, and nights on which a venue's clock is set."""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from lastlight.domains.venues.hours import Interval, OpeningHours, Week, business_day_span, is_open, open_spans
from lastlight.runtime import clock

NEEDS = "a clock that jumps needs libfaketime: apt-get install faketime"
_LIBRARIES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime")
DayOf = Callable[[datetime, ZoneInfo, int], date]


def library() -> Path | None:
    """Where libfaketime lies on this machine."""
    found = (Path(folder, "libfaketimeMT.so.1") for folder in _LIBRARIES)
    return next((path for path in found if path.exists()), None)


class FakeClock:
    """The clock of a process: `environment` lets it start with it, `jump` sets it while it runs."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.jump(0)

    @property
    def environment(self) -> dict[str, str]:
        """What the process is started with; its steady clock stays true, as a machine's does when its time is set."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._place),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, seconds: float) -> None:
        """Set the clock so far ahead of the true one, or behind it."""
        self._place.write_text(f"{seconds:+.0f}")


def trust_own_clock() -> None:
    """Let a process believe its own clock: for a negative control, in a process of its own."""
    clock.now = time.time


@cache
def changes(name: str, year: int) -> tuple[datetime, ...]:
    """The moments of a year at which a zone's clock is set, to the second."""
    zone, found = ZoneInfo(name), list[datetime]()
    start = datetime(year, 1, 1, tzinfo=UTC)
    days = [start + timedelta(days=day) for day in range(367)]
    for low, high in pairwise(days):
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            found.append(_change(zone, low, high))
    return tuple(found)


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    old = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high


def moments_around(change: datetime, dice: random.Random) -> list[datetime]:
    """Moments before, at and after a change, in order."""
    near = [change + timedelta(minutes=15 * quarter) for quarter in range(-28, 29)]
    far = [change + timedelta(seconds=dice.randrange(-150_000, 150_000)) for _ in range(20)]
    return sorted([*near, *far, change - timedelta(seconds=1)])


def wrong_days(day_of: DayOf, zone: ZoneInfo, hour: int, moments: list[datetime]) -> list[str]:
    """What does not fit about the business days of moments in order."""
    found: list[str] = []
    days = [day_of(at, zone, hour) for at in moments]
    for (earlier, before), (at, day) in pairwise(zip(moments, days, strict=True)):
        if day < before:
            found.append(f"{zone} {hour}h: {at} is of {day}, but {earlier} was of {before}")
    for at, day in zip(moments, days, strict=True):
        start, end = business_day_span(day, zone, hour)
        if not start <= at < end:
            found.append(f"{zone} {hour}h: {at} is said to be of {day}, which lasts from {start} to {end}")
        if end != business_day_span(day + timedelta(days=1), zone, hour)[0]:
            found.append(f"{zone} {hour}h: {day} and the next day do not touch")
    return found


def wrong_openings(zone: ZoneInfo, moments: list[datetime], dice: random.Random) -> list[str]:
    """Where the question whether a venue is open and the list of its openings do not agree."""
    opens, closes = dice.randrange(24), dice.randrange(24)
    every = [Interval(opens=f"{opens:02d}:00", closes=f"{closes:02d}:30")]
    hours = OpeningHours(weekly=Week(mon=every, tue=every, wed=every, thu=every, fri=every, sat=every, sun=every))
    spans = open_spans(hours, zone, moments[0] - timedelta(days=2), moments[-1] + timedelta(days=2))
    return [
        f"{zone} {every}: {at}"
        for at in moments
        if is_open(hours, zone, at) != any(start <= at < end for start, end in spans)
    ]


def by_the_wall_clock(at: datetime, zone: ZoneInfo, hour: int) -> date:
    """The business day as somebody would reckon it who knows of no change of clocks: for a negative control."""
    local = at.astimezone(zone)
    return local.date() if local.hour >= hour else local.date() - timedelta(days=1)


def some_changes(names: list[str], dice: random.Random, count: int) -> Iterator[tuple[str, datetime]]:
    """So many changes of clocks, from many zones and years."""
    while count:
        name = dice.choice(names)
        with contextlib.suppress(IndexError):
            yield name, dice.choice(changes(name, dice.randrange(1985, 2036)))
            count -= 1
