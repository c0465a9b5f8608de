"""A house whose people clock, plan and swap; without a fence unless a test draws one."""

from collections.abc import AsyncGenerator

import pytest

from lastlight.domains.checkins.module import MODULE as CHECKINS
from lastlight.domains.staff.module import MODULE as TIME
from lastlight.domains.tasks.module import MODULE as TASKS
from lastlight.domains.venues.module import MODULE as VENUES
from lastlight.runtime.settings import Settings
from tests.support.door import House, new_house
from tests.support.services import opened_services


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_services(database_settings, (VENUES, TASKS, CHECKINS, TIME)) as services:
        yield await new_house(services)
