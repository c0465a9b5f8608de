"""Sessions that only look: the preview of a role and the crew in somebody's place. They read, write nothing, and end."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from lastlight.kernel.errors import ReadOnly
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.auth.actors import load_actor
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from tests.support.people import PASSWORD, Newcomer, People, visitor

WHY = "Ticket 4411, payout missing"
CREW = "super_admin@crew.example"


async def role_id(world: People, key: str) -> str:
    rows = await world.sql("select id from roles where tenant_id = $1 and key = $2", world.bar.id, key)
    return str(rows[0]["id"])


async def preview(world: People, key: str, *, who: str = "", venue_ids: list[UUID] | None = None) -> dict[str, str]:
    """The headers of an owner who previews a role."""
    body = {"role_id": await role_id(world, key), "venue_ids": venue_ids and [str(venue) for venue in venue_ids]}
    owner = await world.bearer(who or world.bar.email("owner"))
    look = await world.call("POST", "/api/preview", owner, status=201, json=body)
    assert 1700 < look["expires_in"] <= 1800
    return {"Authorization": f"Bearer {look['access_token']}"}


async def impersonate(world: People, somebody: UUID, *, who: str = CREW, **more: Any) -> dict[str, str]:
    """The headers of one of the crew who looks with somebody's eyes."""
    body = {"tenant": "bar", "reason": WHY, **more}
    path = f"/api/admin/users/{somebody}/impersonation"
    look = await world.call("POST", path, await world.bearer(who), status=201, json=body)
    return {"Authorization": f"Bearer {look['access_token']}"}


async def session_of(world: People, bearer: dict[str, str]) -> UUID:
    return UUID((await world.call("GET", "/api/me", bearer))["session_id"])


async def actor_of(world: People, bearer: dict[str, str]) -> Actor:
    services = world.services
    return await load_actor(services.pools.system, services.registry, await session_of(world, bearer))


def seen(rows: list[Any]) -> list[dict[str, Any]]:
    """What the audit of some outbox rows says."""
    return [row["audit"] if isinstance(row["audit"], dict) else json.loads(row["audit"]) for row in rows]


async def test_a_preview_has_the_rights_of_the_role_at_its_venues_and_says_so(world: People) -> None:
    bearer = await preview(world, "staff", venue_ids=[world.bar.venues[0]])
    me = await world.call("GET", "/api/me", bearer)
    assert (me["roles"], me["name"]) == (["staff"], "Owner of the bar")
    assert me["permissions"]["visits.read"] == [str(world.bar.venues[0])]
    assert "roles.manage" not in me["permissions"]
    look = await world.call("GET", "/api/looking", bearer)
    assert (look["kind"], look["subject"], look["by"]) == ("preview", "Staff", "Owner of the bar")
    venues = await world.call("GET", "/api/venues", bearer)
    assert [venue["id"] for venue in venues["items"]] == [str(world.bar.venues[0])]
    started = await world.events("preview.started")
    assert seen(started)[-1]["after"]["role"] == "Staff"


async def test_a_preview_never_shows_more_than_its_owner_holds(world: People) -> None:
    """Somebody who may preview, and else only reads visits of one venue, sees of the owner's role no more than that."""
    made = await world.call(
        "POST",
        "/api/roles",
        await world.bearer(world.bar.email("owner")),
        status=201,
        json={"name": f"Looker {uuid4().hex[:6]}", "permissions": ["roles.preview", "roles.read", "visits.read"]},
    )
    who = await world.newcomer(world.bar, role="staff")
    await world.sql("update memberships set role_id = $1 where id = $2", UUID(made["id"]), who.member_id)
    bearer = await preview(world, "owner", who=who.email)
    me = await world.call("GET", "/api/me", bearer)
    assert sorted(me["permissions"]) == ["roles.preview", "roles.read", "visits.read"]


