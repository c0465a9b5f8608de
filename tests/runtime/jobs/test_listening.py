"""The queue hears of new jobs from its first moment, and whoever tells it never fails."""

import asyncio
from typing import Any

import pytest
from asyncpg.pool import PoolConnectionProxy
from pgqueuer.qm import QueueManager

from lastlight.runtime.db import bounded
from lastlight.runtime.jobs.enqueue import poke_workers
from lastlight.runtime.settings import Settings
from tests.runtime.jobs.test_jobs import eventually, worker
from tests.support.services import opened_services

pytestmark = pytest.mark.database


async def test_a_slow_listen_does_not_make_the_first_probe_fail(
    database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe that is sent before the queue listens is never answered, and ended everything that ran 10 seconds later."""
    listen: Any = PoolConnectionProxy.add_listener
    probe: Any = QueueManager.listener_healthy
    late: set[int] = set()
    answered: list[bool] = []

    async def listen_late(self: Any, channel: str, heard: Any) -> None:
        if id(self) not in late:
            late.add(id(self))
            await asyncio.sleep(0.3)
        await listen(self, channel, heard)

    async def probed(self: Any, **bound: Any) -> Any:
        answered.append(False)
        event = await probe(self, **bound)
        answered[-1] = True
        return event

    monkeypatch.setattr(PoolConnectionProxy, "add_listener", listen_late)
    monkeypatch.setattr(QueueManager, "listener_healthy", probed)
    async with worker(database_settings):

        async def settled() -> list[bool]:
            return answered if answered[:1] == [True] or len(answered) > 1 else []

        assert await eventually(settled) == [True]


async def test_a_poke_of_a_busy_request_is_left_to_the_polling(
    database_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent within the request's patience; with the queue for connections full it is given up, not raised to nobody."""
    monkeypatch.setattr(bounded, "WAITING_EACH", 0)
    async with opened_services(database_settings) as services:
        bounded.begin_waiting()
        poke_workers(services)
        await services.memory["jobs-poke"]
