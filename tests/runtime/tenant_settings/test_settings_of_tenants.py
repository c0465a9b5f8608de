"""Settings of a business: read and changed by the API and on the page, by whom, with which version, seen by whom."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from lastlight.domains.checkins.settings import BIRTH_DATE_REQUIRED, CLAIM_MAX_AGE
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.module import Module
from lastlight.runtime.settings import Settings
from lastlight.runtime.tenant_settings import TenantSetting, setting
from tests.support.people import MODULES, People, people

pytestmark = pytest.mark.database
CLOSES = TenantSetting(
    key="bells.closes_after_days",
    type=int,
    default=30,
    label="Registrations close",
    description="After how many days.",
    minimum=1,
    maximum=90,
    platform=True,
)
MOTTO = TenantSetting(key="bells.motto", type=str, default="ding", label="Motto", description="What they say.")
BELLS = Module(name="bells", settings=[CLOSES, MOTTO])
AGE = f"/api/settings/{CLAIM_MAX_AGE.key}"
BIRTH = f"/api/settings/{BIRTH_DATE_REQUIRED.key}"


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    async with people(database_settings, (*MODULES, BELLS)) as found:
        yield found


async def put(world: People, path: str, who: dict[str, str], value: Any, version: int, *, status: int = 200) -> Any:
    return await world.call("PUT", path, who | {"If-Match": f'"{version}"'}, json={"value": value}, status=status)


async def of(world: People, who: dict[str, str], key: str) -> Any:
    listed = await world.call("GET", "/api/settings", who)
    return next(item for item in listed["items"] if item["key"] == key)


async def rows(world: People) -> Any:
    return await world.sql("select tenant_id, key, value, version from tenant_settings order by 1, 2")


async def test_a_change_holds_at_once_is_told_and_recorded(world: People) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    first = await of(world, owner, CLAIM_MAX_AGE.key)
    assert (first["value"], first["default"], first["version"], first["unit"]) == (720, 720, 0, "minutes")
    assert (first["minimum"], first["maximum"], first["kind"]) == (0, 10_080, "int")
    changed = await put(world, AGE, owner, 90, 0)
    assert (changed["value"], changed["version"]) == (90, 1)
    async with system_ctx(world.services, world.bar.id) as ctx:
        assert await setting(ctx, CLAIM_MAX_AGE) == 90
    event = (await world.events("setting.changed"))[-1]
    data, audit = json.loads(event["data"]), json.loads(event["audit"])
    assert (event["tenant_id"], event["entity_id"]) == (world.bar.id, CLAIM_MAX_AGE.key)
    assert data == {"key": CLAIM_MAX_AGE.key, "value": 90}
    assert (audit["before"], audit["after"]) == (720, 90)
    back = await put(world, AGE, owner, None, 1)
    assert (back["value"], back["version"]) == (720, 2)


async def test_another_tenant_keeps_its_own(world: People) -> None:
    bar, club = [await world.bearer(tenant.email("owner")) for tenant in (world.bar, world.club)]
    await put(world, "/api/settings/bells.motto", bar, "dong", 0)
    assert (await of(world, club, "bells.motto"))["value"] == "ding"
    async with system_ctx(world.services, world.club.id) as ctx:
        assert await setting(ctx, MOTTO) == "ding"
        seen = await ctx.db.fetchval("select count(*) from tenant_settings where tenant_id <> $1", world.club.id)
        assert seen == 0, "the policy shows no other tenant's rows to the app's role"


async def test_a_stale_version_changes_nothing(world: People) -> None:
    owner = await world.bearer(world.club.email("owner"))
    await put(world, AGE, owner, 60, 0)
    before = await rows(world)
    for version in (0, 2, 99):
        problem = await put(world, AGE, owner, 61, version, status=412)
        assert problem["type"].endswith("/stale")
    missing = await world.call("PUT", AGE, owner, json={"value": 61}, status=428)
    assert missing["type"].endswith("/version-required")
    assert await rows(world) == before


async def test_of_two_first_changes_one_holds(world: People) -> None:
    owner = await world.bearer(world.club.email("owner"))
    headers = owner | {"If-Match": '"0"'}
    answers = await asyncio.gather(
        *(world.client.put(BIRTH, headers=headers, json={"value": value}) for value in (True, False, True))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    winner = next(answer.json() for answer in answers if answer.status_code == 200)
    assert (await of(world, owner, BIRTH_DATE_REQUIRED.key))["value"] == winner["value"]


@pytest.mark.parametrize("value", [-1, 10_081, "60", 1.5, True, 10**30])
async def test_bounds_are_kept(world: People, value: object) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    version = (await of(world, owner, CLAIM_MAX_AGE.key))["version"]
    before = await rows(world)
    problem = await put(world, AGE, owner, value, version, status=422)
    assert list(problem["fields"]) == ["value"]
    assert await rows(world) == before


async def test_who_may(world: People) -> None:
    before = await rows(world)
    for who in ("manager", "staff", "patron"):
        headers = await world.bearer(world.bar.email(who))
        await world.call("GET", "/api/settings", headers, status=403)
        await put(world, AGE, headers, 60, 0, status=403)
    await world.call("GET", "/api/settings", status=401)
    owner = await world.bearer(world.bar.email("owner"))
    await put(world, "/api/settings/bells.unknown", owner, 1, 0, status=404)
    assert await rows(world) == before


async def test_parameters_of_the_platform_are_the_crews_alone(world: People) -> None:
    crew, owner = await world.bearer("super_admin@crew.example"), await world.bearer(world.bar.email("owner"))
    keys = [item["key"] for item in (await world.call("GET", "/api/settings", crew))["items"]]
    declared = [s.key for s in world.services.registry.settings.values() if s.platform]
    assert keys == sorted(declared)
    assert CLOSES.key not in [item["key"] for item in (await world.call("GET", "/api/settings", owner))["items"]]
    await put(world, f"/api/settings/{CLOSES.key}", owner, 10, 0, status=404)
    await put(world, AGE, crew, 10, 0, status=404)
    await put(world, f"/api/settings/{CLOSES.key}", crew, 10, 0)
    for tenant_id in (world.bar.id, PLATFORM):
        async with system_ctx(world.services, tenant_id) as ctx:
            assert await setting(ctx, CLOSES) == 10, "from any tenant"


async def test_the_page_shows_and_changes_them(world: People) -> None:
    headers = await session(world, world.bar.email("owner"))
    version = (await of(world, await world.bearer(world.bar.email("owner")), CLAIM_MAX_AGE.key))["version"]
    page = await world.client.get("/owner/settings", headers=headers)
    assert page.status_code == 200
    assert CLAIM_MAX_AGE.label in page.text
    assert CLOSES.label not in page.text
    path = f"/owner/settings/{CLAIM_MAX_AGE.key}"
    sent = {"setting": CLAIM_MAX_AGE.key, "version": str(version)}
    refused = await world.client.post(path, data=sent | {"value": "99999"}, headers=headers)
    assert refused.status_code == 422
    assert 'value="99999"' in refused.text
    assert "Give a number of at most 10080." in refused.text
    saved = await world.client.post(path, data=sent | {"value": "45"}, headers=headers)
    assert (saved.status_code, saved.headers["location"]) == (303, "/owner/settings")
    stale = await world.client.post(path, data=sent | {"value": "46"}, headers=headers)
    assert stale.status_code == 412
    sent["version"] = str(version + 1)
    await world.client.post(path, data=sent | {"value": "45", "default": "true"}, headers=headers)
    async with system_ctx(world.services, world.bar.id) as ctx:
        assert await setting(ctx, CLAIM_MAX_AGE) == 720


async def test_a_manager_sees_the_business_and_no_house_rules(world: People) -> None:
    headers = await session(world, world.bar.email("manager"))
    page = await world.client.get("/owner/settings", headers=headers)
    assert page.status_code == 200
    assert CLAIM_MAX_AGE.label not in page.text
    before = await rows(world)
    path = f"/owner/settings/{CLAIM_MAX_AGE.key}"
    answer = await world.client.post(path, data={"value": "1", "version": "0"}, headers=headers)
    assert answer.status_code == 403
    assert await rows(world) == before


async def test_the_crew_changes_parameters_on_its_page(world: People) -> None:
    headers = await session(world, "super_admin@crew.example")
    crew = await world.bearer("super_admin@crew.example")
    page = await world.client.get("/platform/settings", headers=headers)
    assert page.status_code == 200
    assert CLOSES.label in page.text
    assert MOTTO.label not in page.text
    version = (await of(world, crew, CLOSES.key))["version"]
    path = f"/platform/settings/{CLOSES.key}"
    saved = await world.client.post(path, data={"value": "20", "version": str(version)}, headers=headers)
    assert saved.status_code == 303
    assert (await of(world, crew, CLOSES.key))["value"] == 20
    owner = await session(world, world.bar.email("owner"))
    assert CLOSES.label not in (await world.client.get("/platform/settings", headers=owner)).text
    refused = await world.client.post(path, data={"value": "30", "version": str(version + 1)}, headers=owner)
    assert refused.status_code in {403, 404}
    assert (await of(world, crew, CLOSES.key))["value"] == 20


async def session(world: People, email: str) -> dict[str, str]:
    """The cookie of somebody who signed in with a browser."""
    answer = await world.client.post("/api/auth/session", json={"email": email, "password": "correct horse battery"})
    assert answer.status_code == 200, answer.text
    found = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
    world.client.cookies.clear()
    return {"Cookie": found}
