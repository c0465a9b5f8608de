"""TEN-05, U6: roles are given, changed and taken by those who hold them, for their venues; somebody always remains an owner."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.domains import tenancy
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.db.uow import system_ctx
from tests.support.people import Newcomer, People, Tenant

UNTOUCHED = ("memberships", "users", "one_time_tokens", "jobs", "invitations")


def version(of: dict[str, Any]) -> dict[str, str]:
    return {"If-Match": f'"{of["version"]}"'}


async def owner(world: People) -> dict[str, str]:
    return await world.bearer(world.bar.email("owner"))


async def role_id(world: People, key: str, tenant: Tenant | None = None) -> str:
    rows = await world.sql("select id from roles where tenant_id = $1 and key = $2", (tenant or world.bar).id, key)
    return str(rows[0]["id"])


async def member(world: People, somebody: Newcomer, who: dict[str, str] | None = None) -> dict[str, Any]:
    return await world.call("GET", f"/api/members/{somebody.member_id}", who or await owner(world))


async def accepted(world: People, email: str) -> None:
    """Take the role of the invitation that was sent last to an address."""
    body = {"token": await world.link(email), "name": "Fresh Face", "password": "a fine long night"}
    await world.call("POST", "/api/invitations/acceptance", json=body)


async def test_nobody_is_added_by_their_address_alone(world: People) -> None:
    """Who knows an address does not learn whether it has an account: everybody is invited, in the same words."""
    known = await world.newcomer(world.club, role="staff")
    role = await role_id(world, "staff")
    answers: list[dict[str, Any]] = []
    for email in (known.email, f"{uuid4().hex}@people.example"):
        body = {"email": email, "role_id": role}
        made = await world.call("POST", "/api/invitations", await owner(world), status=201, json=body)
        answers.append(
            {key: value for key, value in made.items() if value != email and key not in {"id", "expires_at"}}
        )
    assert [set(one) for one in answers] == [set(answers[0])] * 2
    assert [(one["status"], one["name"], one["sent_count"]) for one in answers] == [("open", "", 0)] * 2
    answer = await world.client.post(
        "/api/members", headers=await owner(world), json={"email": known.email, "role_id": role}
    )
    assert answer.status_code == 405


@pytest.mark.parametrize(
    ("who", "key", "venues", "problem"),
    [
        ("manager", "owner", None, "grants-too-much"),
        ("vendor_admin", "staff", None, "not-permitted"),
        ("vendor_admin", "staff", [1], "not-found"),
        ("vendor_admin", "staff", [0, 1], "not-found"),
        ("vendor_admin", "owner", [0], None),
        ("vendor_admin", "staff", [0], None),
        ("staff", "staff", None, "not-permitted"),
        ("owner", "staff", ["club"], "not-found"),
        ("owner", "staff", ["nowhere"], "not-found"),
    ],
)
async def test_nobody_gives_what_they_lack_or_for_venues_they_lack(
    world: People, who: str, key: str, venues: list[Any] | None, problem: str | None
) -> None:
    """An owner's role for one venue is what a vendor admin holds there: what is the whole tenant's falls away from it."""
    asking = await world.bearer(world.bar.email(who))
    named: dict[Any, str] = {"club": str(world.club.venues[0]), "nowhere": str(uuid4())}
    named |= {place: str(venue) for place, venue in enumerate(world.bar.venues)}
    venue_ids = [named[v] for v in venues] if venues else None
    target = await world.newcomer(world.club)
    body = {"email": target.email, "role_id": await role_id(world, key), "venue_ids": venue_ids}
    before = await world.rows(*UNTOUCHED)
    if problem is None:
        await world.call("POST", "/api/invitations", asking, status=201, json=body)
        await accepted(world, target.email)
        mine = (await world.call("GET", "/api/me", asking))["permissions"]
        theirs = (await world.call("GET", "/api/me", await world.bearer(target.email, tenant="bar")))["permissions"]
        assert set(theirs) <= set(mine)
        return
    await world.refused(problem, "POST", "/api/invitations", asking, json=body)
    assert await world.rows(*UNTOUCHED) == before


async def test_nobody_widens_their_own_role(world: People) -> None:
    limited = await world.newcomer(world.bar, role="vendor_admin", venue_ids=[world.bar.venues[0]])
    who = await world.bearer(limited.email)
    me = await member(world, limited, who)
    before = await world.rows("memberships")
    path = f"/api/members/{limited.member_id}"
    wider = {"venue_ids": [str(v) for v in world.bar.venues]}
    await world.refused("not-permitted", "PATCH", path, who, headers=version(me), json={"venue_ids": None})
    await world.refused("not-found", "PATCH", path, who, headers=version(me), json=wider)
    body = {"role_id": await role_id(world, "owner"), "venue_ids": None}
    await world.refused("not-permitted", "PATCH", path, who, headers=version(me), json=body)
    own = {"email": limited.email, "role_id": await role_id(world, "manager")}
    await world.refused("not-permitted", "POST", "/api/invitations", who, json=own)
    assert await world.rows("memberships") == before


async def test_nobody_touches_who_holds_more(world: People) -> None:
    boss = await world.newcomer(world.bar, role="owner")
    before = await world.rows("memberships")
    now = await member(world, boss)
    path = f"/api/members/{boss.member_id}"
    for who in ("manager", "vendor_admin"):
        asking = await world.bearer(world.bar.email(who))
        problem = "grants-too-much" if who == "manager" else "not-permitted"
        for change in ({"status": "suspended"}, {"role_id": await role_id(world, "staff")}, {"venue_ids": None}):
            await world.refused(problem, "PATCH", path, asking, headers=version(now), json=change)
        await world.refused(problem, "DELETE", path, asking, headers=version(now))
    assert await world.rows("memberships") == before


async def test_a_member_of_other_venues_is_not_there(world: People) -> None:
    elsewhere = await world.newcomer(world.bar, role="staff", venue_ids=[world.bar.venues[1]])
    who = await world.bearer(world.bar.email("vendor_admin"))
    path = f"/api/members/{elsewhere.member_id}"
    await world.refused("not-found", "GET", path, who)
    await world.refused("not-found", "DELETE", path, who, headers={"If-Match": '"1"'})
    listed = (await world.call("GET", "/api/members", who, params={"limit": 200}))["items"]
    assert str(elsewhere.member_id) not in {item["id"] for item in listed}
    assert str(elsewhere.member_id) in {
        item["id"]
        for item in (await world.call("GET", "/api/members", await owner(world), params={"limit": 200}))["items"]
    }


async def test_another_tenant_s_member_is_not_there(world: People) -> None:
    theirs = await world.newcomer(world.club, role="staff")
    before = await world.rows("memberships")
    path = f"/api/members/{theirs.member_id}"
    who = await owner(world)
    await world.refused("not-found", "GET", path, who)
    await world.refused("not-found", "PATCH", path, who, headers={"If-Match": '"1"'}, json={"status": "suspended"})
    await world.refused("not-found", "DELETE", path, who, headers={"If-Match": '"1"'})
    assert await world.rows("memberships") == before


async def test_a_change_holds_from_the_next_request_in_every_session(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    sessions = [await world.bearer(somebody.email) for _ in range(2)]
    for who in sessions:
        await world.call("GET", "/api/members", who)
    now = await member(world, somebody)
    path = f"/api/members/{somebody.member_id}"
    change = {"role_id": await role_id(world, "staff"), "venue_ids": [str(world.bar.venues[1])]}
    now = await world.call("PATCH", path, await owner(world), headers=version(now), json=change)
    for who in sessions:
        await world.refused("not-permitted", "GET", "/api/members", who)
        assert [v["slug"] for v in (await world.call("GET", "/api/me", who))["venues"]] == ["roof"]
    suspended = {"status": "suspended", "reason": "while we look into it"}
    now = await world.call("PATCH", path, await owner(world), headers=version(now), json=suspended)
    assert now["status_reason"] == "while we look into it"
    for who in sessions:
        await world.refused("membership-ended", "GET", "/api/me", who)
    now = await world.call("PATCH", path, await owner(world), headers=version(now), json={"status": "active"})
    await world.call("GET", "/api/me", sessions[0])
    await world.call("DELETE", path, await owner(world), status=204, headers=version(now))
    for who in sessions:
        await world.refused("membership-ended", "GET", "/api/me", who)
    await world.refused("not-found", "GET", path, await owner(world))


async def test_the_last_owner_stays(world: People) -> None:
    club_owner = await world.bearer(world.club.email("owner"))
    listed = (await world.call("GET", "/api/members", club_owner, params={"q": "owner@club"}))["items"]
    now = next(item for item in listed if item["role_key"] == "owner")
    path = f"/api/members/{now['id']}"
    before = await world.rows("memberships")
    await world.refused("last-owner", "DELETE", path, club_owner, headers=version(now))
    for change in (
        {"status": "suspended"},
        {"role_id": await role_id(world, "manager", world.club)},
        {"venue_ids": [str(world.club.venues[0])]},
    ):
        await world.refused("last-owner", "PATCH", path, club_owner, headers=version(now), json=change)
    assert await world.rows("memberships") == before


@pytest.mark.parametrize("what", ["remove each other", "remove themselves"])
async def test_of_two_last_owners_who_go_at_once_one_stays(world: People, what: str) -> None:
    tenant, owners = await with_two_owners(world)
    targets = list(reversed(owners)) if what == "remove each other" else owners
    sessions = [await world.bearer(somebody.email, tenant=tenant) for somebody in owners]
    answers = await asyncio.gather(
        *(
            world.client.delete(f"/api/members/{target.member_id}", headers={**who, "If-Match": '"1"'})
            for who, target in zip(sessions, targets, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) in ([204, 409], [204, 403])
    left = await world.sql(
        """select count(*) from memberships m join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
           join tenants t on t.id = m.tenant_id where t.slug = $1 and r.key = 'owner' and m.status = 'active'""",
        tenant,
    )
    assert left[0][0] == 1


async def with_two_owners(world: People) -> tuple[str, list[Newcomer]]:
    """A business of its own, with exactly two owners."""
    slug = f"t-{uuid4().hex[:8]}"
    async with system_ctx(world.services, PLATFORM, role="system") as ctx:
        tenant_id = await tenancy.seed_tenant(ctx, seed="two owners", slug=slug, name=slug)
    return slug, [await world.newcomer(tenant_id, role="owner") for _ in range(2)]


async def test_a_stale_change_is_refused(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    now = await member(world, somebody)
    path = f"/api/members/{somebody.member_id}"
    both = [
        world.client.patch(path, headers={**(await owner(world)), **version(now)}, json={"reason": f"reason {number}"})
        for number in range(3)
    ]
    assert sorted(answer.status_code for answer in await asyncio.gather(*both)) == [200, 412, 412]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody@people.example", "role": "owner"}, "role"),
        ({"email": "x", "name": "X"}, "email"),
        ({"email": "nobody@people.example", "name": "X", "venue_ids": []}, "venue_ids"),
        ({"email": "nobody@people.example", "name": "X", "venue_ids": ["x"]}, "venue_ids[0]"),
        ({"email": "nobody@people.example", "name": "X", "tenant_id": str(UUID(int=0))}, "tenant_id"),
        ({"email": "nobody@people.example", "name": "https://evil.example"}, "name"),
    ],
)
async def test_odd_bodies_name_the_field(world: People, body: dict[str, Any], field: str) -> None:
    asking = await owner(world)
    before = await world.rows("memberships", "users")
    answer = await world.refused(
        "invalid",
        "POST",
        "/api/invitations",
        asking,
        json={"role_id": await role_id(world, "staff"), **body},
    )
    assert list(answer["fields"]) == [field]
    assert await world.rows("memberships", "users") == before


async def test_the_crew_add_crew_and_a_tenant_s_people_cannot(world: People) -> None:
    admin = await world.bearer("super_admin@crew.example")
    ops = (await world.sql("select id from roles where tenant_id = $1 and key = 'ops'", PLATFORM))[0]["id"]
    somebody = await world.newcomer(world.bar, role="manager")
    body = {"email": somebody.email, "role_id": str(ops)}
    for who in (world.bar.email("owner"), "ops@crew.example", "moderator@crew.example", "finance@crew.example"):
        before = await world.rows("memberships", "invitations")
        answer = await world.client.post("/api/invitations", headers=await world.bearer(who), json=body)
        assert answer.status_code in {403, 404}
        assert await world.rows("memberships", "invitations") == before
    await world.call("POST", "/api/invitations", admin, status=201, json=body)
    await accepted(world, somebody.email)
    assert (await world.call("GET", "/api/me", await world.bearer(somebody.email)))["kind"] == "crew"
    with_venues = {"email": "crew.two@people.example", "name": "Two", "role_id": str(ops), "venue_ids": [str(uuid4())]}
    answer = await world.refused("invalid", "POST", "/api/invitations", admin, json=with_venues)
    assert list(answer["fields"]) == ["venue_ids"]
