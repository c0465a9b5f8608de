"""Repeating tasks: their rhythm on the venue's clock, and one task for each time."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lastlight.domains.tasks import TASKS_MANAGE
from lastlight.domains.tasks.jobs import tenants_with_tasks_due
from lastlight.domains.tasks.model import Rhythm
from lastlight.domains.tasks.recurring import change_recurrence, end_recurrence, make_due_tasks, plan_recurrence
from lastlight.domains.tasks.schemas import RecurrenceChange, RecurrenceIn
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.door import House, opened_house
from tests.support.workers import add_worker

JOBURG = ZoneInfo("Africa/Johannesburg")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


@pytest.mark.parametrize(
    ("rhythm", "after", "zone", "due"),
    [
        (Rhythm(every="day", due_minute=1080), "2026-11-21T15:59:00+00:00", JOBURG, "2026-11-21T16:00:00+00:00"),
        (Rhythm(every="day", due_minute=1080), "2026-11-21T16:00:00+00:00", JOBURG, "2026-11-22T16:00:00+00:00"),
        (Rhythm(every="week", weekdays=(1, 5)), "2026-11-21T12:00:00+00:00", JOBURG, "2026-11-22T22:00:00+00:00"),
        (Rhythm(every="month", month_day=31), "2027-02-01T12:00:00+00:00", JOBURG, "2027-02-27T22:00:00+00:00"),
        (Rhythm(every="day", due_minute=150), "2027-03-27T12:00:00+00:00", BERLIN, "2027-03-28T01:00:00+00:00"),
        (Rhythm(every="day", due_minute=720), "2027-03-27T12:00:00+00:00", BERLIN, "2027-03-28T10:00:00+00:00"),
    ],
    ids=["later today", "tomorrow", "monday", "a short month's last day", "a skipped hour", "summer time"],
)
def test_a_rhythm_keeps_the_venues_clock(rhythm: Rhythm, after: str, zone: ZoneInfo, due: str) -> None:
    assert rhythm.next_due(datetime.fromisoformat(after), zone).astimezone(UTC).isoformat() == due


def half_a_day_away() -> int:
    """A time of the venue's day that is in nobody's lead: a plan for it makes no task of its own now."""
    now = datetime.now(JOBURG)
    return (now.hour * 60 + now.minute + 720) % 1440


async def planned(house: House, **fields: Any) -> Any:
    head = await add_worker(house, TASKS_MANAGE)
    given: dict[str, Any] = {
        "venue_id": house.venue.id,
        "title": "Count the till",
        "every": "day",
        "due_minute": half_a_day_away(),
    } | fields
    async with head.act() as ctx:
        return await plan_recurrence(ctx, data=RecurrenceIn(**given))


async def due_since(house: House, recurrence_id: Any, ago: timedelta) -> None:
    sql = "update task_recurrences set next_due_at = now() - $2::interval where id = $1"
    await house.sql(sql, recurrence_id, ago)


async def tasks_of(house: House, recurrence_id: Any) -> list[Any]:
    return await house.sql("select * from tasks where recurrence_id = $1 order by due_at", recurrence_id)


async def test_each_time_makes_one_task_and_the_next_time_lies_ahead(house: House) -> None:
    worker = await add_worker(house)
    plan = await planned(house, assignee_id=worker.user_id, remind_minutes=30)
    await due_since(house, plan.id, timedelta(minutes=2))
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        assert house.tenant_id in await tenants_with_tasks_due(ctx)
    for _ in range(2):
        async with house.system() as ctx:
            await make_due_tasks(ctx, limit=100)
    made = await tasks_of(house, plan.id)
    assert [(row["title"], row["assignee_id"], row["source"]) for row in made] == [
        ("Count the till", worker.user_id, "recurrence")
    ]
    assert made[0]["due_at"] - made[0]["remind_at"] == timedelta(minutes=30)
    rows = await house.sql("select next_due_at > now() as ahead from task_recurrences where id = $1", plan.id)
    assert rows[0]["ahead"]


async def test_a_rhythm_that_is_changed_there_and_back_makes_no_second_task_and_stops_no_other(house: House) -> None:
    head, twice = await add_worker(house, TASKS_MANAGE), await planned(house, due_minute=1439, lead_minutes=1440)
    async with house.system() as ctx:
        await make_due_tasks(ctx, limit=100)
    [made] = await tasks_of(house, twice.id)
    for minute in (1438, 1439):
        async with head.act() as ctx:
            [row] = await house.sql("select version from task_recurrences where id = $1", twice.id)
            change = RecurrenceChange(due_minute=minute)
            plan = await change_recurrence(ctx, recurrence_id=twice.id, data=change, version=row["version"])
    assert plan.next_due_at == made["due_at"]
    other = await planned(house)
    await due_since(house, other.id, timedelta(minutes=1))
    async with house.system() as ctx:
        await make_due_tasks(ctx, limit=100)
    assert [len(await tasks_of(house, one)) for one in (twice.id, other.id)] == [1, 1]
    [row] = await house.sql(
        "select next_due_at > $2 as ahead from task_recurrences where id = $1", twice.id, made["due_at"]
    )
    assert row["ahead"]


async def test_what_was_missed_long_ago_is_not_made_and_a_leaver_gets_nothing(house: House) -> None:
    worker = await add_worker(house)
    missed = await planned(house)
    left = await planned(house, assignee_id=worker.user_id)
    await due_since(house, missed.id, timedelta(days=3))
    await due_since(house, left.id, timedelta(minutes=1))
    await house.sql("update memberships set status = 'ended' where user_id = $1", worker.user_id)
    async with house.system() as ctx:
        await make_due_tasks(ctx, limit=100)
    assert await tasks_of(house, missed.id) == []
    assert [row["assignee_id"] for row in await tasks_of(house, left.id)] == [None]
    rows = await house.sql(
        "select now() - next_due_at < interval '12 hours' as near from task_recurrences where id = $1", missed.id
    )
    assert rows[0]["near"]


async def test_it_is_changed_and_ended(house: House) -> None:
    head = await add_worker(house, TASKS_MANAGE)
    plan = await planned(house)
    async with head.act() as ctx:
        change = RecurrenceChange(every="week", weekdays=[6], due_minute=60)
        plan = await change_recurrence(ctx, recurrence_id=plan.id, data=change, version=plan.version)
    assert (plan.every, plan.weekdays, plan.next_due_at.astimezone(JOBURG).isoweekday()) == ("week", [6], 6)
    with pytest.raises(Invalid) as refused:
        async with head.act() as ctx:
            await change_recurrence(
                ctx, recurrence_id=plan.id, data=RecurrenceChange(every="month"), version=plan.version
            )
    assert set(refused.value.fields) == {"weekdays", "month_day"}
    async with head.act() as ctx:
        await end_recurrence(ctx, recurrence_id=plan.id)
    await due_since(house, plan.id, timedelta(minutes=1))
    async with house.system() as ctx:
        await make_due_tasks(ctx, limit=100)
    assert await tasks_of(house, plan.id) == []
