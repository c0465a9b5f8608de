"""A shop with the sandbox beside it, for the tests of a module."""

import dataclasses
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from lastlight.runtime.settings import Settings
from tests.support.paying import Shop, opened_shop
from tests.support.processors import SandboxBeside, sandbox_beside


@pytest.fixture(scope="session")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Generator[SandboxBeside]:
    """A sandbox for all tests of payments of this process."""
    folder: Path = tmp_path_factory.mktemp("sandbox")
    with sandbox_beside(folder) as running:
        yield running


@pytest.fixture
async def shop(database_settings: Settings, beside: SandboxBeside) -> AsyncGenerator[Shop]:
    """A business of its own, with a sandbox account of its own."""
    settings = dataclasses.replace(database_settings, **beside.another().settings())
    async with opened_shop(settings) as opened:
        yield opened
