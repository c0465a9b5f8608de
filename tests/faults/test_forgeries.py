"""U1: nothing that somebody made up, changed or spelled otherwise passes for what we signed or sent."""

import base64
import dataclasses
import hashlib
import random
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractContextManager
from itertools import count as counting
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import msgspec
import pytest

from lastlight.domains.checkins import claims, passes
from lastlight.domains.devices import enrolment, signing
from lastlight.domains.identity import second_factor_check, session_tokens
from lastlight.domains.identity import tokens as one_time
from lastlight.domains.staff import calendars
from lastlight.domains.venues.codes import VenueCode
from lastlight.kernel.base64url import encode_base64url
from lastlight.modules import MODULES
from lastlight.runtime.auth import tokens
from lastlight.runtime.auth.cookies import session_cookie_name
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.secrets import Secrets
from lastlight.runtime.settings import Settings
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.forged_tokens import Workshop
from tests.support.forgeries import Target, Tried, systematic, try_forgeries
from tests.support.forgery_targets import FAMILIES
from tests.support.people import PASSWORD, People, people

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """Two businesses without limits in the way: forgeries must fail by themselves."""
    roomy = dataclasses.replace(database_settings, user_requests_per_minute=10**7, auth_failures_per_quarter_hour=10**7)
    async with people(roomy, MODULES) as found:
        yield found


