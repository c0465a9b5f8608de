"""People admin: verification, suspensions with an end, graded bans, of guests by a business and of accounts by the platform."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.support.people import PASSWORD, Newcomer, People

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


async def report(world: People, patron: UUID, venue: UUID) -> None:
    """A flag that stands, one that was dismissed, an alert and an intervention about somebody, at a venue."""
    for status, kind in (("open", "cloned_code"), ("dismissed", "impossible_travel")):
        await world.sql(
            """insert into checkin_flags (tenant_id, venue_id, patron_id, kind, happened_at, status, resolved_at)
               values ($1, $2, $3, $4, now() - interval '3 minutes', $5, case when $5 <> 'open' then now() end)""",
            world.bar.id,
            venue,
            patron,
            kind,
            status,
        )
    await world.sql(
        """insert into safety_alerts (tenant_id, venue_id, kind, severity, patron_id, summary, raised_at)
           values ($1, $2, 'behaviour', 'high', $3, 'Shouted.', now() - interval '2 minutes')""",
        world.bar.id,
        venue,
        patron,
    )
    await world.sql(
        """insert into safety_interventions (tenant_id, venue_id, kind, patron_id, note, recorded_at)
           values ($1, $2, 'remove', $3, 'Went quietly.', now() - interval '1 minute')""",
        world.bar.id,
        venue,
        patron,
    )


async def test_what_was_reported_about_a_guest_stands_on_their_profile_for_who_may_see_it(world: People) -> None:
    guest = await world.newcomer(world.bar)
    patron = await patron_id(world, guest)
    await report(world, patron, world.bar.venues[0])
    path = f"/api/patrons/{patron}"
    found = await world.call("GET", path, await world.bearer(world.bar.email("manager")))
    assert [(one["source"], one["kind"], one["words"]) for one in found["reports"]] == [
        ("intervention", "remove", "Went quietly."),
        ("alert", "behaviour", "Shouted."),
        ("flag", "cloned_code", ""),
    ]
    account = await world.call("GET", f"/api/admin/users/{guest.user_id}", await world.bearer("ops@crew.example"))
    assert (account["reports"], account["reported_at"]) == (3, 1)
    reader = await world.newcomer(world.bar, role="staff")
    await world.sql(
        """with desk as (insert into roles (tenant_id, key, name, permissions)
                         values ($1, 'desk', 'Desk', array['patrons.read', 'checkins.flags.read']) returning id)
           update memberships set role_id = desk.id from desk where tenant_id = $1 and user_id = $2""",
        world.bar.id,
        reader.user_id,
    )
    narrow = await world.call("GET", path, await world.bearer(reader.email))
    assert [one["source"] for one in narrow["reports"]] == ["flag"]


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


async def members_of(world: People, *people: Newcomer) -> list[str]:
    return [str(somebody.member_id) for somebody in people]


async def test_many_guests_are_sanctioned_together_and_who_cannot_be_is_named(world: People) -> None:
    one, other = await world.newcomer(world.bar), await world.newcomer(world.bar)
    ids = [str(await patron_id(world, somebody)) for somebody in (one, other)]
    manager = await world.bearer(world.bar.email("manager"))
    path, key = "/api/patrons/standing", {"Idempotency-Key": "many-1"}
    body = {"patron_ids": ids, "status": "banned", "reason": "Fought each other."}
    done = await world.call("POST", path, manager, headers=key, json=body)
    assert (sorted(done["changed"]), done["left"]) == (sorted(ids), [])
    assert await world.call("POST", path, manager, headers=key, json=body) == done
    rows = await world.sql("select count(*) as n from sanctions where patron_id = any($1::uuid[])", ids)
    assert rows[0]["n"] == 2
    await world.refused(
        "guest-banned", "POST", "/api/auth/login", json={"email": one.email, "password": PASSWORD, "tenant": "bar"}
    )
    free = str(await patron_id(world, await world.newcomer(world.bar)))
    back = {"patron_ids": [*ids, free], "status": "active", "reason": "Talked it over."}
    done = await world.call("POST", path, manager, headers={"Idempotency-Key": "many-2"}, json=back)
    assert sorted(done["changed"]) == sorted(ids)
    assert [(left["id"], left["why"]) for left in done["left"]] == [(free, "Nothing is imposed on them.")]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"status": "suspended"}, "invalid"),
        ({"reason": "  "}, "invalid"),
        ({"patron_ids": []}, "invalid"),
        ({}, "not-found"),
    ],
)
async def test_of_many_either_all_are_there_or_nothing_is_done(
    world: People, change: dict[str, Any], problem: str
) -> None:
    ours = str(await patron_id(world, await world.newcomer(world.bar)))
    theirs = str(await patron_id(world, await world.newcomer(world.club)))
    body = {"patron_ids": [ours, theirs], "status": "banned", "reason": "Fought.", **change}
    before = await world.rows("patrons", "sanctions")
    manager = await world.bearer(world.bar.email("manager"))
    key = {"Idempotency-Key": f"none-{ours}"}
    await world.refused(problem, "POST", "/api/patrons/standing", manager, headers=key, json=body)
    await world.refused(
        "not-permitted",
        "POST",
        "/api/patrons/standing",
        await world.bearer(world.bar.email("staff")),
        headers=key,
        json=body,
    )
    assert await world.rows("patrons", "sanctions") == before


async def test_many_at_work_are_suspended_but_those_who_hold_more_and_oneself(world: People) -> None:
    staff, owner = await world.newcomer(world.bar, role="staff"), await world.newcomer(world.bar, role="owner")
    manager = await world.newcomer(world.bar, role="manager")
    ids = await members_of(world, staff, owner, manager)
    bearer = await world.bearer(manager.email)
    working = await world.bearer(staff.email)
    body = {"member_ids": ids, "status": "suspended", "reason": "The till did not add up."}
    done = await world.call("POST", "/api/members/standing", bearer, headers={"Idempotency-Key": "work-1"}, json=body)
    assert done["changed"] == [str(staff.member_id)]
    why = {left["id"]: left["why"] for left in done["left"]}
    assert why[str(owner.member_id)].startswith("This is more than you may do yourself.")
    assert why[str(manager.member_id)].startswith("It is you")
    assert (await world.client.get("/api/visits", headers=working)).status_code in {401, 403}
    back = {**body, "status": "active", "reason": "It did."}
    done = await world.call("POST", "/api/members/standing", bearer, headers={"Idempotency-Key": "work-2"}, json=back)
    assert (done["changed"], len(done["left"])) == ([str(staff.member_id)], 2)
    told = [e for e in await world.events("member.changed") if e["entity_id"] == str(staff.member_id)]
    assert ["The till did not add up." in e["audit"] for e in told] == [True, False]
