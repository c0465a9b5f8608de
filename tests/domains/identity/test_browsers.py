"""A browser's session: the cookie and its flags, no fixation, no cross-site writes, and no token in any log."""

import dataclasses
import logging
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest
import structlog

from lastlight.runtime.auth.tokens import COOKIE, issue, token_keys
from lastlight.runtime.http.app import create_app
from lastlight.runtime.observability.middleware import ObservabilityMiddleware
from tests.support.people import PASSWORD, People, visitor


def credentials(email: str, **more: Any) -> dict[str, Any]:
    return {"email": email, "password": PASSWORD, **more}


def morsel(answer: httpx.Response, name: str = "ll_session") -> Any:
    jar: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_list("set-cookie"):
        jar.load(line)
    return jar[name]


async def signed_in(world: People, browser: httpx.AsyncClient, email: str) -> str:
    """Sign a browser in; what its cookie holds."""
    answer = await browser.post("/api/auth/session", json=credentials(email))
    assert answer.status_code == 200, answer.text
    return morsel(answer).value


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(world: People) -> None:
    async with visitor(world.app) as browser:
        answer = await browser.post("/api/auth/session", json=credentials(world.bar.email("manager")))
        cookie = morsel(answer)
        assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"], cookie["domain"]) == (
            True,
            "lax",
            "/",
            "",
        )
        assert int(cookie["max-age"]) == 7 * 24 * 3600
        assert cookie["secure"] == ""
        assert "access_token" not in answer.text
        assert cookie.value not in answer.text
        assert (await browser.get("/api/me")).json()["email"] == world.bar.email("manager")
        assert answer.headers["cache-control"] == "no-store"


async def test_over_https_it_is_secure_and_bound_to_the_host(world: People) -> None:
    settings = dataclasses.replace(world.services.settings, base_url="https://lastlight.example")
    app = create_app(dataclasses.replace(world.services, settings=settings))
    async with visitor(app, base_url="https://lastlight.example") as browser:
        answer = await browser.post("/api/auth/session", json=credentials(world.bar.email("manager")))
        cookie = morsel(answer, "__Host-ll_session")
        assert (cookie["secure"], cookie["httponly"], cookie["path"], cookie["domain"]) == (True, True, "/", "")
        assert (await browser.get("/api/me")).status_code == 200
    async with visitor(app, base_url="https://lastlight.example") as stranger:
        tossed = await stranger.get("/api/me", headers={"Cookie": f"ll_session={cookie.value}"})
        assert tossed.json()["type"].endswith("/not-signed-in")


async def test_a_cookie_that_was_put_there_before_is_not_taken_over(world: People) -> None:
    """Session fixation: the victim's sign-in gets a session of its own, and the one that was planted ends."""
    async with visitor(world.app) as attacker, visitor(world.app) as victim:
        planted = await signed_in(world, attacker, world.bar.email("staff"))
        victim.cookies.set("ll_session", planted, domain="test.local", path="/")
        got = await signed_in(world, victim, world.bar.email("manager"))
        assert got != planted
        assert (await victim.get("/api/me")).json()["email"] == world.bar.email("manager")
        assert (await attacker.get("/api/me")).json()["type"].endswith("/session-ended")


async def test_a_failed_sign_in_leaves_the_session_that_one_has(world: People) -> None:
    async with visitor(world.app) as browser:
        await signed_in(world, browser, world.bar.email("staff"))
        refused = await browser.post("/api/auth/session", json={"email": world.bar.email("staff"), "password": "wrong"})
        assert refused.status_code == 401
        assert (await browser.get("/api/me")).status_code == 200


async def test_a_cookie_is_no_bearer_token_and_a_bearer_token_no_cookie(world: People) -> None:
    async with visitor(world.app) as browser:
        cookie = await signed_in(world, browser, world.bar.email("staff"))
        await world.refused("token-invalid", "GET", "/api/me", {"Authorization": f"Bearer {cookie}"})
        tokens = await world.login(world.bar.email("staff"))
        await world.refused("token-invalid", "GET", "/api/me", {"Cookie": f"ll_session={tokens['access_token']}"})
        refused = await browser.post("/api/auth/switch", json={"tenant": "bar"})
        assert refused.json()["type"].endswith("/browser-session")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_a_write_from_another_site_is_refused_and_does_nothing(world: People, headers: dict[str, str]) -> None:
    async with visitor(world.app) as browser:
        await signed_in(world, browser, world.bar.email("owner"))
        before = await world.rows("roles", "user_preferences", "memberships")
        for method, path, body in (
            ("POST", "/api/roles", {"name": "Forged"}),
            ("PUT", "/api/me/preferences", {"theme": "light"}),
            ("DELETE", "/api/auth/session", None),
            ("POST", "/api/auth/logout-all", None),
        ):
            answer = await browser.request(method, path, json=body, headers=headers)
            assert answer.json()["type"].endswith("/cross-origin"), path
        assert await world.rows("roles", "user_preferences", "memberships") == before
        assert (await browser.get("/api/me", headers=headers)).status_code == 200


