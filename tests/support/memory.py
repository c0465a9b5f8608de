"""Whether memory stays flat: resident bytes of each process over its life, first window after the warm-up against the last."""

from dataclasses import dataclass, field
from statistics import median

MIB = 1024 * 1024
FREE = 16 * MIB
"""Caches may still grow by so much after the warm-up."""
SHARE = 0.10
"""And by this share of what it was."""


@dataclass(slots=True)
class Memory:
    """Samples of processes: part → process → (second, bytes)."""

    warm_up: float
    window: float
    parts: dict[str, dict[int, list[tuple[float, int]]]] = field(
        default_factory=dict[str, dict[int, list[tuple[float, int]]]]
    )

    def sample(self, at: float, found: dict[str, dict[int, int]]) -> None:
        """Keep what was measured at a second."""
        for part, processes in found.items():
            for pid, size in processes.items():
                self.parts.setdefault(part, {}).setdefault(pid, []).append((at, size))

    def growths(self, part: str) -> list[tuple[float, float, float]]:
        """Of each process that lived long enough: bytes before, bytes after, and bytes a minute between."""
        found: list[tuple[float, float, float]] = []
        for samples in self.parts.get(part, {}).values():
            born, died = samples[0][0], samples[-1][0]
            early, late = born + self.warm_up, died - self.window
            if late - early < self.window:
                continue
            before = median(size for at, size in samples if early <= at <= early + self.window)
            after = median(size for at, size in samples if at >= late)
            found.append((before, after, (after - before) / (late - early) * 60))
        return found

    def grown(self) -> list[str]:
        """The processes that grew by more than caches do."""
        return [
            f"{part} grew from {before / MIB:.0f} to {after / MIB:.0f} MiB, {slope / MIB:.1f} MiB a minute"
            for part in self.parts
            for before, after, slope in self.growths(part)
            if after - before > FREE + SHARE * before
        ]

    def text(self) -> str:
        """Of each part the process that grew most."""
        worst = {
            part: max(found, key=lambda each: each[1] - each[0]) for part in self.parts if (found := self.growths(part))
        }
        return " ".join(
            f"{part}:{before / MIB:.0f}→{after / MIB:.0f}MiB({slope / MIB:+.1f}/min)"
            for part, (before, after, slope) in sorted(worst.items())
        )
