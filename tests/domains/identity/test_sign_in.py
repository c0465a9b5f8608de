"""Signing in: where one lands, what is refused, and that nothing tells who has an account."""

import asyncio
import statistics
import time
from typing import Any
from uuid import UUID

import pytest

from lastlight.kernel.ids import PLATFORM
from tests.support.people import PASSWORD, People, visitor


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
    assert me["permissions"].keys() == {"checkins.verify", "visits.own"}
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


async def test_an_unknown_address_takes_as_long_as_a_wrong_password(world: People) -> None:
    """U4: medians of interleaved samples lie within a fifth of each other; without the stand-in hash they are 20 times apart."""
    times: dict[str, list[float]] = {"owner@bar.example": [], "unknown@nowhere.example": []}
    for round_ in range(24):
        for email, sample in times.items():
            started = time.perf_counter()
            await world.login(email, password=f"wrong password {round_}", status=401)
            sample.append(time.perf_counter() - started)
    known, unknown = (statistics.median(sample) for sample in times.values())
    assert abs(known - unknown) / max(known, unknown) < 0.2, (known, unknown)


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


async def test_failures_are_counted_by_address_and_account_and_success_is_forgiven(world: People) -> None:
    """TEN-15, U4: whoever floods one account from one address is stopped; another address still signs in to it."""
    quota = world.services.settings.auth_failures_per_quarter_hour
    email = world.club.email("manager")
    for _ in range(10):
        await world.login(email)
    flood = [world.client.post("/api/auth/login", json={"email": email, "password": "wrong"}) for _ in range(quota + 5)]
    statuses = [answer.status_code for answer in await asyncio.gather(*flood)]
    assert statuses.count(429) >= 5
    assert statuses.count(401) >= quota - 2
    refused = await world.client.post("/api/auth/login", json={"email": email, "password": PASSWORD})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    async with visitor(world.app, address="198.51.100.9") as elsewhere:
        answer = await elsewhere.post("/api/auth/login", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200
