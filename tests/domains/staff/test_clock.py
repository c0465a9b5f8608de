"""Clocked time: in and out at the venue, breaks, corrections that another approves, time sheets and figures."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from lastlight.domains.staff import STAFF_PERFORMANCE, TIME_CLOCK, TIME_READ
from lastlight.domains.staff.clock import clock_in, clock_out, end_break, start_break, where_i_stand
from lastlight.domains.staff.corrections import (
    approve_correction,
    ask_correction,
    refuse_correction,
    withdraw_correction,
)
from lastlight.domains.staff.errors import (
    AlreadyClockedIn,
    ClockOutsideGeofence,
    ClockPositionNeeded,
    CorrectionDecided,
    CorrectionThere,
    EntriesOverlap,
    NotClockedIn,
    NotOnBreak,
    OnBreak,
    OwnCorrection,
)
from lastlight.domains.staff.figures import performance, time_sheets
from lastlight.domains.staff.listings import ENTRIES
from lastlight.domains.staff.model import ClockPosition, Correction, TimeEntry
from lastlight.domains.staff.permissions import TIME_APPROVE
from lastlight.domains.staff.schemas import CorrectionIn, DaysQuery
from lastlight.domains.tasks import create_task
from lastlight.kernel.errors import Invalid, NotFound
from tests.support.door import HERE, House
from tests.support.workers import Worker, add_worker, told

AT_VENUE = ClockPosition(lat=HERE.lat, lon=HERE.lon, accuracy_m=10)
AWAY = ClockPosition(lat=HERE.lat + 0.1, lon=HERE.lon, accuracy_m=10)
HEAD = (TIME_CLOCK, TIME_READ, TIME_APPROVE, STAFF_PERFORMANCE)


async def came(who: Worker, *, position: ClockPosition | None = None, **more: Any) -> TimeEntry:
    async with who.act() as ctx:
        return await clock_in(ctx, venue_id=more.get("venue_id", who.house.venue.id), position=position)


async def worked(who: Worker, *, hours: int) -> TimeEntry:
    """Time that began so many hours ago and ends now."""
    entry = await came(who)
    sql = "update time_entries set started_at = started_at - $2::interval where id = $1"
    await who.house.sql(sql, entry.id, timedelta(hours=hours))
    async with who.act() as ctx:
        return await clock_out(ctx, position=None)


async def asked(who: Worker, entry: TimeEntry, **more: Any) -> Correction:
    given: dict[str, Any] = {
        "entry_id": entry.id,
        "started_at": entry.started_at,
        "ended_at": entry.started_at + timedelta(hours=1),
        "reason": "I forgot to clock out",
    } | more
    async with who.act() as ctx:
        return await ask_correction(ctx, data=CorrectionIn(**given))


async def test_time_is_clocked_with_its_breaks(house: House) -> None:
    who = await add_worker(house, TIME_CLOCK)
    entry = await came(who, position=AT_VENUE)
    async with who.act() as ctx:
        assert (await start_break(ctx)).break_since is not None
    with pytest.raises(OnBreak):
        async with who.act() as ctx:
            await start_break(ctx)
    ago = timedelta(hours=3)
    await house.sql("update time_entries set started_at = started_at - $2::interval where id = $1", entry.id, ago)
    sql = "update time_breaks set started_at = started_at - $2::interval where entry_id = $1"
    await house.sql(sql, entry.id, timedelta(minutes=30))
    async with who.act() as ctx:
        assert (await end_break(ctx)).break_since is None
    with pytest.raises(NotOnBreak):
        async with who.act() as ctx:
            await end_break(ctx)
    async with who.act() as ctx:
        done = await clock_out(ctx, position=None)
    assert done.status == "closed"
    assert done.ended_at is not None
    assert 1800 <= done.break_seconds < 1860
    assert done.worked_seconds == int((done.ended_at - done.started_at).total_seconds()) - done.break_seconds
    names = ["time.clocked_in", "time.break_started", "time.break_ended", "time.clocked_out"]
    assert await told(house, entry.id) == names
    with pytest.raises(NotClockedIn):
        async with who.act() as ctx:
            await clock_out(ctx, position=None)


async def test_one_is_clocked_in_once_however_often_one_taps(house: House) -> None:
    who = await add_worker(house, TIME_CLOCK)
    tries = await asyncio.gather(*(came(who) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(found, TimeEntry) for found in tries) == 1
    assert all(isinstance(found, TimeEntry | AlreadyClockedIn | EntriesOverlap) for found in tries)
    async with who.act() as ctx:
        stands = await where_i_stand(ctx)
    assert stands.entry is not None


@pytest.mark.parametrize(
    ("rule", "position", "problem"),
    [
        ("when_given", AWAY, ClockOutsideGeofence),
        ("when_given", None, None),
        ("required", None, ClockPositionNeeded),
        ("required", AWAY, ClockOutsideGeofence),
        ("required", AT_VENUE, None),
        ("off", AWAY, None),
    ],
)
async def test_the_fence_holds_as_the_business_wants(
    house: House, rule: str, position: ClockPosition | None, problem: type[Exception] | None
) -> None:
    who = await add_worker(house, TIME_CLOCK)
    sql = """insert into tenant_settings (tenant_id, key, value) values ($1, 'staff.clock_geofence', to_jsonb($2::text))
             on conflict (tenant_id, key) do update set value = excluded.value"""
    await house.sql(sql, house.tenant_id, rule)
    try:
        if problem is None:
            entry = await came(who, position=position)
            where = "not_given" if position is None else "unchecked" if rule == "off" else "at_venue"
            assert (entry.status, entry.in_place, entry.out_place) == ("open", where, None)
            async with who.act() as ctx:
                assert (await clock_out(ctx, position=position)).out_place == where
            head = await add_worker(house, *HEAD)
            async with head.act() as ctx:
                query = ENTRIES.parse(user_id=[str(who.user_id)], in_place=[where])
                assert [row.in_place for row in (await ENTRIES.page(ctx, query)).items] == [where]
        else:
            with pytest.raises(problem):
                await came(who, position=position)
            rows = await house.sql("select 1 from time_entries where user_id = $1", who.user_id)
            assert rows == []
    finally:
        await house.sql("delete from tenant_settings where tenant_id = $1", house.tenant_id)


async def test_a_correction_counts_once_another_approves_it(house: House) -> None:
    who, head = await add_worker(house, TIME_CLOCK), await add_worker(house, *HEAD)
    entry = await worked(who, hours=9)
    correction = await asked(who, entry, break_minutes=15)
    with pytest.raises(CorrectionThere):
        await asked(who, entry)
    async with head.act() as ctx:
        done = await approve_correction(ctx, correction_id=correction.id, note="")
    assert done.status == "approved"
    rows = await house.sql("select worked_seconds, corrected_at from time_entries where id = $1", entry.id)
    assert (rows[0]["worked_seconds"], rows[0]["corrected_at"] is not None) == (2700, True)
    with pytest.raises(CorrectionDecided):
        async with head.act() as ctx:
            await refuse_correction(ctx, correction_id=correction.id, note="too late")
    assert await told(house, correction.id) == ["time.correction_changed"] * 2


async def test_nobody_decides_their_own_time(house: House) -> None:
    head = await add_worker(house, *HEAD)
    entry = await worked(head, hours=5)
    correction = await asked(head, entry)
    for decide in (approve_correction, refuse_correction):
        with pytest.raises(OwnCorrection):
            async with head.act() as ctx:
                await decide(ctx, correction_id=correction.id, note="fine")
    rows = await house.sql("select worked_seconds from time_entries where id = $1", entry.id)
    assert rows[0]["worked_seconds"] == entry.worked_seconds
    other = await add_worker(house, TIME_CLOCK)
    with pytest.raises(NotFound):
        async with other.act() as ctx:
            await withdraw_correction(ctx, correction_id=correction.id)
    with pytest.raises(NotFound):
        await asked(other, entry)


async def test_time_never_clocked_is_added_but_never_twice_at_once(house: House) -> None:
    who, head = await add_worker(house, TIME_CLOCK), await add_worker(house, *HEAD)
    entry = await worked(who, hours=4)
    before = {"entry_id": None, "venue_id": house.venue.id, "started_at": entry.started_at - timedelta(hours=2)}
    free = await asked(who, entry, **before, ended_at=entry.started_at - timedelta(hours=1))
    async with head.act() as ctx:
        assert (await approve_correction(ctx, correction_id=free.id, note="")).entry_id is not None
    clash = await asked(who, entry, **before, ended_at=entry.started_at + timedelta(minutes=5))
    with pytest.raises(EntriesOverlap):
        async with head.act() as ctx:
            await approve_correction(ctx, correction_id=clash.id, note="")
    rows = await house.sql("select status from time_corrections where id = $1", clash.id)
    assert rows[0]["status"] == "asked"


async def test_a_correction_of_the_future_is_refused(house: House) -> None:
    who = await add_worker(house, TIME_CLOCK)
    entry = await worked(who, hours=1)
    with pytest.raises(Invalid) as refused:
        await asked(who, entry, ended_at=entry.started_at + timedelta(hours=5), started_at=datetime(2026, 1, 1))  # noqa: DTZ001 - without an offset
    assert set(refused.value.fields) == {"started_at", "ended_at"}


async def test_sheets_and_figures_add_up(house: House) -> None:
    roof = await house.add_venue()
    who, head = await add_worker(house, TIME_CLOCK, name="Aaa"), await add_worker(house, *HEAD, venues=[roof.id])
    async with house.system() as ctx:
        now, day = ctx.now, roof.business_day(ctx.now)
        for _ in range(2):
            await create_task(ctx, venue_id=roof.id, title="Sweep", assignee_id=who.user_id)
    await house.sql(
        """update tasks set assigned_at = now() - interval '100 seconds', started_at = now() - interval '40 seconds',
                  started_by = assignee_id, status = 'started' where venue_id = $1""",
        roof.id,
    )
    for start, end in ((-5, -1), (-30, -26)):
        await house.sql(
            """insert into shifts (tenant_id, venue_id, user_id, starts_at, ends_at, status, published_at)
               values ($1, $2, $3, $4, $5, 'published', now())""",
            house.tenant_id,
            roof.id,
            who.user_id,
            *(now + timedelta(hours=hours) for hours in (start, end)),
        )
    await house.sql(
        """insert into time_entries (tenant_id, venue_id, user_id, status, started_at, ended_at, business_day)
           values ($1, $2, $3, 'closed', $4, $5, $6)""",
        house.tenant_id,
        roof.id,
        who.user_id,
        now - timedelta(hours=4),
        now - timedelta(hours=1),
        day,
    )
    query = DaysQuery(first=day - timedelta(days=3), last=day + timedelta(days=1))
    async with head.act() as ctx:
        sheets = await time_sheets(ctx, query=query)
        figures = (await performance(ctx, query=query)).items
    assert [(sheet.person, sheet.worked_seconds, len(sheet.days)) for sheet in sheets.items] == [("Aaa", 10_800, 1)]
    (one,) = figures
    assert (one.tasks_given, one.tasks_done, one.response_median) == (2, 0, 60)
    assert (one.shifts_planned, one.shifts_attended, one.shifts_late, one.shifts_missed) == (2, 1, 1, 1)
    assert (one.late_seconds, one.worked_seconds) == (3600, 10_800)
