"""The yardstick itself: ratios of pairs, percentiles, verdicts; a slow side has to be seen."""

import asyncio

from benchmarks.measure import Figure, interleaved, milliseconds, percentile


async def test_rounds_take_turns_and_give_a_ratio_for_each_pair() -> None:
    turns: list[str] = []

    async def ours() -> float:
        turns.append("ours")
        return 30.0

    async def peer() -> float:
        turns.append("peer")
        return 60.0

    rounds = await interleaved(ours, peer, rounds=3)
    assert rounds.ratios == (0.5, 0.5, 0.5)
    assert turns == ["ours", "peer", "ours", "peer", "peer", "ours", "ours", "peer"]


async def test_a_side_that_waits_is_measured_as_slower() -> None:
    async def work(pause: float) -> float:
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(pause)
        return 1 / (asyncio.get_running_loop().time() - began)

    rounds = await interleaved(lambda: work(0.02), lambda: work(0.002), rounds=3)
    figure = Figure("slowed", rounds.ratios, limit=0.9)
    assert figure.verdict == "BROKEN"


def test_verdicts_know_which_way_is_better() -> None:
    assert Figure("a", (0.3, 0.5, 0.4), aim=0.4).verdict == "reached"
    assert Figure("a", (0.3,), aim=0.4).verdict == "missed"
    assert Figure("a", (1.4,), better="lower", aim=1.0, limit=1.3).verdict == "BROKEN"
    assert Figure("a", (1.2,), better="lower", aim=1.0, limit=1.3).verdict == "missed"


def test_percentiles_are_of_the_nearest_rank() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert milliseconds([0.001, 0.002]) == {"p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 2.0, "max_ms": 2.0}