async def forge(world: People, count: int, rng: random.Random, *families: str) -> Tried:
    """Try `count` forgeries, as evenly over the forms as they allow."""
    targets = [target for name in families for target in await FAMILIES[name](world)]
    total = Tried()
    for left, target in zip(counting(len(targets), -1), sorted(targets, key=lambda one: one.most), strict=False):
        tried = await try_forgeries(target, max(1, (count - total.count) // left), rng)
        total.count += tried.count
        total.accepted += tried.accepted
    return total


@pytest.mark.fault("U1")
async def test_no_forgery_is_taken(world: People, run: FaultRun) -> None:
    wanted = run.size(quick=2_500, long=60_000)
    tried = await forge(world, wanted, run.rng, *FAMILIES)
    run.report(forgeries=tried.count, forms=len(FAMILIES), accepted=len(tried.accepted))
    assert tried.accepted == []
    assert tried.count >= wanted * 0.9


def lax(text: str) -> bytes | None:
    """Base64url as Python reads it: padding, the other alphabet and spare bits go through."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None


def yes(*_args: Any, **_named: Any) -> bool:
    """Every signature holds."""
    return True


def short_sighted(token: str) -> bytes:
    """A digest that does not look at the end of a text."""
    return hashlib.sha256(token[:-3].encode()).digest()


def short_sighted_too(token: bytes) -> bytes:
    """A digest of bytes that does not look at the last ones."""
    return hashlib.sha256(token[:-8]).digest()


def one_key(*_: Any) -> bytes:
    """The same key for every purpose."""
    return b"k" * 32


def soon_over(_secrets: Any, _purpose: str, message: bytes, _signature: bytes) -> bool:
    """Every signature holds, over a time that can be."""
    return message[:4] == bytes(4)


class _AnyHeader(dict[str, Any]):
    """Reads every header as if it were ours."""

    def get(self, key: str, default: Any = None) -> Any:
        typ = tokens.COOKIE if b"session" in (lax(key) or b"") else tokens.ACCESS
        return next((reader for reader in self.values() if reader[0] == typ), default)


def any_header(world: People) -> AbstractContextManager[Any]:
    """Tokens whose header is not compared."""
    keys = tokens.token_keys(world.services.secrets)
    loose = dataclasses.replace(keys, readers=_AnyHeader(keys.readers))
    return patch("tests.support.forged_tokens.Workshop.keys", loose)


GUARDS: dict[str, tuple[str, Callable[[People], AbstractContextManager[Any]]]] = {
    "a token's signature": ("tokens", lambda _: patch.object(tokens.jwt, "decode")),
    "a token's header": ("tokens", any_header),
    "a code's signature": ("codes", lambda _: patch.object(VenueCode, "is_signed_by", yes)),
    "a phone's signature": ("passes", lambda _: patch.object(passes, "is_signed_by", yes)),
    "a pass's spelling": ("passes", lambda _: patch.object(passes, "_is_step", str.isdigit)),
    "a pass's moment": ("passes", lambda _: patch.object(passes, "STEP_SECONDS", 10**9)),
    "a claim's signature": ("claims", lambda _: patch.object(claims, "is_signed_by", yes)),
    "the spelling of signatures": ("devices", lambda _: patch("lastlight.runtime.p256.decode_base64url", lax)),
    "a device's signature": ("devices", lambda _: patch.object(signing, "is_signed_by", yes)),
    "a link's signature": ("links", lambda _: patch.object(Secrets, "verify", soon_over)),
    "a link's spelling": ("links", lambda _: patch("lastlight.runtime.secrets.decode_base64url", lax)),
    "a sealed secret's place": ("sealed", lambda _: patch("lastlight.runtime.secrets._derive", one_key)),
    "a feed's digest": ("kept", lambda _: patch.object(calendars, "_hash", short_sighted_too)),
    "a link's digest": ("kept", lambda _: patch.object(one_time, "digest", short_sighted)),
    "a refresh token's digest": ("kept", lambda _: patch.object(session_tokens, "digest", short_sighted)),
    "a recovery code's digest": ("kept", lambda _: patch.object(second_factor_check, "digest", short_sighted)),
    "a one-time code's digest": ("kept", lambda _: patch.object(enrolment, "_hash", short_sighted)),
}


@pytest.mark.control("U1")
@pytest.mark.parametrize("guard", GUARDS)
async def test_a_guard_that_is_off_lets_forgeries_in(world: People, run: FaultRun, guard: str) -> None:
    family, off = GUARDS[guard]
    with off(world):
        tried = await forge(world, 60 * 7, run.rng, family)
    run.report(forgeries=tried.count, accepted=len(tried.accepted))
    must_fail(tried.accepted)


# ---- over HTTP


async def knock(world: People, texts: Iterator[str], count: int) -> Tried:
    """Send tokens to a real operation, as a bearer's and as a cookie; what is answered otherwise than 401 was taken."""
    name = session_cookie_name(world.services.settings)
    tried = Tried()
    for text in texts:
        if tried.count >= count:
            break
        if not text.isascii() or not text.isprintable() or text != text.strip():
            continue  # no header carries it
        for headers in ({"Authorization": f"Bearer {text}"}, {"Cookie": f"{name}={text}"}):
            world.client.cookies.clear()
            answer = await world.client.get("/api/me", headers=headers)
            tried.count += 1
            if answer.status_code != 401:
                tried.accepted.append(f"{answer.status_code} {next(iter(headers))}: {text[:300]}")
    return tried


async def tokens_of(world: People, rng: random.Random) -> list[str]:
    """Forgeries from tokens of sessions that stand: each but for its change would be let in.

    A cookie that is percent-encoded is decoded by the framework before anybody reads it: it is the same cookie, and nothing is
    counted, kept or compared by the bytes of the header.
    """
    email, services = world.bar.email("manager"), world.services
    access = (await world.login(email))["access_token"]
    answer = await world.client.post("/api/auth/session", json={"email": email, "password": PASSWORD})
    cookie = answer.cookies[session_cookie_name(services.settings)]
    assert (await world.client.get("/api/me", headers={"Authorization": f"Bearer {access}"})).status_code == 200
    shop = Workshop(
        services.secrets, float(tokens.read(tokens.token_keys(services.secrets), access, tokens.ACCESS).iat)
    )
    texts: list[str] = []
    genuine: tuple[tuple[str, tokens.TokenType], ...] = ((access, tokens.ACCESS), (cookie, tokens.COOKIE))
    for text, kind in genuine:
        own = [*shop.crafted(text, kind).values()]
        changed = [*systematic(Target(kind, [text], _never))]
        rng.shuffle(changed)
        texts += own + changed
    rng.shuffle(texts)
    return [text for text in texts if unquote(text).strip('"') not in (access, cookie)]


async def _never(_text: str) -> bool:
    return False


@pytest.mark.fault("U1")
async def test_no_forged_token_is_answered(world: People, run: FaultRun) -> None:
    tried = await knock(world, iter(await tokens_of(world, run.rng)), run.size(quick=250, long=4_000))
    run.report(requests=tried.count, accepted=len(tried.accepted))
    assert tried.accepted == []


@pytest.mark.control("U1")
async def test_without_the_signature_a_forged_token_is_answered(world: People, run: FaultRun) -> None:
    texts = await tokens_of(world, run.rng)
    with patch.object(tokens.jwt, "decode"):
        tried = await knock(world, iter(texts), 250)
    run.report(requests=tried.count, accepted=len(tried.accepted))
    must_fail(tried.accepted)


# ---- cursors: not signed, so they may say anything, and show nothing that the list would not

VALUES: tuple[Any, ...] = (
    None,
    "",
    "0",
    "1" * 400,
    "1e400",
    "NaN",
    "infinity",
    "\x00",
    "\ud800",
    "'",
    "9" * 30,
    "2026-02-30",
    "-1",
    "²",
    "true",
    [],
    {},
    7,
)
IDS: tuple[Any, ...] = ("", "0", "²", "٣", "9" * 30, "-1", "\x00", "null", "'; select 1 --", None, 7)


def cursors(sort: str, genuine: str | None, ids: list[str], rng: random.Random, count: int) -> list[str]:
    """Cursors that nobody gave out: of other types, other rows and other sorts, and changed ones."""
    made: list[list[Any]] = [[sort, value, one] for value in VALUES for one in (*ids[:2], IDS[0])]
    made += [[sort, value, one] for value in ("2026-01-01T00:00:00Z", "a", "5") for one in IDS]
    made += [[f"-{sort}".replace("--", ""), "a", ids[0]], ["password_hash", "a", ids[0]], [sort], [], [sort] * 9]
    texts = [encode_base64url(msgspec.json.encode(one)) for one in made if "\ud800" not in one]
    texts += [
        encode_base64url(raw) for raw in (b"", b"null", b"{}", b"[", b"\xff\xfe", b"[" * 5000, b'["x","\\ud800","y"]')
    ]
    if genuine:
        changed = list(systematic(Target("cursor", [genuine], _never)))
        rng.shuffle(changed)
        texts += [text for text in changed if text.isascii() and text.isprintable() and text]
    rng.shuffle(texts)
    return texts[:count]


async def page_everything(world: People, rng: random.Random, each: int) -> tuple[int, list[str]]:
    """Tamper with the cursor of every list that an owner may read: how many were sent, and what went wrong."""
    owner = await world.bearer(world.bar.email("owner"))
    others = [
        str(row["id"]) for row in await world.sql("select id from memberships where tenant_id = $1", world.club.id)
    ]
    sent, found = 0, list[str]()
    for op, sort in listings(world):
        whole = await world.client.get(op.path, params={"limit": 200}, headers=owner)
        if whole.status_code != 200:
            continue
        known = {item["id"] for item in whole.json()["items"]}
        first = await world.client.get(op.path, params={"limit": 1}, headers=owner)
        for text in cursors(sort, first.json()["next"], others, rng, each):
            answer = await world.client.get(op.path, params={"limit": 200, "after": text}, headers=owner)
            sent += 1
            if answer.status_code == 200:
                more = {item["id"] for item in answer.json()["items"]} - known
                found += [f"{op.path} after {text}: rows that its list does not hold"] if more else []
            elif not 400 <= answer.status_code < 500:
                found.append(f"{op.path} after {text}: {answer.status_code}")
    return sent, found


def listings(world: People) -> list[tuple[Operation, str]]:
    """Every list of a business at an address without parameters, and the order it has by itself."""
    registry = world.services.registry
    sorts = {listing.query_type: listing.sort for listing in registry.listings.values()}
    found: list[tuple[Operation, str]] = []
    for op in registry.operations:
        query = op.parameter("query")
        if op.kind == "api" and query is not None and query.kind in sorts and not op.path_parameters():
            found.append((op, sorts[query.kind]))
    return found


@pytest.mark.fault("U1")
async def test_a_cursor_that_was_tampered_with_shows_nothing_more(world: People, run: FaultRun) -> None:
    sent, found = await page_everything(world, run.rng, run.size(quick=8, long=120))
    run.report(cursors=sent, wrong=len(found))
    assert found == []
    assert sent >= 50
