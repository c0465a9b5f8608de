"""The benchmark of the relay works, and it sees a relay that is slow."""

from benchmarks.relay import ANSWERED, QUICK, SOON_MS, UNANSWERED, capacity, delays, opened_line
from lastlight.modules import MODULES
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import Settings

SLOWED = """
import asyncio, sys
from lastlight.cli import main
from lastlight.runtime.events import relay
at_once = relay.move_batch
async def late(*given):
    await asyncio.sleep(0.4)
    return await at_once(*given)
relay.move_batch = late
sys.exit(main())
"""


def test_the_two_kinds_of_events_are_what_they_are_called() -> None:
    jobs = Registry(MODULES).jobs_of_event
    assert jobs[ANSWERED]
    assert UNANSWERED not in jobs


async def test_it_measures_delays_and_what_the_relay_sustains(database_settings: Settings) -> None:
    async with opened_line(database_settings, QUICK) as line:
        delay = await delays(line, QUICK)
        drains, keeps = await capacity(line, QUICK)
    assert delay.told["events"] == 500
    assert 0 < delay.told["p50_ms"] <= delay.told["p95_ms"] <= delay.told["max_ms"]
    assert drains.value > 0
    assert keeps.value > 0


async def test_a_relay_that_waits_is_seen(database_settings: Settings) -> None:
    async with opened_line(database_settings, QUICK, program=("-c", SLOWED)) as line:
        delay = await delays(line, QUICK)
    assert delay.verdict == "missed"
    assert delay.value > 2 * SOON_MS
