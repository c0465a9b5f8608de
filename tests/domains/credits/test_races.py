"""Credits under concurrency: never below zero, never spent twice; and a model of whole numbers that every sequence must agree with."""

import asyncio
import random
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from lastlight.domains import ledger
from lastlight.domains.credits.errors import CreditsShort, SpendReversed
from lastlight.domains.credits.model import CreditEntry
from lastlight.domains.ledger.errors import NotEnough
from lastlight.runtime.context import Ctx
from tests.support.door import House
from tests.support.purses import Purse, findings, new_purse
from tests.support.races import watched


async def tried(work: Coroutine[Any, Any, Any]) -> Any:
    """What came of it, or None where there was not enough."""
    try:
        return await work
    except (CreditsShort, SpendReversed):
        return None


async def test_of_thirty_two_who_spend_at_once_exactly_those_that_fit_do(house: House) -> None:
    purse = await new_purse(house, 700, 300, 250)
    with watched() as seen:
        made = await asyncio.gather(*(tried(purse.spend(100)) for _ in range(32)))
    entries = [entry for entry in made if entry]
    assert len(entries) == 12
    assert sorted(entry.balance for entry in entries) == [50 + 100 * n for n in range(12)]
    assert await purse.standing() == (50, 0)
    assert seen.deadlocks == []


async def test_one_spend_is_given_back_once_however_many_ask(house: House) -> None:
    purse = await new_purse(house, 500, 500)
    entry = await purse.spend(800)
    with watched() as seen:
        made = await asyncio.gather(*(tried(purse.reverse(entry, 300)) for _ in range(8)))
    assert [one.amount for one in made if one] == [300, 300]
    assert await purse.standing() == (800, 0)
    assert seen.deadlocks == []


async def test_spends_refunds_expiry_and_disputes_at_once_take_each_unit_once(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000, 1_000)
    await purse.age(purse.payments[0], -timedelta(seconds=1))
    disputes = [await purse.dispute(payment, 1_000) for payment in purse.payments]
    work: list[Coroutine[Any, Any, Any]] = [tried(purse.spend(170)) for _ in range(16)]
    work += [purse.release(payment, 400) for payment in purse.payments]
    work += [purse.freeze(dispute) for dispute in disputes]
    work += [purse.expire() for _ in range(3)]
    random.Random(7).shuffle(work)  # noqa: S311 - the same order each time, no secret
    with watched() as seen:
        await asyncio.gather(*work)
        said = await asyncio.gather(
            *(purse.verdict(one, "lost") for one in disputes), *(tried(purse.spend(170)) for _ in range(8))
        )
    assert len(said) == 11
    balance, frozen = await purse.standing()
    assert (frozen, balance) == (0, 0)
    assert sum(amount for _, amount, _ in await purse.entries()) == 0
    assert seen.deadlocks == []
    assert await findings(house) == []


