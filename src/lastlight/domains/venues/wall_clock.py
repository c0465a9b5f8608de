"""Times as people type them: a date and an hour on a venue's clock, to and from moments."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lastlight.domains.venues.hours import moment_of
from lastlight.kernel.errors import Invalid


def read_wall_clock(text: str, zone: ZoneInfo, *, field: str) -> datetime:
    """The moment (UTC) at which the clock shows `2026-11-21T22:00`; refuses anything else at the field that it came from.

    A time that the clock shows twice is the first; one that it skips is the moment of the skip.
    """
    try:
        wall = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(fields={field: "Give a date and a time, such as 2026-11-21 22:00."}) from None
    if wall.tzinfo is not None or not 2000 <= wall.year <= 2200:
        raise Invalid(fields={field: "Give a date and a time, such as 2026-11-21 22:00."})
    return moment_of(wall.date(), wall.hour * 60 + wall.minute, zone)


def write_wall_clock(at: datetime | None, zone: ZoneInfo) -> str:
    """A moment as a field for a date and a time takes it, to the minute; nothing for none."""
    if at is None:
        return ""
    whole = at - timedelta(seconds=at.second, microseconds=at.microsecond)
    return whole.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")