async def test_who_may_not_preview_or_names_strange_things_is_refused(world: People) -> None:
    body = {"role_id": await role_id(world, "staff")}
    manager = await world.bearer(world.bar.email("manager"))
    await world.refused("not-permitted", "POST", "/api/preview", manager, json=body)
    foreign = await world.bearer(world.club.email("owner"))
    await world.refused("not-found", "POST", "/api/preview", foreign, json=body)
    owner = await world.bearer(world.bar.email("owner"))
    strange = {**body, "venue_ids": [str(world.club.venues[0])]}
    await world.refused("not-found", "POST", "/api/preview", owner, json=strange)


async def test_a_look_opens_no_other_and_turns_into_nothing_more(world: People) -> None:
    bearer = await preview(world, "owner")
    body = {"role_id": await role_id(world, "staff")}
    before = await world.rows("refresh_tokens", "sessions")
    for method, path, more in (
        ("POST", "/api/preview", {"json": body}),
        ("POST", "/api/auth/switch", {"json": {"tenant": "bar"}}),
        ("POST", "/api/auth/login", {"json": {"email": world.bar.email("owner"), "password": "x"}}),
        ("POST", "/api/me/email", {"json": {"new_email": "a@b.example", "password": "x"}}),
    ):
        await world.refused("read-only", method, path, bearer, **more)
    assert await world.rows("refresh_tokens", "sessions") == before
    assert not await world.sql("select 1 from refresh_tokens where session_id = $1", await session_of(world, bearer))


async def test_the_database_itself_refuses_what_a_look_would_write(world: People) -> None:
    """Past every guard of ours: a handler that forgot itself is stopped by the transaction, and an event by its context."""
    actor = await actor_of(world, await preview(world, "owner"))
    scope = WorkScope(actor=actor, tenant_id=world.bar.id)
    before = await world.rows("tenants", "outbox")

    async def write(ctx: Ctx) -> None:
        await ctx.db.execute("update tenants set name = 'Taken' where id = $1", ctx.tenant_id)

    async def loosen(ctx: Ctx) -> None:
        await ctx.db.execute("set transaction read write")

    with pytest.raises(ReadOnly):
        async with unit_of_work(world.services, scope) as ctx:
            await write(ctx)
    with pytest.raises(asyncpg.ActiveSQLTransactionError):
        async with unit_of_work(world.services, scope) as ctx:
            await loosen(ctx)
    assert await world.rows("tenants", "outbox") == before


async def test_a_look_cannot_enter_a_transaction_that_could_write(world: People) -> None:
    """The control of the last line of defence: had the application forgotten to begin read-only, ll.enter refuses."""
    actor = await actor_of(world, await preview(world, "owner"))
    connection = await world.services.pools.app.acquire()
    try:
        for begin, problem in (("begin", "LL003"), ("begin read only", "")):
            await connection.execute(
                f"{begin}; set local app.tenant_id = '{world.bar.id}'; set local app.user_id = '{actor.user_id}'"
            )
            try:
                await connection.fetchval("select ll.enter($1, $2)", actor.session_id, actor.version)
                code = ""
            except asyncpg.PostgresError as error:
                code = error.sqlstate or ""
            await connection.execute("rollback")
            assert code == problem, begin
    finally:
        await world.services.pools.app.release(connection)


async def test_a_look_lasts_half_an_hour_and_not_longer_in_the_database_either(world: People) -> None:
    session = await session_of(world, await preview(world, "staff"))
    for life in ("31 minutes", "2 days"):
        with pytest.raises(asyncpg.CheckViolationError):
            await world.sql(f"update sessions set expires_at = created_at + interval '{life}' where id = $1", session)


async def test_a_look_ends_by_its_button_by_its_time_and_with_the_session_behind_it(world: People) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    body = {"role_id": await role_id(world, "staff")}

    async def another() -> dict[str, str]:
        look = await world.call("POST", "/api/preview", owner, status=201, json=body)
        return {"Authorization": f"Bearer {look['access_token']}"}

    one, two, three = [await another() for _ in range(3)]
    await world.call("POST", "/api/looking/end", one, status=204)
    await world.refused("session-ended", "GET", "/api/me", one)
    assert await world.events("preview.ended")
    await world.call("GET", "/api/me", owner)
    ended = await session_of(world, two)
    await world.sql("update sessions set expires_at = now() where id = $1", ended)
    await world.refused("session-ended", "GET", "/api/me", two)
    await world.call("POST", "/api/auth/logout", owner, status=204)
    await world.refused("session-ended", "GET", "/api/me", three)


