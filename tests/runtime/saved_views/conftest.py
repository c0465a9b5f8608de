"""The world that tests of saved views live in."""

from collections.abc import AsyncGenerator

import pytest

from lastlight.runtime.saved_views.module import MODULE as SAVED_VIEWS
from lastlight.runtime.settings import Settings
from tests.support.people import MODULES, People, people


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """A running application with two tenants and their people."""
    async with people(database_settings, (*MODULES, SAVED_VIEWS)) as found:
        yield found
