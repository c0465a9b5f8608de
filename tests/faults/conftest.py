"""What several suites share: the sandbox of the card provider, a real process of its own."""

import dataclasses
from collections.abc import Generator

import pytest

from lastlight.runtime.settings import Settings
from tests.support.processors import SandboxBeside, sandbox_beside


@pytest.fixture(scope="session")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Generator[SandboxBeside]:
    """A sandbox for all suites of this process that pay by card."""
    with sandbox_beside(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def paying(database_settings: Settings, beside: SandboxBeside) -> Settings:
    """The settings of the module's database, with an account at the sandbox that nobody else uses."""
    return dataclasses.replace(database_settings, **beside.another().settings())
