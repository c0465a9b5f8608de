"""TEN-02, TEN-03, U2: refresh tokens rotate, the second use of one ends its family, and sessions are listed and ended by their owner."""

import asyncio
import hashlib
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.people import PASSWORD, People


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def refresh(world: People, token: str) -> dict[str, Any]:
    return await world.call("POST", "/api/auth/refresh", json={"refresh_token": token})


async def test_a_refresh_gives_the_next_pair_and_both_access_tokens_hold(world: People) -> None:
    first = await world.login(world.bar.email("manager"))
    second = await refresh(world, first["refresh_token"])
    assert second.keys() == first.keys()
    assert second["refresh_token"] != first["refresh_token"]
    one, two = [await world.call("GET", "/api/me", bearer(tokens)) for tokens in (first, second)]
    assert one["session_id"] == two["session_id"]


async def test_the_database_holds_no_token_only_its_digest(world: People) -> None:
    tokens = await world.login(world.bar.email("manager"))
    digest = hashlib.sha256(tokens["refresh_token"].encode()).digest()
    rows = await world.sql(
        "select expires_at - created_at as life, used_at from refresh_tokens where hash = $1", digest
    )
    assert [(row["life"].days, row["used_at"]) for row in rows] == [(7, None)]
    for table in ("refresh_tokens", "sessions", "outbox", "jobs", "idempotency_keys"):
        found = await world.sql(
            f"select count(*) from {table} t where strpos(t::text, $1) > 0", tokens["refresh_token"]
        )
        assert found[0][0] == 0, table


async def test_the_second_use_of_a_token_ends_its_session_descendants_too(world: People) -> None:
    first = await world.login(world.bar.email("staff"))
    other = await world.login(world.bar.email("staff"))
    second = await refresh(world, first["refresh_token"])
    third = await refresh(world, second["refresh_token"])
    await world.refused("refresh-reused", "POST", "/api/auth/refresh", json={"refresh_token": first["refresh_token"]})
    await world.refused("refresh-invalid", "POST", "/api/auth/refresh", json={"refresh_token": third["refresh_token"]})
    for tokens in (first, second, third):
        await world.refused("session-ended", "GET", "/api/me", bearer(tokens))
    await world.call("GET", "/api/me", bearer(other))
    revoked = (await world.events("session.revoked"))[-1]
    assert "refresh token used twice" in revoked["audit"]


async def test_of_fifty_who_refresh_at_once_one_wins_and_the_family_dies(world: People) -> None:
    tokens = await world.login(world.bar.email("vendor_admin"))
    body = {"refresh_token": tokens["refresh_token"]}
    answers = await asyncio.gather(*(world.client.post("/api/auth/refresh", json=body) for _ in range(50)))
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(won) == 1
    assert {answer.json()["type"].rsplit("/", 1)[1] for answer in answers if answer.status_code != 200} <= {
        "refresh-reused",
        "refresh-invalid",
    }
    await world.refused("session-ended", "GET", "/api/me", bearer(won[0]))
    await world.refused("refresh-invalid", "POST", "/api/auth/refresh", json={"refresh_token": won[0]["refresh_token"]})
    session = UUID(
        (await world.sql("select session_id from refresh_tokens where hash = $1", digest_of(tokens)))[0][0].hex
    )
    live = await world.sql("select count(*) from refresh_tokens where session_id = $1 and used_at is null", session)
    assert live[0][0] == 1


def digest_of(tokens: dict[str, Any]) -> bytes:
    return hashlib.sha256(tokens["refresh_token"].encode()).digest()


@pytest.mark.parametrize("kind", ["unknown", "access", "expired", "session over"])
async def test_what_is_no_live_refresh_token_is_refused_alike(world: People, kind: str) -> None:
    tokens = await world.login(world.bar.email("manager"))
    sent = {"unknown": "llr_" + "x" * 43, "access": tokens["access_token"]}.get(kind, tokens["refresh_token"])
    if kind == "expired":
        await world.sql("update refresh_tokens set expires_at = now() where hash = $1", digest_of(tokens))
    if kind == "session over":
        await world.sql(
            "update sessions set expires_at = now() where id = (select session_id from refresh_tokens where hash = $1)",
            digest_of(tokens),
        )
    answer = await world.refused("refresh-invalid", "POST", "/api/auth/refresh", json={"refresh_token": sent[:500]})
    assert answer["detail"] == "Sign in again."


async def test_a_refresh_token_is_no_access_token(world: People) -> None:
    tokens = await world.login(world.bar.email("manager"))
    await world.refused("token-invalid", "GET", "/api/me", {"Authorization": f"Bearer {tokens['refresh_token']}"})


