"""A business with a venue whose safety is watched; a module that needs more modules makes its own `running`."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from lastlight.domains.safety.module import MODULE as SAFETY
from lastlight.runtime.settings import Settings
from tests.support.door import MODULES, House, new_house
from tests.support.services import opened_services


@pytest.fixture(scope="module")
async def running(database_settings: Settings) -> AsyncGenerator[Any]:
    """The platform with the modules of the door and of safety."""
    async with opened_services(database_settings, (*MODULES, SAFETY)) as services:
        yield services


@pytest.fixture
async def house(running: Any) -> House:
    """A business of the test's own."""
    return await new_house(running)
