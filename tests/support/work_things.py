"""Things of people at work that paths name, added to THINGS when this is imported."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.support.things import ELSEWHERE, THINGS, VERSIONED, shift, venue
from tests.support.world import Somebody, World


async def people_of_work(world: World, who: Somebody) -> tuple[Somebody, Somebody]:
    """Two newcomers who work all over the business: whom shifts are of, and whom they are given to."""
    boss = _owner(world, who)
    staff = Somebody("staff", "member", "staff", boss.home)
    return await world.newcomer(staff), await world.newcomer(staff)


async def own_shift(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A published shift of somebody, on a far evening."""
    assert who.home is not None
    body = {"venue_id": str(who.home.venues[place]), "user_id": str(who.user_id), **far_evening(world)}
    made = await world.make("POST", "/api/shifts", _owner(world, who), json=body)
    await world.sql("update shifts set status = 'published', published_at = now() where id = $1", made["id"])
    return made["id"]


def far_evening(world: World) -> dict[str, str]:
    """An evening that nobody has a shift on."""
    starts = datetime(2099, 1, 1, 18, tzinfo=UTC) + timedelta(days=next(world.numbers))
    return {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=6)).isoformat()}


async def swap(world: World, who: Somebody, *, place: int = 0, accepted: bool = False) -> Any:
    """A shift that somebody offered to somebody else, who has perhaps accepted."""
    giver, taker = await people_of_work(world, who)
    shift_id = await own_shift(world, giver, place=place)
    body = {"to_user_id": str(taker.user_id)}
    made = await world.make("POST", f"/api/shifts/{shift_id}/swaps", giver, json=body)
    if accepted:
        await world.make("POST", f"/api/shift-swaps/{made['id']}/acceptance", taker)
    return made["id"]


async def clocked_in(world: World, who: Somebody, *, place: int = 0) -> Somebody:
    """A newcomer who works at a venue now."""
    worker, _ = await people_of_work(world, who)
    assert worker.home is not None
    await venue(world, who)
    body = {"venue_id": str(worker.home.venues[place])}
    await world.make("POST", "/api/staff/clock-in", worker, json=body, headers={"Idempotency-Key": str(uuid4())})
    return worker


async def entry(world: World, who: Somebody, *, place: int = 0) -> Any:
    """Time that somebody is clocked in for since this morning."""
    return await entry_of(world, await clocked_in(world, who, place=place))


async def entry_of(world: World, worker: Somebody) -> Any:
    """The open time of somebody, as if begun two hours ago."""
    sql = "update time_entries set started_at = started_at - interval '2 hours' where user_id = $1 returning id"
    return (await world.sql(sql, worker.user_id))[0]["id"]


async def correction(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A correction that somebody asked for of their own time."""
    worker = await clocked_in(world, who, place=place)
    body = correction_body(await entry_of(world, worker))
    return (await world.make("POST", "/api/staff/corrections", worker, json=body))["id"]


def correction_body(entry_id: Any) -> dict[str, Any]:
    """A correction of an entry: an hour of a past evening."""
    times = {"started_at": "2026-01-05T18:00:00Z", "ends_at": "2026-01-05T19:00:00Z"}
    return {
        "entry_id": str(entry_id),
        "started_at": times["started_at"],
        "ended_at": times["ends_at"],
        "reason": "I forgot to clock out",
    }


async def calendar_token(world: World, who: Somebody) -> str:
    """The secret of a calendar's address, of a newcomer."""
    worker, _ = await people_of_work(world, who)
    return (await world.make("POST", "/api/staff/calendar", worker))["url"].rsplit("/", 1)[-1]


async def _roof_entry(world: World, who: Somebody) -> Any:
    return await entry(world, who, place=1)


async def _roof_correction(world: World, who: Somebody) -> Any:
    return await correction(world, who, place=1)


async def _roof_swap(world: World, who: Somebody) -> Any:
    return await swap(world, who, place=1)


def _owner(world: World, who: Somebody) -> Somebody:
    return world.somebody["B.owner" if who.home is world.b else "A.owner"]


THINGS.update({"entry_id": entry, "correction_id": correction, "swap_id": swap, "for_shift_id": shift})
ELSEWHERE.update({"entry_id": _roof_entry, "correction_id": _roof_correction, "swap_id": _roof_swap})
VERSIONED.update({"task_id": "tasks", "recurrence_id": "task_recurrences", "shift_id": "shifts"})
