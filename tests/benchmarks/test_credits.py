"""The benchmark of credits works, and it sees a worker that is slow."""

import asyncpg

from benchmarks.credits import AMOUNT, SOON_MS, measure, opened_till
from benchmarks.ground import durable_ground
from benchmarks.house import opened_house

SIZE = 4
SLOWED = f"""
import asyncio, sys
from lastlight.cli import main
from lastlight.domains.payments import looking
at_once = looking.fetch
async def late(*given, **more):
    await asyncio.sleep({SOON_MS / 1000})
    return await at_once(*given, **more)
looking.fetch = late
sys.exit(main())
"""
PURSES = "select count(*), sum(balance) from credit_accounts where balance > 0"


async def test_credits_that_are_bought_are_measured_and_a_slow_worker_is_seen() -> None:
    async with durable_ground() as ground, opened_house(ground, venues=1, guests=SIZE) as house:
        async with opened_till(house, size=SIZE) as till:
            ratio, delay = await measure(till, rounds=1)
        assert ratio.told["bought_per_s"] > 0
        assert ratio.value == ratio.told["bought_per_s"] / ratio.told["provider_per_s"]
        assert 0 < delay.told["p50_ms"] <= delay.told["p95_ms"] <= delay.told["max_ms"]
        admin = await asyncpg.connect(ground.dsn)
        assert tuple(await admin.fetchrow(PURSES) or ()) == (SIZE, 2 * SIZE * AMOUNT)
        await admin.close()
        async with opened_till(house, size=SIZE, program=("-c", SLOWED)) as till:
            await till.ours()
        assert min(till.waits) > SOON_MS / 1000
