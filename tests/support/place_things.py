"""Things that stand in venues and are shown of them, added to THINGS when this is imported: resources, bookings, banners, images."""

from typing import Any
from uuid import uuid4

from tests.support.people import Tenant
from tests.support.things import ELSEWHERE, THINGS, VERSIONED
from tests.support.world import Somebody, World


def tenant_of(world: World, who: Somebody) -> Tenant:
    """The tenant whose things somebody asks for; from the platform's own place, tenant A's."""
    return who.home or world.a


def boss_of(world: World, who: Somebody) -> Somebody:
    """Who may make anything there."""
    return world.somebody["B.owner" if who.home is world.b else "A.owner"]


async def resource(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A table of a venue that can be booked."""
    body = {"venue_id": str(tenant_of(world, who).venues[place]), "kind": "table", "name": world.unique("Table")}
    return (await world.make("POST", "/api/resources", boss_of(world, who), json=body))["id"]


def booking_body(resource_id: Any) -> dict[str, Any]:
    """A booking of a far evening, for somebody by name."""
    times = {"starts_at": "2099-06-05T18:00:00Z", "ends_at": "2099-06-05T19:00:00Z"}
    return {"resource_id": str(resource_id), "guest_name": "Somebody New", **times}


async def booking(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A booking ahead, under a name."""
    body = booking_body(await resource(world, who, place=place))
    headers = {"Idempotency-Key": str(uuid4())}
    return (await world.make("POST", "/api/bookings", boss_of(world, who), json=body, headers=headers))["id"]


async def own_booking(world: World, patron: Somebody) -> Any:
    """A guest's own booking, tomorrow."""
    made = await booking(world, patron)
    await world.sql(
        "update bookings set patron_id = (select id from patrons where tenant_id = $2 and user_id = $3) where id = $1",
        made,
        patron.tenant_id,
        patron.user_id,
    )
    return made


def banner_body(world: World) -> dict[str, Any]:
    """A banner of one night."""
    return {"title": world.unique("Night"), "starts_at": "2026-01-01T18:00:00Z", "ends_at": "2099-01-01T18:00:00Z"}


async def banner(world: World, who: Somebody, *, place: int = 0) -> Any:
    """A banner of a venue; those that earlier calls left standing make room."""
    left = """update venue_banners set removed_at = now() where id in (
                  select id from venue_banners where venue_id = $1 and removed_at is null order by created_at desc offset 10)"""
    await world.sql(left, tenant_of(world, who).venues[place])
    path = f"/api/venues/{tenant_of(world, who).venues[place]}/banners"
    return (await world.make("POST", path, boss_of(world, who), json=banner_body(world)))["id"]


async def _roof_banner(world: World, who: Somebody) -> Any:
    return await banner(world, who, place=1)


async def image(world: World, who: Somebody, *, place: int = 0) -> Any:
    """An image of a venue that waits for its upload; those that earlier calls left waiting make room."""
    left = """update venue_images set removed_at = now() where id in (
                  select id from venue_images where venue_id = $1 and removed_at is null order by created_at desc offset 30)"""
    await world.sql(left, tenant_of(world, who).venues[place])
    path = f"/api/venues/{tenant_of(world, who).venues[place]}/images"
    return (await world.make("POST", path, boss_of(world, who), json={"alt": "The dance floor"}))["image"]["id"]


async def image_upload(world: World, who: Somebody) -> str:
    """The token of an address that takes the upload of an image."""
    path = f"/api/venues/{tenant_of(world, who).venues[0]}/images"
    return (await world.make("POST", path, boss_of(world, who), json={"alt": "The dance floor"}))["upload_url"].rsplit(
        "/", 1
    )[-1]


async def _roof_image(world: World, who: Somebody) -> Any:
    return await image(world, who, place=1)


async def _roof_resource(world: World, who: Somebody) -> Any:
    return await resource(world, who, place=1)


async def _roof_booking(world: World, who: Somebody) -> Any:
    return await booking(world, who, place=1)


THINGS.update(resource_id=resource, booking_id=booking, banner_id=banner, image_id=image)
ELSEWHERE.update(resource_id=_roof_resource, booking_id=_roof_booking, banner_id=_roof_banner, image_id=_roof_image)
VERSIONED.update(resource_id="resources", booking_id="bookings", banner_id="venue_banners", image_id="venue_images")
