"""Signing in: where one lands, what is refused, and that nothing tells who has an account."""

import asyncio
import dataclasses
from typing import Any
from uuid import UUID

import httpx
import pytest
from litestar import Litestar

from lastlight.domains import identity
from lastlight.kernel.ids import PLATFORM, UserId
from lastlight.kernel.permissions import Scope
from lastlight.runtime.context import ANONYMOUS
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.http.app import create_app
from tests.support.people import PASSWORD, People, Tenant, visitor


async def test_login_gives_the_documented_answer_and_me_says_who_and_where(world: People) -> None:
    tokens = await world.login(world.bar.email("manager"))
    assert set(tokens) == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    me = await world.call("GET", "/api/me", {"Authorization": f"Bearer {tokens['access_token']}"})
    assert me["kind"] == "member"
    assert me["tenant"]["slug"] == "bar"
    assert me["roles"] == ["manager"]
    assert me["permissions"]["visits.read"] is None
    assert "roles.manage" not in me["permissions"]
    assert [venue["slug"] for venue in me["venues"]] == ["main", "roof"]
    assert [(place["tenant"], place["as"], place["current"]) for place in me["places"]] == [("bar", "member", True)]
    rows = await world.sql("select last_seen_at from users where id = $1", world.bar.users["manager"])
    assert rows[0]["last_seen_at"] is not None


async def test_a_membership_for_some_venues_carries_what_is_of_venues_only(world: People) -> None:
    me = await world.call("GET", "/api/me", await world.bearer(world.bar.email("vendor_admin")))
    assert me["permissions"]["visits.read"] == [str(world.bar.venues[0])]
    assert "tenant.manage" not in me["permissions"]
    assert [venue["slug"] for venue in me["venues"]] == ["main"]


@pytest.mark.parametrize(
    ("who", "kind", "tenant"),
    [("super_admin@crew.example", "crew", "platform"), ("patron@bar.example", "patron", "bar")],
)
async def test_login_without_a_tenant_leads_to_the_only_place(world: People, who: str, kind: str, tenant: str) -> None:
    me = await world.call("GET", "/api/me", await world.bearer(who))
    assert (me["kind"], me["tenant"]["slug"]) == (kind, tenant)


async def test_a_guest_without_a_business_signs_in_joins_one_and_is_its_patron(world: People) -> None:
    registration = {"email": "new@guests.example", "password": "a fine long night", "name": " New  Guest "}
    await world.call("POST", "/api/auth/register", status=201, json=registration)
    tokens = await world.login("new@guests.example", password="a fine long night")
    guest = {"Authorization": f"Bearer {tokens['access_token']}"}
    me = await world.call("GET", "/api/me", guest)
    assert (me["kind"], me["tenant"], me["name"], me["permissions"]) == ("guest", None, "New Guest", {})
    joined = await world.call("POST", "/api/auth/switch", guest, json={"tenant": "club", "as": "patron"})
    me = await world.call("GET", "/api/me", {"Authorization": f"Bearer {joined['access_token']}"})
    assert (me["kind"], me["tenant"]["slug"]) == ("patron", "club")
    known = world.services.registry.permissions
    assert me["permissions"].keys() == {name for name, permission in known.items() if permission.scope is Scope.OWN}
    assert {"checkins.verify", "visits.own"} <= me["permissions"].keys()
    patrons = await world.sql("select tenant_id, name from patrons where id = $1", UUID(me["patron_id"]))
    assert [(row["tenant_id"], row["name"]) for row in patrons] == [(world.club.id, "New Guest")]
    again = await world.call("POST", "/api/auth/switch", guest, json={"tenant": "club", "as": "patron"})
    assert again["access_token"] != joined["access_token"]
    assert (await world.sql("select count(*) from patrons where user_id = $1", UUID(me["user_id"])))[0][0] == 1


async def test_another_business_and_none_at_all_are_refused_alike(world: People) -> None:
    answers = [
        await world.login(world.bar.email("owner"), tenant=slug, status=403)
        for slug in ("club", "no-such-business", "platform")
    ]
    assert {answer["type"] for answer in answers} == {"https://lastlight.dev/problems/no-place"}
    assert len({answer["detail"] for answer in answers}) == 1


