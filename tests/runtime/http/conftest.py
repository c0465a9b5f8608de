"""The world that tests of HTTP live in; one for each test module."""

from collections.abc import AsyncGenerator

import pytest

from lastlight.runtime.settings import Settings
from tests.support.bells import tower
from tests.support.people import People


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """A running application with two tenants, their people and bells."""
    async with tower(database_settings) as found:
        yield found


@pytest.fixture(scope="module")
async def owner(world: People) -> dict[str, str]:
    """The headers of the bar's owner."""
    return await world.bearer(world.bar.email("owner"))
