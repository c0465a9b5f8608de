"""Forgotten clock-outs are noticed once and given to people; no hours are made up. Shifts are reminded of once."""

from datetime import timedelta
from uuid import UUID

from lastlight.domains.staff import SHIFTS_PLAN, SHIFTS_READ, TIME_CLOCK, TIME_READ
from lastlight.domains.staff.clock import clock_in, clock_out, read_entry
from lastlight.domains.staff.corrections import approve_correction
from lastlight.domains.staff.figures import time_sheets
from lastlight.domains.staff.forgotten import find_forgotten, remind_of_shifts
from lastlight.domains.staff.jobs import tenants_at_work, tenants_with_shifts_coming
from lastlight.domains.staff.permissions import TIME_APPROVE
from lastlight.domains.staff.schemas import DaysQuery, ShiftChange
from lastlight.domains.staff.screens import read_duty
from lastlight.domains.staff.shifts import change_shift
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.db.uow import system_ctx
from tests.domains.staff.test_clock import asked
from tests.domains.staff.test_schedule import planned, published
from tests.support.door import House
from tests.support.workers import Worker, add_worker, told


async def in_since(who: Worker, *, hours: float) -> UUID:
    """Somebody's open time that began so many hours ago."""
    async with who.act() as ctx:
        entry = await clock_in(ctx, venue_id=who.house.venue.id, position=None)
    sql = "update time_entries set started_at = started_at - $2::interval where id = $1"
    await who.house.sql(sql, entry.id, timedelta(hours=hours))
    return entry.id


async def tasks_of(house: House, entry_id: UUID) -> list[str]:
    rows = await house.sql("select status from tasks where source = 'time' and source_id = $1", entry_id)
    return [row["status"] for row in rows]


async def noticed(house: House) -> int:
    async with house.system() as ctx:
        return await find_forgotten(ctx, limit=100)


async def at_work(house: House) -> bool:
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        return house.tenant_id in await tenants_at_work(ctx)


async def test_who_stays_clocked_in_is_noticed_once_and_nobody_invents_their_hours(house: House) -> None:
    who, head = await add_worker(house, TIME_CLOCK), await add_worker(house, TIME_READ)
    recent, entry_id = await add_worker(house, TIME_CLOCK), await in_since(who, hours=15)
    still = await in_since(recent, hours=3)
    assert await at_work(house)
    assert await noticed(house) == 1
    assert await noticed(house) == 0
    assert await tasks_of(house, entry_id) == ["open"]
    assert await tasks_of(house, still) == []
    assert await told(house, entry_id) == ["time.clocked_in", "time.clock_out_forgotten"]
    rows = await house.sql("select status, ended_at, worked_seconds from time_entries where id = $1", entry_id)
    assert tuple(rows[0]) == ("open", None, None)
    async with head.act() as ctx:
        on = {one.id: one.forgotten for one in (await read_duty(ctx)).on}
        assert (on[entry_id], on[still]) == (True, False)
        day = DaysQuery(first=ctx.now.date() - timedelta(days=2), last=ctx.now.date())
        sheets = {sheet.user_id: sheet for sheet in (await time_sheets(ctx, query=day)).items}
    assert (sheets[who.user_id].worked_seconds, sheets[who.user_id].days[0].is_open) == (0, True)
    async with who.act() as ctx:
        await clock_out(ctx, position=None)
    assert await tasks_of(house, entry_id) == ["cancelled"]
    async with recent.act() as ctx:
        await clock_out(ctx, position=None)


async def test_the_end_of_a_shift_counts_where_there_is_one(house: House) -> None:
    planner, who = await add_worker(house, SHIFTS_READ, SHIFTS_PLAN), await add_worker(house, TIME_CLOCK)
    approver = await add_worker(house, TIME_CLOCK, TIME_READ, TIME_APPROVE)
    shift = await planned(planner, who, start=-5, hours=4)
    await published(planner, shift)
    entry_id = await in_since(who, hours=4.9)
    await house.sql("update time_entries set shift_id = $2 where id = $1", entry_id, shift.id)
    await house.sql("update shifts set ends_at = now() - interval '50 minutes' where id = $1", shift.id)
    await noticed(house)
    assert await tasks_of(house, entry_id) == [], "an hour after the shift is still in time"
    await house.sql("update shifts set ends_at = now() - interval '70 minutes' where id = $1", shift.id)
    await noticed(house)
    assert await tasks_of(house, entry_id) == ["open"]
    async with who.act() as ctx:
        entry = await read_entry(ctx, entry_id=entry_id)
    correction = await asked(who, entry)
    async with approver.act() as ctx:
        await approve_correction(ctx, correction_id=correction.id, note="")
    assert await tasks_of(house, entry_id) == ["cancelled"]
    rows = await house.sql("select worked_seconds from time_entries where id = $1", entry_id)
    assert rows[0]["worked_seconds"] == 3600


async def test_a_shift_is_reminded_of_once_and_again_when_it_moves(house: House) -> None:
    planner, who = await add_worker(house, SHIFTS_READ, SHIFTS_PLAN), await add_worker(house, SHIFTS_READ)
    shift, far = await planned(planner, who, start=1), await planned(planner, who, start=30)
    await published(planner, shift, far)

    async def reminded() -> int:
        async with house.system() as ctx:
            return await remind_of_shifts(ctx, limit=100)

    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        assert house.tenant_id in await tenants_with_shifts_coming(ctx)
    assert await reminded() >= 1
    assert (await told(house, shift.id)).count("shift.reminded") == 1
    assert await reminded() == 0
    assert "shift.reminded" not in await told(house, far.id)
    version = (await house.sql("select version from shifts where id = $1", shift.id))[0]["version"]
    async with planner.act() as ctx:
        later = ShiftChange(starts_at=shift.starts_at + timedelta(minutes=10))
        await change_shift(ctx, shift_id=shift.id, data=later, version=version)
    assert await reminded() == 1
    assert (await told(house, shift.id)).count("shift.reminded") == 2
    await house.sql(
        "insert into tenant_settings (tenant_id, key, value) values ($1, 'staff.remind_minutes', '0')", house.tenant_id
    )
    await house.sql("update shifts set reminded_at = null where id = $1", shift.id)
    try:
        assert await reminded() == 0
    finally:
        await house.sql("delete from tenant_settings where tenant_id = $1", house.tenant_id)
