"""TEN-07: a module that is switched off refuses its operations, hides from the nav, and its jobs and reactions are skipped."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest

from lastlight.domains.checkins.permissions import VISITS_READ
from lastlight.domains.tenancy import toggles
from lastlight.domains.tenancy.toggles import Toggle
from lastlight.kernel.events import Event
from lastlight.kernel.ids import JobId, TenantId
from lastlight.modules import MODULES
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.events.move import move_batch
from lastlight.runtime.http import get
from lastlight.runtime.jobs import job, states
from lastlight.runtime.jobs.states import Claimed
from lastlight.runtime.module import Module, Nav, Reaction
from lastlight.runtime.settings import Settings
from tests.support.people import People, Tenant, people, visitor

OPS = "ops@crew.example"


class TillRang(Event, frozen=True, kw_only=True):
    """A till rang."""

    event_name: ClassVar[str] = "test.till_rang"
    venue: UUID


@get("/api/test/till", permission=VISITS_READ)
async def read_till(ctx: Ctx) -> dict[str, str]:
    """What the till says."""
    return {"till": "rings"}


@job("test.count_till")
async def count_till(ctx: Ctx) -> None:
    """Count what is in the till."""


@job("test.heard_till")
async def heard_till(ctx: Ctx, event_id: str, seq: int, data: dict[str, Any]) -> None:
    """Hear the till."""


TILL = Module(
    name="test-till",
    toggle="pos",
    routes=(read_till,),
    events=(TillRang,),
    jobs=(count_till, heard_till),
    reactions=(Reaction(TillRang, heard_till),),
    nav=(
        Nav(app="management", label="The test till", href="/manage/test-till", icon="receipt", permission=VISITS_READ),
    ),
)


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """The application with one more module, which has a toggle."""
    async with people(database_settings, (*MODULES, TILL)) as found:
        yield found


async def switch(world: People, tenant: Tenant, *, on: bool, module: str = "pos") -> dict[str, Any]:
    path = f"/api/admin/tenants/{tenant.id}/modules/{module}"
    return await world.call("PUT", path, await world.bearer(OPS), json={"enabled": on})


async def test_an_operation_follows_its_module_from_the_next_request_and_per_tenant(world: People) -> None:
    bar, club = [await world.bearer(tenant.email("manager")) for tenant in (world.bar, world.club)]
    answer = await world.refused("module-off", "GET", "/api/test/till", bar)
    assert "pos" in answer["detail"]
    await switch(world, world.bar, on=True)
    assert await world.call("GET", "/api/test/till", bar) == {"till": "rings"}
    await world.refused("module-off", "GET", "/api/test/till", club)
    await switch(world, world.bar, on=False)
    await world.refused("module-off", "GET", "/api/test/till", bar)


async def test_permission_is_asked_before_the_module_says_anything(world: People) -> None:
    await world.refused("not-signed-in", "GET", "/api/test/till")
    await world.refused("not-permitted", "GET", "/api/test/till", await world.bearer(world.bar.email("patron")))


async def test_the_nav_and_the_palette_show_what_is_on(world: People) -> None:
    async with visitor(world.app) as browser:
        form = {"email": world.bar.email("manager"), "password": "correct horse battery"}
        await browser.post("/sign-in", data=form)
        for on in (False, True, False):
            await switch(world, world.bar, on=on)
            page = await browser.get("/manage/visits")
            assert page.status_code == 200
            assert ("The test till" in page.text) is on
            assert "Visits" in page.text


async def claimed(world: People, job_id: Any, tenant_id: TenantId) -> Claimed:
    found = await states.claim(world.services, tenant_id, JobId(job_id), stale=timedelta(minutes=1))
    assert isinstance(found, Claimed)
    return found


@pytest.mark.parametrize("on", [True, False])
async def test_a_job_takes_its_module_s_toggle(world: People, on: bool) -> None:
    """What a worker does with one that is not enabled is in tests/runtime/jobs."""
    await switch(world, world.bar, on=on)
    async with system_ctx(world.services, world.bar.id) as ctx:
        job_id = await ctx.enqueue(count_till)
    assert (await claimed(world, job_id, world.bar.id)).enabled is on


@pytest.mark.parametrize("on", [True, False])
async def test_a_reaction_takes_its_module_s_toggle(world: People, on: bool) -> None:
    await switch(world, world.bar, on=on)
    async with system_ctx(world.services, world.bar.id) as ctx:
        ctx.emit(TillRang(venue=world.bar.venues[0]), entity=("venue", world.bar.venues[0]))
    async with world.services.pools.system.acquire() as connection:
        while await world.events("test.till_rang"):  # another test's open transaction may hold it back for a moment
            await move_batch(world.services, connection)
    rows = await world.sql(
        "select id from jobs where kind = 'test.heard_till' and tenant_id = $1 order by created_at desc", world.bar.id
    )
    assert (await claimed(world, rows[0]["id"], world.bar.id)).enabled is on


async def test_who_sees_which_modules_are_on(world: People) -> None:
    await switch(world, world.bar, on=True)
    for who in ("owner", "staff", "patron"):
        listed = (await world.call("GET", "/api/modules", await world.bearer(world.bar.email(who))))["items"]
        assert {module["name"]: module["enabled"] for module in listed}["pos"]
    detail = await world.call("GET", f"/api/admin/tenants/{world.bar.id}", await world.bearer(OPS))
    assert [module["enabled"] for module in detail["modules"] if module["name"] == "pos"] == [True]
    assert len(detail["modules"]) == len(toggles.TOGGLES)


async def test_a_switch_is_recorded_once_for_the_tenant_and_for_the_crew(world: People) -> None:
    await switch(world, world.club, on=True, module="loyalty")
    await switch(world, world.club, on=True, module="loyalty")
    changes = [event for event in await world.events("tenant.module_changed") if event["tenant_id"] == world.club.id]
    assert ["loyalty" in event["audit"] for event in changes].count(True) == 1


async def test_switches_at_once_end_as_the_last_one_said_and_none_is_lost(world: People) -> None:
    who = await world.bearer(OPS)
    path = f"/api/admin/tenants/{world.club.id}/modules"
    names = ["credits", "inventory", "programme", "messaging"]
    answers = await asyncio.gather(
        *(world.client.put(f"{path}/{name}", headers=who, json={"enabled": True}) for name in names)
    )
    assert {answer.status_code for answer in answers} == {200}
    on = await world.sql("select module from tenant_modules where tenant_id = $1 and enabled", world.club.id)
    assert set(names) <= {row["module"] for row in on}


async def test_there_are_only_these_modules(world: People) -> None:
    path = f"/api/admin/tenants/{world.bar.id}/modules/no-such"
    before = await world.rows("tenant_modules")
    await world.refused("not-found", "PUT", path, await world.bearer(OPS), json={"enabled": True})
    await world.refused(
        "invalid", "PUT", path.replace("no-such", "pos"), await world.bearer(OPS), json={"enabled": "maybe"}
    )
    assert await world.rows("tenant_modules") == before


async def test_what_needs_another_module_is_switched_in_order(world: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """No module needs another yet; the rule holds as soon as one says that it does."""
    changed = tuple(
        Toggle(t.name, t.title, t.description, t.default, ("messaging",)) if t.name == "campaigns" else t
        for t in toggles.TOGGLES
    )
    monkeypatch.setattr(toggles, "TOGGLES", changed)
    monkeypatch.setitem(toggles.BY_NAME, "campaigns", next(t for t in changed if t.name == "campaigns"))
    home = f"/api/admin/tenants/{world.bar.id}/modules"
    who = await world.bearer(OPS)
    before = await world.rows("tenant_modules")
    refused = await world.refused("module-needed", "PUT", f"{home}/campaigns", who, json={"enabled": True})
    assert (refused["detail"], refused["modules"]) == ("Switch Messages on first.", "messaging")
    assert await world.rows("tenant_modules") == before
    await switch(world, world.bar, on=True, module="messaging")
    await switch(world, world.bar, on=True, module="campaigns")
    refused = await world.refused("module-needed", "PUT", f"{home}/messaging", who, json={"enabled": False})
    assert (refused["detail"], refused["modules"]) == ("Switch Campaigns off first.", "campaigns")
    await switch(world, world.bar, on=False, module="campaigns")
    await switch(world, world.bar, on=False, module="messaging")


async def test_the_crew_says_why_a_module_is_switched_off(world: People) -> None:
    await switch(world, world.club, on=True, module="loyalty")
    page = f"/platform/tenants/{world.club.id}/modules/loyalty"
    async with visitor(world.app) as browser:
        await browser.post("/sign-in", data={"email": OPS, "password": "correct horse battery"})
        asked = await browser.get(f"{page}/switching-off")
        assert "Switch off Loyalty" in asked.text
        refused = await browser.post(page, data={"enabled": "false", "reason": " "})
        assert refused.status_code == 422
        assert "Say why" in refused.text
        done = await browser.post(page, data={"enabled": "false", "reason": "They left the programme"})
        assert done.status_code == 303
        assert (
            await browser.get(f"/platform/tenants/{world.club.id}/modules/no-such/switching-off")
        ).status_code == 404
    sent = await world.events("tenant.module_changed")
    assert [event for event in sent if "They left the programme" in str(event)]
