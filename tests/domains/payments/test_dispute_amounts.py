"""A dispute about another amount than before: what the bank has taken and not given back counts, in whatever parts and order."""

from collections.abc import AsyncGenerator
from contextlib import nullcontext, suppress
from uuid import UUID

import msgspec
import pytest

from lastlight.domains.ledger import DISPUTES_HELD, account_id, balance, open_account
from lastlight.domains.payments.disputing import OVERTURNED, follow_dispute
from lastlight.domains.payments.journal import DisagreementError
from lastlight.domains.payments.looking import Seen
from lastlight.domains.payments.looking import follow as follow_payment
from lastlight.domains.payments.model import Hint
from lastlight.domains.payments.queries import disputes_of, lock_payment, read_payment, steps_of
from lastlight.runtime import processor
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.paying import TRIALS
from tests.support.payment_things import captured, dispute_of, intent_of, movement
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


TALES: list[tuple[str, tuple[int, ...], int]] = [
    ("lost", (-4_000, 1_500), 2_500),
    ("lost", (-4_000, 3_999), 1),
    ("lost", (-4_000, 4_000), 0),
    ("lost", (-4_000, -1_500, 1_500), 4_000),
    ("lost", (-4_000, -1_500, 4_000), 1_500),
    ("lost", (-4_000, -1_500, 4_000, 1_500), 0),
    ("lost", (-4_000, 4_000, -2_500, 1_000), 1_500),
    ("lost", (-4_000, 0, 1_500), 2_500),
    ("won", (-4_000, -1_500, 4_000, 1_500), 0),
    ("won", (-4_000, -1_500, 1_500, 4_000), 0),
    ("won", (-4_000, 1_000, 3_000), 0),
    ("won", (-4_000, 4_000, -1_500, 1_500), 0),
]
LOOKS = ("needs_response", "under_review", "verdict")


@pytest.mark.parametrize(("verdict", "tale", "costs"), TALES, ids=str)
async def test_the_end_is_the_same_however_often_and_when_we_looked(
    world: World, verdict: str, tale: tuple[int, ...], costs: int
) -> None:
    ways: list[list[tuple[int, str]]] = [
        [],
        *([(end, status)] for end in range(1, len(tale)) for status in LOOKS),
        [(end, "under_review") for end in range(1, len(tale) + 1)],
        [(end, "verdict") for end in range(1, len(tale) + 1)],
        [(len(tale), "needs_response")],
    ]
    for way in ways:
        payment_id, seen, held = await untold(world)
        movements = in_turn(tale)
        for end, status in [*way, (len(tale), "verdict"), (len(tale), "verdict")]:
            said = verdict if status == "verdict" else status
            so_far = msgspec.structs.replace(seen, status=said, balance_transactions=tuple(movements[:end]))
            await follow(world, payment_id, so_far)
        disputed, amount, now_held = await stands(world, payment_id)
        assert (disputed, now_held - held) == (costs, 0), way
        assert verdict == "won" or amount == costs, way
        async with system_ctx(world.people.services, world.a.id) as ctx:
            [dispute] = await disputes_of(ctx, payment_id=payment_id)
        assert (dispute.status, dispute.lost) == (verdict, 0), way


def in_turn(tale: tuple[int, ...], currency: str = "EUR") -> list[processor.BalanceTransaction]:
    """Movements one second after another."""
    rows = [movement(amount, kind="adjustment", currency=currency) for amount in tale]
    return [msgspec.structs.replace(one, created=one.created + place) for place, one in enumerate(rows)]


ABROAD: list[tuple[str, tuple[int, ...], int]] = [
    ("won", (-4_400, 4_400), 0),
    ("won", (-4_400, 4_350), 0),
    ("won", (-4_400, 4_600), 0),
    ("won", (-4_400, 1_100, 3_200), 0),
    ("won", (-4_400, -1_650, 6_100), 0),
    ("lost", (-4_400,), 4_000),
    ("lost", (-4_400, -1_650), 5_500),
    ("lost", (-4_400, 1_100), 3_000),
    ("lost", (-4_400, 0, 1_100, 550), 2_500),
    ("lost", (-4_400, 1), 3_999),
    ("lost", (-4_400, 4_400), 0),
    ("lost", (-4_400, 5_000), 0),
    ("lost", (-4_400, 4_400, -4_600), 4_000),
]


