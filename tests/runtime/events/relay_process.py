"""A relay in a process of its own, which may kill itself at a chosen point of its first full batch: `python -m … JSON`."""

import asyncio
import os
import sys
from typing import Any

import msgspec

from lastlight.runtime.events import move
from lastlight.runtime.events.relay import run_relay
from lastlight.runtime.settings import Settings
from tests.support.streams import open_services

POINTS = ("_place", "_write", "_react")
"""Steps of a batch, after each of which it can die; the last is just before the commit."""


async def relay(database_url: str, secret_key: str, dies_after: str = "") -> None:
    """Relay until the process ends."""
    if dies_after:
        real: Any = getattr(move, dies_after)

        async def last(*args: Any) -> Any:
            await real(*args)
            os.kill(os.getpid(), 9)

        setattr(move, dies_after, last)
    settings = Settings.load({}, database_url=database_url, secret_key=secret_key, db_pool_size=2)
    async with open_services(settings) as services:
        await run_relay(services, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(relay(**msgspec.json.decode(sys.argv[1])))
