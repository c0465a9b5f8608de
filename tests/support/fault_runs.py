"""How the fault suites are run: sizes for the quick share and the long form, seeds, and one line of figures each.

A suite is an ordinary test marked `fault("Q1")`, its negative control one marked `control("Q1")`; both take the fixture `run`.
`make test` runs the quick share, `make faults` the long form (`--long`); `--rows "Q1 C4"` picks rows and `--seed 7` repeats a run.
"""

import random
import secrets
import time
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from lastlight.runtime.settings import Settings

QUICK_SEED = 20261121
"""The quick share is the same each time; the long form draws another seed and prints it."""
LONG_SECONDS = 5_400
LINE = "fault-line"


@dataclass(slots=True)
class FaultRun:
    """One run of one suite: how large, from which seed, and what it found."""

    rows: tuple[str, ...]
    name: str
    long: bool
    seed: int
    control: bool
    figures: dict[str, Any] = field(default_factory=dict[str, Any])
    began: float = field(default_factory=time.monotonic)

    @property
    def rng(self) -> random.Random:
        """A generator that begins anew from the seed."""
        return random.Random(self.seed)  # noqa: S311 - a repeatable plan, no secret

    def size(self, *, quick: int, long: int) -> int:
        """How many to try."""
        return long if self.long else quick

    def report(self, **figures: Any) -> None:
        """Put figures on the suite's line, in the order given; a later call adds to it or corrects it."""
        self.figures |= figures

    def line(self, *, held: bool) -> str:
        """The line: rows, suite, figures, seed, seconds."""
        said = " ".join(f"{name}={_plain(value)}" for name, value in self.figures.items())
        kind = "control" if self.control else "suite"
        outcome = "held" if held else "BROKEN"
        seconds = time.monotonic() - self.began
        return f"{'+'.join(self.rows):<8} {kind:<7} {outcome:<6} {self.name}: {said} seed={self.seed} seconds={seconds:.1f}"


def _plain(value: Any) -> str:
    return f"{value:,.3g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def must_fail(found: object) -> None:
    """End a negative control: what the suite counts as broken has to be there while the guard is off."""
    assert found, "the guard was off and the suite found nothing: it proves nothing"


async def until_found(race: Callable[[], Awaitable[object]], *, tries: int = 25) -> object:
    """Repeat a negative control's race until it finds something; that, or nothing after so many tries. Whether two of one race meet is chance."""
    found = await race()
    while not found and (tries := tries - 1) > 0:
        found = await race()
    return found


def life_of_a_world(fixture_name: str, config: pytest.Config) -> Literal["function", "module"]:
    """The scope of a world's fixture: a suite in its long form fills the world up and outlasts its sessions, so that each has its own."""
    return "function" if config.getoption("--long") else "module"


def database_of(request: pytest.FixtureRequest) -> Settings:
    """The database of such a world, which lives as long."""
    return request.getfixturevalue("fresh_database" if request.scope == "function" else "database_settings")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the fault suites."""
    group = parser.getgroup("faults")
    group.addoption("--long", action="store_true", help="run the fault suites in their long form")
    group.addoption("--rows", default="", help='only the fault suites of these rows, such as "Q1 C4"')
    group.addoption("--seed", type=int, default=None, help="the seed of the fault suites")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the two markers."""
    config.addinivalue_line("markers", "fault(*rows): a fault suite of these rows")
    config.addinivalue_line("markers", "control(*rows): the negative control of these rows' suites: the guard is off")
    config.addinivalue_line("markers", "long_only: too large for a quick share; a quick sibling stands beside it")


def rows_of(item: pytest.Item) -> tuple[tuple[str, ...], bool]:
    """The rows that a test tries, and whether it is their control."""
    for kind in ("fault", "control"):
        marker = item.get_closest_marker(kind)
        if marker is not None:
            return tuple(str(row) for row in marker.args), kind == "control"
    return (), False


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the rows that were asked for; give the long form its time."""
    wanted = {*str(config.getoption("--rows")).replace(",", " ").split()}
    long = bool(config.getoption("--long"))
    kept: list[pytest.Item] = []
    for item in items:
        rows, _ = rows_of(item)
        if long and rows:
            item.add_marker(pytest.mark.timeout(LONG_SECONDS), append=False)
        apart = item.get_closest_marker("long_only") is not None and not long
        if not apart and (not wanted or wanted & {*rows}):
            kept.append(item)
    if len(kept) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept


@pytest.fixture
def run(request: pytest.FixtureRequest) -> Generator[FaultRun]:
    """This run of a fault suite."""
    rows, control = rows_of(request.node)
    assert rows, 'a fault suite says its rows: @pytest.mark.fault("Q1")'
    long = bool(request.config.getoption("--long"))
    given: int | None = request.config.getoption("--seed")
    seed = given if given is not None else secrets.randbelow(2**31) if long else QUICK_SEED
    name = request.node.name.removeprefix("test_")
    made = FaultRun(rows, name, long, seed, control)
    yield made
    failed = getattr(request.node, "fault_failed", False)
    request.node.user_properties.append((LINE, made.line(held=not failed)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Remember for the fixture whether the suite held."""
    report = yield
    if call.when == "call" and report.failed:
        item.fault_failed = True  # pyright: ignore[reportAttributeAccessIssue] pytest's own way to pass a result on
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print every suite's line."""
    reports = [
        report for group in terminalreporter.stats.values() for report in group if hasattr(report, "user_properties")
    ]
    lines = {value for report in reports for name, value in report.user_properties if name == LINE}
    if lines:
        terminalreporter.section("faults and attacks")
        for line in sorted(lines):
            terminalreporter.write_line(line)
