"""The platform's clock is the database's: each process carries on from what the database said last, by a clock that nobody sets.

A machine whose time is wrong, or is set while it runs, then neither ends sessions early nor lets them live on.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

BACK_SECONDS = 1.0
"""An answer whose time is older than its way can explain, and by more than this, says that the database's clock was set back."""


@dataclass(slots=True)
class _Said:
    """When the database told the time, on the steady clock, and what it told."""

    at: float | None = None
    steady: float = 0.0


_said = _Said()


def note(at: datetime, *, asked: float) -> None:
    """What the database says the time is, and when it was asked, on the steady clock: it said so at some moment since then."""
    said, steady = at.timestamp(), time.monotonic()
    if _said.at is not None:
        ahead = said - (_said.at + steady - _said.steady)
        if ahead <= 0 and ahead + steady - asked > -BACK_SECONDS:
            return  # it was on its way for longer than the best answer so far
    _said.at, _said.steady = said, steady


def now() -> float:
    """Unix seconds; before the database has said anything, by this machine's own clock."""
    if _said.at is None:
        return time.time()
    return _said.at + time.monotonic() - _said.steady


def moment() -> datetime:
    """The same as a moment, aware, UTC."""
    return datetime.fromtimestamp(now(), UTC)
