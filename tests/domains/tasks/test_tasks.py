"""A task's life: written down, given, taken, started, finished, commented, reminded of; and who may not."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lastlight.domains.tasks import TASKS_MANAGE, TASKS_READ, TASKS_WORK, actions, create_task
from lastlight.domains.tasks.errors import TaskEnded, TaskOfAnother, TaskStarted
from lastlight.domains.tasks.jobs import tenants_to_remind
from lastlight.domains.tasks.listings import OWN_TASKS, TASKS
from lastlight.domains.tasks.model import Task
from lastlight.domains.tasks.queries import comments_of, find_task
from lastlight.domains.tasks.schemas import TaskChange, TaskIn
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.door import House, opened_house
from tests.support.workers import Worker, add_worker, told

HAND = (TASKS_READ, TASKS_WORK)
HEAD = (*HAND, TASKS_MANAGE)


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def written(who: Worker, **fields: Any) -> Task:
    given: dict[str, Any] = {"venue_id": who.house.venue.id, "title": "Check the fire doors"} | fields
    async with who.act() as ctx:
        return await actions.write_task(ctx, data=TaskIn(**given))


async def test_a_task_is_given_started_and_finished_and_each_step_is_told(house: House) -> None:
    head, hand = await add_worker(house, *HEAD), await add_worker(house, *HAND)
    task = await written(head, assignee_id=hand.user_id, priority="high")
    assert (task.status, task.assignee, task.priority) == ("open", hand.name, "high")
    async with hand.act() as ctx:
        task = await actions.start_task(ctx, task_id=task.id)
    assert (task.status, task.started_at is not None) == ("started", True)
    async with hand.act() as ctx:
        task = await actions.finish_task(ctx, task_id=task.id, outcome=" All shut. ")
    assert (task.status, task.outcome, task.version) == ("done", "All shut.", 3)
    assert await told(house, task.id) == ["task.created", "task.assigned", "task.started", "task.finished"]
    rows = await house.sql("select data from outbox where entity_id = $1 and name = 'task.assigned'", str(task.id))
    assert str(hand.user_id) in str(rows[0]["data"]), "the push finds its person in the event"


async def test_a_task_at_the_end_of_the_calendar_is_refused(house: House) -> None:
    head = await add_worker(house, *HEAD)
    task = await written(head)
    for at in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), datetime(2026, 11, 21, 22)):  # noqa: DTZ001 - no offset
        with pytest.raises(Invalid):
            await written(head, due_at=at)
        with pytest.raises(Invalid):
            async with head.act() as ctx:
                await actions.change_task(ctx, task_id=task.id, data=TaskChange(remind_at=at), version=task.version)


async def test_what_has_ended_stays_as_it_is(house: House) -> None:
    head = await add_worker(house, *HEAD)
    task = await written(head)
    async with head.act() as ctx:
        task = await actions.cancel_task(ctx, task_id=task.id, reason="Closed tonight")
    acts: tuple[Callable[[Ctx], Awaitable[Task]], ...] = (
        lambda ctx: actions.start_task(ctx, task_id=task.id),
        lambda ctx: actions.finish_task(ctx, task_id=task.id),
        lambda ctx: actions.cancel_task(ctx, task_id=task.id, reason="again"),
        lambda ctx: actions.assign_task(ctx, task_id=task.id, assignee_id=head.user_id),
        lambda ctx: actions.change_task(ctx, task_id=task.id, data=TaskChange(title="x"), version=task.version),
    )
    for act in acts:
        with pytest.raises(TaskEnded):
            async with head.act() as ctx:
                await act(ctx)
    async with head.act() as ctx:
        assert await find_task(ctx, task_id=task.id) == task


async def test_a_free_task_is_taken_once_and_a_task_of_another_not_at_all(house: House) -> None:
    one, other = await add_worker(house, *HAND), await add_worker(house, *HAND)
    task = await written(one)
    async with one.act() as ctx:
        task = await actions.start_task(ctx, task_id=task.id)
    assert task.assignee_id == one.user_id
    for act, problem in ((actions.start_task, TaskOfAnother), (actions.finish_task, TaskOfAnother)):
        with pytest.raises(problem):
            async with other.act() as ctx:
                await act(ctx, task_id=task.id)
    with pytest.raises(TaskOfAnother):
        async with other.act() as ctx:
            await actions.assign_task(ctx, task_id=task.id, assignee_id=other.user_id)
    with pytest.raises(TaskStarted):
        async with one.act() as ctx:
            await actions.start_task(ctx, task_id=task.id)
    async with one.act() as ctx:
        task = await actions.assign_task(ctx, task_id=task.id, assignee_id=None)
    assert (task.status, task.assignee_id, task.started_at) == ("open", None, None)


async def test_only_who_manages_gives_tasks_to_others_and_only_to_who_works_there(house: House) -> None:
    head, hand = await add_worker(house, *HEAD), await add_worker(house, *HAND)
    roof = await house.add_venue()
    of_roof = await add_worker(house, *HAND, venues=[roof.id])
    guest = await house.add_guest()
    before = await house.count("tasks")
    with pytest.raises(NotPermitted):
        await written(hand, assignee_id=head.user_id)
    for nobody in (of_roof.user_id, guest.user_id):
        with pytest.raises(Invalid) as refused:
            await written(head, assignee_id=nobody)
        assert set(refused.value.fields) == {"assignee_id"}
    with pytest.raises(NotFound):
        await written(of_roof)
    assert await house.count("tasks") == before


async def test_a_change_wants_the_version_that_was_read(house: House) -> None:
    head = await add_worker(house, *HEAD)
    task = await written(head)
    async with head.act() as ctx:
        changed = await actions.change_task(ctx, task_id=task.id, data=TaskChange(title="Both doors"), version=1)
    assert (changed.title, changed.version) == ("Both doors", 2)
    with pytest.raises(Stale):
        async with head.act() as ctx:
            await actions.change_task(ctx, task_id=task.id, data=TaskChange(title="No"), version=1)


async def test_comments_stand_in_their_order(house: House) -> None:
    head = await add_worker(house, *HEAD)
    task = await written(head)
    for body in ("On it", "Done soon"):
        async with head.act() as ctx:
            await actions.comment_task(ctx, task_id=task.id, body=body)
    async with head.act() as ctx:
        said = await comments_of(ctx, task_id=task.id)
    assert [(comment.author, comment.body) for comment in said] == [(head.name, "On it"), (head.name, "Done soon")]


async def test_a_thing_has_one_open_task_of_a_source(house: House) -> None:
    thing = house.clear_id()
    given: dict[str, Any] = {"title": "Look after a guest", "source": "safety", "source_id": thing}
    async with house.system() as ctx:
        first = await create_task(ctx, venue_id=house.venue.id, **given)
    async with house.system() as ctx:
        again = await create_task(ctx, venue_id=house.venue.id, **given)
    assert again == first
    head = await add_worker(house, *HEAD)
    async with head.act() as ctx:
        await actions.finish_task(ctx, task_id=first.id)
    async with house.system() as ctx:
        assert (await create_task(ctx, venue_id=house.venue.id, **given)).id != first.id


async def test_a_reminder_comes_once_and_not_for_what_is_done(house: House) -> None:
    head = await add_worker(house, *HEAD)
    async with house.system() as ctx:
        past = ctx.now - timedelta(minutes=5)
    waiting, done, later = [await written(head, remind_at=at) for at in (past, past, past + timedelta(hours=5))]
    async with head.act() as ctx:
        await actions.finish_task(ctx, task_id=done.id)
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        assert house.tenant_id in await tenants_to_remind(ctx)
    async with house.system() as ctx:
        assert await actions.remind_assignees(ctx, limit=100) == 1
    async with house.system() as ctx:
        assert await actions.remind_assignees(ctx, limit=100) == 0
    names = [(await told(house, task.id))[-1] for task in (waiting, done, later)]
    assert names == ["task.reminded", "task.finished", "task.created"]


async def test_lists_show_ones_venues_and_ones_own(house: House) -> None:
    roof = await house.add_venue()
    head = await add_worker(house, *HEAD)
    of_roof = await add_worker(house, *HAND, venues=[roof.id])
    mine = await written(of_roof, venue_id=roof.id, assignee_id=of_roof.user_id)
    free = await written(of_roof, venue_id=roof.id)
    await written(head)
    async with of_roof.act() as ctx:
        seen = await TASKS.page(ctx, TASKS.parse())
        own = await OWN_TASKS.page(ctx, OWN_TASKS.parse())
    assert [row.id for row in seen.items] == [free.id, mine.id]
    assert [row.id for row in own.items] == [mine.id]