async def test_without_turns_the_floor_of_the_ledger_still_stands(house: House) -> None:
    """The control: nobody holds the account, all read the same lots, and the ledger lets one of them through."""
    purse = await new_purse(house, 100)
    read = 0

    async def nobody_waits(ctx: Ctx, *, account: ledger.AccountId) -> bool:
        nonlocal read
        read += 1
        while read < 4:
            await asyncio.sleep(0.001)
        return True

    with pytest.MonkeyPatch.context() as patch, watched(unlocked=True):
        patch.setattr(ledger, "keep_account", nobody_waits)
        made = await asyncio.gather(*(purse.spend(100) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(one, CreditEntry) for one in made) == 1
    assert {type(one) for one in made} == {CreditEntry, NotEnough}
    assert await purse.standing() == (0, 0)


class Model:
    """What a guest must have after each step, lot by lot, in whole numbers."""

    def __init__(self) -> None:
        self.lots: list[int] = []
        self.frozen: dict[int, int] = {}

    def spend(self, amount: int) -> list[tuple[int, int]] | None:
        """Which lot gives how much; None where there is not enough."""
        free = [left - self.frozen.get(place, 0) for place, left in enumerate(self.lots)]
        if sum(free) < amount:
            return None
        uses: list[tuple[int, int]] = []
        for place, left in enumerate(free):
            part = min(left, amount)
            if part:
                self.lots[place] -= part
                uses.append((place, part))
                amount -= part
        return uses

    def give_back(self, uses: list[tuple[int, int]], amount: int) -> None:
        """To the lot that gave last first."""
        for number in range(len(uses) - 1, -1, -1):
            place, part = uses[number]
            back = min(part, amount)
            self.lots[place] += back
            uses[number] = (place, part - back)
            amount -= back

    def free(self, place: int) -> int:
        """What of a lot is not in dispute."""
        return self.lots[place] - self.frozen.get(place, 0)


class Story:
    """A guest and the model, led through the same random steps."""

    def __init__(self, purse: Purse, seed: int) -> None:
        self.purse, self.model, self.chance = purse, Model(), random.Random(seed)  # noqa: S311 - repeatable, no secret
        self.spends: list[tuple[CreditEntry, list[tuple[int, int]]]] = []
        self.disputes: dict[int, Any] = {}

    async def step(self) -> str:
        name = self.chance.choice(["buy", "spend", "spend", "give_back", "refund", "dispute", "decide"])
        await getattr(self, name)()
        return name

    async def buy(self) -> None:
        amount = self.chance.randint(1, 900)
        await self.purse.buy(amount)
        self.model.lots.append(amount)

    async def spend(self) -> None:
        amount = self.chance.randint(1, 600)
        uses = self.model.spend(amount)
        entry = await tried(self.purse.spend(amount))
        assert (entry is None) == (uses is None)
        if entry and uses:
            self.spends.append((entry, uses))

    async def give_back(self) -> None:
        if not self.spends:
            return
        entry, uses = self.chance.choice(self.spends)
        left = sum(part for _, part in uses)
        amount = self.chance.randint(1, left + 20)
        assert (await tried(self.purse.reverse(entry, amount)) is None) == (amount > left)
        if amount <= left:
            self.model.give_back(uses, amount)

    async def refund(self) -> None:
        if not self.purse.payments:
            return
        place = self.chance.randrange(len(self.purse.payments))
        wanted = self.chance.randint(1, 500)
        part, refund_id = await self.purse.release(self.purse.payments[place], wanted)
        assert part == min(wanted, self.model.free(place))
        self.model.lots[place] -= part
        if part and self.chance.random() < 0.5:
            await self.purse.restore(self.purse.payments[place], refund_id, part)
            self.model.lots[place] += part

    async def dispute(self) -> None:
        places = [place for place in range(len(self.purse.payments)) if place not in self.disputes]
        if not places:
            return
        place = self.chance.choice(places)
        amount = self.chance.randint(1, 900)
        self.disputes[place] = await self.purse.dispute(self.purse.payments[place], amount)
        await self.purse.freeze(self.disputes[place])
        self.model.frozen[place] = min(amount, self.model.free(place))

    async def decide(self) -> None:
        if not self.model.frozen:
            return
        place = self.chance.choice(sorted(self.model.frozen))
        dispute, frozen = self.disputes[place], self.model.frozen.pop(place)
        if self.chance.random() < 0.5:
            assert await self.purse.verdict(dispute, "won") == 0
            return
        took = min(dispute.amount, self.model.lots[place])
        assert await self.purse.verdict(dispute, "lost") == took >= frozen
        self.model.lots[place] -= took

    async def agree(self) -> None:
        """The lots and the ledger are what the model says."""
        frozen = self.model.frozen
        wanted = [(left, frozen.get(place, 0)) for place, left in enumerate(self.model.lots)]
        assert await self.purse.lots() == wanted
        if wanted:
            assert await self.purse.standing() == (sum(self.model.lots), sum(frozen.values()))


@pytest.mark.parametrize("seed", range(6))
async def test_any_sequence_agrees_with_a_model_of_whole_numbers(house: House, seed: int) -> None:
    story = Story(Purse(house, await house.add_guest()), seed)
    told: list[str] = []
    for _ in range(40):
        told.append(await story.step())
        await story.agree()
    assert set(told) == {"buy", "spend", "give_back", "refund", "dispute", "decide"}
    assert await findings(house) == []
