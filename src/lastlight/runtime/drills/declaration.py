"""Drill: an emergency that a domain knows how to play, with the runbook that it proves."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lastlight.runtime.drills.run import Drilling

DrillFunction = Callable[["Drilling"], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A declared drill: `lastlight drill NAME` runs its function and keeps what every step found."""

    name: str
    fn: DrillFunction
    runbook: str
    """The file under docs/runbooks whose steps it plays."""

    @property
    def description(self) -> str:
        """The first sentence of the function's docstring."""
        return (inspect.getdoc(self.fn) or "").split("\n", 1)[0]


def drill(name: str, *, runbook: str) -> Callable[[DrillFunction], Drill]:
    """Declare a drill, such as "scanner-fleet-offline", proving a runbook such as "scanner-fleet-offline.md"."""

    def declare(fn: DrillFunction) -> Drill:
        return Drill(name=name, fn=fn, runbook=runbook)

    return declare
