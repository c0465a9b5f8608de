"""Shifts and swaps: planned, published, never overlapping, handed over with approval; and the feed of one's own."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from lastlight.domains.staff import SHIFTS_PLAN, SHIFTS_READ, calendars
from lastlight.domains.staff.calendars import FeedShift, calendar_text, read_calendar, renew_calendar
from lastlight.domains.staff.errors import FeedUnknown, ShiftNotSwappable, ShiftsOverlap, SwapNotWaiting, SwapThere
from lastlight.domains.staff.listings import PLANNED_SHIFTS, SHIFTS
from lastlight.domains.staff.model import Shift, Swap
from lastlight.domains.staff.schemas import PublicationIn, ShiftChange, ShiftIn, SwapIn
from lastlight.domains.staff.shifts import cancel_shift, change_shift, find_shift, plan_shift, publish_shifts
from lastlight.domains.staff.swaps import answer_swap, approve_swap, ask_swap, refuse_swap, withdraw_swap
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.db.uow import system_ctx
from tests.support.door import House
from tests.support.workers import Worker, add_worker, told

HEAD = (SHIFTS_READ, SHIFTS_PLAN)


async def planned(head: Worker, who: Worker | None, *, start: int, hours: int = 4, **more: Any) -> Shift:
    """A shift that begins so many hours from now."""
    async with head.act() as ctx:
        starts_at = ctx.now + timedelta(hours=start)
        given: dict[str, Any] = {"venue_id": head.house.venue.id, "duty": "Bar"} | more
        shift = ShiftIn(
            starts_at=starts_at, ends_at=starts_at + timedelta(hours=hours), user_id=who and who.user_id, **given
        )
        return await plan_shift(ctx, data=shift)


async def published(head: Worker, *shifts: Shift) -> None:
    for shift in shifts:
        async with head.act() as ctx:
            span = PublicationIn(
                venue_id=shift.venue_id,
                starts_from=shift.starts_at,
                starts_to=shift.starts_at + timedelta(microseconds=1),
            )
            assert await publish_shifts(ctx, data=span) == 1


async def offered(who: Worker, shift: Shift, to: Worker, *, for_shift_id: UUID | None = None) -> Swap:
    async with who.act() as ctx:
        return await ask_swap(ctx, shift_id=shift.id, data=SwapIn(to_user_id=to.user_id, for_shift_id=for_shift_id))


async def people_of(house: House, *shifts: Shift) -> list[UUID]:
    rows = [await house.sql("select user_id from shifts where id = $1", shift.id) for shift in shifts]
    return [row[0]["user_id"] for row in rows]


async def test_a_shift_is_seen_once_it_is_published(house: House) -> None:
    head, who = await add_worker(house, *HEAD), await add_worker(house, SHIFTS_READ)
    shift = await planned(head, who, start=1)
    with pytest.raises(NotFound):
        async with who.act() as ctx:
            await find_shift(ctx, shift_id=shift.id)
    async with who.act() as ctx:
        assert shift.id not in {row.id for row in (await SHIFTS.page(ctx, SHIFTS.parse())).items}
    async with head.act() as ctx:
        assert shift.id in {row.id for row in (await PLANNED_SHIFTS.page(ctx, PLANNED_SHIFTS.parse())).items}
    await published(head, shift)
    async with who.act() as ctx:
        assert (await find_shift(ctx, shift_id=shift.id)).status == "published"
        assert shift.id in {row.id for row in (await SHIFTS.page(ctx, SHIFTS.parse())).items}
    assert await told(house, shift.id) == ["shift.changed", "shift.published"]


async def test_one_persons_shifts_never_overlap_even_when_planned_at_once(house: House) -> None:
    head, who = await add_worker(house, *HEAD), await add_worker(house)
    tries = await asyncio.gather(*(planned(head, who, start=10 + n) for n in range(4)), return_exceptions=True)
    assert sum(isinstance(found, Shift) for found in tries) == 1
    assert sum(isinstance(found, ShiftsOverlap) for found in tries) == 3
    free = await planned(head, None, start=10)
    with pytest.raises(ShiftsOverlap):
        async with head.act() as ctx:
            await change_shift(ctx, shift_id=free.id, data=ShiftChange(user_id=who.user_id), version=free.version)
    standing = next(found for found in tries if isinstance(found, Shift))
    async with head.act() as ctx:
        await cancel_shift(ctx, shift_id=standing.id, reason="Closed that night")
    async with head.act() as ctx:
        change = ShiftChange(user_id=who.user_id)
        assert (await change_shift(ctx, shift_id=free.id, data=change, version=free.version)).user_id == who.user_id
    with pytest.raises(Stale):
        async with head.act() as ctx:
            await change_shift(ctx, shift_id=free.id, data=ShiftChange(note="x"), version=free.version)


async def test_two_people_exchange_shifts_of_the_same_time_with_approval(house: House) -> None:
    head = await add_worker(house, *HEAD)
    one, other = await add_worker(house, SHIFTS_READ), await add_worker(house, SHIFTS_READ)
    mine, theirs = await planned(head, one, start=20), await planned(head, other, start=21)
    await published(head, mine, theirs)
    swap = await offered(one, mine, other, for_shift_id=theirs.id)
    with pytest.raises(SwapThere):
        await offered(one, mine, other)
    with pytest.raises(SwapNotWaiting):
        async with head.act() as ctx:
            await approve_swap(ctx, swap_id=swap.id, note="")
    async with other.act() as ctx:
        await answer_swap(ctx, swap_id=swap.id, status="accepted")
    async with head.act() as ctx:
        assert (await approve_swap(ctx, swap_id=swap.id, note="Fine")).status == "approved"
    assert await people_of(house, mine, theirs) == [other.user_id, one.user_id]
    assert await told(house, swap.id) == ["shift.swap_changed"] * 3


async def test_a_swap_with_another_venue_is_approved_by_who_plans_at_both(house: House) -> None:
    away = await house.add_venue()
    head = await add_worker(house, *HEAD)
    here = await add_worker(house, *HEAD, venues=[house.venue.id])
    one, other = await add_worker(house, SHIFTS_READ), await add_worker(house, SHIFTS_READ)
    mine, theirs = await planned(head, one, start=20), await planned(head, other, start=21, venue_id=away.id)
    await published(head, mine, theirs)
    swap = await offered(one, mine, other, for_shift_id=theirs.id)
    async with other.act() as ctx:
        await answer_swap(ctx, swap_id=swap.id, status="accepted")
    with pytest.raises(NotPermitted, match="another venue"):
        async with here.act() as ctx:
            await approve_swap(ctx, swap_id=swap.id, note="")
    assert await people_of(house, mine, theirs) == [one.user_id, other.user_id]
    async with head.act() as ctx:
        await approve_swap(ctx, swap_id=swap.id, note="")
    assert await people_of(house, mine, theirs) == [other.user_id, one.user_id]
    local = await add_worker(house, SHIFTS_READ, venues=[house.venue.id])
    own = await planned(head, local, start=40)
    await published(head, own)
    with pytest.raises(NotFound):
        await offered(local, own, one, for_shift_id=theirs.id)


async def test_a_shift_is_handed_over_unless_its_taker_works_then(house: House) -> None:
    head = await add_worker(house, *HEAD)
    one, other = await add_worker(house, SHIFTS_READ), await add_worker(house, SHIFTS_READ)
    mine, clash = await planned(head, one, start=30), await planned(head, other, start=31)
    await published(head, mine, clash)
    swap = await offered(one, mine, other)
    async with other.act() as ctx:
        await answer_swap(ctx, swap_id=swap.id, status="accepted")
    with pytest.raises(ShiftsOverlap):
        async with head.act() as ctx:
            await approve_swap(ctx, swap_id=swap.id, note="")
    assert await people_of(house, mine, clash) == [one.user_id, other.user_id]
    async with head.act() as ctx:
        await cancel_shift(ctx, shift_id=clash.id, reason="Not needed")
    async with head.act() as ctx:
        await approve_swap(ctx, swap_id=swap.id, note="")
    assert await people_of(house, mine) == [other.user_id]


async def test_who_may_offer_answer_and_take_back(house: House) -> None:
    head = await add_worker(house, *HEAD)
    one, other, third = [await add_worker(house, SHIFTS_READ) for _ in range(3)]
    shift = await planned(head, one, start=40)
    with pytest.raises(ShiftNotSwappable):
        await offered(one, shift, other)
    await published(head, shift)
    with pytest.raises(ShiftNotSwappable):
        await offered(third, shift, other)
    with pytest.raises(Invalid):
        await offered(one, shift, one)
    swap = await offered(one, shift, other)
    for somebody in (third, one):
        with pytest.raises(NotFound):
            async with somebody.act() as ctx:
                await answer_swap(ctx, swap_id=swap.id, status="accepted")
    with pytest.raises(NotFound):
        async with other.act() as ctx:
            await withdraw_swap(ctx, swap_id=swap.id)
    async with one.act() as ctx:
        assert (await withdraw_swap(ctx, swap_id=swap.id)).status == "withdrawn"
    again = await offered(one, shift, other)
    async with head.act() as ctx:
        assert (await refuse_swap(ctx, swap_id=again.id, note="We need you")).status == "refused"
    assert await people_of(house, shift) == [one.user_id]


async def read(house: House, url: str) -> str:
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        return (await read_calendar(ctx, token=url.rsplit("/", 1)[-1])).decode()


async def test_the_feed_shows_ones_published_shifts_until_it_is_renewed(house: House) -> None:
    await house.sql(
        "insert into tenant_modules (tenant_id, module, enabled) values ($1, 'staff', true) on conflict do nothing",
        house.tenant_id,
    )
    head, who = await add_worker(house, *HEAD), await add_worker(house, SHIFTS_READ)
    shift, draft = await planned(head, who, start=50), await planned(head, who, start=60)
    await published(head, shift)
    async with who.act() as ctx:
        first = (await renew_calendar(ctx)).url
    text = await read(house, first)
    assert f"UID:{shift.id}@lastlight\r\n" in text
    assert str(draft.id) not in text
    async with who.act() as ctx:
        second = (await renew_calendar(ctx)).url
    with pytest.raises(FeedUnknown):
        await read(house, first)
    await house.sql("update users set status = 'suspended' where id = $1", who.user_id)
    with pytest.raises(FeedUnknown):
        await read(house, second)
    await house.sql("update users set status_until = now() where id = $1", who.user_id)
    assert "BEGIN:VCALENDAR" in await read(house, second), "the suspension is over"
    await house.sql("update memberships set status = 'ended' where user_id = $1", who.user_id)
    for dead in (second, "/api/calendars/short", "/api/calendars/" + "A" * 54, "/api/calendars/é"):
        with pytest.raises(FeedUnknown):
            await read(house, dead)


def test_calendar_lines_are_escaped_and_folded_between_characters() -> None:
    at = datetime(2026, 11, 21, 20, tzinfo=UTC)
    shift = FeedShift(
        id=UUID(int=7),
        venue="Bar; door, left\\right",
        duty="Tür " + "ü" * 80,
        note="one\r\ntwo\x07",
        starts_at=at,
        ends_at=at + timedelta(hours=8),
        status="cancelled",
        updated_at=at,
        version=3,
    )
    body = calendar_text([shift], title="Shifts")
    lines = body.split(b"\r\n")
    assert max(len(line) for line in lines) <= calendars.LINE_OCTETS
    assert all(line.decode() is not None for line in lines), "no character is cut in two"
    unfolded = body.decode().replace("\r\n ", "").split("\r\n")
    assert "LOCATION:Bar\\; door\\, left\\\\right" in unfolded
    assert "DESCRIPTION:one\\ntwo" in unfolded
    assert f"SUMMARY:Tür {'ü' * 80} · Bar\\; door\\, left\\\\right" in unfolded
    assert {"DTSTART:20261121T200000Z", "DTEND:20261122T040000Z", "STATUS:CANCELLED", "SEQUENCE:3"} <= set(unfolded)
    assert unfolded[-2:] == ["END:VCALENDAR", ""]
