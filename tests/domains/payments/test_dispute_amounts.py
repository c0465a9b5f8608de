"""A dispute about another amount than before: what the bank has taken counts, and a part that comes back is for people to look at."""

from collections.abc import AsyncGenerator
from uuid import UUID

import msgspec
import pytest

from lastlight.domains.ledger import DISPUTES_HELD, account_id, balance
from lastlight.domains.payments.disputing import follow_dispute
from lastlight.domains.payments.journal import DisagreementError
from lastlight.domains.payments.model import Hint
from lastlight.domains.payments.queries import disputes_of, lock_payment, read_payment
from lastlight.runtime import processor
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.paying import TRIALS
from tests.support.payment_things import captured, dispute_of, movement
from tests.support.world import World, opened_world

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    async with opened_world(database_settings) as found:
        yield found


async def opened(world: World) -> tuple[UUID, processor.Dispute]:
    """A payment of which the bank has taken all, and the dispute as the provider has it."""
    payment_id = await captured(world.people.services, world.a.id)
    async with system_ctx(world.people.services, world.a.id) as ctx:
        payment = await lock_payment(ctx, payment_id=payment_id)
        seen = msgspec.structs.replace(dispute_of(payment), amount=4_000, balance_transactions=(moved(-4_000),))
        await follow_dispute(ctx, payment=payment, seen=seen, hint=Hint("poll"))
    TRIALS[world.a.id].taken = 0  # it knows of one payment at a time
    return payment_id, seen


def moved(amount: int) -> processor.BalanceTransaction:
    return movement(amount, kind="adjustment")


async def stands(world: World, payment_id: UUID) -> tuple[int, int, int]:
    """What of the payment is disputed, what its dispute is about, and what the ledger holds for the business's disputes."""
    async with system_ctx(world.people.services, world.a.id) as ctx:
        payment = await read_payment(ctx, payment_id=payment_id)
        [dispute] = await disputes_of(ctx, payment_id=payment_id)
        held = await balance(ctx, account=account_id(ctx.tenant_id, DISPUTES_HELD, "EUR"))
    return payment.disputed, dispute.amount, held


async def follow(world: World, payment_id: UUID, seen: processor.Dispute) -> None:
    async with system_ctx(world.people.services, world.a.id) as ctx:
        payment = await lock_payment(ctx, payment_id=payment_id)
        await follow_dispute(ctx, payment=payment, seen=seen, hint=Hint("poll"))


def with_more(seen: processor.Dispute, amount: int, *, status: str) -> processor.Dispute:
    return msgspec.structs.replace(
        seen, status=status, balance_transactions=(*seen.balance_transactions, moved(amount))
    )


@pytest.mark.parametrize("status", ["needs_response", "under_review"])
async def test_more_that_is_taken_before_the_verdict_is_disputed_and_frozen_too(world: World, status: str) -> None:
    payment_id, seen = await opened(world)
    disputed, amount, held = await stands(world, payment_id)
    assert (disputed, amount) == (4_000, 4_000)
    more, told = with_more(seen, -1_500, status=status), TRIALS[world.a.id].told
    told.clear()
    for _ in range(2):
        await follow(world, payment_id, more)
        assert await stands(world, payment_id) == (5_500, 5_500, held + 1_500)
        assert told == ["frozen 5500"]
    await follow(world, payment_id, with_more(more, 5_500, status="won"))
    assert await stands(world, payment_id) == (0, 5_500, held - 4_000)


@pytest.mark.parametrize("status", ["needs_response", "under_review", "lost"])
async def test_less_that_is_taken_in_its_place_is_disputed_and_frozen(world: World, status: str) -> None:
    payment_id, seen = await opened(world)
    _, _, held = await stands(world, payment_id)
    told = TRIALS[world.a.id].told
    told.clear()
    less = with_more(with_more(seen, 4_000, status="won"), -1_500, status=status)
    for _ in range(2):
        await follow(world, payment_id, less)
        assert await stands(world, payment_id) == (1_500, 1_500, held - (4_000 if status == "lost" else 2_500))
        assert told == ["frozen 1500", "lost 1500"][: 2 if status == "lost" else 1]


async def test_what_a_won_dispute_gives_back_may_come_after_its_verdict(world: World) -> None:
    payment_id, seen = await opened(world)
    _, _, held = await stands(world, payment_id)
    won = msgspec.structs.replace(seen, status="won")
    await follow(world, payment_id, won)
    assert await stands(world, payment_id) == (0, 4_000, held)
    back = with_more(won, 4_000, status="won")
    for _ in range(2):
        await follow(world, payment_id, back)
        assert await stands(world, payment_id) == (0, 4_000, held - 4_000)


async def test_a_verdict_that_turns_may_take_another_amount_than_before(world: World) -> None:
    payment_id, seen = await opened(world)
    _, _, held = await stands(world, payment_id)
    won = with_more(seen, 4_000, status="won")
    await follow(world, payment_id, won)
    await follow(world, payment_id, with_more(won, -2_500, status="under_review"))
    assert await stands(world, payment_id) == (2_500, 2_500, held - 4_000 + 2_500)


async def test_a_part_that_came_back_before_a_dispute_was_heard_of_is_seen(world: World) -> None:
    payment_id = await captured(world.people.services, world.a.id)
    async with system_ctx(world.people.services, world.a.id) as ctx:
        payment = await lock_payment(ctx, payment_id=payment_id)
        taken = msgspec.structs.replace(dispute_of(payment), amount=4_000, balance_transactions=(moved(-4_000),))
    with pytest.raises(DisagreementError, match="another amount came back than was taken"):
        await follow(world, payment_id, with_more(taken, 3_000, status="won"))


@pytest.mark.parametrize(
    ("amount", "status"),
    [(3_000, "won"), (3_000, "lost"), (1_000, "needs_response"), (1_000, "under_review"), (4_001, "won")],
)
async def test_where_a_part_comes_back_nothing_is_booked_and_somebody_has_to_look(
    world: World, amount: int, status: str
) -> None:
    payment_id, seen = await opened(world)
    before = await stands(world, payment_id)
    with pytest.raises(DisagreementError, match="another amount came back than was taken"):
        await follow(world, payment_id, with_more(seen, amount, status=status))
    assert await stands(world, payment_id) == before


@pytest.mark.parametrize("turns", [(-1_000,), (4_000, -2_500), (4_000, -4_000, -1_000)], ids=str)
async def test_a_verdict_that_stands_about_another_amount_costs_that(world: World, turns: tuple[int, ...]) -> None:
    payment_id, seen = await opened(world)
    _, _, held = await stands(world, payment_id)
    later = lost = msgspec.structs.replace(seen, status="lost")
    await follow(world, payment_id, lost)
    assert await stands(world, payment_id) == (4_000, 4_000, held - 4_000)
    for amount in turns:
        later = with_more(later, amount, status="lost")
    costs = 4_000 - sum(turns)
    for _ in range(2):
        await follow(world, payment_id, later)
        assert await stands(world, payment_id) == (costs, costs, held - 4_000)
    async with system_ctx(world.people.services, world.a.id) as ctx:
        [dispute] = await disputes_of(ctx, payment_id=payment_id)
    assert (dispute.status, dispute.lost) == ("lost", 0)
