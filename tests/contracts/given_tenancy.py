"""Examples of the operations of tenancy."""

from uuid import uuid4

from tests.contracts.example import REASON, example
from tests.support.calls import Given
from tests.support.things import PIXEL, file, tenant
from tests.support.world import Somebody, World


@example("register_business", "register_submit")
async def register_business(world: World, who: Somebody) -> Given:
    number = next(world.numbers)
    data = {
        "name": f"New place {number}",
        "slug": f"new-place-{number}",
        "contact_name": "Somebody New",
        "contact_email": f"{uuid4().hex}@guests.example",
        "password": "a brand new night out",
    }
    return Given(data=data)


@example("change_business")
async def change_business(world: World, who: Somebody) -> Given:
    return Given(data={"contact_phone": f"+27 {next(world.numbers)}"})


@example("settings_submit")
async def settings_submit(world: World, who: Somebody) -> Given:
    row = (await world.sql("select name, contact_email, time_zone from tenants where id = $1", who.tenant_id))[0]
    phone = f"+27 {next(world.numbers)}"
    row = {**dict(row), "contact_email": row["contact_email"] or "desk@lastlight.example"}
    return Given(
        data={
            **row,
            "contact_name": f"Owner of the {who.home.slug if who.home else 'platform'}",
            "contact_phone": phone,
        }
    )


@example("approve_tenant")
async def approve_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who, "pending")})


@example("reject_tenant")
async def reject_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who, "pending")}, data=REASON)


@example("registration_submit")
async def registration_submit(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who, "pending")}, data={"what": "approval"})


@example("suspend_tenant")
async def suspend_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who)}, data=REASON)


@example("standing_submit")
async def standing_submit(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who)}, data={"what": "suspension", **REASON})


@example("reactivate_tenant")
async def reactivate_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who, "suspended")}, data=REASON)


@example("change_plan", "plan_submit")
async def change_plan(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who)}, data={"plan": "enterprise"})


@example("set_module", "module_submit")
async def set_module(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who), "module": "loyalty"}, data={"enabled": True})


@example("module_dialog")
async def module_dialog(world: World, who: Somebody) -> Given:
    return Given(path={"tenant_id": await tenant(world, who), "module": "loyalty"})


@example("scope_submit")
async def scope_submit(world: World, who: Somebody) -> Given:
    return Given(data={"what": "scope", **REASON})


@example("decision_dialog")
async def decision_dialog(world: World, who: Somebody) -> Given:
    return Given(query={"what": "suspension"})


async def _brand(world: World, who: Somebody) -> Somebody:
    """Who manages the business, which has an accent that no other call chooses and a logo."""
    boss = world.somebody[("B.owner" if who.home is world.b else "A.owner") if who.home else "crew.super_admin"]
    now = await world.make("GET", "/api/branding", boss)
    body, match = {"accent": f"#{next(world.numbers) % 0xFFFFFF:06x}"}, {"If-Match": f'"{now["version"]}"'}
    await world.make("PUT", "/api/branding", boss, json=body, headers=match)
    return boss


@example("change_branding", "branding_submit", "remove_logo", "logo_removal_submit")
async def change_branding(world: World, who: Somebody) -> Given:
    boss = await _brand(world, who)
    version = (await world.make("GET", "/api/branding", boss))["version"]
    return Given(data={"accent": "#1e9e8a", "default": ""}, version=version)


@example("upload_logo")
async def upload_logo(world: World, who: Somebody) -> Given:
    boss = world.somebody["B.owner" if who.home is world.b else "A.owner"]
    asked = await world.make("POST", "/api/branding/logo", boss, json={"alt": "A sun"})
    token = asked["upload_url"].rsplit("/", 1)[1]
    return Given(path={"token": token}, content=PIXEL, headers={"Content-Type": "image/png"}, who=boss)


@example("open_accent")
async def open_accent(world: World, who: Somebody) -> Given:
    await _brand(world, world.somebody["A.owner"])
    return Given(path={"tenant_id": world.a.id, "version": 1})


@example("open_logo")
async def open_logo(world: World, who: Somebody) -> Given:
    owner = world.somebody["A.owner"]
    await _brand(world, owner)
    made = await file(world, owner)
    await world.sql("update tenant_brands set logo_file_id = $2 where tenant_id = $1", world.a.id, made)
    return Given(path={"tenant_id": world.a.id, "version": 1})


@example("preview_accent")
async def preview_accent(world: World, who: Somebody) -> Given:
    return Given(path={"colour": "1e9e8a"})
