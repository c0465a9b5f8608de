"""`python -m benchmarks [name …] [--quick]`: run the benchmarks, print their figures, fail when a limit is broken."""

import argparse
import asyncio
import importlib
import pkgutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.measure import Figure

APART = frozenset({"__main__", "measure", "ground"})
"""Modules of this folder that measure nothing themselves; a benchmark is a module with a coroutine `run(quick=…)`."""

STANDARD = frozenset({"start"})
"""Benchmarks that do the supervisor's work and run in its loop, Python's own; the others run in uvloop, as the web process and the worker do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one benchmark gave."""

    name: str
    figures: list[Figure]


def names() -> list[str]:
    """The benchmarks there are."""
    modules = (found.name for found in pkgutil.iter_modules([str(Path(__file__).parent)]) if not found.ispkg)
    return sorted(name for name in modules if name not in APART and hasattr(_module(name), "run"))


def _module(name: str) -> Any:
    return importlib.import_module(f"benchmarks.{name}")


def run(name: str, *, quick: bool) -> Outcome:
    """Run one benchmark; `quick` only shows that it works, its figures mean nothing."""
    factory = None if name in STANDARD else uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return Outcome(name, runner.run(_module(name).run(quick=quick)))


def main() -> int:
    """Run what was asked for and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(names())}; all when left out")
    parser.add_argument("--quick", action="store_true", help="only show that they work; the figures mean nothing")
    arguments = parser.parse_args()
    unknown = {*arguments.names} - {*names()}
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    broken = 0
    for name in arguments.names or names():
        print(f"--- {name}", flush=True)
        for figure in run(name, quick=arguments.quick).figures:
            print(figure.line(), flush=True)
            broken += figure.verdict == "BROKEN"
    print(f"{broken} limits broken" if broken else "every limit holds")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
