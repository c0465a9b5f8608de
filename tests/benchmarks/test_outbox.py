"""The benchmark of the outbox works, and it sees an outbox that is slow."""

from benchmarks.checkins import VENUES, check_in_script
from benchmarks.ground import durable_ground
from benchmarks.house import opened_house
from benchmarks.outbox import AIM, Writes, changed, compared, measure, without_outbox
from benchmarks.peer import Script

SIZE = 64


async def test_it_measures_each_part_and_sees_a_slow_outbox() -> None:
    async with durable_ground() as ground, opened_house(ground, venues=VENUES, guests=SIZE) as house:
        whole, writes = await check_in_script(house), Writes(house, SIZE)
        figures = await measure(writes, whole, rounds=1)
        slow = [
            line.replace("order by e.place", "where pg_sleep(0.1) is not null order by e.place") for line in whole.lines
        ]
        assert slow != whole.lines
        slowed = await compared(writes, Script(slow, whole.constants), "its outbox rows", without_outbox, rounds=1)
    assert [figure.name for figure in figures] == [
        "write: with / without its outbox rows",
        "write: with / without audit payload",
        "write: with / without kept answer",
    ]
    assert all(figure.value > 0 for figure in figures)
    assert slowed.verdict == "missed"
    assert slowed.value < AIM


def test_without_its_outbox_a_write_still_keeps_its_answer() -> None:
    line = "with kept as ( insert into idempotency_keys (a) values (:c1) ) insert into outbox (b) select 1 order by e.place;"
    script = changed(Script(["begin;", line, "commit;"]), without_outbox)
    assert script.lines == ["begin;", "insert into idempotency_keys (a) values (:c1);", "commit;"]