async def test_a_look_s_token_is_no_way_to_the_session_behind_it(world: People) -> None:
    bearer = await preview(world, "staff")
    answer = await world.client.post("/api/looking/end", headers=bearer)
    assert (answer.status_code, answer.content, answer.headers.get("set-cookie")) == (204, b"", None)
    again = await world.client.post("/api/looking/end", headers=bearer)
    assert (again.status_code, again.content, again.headers.get("set-cookie")) == (204, b"", None)
    owner = await world.bearer(world.bar.email("owner"))
    await world.refused("not-found", "POST", "/api/looking/end", owner)
    await world.call("GET", "/api/me", owner)


async def test_who_changes_a_role_changes_its_previews_at_once(world: People) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    data = {"name": f"Door {uuid4().hex[:6]}", "permissions": ["visits.read", "venues.read"]}
    role = await world.call("POST", "/api/roles", owner, status=201, json=data)
    look = await world.call("POST", "/api/preview", owner, status=201, json={"role_id": role["id"]})
    bearer = {"Authorization": f"Bearer {look['access_token']}"}
    await world.call("GET", "/api/venues", bearer)
    less = {**data, "permissions": ["visits.read"]}
    await world.call("PUT", f"/api/roles/{role['id']}", owner, json=less, headers={"If-Match": f'"{role["version"]}"'})
    await world.refused("not-permitted", "GET", "/api/venues", bearer)


# --- the crew in somebody's place --------------------------------------------------------------------------------------


async def test_the_crew_sees_what_somebody_sees_and_the_business_reads_each_page_of_it(world: People) -> None:
    subject = world.bar.users["manager"]
    bearer = await impersonate(world, subject)
    me = await world.call("GET", "/api/me", bearer)
    assert (me["user_id"], me["name"]) == (str(subject), "Manager of the bar")
    look = await world.call("GET", "/api/looking", bearer)
    assert (look["kind"], look["by"], look["reason"]) == ("impersonation", "super_admin", WHY)
    await world.call("GET", "/api/venues", bearer)
    await world.refused("not-permitted", "GET", "/api/audit", bearer)
    await world.refused("read-only", "POST", "/api/venues", bearer, json={})
    rows = [row for row in await world.events("impersonation.seen") if row["entity_id"] == str(subject)]
    assert {row["tenant_id"] for row in rows} == {world.bar.id}
    who = {json.loads(row["actor"])["id"] if isinstance(row["actor"], str) else row["actor"]["id"] for row in rows}
    assert who == {str(world.crew["super_admin"])}
    assert [(one["actor"], one["reason"], one["after"]["saw"], one["after"]["outcome"]) for one in seen(rows)][-4:] == [
        ("super_admin", WHY, "GET /api/looking", "shown"),
        ("super_admin", WHY, "GET /api/venues", "shown"),
        ("super_admin", WHY, "GET /api/audit", "not-permitted"),
        ("super_admin", WHY, "POST /api/venues", "read-only"),
    ]
    await world.refused("not-found", "GET", "/files/a-secret-address", bearer)
    rows = [row for row in await world.events("impersonation.seen") if row["entity_id"] == str(subject)]
    assert seen(rows)[-1]["after"]["saw"] == "GET /files/{token:str}"
    started = [row for row in await world.events("impersonation.started") if row["tenant_id"] == world.bar.id]
    assert seen(started)[-1]["reason"] == WHY
    assert [row["tenant_id"].int for row in await world.events("platform.crew_looked")][-1] == 0


