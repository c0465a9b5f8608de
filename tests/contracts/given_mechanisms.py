"""Examples of the operations of the mechanisms."""

from tests.contracts.example import REASON, example
from tests.support.calls import REGISTRY, Given
from tests.support.push_service import Browser
from tests.support.things import (
    PIXEL,
    ended_job,
    file,
    queued_job,
    saved_view,
    view_of_list,
)
from tests.support.world import NOBODY, Somebody, World


@example("retry_job", "job_retry")
async def retry_job(world: World, who: Somebody) -> Given:
    return Given(path={"job_id": await ended_job(world, who)})


@example("cancel_job_of_tenant", "tenant_job_cancel", "tenant_job_page")
async def cancel_job_of_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"job_id": await queued_job(world, world.somebody["A.owner"])})


@example("retry_job_of_tenant", "tenant_job_retry")
async def retry_job_of_tenant(world: World, who: Somebody) -> Given:
    return Given(path={"job_id": await ended_job(world, world.somebody["A.owner"])})


@example("read_audit_entry", "audit_entry_page")
async def read_audit_entry(world: World, who: Somebody) -> Given:
    return Given(path={"seq": 1})


@example("upload_file")
async def upload_file(world: World, who: Somebody) -> Given:
    return Given(
        query={"purpose": "picture", "name": "night.png"}, content=PIXEL, headers={"Content-Type": "image/png"}
    )


@example("open_file")
async def open_file(world: World, who: Somebody) -> Given:
    owner = world.somebody["A.owner"]
    link = (await world.make("GET", f"/api/files/{await file(world, owner)}", owner))["url"]
    return Given(path={"token": link.rsplit("/", 1)[-1]})


@example("update_setting", "setting_submit", "parameter_submit")
async def update_setting(world: World, who: Somebody) -> Given:
    declared = next(s for s in REGISTRY.settings.values() if s.platform == (who.home is None) and s.type is int)
    rows = await world.sql(
        "select value::text, version from tenant_settings where tenant_id = $1 and key = $2",
        who.tenant_id,
        declared.key,
    )
    value = declared.default
    if not rows or rows[0]["value"] == str(value):
        value = declared.default + 1
    return Given(path={"key": declared.key}, data={"value": value}, version=rows[0]["version"] if rows else 0)


@example("list_views", "create_view")
async def create_view(world: World, who: Somebody) -> Given:
    view = view_of_list(world, who)
    return Given(data=view, query={"listing": view["listing"]})


@example("views_menu", "view_submit")
async def view_submit(world: World, who: Somebody) -> Given:
    view = view_of_list(world, who)
    shown = {"listing": view["listing"], "path": "/account"}
    return Given(data={**view, **shown}, query=shown)


@example("delete_view", "view_remove")
async def view_remove(world: World, who: Somebody) -> Given:
    asker = who if who.kind in {"member", "crew"} else world.somebody["A.owner"]
    data = {"path": "/account"}
    return Given(path={"view_id": await saved_view(world, asker)}, data=data, who=asker if asker is not who else None)


@example("create_export")
async def create_export(world: World, who: Somebody) -> Given:
    return Given(data={"listing": "venues", "format": "csv"})


@example("add_push_subscription")
async def add_push_subscription(world: World, who: Somebody) -> Given:
    key = (await world.make("GET", "/api/push/key", NOBODY))["key"]
    body = Browser(f"https://push.example.org/{next(world.numbers)}").body(key)
    return Given(data={**body, **body["keys"]})


@example("retire_push_key")
async def retire_push_key(world: World, who: Somebody) -> Given:
    boss = world.somebody["crew.super_admin"]
    earlier = (await world.make("POST", "/api/admin/push/key", boss))["key"]
    await world.make("POST", "/api/admin/push/key", boss)
    key_id = await world.value("select id from push_keys where public_key = $1", earlier)
    return Given(path={"key_id": key_id}, data=REASON)


@example("remove_push_subscription", "try_push_subscription", "push_device_remove", "push_device_try")
async def own_push_subscription(world: World, who: Somebody) -> Given:
    key = (await world.make("GET", "/api/push/key", NOBODY))["key"]
    nowhere = who.kind in {"anonymous", "guest"} or (who.kind == "crew" and who.home is not None)
    asker = await world.newcomer(world.somebody["A.owner"]) if nowhere else who
    browser = Browser(f"https://push.example.org/{next(world.numbers)}")
    device = await world.make("POST", "/api/me/push-subscriptions", asker, json=browser.body(key))
    return Given(path={"subscription_id": device["id"]}, who=asker if asker is not who else None)


@example("go_page")
async def go_page(world: World, who: Somebody) -> Given:
    if who.kind == "crew" and who.home is None:
        return Given(path={"place": "tenants"})
    if who.kind in {"patron", "guest"}:
        return Given(path={"place": "profile"})
    visiting = who.kind in {"crew", "anonymous"}
    return Given(path={"place": "visits"}, who=world.somebody["A.owner"] if visiting else None)
