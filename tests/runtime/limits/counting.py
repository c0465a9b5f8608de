"""One process of the evenness test: ask as often as it can for a while, print how often it was allowed."""

import asyncio
import sys
import time

import msgspec

from lastlight.runtime import limits
from lastlight.runtime.limits import Policy
from lastlight.runtime.settings import Settings
from tests.support.services import opened_services


async def count(database_url: str, secret_key: str, processes: int, start_at: float, attempts: int) -> int:
    """How many of `attempts` calls of one user were allowed."""
    settings = Settings.load(
        {}, database_url=database_url, secret_key=secret_key, web_processes=processes, db_pool_size=4
    )
    async with opened_services(settings) as services:
        await asyncio.sleep(max(0.0, start_at - time.time()))
        allowed = 0
        policy = Policy("test", 600, 3600)
        for _ in range(attempts):
            allowed += (await limits.count_leased(services, policy, "one user")).allowed
        return allowed


if __name__ == "__main__":
    arguments = msgspec.json.decode(sys.argv[1])
    sys.stdout.write(f"{asyncio.run(count(**arguments))}\n")