@pytest.mark.parametrize(("verdict", "tale", "costs"), ABROAD, ids=str)
async def test_what_is_settled_in_another_currency_is_disputed_by_the_first_withdrawal(
    world: World, verdict: str, tale: tuple[int, ...], costs: int
) -> None:
    ways: list[list[tuple[int, str]]] = [[], *([(end, status)] for end in range(1, len(tale)) for status in LOOKS)]
    for way in ways:
        payment_id, seen, held = await untold(world)
        movements = in_turn(tale, "USD")
        for end, status in [*way, (len(tale), "verdict"), (len(tale), "verdict")]:
            said = verdict if status == "verdict" else status
            so_far = msgspec.structs.replace(seen, status=said, balance_transactions=tuple(movements[:end]))
            with suppress(DisagreementError) if status != "verdict" else nullcontext():
                await follow(world, payment_id, so_far)
        disputed, amount, now_held = await stands(world, payment_id)
        assert (disputed, now_held - held) == (costs, 0), way
        assert verdict == "won" or amount == costs, way
        assert await booked(world, payment_id) == len(tale), way


async def booked(world: World, payment_id: UUID) -> int:
    """How many movements of its dispute are noted."""
    sql = "select count(*) from provider_movements where tenant_id = $1 and payment_id = $2 and dispute_id is not null"
    async with system_ctx(world.people.services, world.a.id) as ctx:
        return await ctx.db.fetchval(sql, world.a.id, payment_id)


async def test_what_came_back_abroad_waits_for_the_verdict_that_says_what_it_was(world: World) -> None:
    payment_id, seen, held = await untold(world)
    movements = tuple(in_turn((-4_400, 1_100), "USD"))
    open_one = msgspec.structs.replace(seen, balance_transactions=movements[:1])
    await follow(world, payment_id, open_one)
    assert await stands(world, payment_id) == (4_000, 4_000, held + 4_000)
    back = msgspec.structs.replace(open_one, balance_transactions=movements)
    with pytest.raises(DisagreementError, match="USD 1100 came back before a verdict, of 4000"):
        await follow(world, payment_id, back)
    assert await stands(world, payment_id) == (4_000, 4_000, held + 4_000)
    await follow(world, payment_id, msgspec.structs.replace(back, status="lost"))
    assert await stands(world, payment_id) == (3_000, 3_000, held)


async def test_exactly_what_was_taken_abroad_is_all_of_it_without_a_verdict(world: World) -> None:
    payment_id, seen, held = await untold(world)
    back = msgspec.structs.replace(seen, balance_transactions=tuple(in_turn((-4_400, -1_650, 6_050), "USD")))
    await follow(world, payment_id, back)
    assert (await stands(world, payment_id))[2] == held


async def test_an_inquiry_that_took_money_abroad_is_about_what_it_took(world: World) -> None:
    payment_id, seen, held = await untold(world)
    asks = msgspec.structs.replace(
        seen, status="warning_needs_response", balance_transactions=tuple(in_turn((-4_400,), "USD"))
    )
    await follow(world, payment_id, asks)
    assert await stands(world, payment_id) == (0, 4_000, held + 4_000)
    await follow(world, payment_id, msgspec.structs.replace(asks, status="needs_response", amount=5_000))
    assert await stands(world, payment_id) == (4_000, 4_000, held + 4_000)
    await follow(world, payment_id, msgspec.structs.replace(asks, status="lost", amount=5_000))
    assert await stands(world, payment_id) == (4_000, 4_000, held)


async def untold(world: World) -> tuple[UUID, processor.Dispute, int]:
    """A payment, a dispute of it that nobody has told us of, and what the ledger holds for the business's disputes."""
    payment_id = await captured(world.people.services, world.a.id)
    async with system_ctx(world.people.services, world.a.id) as ctx:
        payment = await read_payment(ctx, payment_id=payment_id)
        held = await balance(ctx, account=await open_account(ctx, kind=DISPUTES_HELD, currency="EUR"))
    TRIALS[world.a.id].taken = 0
    return payment_id, msgspec.structs.replace(dispute_of(payment), amount=4_000), held


