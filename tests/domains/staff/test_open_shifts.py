"""Open shifts that somebody takes: at once, with approval, or not at all; and never by two."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from lastlight.domains.staff import SHIFTS_PLAN, SHIFTS_READ
from lastlight.domains.staff.errors import OpenShiftsGiven, ShiftNotOpen, ShiftsOverlap, SwapThere
from lastlight.domains.staff.model import Shift
from lastlight.domains.staff.schemas import ShiftChange, TakenOut
from lastlight.domains.staff.screens import open_shifts, own_swaps
from lastlight.domains.staff.shifts import change_shift
from lastlight.domains.staff.swaps import approve_swap, refuse_swap, take_shift, withdraw_swap
from lastlight.kernel.errors import NotFound
from tests.domains.staff.test_schedule import people_of, planned, published
from tests.support.door import House
from tests.support.workers import Worker, add_worker, told

HEAD = (SHIFTS_READ, SHIFTS_PLAN)


@asynccontextmanager
async def ruled(house: House, rule: str) -> AsyncGenerator[None]:
    """A business that lets people take open shifts in another way than it does by default."""
    await house.sql(
        "insert into tenant_settings (tenant_id, key, value) values ($1, 'staff.open_shifts', to_jsonb($2::text))",
        house.tenant_id,
        rule,
    )
    try:
        yield
    finally:
        await house.sql("delete from tenant_settings where tenant_id = $1", house.tenant_id)


async def taken(who: Worker, shift: Shift) -> TakenOut:
    async with who.act() as ctx:
        return await take_shift(ctx, shift_id=shift.id)


async def opened(house: House, *, start: int) -> tuple[Worker, Shift]:
    head = await add_worker(house, *HEAD)
    shift = await planned(head, None, start=start)
    await published(head, shift)
    return head, shift


async def test_a_planner_approves_who_takes_an_open_shift(house: House) -> None:
    head, shift = await opened(house, start=500)
    who, other = await add_worker(house, SHIFTS_READ), await add_worker(house, SHIFTS_READ)
    async with who.act() as ctx:
        assert shift.id in {one.id for one in await open_shifts(ctx)}
    swap = (await taken(who, shift)).swap
    assert swap is not None
    assert (swap.from_user_id, swap.to_user_id, swap.status) == (None, who.user_id, "accepted")
    assert await people_of(house, shift) == [None]
    with pytest.raises(SwapThere):
        await taken(other, shift)
    async with who.act() as ctx:
        assert [one.shift_id for one in await own_swaps(ctx)] == [shift.id]
    async with head.act() as ctx:
        assert (await approve_swap(ctx, swap_id=swap.id, note="")).status == "approved"
    assert await people_of(house, shift) == [who.user_id]
    assert await told(house, swap.id) == ["shift.swap_changed"] * 2
    with pytest.raises(ShiftNotOpen):
        await taken(other, shift)


async def test_what_was_asked_for_is_taken_back_or_refused_and_free_again(house: House) -> None:
    head, shift = await opened(house, start=520)
    who, other = await add_worker(house, SHIFTS_READ), await add_worker(house, SHIFTS_READ)
    swap = (await taken(who, shift)).swap
    assert swap is not None
    with pytest.raises(NotFound):
        async with other.act() as ctx:
            await withdraw_swap(ctx, swap_id=swap.id)
    async with who.act() as ctx:
        assert (await withdraw_swap(ctx, swap_id=swap.id)).status == "withdrawn"
    again = (await taken(other, shift)).swap
    assert again is not None
    async with head.act() as ctx:
        assert (await refuse_swap(ctx, swap_id=again.id, note="You rest that day")).status == "refused"
    assert await people_of(house, shift) == [None]


async def test_of_two_who_take_a_shift_at_once_one_has_it(house: House) -> None:
    _, shift = await opened(house, start=540)
    people = [await add_worker(house, SHIFTS_READ) for _ in range(4)]
    async with ruled(house, "direct"):
        tries = await asyncio.gather(*(taken(who, shift) for who in people), return_exceptions=True)
    won = [one for one in tries if isinstance(one, TakenOut)]
    assert [one.swap for one in won] == [None]
    assert sum(isinstance(one, ShiftNotOpen) for one in tries) == 3
    assert await people_of(house, shift) == [won[0].shift.user_id]
    assert (await told(house, shift.id))[-1] == "shift.published"


async def test_nobody_takes_a_shift_while_they_work_elsewhere(house: House) -> None:
    head, shift = await opened(house, start=560)
    who = await add_worker(house, SHIFTS_READ)
    await published(head, await planned(head, who, start=561))
    async with ruled(house, "direct"):
        with pytest.raises(ShiftsOverlap):
            await taken(who, shift)
    assert await people_of(house, shift) == [None]


async def test_a_business_may_keep_giving_to_its_planners(house: House) -> None:
    head, shift = await opened(house, start=580)
    who = await add_worker(house, SHIFTS_READ)
    async with ruled(house, "off"):
        with pytest.raises(OpenShiftsGiven):
            await taken(who, shift)
    hidden = await planned(head, None, start=590)
    with pytest.raises(NotFound):
        await taken(who, hidden)
    elsewhere = await house.add_venue()
    stranger = await add_worker(house, SHIFTS_READ, venues=[elsewhere.id])
    with pytest.raises(NotFound):
        await taken(stranger, shift)


async def test_giving_it_to_somebody_ends_what_others_asked_for(house: House) -> None:
    head, shift = await opened(house, start=600)
    who, given = await add_worker(house, SHIFTS_READ), await add_worker(house, SHIFTS_READ)
    swap = (await taken(who, shift)).swap
    assert swap is not None
    async with head.act() as ctx:
        await change_shift(ctx, shift_id=shift.id, data=ShiftChange(user_id=given.user_id), version=2)
    rows = await house.sql("select status from shift_swaps where id = $1", swap.id)
    assert rows[0]["status"] == "withdrawn"
