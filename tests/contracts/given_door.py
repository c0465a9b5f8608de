"""Examples of the operations of venues and the door."""

from tests.contracts.example import REASON, example
from tests.support.calls import Given
from tests.support.people import HERE
from tests.support.things import (
    checked_in,
    code,
    phone_key,
    public_key,
    venue,
    visit,
)
from tests.support.world import Somebody, World


@example("create_venue", "change_venue", "replace_venue")
async def create_venue(world: World, who: Somebody) -> Given:
    number = next(world.numbers)
    place = {"lat": HERE.lat, "lon": HERE.lon}
    return Given(data={"name": f"Venue {number}", "slug": f"venue-{number}", "position": place})


@example("venue_new_submit", "venue_submit")
async def venue_submit(world: World, who: Somebody) -> Given:
    number = next(world.numbers)
    shown = {"position": f"{HERE.lat}, {HERE.lon}", "always_open": True}
    return Given(data={"name": f"Venue {number}", "slug": f"venue-{number}", **shown})


@example("set_venue_status", "status_submit")
async def set_venue_status(world: World, who: Somebody) -> Given:
    return Given(data={"status": "paused", **REASON})


@example("status_dialog")
async def status_dialog(world: World, who: Somebody) -> Given:
    return Given(query={"status": "paused"})


@example("create_checkin")
async def create_checkin(world: World, who: Somebody) -> Given:
    patron = world.somebody["B.patron" if who.home is world.b else "A.patron"]
    await venue(world, patron)
    return Given(data={"code": await code(world, patron)}, who=await world.newcomer(patron))


@example("check_out")
async def check_out(world: World, who: Somebody) -> Given:
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    await checked_in(world, patron, patron=patron)
    return Given(who=patron)


@example("check_out_visits", "visits_checkout")
async def check_out_visits(world: World, who: Somebody) -> Given:
    made = str(await visit(world, who))
    return Given(data={"visit_ids": made, "ids": made})


@example("correct_visit")
async def correct_visit(world: World, who: Somebody) -> Given:
    return Given(data={"status": "voided", **REASON})


@example("void_visit", "void_submit")
async def void_visit(world: World, who: Somebody) -> Given:
    return Given(query=REASON, data=REASON)


@example("register_phone_key")
async def register_phone_key(world: World, who: Somebody) -> Given:
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    return Given(data={"public_key": public_key(), "label": "phone"}, who=patron)


@example("revoke_phone_key")
async def revoke_phone_key(world: World, who: Somebody) -> Given:
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    return Given(path={"key_id": await phone_key(world, patron)}, who=patron)


@example("patron_view")
async def patron_view(world: World, who: Somebody) -> Given:
    return Given(path={"view": "activity"})


@example("read_guest_face", "guest_face_page")
async def guest_face(world: World, who: Somebody) -> Given:
    """A guest who was at the first venue: a vendor admin finds no others."""
    return Given(path={"patron_id": (await checked_in(world, who)).checkin.patron_id})
