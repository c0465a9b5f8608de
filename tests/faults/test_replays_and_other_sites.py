"""U5: a code or passkey counts once; another site, a look with somebody's eyes and a made-up Host achieve nothing."""

import asyncio
import dataclasses
import random
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager
from html import escape
from typing import Any
from unittest.mock import patch
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

import httpx
import pytest

from lastlight.apps.account import signing
from lastlight.domains.identity import passkey_check, second_factor_check
from lastlight.kernel.errors import CrossOrigin, Problem, ReadOnly
from lastlight.modules import MODULES
from lastlight.runtime.auth.cookies import session_cookie_name
from lastlight.runtime.http import app as http_app
from lastlight.runtime.http import dispatch
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.settings import Settings
from tests.domains.identity.test_looking import impersonate, preview
from tests.domains.identity.test_passkeys import SESSION, challenge, made
from tests.domains.identity.test_second_factor import app_code, enrolled
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.forgeries import Target, systematic
from tests.support.passkeys import SoftKey
from tests.support.people import PASSWORD, People, people, visitor

pytestmark = pytest.mark.database
EVIL = "evil.example"


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """Two businesses without limits in the way."""
    roomy = dataclasses.replace(database_settings, user_requests_per_minute=10**7, auth_failures_per_quarter_hour=10**7)
    async with people(roomy, MODULES) as found:
        with patch.object(second_factor_check.limits, "factor_policy", plenty):
            yield found


def plenty() -> second_factor_check.limits.Policy:
    """So many codes of one account that no limit hides a replay."""
    return second_factor_check.limits.Policy("second-factor", 10**6, 900)


# ---- codes and passkeys


async def reused_codes(world: People, rounds: int, at_once: int) -> list[str]:
    """Send each code many times at once and again later: where it let in more than once."""
    found: list[str] = []
    for number in range(rounds):
        somebody = await world.newcomer(world.bar, role="staff")
        secret, recovery, _ = await enrolled(world, somebody)
        for kind, code in (("app", app_code(secret, 1)), ("recovery", recovery[0])):
            body = {"email": somebody.email, "password": PASSWORD, "code": code}
            sends = (world.client.post("/api/auth/login", json=body) for _ in range(at_once))
            answers = [*await asyncio.gather(*sends), await world.client.post("/api/auth/login", json=body)]
            let_in = sum(answer.status_code == 200 for answer in answers)
            found += [f"round {number}: a code of the {kind} let in {let_in} times"] if let_in != 1 else []
        earlier = {"email": somebody.email, "password": PASSWORD, "code": app_code(secret, -1)}
        if (await world.client.post("/api/auth/login", json=earlier)).status_code == 200:
            found.append(f"round {number}: a code from before the one that was used")
    return found


@pytest.mark.fault("U5")
async def test_a_code_counts_once_however_many_send_it(world: People, run: FaultRun) -> None:
    rounds, at_once = run.size(quick=1, long=30), run.size(quick=8, long=30)
    found = await reused_codes(world, rounds, at_once)
    run.report(codes=2 * rounds, at_once=at_once, wrong=len(found))
    assert found == []


async def unspent(ctx: Any, *, user_id: Any, row: Any, code: str) -> bool:
    """The right code, but nothing notes that it was used."""
    secret = ctx.services.secrets.decrypt(second_factor_check.PURPOSE, row["secret"], user_id.bytes)
    return second_factor_check.matching_step(secret, code, at=ctx.now.timestamp(), after=0) is not None


@pytest.mark.control("U5")
async def test_a_code_that_is_not_noted_is_found(world: People, run: FaultRun) -> None:
    with patch.object(second_factor_check, "spend_step", unspent):
        found = await reused_codes(world, 1, 3)
    run.report(wrong=len(found))
    must_fail(found)


