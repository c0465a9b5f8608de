"""A sandbox beside, and services that pay through an account of the test's own in it."""

from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.processors import SandboxBeside, paying_services, sandbox_beside


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Generator[SandboxBeside]:
    """One for all tests here."""
    with sandbox_beside(tmp_path_factory.mktemp("var")) as beside:
        yield beside


@pytest.fixture
def beside(running_sandbox: SandboxBeside) -> SandboxBeside:
    """An account of the test's own."""
    return running_sandbox.another()


@pytest.fixture
async def services(beside: SandboxBeside, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Services]:
    """What the processor needs of a process: settings, memory, closers."""
    given: dict[str, Any] = beside.settings()
    opened = paying_services(Settings.load({}, var_dir=tmp_path_factory.mktemp("platform"), **given))
    yield opened
    for closer in reversed(opened.closers):
        await closer()
