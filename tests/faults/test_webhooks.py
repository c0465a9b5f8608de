"""W1: webhooks a hundred times at once, in every order, days late, forged, stale, signed with another secret.

The provider is the sandbox; its events are brought to the platform's own endpoint, to the byte as it sends them. An event is a hint:
whatever comes, how often and in which order, a payment ends up as the provider has it, and its money is booked once.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import time
from collections.abc import Generator
from typing import Any

import pytest

from lastlight.domains.payments import inbox, looking
from lastlight.runtime.processor import webhooks
from lastlight.runtime.settings import Settings
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.forged_webhooks import FORGERIES, TOLERANCE, believed
from tests.support.histories import STORY, History, Post, in_order, opened_post
from tests.support.postgres import PostgresServer, database, settings_for
from tests.support.processors import SandboxBeside

pytestmark = pytest.mark.database

ORDERS = list(itertools.permutations(range(len(STORY))))
AS_IT_HAPPENED, BACKWARDS = ORDERS[0], ORDERS[-1]
DAYS = 5
LANES = 3
Order = tuple[int, ...]


@pytest.fixture
def lanes(
    request: pytest.FixtureRequest, paying: Settings, postgres_server: PostgresServer, beside: SandboxBeside
) -> Generator[list[Settings]]:
    """Databases with accounts at the provider, for histories side by side: the provider's clock is its account's."""
    with contextlib.ExitStack() as stack:
        found = [paying]
        for number in range(LANES - 1 if request.config.getoption("--long") else 0):
            dsn = stack.enter_context(database(postgres_server, name=f"lane_{number}"))
            settings = settings_for(dsn, paying.var_dir / f"lane-{number}")
            found.append(dataclasses.replace(settings, **beside.another().settings()))
        yield found


async def final_states(run: FaultRun, lanes: list[Settings], orders: list[Order]) -> dict[str, list[Order]]:
    """Each state that histories end in, and the orders of their events that lead to it."""
    ends: dict[str, list[Order]] = {}
    dice, left = run.rng, [*orders]

    async def play(settings: Settings) -> None:
        async with opened_post(settings) as post:
            while left:
                order = left.pop()
                state = await in_order(post, order, waiting=[dice.random() < 0.5 for _ in order])
                ends.setdefault(repr(state), []).append(order)
                run.report(orders=sum(map(len, ends.values())), states=len(ends))

    async with asyncio.TaskGroup() as group:
        for settings in lanes:
            group.create_task(play(settings))
    return ends


@pytest.mark.fault("W1")
async def test_every_order_of_a_history_ends_the_same(run: FaultRun, lanes: list[Settings]) -> None:
    orders = ORDERS if run.long else [AS_IT_HAPPENED, BACKWARDS, *run.rng.sample(ORDERS, 3)]
    ends = await final_states(run, lanes, orders)
    async with opened_post(lanes[0]) as post:
        history = History(post, await post.newcomer())
        await history.play(len(STORY))
        for event in history.events:
            await post.bring(event)
        state = await history.state()
    assert {*ends} == {repr(state)}, ends
    assert state["findings"] == []
    assert state["payment"] == [("captured", 10_000, 0, 2_500, 7_500, "0259", "")]
    assert state["lots"] == [(10_000, 7_500, 7_500)]
    assert [one[1] for one in state["inbox"]] == ["done"] * len(STORY)


@pytest.mark.control("W1")
async def test_where_the_first_look_is_believed_for_good_orders_differ(
    run: FaultRun, paying: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, first = looking.fetch, dict[Any, Any]()

    async def once(services: Any, payment: Any, **more: Any) -> Any:
        if payment.id not in first:
            first[payment.id] = await fetch(services, payment, **more)
        return first[payment.id]

    monkeypatch.setattr(looking, "fetch", once)
    must_fail(len(await final_states(run, [paying], [AS_IT_HAPPENED, BACKWARDS])) > 1)


async def at_once(run: FaultRun, post: Post, *, acts: int, times: int) -> list[str]:
    """Bring each event of a history so often at once: what came of it more than once."""
    history = History(post, await post.newcomer())
    await history.play(acts)
    answers: list[int] = []
    for event in history.events:
        answers += await asyncio.gather(*(post.bring(event) for _ in range(times)))
    state = await history.state()
    run.report(brought=len(answers), kept=len(state["inbox"]))
    found = [f"answered {status}" for status in sorted({*answers} - {200})]
    found += [f"{len(state['inbox'])} rows of {acts} events"] if len(state["inbox"]) != acts else []
    steps = [step for (step,) in state["steps"]]
    found += [f"{step} {steps.count(step)} times" for step in sorted({*steps}) if steps.count(step) > 1]
    found += state["findings"]
    return found


@pytest.mark.fault("W1")
async def test_a_hundred_times_at_once_is_once(run: FaultRun, paying: Settings) -> None:
    async with opened_post(paying) as post:
        assert await at_once(run, post, acts=run.size(quick=2, long=len(STORY)), times=100) == []


@pytest.mark.control("W1")
async def test_an_inbox_that_keeps_everything_is_seen(
    run: FaultRun, paying: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "KEEP", inbox.KEEP.replace("$5,", "$5::text || gen_random_uuid(),", 1))
    async with opened_post(paying) as post:
        must_fail([what for what in await at_once(run, post, acts=1, times=10) if "rows" in what])


@pytest.mark.fault("W1")
async def test_what_comes_days_late_is_followed_all_the_same(run: FaultRun, paying: Settings) -> None:
    async with opened_post(paying) as post:
        for late in range(run.size(quick=1, long=12)):
            history = History(post, await post.newcomer())
            await history.play(len(STORY))
            post.beside.control("clock", seconds=DAYS * 86_400 + late)
            events = run.rng.sample(history.events, len(STORY))
            assert [await post.bring(event) for event in events] == [200] * len(STORY)
            state = await history.state()
            assert state["findings"] == []
            assert state["payment"] == [("settled", 10_000, 0, 2_500, 7_500, "0259", "")]
            assert [one[1] for one in state["inbox"]] == ["done"] * len(STORY)
            run.report(histories=late + 1, days=DAYS)


@pytest.mark.fault("W1")
async def test_no_forged_or_stale_webhook_is_believed(run: FaultRun, paying: Settings) -> None:
    each = run.size(quick=6, long=1_000)
    async with opened_post(paying) as post:
        history = History(post, await post.newcomer())
        await history.play(2)
        before = await post.inbox()
        found = await believed(post, history.events, each=each, dice=run.rng)
        run.report(forgeries=each * len(FORGERIES), broken=len(found))
        assert found == []
        for within in (-TOLERANCE + 10, TOLERANCE - 10):
            body = history.events[within > 0]
            assert await post.bring(body, post.signed(body, at=time.time() + within)) == 200
        assert await post.inbox() == before + 2, "the same events, signed well and in time, are kept"
        assert (await history.state())["findings"] == []


def _believe(*_: object) -> bool:
    return True


@pytest.mark.control("W1")
@pytest.mark.parametrize("guard", ["signature", "time"])
async def test_without_a_guard_forgeries_are_believed(
    run: FaultRun, paying: Settings, monkeypatch: pytest.MonkeyPatch, guard: str
) -> None:
    if guard == "time":
        monkeypatch.setattr(webhooks, "TOLERANCE_SECONDS", 10**10)
    else:
        monkeypatch.setattr(webhooks, "_fits", _believe)
    async with opened_post(paying) as post:
        history = History(post, await post.newcomer())
        await history.play(1)
        found = await believed(post, history.events, each=3, dice=run.rng)
    run.report(broken=len(found))
    must_fail([what for what in found if what.startswith("stale" if guard == "time" else "other secret")])