async def forged_passkeys(world: People, count: int, rng: random.Random) -> tuple[int, list[str]]:
    """Show a passkey that was seen before, was made for another site, is a copy, or was changed anywhere: which were taken."""
    somebody = await world.newcomer(world.bar, role="staff")
    key, _, _ = await made(world, somebody)
    for _ in range(2):
        await world.call("POST", SESSION, json={"passkey": key.get(await challenge(world))})
    old = key.get(await challenge(world))
    await world.call("POST", SESSION, json={"passkey": old})
    attempts: list[tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = [
        ("seen before", lambda _: old),
        ("seen before, over a new challenge", lambda asked: old | {"client_data": key.get(asked)["client_data"]}),
        ("another origin", lambda asked: dataclasses.replace(key, origin=f"https://{EVIL}").get(asked)),
        ("origin that begins alike", lambda asked: dataclasses.replace(key, origin=f"{key.origin}.{EVIL}").get(asked)),
        ("another party", lambda asked: dataclasses.replace(key, rp_id=EVIL).get(asked)),
        ("a copy's counter", lambda asked: dataclasses.replace(key, count=0).get(asked)),
        ("nobody verified", lambda asked: dataclasses.replace(key, verifies=False).get(asked)),
        ("a stranger's key", lambda asked: dataclasses.replace(SoftKey(key.origin), id=key.id).get(asked)),
        ("a made-up challenge", lambda asked: key.get(asked | {"challenge": "A" * 43})),
        ("another owner", lambda asked: key.get(asked, user_handle="AAAA")),
    ]
    fields = ("id", "client_data", "authenticator_data", "signature")

    def changed(field: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        def change(asked: dict[str, Any]) -> dict[str, Any]:
            shown = key.get(asked)
            return shown | {field: rng.choice(_changed_texts(shown[field]))}

        return change

    attempts += [(f"changed {fields[n % 4]}", changed(fields[n % 4])) for n in range(count - len(attempts))]
    found: list[str] = []
    for name, attempt in attempts:
        answer = await world.client.post(SESSION, json={"passkey": attempt(await challenge(world))})
        world.client.cookies.clear()
        if answer.status_code not in {401, 422}:
            found.append(f"{name}: {answer.status_code}")
    return len(attempts), found


def _changed_texts(text: str) -> list[str]:
    return [one for one in systematic(Target("passkey", [text], _never)) if one != text and one.isascii() and one]


async def _never(_text: str) -> bool:
    return False


@pytest.mark.fault("U5")
async def test_a_passkey_opens_only_where_and_when_it_was_asked(world: People, run: FaultRun) -> None:
    tried, found = await forged_passkeys(world, run.size(quick=40, long=3_000), run.rng)
    run.report(passkeys=tried, accepted=len(found))
    assert found == []


@pytest.mark.control("U5")
@pytest.mark.parametrize("check", ["origin", "challenge"])
async def test_a_passkey_that_is_not_checked_is_found(world: People, run: FaultRun, check: str) -> None:
    real = passkey_check.verify_authentication_response

    def lenient(**given: Any) -> Any:
        said = re.search(rb'"origin":\s*"([^"]+)"', given["credential"].response.client_data_json)
        given["expected_origin"] = said[1].decode() if said else ""
        return real(**given)

    async def unspent_challenge(_ctx: Any, client_data: str, *_: Any) -> bytes:
        raw = passkey_check.as_bytes(client_data)
        return passkey_check.as_bytes(passkey_check.msgspec.json.decode(raw)["challenge"])

    off: AbstractContextManager[Any] = (
        patch.object(passkey_check, "verify_authentication_response", lenient)
        if check == "origin"
        else patch.object(passkey_check, "_spend_challenge", unspent_challenge)
    )
    with off:
        _, found = await forged_passkeys(world, 10, run.rng)
    run.report(accepted=len(found))
    must_fail(found)


# ---- what other sites make a browser send, and what somebody who only looks sends

FOREIGN: tuple[dict[str, str], ...] = (
    {"Origin": f"https://{EVIL}"},
    {"Origin": "null"},
    {"Origin": f"http://test.{EVIL}"},
    {"Origin": "http://test@" + EVIL},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://test"},
    {"Sec-Fetch-Site": "nonsense", "Origin": "http://test"},
)
BODIES: tuple[tuple[str, bytes], ...] = (
    ("application/json", b"{}"),
    ("text/plain", b'{"a":"="}'),
    ("application/x-www-form-urlencoded", b"a=b"),
    ("multipart/form-data; boundary=x", b"--x--"),
    ("", b"{}"),
)


def address_of(op: Operation) -> str:
    """An address of the operation, with anything in the place of its parameters."""
    return re.sub(r"\{\w+:(\w+)\}", lambda match: str(uuid4()) if match[1] == "uuid" else "1", op.path)


def says(answer: httpx.Response, problem: type[Problem]) -> bool:
    """Whether an answer, a problem's or a page's, names this problem."""
    return f"/problems/{problem.type}" in answer.text or escape(problem.title) in answer.text


def writing(world: People) -> list[Operation]:
    """Every operation that writes."""
    return [op for op in world.services.registry.operations if op.writes]


async def cookie_of(world: People, who: str) -> dict[str, str]:
    """Somebody's browser."""
    name = session_cookie_name(world.services.settings)
    answer = await world.client.post("/api/auth/session", json={"email": world.bar.email(who), "password": PASSWORD})
    world.client.cookies.clear()
    return {"Cookie": f"{name}={answer.cookies[name]}"}


async def from_other_sites(world: People, most: int, each: int, rng: random.Random) -> tuple[int, list[str]]:
    """Send each writing operation with a browser's cookie from another site: which were not refused for that."""
    cookie = await cookie_of(world, "owner")
    ways = [(headers, body) for headers in FOREIGN for body in BODIES]
    sent, found = 0, list[str]()
    reachable = [
        op for op in writing(world) if op.kind == "api" or not op.path_parameters()
    ]  # a form is drawn over its thing
    for op in rng.sample(reachable, min(most, len(reachable))):
        for headers, (media, body) in rng.sample(ways, min(each, len(ways))):
            more = {"Content-Type": media} if media else {}
            answer = await world.client.request(
                op.method, address_of(op), headers={**cookie, **headers, **more}, content=body
            )
            world.client.cookies.clear()
            sent += 1
            if answer.status_code != 403 or (op.kind == "api" and not says(answer, CrossOrigin)):
                found.append(f"{op.name} {headers} {media}: {answer.status_code}")
    return sent, found


@pytest.mark.fault("U5")
async def test_no_other_site_writes_with_a_browser_s_cookie(world: People, run: FaultRun) -> None:
    sent, found = await from_other_sites(world, run.size(quick=100, long=1_000), run.size(quick=1, long=40), run.rng)
    run.report(requests=sent, wrong=len(found))
    assert found == []


@pytest.mark.control("U5")
async def test_without_the_comparison_other_sites_get_through(world: People, run: FaultRun) -> None:
    with patch.object(dispatch, "refuse_cross_site"):
        sent, found = await from_other_sites(world, 40, 1, run.rng)
    run.report(requests=sent, wrong=len(found))
    must_fail(found)


async def simple_posts(world: People) -> list[str]:
    """What a form of any site can post without asking first, unsigned: JSON operations that took it."""
    found: list[str] = []
    for op in writing(world):
        if op.kind != "api" or op.parameter("data") is None or op.method != "POST":
            continue
        for media, body in BODIES[1:]:
            answer = await world.client.post(
                address_of(op), content=body, headers={"Content-Type": media} if media else {}
            )
            world.client.cookies.clear()
            if answer.status_code < 400 or "set-cookie" in answer.headers:
                found.append(f"{op.name} took {media or 'no type'}: {answer.status_code}")
    email, name = world.bar.email("staff"), session_cookie_name(world.services.settings)
    credentials = f'{{"email":"{email}","password":"{PASSWORD}"}}'.encode()
    for media, _ in BODIES[1:]:
        headers = {"Content-Type": media, "Origin": f"https://{EVIL}"} if media else {"Origin": f"https://{EVIL}"}
        answer = await world.client.post("/api/auth/session", content=credentials, headers=headers)
        found += [f"signed in by {media or 'no type'}"] if name in answer.cookies else []
        world.client.cookies.clear()
    return found


@pytest.mark.fault("U5")
async def test_a_form_of_another_site_is_no_request_of_ours_and_signs_nobody_in(world: People, run: FaultRun) -> None:
    found = await simple_posts(world)
    run.report(types=len(BODIES) - 1, wrong=len(found))
    assert found == []


@pytest.mark.control("U5")
async def test_without_the_type_forms_are_taken(world: People, run: FaultRun) -> None:
    with patch.object(dispatch, "require_json"):
        found = await simple_posts(world)
    run.report(wrong=len(found))
    must_fail(found)


async def looking_writes(
    world: People, most: int, lookers: Sequence[dict[str, str]], rng: random.Random
) -> tuple[int, list[str]]:
    """Send each writing operation as somebody who only looks: which were not refused for that, and whether anything was written."""
    before = await world.rows("memberships", "roles", "patrons", "visits", "venues", "invitations", "passkeys")
    sent, found = 0, list[str]()
    writes = [op for op in writing(world) if not op.looking]
    for op in rng.sample(writes, min(most, len(writes))):
        for bearer in lookers:
            headers = bearer | {"Content-Type": "application/json", "Idempotency-Key": str(uuid4()), "If-Match": '"1"'}
            answer = await world.client.request(op.method, address_of(op), headers=headers, content=b"{}")
            sent += 1
            if answer.status_code != 403 or not says(answer, ReadOnly):
                found.append(f"{op.name}: {answer.status_code}")
    after = await world.rows("memberships", "roles", "patrons", "visits", "venues", "invitations", "passkeys")
    return sent, found + ([] if after == before else ["something was written"])


@pytest.mark.fault("U5")
async def test_who_looks_writes_nothing(world: People, run: FaultRun) -> None:
    lookers = [await impersonate(world, world.bar.users["owner"]), await preview(world, "owner")]
    sent, found = await looking_writes(world, run.size(quick=60, long=1_000), lookers, run.rng)
    recorded = await world.sql("select count(*) from outbox where name like '%impersonat%'")
    run.report(requests=sent, wrong=len(found), recorded=recorded[0][0])
    assert found == []
    assert recorded[0][0]


@pytest.mark.control("U5")
async def test_without_the_guard_a_look_reaches_operations(world: People, run: FaultRun) -> None:
    lookers = [await impersonate(world, world.bar.users["owner"])]

    def only_permitted(op: Operation, actor: Any) -> None:
        real(op, passkey_check.msgspec.structs.replace(actor, looking=None))

    real = dispatch.admit
    with patch.object(dispatch, "admit", only_permitted):
        sent, found = await looking_writes(world, 30, lookers, run.rng)
    run.report(requests=sent, wrong=len(found))
    must_fail(found)


# ---- hosts, places to go to, frames, sessions that were there before

HOSTS: tuple[dict[str, str], ...] = (
    {"Host": EVIL},
    {"Host": f"{EVIL}:443"},
    {"X-Forwarded-Host": EVIL},
    {"Forwarded": f"host={EVIL};proto=https"},
    {"X-Host": EVIL, "X-Original-Host": EVIL, "X-Forwarded-Server": EVIL},
    {"Host": f"test.{EVIL}", "X-Forwarded-Proto": "https"},
)


async def echoes(world: People, most: int) -> tuple[int, list[str]]:
    """Ask for pages and e-mails under a made-up Host: where it is repeated."""
    asked, found = 0, list[str]()
    somebody = await world.newcomer(world.bar, role="staff")
    pages = [
        op for op in world.services.registry.operations if op.method == "GET" and op.public and not op.path_parameters()
    ]
    for headers in HOSTS[:most]:
        for op in pages:
            answer = await world.client.get(op.path, headers={**headers, "Accept": "text/html"})
            asked += 1
            told = answer.text + repr(answer.headers.multi_items())
            found += [f"{op.path} repeats {headers}"] if EVIL in told else []
        await world.sql(
            "update one_time_tokens set created_at = now() - interval '1 hour' where user_id = $1", somebody.user_id
        )
        await world.client.post("/api/auth/password/forgot", json={"email": somebody.email}, headers=headers)
        asked += 1
    mails = await world.mails(somebody.email)
    found += ["an e-mail repeats it" for mail in mails if EVIL in f"{mail['body_text']}{mail.get('body_html', '')}"]
    return asked, found if mails else [*found, "no e-mail came"]


@pytest.mark.fault("U5")
async def test_a_made_up_host_is_repeated_nowhere(world: People, run: FaultRun) -> None:
    asked, found = await echoes(world, run.size(quick=3, long=len(HOSTS)))
    run.report(requests=asked, wrong=len(found))
    assert found == []


@pytest.mark.control("U5")
async def test_an_address_that_follows_the_host_is_found(world: People, run: FaultRun) -> None:
    settings = world.services.settings
    world.services.settings = dataclasses.replace(settings, base_url=f"https://{EVIL}")
    try:
        _, found = await echoes(world, 1)
    finally:
        world.services.settings = settings
    run.report(wrong=len(found))
    must_fail(found)


TARGETS = (
    f"https://{EVIL}", f"//{EVIL}", f"/\\{EVIL}", f"\\\\{EVIL}", f"/\t/{EVIL}", f"/\n/{EVIL}", f"/\r\n/{EVIL}", f"\x01//{EVIL}",
    f" //{EVIL}", f"///{EVIL}", f"////{EVIL}", f"https:{EVIL}", f"https:/{EVIL}", f"http:///{EVIL}", f"//{EVIL}/%2f..",
    f"/%09/{EVIL}", f"/%5c{EVIL}", f"//test@{EVIL}", f"//{EVIL}#test", f"/.//{EVIL}", f"/..//{EVIL}", f"/foo/../..//{EVIL}",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", f"ftp://{EVIL}",
    f"/\u2028/{EVIL}", f"/\x00/{EVIL}", f"/\x0b/{EVIL}", f"\u3000//{EVIL}", f"\uff0f\uff0f{EVIL}", f"/x\r\nLocation: https://{EVIL}",
    f"/x\r\nSet-Cookie: a=b; domain={EVIL}", f"?next=//{EVIL}", f"#//{EVIL}", f"{EVIL}", f"@{EVIL}", f"/;@{EVIL}",
)  # fmt: skip


def goes_to(location: str) -> str:
    """The host that a browser would go to: it drops tabs and line ends, strips controls, and reads `\\` as `/`."""
    plain = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33))))).replace("\\", "/")
    try:
        parts = urlsplit(urljoin("http://test/sign-in", plain))
    except ValueError:
        return "nowhere"
    return parts.netloc if parts.scheme in {"http", "https"} else f"{parts.scheme}:"


