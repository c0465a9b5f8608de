"""Examples of the pages of people at work: their forms, as browsers send them."""

from typing import Any
from uuid import uuid4

from tests.contracts.example import REASON, example
from tests.support.calls import Given
from tests.support.things import venue
from tests.support.work_things import (
    clocked_in,
    correction,
    correction_body,
    entry_of,
    far_evening,
    own_shift,
    people_of_work,
    swap,
)
from tests.support.world import Somebody, World


def _wall(times: dict[str, str]) -> dict[str, str]:
    """Moments as fields for a date and a time take them."""
    return {name: text[:16] for name, text in times.items()}


@example("task_new_submit", "recurrence_new_submit")
async def new_task(world: World, who: Somebody) -> Given:
    return Given(data={"title": world.unique("Task"), "venue_id": str(await venue(world, who))})


@example("task_submit", "recurrence_submit")
async def changed_task(world: World, who: Somebody) -> Given:
    return Given(data={"title": world.unique("Another task")})


@example("task_comment_submit")
async def comment(world: World, who: Somebody) -> Given:
    return Given(data={"body": world.unique("Seen")})


@example("task_cancel_submit", "shift_cancel_submit")
async def cancelled(world: World, who: Somebody) -> Given:
    return Given(data=REASON)


@example("task_assign_submit")
async def task_given(world: World, who: Somebody) -> Given:
    worker, _ = await people_of_work(world, who)
    return Given(data={"assignee_id": str(worker.user_id)}, who=worker)


@example("task_take_submit")
async def task_taken(world: World, who: Somebody) -> Given:
    return Given(who=(await people_of_work(world, who))[0])


@example("clock_in_submit")
async def clock_in(world: World, who: Somebody) -> Given:
    worker, _ = await people_of_work(world, who)
    return Given(data={"venue_id": str(await venue(world, who))}, who=worker)


@example("clock_out_submit", "break_submit")
async def at_work(world: World, who: Somebody) -> Given:
    return Given(who=await clocked_in(world, who))


@example("break_end_submit")
async def break_end(world: World, who: Somebody) -> Given:
    worker = await clocked_in(world, who)
    await world.make("POST", "/api/staff/break", worker, headers={"Idempotency-Key": str(uuid4())})
    return Given(who=worker)


@example("own_entry_page")
async def own_entry(world: World, who: Somebody) -> Given:
    worker = await clocked_in(world, who)
    return Given(path={"entry_id": await entry_of(world, worker)}, who=worker)


@example("correction_submit")
async def correction_form(world: World, who: Somebody) -> Given:
    worker, _ = await people_of_work(world, who)
    times = {"started_at": "2026-01-05T18:00", "ended_at": "2026-01-05T23:00"}
    return Given(data={"venue_id": str(await venue(world, who)), **times, **REASON}, who=worker)


@example("entry_correction_submit")
async def entry_correction(world: World, who: Somebody) -> Given:
    times = {"started_at": "2026-01-05T18:00", "ended_at": "2026-01-05T23:00"}
    return Given(data={**times, **REASON})


@example("correction_withdraw_submit")
async def correction_withdraw(world: World, who: Somebody) -> Given:
    worker = await clocked_in(world, who)
    body = correction_body(await entry_of(world, worker))
    made = await world.make("POST", "/api/staff/corrections", worker, json=body)
    return Given(path={"correction_id": made["id"]}, who=worker)


@example("correction_approve_submit", "correction_refuse_submit")
async def correction_decided(world: World, who: Somebody) -> Given:
    return Given(path={"correction_id": await correction(world, who)}, data=REASON)


@example("swap_submit")
async def swap_form(world: World, who: Somebody) -> Given:
    giver, taker = await people_of_work(world, who)
    shift_id = await own_shift(world, giver)
    return Given(path={"shift_id": shift_id}, data={"to_user_id": str(taker.user_id)}, who=giver)


@example("shift_take_submit")
async def shift_take(world: World, who: Somebody) -> Given:
    taker, _ = await people_of_work(world, who)
    body = {"venue_id": str(await venue(world, who)), **far_evening(world)}
    owner = world.somebody["B.owner" if who.home is world.b else "A.owner"]
    made = await world.make("POST", "/api/shifts", owner, json=body)
    await world.sql("update shifts set status = 'published', published_at = now() where id = $1", made["id"])
    return Given(path={"shift_id": made["id"]}, who=taker)


async def _offered(world: World, who: Somebody) -> tuple[Somebody, Somebody, Any]:
    giver, taker = await people_of_work(world, who)
    shift_id = await own_shift(world, giver)
    made = await world.make("POST", f"/api/shifts/{shift_id}/swaps", giver, json={"to_user_id": str(taker.user_id)})
    return giver, taker, made["id"]


@example("swap_accept_submit", "swap_decline_submit")
async def swap_answer(world: World, who: Somebody) -> Given:
    _, taker, swap_id = await _offered(world, who)
    return Given(path={"swap_id": swap_id}, who=taker)


@example("swap_withdraw_submit")
async def swap_withdraw(world: World, who: Somebody) -> Given:
    giver, _, swap_id = await _offered(world, who)
    return Given(path={"swap_id": swap_id}, who=giver)


@example("swap_approve_submit", "swap_refuse_submit")
async def swap_decided(world: World, who: Somebody) -> Given:
    return Given(path={"swap_id": await swap(world, who, accepted=True)}, data=REASON)


@example("shift_new_submit", "shift_submit")
async def shift_form(world: World, who: Somebody) -> Given:
    """What the form of a change does not take, it is not sent."""
    return Given(data={"venue_id": str(await venue(world, who)), **_wall(far_evening(world))})


@example("publish_submit")
async def publish(world: World, who: Somebody) -> Given:
    place, evening = str(await venue(world, who)), far_evening(world)
    owner = world.somebody["B.owner" if who.home is world.b else "A.owner"]
    await world.make("POST", "/api/shifts", owner, json={"venue_id": place, **evening})
    return Given(data={"venue_id": place, "day": evening["starts_at"][:10]})
