"""TEN-05, U6: roles are data, and nobody makes, changes or takes away more than they hold."""

import asyncio
import json
from typing import Any

import pytest

from tests.support.people import People

UNTOUCHED = ("roles", "memberships")


async def owner(world: People) -> dict[str, str]:
    return await world.bearer(world.bar.email("owner"))


async def make_role(world: People, who: dict[str, str], name: str, *permissions: str, **more: Any) -> dict[str, Any]:
    body = {"name": name, "permissions": list(permissions)}
    return await world.call("POST", "/api/roles", who, status=201, json={**body, **more})


def version(of: dict[str, Any]) -> dict[str, str]:
    return {"If-Match": f'"{of["version"]}"'}


async def test_a_role_of_one_s_own_does_what_it_says_and_no_more(world: People) -> None:
    role = await make_role(
        world, await owner(world), "Door  host", "visits.read", "checkins.read", description="Greets."
    )
    assert (role["name"], role["builtin"], role["members"]) == ("Door host", False, 0)
    assert role["permissions"] == ["checkins.read", "visits.read"]
    somebody = await world.newcomer(world.bar, role=role["key"])
    who = await world.bearer(somebody.email)
    assert (await world.call("GET", "/api/me", who))["permissions"] == {"checkins.read": None, "visits.read": None}
    await world.call("GET", "/api/visits", who)
    await world.refused("not-permitted", "GET", "/api/members", who)
    listed = (await world.call("GET", "/api/roles", await owner(world), params={"q": "Door host"}))["items"]
    assert [(item["name"], item["members"]) for item in listed] == [("Door host", 1)]


async def test_every_permission_is_listed_with_whether_one_may_hand_it_out(world: People) -> None:
    listed = (await world.call("GET", "/api/permissions", await world.bearer(world.bar.email("manager"))))["items"]
    held = {item["name"]: item["held"] for item in listed}
    assert held["visits.read"]
    assert not held["roles.manage"]
    assert {item["scope"] for item in listed} == {"tenant", "venue"}
    crew = (await world.call("GET", "/api/permissions", await world.bearer("super_admin@crew.example")))["items"]
    assert {item["name"] for item in crew} > set(held)
    assert all(item["held"] for item in crew)


@pytest.mark.parametrize(
    ("permissions", "problem"),
    [
        (["tenants.manage"], "invalid"),
        (["checkins.verify"], "invalid"),
        (["no.such"], "invalid"),
        (["visits.read", "no.such"], "invalid"),
    ],
)
async def test_what_is_the_crew_s_the_guests_or_nobody_s_is_in_no_tenant_s_role(
    world: People, permissions: list[str], problem: str
) -> None:
    before = await world.rows(*UNTOUCHED)
    body = {"name": "Too much", "permissions": permissions}
    answer = await world.refused(problem, "POST", "/api/roles", await owner(world), json=body)
    assert list(answer["fields"]) == [f"permissions[{len(permissions) - 1}]"]
    assert await world.rows(*UNTOUCHED) == before


async def test_nobody_makes_or_changes_a_role_beyond_themselves(world: People) -> None:
    """Also not the role that they hold, nor one that holds more than they do: not to take from it either."""
    editor_role = await make_role(world, await owner(world), "Role editor", "roles.read", "roles.manage", "visits.read")
    strong = await make_role(world, await owner(world), "Strong", "visits.read", "tenant.manage")
    editor = await world.bearer((await world.newcomer(world.bar, role=editor_role["key"])).email)
    before = await world.rows(*UNTOUCHED)
    attempts: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
        ("POST", "/api/roles", {}, {"name": "Mine", "permissions": ["tenant.manage"]}),
        (
            "PUT",
            f"/api/roles/{editor_role['id']}",
            version(editor_role),
            {"name": "Mine", "permissions": ["members.manage"]},
        ),
        ("PUT", f"/api/roles/{strong['id']}", version(strong), {"name": "Strong", "permissions": ["visits.read"]}),
        ("PUT", f"/api/roles/{strong['id']}", version(strong), {"name": "Weak", "permissions": strong["permissions"]}),
    ]
    for method, path, headers, body in attempts:
        answer = await world.refused("grants-too-much", method, path, editor, headers=headers, json=body)
        assert answer["permissions"] in {"tenant.manage", "members.manage"}
    await world.refused("grants-too-much", "DELETE", f"/api/roles/{strong['id']}", editor, headers=version(strong))
    assert await world.rows(*UNTOUCHED) == before
    weaker = await make_role(world, editor, "Weaker", "visits.read")
    assert weaker["permissions"] == ["visits.read"]


async def test_a_role_that_is_held_for_some_venues_makes_no_role_for_all(world: People) -> None:
    role = await make_role(world, await owner(world), "Venue editor", "roles.read", "roles.manage", "visits.read")
    limited = await world.newcomer(world.bar, role=role["key"], venue_ids=[world.bar.venues[0]])
    who = await world.bearer(limited.email)
    assert "roles.manage" not in (await world.call("GET", "/api/me", who))["permissions"]
    body = {"name": "Anything", "permissions": ["visits.read"]}
    await world.refused("not-permitted", "POST", "/api/roles", who, json=body)