async def test_a_form_from_another_site_signs_nobody_in(world: People) -> None:
    async with visitor(world.app) as browser:
        form = {"email": world.bar.email("staff"), "password": PASSWORD}
        forged = await browser.post("/sign-in", data=form, headers={"Sec-Fetch-Site": "cross-site"})
        assert forged.status_code == 403
        assert "ll_session" not in browser.cookies
        simple = await browser.post(
            "/api/auth/session", content=b'{"email":"x"}', headers={"Content-Type": "text/plain"}
        )
        assert simple.status_code == 415


async def test_signing_out_forgets_the_cookie_and_ends_the_session(world: People) -> None:
    async with visitor(world.app) as browser:
        cookie = await signed_in(world, browser, world.bar.email("staff"))
        answer = await browser.delete("/api/auth/session")
        assert answer.status_code == 204
        assert (morsel(answer).value, morsel(answer)["max-age"]) == ("", "0")
        await world.refused("session-ended", "GET", "/api/me", {"Cookie": f"ll_session={cookie}"})
        assert (await browser.delete("/api/auth/session")).status_code == 204


async def test_a_browser_switches_and_is_in_one_place_at_a_time(world: People) -> None:
    somebody = await world.newcomer(world.bar, role="staff")
    async with visitor(world.app) as browser:
        first = await signed_in(world, browser, somebody.email)
        answer = await browser.put("/api/auth/session", json={"tenant": "club", "as": "patron"})
        assert (answer.json()["kind"], answer.json()["tenant"]["slug"]) == ("patron", "club")
        assert morsel(answer).value != first
        await world.refused("session-ended", "GET", "/api/me", {"Cookie": f"ll_session={first}"})


async def test_a_cookie_is_renewed_half_a_day_later_and_not_before(world: People) -> None:
    async with visitor(world.app) as browser:
        await signed_in(world, browser, world.bar.email("staff"))
        fresh = await browser.get("/api/me")
        assert "set-cookie" not in fresh.headers
        me = fresh.json()
    aged = issue(
        token_keys(world.services.secrets),
        COOKIE,
        user_id=world.bar.users["staff"],
        session_id=me["session_id"],
        tenant_id=world.bar.id,
        session_kind="member",
        seconds=7 * 24 * 3600,
        now=(await world.sql("select extract(epoch from now() - interval '13 hours')::float8 as t"))[0]["t"],
    )
    async with visitor(world.app) as browser:
        renewed = await browser.get("/api/me", headers={"Cookie": f"ll_session={aged}"})
        assert renewed.status_code == 200
        assert morsel(renewed).value not in {"", aged}


SECRETS = ("llo_canary-of-a-link", "llr_canary-of-a-refresh", "canary of a password", "eyJcanary.canary.canary")


async def test_no_token_and_no_password_is_ever_logged(world: People, caplog: pytest.LogCaptureFixture) -> None:
    """Links carry their token in the address: neither the line of the request nor an error repeats it."""
    caplog.set_level(logging.DEBUG)
    app: Any = ObservabilityMiddleware(world.app, world.services.settings)  # pyright: ignore[reportArgumentType] the same shape
    with structlog.testing.capture_logs() as lines:
        async with visitor(app) as browser:
            for path in ("/verify", "/reset"):
                shown = await browser.get(path, params={"token": SECRETS[0]})
                assert shown.status_code == 200
                assert shown.headers["referrer-policy"] in {"no-referrer", "strict-origin-when-cross-origin"}
                await browser.post(path, data={"token": SECRETS[0], "password": SECRETS[2]})
            await browser.post("/api/auth/refresh", json={"refresh_token": SECRETS[1]})
            await browser.post("/api/auth/login", json={"email": "owner@bar.example", "password": SECRETS[2]})
            await browser.get("/api/me", headers={"Authorization": f"Bearer {SECRETS[3]}"})
    others = [record.getMessage() for record in caplog.records if record.name != "httpx"]  # the client's own log
    told = f"{lines} {others}"
    assert "request" in told
    assert [secret for secret in SECRETS if secret in told] == []
    for table in ("outbox", "jobs", "outgoing_mail", "idempotency_keys", "one_time_tokens", "refresh_tokens"):
        for secret in SECRETS:
            found = await world.sql(f"select count(*) from {table} t where strpos(t::text, $1) > 0", secret)
            assert found[0][0] == 0, (table, secret)