async def test_wrong_password_unknown_address_and_no_password_answer_alike(world: People) -> None:
    await world.sql("insert into users (email, name) values ('no-password@bar.example', 'Nobody')")
    answers: list[dict[str, Any]] = []
    for email in (world.bar.email("owner"), "unknown@nowhere.example", "no-password@bar.example", "not an address"):
        answer = await world.login(email, password="wrong password here", status=401)
        answer.pop("instance")
        answers.append(answer)
    assert answers[0]["type"].endswith("/wrong-credentials")
    assert all(answer == answers[0] for answer in answers)


async def test_a_refused_sign_in_leaves_a_record_and_no_session(world: People) -> None:
    before = (await world.sql("select count(*) from sessions"))[0][0]
    await world.login("Somebody@Nowhere.example", password="wrong password here", status=401)
    records = await world.events("session.refused")
    assert "somebody@nowhere.example" in records[-1]["audit"]
    assert records[-1]["tenant_id"] == PLATFORM
    assert (await world.sql("select count(*) from sessions"))[0][0] == before


async def test_a_suspended_account_is_told_so_only_with_its_password(world: People) -> None:
    await world.sql(
        "update users set status = 'suspended', status_until = now() + interval '1 day' where email = 'staff@club.example'"
    )
    assert (await world.login("staff@club.example", status=403))["type"].endswith("/account-suspended")
    assert (await world.login("staff@club.example", password="wrong password", status=401))["type"].endswith(
        "/wrong-credentials"
    )
    await world.sql("update users set status_until = now() - interval '1 second' where email = 'staff@club.example'")
    await world.login("staff@club.example")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "a@b.example"}, "password"),
        ({"email": "a@b.example", "password": "x", "surprise": 1}, "surprise"),
        ({"email": 7, "password": "x"}, "email"),
        ({"email": "a@b.example", "password": "x", "as": "owner"}, "as"),
        ({"email": "a" * 300, "password": "x"}, "email"),
    ],
)
async def test_odd_bodies_name_the_field(world: People, body: dict[str, Any], field: str) -> None:
    answer = await world.call("POST", "/api/auth/login", status=422, json=body)
    assert list(answer["fields"]) == [field]


