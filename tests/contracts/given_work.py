"""Examples of the operations of people at work."""

from tests.contracts.example import example
from tests.support.calls import Given
from tests.support.things import (
    EVENING,
    EVERY_DAY,
    PIXEL,
    image,
    image_upload,
    venue,
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
    return Given(data={**EVENING, "venue_id": str(await venue(world, who))})


@example("change_shift")
async def change_shift(world: World, who: Somebody) -> Given:
    return Given(data={"note": world.unique("Note")}, version=2)


@example("assign_task")
async def assign_task(world: World, who: Somebody) -> Given:
    member = who if who.kind == "member" else world.somebody["A.owner"]
    return Given(data={"assignee_id": str(member.user_id)})


@example("publish_shifts")
async def publish_shifts(world: World, who: Somebody) -> Given:
    span = {"starts_from": "2099-06-05T00:00:00Z", "starts_to": "2099-06-06T00:00:00Z"}
    await world.make(
        "POST",
        "/api/shifts",
        world.somebody["B.owner" if who.home is world.b else "A.owner"],
        json={**EVENING, "venue_id": str(await venue(world, who))},
    )
    return Given(data={**span, "venue_id": str(await venue(world, who))})


@example("read_time_sheets", "read_performance")
async def read_time_sheets(world: World, who: Somebody) -> Given:
    return Given(query={"first": "2026-11-01", "last": "2026-11-30"})


@example("moderate_image")
async def moderate_image(world: World, who: Somebody) -> Given:
    made = await image(world, who)
    patron = await world.value(
        "select id from patrons where tenant_id = (select tenant_id from venue_images where id = $1) limit 1", made
    )
    await world.sql("update venue_images set patron_id = $2, moderation = 'waiting' where id = $1", made, patron)
    return Given(path={"image_id": made}, data={"approved": True}, version=2)


@example("await_venue_image", "await_photo")
async def await_venue_image(world: World, who: Somebody) -> Given:
    return Given(data={"alt": "The dance floor"})


@example("upload_image")
async def upload_image(world: World, who: Somebody) -> Given:
    owner = world.somebody["B.owner" if who.home is world.b else "A.owner"]
    return Given(
        path={"token": await image_upload(world, owner)},
        content=PIXEL,
        headers={"Content-Type": "image/png"},
        who=owner,
    )


@example("order_venue_images")
async def order_venue_images(world: World, who: Somebody) -> Given:
    return Given(data={"image_ids": str(await image(world, who))})


@example("create_task")
async def create_task(world: World, who: Somebody) -> Given:
    return Given(data={"title": world.unique("Task"), "venue_id": str(await venue(world, who))})