async def led_astray(world: People, targets: Sequence[str]) -> list[str]:
    """Sign in with each place to go to: those that lead to another site."""
    found: list[str] = []
    for target in targets:
        async with visitor(world.app) as browser:
            form = {"email": world.bar.email("staff"), "password": PASSWORD, "next": target}
            try:
                answer = await browser.post("/sign-in", data=form)
            except (httpx.RemoteProtocolError, httpx.InvalidURL) as error:
                found.append(f"{target!r}: {error}")
                continue
            if goes_to(answer.headers.get("location", "/")) != "test" or any(
                "evil" in c.domain for c in browser.cookies.jar
            ):
                found.append(f"{target!r}: {answer.headers.get('location')!r}")
    return found


@pytest.mark.fault("U5")
async def test_signing_in_leads_nowhere_else(world: People, run: FaultRun) -> None:
    targets = TARGETS if run.long else (*TARGETS[:6], *run.rng.sample(TARGETS[6:], 8))
    found = await led_astray(world, targets)
    run.report(targets=len(targets), wrong=len(found))
    assert found == []


@pytest.mark.control("U5")
async def test_a_place_that_nobody_looked_at_is_found(world: People, run: FaultRun) -> None:
    with patch.object(signing, "safe_next", str):
        found = await led_astray(world, TARGETS[:4])
    run.report(wrong=len(found))
    must_fail(found)


