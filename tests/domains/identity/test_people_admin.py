"""People admin: verification, suspensions with an end, graded bans, of guests by a business and of accounts by the platform."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.people import Newcomer, People

SOON = timedelta(days=2)


def until(days: float = 2) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


async def patron_id(world: People, somebody: Newcomer) -> UUID:
    return (await world.sql("select id from patrons where user_id = $1", somebody.user_id))[0]["id"]


async def put(world: People, who: str, path: str, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Change something as somebody, at the version it has."""
    bearer = await world.bearer(who)
    now = await world.call("GET", path.rpartition("/")[0], bearer)
    headers = {"If-Match": f'"{now["version"]}"'}
    if "problem" in more:
        return await world.refused(more["problem"], "PUT", path, bearer, headers=headers, json=body)
    return await world.call("PUT", path, bearer, headers=headers, json=body)


async def test_a_manager_reads_a_guest_s_profile_and_that_is_on_record(world: People) -> None:
    guest = await world.newcomer(world.bar)
    path = f"/api/patrons/{await patron_id(world, guest)}"
    found = await world.call("GET", path, await world.bearer(world.bar.email("manager")))
    assert (found["email"], found["status"], found["visits"], found["sanctions"]) == (guest.email, "active", 0, [])
    assert await world.events("patron.profile_read")
    await world.refused("not-found", "GET", path, await world.bearer(world.club.email("owner")))
    await world.refused("not-permitted", "GET", path, await world.bearer(world.bar.email("staff")))


async def test_verification_names_who_saw_the_guest_and_can_be_taken_back(world: People) -> None:
    path = f"/api/patrons/{await patron_id(world, await world.newcomer(world.bar))}"
    seen = await put(
        world, world.bar.email("manager"), f"{path}/verification", {"verified": True, "reason": "Saw the ID."}
    )
    assert seen["verified_by"] == "Manager of the bar"
    back = await put(world, world.bar.email("owner"), f"{path}/verification", {"verified": False})
    assert (back["verified_by"], back["verified_at"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "suspended", "reason": "Fought."}, "until"),
        ({"status": "suspended", "reason": "  ", "until": until()}, "reason"),
        ({"status": "banned", "reason": "Fought.", "until": until(-1)}, "until"),
        ({"status": "banned", "reason": "Fought.", "until": until(5000)}, "until"),
        ({"status": "banned", "reason": "Fought.", "until": "2030-01-01T00:00:00"}, "until"),
        ({"status": "active", "reason": "Forgiven.", "until": until()}, "until"),
    ],
)
async def test_a_standing_that_makes_no_sense_is_refused_at_its_field(
    world: People, body: dict[str, Any], field: str
) -> None:
    path = f"/api/patrons/{await patron_id(world, await world.newcomer(world.bar))}/standing"
    refused = await put(world, world.bar.email("manager"), path, body, problem="invalid")
    assert list(refused["fields"]) == [field]


async def test_a_ban_holds_from_the_next_request_and_only_at_that_business(world: People) -> None:
    guest = await world.newcomer(world.bar)
    here = await world.bearer(guest.email)
    await world.call("GET", "/api/me", here)
    path = f"/api/patrons/{await patron_id(world, guest)}"
    banned = await put(world, world.bar.email("manager"), f"{path}/standing", {"status": "banned", "reason": "Fought."})
    assert (banned["status"], banned["sanctions"][0]["imposer"]) == ("banned", "Manager of the bar")
    await world.refused("guest-banned", "GET", "/api/me", here)
    for more in ({}, {"as": "patron"}):
        told = await world.login(guest.email, tenant="bar", status=403, **more)
        assert told["type"].endswith("/guest-banned")
    await world.call("GET", "/api/me", await world.bearer(guest.email, tenant="club", **{"as": "patron"}))
    back = await put(world, world.bar.email("owner"), f"{path}/standing", {"status": "active", "reason": "Talked."})
    assert back["sanctions"][0]["end_reason"] == "Talked."
    await world.call("GET", "/api/me", here)
    await put(
        world,
        world.bar.email("owner"),
        f"{path}/standing",
        {"status": "active", "reason": "Again."},
        problem="nothing-imposed",
    )


