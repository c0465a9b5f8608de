"""U7: a secret that was given out, used rightly and wrongly, is found nowhere again: the database keeps digests or sealed bytes."""

import base64
import dataclasses
import random
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch
from urllib.parse import quote
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import structlog

from lastlight.domains.identity import tokens as one_time
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.modules import MODULES
from lastlight.runtime.auth.cookies import session_cookie_name
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.observability.middleware import ObservabilityMiddleware
from lastlight.runtime.settings import Settings
from tests.domains.identity.test_looking import impersonate
from tests.domains.identity.test_second_factor import app_code
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.own_processes import beside
from tests.support.people import PASSWORD, Newcomer, People, people, visitor

pytestmark = [pytest.mark.database, pytest.mark.processes]
MAIL = "outgoing_mail"
"""Where a link lies in clear until it was sent: the letter itself. It is taken out of it then."""


@dataclass(slots=True)
class Ground:
    """The application, another process that answers and logs, and every secret that was given out."""

    world: People
    http: httpx.AsyncClient
    settings: Settings
    log: Callable[[], str]
    given: dict[str, str] = field(default_factory=dict[str, str])
    raw: dict[str, bytes] = field(default_factory=dict[str, bytes])
    answers: list[str] = field(default_factory=list[str])

    async def ask(self, method: str, path: str, who: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        """A request to the process that logs."""
        return await self.http.request(method, path, headers={**(who or {}), **more.pop("headers", {})}, **more)

    async def must(self, method: str, path: str, who: dict[str, str] | None = None, **more: Any) -> Any:
        """The same where it must succeed."""
        answer = await self.ask(method, path, who, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@pytest.fixture(scope="module")
async def ground(request: pytest.FixtureRequest, database_settings: Settings) -> AsyncGenerator[Ground]:
    """An application that logs everything it would ever log: in the long form a process of its own, with its own log file."""
    roomy = dataclasses.replace(database_settings, user_requests_per_minute=10**7, auth_failures_per_quarter_hour=10**7)
    async with people(roomy, MODULES) as world:
        if not request.config.getoption("--long"):
            app: Any = ObservabilityMiddleware(cast("Any", world.app), roomy)
            with structlog.testing.capture_logs() as lines:
                async with visitor(app) as http:
                    yield Ground(world, http, roomy, lambda: repr(lines))
            return
        told = {"LASTLIGHT_LOG_LEVEL": "debug", "LASTLIGHT_LOG_FORMAT": "json"}
        async with (
            beside(roomy, **told) as web,
            httpx.AsyncClient(base_url=web.url, timeout=30) as http,
        ):
            yield Ground(world, http, roomy, web.log.read_text)


async def issue(ground: Ground) -> Newcomer:
    """Have one of every kind of secret given out, to somebody new."""
    world, given = ground.world, ground.given
    somebody = await world.newcomer(world.bar, role="manager", verified=False)
    given["a wrong password"] = f"wrong-{uuid4().hex}"
    body = {"email": somebody.email, "password": given["a wrong password"]}
    assert (await ground.ask("POST", "/api/auth/login", json=body)).status_code == 401
    await _sessions(ground, somebody)
    await _links(ground, somebody)
    await _factors(ground, somebody)
    await _things(ground)
    return somebody


async def _sessions(ground: Ground, somebody: Newcomer) -> None:
    given, name = ground.given, session_cookie_name(ground.settings)
    tokens = await ground.must("POST", "/api/auth/login", json={"email": somebody.email, "password": PASSWORD})
    given["access token"], given["used refresh token"] = tokens["access_token"], tokens["refresh_token"]
    again = await ground.must("POST", "/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    given["refresh token"] = again["refresh_token"]
    answer = await ground.ask("POST", "/api/auth/session", json={"email": somebody.email, "password": PASSWORD})
    given["cookie"] = answer.cookies[name]
    ground.http.cookies.clear()
    given["password"] = f"changed {uuid4().hex}"
    change = {"current_password": PASSWORD, "new_password": given["password"]}
    await ground.must(
        "POST", "/api/auth/password/change", {"Authorization": f"Bearer {again['access_token']}"}, json=change
    )
    look = await impersonate(ground.world, ground.world.bar.users["owner"])
    given["a look's token"] = look["Authorization"].removeprefix("Bearer ")


async def _links(ground: Ground, somebody: Newcomer) -> None:
    world, given = ground.world, ground.given
    bearer = await world.bearer(somebody.email, password=given["password"])
    await ground.must("POST", "/api/auth/verify-email/link", bearer)
    given["verification"] = await world.link(somebody.email)
    await ground.must("POST", "/api/auth/password/forgot", json={"email": somebody.email})
    given["reset link"] = await world.link(somebody.email)
    owner = await world.bearer(world.bar.email("owner"))
    role = await world.sql("select id from roles where tenant_id = $1 and key = 'staff'", world.bar.id)
    invited = f"invited-{uuid4().hex[:8]}@people.example"
    await ground.must("POST", "/api/invitations", owner, json={"email": invited, "role_id": str(role[0]["id"])})
    given["invitation"] = await world.link(invited)


async def _factors(ground: Ground, somebody: Newcomer) -> None:
    given, raw = ground.given, ground.raw
    bearer = await ground.world.bearer(somebody.email, password=given["password"])
    made = await ground.must("POST", "/api/me/second-factor", bearer, json={"password": given["password"]})
    given["app's secret"] = made["secret"]
    raw["app's secret"] = base64.b32decode(made["secret"] + "=" * (-len(made["secret"]) % 8))
    path = "/api/me/second-factor/confirmation"
    done = await ground.must("POST", path, bearer, json={"code": app_code(made["secret"])})
    given["recovery code"], given["used recovery code"] = done["recovery_codes"][:2]
    body = {"email": somebody.email, "password": given["password"]}
    given["sign-in ticket"] = (await ground.ask("POST", "/api/auth/login", json=body)).json()["ticket"]
    await ground.must("POST", "/api/auth/login", json={**body, "code": given["used recovery code"]})


async def _things(ground: Ground) -> None:
    world, given = ground.world, ground.given
    owner = await world.bearer(world.bar.email("owner"))
    venue = world.bar.venues[0]
    body = {"venue_id": str(venue), "name": f"Door {uuid4().hex[:8]}"}
    given["device's code"] = (await ground.must("POST", "/api/devices", owner, json=body))["code"].partition(".")[2]
    await world.sql(
        "insert into tenant_modules (tenant_id, module, enabled) values ($1, 'staff', true)"
        " on conflict (tenant_id, module) do update set enabled = true",
        world.bar.id,
    )
    for op in world.services.registry.operations:
        if op.name == "renew_calendar":
            given["calendar feed"] = (await ground.must(op.method, op.path, owner))["url"].rsplit("/", 1)[1]
    async with system_ctx(world.services, world.bar.id) as ctx:
        key = await current_key(ctx, venue_id=venue)
        ground.raw["venue's key"] = open_key(ctx, venue_id=venue, number=key.number, sealed=key.secret)
    ground.raw["platform's secret key"] = ground.settings.secret_key.encode()
    for purpose in ("tokens", "guest-pass"):
        ground.raw[f"signing key of {purpose}"] = world.services.secrets.signing_key(purpose).private_bytes_raw()


async def misuse(ground: Ground) -> int:
    """Send every secret where it does not belong, so that refusals, errors and logs may repeat it; how many requests."""
    sent = 0
    for name, secret in ground.given.items():
        tries: list[tuple[str, str, dict[str, Any]]] = [
            ("GET", f"/reset?token={quote(secret)}", {}),
            ("GET", f"/verify?token={quote(secret)}&other={quote(secret)}", {}),
            ("GET", "/api/me", {"headers": {"Authorization": f"Bearer {secret}x"}}),
            ("GET", "/api/me", {"headers": {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}}),
            ("GET", "/api/me", {"headers": {"Cookie": f"ll_session={quote(secret)}"}}),
            ("POST", "/api/auth/refresh", {"json": {"refresh_token": f"{secret}x"}}),
            ("POST", "/api/auth/refresh", {"json": {"refresh_token": secret, "token": secret}}),
            ("POST", "/api/auth/password/reset", {"json": {"token": f"{secret}x", "password": secret}}),
            ("POST", "/api/auth/login", {"json": {"email": "a@b.example", "password": secret, "code": secret}}),
            ("POST", "/api/auth/login", {"json": {"email": secret, "password": [secret]}}),
            ("POST", "/api/invitations/lookup", {"json": {"token": f"{secret}x"}}),
            ("POST", "/api/devices/enrolment", {"json": {"code": f"bar.{secret}x", "public_key": secret}}),
            ("GET", f"/api/calendars/{quote(secret, safe='')}x", {}),
            ("GET", f"/files/{quote(secret, safe='')}", {}),
            ("POST", "/sign-in", {"data": {"email": "a@b.example", "password": secret, "next": "/"}}),
            (
                "POST",
                "/api/auth/login",
                {"content": f'{{"password":"{secret}"'.encode(), "headers": {"Content-Type": "application/json"}},
            ),
        ]
        for method, path, more in tries:
            answer = await ground.ask(method, path, **more)
            sent += 1
            assert answer.status_code < 500, f"{name} at {path}: {answer.status_code}"
            if path.partition("?")[0] not in {"/reset", "/verify"}:  # their forms carry the token on
                ground.answers.append(
                    f"answer to {name} at {method} {path.partition(quote(secret, safe=''))[0]}\n{answer.text}"
                )
        ground.http.cookies.clear()
    return sent


def forms_of(ground: Ground) -> dict[str, list[str]]:
    """Every secret in every way it might be written."""
    secrets = {name: [text.encode()] for name, text in ground.given.items()}
    for name, raw in ground.raw.items():
        secrets.setdefault(name, []).append(raw)
    return {name: sorted({form for raw in raws for form in written(raw)}) for name, raws in secrets.items()}


def written(raw: bytes) -> set[str]:
    """Bytes as text, in hexadecimal, in both base64s and in an address."""
    forms = {raw.hex(), base64.b64encode(raw).decode().rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("=")}
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return forms
    return forms | {text, quote(text), text[::-1]} if text.isprintable() else forms


async def places(ground: Ground, most: int, rng: random.Random) -> AsyncGenerator[tuple[str, str]]:
    """Everything that is kept or told anywhere, as text: each table, the logs, files, figures, documents, answers."""
    world, connection = ground.world, await asyncpg.connect(ground.settings.admin_dsn())
    try:
        tables = await connection.fetch(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'm') order by 1"
        )
        for (table,) in tables:
            rows = await connection.fetch(f'select t::text as line from "{table}" t')
            yield f"table {table}", "\n".join(row["line"] for row in rows)
    finally:
        await connection.close()
    yield "log", ground.log()
    for path in (*Path(ground.settings.var_dir).rglob("*"),):
        if path.is_file() and path.suffix != ".log" and "secrets" not in path.parts:
            yield f"file {path.name}", path.read_bytes().decode("latin-1")
    owner = await world.bearer(world.bar.email("owner"))
    crew = await world.bearer("super_admin@crew.example")
    reads = [op for op in world.services.registry.operations if op.method == "GET" and not op.path_parameters()]
    for op in rng.sample(reads, min(most, len(reads))):
        for who in (owner, crew):
            answer = await ground.ask("GET", op.path, who, headers={"Accept": "*/*"})
            yield f"GET {op.path}", answer.text
    for path in ("/metrics", "/openapi.json"):
        yield path, (await ground.ask("GET", path)).text
    for answer in ground.answers:
        yield answer.partition("\n")[0], answer.partition("\n")[2]


LETTERS = {"verification", "reset link", "invitation"}


async def search(ground: Ground, most: int, rng: random.Random) -> tuple[int, list[str]]:
    """How many places were searched, and which secret was found where."""
    forms, searched, found = forms_of(ground), 0, list[str]()
    async for place, text in places(ground, most, rng):
        searched += 1
        for name, written_as in forms.items():
            if place == f"table {MAIL}" and name in LETTERS:
                continue
            hit = next((form for form in written_as if form in text), None)
            if hit is not None:
                at = text.index(hit)
                found.append(f"{name} in {place}: …{re.sub(chr(10), ' ', text[max(0, at - 60) : at + 12])}")
    return searched, found


@pytest.mark.fault("U7")
async def test_a_secret_is_found_nowhere_again(ground: Ground, run: FaultRun) -> None:
    sent, everybody = 0, run.size(quick=1, long=12)
    searched, found = 0, list[str]()
    for _ in range(everybody):
        await issue(ground)
        sent += await misuse(ground)
        searched, more = await search(ground, run.size(quick=25, long=1_000), run.rng)
        found += more
    run.report(secrets=len(ground.given) + len(ground.raw), misused=sent, places=searched, found=len(found))
    assert found == []


@pytest.mark.control("U7")
@pytest.mark.parametrize("leak", ["digest", "log", "answer"])
async def test_a_secret_that_was_kept_is_found(ground: Ground, run: FaultRun, leak: str) -> None:
    if leak == "digest":
        with (
            patch.object(one_time, "digest", str.encode),
            patch("lastlight.domains.identity.session_tokens.digest", str.encode),
        ):
            kept = await ground.world.login(ground.world.bar.email("staff"))
        ground.given["kept refresh token"] = kept["refresh_token"]
    elif leak == "log":
        ground.given["logged"] = f"logged-{uuid4().hex}"
        ground = dataclasses.replace(ground, log=lambda: f"request path=/reset?token={ground.given['logged']}")
    else:
        ground.given["told"] = f"told-{uuid4().hex}"
        ground.answers.append(f"an answer\nYour password {ground.given['told']} is wrong")
    _, found = await search(ground, 0, run.rng)
    for name in ("kept refresh token", "logged", "told"):
        ground.given.pop(name, None)
    run.report(leak=leak, found=len(found))
    must_fail(found)


# ---- and what is revoked counts no more, from the next request on

REVOKED: dict[str, Callable[[Ground], Awaitable[tuple[Any, Any]]]] = {}


def revoked(work: Callable[[Ground], Awaitable[tuple[Any, Any]]]) -> Callable[[Ground], Awaitable[tuple[Any, Any]]]:
    """A secret that is used, taken back and used again: the statuses of both uses."""
    REVOKED[work.__name__] = work
    return work


@revoked
async def an_access_token(ground: Ground) -> tuple[int, int]:
    bearer = await ground.world.bearer(ground.world.bar.email("staff"))
    before = (await ground.ask("GET", "/api/me", bearer)).status_code
    await ground.world.call("POST", "/api/auth/logout", bearer, status=204)
    return before, (await ground.ask("GET", "/api/me", bearer)).status_code


@revoked
async def a_calendar_feed(ground: Ground) -> tuple[int, int]:
    world = ground.world
    owner = await world.bearer(world.bar.email("owner"))
    op = next(op for op in world.services.registry.operations if op.name == "renew_calendar")
    feed = "/api/calendars/" + (await world.call(op.method, op.path, owner, status=201))["url"].rsplit("/", 1)[1]
    before = (await ground.ask("GET", feed)).status_code
    await world.call(op.method, op.path, owner, status=201)
    return before, (await ground.ask("GET", feed)).status_code


@revoked
async def an_invitation(ground: Ground) -> tuple[int, int]:
    world = ground.world
    owner = await world.bearer(world.bar.email("owner"))
    role = await world.sql("select id from roles where tenant_id = $1 and key = 'staff'", world.bar.id)
    email = f"invited-{uuid4().hex[:8]}@people.example"
    body = {"email": email, "role_id": str(role[0]["id"])}
    made = await world.call("POST", "/api/invitations", owner, status=201, json=body)
    look = {"token": await world.link(email)}
    sent = await world.call("GET", f"/api/invitations/{made['id']}", owner)
    version = {"If-Match": f'"{sent["version"]}"'}
    before = (await ground.ask("POST", "/api/invitations/lookup", json=look)).status_code
    await world.call("DELETE", f"/api/invitations/{UUID(made['id'])}", owner, status=204, headers=version)
    return before, (await ground.ask("POST", "/api/invitations/lookup", json=look)).status_code


@pytest.mark.fault("U7")
async def test_what_is_taken_back_counts_no_more(ground: Ground, run: FaultRun) -> None:
    found = list[str]()
    for name, use in REVOKED.items():
        before, after = await use(ground)
        assert before == 200, f"{name}: it did not work before either: {before}"
        found += [f"{name} still answers {after}"] if after < 400 else []
    run.report(kinds=len(REVOKED), wrong=len(found))
    assert found == []