async def test_a_suspended_account_refreshes_again_once_it_may(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    tokens = await world.login(somebody.email)
    body = {"refresh_token": tokens["refresh_token"]}
    await world.sql("update users set status = 'suspended' where id = $1", somebody.user_id)
    await world.refused("account-suspended", "POST", "/api/auth/refresh", json=body)
    await world.sql("update users set status = 'active' where id = $1", somebody.user_id)
    await world.call("GET", "/api/me", bearer(await refresh(world, tokens["refresh_token"])))


async def test_one_s_own_sessions_are_listed_and_no_one_else_s(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    old = await world.login(somebody.email, label="The till")
    new = await world.login(somebody.email)
    await world.login(world.bar.email("owner"))
    listed = (await world.call("GET", "/api/auth/sessions", bearer(new)))["items"]
    assert sorted((item["label"], item["current"]) for item in listed) == [("The till", False), ("python-httpx", True)]
    assert {item["tenant"] for item in listed} == {"The bar"}
    ids = {item["label"]: item["id"] for item in listed}
    await world.call("DELETE", f"/api/auth/sessions/{ids['The till']}", bearer(new), status=204)
    await world.refused("session-ended", "GET", "/api/me", bearer(old))
    await world.refused("not-found", "DELETE", f"/api/auth/sessions/{ids['The till']}", bearer(new))
    assert len((await world.call("GET", "/api/auth/sessions", bearer(new)))["items"]) == 1


async def test_nobody_ends_somebody_else_s_session(world: People) -> None:
    theirs = await world.login(world.bar.email("staff"))
    session = (await world.call("GET", "/api/me", bearer(theirs)))["session_id"]
    owner = await world.bearer(world.bar.email("owner"))
    for session_id in (session, str(uuid4())):
        await world.refused("not-found", "DELETE", f"/api/auth/sessions/{session_id}", owner)
    await world.call("GET", "/api/me", bearer(theirs))


async def test_every_other_session_ends_and_this_one_goes_on(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    others = [await world.login(somebody.email) for _ in range(3)]
    mine = await world.login(somebody.email)
    await world.call("DELETE", "/api/auth/sessions", bearer(mine), status=204)
    for tokens in others:
        await world.refused("session-ended", "GET", "/api/me", bearer(tokens))
        await world.refused(
            "refresh-invalid", "POST", "/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]}
        )
    await world.call("GET", "/api/me", bearer(mine))


async def test_signing_out_everywhere_ends_this_one_too(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    sessions = [await world.login(somebody.email) for _ in range(2)]
    stranger = await world.login(world.bar.email("owner"))
    await world.call("POST", "/api/auth/logout-all", bearer(sessions[0]), status=204)
    for tokens in sessions:
        await world.refused("session-ended", "GET", "/api/me", bearer(tokens))
    await world.call("GET", "/api/me", bearer(stranger))


@pytest.mark.parametrize("by", ["access", "refresh", "refresh of a used token"])
async def test_signing_out_ends_the_session_of_the_token_that_was_sent(world: People, by: str) -> None:
    tokens = await world.login(world.bar.email("manager"))
    last = await refresh(world, tokens["refresh_token"])
    if by == "access":
        await world.call("POST", "/api/auth/logout", bearer(last), status=204)
    else:
        sent = last if by == "refresh" else tokens
        await world.call("POST", "/api/auth/logout", status=204, json={"refresh_token": sent["refresh_token"]})
    await world.refused("session-ended", "GET", "/api/me", bearer(last))
    await world.call("POST", "/api/auth/logout", bearer(last), status=204)


async def test_signing_out_of_nothing_says_so(world: People) -> None:
    await world.refused("not-signed-in", "POST", "/api/auth/logout")
    await world.refused("not-signed-in", "POST", "/api/auth/logout", {"Authorization": "Bearer x.y.z"})
    await world.refused("refresh-invalid", "POST", "/api/auth/logout", json={"refresh_token": "llr_nothing"})


async def test_a_suspended_account_can_still_sign_out(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    tokens = await world.login(somebody.email)
    await world.sql("update users set status = 'suspended' where id = $1", somebody.user_id)
    await world.call("POST", "/api/auth/logout", bearer(tokens), status=204)
    await world.sql("update users set status = 'active' where id = $1", somebody.user_id)
    await world.refused("session-ended", "GET", "/api/me", bearer(tokens))


async def test_switching_keeps_the_first_session_and_opens_another_elsewhere(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="manager")
    tokens = await world.login(somebody.email)
    there = await world.call("POST", "/api/auth/switch", bearer(tokens), json={"tenant": "club", "as": "patron"})
    assert (await world.call("GET", "/api/me", bearer(there)))["kind"] == "patron"
    assert (await world.call("GET", "/api/me", bearer(tokens)))["tenant"]["slug"] == "bar"
    await world.refused("no-place", "POST", "/api/auth/switch", bearer(tokens), json={"tenant": "club", "as": "member"})
    assert (await world.login(somebody.email, password=PASSWORD, tenant="club"))["access_token"]