async def unprotected(world: People, most: int, rng: random.Random) -> tuple[int, list[str]]:
    """Every page as its owner sees it, in a frame of another site: which do not forbid that, or set a cookie that scripts read."""
    cookie = await cookie_of(world, "owner")
    asked, found = 0, list[str]()
    reads = [op for op in world.services.registry.operations if op.method == "GET" and not op.path_parameters()]
    for op in rng.sample(reads, min(most, len(reads))):
        answer = await world.client.get(op.path, headers={**cookie, "Accept": "text/html", "Sec-Fetch-Dest": "iframe"})
        world.client.cookies.clear()
        asked += 1
        policy, headers = answer.headers.get("content-security-policy", ""), answer.headers
        if "frame-ancestors 'none'" not in policy and headers.get("x-frame-options") != "DENY":
            found.append(f"{op.path} may be framed")
        if headers.get("x-content-type-options") != "nosniff" or headers.get("access-control-allow-origin") == "*":
            found.append(f"{op.path}: {headers}")
    return asked, found


@pytest.mark.fault("U5")
async def test_no_page_may_be_framed(world: People, run: FaultRun) -> None:
    asked, found = await unprotected(world, run.size(quick=50, long=1_000), run.rng)
    run.report(pages=asked, wrong=len(found))
    assert found == []


@pytest.mark.control("U5")
async def test_pages_without_the_headers_are_found(world: People, run: FaultRun) -> None:
    with patch.dict(http_app.SECURITY_HEADERS, clear=True):
        asked, found = await unprotected(world, 10, run.rng)
    run.report(pages=asked, wrong=len(found))
    must_fail(found)


@pytest.mark.fault("U5")
async def test_a_session_that_was_put_there_is_not_taken_over(world: People, run: FaultRun) -> None:
    name, taken = session_cookie_name(world.services.settings), list[str]()
    for way in ("/api/auth/session", "/sign-in"):
        planted = await cookie_of(world, "manager")
        async with visitor(world.app) as browser:
            given = {"email": world.bar.email("staff"), "password": PASSWORD}
            more: dict[str, Any] = {"json": given} if way.startswith("/api") else {"data": given}
            answer = await browser.post(way, headers=planted, **more)
            own = answer.cookies.get(name)
            if not own or own == planted["Cookie"].partition("=")[2]:
                taken.append(f"{way}: the session stayed")
        if (await world.client.get("/api/me", headers=planted)).status_code == 200:
            taken.append(f"{way}: the planted session goes on")
    run.report(ways=2, wrong=len(taken))
    assert taken == []
