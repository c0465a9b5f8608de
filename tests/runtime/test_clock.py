"""The platform's clock is carried on from what the database said, whenever its answers are read."""

from datetime import UTC, datetime

import pytest

from lastlight.runtime import clock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()


class Steady:
    """A clock that nobody sets, moved by the test."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return self.now

    def time(self) -> float:
        """What this machine believes."""
        return 0.0


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> Steady:
    """A process that has heard nothing yet."""
    steady = Steady()
    monkeypatch.setattr(clock, "time", steady)
    monkeypatch.setattr(clock, "_said", type(clock._said)())  # pyright: ignore[reportPrivateUsage]
    return steady


def hear(steady: Steady, at: float, *, way: float = 0.0) -> None:
    """The database says the time, and its answer is read so many seconds after it was asked."""
    asked = steady.now
    steady.now += way
    clock.note(datetime.fromtimestamp(at, UTC), asked=asked)


def test_an_answer_that_is_read_late_sets_nothing_back(steady: Steady) -> None:
    hear(steady, NOON)
    steady.now += 60
    hear(steady, NOON + 60, way=8)
    assert clock.now() == NOON + 68


def test_a_clock_that_is_set_back_is_followed_at_once(steady: Steady) -> None:
    hear(steady, NOON)
    steady.now += 60
    hear(steady, NOON - 3_600)
    assert clock.now() == NOON - 3_600
    hear(steady, NOON - 7_200, way=8)
    assert clock.now() == NOON - 7_200


def test_a_clock_that_is_set_forward_is_followed_at_once(steady: Steady) -> None:
    hear(steady, NOON)
    hear(steady, NOON + 3_600, way=2)
    assert clock.now() == NOON + 3_600


def test_the_best_answer_stands(steady: Steady) -> None:
    hear(steady, NOON, way=0.4)
    hear(steady, NOON + 0.4)
    assert clock.now() == NOON + 0.4
    hear(steady, NOON + 0.4, way=0.3)
    assert clock.now() == NOON + 0.7
