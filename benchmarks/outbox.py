"""What the outbox costs a write: one check-in's own statements by pgbench, with its events and without them.

The statements are caught from the product (benchmarks/checkins.py). The same transaction is then run without its outbox rows, with
rows that carry no audit payload, and without the kept answer of its Idempotency-Key, in turns on one durable server. No relay runs
beside it: moving the rows is measured in benchmarks/relay.py.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from benchmarks.checkins import CONNECTIONS, VENUES, check_in_script, pgbench_round
from benchmarks.ground import durable_ground
from benchmarks.house import House, opened_house
from benchmarks.measure import Figure, Rounds, Work, interleaved, percentile
from benchmarks.peer import Script

AIM = 0.90
"""The write goes on at nine tenths of its speed, or more."""
KEPT = re.compile(r"^with kept as \( (?P<kept>.+?) \) (?P<outbox>insert into outbox .+);$")


@dataclass(slots=True)
class Writes:
    """Check-ins by pgbench, in any of their forms."""

    house: House
    size: int
    rounds: "count[int]" = field(default_factory=count)

    def by(self, script: Script) -> Work:
        """A round of a script; transactions a second."""

        async def work() -> float:
            return (await pgbench_round(self.house, script, number=next(self.rounds), size=self.size)).rate

        return work


def changed(script: Script, change: Callable[[str], str]) -> Script:
    """The script with its statement of the outbox changed; fails when that changes nothing."""
    lines = [change(line) if "insert into outbox" in line else line for line in script.lines]
    if lines == script.lines:
        raise ValueError("this is not the statement of the outbox that was expected")
    return Script(lines, script.constants)


def without_outbox(line: str) -> str:
    """Only the answer is kept."""
    found = KEPT.match(line)
    return line if found is None else f"{found['kept']};"


def without_answer(line: str) -> str:
    """Only the events are written."""
    found = KEPT.match(line)
    return line if found is None else f"{found['outbox']};"


def without_audit(line: str) -> str:
    """Events whose audit entry says nothing."""
    return line.replace("e.audit from unnest", "'{}' from unnest")


async def run(*, quick: bool) -> list[Figure]:
    """The whole write against the same without each of its parts."""
    size, rounds = (64, 1) if quick else (3_200, 7)
    async with durable_ground() as ground, opened_house(ground, venues=VENUES, guests=size) as house:
        return await measure(Writes(house, size), await check_in_script(house), rounds=rounds)


async def measure(writes: Writes, whole: Script, *, rounds: int) -> list[Figure]:
    """The figures of a write."""
    parts = (("its outbox rows", without_outbox), ("audit payload", without_audit), ("kept answer", without_answer))
    return [await compared(writes, whole, part, change, rounds=rounds) for part, change in parts]


async def compared(writes: Writes, whole: Script, part: str, change: Callable[[str], str], *, rounds: int) -> Figure:
    """The whole write over the same without one part."""
    found = await interleaved(writes.by(whole), writes.by(changed(whole, change)), rounds=rounds)
    aim = AIM if change is without_outbox else None
    return Figure(f"write: with / without {part}", found.ratios, aim=aim, told=_told(found))


def _told(found: Rounds) -> dict[str, float]:
    return {
        "with_per_s": percentile(found.ours, 0.5),
        "without_per_s": percentile(found.peer, 0.5),
        "connections": CONNECTIONS,
    }
