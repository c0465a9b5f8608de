"""How the benchmarks measure: interleaved rounds, ratios with their spread, and verdicts against an aim and a limit.

A machine is never twice as fast as itself, so nothing here is judged by the clock alone: ours and the peer's rounds take turns in one
run, each pair gives a ratio, and the median of the ratios is the figure. Absolute times are told beside it and never judged, save
against a limit that the product promises to people (a page within 50 ms).
"""

import math
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Better = Literal["higher", "lower"]
Work = Callable[[], Awaitable[float]]
"""One round: does its work and returns the measured quantity, such as requests a second."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: the median of its rounds with the least and the greatest, and what it is held against."""

    name: str
    values: tuple[float, ...]
    better: Better = "higher"
    aim: float | None = None
    """What we want; missing it is said."""
    limit: float | None = None
    """What must hold; breaking it fails the run."""
    unit: str = "×"
    told: dict[str, Any] = field(default_factory=dict[str, Any])
    """Absolute figures beside it: told, not judged."""

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.values)

    def reaches(self, bar: float | None) -> bool:
        """Whether the figure is as good as `bar`; no bar is always reached."""
        if bar is None:
            return True
        return self.value >= bar if self.better == "higher" else self.value <= bar

    @property
    def verdict(self) -> str:
        """In a word: reached, missed (the aim) or BROKEN (the limit)."""
        if not self.reaches(self.limit):
            return "BROKEN"
        return "reached" if self.reaches(self.aim) else "missed"

    def line(self) -> str:
        """The figure as one line."""
        sign = "≥" if self.better == "higher" else "≤"
        bars = [f"{word} {sign} {bar:g}" for word, bar in (("aim", self.aim), ("limit", self.limit)) if bar is not None]
        spread = f"({min(self.values):.3g}…{max(self.values):.3g}, {len(self.values)} rounds)"
        told = " ".join(f"{name}={_short(value)}" for name, value in self.told.items())
        return (
            f"{self.name:<34} {self.value:8.3g} {self.unit} {spread} {'; '.join(bars)} {self.verdict}  {told}".rstrip()
        )


def _short(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


@dataclass(frozen=True, slots=True)
class Rounds:
    """What interleaved rounds measured: ours and the peer's, pair by pair."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours over the peer's, for each pair."""
        return tuple(mine / theirs for mine, theirs in zip(self.ours, self.peer, strict=True))


async def interleaved(ours: Work, peer: Work, *, rounds: int) -> Rounds:
    """Let both take turns, `rounds` times each after one unmeasured turn; who begins alternates."""
    await ours()
    await peer()
    measured: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        turns = ((0, ours), (1, peer)) if number % 2 == 0 else ((1, peer), (0, ours))
        for place, work in turns:
            measured[place].append(await work())
    return Rounds(tuple(measured[0]), tuple(measured[1]))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the greatest of durations in seconds, as milliseconds."""
    shares = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
    return {name: round(percentile(seconds, share) * 1000, 2) for name, share in shares.items()}


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds since it was made."""
        return time.perf_counter() - self._began
