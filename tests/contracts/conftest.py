"""One world for each file of contract tests."""

from collections.abc import AsyncGenerator, Generator

import pytest

from lastlight.runtime.settings import Settings
from tests.support.world import World, opened_world


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    """The whole application with two businesses and somebody of every kind."""
    async with opened_world(database_settings) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_broke(request: pytest.FixtureRequest) -> Generator[None]:
    """After each test: no answer of 500, and none in another shape than the reference says."""
    yield
    if "world" in request.fixturenames:
        world: World = request.getfixturevalue("world")
        found, world.errors = world.errors, []
        assert found == []
