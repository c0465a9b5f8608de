"""A running application for suites that are not asynchronous themselves: those whose steps Hypothesis chooses."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import hypothesis
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from lastlight.modules import MODULES
from lastlight.runtime.settings import Settings
from tests.support.people import People, people

T = TypeVar("T")


@contextmanager
def people_apart(settings: Settings) -> Generator[tuple[BlockingPortal, People]]:
    """The application and everybody in it, on a loop of its own; the portal runs coroutine functions there."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(people(settings, MODULES)) as world:
        yield portal, world


def run_machine(machine: type[RuleBasedStateMachine], *, seed: int, examples: int, steps: int) -> None:
    """Run a state machine over so many histories of so many steps, from a seed; AssertionError says what broke.

    A race does not come out the same twice, which Hypothesis calls flaky: what broke the first time has broken.
    """
    settings = hypothesis.settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=False,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    machine.TestCase.settings = settings
    seeded: Any = hypothesis.seed(seed)(machine)
    try:
        run_state_machine_as_test(seeded, settings=settings)
    except Flaky as error:
        raise AssertionError(str(error)) from error
