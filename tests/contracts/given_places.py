"""Examples of the operations of resources, feature flags and how venues are shown."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.contracts.example import REASON, example
from tests.support.calls import Given
from tests.support.place_things import (
    banner,
    banner_body,
    booking,
    booking_body,
    image,
    image_upload,
    own_booking,
    resource,
)
from tests.support.things import PIXEL, tenant, venue
from tests.support.world import Somebody, World


@example("create_resource", "resource_new_submit")
async def create_resource(world: World, who: Somebody) -> Given:
    return Given(data={"venue_id": str(await venue(world, who)), "kind": "table", "name": world.unique("Table")})


@example("change_resource", "resource_submit")
async def change_resource(world: World, who: Somebody) -> Given:
    return Given(data={"name": world.unique("Table")})


@example("set_resource_status", "resource_status_submit")
async def set_resource_status(world: World, who: Somebody) -> Given:
    return Given(data={"status": "out_of_order", **REASON})


@example("create_booking")
async def create_booking(world: World, who: Somebody) -> Given:
    return Given(data=booking_body(await resource(world, who)))


@example("change_booking")
async def change_booking(world: World, who: Somebody) -> Given:
    return Given(data={"note": world.unique("By the window")})


@example("miss_booking", "booking_no_show")
async def miss_booking(world: World, who: Somebody) -> Given:
    made = await booking(world, who)
    await world.sql("update bookings set starts_at = now() - interval '1 hour' where id = $1", made)
    return Given(path={"booking_id": made})


@example("cancel_booking", "cancellation_submit")
async def cancel_booking(world: World, who: Somebody) -> Given:
    return Given(data=REASON)


@example("create_own_booking")
async def create_own_booking(world: World, who: Somebody) -> Given:
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    start = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
    times = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=1)).isoformat()}
    return Given(data={"resource_id": str(await resource(world, patron)), **times}, who=patron)


@example("cancel_own_booking")
async def cancel_own_booking(world: World, who: Somebody) -> Given:
    patron = await world.newcomer(world.somebody["B.patron" if who.home is world.b else "A.patron"])
    return Given(path={"booking_id": await own_booking(world, patron)}, data=REASON, who=patron)


async def flag(world: World) -> str:
    """A feature flag of its own, switched off."""
    crew = world.somebody["crew.super_admin"]
    body = {"key": f"tests.flag_{uuid4().hex}", "description": "For the contract"}
    return (await world.make("POST", "/api/admin/flags", crew, json=body))["key"]


@example("create_flag")
async def create_flag(world: World, who: Somebody) -> Given:
    return Given(data={"key": f"tests.flag_{uuid4().hex}", "description": "For the contract"})


@example("change_flag", "remove_flag")
async def change_flag(world: World, who: Somebody) -> Given:
    return Given(path={"flag_key": await flag(world)}, data={"enabled": True}, version=1)


@example("set_tenant_flag")
async def set_tenant_flag(world: World, who: Somebody) -> Given:
    path = {"tenant_id": await tenant(world, who), "flag_key": await flag(world)}
    return Given(path=path, data={"enabled": True, **REASON}, version=0)


@example("clear_tenant_flag")
async def clear_tenant_flag(world: World, who: Somebody) -> Given:
    path = {"tenant_id": await tenant(world, who), "flag_key": await flag(world)}
    await world.make(
        "PUT",
        f"/api/admin/tenants/{path['tenant_id']}/flags/{path['flag_key']}",
        world.somebody["crew.super_admin"],
        json={"enabled": True, **REASON},
        headers={"If-Match": '"0"'},
    )
    return Given(path=path, version=1)


@example("kill_flag", "feature_flag_page", "flag_submit", "flag_fate_dialog", "flag_fate_submit")
async def kill_flag(world: World, who: Somebody) -> Given:
    data = {"what": "kill", "description": "For the contract", "percentage": 30, **REASON}
    return Given(path={"flag_key": await flag(world)}, data=data, version=1)


@example("revive_flag")
async def revive_flag(world: World, who: Somebody) -> Given:
    key = await flag(world)
    path, chief = f"/api/admin/flags/{key}/kill", world.somebody["crew.super_admin"]
    await world.make("POST", path, chief, json=REASON, headers={"If-Match": '"1"'})
    return Given(path={"flag_key": key}, version=2)


@example("flag_new_submit")
async def flag_new_submit(world: World, who: Somebody) -> Given:
    return Given(data={"key": f"tests.flag_{uuid4().hex}", "description": "For the contract"})


@example("tenant_flag_dialog", "tenant_flag_submit")
async def tenant_flag_submit(world: World, who: Somebody) -> Given:
    path = {"tenant_id": await tenant(world, who), "flag_key": await flag(world)}
    return Given(path=path, data={"answer": "on", "percentage": 50, **REASON}, version=0)


@example("set_publication", "publication_submit")
async def set_publication(world: World, who: Somebody) -> Given:
    return Given(data={"state": "degraded", "reason": world.unique("Painting")})


@example("create_banner")
async def create_banner(world: World, who: Somebody) -> Given:
    return Given(data=banner_body(world))


@example("change_banner")
async def change_banner(world: World, who: Somebody) -> Given:
    return Given(data={"title": world.unique("Night")})


@example("order_banners")
async def order_banners(world: World, who: Somebody) -> Given:
    place, first = await venue(world, who), str(await banner(world, who))
    second = str(await banner(world, who))
    return Given(path={"venue_id": place}, data={"banner_ids": [second, first]})


@example("read_bookable_times")
async def read_bookable_times(world: World, who: Somebody) -> Given:
    return Given(query={"day": "2099-06-05", "minutes": "60"})


FORM_TIMES = {"starts_at": "2098-01-01T18:00", "ends_at": "2099-01-01T18:00"}


@example("banner_new_submit", "banner_submit")
async def banner_submit(world: World, who: Somebody) -> Given:
    return Given(data={"title": world.unique("Night"), **FORM_TIMES})


@example("image_submit", "describe_image")
async def image_submit(world: World, who: Somebody) -> Given:
    return Given(data={"alt": world.unique("The floor")})


@example("image_removal_submit")
async def image_removal_submit(world: World, who: Somebody) -> Given:
    return Given(data={"what": "removal"})


async def guests_photo(world: World, who: Somebody) -> str:
    """A guest's photo that waits for a decision."""
    made = str(await image(world, who))
    patron = await world.value(
        "select id from patrons where tenant_id = (select tenant_id from venue_images where id = $1) limit 1", made
    )
    sent = "update venue_images set patron_id = $2, moderation = 'waiting', state = 'uploaded' where id = $1"
    await world.sql(sent, made, patron)
    return made


@example("image_decision_submit")
async def image_decision_submit(world: World, who: Somebody) -> Given:
    return Given(path={"image_id": await guests_photo(world, who)}, data={"what": "approved", "version": 2})


@example("photos_submit")
async def photos_submit(world: World, who: Somebody) -> Given:
    return Given(data={"ids": [await guests_photo(world, who)], "approved": True})


BOOKING_FORM = {"day": "2099-06-05", "starts": "20:00", "minutes": 60}


@example("booking_new_submit")
async def booking_new_submit(world: World, who: Somebody) -> Given:
    place = await venue(world, who)
    made = str(await resource(world, who))
    return Given(path={"venue_id": place}, data={"resource_id": made, "guest_name": "Somebody New", **BOOKING_FORM})


@example("booking_submit")
async def booking_submit(world: World, who: Somebody) -> Given:
    made = await booking(world, who)
    of = str(await world.value("select resource_id from bookings where id = $1", made))
    return Given(path={"booking_id": made}, data={"resource_id": of, "note": world.unique("Window"), **BOOKING_FORM})


@example("moderate_image")
async def moderate_image(world: World, who: Somebody) -> Given:
    made = await guests_photo(world, who)
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
    return Given(data={"image_ids": [str(await image(world, who))]})
