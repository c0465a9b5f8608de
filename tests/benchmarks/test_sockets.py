"""The benchmark of sockets works, and it sees a server that is slow."""

from dataclasses import replace

from benchmarks.processes import fleet
from benchmarks.sockets import LIMIT, QUICK, both, compared, measured
from lastlight.runtime.settings import Settings

SLOWED = """
import sys, time
from lastlight.cli import main
from lastlight.runtime.realtime.wire import Wire
at_once = Wire.send_now
def late(wire, frame):
    time.sleep(0.002)
    return at_once(wire, frame)
Wire.send_now = late
sys.exit(main())
"""
"""A web process that takes 2 ms for each socket."""


async def test_it_measures_both_servers_and_cuts_off_who_does_not_read(database_settings: Settings) -> None:
    figures = {figure.name: figure for figure in await measured(database_settings, QUICK)}
    against = figures["room: last receipt, ours/socket.io"]
    assert against.told["sockets"] == QUICK.sockets
    assert min(against.told["ours_ms"], against.told["peer_ms"], *against.values) > 0
    assert figures["room: stuck sockets not cut off"].value == 0


async def test_a_slow_server_breaks_the_limit(database_settings: Settings) -> None:
    async with fleet() as sockets, both(database_settings, sockets, QUICK, program=("-c", SLOWED)) as (ours, peer, _):
        against = await compared(replace(QUICK, stuck=0), ours, peer)
    assert against.verdict == "BROKEN"
    assert against.value > 3 * LIMIT