async def test_built_in_roles_stay_as_they_are(world: People) -> None:
    before = await world.rows("roles")
    listed = (await world.call("GET", "/api/roles", await owner(world), params={"builtin": "true"}))["items"]
    assert {item["key"] for item in listed} == {"owner", "manager", "vendor_admin", "staff"}
    for role in listed:
        body: dict[str, Any] = {"name": "Mine", "permissions": []}
        path = f"/api/roles/{role['id']}"
        await world.refused("role-fixed", "PUT", path, await owner(world), headers=version(role), json=body)
        await world.refused("role-fixed", "DELETE", path, await owner(world), headers=version(role))
    assert await world.rows("roles") == before


async def test_two_roles_never_read_the_same_also_when_made_at_once(world: People) -> None:
    who = await owner(world)
    await make_role(world, who, "Barback")
    await world.refused("role-name-taken", "POST", "/api/roles", who, json={"name": " barBACK "})
    answers = await asyncio.gather(
        *(world.client.post("/api/roles", headers=who, json={"name": "Twins"}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_a_stale_edit_is_refused_and_a_missing_version_asked_for(world: People) -> None:
    who = await owner(world)
    role = await make_role(world, who, "Edited", "visits.read")
    path = f"/api/roles/{role['id']}"
    body: dict[str, Any] = {"name": "Edited", "permissions": []}
    changed = await world.call("PUT", path, who, headers=version(role), json=body)
    assert changed["version"] == role["version"] + 1
    before = await world.rows("roles")
    await world.refused("stale", "PUT", path, who, headers=version(role), json={"name": "Late", "permissions": []})
    await world.refused("version-required", "PUT", path, who, json={"name": "Late", "permissions": []})
    assert await world.rows("roles") == before


async def test_a_role_in_use_is_not_archived_and_its_name_is_free_afterwards(world: People) -> None:
    who = await owner(world)
    role = await make_role(world, who, "Short-lived", "visits.read")
    somebody = await world.newcomer(world.bar, role=role["key"])
    path = f"/api/roles/{role['id']}"
    answer = await world.refused("role-in-use", "DELETE", path, who, headers=version(role))
    assert answer["members"] == 1
    member = await world.call("GET", f"/api/members/{somebody.member_id}", who)
    await world.call("DELETE", f"/api/members/{somebody.member_id}", who, status=204, headers=version(member))
    await world.call("DELETE", path, who, status=204, headers=version(role))
    await world.refused("not-found", "GET", path, who)
    await make_role(world, who, "Short-lived")
    body = {"email": somebody.email, "role_id": role["id"]}
    await world.refused("not-found", "POST", "/api/invitations", who, json=body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"permissions": []}, "name"),
        ({"name": "   ", "permissions": []}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "X", "builtin": True}, "builtin"),
        ({"name": "X", "key": "owner"}, "key"),
        ({"name": "X", "tenant_id": "00000000-0000-0000-0000-000000000000"}, "tenant_id"),
        ({"name": "X", "permissions": ["p"] * 501}, "permissions"),
    ],
)
async def test_odd_bodies_name_the_field_and_nothing_is_assigned_in_bulk(
    world: People, body: dict[str, Any], field: str
) -> None:
    before = await world.rows("roles")
    answer = await world.refused("invalid", "POST", "/api/roles", await owner(world), json=body)
    assert list(answer["fields"]) == [field]
    assert await world.rows("roles") == before


async def test_another_tenant_s_role_is_not_there(world: People) -> None:
    theirs = (await world.sql("select id, version from roles where tenant_id = $1 and key = 'staff'", world.club.id))[0]
    who = await owner(world)
    await world.refused("not-found", "GET", f"/api/roles/{theirs['id']}", who)
    await world.refused(
        "not-found", "PUT", f"/api/roles/{theirs['id']}", who, headers={"If-Match": '"1"'}, json={"name": "X"}
    )
    body = {"email": "somebody@people.example", "name": "Some Body", "role_id": str(theirs["id"])}
    await world.refused("not-found", "POST", "/api/invitations", who, json=body)


async def test_each_edit_is_on_record_with_before_and_after(world: People) -> None:
    who = await owner(world)
    role = await make_role(world, who, "On record", "visits.read")
    await world.call(
        "PUT", f"/api/roles/{role['id']}", who, headers=version(role), json={"name": "On record", "permissions": []}
    )
    changed = (await world.events("role.changed"))[-1]
    assert changed["tenant_id"] == world.bar.id
    audit = json.loads(changed["audit"])
    assert audit["before"] == {"name": "On record", "permissions": ["visits.read"]}
    assert audit["after"] == {"name": "On record", "permissions": []}
    assert audit["actor"] == "Owner of the bar"
