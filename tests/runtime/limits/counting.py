"""One process of the evenness test: once told to go, ask so many times, print how often it was allowed."""

import asyncio
import sys

import msgspec

from lastlight.runtime import limits
from lastlight.runtime.limits import Policy
from lastlight.runtime.settings import Settings
from tests.support.services import opened_services


async def count(database_url: str, secret_key: str, processes: int, attempts: int) -> int:
    """How many of `attempts` calls of one user were allowed."""
    settings = Settings.load(
        {}, database_url=database_url, secret_key=secret_key, web_processes=processes, db_pool_size=4
    )
    async with opened_services(settings) as services:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.readline)
        allowed = 0
        policy = Policy("test", 600, 86_400)
        for _ in range(attempts):
            allowed += (await limits.count_leased(services, policy, "one user")).allowed
        return allowed


if __name__ == "__main__":
    arguments = msgspec.json.decode(sys.argv[1])
    sys.stdout.write(f"{asyncio.run(count(**arguments))}\n")
