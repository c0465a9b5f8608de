"""Opening hours and business days on a venue's own clock, right across the nights on which clocks change. Pure."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_INTERVALS = 6
MOST_EXCEPTIONS = 400
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00", re.ASCII)


class Interval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `opens` to `closes` ("18:00"); a closing at or before the opening is on the next day, "24:00" is midnight."""

    opens: str
    closes: str


class HoursException(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hours of one date instead of its weekday's; no intervals: closed."""

    date: date
    intervals: list[Interval] = []
    note: str = ""


class Week(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The intervals of each weekday; none: closed."""

    mon: list[Interval] = []
    tue: list[Interval] = []
    wed: list[Interval] = []
    thu: list[Interval] = []
    fri: list[Interval] = []
    sat: list[Interval] = []
    sun: list[Interval] = []

    def on(self, day: date) -> list[Interval]:
        """The intervals that begin on a date's weekday."""
        return getattr(self, WEEKDAYS[day.weekday()])


class OpeningHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A week, and the dates that differ from it."""

    weekly: Week = Week()
    exceptions: list[HoursException] = []

    def on(self, day: date) -> list[Interval]:
        """The intervals that begin on a date."""
        for exception in self.exceptions:
            if exception.date == day:
                return exception.intervals
        return self.weekly.on(day)


def is_open(hours: OpeningHours | None, zone: ZoneInfo, at: datetime) -> bool:
    """Whether the venue is open at a moment; without hours it always is."""
    if hours is None:
        return True
    return any(start <= at < end for start, end in _spans_around(hours, zone, at))


def open_spans(
    hours: OpeningHours | None, zone: ZoneInfo, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    """When it is open between two moments, in order; openings that touch are one."""
    if hours is None:
        return [(start, end)]
    first = start.astimezone(zone).date() - timedelta(days=1)
    days = (end.astimezone(zone).date() - first).days + 2
    merged: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted(_spans(hours, zone, first, days=days)):
        opens, closes = max(begins, start), min(ends, end)
        if opens >= closes:
            continue
        if merged and opens <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(closes, merged[-1][1]))
        else:
            merged.append((opens, closes))
    return merged


def next_opening(hours: OpeningHours | None, zone: ZoneInfo, after: datetime) -> datetime | None:
    """When it opens next, looking two weeks ahead; None when it does not, or never closes."""
    if hours is None:
        return None
    spans = _spans(hours, zone, after.astimezone(zone).date(), days=15)
    return min((start for start, _ in spans if start > after), default=None)


def closes_at(hours: OpeningHours | None, zone: ZoneInfo, at: datetime) -> datetime | None:
    """When the opening that `at` lies in ends; None when closed, or never closing."""
    if hours is None:
        return None
    return max((end for start, end in _spans_around(hours, zone, at) if start <= at < end), default=None)


def business_day(at: datetime, zone: ZoneInfo, hour: int) -> date:
    """The business day of a moment: it ends at `hour` on the venue's clock, so 03:00 belongs to the evening before."""
    today = at.astimezone(zone).date()
    # By the moments at which days begin: where a clock is set back past the hour, it shows the end of the old day once more.
    for day in (today + timedelta(days=1), today):
        if at >= moment_of(day, hour * 60, zone):
            return day
    return today - timedelta(days=1)


def business_day_span(day: date, zone: ZoneInfo, hour: int) -> tuple[datetime, datetime]:
    """The moments (UTC) at which a business day begins and ends: 23, 24 or 25 hours apart."""
    return moment_of(day, hour * 60, zone), moment_of(day + timedelta(days=1), hour * 60, zone)


def moment_of(day: date, minutes: int, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The moment (UTC) at which a venue's clock shows so many minutes after a date's midnight.

    A time that the clock shows twice is the first, or the `last`; one that it skips is the moment of the skip.
    """
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    early = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    late = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if early > late:
        return _change_between(late, early, zone)
    return late if last else early


def hours_problems(hours: OpeningHours, path: str = "opening_hours") -> dict[str, str]:
    """What is wrong with opening hours, by the path of the field."""
    found: dict[str, str] = {}
    for weekday in WEEKDAYS:
        found |= _interval_problems(getattr(hours.weekly, weekday), f"{path}.weekly.{weekday}")
    if len(hours.exceptions) > MOST_EXCEPTIONS:
        found[f"{path}.exceptions"] = f"Keep at most {MOST_EXCEPTIONS} dates; remove those that are over."
    seen: set[date] = set()
    for index, exception in enumerate(hours.exceptions):
        here = f"{path}.exceptions[{index}]"
        if exception.date in seen:
            found[f"{here}.date"] = "This date is there twice; put its hours into one exception."
        seen.add(exception.date)
        if len(exception.note) > 120:
            found[f"{here}.note"] = "Keep the note under 120 characters."
        found |= _interval_problems(exception.intervals, f"{here}.intervals")
    return found or _week_overlaps(hours.weekly, f"{path}.weekly")


def _spans_around(hours: OpeningHours, zone: ZoneInfo, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The openings that a moment may lie in: also tomorrow's, for a clock set back past midnight shows the old day once more."""
    return _spans(hours, zone, at.astimezone(zone).date() - timedelta(days=1), days=3)


def _spans(hours: OpeningHours, zone: ZoneInfo, first: date, *, days: int) -> Iterator[tuple[datetime, datetime]]:
    for offset in range(days):
        day = first + timedelta(days=offset)
        for interval in hours.on(day):
            opens, closes = _minutes(interval)
            yield moment_of(day, opens, zone), moment_of(day, closes, zone, last=True)


def _minutes(interval: Interval) -> tuple[int, int]:
    opens, closes = _clock(interval.opens), _clock(interval.closes)
    return opens, closes if closes > opens else closes + 1440


def _clock(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between two at which the clock jumps, to the second."""
    old = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)


def _interval_problems(intervals: list[Interval], path: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if len(intervals) > MOST_INTERVALS:
        return {path: f"Give at most {MOST_INTERVALS} intervals for one day."}
    for index, interval in enumerate(intervals):
        for name, text in (("opens", interval.opens), ("closes", interval.closes)):
            if not _CLOCK.fullmatch(text) or (name == "opens" and text == "24:00"):
                found[f"{path}[{index}].{name}"] = 'Write the time as HH:MM, such as "18:00".'
    if found:
        return found
    spans = [_minutes(interval) for interval in intervals]
    for index, (opens, closes) in enumerate(spans):
        if any(opens < end and start < closes for start, end in spans[:index]):
            found[f"{path}[{index}]"] = "These hours overlap others of the same day; join them into one."
    return found


def _week_overlaps(week: Week, path: str) -> dict[str, str]:
    """An interval over midnight must end before the next weekday's first begins."""
    for index, weekday in enumerate(WEEKDAYS):
        following = WEEKDAYS[(index + 1) % 7]
        first = min((_minutes(interval)[0] for interval in getattr(week, following)), default=1440)
        for place, interval in enumerate(getattr(week, weekday)):
            if _minutes(interval)[1] - 1440 > first:
                return {f"{path}.{weekday}[{place}].closes": f"It closes after {following} has opened; end it earlier."}
    return {}
