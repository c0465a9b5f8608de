"""When something is free: a time is taken with the buffer after it, and so is the one that asks. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

STEP = timedelta(minutes=15)
Span = tuple[datetime, datetime]
"""From the first moment, up to the last but without it."""


def free_starts(
    within: Sequence[Span], *, length: timedelta, buffer: timedelta, taken: Sequence[Span], step: timedelta = STEP
) -> Iterator[datetime]:
    """The moments (UTC), on the quarters of an hour, from which a time of this length is free and inside one of `within`."""
    busy = sorted(taken)
    for start, end in within:
        moment = _round_up(start, step)
        while moment + length <= end:
            blocker = next((one for one in busy if one[0] < moment + length + buffer and moment < one[1]), None)
            if blocker is None:
                yield moment
                moment += step
            else:
                moment = max(_round_up(blocker[1], step), moment + step)


def _round_up(moment: datetime, step: timedelta) -> datetime:
    since = moment.astimezone(UTC) - datetime(2000, 1, 1, tzinfo=UTC)
    return datetime(2000, 1, 1, tzinfo=UTC) + -(-since // step) * step
