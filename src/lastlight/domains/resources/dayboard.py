"""A day of a venue's bookings as a board: a row for each resource, cut into quarters of an hour. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from lastlight.domains.resources.free import Span
from lastlight.domains.resources.model import Booking, Resource

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
BEYOND = timedelta(hours=6)
"""How far a board goes over its day for a booking that does."""
TAKES_TIME = frozenset({"booked", "arrived", "done"})


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a row: free, booked, or kept free after a booking."""

    kind: Literal["free", "booking", "buffer"]
    quarters: int
    start: datetime
    end: datetime
    booking: Booking | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A resource and its day."""

    resource: Resource
    cells: list[Cell]


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """The rows between two moments, with the hours above them."""

    start: datetime
    end: datetime
    hours: list[datetime]
    quarters: int
    rows: list[Row]


def board_of(
    resources: Sequence[Resource],
    bookings: Sequence[Booking],
    *,
    day: Span,
    open_spans: Sequence[Span],
    zone: ZoneInfo,
    since: datetime | None = None,
) -> Board:
    """The board of a business day: its opening hours, and whatever is booked outside of them; `since` leaves the past out."""
    standing = [one for one in bookings if one.status in TAKES_TIME]
    times = [*open_spans, *((one.starts_at, one.ends_at) for one in standing)]
    start = max(min((first for first, _ in times), default=day[0]), day[0] - BEYOND)
    end = min(max((last for _, last in times), default=day[1]), day[1] + BEYOND)
    if since is not None and start < since < end:
        start = since
    start = _hour_before(start, zone)
    hours: list[datetime] = []
    while start + len(hours) * HOUR < end:
        hours.append(start + len(hours) * HOUR)
    end = start + len(hours) * HOUR
    of: dict[object, list[Booking]] = {}
    for one in standing:
        of.setdefault(one.resource_id, []).append(one)
    rows = [Row(resource=one, cells=_cells(of.get(one.id, []), start, end)) for one in resources]
    return Board(start=start, end=end, hours=hours, quarters=len(hours) * 4, rows=rows)


def _hour_before(moment: datetime, zone: ZoneInfo) -> datetime:
    """The full hour on the zone's clock that a moment lies in."""
    local = moment.astimezone(zone)
    return moment - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def _cells(bookings: Sequence[Booking], start: datetime, end: datetime) -> list[Cell]:
    """Stretches that fill a row without a gap; what is shorter than a quarter is shown as one."""
    total = (end - start) // QUARTER
    cells: list[Cell] = []
    ordered = sorted((one for one in bookings if one.ends_at > start and one.starts_at < end), key=_start)
    at = 0
    for place, one in enumerate(ordered):
        first = max(at, (one.starts_at - start) // QUARTER)
        last = min(total, max(first + 1, _up(one.ends_at - start)))
        if first >= total:
            break
        if first > at:
            cells.append(_cell("free", start, at, first))
        cells.append(_cell("booking", start, first, last, one))
        following = ordered[place + 1].starts_at if place + 1 < len(ordered) else end
        kept = min(total, _up(min(one.free_at, following) - start))
        if kept > last:
            cells.append(_cell("buffer", start, last, kept))
        at = max(last, kept)
    if at < total:
        cells.append(_cell("free", start, at, total))
    return cells


def _start(booking: Booking) -> datetime:
    return booking.starts_at


def _up(span: timedelta) -> int:
    return -(-span // QUARTER)


def _cell(
    kind: Literal["free", "booking", "buffer"], start: datetime, first: int, last: int, booking: Booking | None = None
) -> Cell:
    return Cell(
        kind=kind, quarters=last - first, start=start + first * QUARTER, end=start + last * QUARTER, booking=booking
    )
