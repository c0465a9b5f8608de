"""U3, TEN-05: what a session may do is remembered, and forgotten in every process as soon as it changes."""

from typing import Any

import asyncpg
import pytest

from lastlight.domains import identity
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.auth import authenticate
from lastlight.runtime.db.uow import system_ctx
from tests.support.people import People


async def test_a_request_reads_roles_once_and_then_only_the_version(
    world: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[Any] = []
    real = authenticate.load_actor

    async def counting(*args: Any) -> Any:
        reads.append(args)
        return await real(*args)

    monkeypatch.setattr(authenticate, "load_actor", counting)
    somebody = await world.newcomer(world.bar, role="manager")
    who = await world.bearer(somebody.email)
    for _ in range(4):
        await world.call("GET", "/api/visits", who)
    assert len(reads) == 1
    await world.sql("update sessions set version = version + 1 where user_id = $1", somebody.user_id)
    for _ in range(3):
        await world.call("GET", "/api/visits", who)
    assert len(reads) == 2


async def test_a_role_that_loses_a_permission_loses_it_for_its_people_at_once(world: People) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    body = {"name": "Losing", "permissions": ["members.read", "visits.read"]}
    role = await world.call("POST", "/api/roles", owner, status=201, json=body)
    somebody = await world.newcomer(world.bar, role=role["key"])
    who = await world.bearer(somebody.email)
    await world.call("GET", "/api/members", who)
    await world.call(
        "PUT",
        f"/api/roles/{role['id']}",
        owner,
        headers={"If-Match": f'"{role["version"]}"'},
        json={"name": "Losing", "permissions": ["visits.read"]},
    )
    await world.refused("not-permitted", "GET", "/api/members", who)
    await world.call("GET", "/api/visits", who)


async def test_another_process_is_told_which_sessions_to_look_at_again(world: People) -> None:
    """The sockets of every process listen on this channel; requests compare the version, so they need no message."""
    somebody = await world.newcomer(world.bar, role="manager")
    who = await world.bearer(somebody.email)
    heard: list[str] = []

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        heard.append(str(payload))

    listener = await asyncpg.connect(world.services.settings.admin_dsn())
    try:
        await listener.add_listener("lastlight_sessions", hear)
        async with system_ctx(world.services, world.bar.id, role="system") as ctx:
            assert await identity.bump_sessions(ctx, user_id=somebody.user_id, tenant_id=world.bar.id) == 1
        await world.call("POST", "/api/auth/logout-all", who, status=204)
        await listener.fetchval("select 1")
    finally:
        await listener.close()
    assert f"user:{somebody.user_id}" in heard
    assert any(message.startswith("session:") for message in heard)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("update users set status = 'suspended' where id = $1", "account-suspended"),
        ("update users set status = 'closed' where id = $1", "session-ended"),
        ("update memberships set status = 'ended' where user_id = $1", "membership-ended"),
        ("update memberships set status = 'suspended' where user_id = $1", "membership-ended"),
    ],
)
async def test_whoever_may_not_go_on_is_refused_from_the_next_request(
    world: People, statement: str, problem: str
) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    who = await world.bearer(somebody.email)
    await world.call("GET", "/api/me", who)
    await world.sql(statement, somebody.user_id)
    await world.sql("update sessions set version = version + 1 where user_id = $1", somebody.user_id)
    await world.refused(problem, "GET", "/api/me", who)
    await world.refused(problem, "GET", "/api/visits", who)


async def test_a_suspension_with_an_end_ends(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    who = await world.bearer(somebody.email)
    suspend = "update users set status = 'suspended', status_until = now() + interval '2 days' where id = $1"
    await world.sql(suspend, somebody.user_id)
    await world.sql("update sessions set version = version + 1 where user_id = $1", somebody.user_id)
    answer = await world.refused("account-suspended", "GET", "/api/me", who)
    assert answer["until"]
    assert "UTC" in answer["detail"]
    await world.sql("update users set status_until = now() where id = $1", somebody.user_id)
    await world.call("GET", "/api/me", who)


async def test_a_token_says_nothing_that_may_change(world: People) -> None:
    """A token for another tenant, kind or person than its session's is none of ours, whoever signed it."""
    tokens = await world.login(world.bar.email("manager"))
    session = (await world.call("GET", "/api/me", {"Authorization": f"Bearer {tokens['access_token']}"}))["session_id"]
    await world.sql(
        "update sessions set tenant_id = $2, version = version + 1 where id = $1::uuid", session, world.club.id
    )
    answer = await world.client.get("/api/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert answer.status_code in {401, 403}
    other = await world.login(world.bar.email("staff"))
    held = (await world.call("GET", "/api/me", {"Authorization": f"Bearer {other['access_token']}"}))["session_id"]
    await world.sql(
        "update sessions set user_id = $2, version = version + 1 where id = $1::uuid", held, world.bar.users["owner"]
    )
    answer = await world.client.get("/api/me", headers={"Authorization": f"Bearer {other['access_token']}"})
    assert answer.status_code in {401, 403}


async def test_preferences_are_each_person_s_own(world: People) -> None:
    """TEN-12."""
    first, second = [await world.newcomer(world.bar, role="staff") for _ in range(2)]
    mine, theirs = await world.bearer(first.email), await world.bearer(second.email)
    defaults = await world.call("GET", "/api/me/preferences", theirs)
    assert defaults == {"language": "en", "time_zone": "", "theme": "dark", "notifications": {}}
    wanted = {"language": "pt-BR", "time_zone": "Asia/Tokyo", "theme": "light", "notifications": {"visits": False}}
    assert await world.call("PUT", "/api/me/preferences", mine, json=wanted) == wanted
    for who in (mine, await world.bearer(first.email)):
        assert (await world.call("GET", "/api/me", who))["preferences"] == wanted
    assert await world.call("GET", "/api/me/preferences", theirs) == defaults
    rest = await world.call("PUT", "/api/me/preferences", mine, json={"theme": "system"})
    assert rest == {"language": "en", "time_zone": "", "theme": "system", "notifications": {}}


@pytest.mark.parametrize("who", ["patron@bar.example", "ops@crew.example"])
async def test_guests_and_crew_have_preferences_too(world: People, who: str) -> None:
    bearer = await world.bearer(who)
    saved = await world.call("PUT", "/api/me/preferences", bearer, json={"theme": "light"})
    assert await world.call("GET", "/api/me/preferences", bearer) == saved


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"language": "english"}, "language"),
        ({"language": "qq"}, "language"),
        ({"language": "en-QQ"}, "language"),
        ({"theme": "pink"}, "theme"),
        ({"notifications": {"visits": "yes"}}, "notifications[...]"),
        ({"notifications": {str(n): True for n in range(51)}}, "notifications"),
        ({"user_id": "x"}, "user_id"),
    ],
)
async def test_odd_preferences_name_the_field_and_change_nothing(
    world: People, body: dict[str, Any], field: str
) -> None:
    who = await world.bearer(world.bar.email("staff"))
    before = await world.rows("user_preferences")
    answer = await world.refused("invalid", "PUT", "/api/me/preferences", who, json=body)
    assert list(answer["fields"]) == [field]
    assert await world.rows("user_preferences") == before


async def test_the_crew_s_home_is_the_platform(world: People) -> None:
    me = await world.call("GET", "/api/me", await world.bearer("ops@crew.example"))
    assert (me["kind"], me["tenant"]["id"], me["venues"]) == ("crew", str(PLATFORM), [])
