"""PLT-01: the crew lists, suspends, reactivates, plans and enters businesses, each role as far as it goes; it holds at once."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.domains import tenancy
from lastlight.kernel.ids import PLATFORM, TenantId
from lastlight.runtime.db.uow import system_ctx
from tests.support.people import People

OPS, ADMIN = "ops@crew.example", "super_admin@crew.example"
REASON = {"reason": "Because the test says so."}


async def business(world: People, *, status: str = "active") -> TenantId:
    """A business that only one test decides upon."""
    slug = f"b-{uuid4().hex[:8]}"
    async with system_ctx(world.services, PLATFORM, role="system") as ctx:
        return await tenancy.seed_tenant(ctx, seed="decisions", slug=slug, name=f"Business {slug}", status=status)


async def detail(world: People, tenant_id: UUID) -> dict[str, Any]:
    return await world.call("GET", f"/api/admin/tenants/{tenant_id}", await world.bearer(OPS))


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (ADMIN, {"read", "decide", "manage", "enter"}),
        (OPS, {"read", "decide", "manage", "enter"}),
        ("moderator@crew.example", {"read"}),
        ("finance@crew.example", {"read"}),
        ("owner@bar.example", set[str]()),
        ("patron@bar.example", set[str]()),
    ],
)
async def test_each_role_of_the_crew_does_its_part_and_no_other(world: People, who: str, may: set[str]) -> None:
    active, pending = await business(world), await business(world, status="pending")
    bearer = await world.bearer(who)
    home = f"/api/admin/tenants/{active}"
    acts: list[tuple[str, str, str, Any]] = [
        ("read", "GET", "/api/admin/tenants", None),
        ("read", "GET", home, None),
        ("decide", "POST", f"/api/admin/tenants/{pending}/rejection", REASON),
        ("manage", "POST", f"{home}/suspension", REASON),
        ("manage", "POST", f"{home}/reactivation", REASON),
        ("manage", "PUT", f"{home}/modules/pos", {"enabled": True}),
        ("enter", "POST", f"{home}/scope", REASON),
    ]
    for needed, method, path, body in acts:
        before = await world.rows("tenants", "tenant_modules", "sessions")
        answer = await world.client.request(method, path, headers=bearer, json=body)
        if needed in may:
            assert answer.status_code in {200, 201}, answer.text
        else:
            assert answer.json()["type"].endswith("/not-permitted"), path
            assert await world.rows("tenants", "tenant_modules", "sessions") == before


async def test_the_list_finds_filters_and_counts(world: People) -> None:
    pending = await business(world, status="pending")
    bearer = await world.bearer("moderator@crew.example")
    listed = (await world.call("GET", "/api/admin/tenants", bearer, params={"status": "pending"}))["items"]
    assert str(pending) in {item["id"] for item in listed}
    assert {item["status"] for item in listed} == {"pending"}
    found = (await world.call("GET", "/api/admin/tenants", bearer, params={"q": "the bar"}))["items"]
    assert [(item["slug"], item["members"], item["patrons"]) for item in found] == [("bar", 4, 2)]
    everything = (await world.call("GET", "/api/admin/tenants", bearer, params={"limit": 200}))["items"]
    assert str(PLATFORM) not in {item["id"] for item in everything}


async def test_a_suspension_ends_what_everybody_does_there_at_once_and_is_told(world: People) -> None:
    tenant_id = await business(world)
    owner, guest = await world.newcomer(tenant_id, role="owner"), await world.newcomer(tenant_id)
    await world.sql("update tenants set contact_email = $2 where id = $1", tenant_id, owner.email)
    sessions = [await world.login(somebody.email) for somebody in (owner, guest)]
    bearers = [{"Authorization": f"Bearer {tokens['access_token']}"} for tokens in sessions]
    for who in bearers:
        await world.call("GET", "/api/me", who)
    await world.call("POST", f"/api/admin/tenants/{tenant_id}/suspension", await world.bearer(OPS), json=REASON)
    for who, tokens in zip(bearers, sessions, strict=True):
        await world.refused("tenant-suspended", "GET", "/api/me", who)
        body = {"refresh_token": tokens["refresh_token"]}
        await world.refused("tenant-suspended", "POST", "/api/auth/refresh", json=body)
    assert (await world.login(owner.email, status=403))["type"].endswith("/tenant-suspended")
    mail = (await world.mails(owner.email))[-1]
    assert mail["subject"].endswith("is suspended")
    assert REASON["reason"] in mail["body_text"]
    await world.refused(
        "tenant-not-active", "POST", f"/api/admin/tenants/{tenant_id}/suspension", await world.bearer(OPS), json=REASON
    )
    await world.call("POST", f"/api/admin/tenants/{tenant_id}/reactivation", await world.bearer(OPS), json=REASON)
    for who in bearers:
        await world.call("GET", "/api/me", who)
    await world.refused(
        "tenant-not-suspended",
        "POST",
        f"/api/admin/tenants/{tenant_id}/reactivation",
        await world.bearer(OPS),
        json=REASON,
    )


async def test_of_two_suspensions_at_once_one_holds_and_is_recorded_once(world: People) -> None:
    tenant_id = await business(world)
    who = await world.bearer(OPS)
    answers = await asyncio.gather(
        *(world.client.post(f"/api/admin/tenants/{tenant_id}/suspension", headers=who, json=REASON) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    told = [event for event in await world.events("tenant.suspended") if event["tenant_id"] == tenant_id]
    assert len(told) == 1
    assert REASON["reason"] in told[0]["audit"]
    crew = [event for event in await world.events("platform.tenant_changed") if str(tenant_id) in str(event["data"])]
    assert [event["tenant_id"] for event in crew] == [PLATFORM]


async def test_a_plan_changes_with_its_version(world: People) -> None:
    tenant_id = await business(world)
    who = await world.bearer(OPS)
    version = (await detail(world, tenant_id))["version"]
    path = f"/api/admin/tenants/{tenant_id}"
    changed = await world.call("PATCH", path, who, headers={"If-Match": f'"{version}"'}, json={"plan": "starter"})
    assert changed["plan"] == "starter"
    await world.refused("stale", "PATCH", path, who, headers={"If-Match": f'"{version}"'}, json={"plan": "trial"})
    await world.refused("version-required", "PATCH", path, who, json={"plan": "trial"})
    await world.refused("invalid", "PATCH", path, who, headers={"If-Match": '"1"'}, json={"plan": "free"})


@pytest.mark.parametrize("tenant_id", [str(PLATFORM), str(uuid4())], ids=["platform", "nobody"])
async def test_the_platform_itself_and_nobody_are_no_business(world: People, tenant_id: str) -> None:
    who = await world.bearer(ADMIN)
    await world.refused("not-found", "GET", f"/api/admin/tenants/{tenant_id}", who)
    for act in ("suspension", "reactivation", "rejection", "scope"):
        await world.refused("not-found", "POST", f"/api/admin/tenants/{tenant_id}/{act}", who, json=REASON)
    await world.refused("not-found", "POST", f"/api/admin/tenants/{tenant_id}/approval", who)


async def test_the_crew_goes_inside_with_a_reason_for_an_hour_on_record(world: People) -> None:
    """TEN-06: what the crew may do there is what is said of tenants and venues; it ends with the hour, also for its refreshes."""
    tenant_id = await business(world)
    outside = await world.bearer(ADMIN)
    path = f"/api/admin/tenants/{tenant_id}/scope"
    await world.refused("invalid", "POST", path, outside, json={"reason": "x"})
    scope = await world.call("POST", path, outside, status=201, json=REASON)
    inside = {"Authorization": f"Bearer {scope['access_token']}"}
    me = await world.call("GET", "/api/me", inside)
    assert (me["kind"], me["tenant"]["id"]) == ("crew", str(tenant_id))
    assert "visits.read" in me["permissions"]
    assert "tenants.read" not in me["permissions"]
    await world.refused("not-permitted", "GET", "/api/admin/tenants", inside)
    session = (
        await world.sql(
            "select reason, expires_at - created_at as life from sessions where id = $1::uuid", me["session_id"]
        )
    )[0]
    assert (session["reason"], session["life"].total_seconds()) == (REASON["reason"], 3600)
    refreshed = await world.call("POST", "/api/auth/refresh", json={"refresh_token": scope["refresh_token"]})
    assert refreshed["expires_in"] <= 900
    life = await world.sql("select expires_at - created_at as life from sessions where id = $1::uuid", me["session_id"])
    assert life[0]["life"].total_seconds() == 3600
    entered = [event for event in await world.events("tenant.entered") if event["tenant_id"] == tenant_id]
    assert len(entered) == 1
    assert REASON["reason"] in entered[0]["audit"]


async def test_a_business_changes_its_own_details_and_nobody_else_s(world: People) -> None:
    owner = await world.bearer(world.club.email("owner"))
    now = await world.call("GET", "/api/tenant", owner)
    change = {"name": " The  Club ", "time_zone": "Asia/Tokyo"}
    changed = await world.call("PATCH", "/api/tenant", owner, headers={"If-Match": f'"{now["version"]}"'}, json=change)
    assert (changed["name"], changed["time_zone"], changed["slug"]) == ("The Club", "Asia/Tokyo", "club")
    before = await world.rows("tenants")
    await world.refused(
        "stale", "PATCH", "/api/tenant", owner, headers={"If-Match": f'"{now["version"]}"'}, json=change
    )
    latest = {"If-Match": f'"{changed["version"]}"'}
    for body, field in (
        ({"slug": "bar"}, "slug"),
        ({"status": "active"}, "status"),
        ({"plan": "enterprise"}, "plan"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"name": "\u202eevil"}, "name"),
    ):
        answer = await world.refused("invalid", "PATCH", "/api/tenant", owner, headers=latest, json=body)
        assert list(answer["fields"]) == [field]
    manager = await world.bearer(world.club.email("manager"))
    await world.refused("not-permitted", "PATCH", "/api/tenant", manager, headers=latest, json=change)
    assert await world.rows("tenants") == before


async def test_the_health_of_a_business_tells_what_failed_and_what_waits(world: People) -> None:
    tenant_id = await business(world)
    well = (await detail(world, tenant_id))["health"]
    assert (well["jobs_dead"], well["jobs_waiting"], well["mails_failed"], well["last_seen_at"]) == (0, 0, 0, None)
    put = """insert into jobs (tenant_id, kind, state, max_attempts, run_at, finished_at)
             values ($1, 'mail.deliver', $2, 3, now() - $3::interval, case when $2 = 'dead' then now() - $3::interval end)"""
    for state, minutes in (("dead", 5), ("dead", 60 * 24 * 30), ("queued", 10)):
        await world.sql(put, tenant_id, state, timedelta(minutes=minutes))
    ill = (await detail(world, tenant_id))["health"]
    assert (ill["jobs_dead"], ill["jobs_waiting"]) == (1, 1)
    assert 590 < ill["oldest_wait_seconds"] < 700
    usage = (await detail(world, world.bar.id))["usage"]
    assert (usage["Venues"], usage["Visits in 30 days"]) == (2, 0)
