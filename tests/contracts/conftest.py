"""One world for each file of contract tests."""

from collections.abc import AsyncGenerator

import pytest

from lastlight.runtime.settings import Settings
from tests.support.world import World, opened_world


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    """The whole application with two businesses and somebody of every kind."""
    async with opened_world(database_settings) as found:
        yield found