@pytest.mark.parametrize("status", ["suspended", "soft_banned"])
async def test_who_is_suspended_or_soft_banned_still_sees_the_app(world: People, status: str) -> None:
    guest = await world.newcomer(world.bar)
    here = await world.bearer(guest.email)
    path = f"/api/patrons/{await patron_id(world, guest)}/standing"
    await put(world, world.bar.email("manager"), path, {"status": status, "reason": "Fought.", "until": until()})
    await world.call("GET", "/api/me", here)


async def test_a_ban_ends_by_itself_on_time_and_the_record_follows(world: People) -> None:
    guest = await world.newcomer(world.bar)
    here, patron = await world.bearer(guest.email), await patron_id(world, guest)
    body = {"status": "banned", "reason": "Fought.", "until": until()}
    await put(world, world.bar.email("manager"), f"/api/patrons/{patron}/standing", body)
    await world.refused("guest-banned", "GET", "/api/me", here)
    await world.sql("update patrons set status_until = now() - interval '1 second' where id = $1", patron)
    await world.sql(
        "update sanctions set imposed_at = now() - interval '1 day', ends_at = now() - interval '1 second' where patron_id = $1",
        patron,
    )
    await world.call("GET", "/api/me", here)
    await world.run_scheduled("identity.end_sanctions", world.bar.id)
    found = await world.call("GET", f"/api/patrons/{patron}", await world.bearer(world.bar.email("manager")))
    assert (found["status"], found["sanctions"][0]["end_reason"]) == ("active", "its time was over")


async def test_the_platform_suspends_an_account_everywhere_and_lets_it_back_in(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    here, chief = await world.bearer(somebody.email), await world.bearer("moderator@crew.example")
    path = f"/api/admin/users/{somebody.user_id}"
    seen = await world.call("GET", path, chief)
    assert [(place["kind"], place["role"]) for place in seen["places"]] == [("member", "Staff")]
    done = await world.call("POST", f"{path}/suspend", chief, json={"reason": "Spam.", "days": 3})
    assert (done["status"], done["sanctions"][0]["reason"]) == ("suspended", "Spam.")
    await world.refused("account-suspended", "GET", "/api/me", here)
    await world.login(somebody.email, status=403)
    listed = await world.call("GET", "/api/admin/users", chief, params={"q": somebody.email, "status": "suspended"})
    assert [row["id"] for row in listed["items"]] == [str(somebody.user_id)]
    await world.call("POST", f"{path}/reactivate", chief, json={"reason": "Explained."})
    await world.call("GET", "/api/me", here)
    await world.refused("nothing-imposed", "POST", f"{path}/reactivate", chief, json={"reason": "Again."})


async def test_a_banned_account_is_out_and_a_soft_banned_one_still_signs_in(world: People) -> None:
    somebody = await world.newcomer(world.bar)
    path = f"/api/admin/users/{somebody.user_id}/standing"
    await put(world, "ops@crew.example", path, {"status": "soft_banned", "reason": "Spam."})
    await world.login(somebody.email)
    await put(world, "ops@crew.example", path, {"status": "banned", "reason": "More spam."})
    await world.login(somebody.email, status=403)
    rows = await world.sql(
        "select kind, ended_at is null as open from sanctions where user_id = $1 order by id", somebody.user_id
    )
    assert [tuple(row.values()) for row in rows] == [("soft_banned", False), ("banned", True)]


async def test_crew_is_not_sanctioned_and_nobody_else_sees_accounts(world: People) -> None:
    path = f"/api/admin/users/{world.crew['super_admin']}/suspend"
    body = {"reason": "A coup.", "days": 1}
    await world.refused("sanctions-crew", "POST", path, await world.bearer("ops@crew.example"), json=body)
    await world.refused("not-permitted", "POST", path, await world.bearer(world.bar.email("owner")), json=body)
    await world.refused("not-permitted", "GET", "/api/admin/users", await world.bearer("finance@crew.example"))