@pytest.mark.parametrize("status", ["needs_response", "under_review"])
async def test_a_part_that_comes_back_before_the_verdict_is_disputed_no_more(world: World, status: str) -> None:
    payment_id, seen = await opened(world)
    _, _, held = await stands(world, payment_id)
    told = TRIALS[world.a.id].told
    told.clear()
    less = with_more(seen, 1_000, status=status)
    for _ in range(2):
        await follow(world, payment_id, less)
        assert await stands(world, payment_id) == (3_000, 3_000, held - 1_000)
        assert told == ["frozen 3000"]


@pytest.mark.parametrize("looked", [False, True])
async def test_what_is_lost_though_nothing_was_taken_costs_nothing_until_money_moves(
    world: World, looked: bool
) -> None:
    payment_id, seen, held = await untold(world)
    open_one = msgspec.structs.replace(seen, balance_transactions=())
    if looked:
        await follow(world, payment_id, open_one)
    told = TRIALS[world.a.id].told
    told.clear()
    await follow(world, payment_id, msgspec.structs.replace(open_one, status="lost"))
    assert await stands(world, payment_id) == (0, 4_000, held)
    assert told == (["won 0"] if looked else [])
    await follow(world, payment_id, with_more(open_one, -2_500, status="lost"))
    assert await stands(world, payment_id) == (2_500, 2_500, held)
    assert told[-2:] == ["frozen 2500", "lost 2500"]


async def test_what_is_taken_again_before_a_won_dispute_turns_is_told_with_its_turn(world: World) -> None:
    payment_id, seen = await opened(world)
    _, _, held = await stands(world, payment_id)
    won = with_more(seen, 4_000, status="won")
    await follow(world, payment_id, won)
    told = TRIALS[world.a.id].told
    told.clear()
    again = with_more(won, -2_500, status="won")
    await follow(world, payment_id, again)
    assert await stands(world, payment_id) == (0, 4_000, held - 4_000 + 2_500)
    assert (told, await turns(world, payment_id)) == ([], 0)
    for _ in range(2):
        await follow(world, payment_id, msgspec.structs.replace(again, status="lost"))
        assert await stands(world, payment_id) == (2_500, 2_500, held - 4_000)
        assert await turns(world, payment_id) == 1


async def turns(world: World, payment_id: UUID) -> int:
    """How often people were told that its dispute is decided otherwise."""
    async with system_ctx(world.people.services, world.a.id) as ctx:
        return sum(one.step == OVERTURNED for one in await steps_of(ctx, payment_id=payment_id))


@pytest.mark.parametrize("status", ["needs_response", "won", "lost"])
async def test_more_back_than_was_taken_is_not_booked_and_holds_up_nothing_else(world: World, status: str) -> None:
    payment_id, seen = await opened(world)
    before = await stands(world, payment_id)
    wrong = with_more(seen, 4_001, status=status)
    with pytest.raises(DisagreementError, match="more came back than was taken"):
        await follow(world, payment_id, wrong)
    assert await stands(world, payment_id) == before
    async with system_ctx(world.people.services, world.a.id) as ctx:
        payment = await lock_payment(ctx, payment_id=payment_id)
        later = msgspec.structs.replace(
            dispute_of(payment), amount=700, balance_transactions=(moved(-700),), created=seen.created + 1
        )
        intent = intent_of(payment, moved=movement(10_000))
        found = await follow_payment(
            ctx,
            payment=payment,
            seen=Seen(at=ctx.now, intent=intent, disputes=[later, wrong]),
            hint=Hint("poll"),
        )
    assert [str(one) for one in found] == [f"{seen.id}: more came back than was taken"]
    async with system_ctx(world.people.services, world.a.id) as ctx:
        payment = await read_payment(ctx, payment_id=payment_id)
        amounts = [one.amount for one in await disputes_of(ctx, payment_id=payment_id)]
    assert (payment.disputed, sorted(amounts)) == (4_700, [700, 4_000])


@pytest.mark.parametrize("turns", [(-1_000,), (1_500,), (4_000,), (4_000, -2_500), (4_000, -4_000, -1_000)], ids=str)
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
