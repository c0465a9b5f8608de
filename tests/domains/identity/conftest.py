"""The world that tests of identity live in; one for each test module."""

from collections.abc import AsyncGenerator

import pytest

from lastlight.modules import MODULES
from lastlight.runtime.settings import Settings
from tests.support.people import People, people


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """A running application with two tenants and their people."""
    async with people(database_settings, MODULES) as found:
        yield found
