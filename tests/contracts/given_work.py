"""Examples of the operations of people at work."""

from uuid import uuid4

from tests.contracts.example import example
from tests.support.calls import Given
from tests.support.things import (
    EVERY_DAY,
    venue,
)
from tests.support.work_things import (
    calendar_token,
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


@example("plan_recurrence")
async def plan_recurrence(world: World, who: Somebody) -> Given:
    return Given(data={**EVERY_DAY, "venue_id": str(await venue(world, who))})


@example("change_task", "change_recurrence")
async def change_task(world: World, who: Somebody) -> Given:
    return Given(data={"title": world.unique("Another task")})


@example("plan_shift")
async def plan_shift(world: World, who: Somebody) -> Given:
    return Given(data={**far_evening(world), "venue_id": str(await venue(world, who))})


@example("change_shift")
async def change_shift(world: World, who: Somebody) -> Given:
    return Given(data={"note": world.unique("Note")}, version=2)


@example("assign_task")
async def assign_task(world: World, who: Somebody) -> Given:
    member = who if who.kind == "member" else world.somebody["B.owner" if who.home is world.b else "A.owner"]
    return Given(data={"assignee_id": str(member.user_id)})


@example("publish_shifts")
async def publish_shifts(world: World, who: Somebody) -> Given:
    span = {"starts_from": "2099-01-01T00:00:00Z", "starts_to": "2129-01-01T00:00:00Z"}
    await world.make(
        "POST",
        "/api/shifts",
        world.somebody["B.owner" if who.home is world.b else "A.owner"],
        json={**far_evening(world), "venue_id": str(await venue(world, who))},
    )
    return Given(data={**span, "venue_id": str(await venue(world, who))})


@example("read_time_sheets", "read_performance")
async def read_time_sheets(world: World, who: Somebody) -> Given:
    return Given(query={"first": "2026-11-01", "last": "2026-11-30"})


@example("create_task")
async def create_task(world: World, who: Somebody) -> Given:
    return Given(data={"title": world.unique("Task"), "venue_id": str(await venue(world, who))})


@example("read_calendar")
async def read_calendar(world: World, who: Somebody) -> Given:
    return Given(path={"token": await calendar_token(world, who)})


@example("clock_in")
async def clock_in(world: World, who: Somebody) -> Given:
    worker, _ = await people_of_work(world, who)
    return Given(data={"venue_id": str(await venue(world, who))}, who=worker)


@example("clock_out", "start_break")
async def at_work(world: World, who: Somebody) -> Given:
    return Given(who=await clocked_in(world, who))


@example("end_break")
async def end_break(world: World, who: Somebody) -> Given:
    worker = await clocked_in(world, who)
    await world.make("POST", "/api/staff/break", worker, headers={"Idempotency-Key": str(uuid4())})
    return Given(who=worker)


@example("read_time_entry")
async def read_time_entry(world: World, who: Somebody) -> Given:
    worker = await clocked_in(world, who)
    return Given(path={"entry_id": await entry_of(world, worker)}, who=worker)


@example("ask_correction")
async def ask_correction(world: World, who: Somebody) -> Given:
    worker = await clocked_in(world, who)
    return Given(data=correction_body(await entry_of(world, worker)), who=worker)


@example("withdraw_correction", "read_correction")
async def withdraw_correction(world: World, who: Somebody) -> Given:
    worker = await clocked_in(world, who)
    body = correction_body(await entry_of(world, worker))
    made = await world.make("POST", "/api/staff/corrections", worker, json=body)
    return Given(path={"correction_id": made["id"]}, who=worker)


@example("approve_correction", "refuse_correction")
async def decide_correction(world: World, who: Somebody) -> Given:
    return Given(path={"correction_id": await correction(world, who)}, data={"note": "Looked at the camera"})


@example("ask_swap")
async def ask_swap(world: World, who: Somebody) -> Given:
    giver, taker = await people_of_work(world, who)
    return Given(path={"shift_id": await own_shift(world, giver)}, data={"to_user_id": str(taker.user_id)}, who=giver)


@example("take_shift")
async def take_shift(world: World, who: Somebody) -> Given:
    taker, _ = await people_of_work(world, who)
    body = {"venue_id": str(await venue(world, who)), **far_evening(world)}
    owner = world.somebody["B.owner" if who.home is world.b else "A.owner"]
    made = await world.make("POST", "/api/shifts", owner, json=body)
    await world.sql("update shifts set status = 'published', published_at = now() where id = $1", made["id"])
    return Given(path={"shift_id": made["id"]}, who=taker)


async def _offered(world: World, who: Somebody) -> tuple[Somebody, Somebody, str]:
    giver, taker = await people_of_work(world, who)
    shift_id = await own_shift(world, giver)
    body = {"to_user_id": str(taker.user_id)}
    made = await world.make("POST", f"/api/shifts/{shift_id}/swaps", giver, json=body)
    return giver, taker, made["id"]


@example("accept_swap", "decline_swap")
async def answer_swap(world: World, who: Somebody) -> Given:
    _, taker, swap_id = await _offered(world, who)
    return Given(path={"swap_id": swap_id}, who=taker)


@example("withdraw_swap", "read_swap")
async def withdraw_swap(world: World, who: Somebody) -> Given:
    giver, _, swap_id = await _offered(world, who)
    return Given(path={"swap_id": swap_id}, who=giver)


@example("approve_swap", "refuse_swap")
async def decide_swap(world: World, who: Somebody) -> Given:
    return Given(path={"swap_id": await swap(world, who, accepted=True)}, data={"note": "Agreed with both"})