async def test_sensitive_reads_of_a_look_are_on_record_in_the_name_of_who_looks(world: People) -> None:
    guest = await world.newcomer(world.bar)
    patron = (await world.sql("select id from patrons where user_id = $1", guest.user_id))[0]["id"]
    await world.call("GET", f"/api/patrons/{patron}", await impersonate(world, world.bar.users["manager"]))
    last = (await world.events("patron.profile_read"))[-1]
    assert seen([last])[0]["actor"] == "super_admin"
    await world.call("GET", f"/api/patrons/{patron}", await preview(world, "manager"))
    last = (await world.events("patron.profile_read"))[-1]
    assert seen([last])[0]["actor"] == "Owner of the bar"


async def test_who_is_looked_at_has_not_been_here(world: People) -> None:
    subject = await world.newcomer(world.bar, role="staff")
    await world.call("GET", "/api/me", await impersonate(world, subject.user_id))
    rows = await world.sql("select last_seen_at from users where id = $1", subject.user_id)
    assert rows[0]["last_seen_at"] is None


@pytest.mark.parametrize(
    ("who", "problem"),
    [("finance@crew.example", "not-permitted"), ("moderator@crew.example", "not-permitted")],
)
async def test_only_who_may_looks(world: People, who: str, problem: str) -> None:
    path = f"/api/admin/users/{world.bar.users['staff']}/impersonation"
    body = {"tenant": "bar", "reason": WHY}
    await world.refused(problem, "POST", path, await world.bearer(who), json=body)


@pytest.mark.parametrize(
    ("subject", "body", "problem"),
    [
        ("crew", {}, "impersonates-crew"),
        ("staff", {"tenant": "club"}, "no-place"),
        ("staff", {"as": "patron"}, "no-place"),
        ("staff", {"reason": "  x "}, "invalid"),
        ("staff", {"minutes": 600}, "invalid"),
        ("nobody", {}, "not-found"),
    ],
)
async def test_a_look_that_is_nobody_s_is_refused(
    world: People, subject: str, body: dict[str, Any], problem: str
) -> None:
    ids = {"crew": world.crew["ops"], "staff": world.bar.users["staff"], "nobody": uuid4()}
    before = await world.rows("sessions")
    path = f"/api/admin/users/{ids[subject]}/impersonation"
    bearer = await world.bearer(CREW)
    before = await world.rows("sessions")
    await world.refused(problem, "POST", path, bearer, json={"tenant": "bar", "reason": WHY, **body})
    assert await world.rows("sessions") == before


async def test_a_look_ends_when_the_one_who_looks_may_no_longer(world: People) -> None:
    crew = await world.newcomer(PLATFORM, role="ops")
    bearer = await impersonate(world, world.bar.users["staff"], who=crew.email)
    await world.call("GET", "/api/me", bearer)
    await _take_away(world, crew)
    await world.refused("session-ended", "GET", "/api/me", bearer)


async def _take_away(world: People, crew: Newcomer) -> None:
    chief = await world.bearer(CREW)
    member = await world.call("GET", f"/api/members/{crew.member_id}", chief)
    await world.call(
        "DELETE", f"/api/members/{crew.member_id}", chief, status=204, headers={"If-Match": f'"{member["version"]}"'}
    )


async def test_a_look_ends_when_the_one_looked_at_signs_out_everywhere(world: People) -> None:
    subject = await world.newcomer(world.bar, role="staff")
    bearer = await impersonate(world, subject.user_id)
    own = await world.bearer(subject.email)
    listed = (await world.call("GET", "/api/auth/sessions", own))["items"]
    assert "Last Light looks: super_admin" in [one["label"] for one in listed]
    await world.call("POST", "/api/auth/logout-all", own, status=204)
    await world.refused("session-ended", "GET", "/api/me", bearer)


