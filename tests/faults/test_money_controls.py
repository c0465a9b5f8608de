"""M1, M4, W2: with a guard of the money off, the suite of tests/faults/test_money.py has to find what goes wrong."""

import dataclasses
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest

from lastlight.domains import ledger
from lastlight.domains.credits import funding, lots
from lastlight.domains.payments import PURPOSES, Payment, jobs, journal
from lastlight.runtime import processor
from lastlight.runtime.settings import Settings
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.money_story import Story, opened_story
from tests.support.money_world import World, opened_world

pytestmark = pytest.mark.database

UNBOUND = """
alter table credit_lots drop constraint credit_lots_remaining_within;
alter table credit_lots drop constraint credit_lots_frozen_within;
alter table credit_accounts drop constraint credit_accounts_frozen_within;
alter table credit_entries drop constraint credit_entries_within;
"""


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    async with opened_world(database_settings) as opened:
        yield opened


async def told(world: World, tale: Callable[[Story], Awaitable[None]]) -> str:
    """What the suite complains of when this has happened; nothing where it holds."""
    async with opened_story(world) as story:
        try:
            await tale(story)
            await story.agree()
            await story.be_quiet()
        except AssertionError as error:
            return str(error) or "not equal"
    return ""


async def refunded(story: Story) -> None:
    """A purchase of which a part goes back, and that is looked at twice."""
    await story.buy(0, 2_000, "pm_card_visa", told=True)
    await story.refund(0, [700])
    await story.work()
    await story.hear(0, 1)
    await story.hear(0, 1)


async def failed(story: Story) -> None:
    """A refund that comes back days later."""
    await story.buy(0, 2_000, "pm_card_refundFail", told=True)
    await story.refund(0, [500])
    await story.work()
    await story.time_passes(1)
    await story.hear(0, 1)


async def disputed(story: Story) -> None:
    """A refund of what comes back to a lot whose payment is disputed whole."""
    await story.buy(0, 2_000, "pm_card_createDispute", told=True)
    await story.spend(0, [500])
    await story.time_passes(1)
    await story.hear(0, 1)
    await story.give_back(0, [500])
    await story.refund(0, [300])


async def silent(story: Story) -> None:
    """A purchase of which no webhook tells."""
    await story.buy(0, 2_000, "pm_card_visa", told=False)


async def unanswered(story: Story) -> None:
    """The provider opens a payment, and its answer gets lost again and again."""
    await story.trouble("lost", 4)
    await story.buy(0, 2_000, "pm_card_visa", told=True)


async def at_once(story: Story) -> None:
    """Four places that charge the same guest at the same moment."""
    await story.buy(0, 1_000, "pm_card_visa", told=True)
    for _ in range(5):
        await story.adjust(0, 1_000)
        await story.spend(0, [900, 900, 900, 900])


TALES = (refunded, failed, disputed, silent, unanswered, at_once)


@pytest.mark.fault("M1", "M4", "W2")
@pytest.mark.parametrize("tale", TALES)
async def test_each_tale_of_the_controls_holds_with_its_guard(
    run: FaultRun, world: World, tale: Callable[[Story], Awaitable[None]]
) -> None:
    assert await told(world, tale) == ""
    run.report(tales=1)


@pytest.mark.control("W2")
async def test_without_its_key_what_the_provider_moved_is_booked_with_each_webhook(
    run: FaultRun, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fresh(*_: Any) -> bool:
        return True

    def anyhow(*_: Any) -> ledger.TransactionId:
        return ledger.TransactionId(uuid4())

    monkeypatch.setattr(journal, "_note", fresh)
    monkeypatch.setattr(journal, "transaction_id", anyhow)
    must_fail(await told(world, refunded))


@pytest.mark.control("W2")
async def test_without_sweep_and_polls_what_no_webhook_brought_is_missed(
    run: FaultRun, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: Any, **__: Any) -> None:
        return None

    monkeypatch.setattr(jobs, "look_soon", nothing)
    monkeypatch.setattr(jobs, "take_in", nothing)
    must_fail(await told(world, silent))


@pytest.mark.control("W2")
async def test_without_its_key_a_call_that_is_repeated_is_done_twice(
    run: FaultRun, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = processor.create_intent

    async def afresh(*args: Any, key: str, **named: Any) -> Any:
        return await asked(*args, key=f"{key}:{uuid4()}", **named)

    monkeypatch.setattr(processor, "create_intent", afresh)
    must_fail(await told(world, unanswered))


@pytest.mark.control("M4")
async def test_without_the_cap_more_goes_back_than_may(
    run: FaultRun, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Payment, "refundable", property(lambda payment: payment.captured))
    must_fail(await told(world, disputed))


@pytest.mark.control("M4")
async def test_a_refund_that_fails_and_is_not_given_back_is_found(run: FaultRun, world: World) -> None:
    async def nothing(*_: Any) -> None:
        return None

    forgetful = dataclasses.replace(funding.FUNDING, restore=nothing)
    with patch.dict(PURPOSES._known, credits=forgetful):  # pyright: ignore[reportPrivateUsage] - the guard is taken out
        must_fail(await told(world, failed))


@pytest.mark.control("M1")
async def test_without_locks_and_floor_the_last_credits_are_spent_twice(
    run: FaultRun, fresh_database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unkept(*_: Any, **__: Any) -> bool:
        return True

    monkeypatch.setattr(ledger, "keep_account", unkept)
    monkeypatch.setattr(lots, "LEFT", lots.LEFT.replace("for no key update", ""))
    monkeypatch.setattr(ledger, "CREDITS", dataclasses.replace(ledger.CREDITS, floor=None))
    async with opened_world(fresh_database) as bare:
        await bare.admin.execute(UNBOUND)
        must_fail(await told(bare, at_once))
