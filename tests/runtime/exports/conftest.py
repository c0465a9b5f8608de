"""The world that tests of exports live in: an application with its people, and a worker beside it."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from lastlight.apps.account.module import MODULE as ACCOUNT
from lastlight.runtime.exports.module import MODULE as EXPORTS
from lastlight.runtime.jobs.worker import run_jobs
from lastlight.runtime.saved_views.module import MODULE as SAVED_VIEWS
from lastlight.runtime.settings import Settings
from lastlight.runtime.storage.module import MODULE as FILES
from tests.support.people import MODULES, People, people


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """A running application with two tenants and their people."""
    async with people(database_settings, (*MODULES, FILES, EXPORTS, SAVED_VIEWS, ACCOUNT)) as found:
        yield found


@pytest.fixture
async def worker(world: People) -> AsyncGenerator[People]:
    """The same, while a worker makes what is asked for."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_jobs(world.services, stop, stale=timedelta(seconds=5)))
    yield world
    stop.set()
    await task