async def test_ending_a_look_while_its_request_runs_lets_that_one_finish_and_no_other(world: People) -> None:
    """The request has begun: it reads what it began to read, is on record, and the next is refused."""
    bearer = await impersonate(world, world.bar.users["owner"])
    actor = await actor_of(world, bearer)
    began, ended = asyncio.Event(), asyncio.Event()

    async def reads() -> str:
        async with unit_of_work(world.services, WorkScope(actor=actor, tenant_id=world.bar.id)) as ctx:
            began.set()
            await ended.wait()
            return await ctx.db.fetchval("select name from tenants where id = $1", world.bar.id)

    reading = asyncio.create_task(reads())
    await began.wait()
    await world.call("POST", "/api/looking/end", bearer, status=204)
    ended.set()
    assert await reading == "The bar"
    await world.refused("session-ended", "GET", "/api/me", bearer)
    count = len(await world.events("impersonation.ended"))
    await asyncio.gather(*(world.client.post("/api/looking/end", headers=bearer) for _ in range(3)))
    assert len(await world.events("impersonation.ended")) == count


async def test_a_browser_goes_into_a_look_and_back_by_its_own_cookie(world: People) -> None:
    async with visitor(world.app) as browser:
        body = {"email": world.bar.email("owner"), "password": "correct horse battery", "tenant": "bar", "as": "member"}
        assert (await browser.post("/api/auth/session", json=body)).status_code == 200
        own = browser.cookies["ll_session"]
        role = await role_id(world, "staff")
        answer = await browser.post(f"/owner/roles/{role}/preview")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        look = browser.cookies["ll_session"]
        assert (look != own, browser.cookies["ll_own"] == own) == (True, True)
        shown = await browser.get("/staff")
        assert "You see this as Staff would." in shown.text
        refused = await browser.post("/account/sign-out-others")
        assert refused.status_code == 403
        assert "You see this as Staff would." in refused.text
        ended = await browser.post("/looking/end")
        assert (ended.status_code, browser.cookies["ll_session"], "ll_own" in browser.cookies) == (303, own, False)
        assert "You see this" not in (await browser.get("/owner/roles")).text
    async with visitor(world.app) as thief:
        thief.cookies.set("ll_session", look)
        answer = await thief.post("/looking/end")
        assert "ll_session" not in thief.cookies or thief.cookies["ll_session"] in {"", look}


async def test_a_look_without_a_reason_is_refused_in_its_dialog(world: People) -> None:
    subject = world.bar.users["manager"]
    async with visitor(world.app) as browser:
        signed_in = await browser.post("/sign-in", data={"email": "super_admin@crew.example", "password": PASSWORD})
        assert signed_in.status_code == 303
        form = {"tenant": "bar", "as": "member", "minutes": "15", "reason": ""}
        answer = await browser.post(f"/platform/accounts/{subject}/impersonation", data=form)
        assert (answer.status_code, "Look with the eyes of" in answer.text) == (422, True)


async def test_who_is_of_the_crew_again_does_not_end_up_in_a_business_s_console(world: People) -> None:
    async with visitor(world.app) as browser:
        await browser.post("/sign-in", data={"email": "super_admin@crew.example", "password": PASSWORD})
        for wanted, led_to in (
            ("/manage/visits", "/platform"),
            ("/platform/flags", "/platform/flags"),
            ("", "/platform"),
        ):
            answer = await browser.get("/sign-in", params={"next": wanted})
            assert (answer.status_code, answer.headers["location"]) == (303, led_to)


async def test_a_browser_whose_look_ran_out_is_itself_again(world: People) -> None:
    async with visitor(world.app) as browser:
        body = {"email": world.bar.email("owner"), "password": "correct horse battery", "tenant": "bar", "as": "member"}
        await browser.post("/api/auth/session", json=body)
        await browser.post(f"/owner/roles/{await role_id(world, 'staff')}/preview")
        await world.sql(
            "update sessions set expires_at = now() where preview_role_id is not null and revoked_at is null"
        )
        answer = await browser.get("/owner")
        assert answer.headers["location"].startswith("/sign-in")
        answer = await browser.get(answer.headers["location"])
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert (await browser.get("/owner/roles")).status_code == 200