async def test_one_with_several_places_lands_where_they_were_last_and_names_another(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    await give_role(world, somebody.user_id, world.club, "manager")
    me: dict[str, Any] = {}
    for asked, slug, role in (("bar", "bar", "staff"), ("club", "club", "manager"), ("BAR ", "bar", "staff")):
        await world.login(somebody.email, tenant=asked)
        me = await world.call("GET", "/api/me", await world.bearer(somebody.email))
        assert (me["tenant"]["slug"], me["roles"]) == (slug, [role])
    assert {(place["tenant"], place["as"]) for place in me["places"]} == {("bar", "member"), ("club", "member")}
    everywhere = await world.sql("select distinct tenant_id from sessions where user_id = $1", somebody.user_id)
    assert {row["tenant_id"] for row in everywhere} == {world.bar.id, world.club.id}


async def give_role(world: People, user_id: UserId, tenant: Tenant, role: str) -> None:
    async with system_ctx(world.services, tenant.id, role="system") as ctx:
        await identity.seed_member(ctx, seed="more", user_id=user_id, role=role)


async def test_a_role_elsewhere_gives_nothing_here(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    await give_role(world, somebody.user_id, world.club, "owner")
    me = await world.call("GET", "/api/me", await world.bearer(somebody.email, tenant="bar"))
    assert me["roles"] == ["staff"]
    assert "roles.manage" not in me["permissions"]


async def test_who_works_here_may_come_as_a_guest_when_they_say_so(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    as_guest = await world.call("GET", "/api/me", await world.bearer(somebody.email, tenant="bar", **{"as": "patron"}))
    assert (as_guest["kind"], as_guest["roles"]) == ("patron", ["patron"])
    as_member = await world.call("GET", "/api/me", await world.bearer(somebody.email, tenant="bar"))
    assert as_member["kind"] == "member"


async def test_a_suspended_business_is_named_to_its_people_and_to_nobody_else(world: People) -> None:
    somebody = await world.newcomer(world.club, role="staff")
    await world.sql("update tenants set status = 'suspended' where id = $1", world.club.id)
    try:
        assert (await world.login(somebody.email, status=403))["type"].endswith("/tenant-suspended")
        assert (await world.login(somebody.email, tenant="club", status=403))["type"].endswith("/tenant-suspended")
        stranger = await world.login(world.bar.email("owner"), tenant="club", status=403)
        assert stranger["type"].endswith("/no-place")
    finally:
        await world.sql("update tenants set status = 'active' where id = $1", world.club.id)


async def test_an_unproven_address_signs_in_and_is_known_as_such(world: People) -> None:
    somebody = await world.newcomer(world.bar, verified=False)
    assert not (await world.call("GET", "/api/me", await world.bearer(somebody.email)))["email_verified"]


@pytest.mark.parametrize("spelling", ["  {}  ", "{upper}"])
async def test_an_address_is_known_in_any_spelling(world: People, spelling: str) -> None:
    email = world.bar.email("manager")
    await world.login(spelling.format(email, upper=email.upper()))


async def test_a_closed_account_is_unknown(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    await world.sql("update users set status = 'closed' where id = $1", somebody.user_id)
    assert (await world.login(somebody.email, status=401))["type"].endswith("/wrong-credentials")


async def test_a_sign_in_that_began_before_a_password_changed_does_not_outlive_it(world: People) -> None:
    """The old password is compared, then the change commits: whoever came in by it is out, or never gets in."""
    somebody = await world.newcomer(world.bar, role="staff")
    mine = await world.bearer(somebody.email)
    verdict = await identity.check_credentials(world.services, email=somebody.email, password=PASSWORD)
    change = {"current_password": PASSWORD, "new_password": "a fine long night"}
    async with system_ctx(world.services, PLATFORM, role="system", actor=ANONYMOUS) as ctx:
        wish = identity.Wish(channel="bearer")
        session = await identity.sign_in(ctx, email=somebody.email, verdict=verdict, wish=wish)
        changing = asyncio.create_task(world.call("POST", "/api/auth/password/change", mine, status=204, json=change))
        done, _ = await asyncio.wait({changing}, timeout=1)
        assert not done, "the change waits for the sign-in"
    await changing
    assert (await world.sql("select revoked_at from sessions where id = $1", session.id))[0][0] is not None
    with pytest.raises(identity.WrongCredentials):
        async with system_ctx(world.services, PLATFORM, role="system", actor=ANONYMOUS) as ctx:
            await identity.sign_in(ctx, email=somebody.email, verdict=verdict, wish=wish)


def strict(world: People, failures: int) -> Litestar:
    """The same application with a small allowance, so that it does not refill while a busy machine runs the test."""
    settings = dataclasses.replace(world.services.settings, auth_failures_per_quarter_hour=failures)
    return create_app(dataclasses.replace(world.services, settings=settings, memory={}))


async def tries(client: httpx.AsyncClient, emails: list[str], *, password: str = "wrong") -> list[int]:
    answers = [await client.post("/api/auth/login", json={"email": email, "password": password}) for email in emails]
    return [answer.status_code for answer in answers]


async def test_one_address_that_tries_many_accounts_is_stopped_as_well(world: People) -> None:
    """U4: spraying. The address as a whole has ten times the allowance of one account."""
    async with visitor(strict(world, 1), address="192.0.2.44") as sprayer:
        found = await tries(sprayer, [f"user{number}@bar.example" for number in range(12)])
        assert found == [401] * 10 + [429] * 2
    await world.login(world.bar.email("owner"))


async def test_failures_are_counted_by_address_and_account_and_success_is_forgiven(world: People) -> None:
    """TEN-15, U4: whoever floods one account from one address is stopped; another address still signs in to it."""
    somebody, other = await world.newcomer(world.bar, role="staff"), await world.newcomer(world.bar, role="staff")
    app = strict(world, 5)
    async with visitor(app, address="198.51.100.8") as here, visitor(app, address="198.51.100.9") as elsewhere:
        assert await tries(here, [somebody.email] * 8, password=PASSWORD) == [200] * 8
        flood = await asyncio.gather(*(tries(here, [somebody.email]) for _ in range(9)))
        assert sorted(status for statuses in flood for status in statuses) == [401] * 5 + [429] * 4
        refused = await here.post("/api/auth/login", json={"email": somebody.email.upper(), "password": PASSWORD})
        assert refused.json()["type"].endswith("/too-many-requests")
        assert 1 <= int(refused.headers["Retry-After"]) <= 180
        assert await tries(here, [other.email], password=PASSWORD) == [200]
        assert await tries(elsewhere, [somebody.email], password=PASSWORD) == [200]
