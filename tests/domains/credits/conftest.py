"""A business that sells credits, on a real database as the app's own role."""

from collections.abc import AsyncGenerator

import pytest

from lastlight.runtime.settings import Settings
from tests.support.door import House
from tests.support.purses import findings, opened_purses


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    """The business; after the module's tests all of its books agree."""
    async with opened_purses(database_settings) as opened:
        yield opened
        assert await findings(opened) == []
