"""U8: whatever a request looks like, it counts for who sent it; and it counts for nobody else."""

import asyncio
import dataclasses
import random
import secrets
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from lastlight.modules import MODULES
from lastlight.runtime import limits
from lastlight.runtime.http import request as reading
from lastlight.runtime.http.app import create_app
from lastlight.runtime.limits import Policy
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.people import People, people, visitor

pytestmark = pytest.mark.database

DAY = 86_400
"""A period in which nothing drains while the suite runs, so that the count is exact."""
OPEN = "/api/checkin/keys"
HOME = "198.51.100.40"
PROXY = "10.0.0.9"
WITHIN = 0.01
SPOOFED = (
    "X-Forwarded-For",
    "X-Real-IP",
    "X-Client-IP",
    "CF-Connecting-IP",
    "True-Client-IP",
    "X-Originating-IP",
    "Forwarded",
)


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """Two businesses; the quotas are the suite's own."""
    async with people(database_settings, MODULES) as found:
        yield found
    _made.clear()


@dataclass(slots=True)
class Sent:
    """A request of the attacker's."""

    method: str = "GET"
    path: str = OPEN
    address: str = HOME
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    json: Any = None


Shape = Callable[[int, random.Random], Sent]


def some_address(rng: random.Random) -> str:
    """An address that was made up."""
    return ".".join(str(rng.randrange(1, 255)) for _ in range(4))


def spoofed(_n: int, rng: random.Random) -> Sent:
    return Sent(headers=[(name, some_address(rng)) for name in rng.sample(SPOOFED, 3)])


def behind_the_proxy(_n: int, rng: random.Random) -> Sent:
    """The proxy writes the caller's true address behind what the caller made up: in the same line, or in one of its own."""
    made_up = ", ".join(some_address(rng) for _ in range(rng.randrange(1, 4)))
    lines = [("X-Forwarded-For", made_up), ("X-Forwarded-For", HOME)]
    return Sent(address=PROXY, headers=lines if rng.random() < 0.5 else [("X-Forwarded-For", f"{made_up}, {HOME}")])


def walking(_n: int, rng: random.Random) -> Sent:
    return Sent(address=f"2001:db8:7:7:{rng.getrandbits(16):x}:{rng.getrandbits(16):x}:{rng.getrandbits(16):x}:1")


def mapped(n: int, _rng: random.Random) -> Sent:
    return Sent(address=HOME if n % 2 else f"::ffff:{HOME}")


def respelled(n: int, rng: random.Random) -> Sent:
    path = rng.choice(
        (
            OPEN,
            OPEN + "/",
            OPEN.replace("keys", "%6beys"),
            "//api/checkin/keys",
            OPEN + ";a=1",
            OPEN.upper(),
            OPEN + "?",
        )
    )
    return Sent(path=path, method=rng.choice(("GET", "HEAD", "GET")), headers=[("User-Agent", f"agent {n}")])


def overridden(n: int, rng: random.Random) -> Sent:
    method = rng.choice(("DELETE", "OPTIONS", "HEAD", "TRACE"))
    names = ("X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL")
    return Sent(headers=[(rng.choice(names), method), ("Host", f"host-{n}.example"), ("Cookie", f"ll_session={n}")])


def with_made_up_tokens(n: int, _rng: random.Random) -> Sent:
    return Sent(headers=[("Authorization", f"Bearer made.up.{n}")])


SHAPES: dict[str, Shape] = {
    "made-up addresses": spoofed,
    "behind a proxy": behind_the_proxy,
    "an IPv6 network": walking,
    "IPv4 in IPv6": mapped,
    "other spellings": respelled,
    "overridden methods": overridden,
    "made-up tokens": with_made_up_tokens,
}


def always(value: Any) -> Callable[[Any], Any]:
    """The same whatever the settings say."""
    return lambda _services: value


@contextmanager
def quotas(*, user: int = 10**6, address: int = 10**6, auth: int = 10**6) -> Generator[None]:
    """Quotas that nothing drains from."""
    narrow, wide = Policy("auth", auth, DAY), Policy("auth-address", auth * 10, DAY)
    with (
        patch.object(limits, "user_policy", always(Policy("user", user, DAY))),
        patch.object(limits, "address_policy", always(Policy("address", address, DAY))),
        patch.object(limits, "auth_policies", always((narrow, wide))),
    ):
        yield


_made: list[tuple[Services, Any]] = []
"""Applications that remember nothing of each other, as processes do; made once, since that takes long."""


def apart(world: People, processes: int, *, proxies: tuple[str, ...] = ()) -> list[Any]:
    """So many of them, each with nothing in its memory."""
    settings = dataclasses.replace(world.services.settings, web_processes=processes, trusted_proxies=proxies)
    while len(_made) < processes:
        services = dataclasses.replace(world.services, memory={})
        _made.append((services, create_app(services)))
    for services, _ in _made:
        services.settings = settings
        services.memory.clear()
    return [app for _, app in _made[:processes]]


async def answered(apps: list[Any], sends: list[Sent], rng: random.Random, *, at_once: int = 25) -> list[int]:
    """Send all of it, so many at once and to any of the processes; the statuses."""
    statuses: list[int] = []

    async def one(sent: Sent) -> None:
        async with visitor(rng.choice(apps), address=sent.address) as client:
            answer = await client.request(sent.method, sent.path, headers=sent.headers, json=sent.json)
            statuses.append(answer.status_code)

    for start in range(0, len(sends), at_once):
        await asyncio.gather(*(one(sent) for sent in sends[start : start + at_once]))
    return statuses


async def evaded(world: People, name: str, quota: int, processes: int, rng: random.Random) -> tuple[int, str]:
    """Send twice the quota in one shape: how many got through, and what is wrong about that."""
    await world.sql("delete from rate_limits")
    proxies = ("10.0.0.0/8",) if name == "behind a proxy" else ()
    sends = [SHAPES[name](n, rng) for n in range(2 * quota + 20)]
    with quotas(address=quota):
        statuses = await answered(apart(world, processes, proxies=proxies), sends, rng)
    through = sum(status < 300 or status == 401 for status in statuses)
    off = abs(through - quota) > max(1, quota * WITHIN)
    return through, f"{name}, {processes} processes: {through} of {quota}" if off and (
        through > quota or 404 not in statuses
    ) else ""


@pytest.mark.fault("U8")
async def test_no_shape_of_a_request_gets_more_than_the_limit(world: People, run: FaultRun) -> None:
    quota, rng = run.size(quick=40, long=600), run.rng
    processes = (1, 2, 4) if run.long else (1, 2)
    through, found = 0, list[str]()
    for name in SHAPES:
        for number in processes if run.long else (rng.choice(processes),):
            passed, wrong = await evaded(world, name, quota, number, rng)
            through += passed
            found += [wrong] if wrong else []
    run.report(shapes=len(SHAPES), quota=quota, admitted=through, wrong=len(found))
    assert found == []


def believing(scope: Any, headers: Any, _trusted: Any) -> str:
    """An address that anybody may choose."""
    return str(headers.get("x-forwarded-for") or (scope.get("client") or ("",))[0])


def first_line(headers: Any, name: str) -> str:
    """One line of a header, the caller's own."""
    return str(headers.get(name, ""))


def itself(address: str) -> str:
    """Every address for itself."""
    return address


GUARDS = {
    "made-up addresses": lambda: patch.object(reading, "client_address", believing),
    "behind a proxy": lambda: patch.object(reading, "_every", first_line),
    "an IPv6 network": lambda: patch.object(limits, "network_of", itself),
    "IPv4 in IPv6": lambda: patch.object(limits, "network_of", itself),
}


@pytest.mark.control("U8")
@pytest.mark.parametrize("name", GUARDS)
async def test_a_guard_that_is_off_lets_more_through(world: People, run: FaultRun, name: str) -> None:
    with GUARDS[name]():
        through, found = await evaded(world, name, 40, 1, run.rng)
    run.report(admitted=through, quota=40)
    must_fail(found)


# ---- guesses of passwords, by one who changes the spelling of the account and of themselves


def spelled(email: str, rng: random.Random) -> str:
    """The same account in other letters."""
    return rng.choice((email, email.upper(), f"  {email} ", email.replace("é", "e\u0301"), f"\t{email.title()}\n"))


async def guesses(world: People, quota: int, rng: random.Random) -> int:
    """How many guesses at one account from one network are compared with its password."""
    email = f"zoé-{secrets.token_hex(4)}@people.example"
    somebody = await world.newcomer(world.bar, role="staff")
    await world.sql("update users set email = $2 where id = $1", somebody.user_id, email)
    await world.sql("delete from rate_limits")
    sends = [
        Sent(
            "POST",
            "/api/auth/login",
            address=f"2001:db8:9:9::{n + 1:x}",
            json={"email": spelled(email, rng), "password": "wrong"},
        )
        for n in range(3 * quota)
    ]
    with quotas(auth=quota):
        statuses = await answered(apart(world, 2), sends, rng, at_once=10)
    assert set(statuses) <= {401, 429}, set(statuses)
    return statuses.count(401)


@pytest.mark.fault("U8")
async def test_guesses_are_counted_whatever_the_account_is_written_like(world: People, run: FaultRun) -> None:
    quota = run.size(quick=8, long=100)
    compared = await guesses(world, quota, run.rng)
    run.report(guesses=3 * quota, compared=compared, quota=quota)
    assert compared == quota


@pytest.mark.control("U8")
async def test_counting_by_what_was_typed_lets_more_through(world: People, run: FaultRun) -> None:
    with patch.object(limits, "plain_email", itself):
        compared = await guesses(world, 8, run.rng)
    run.report(compared=compared, quota=8)
    must_fail(compared > 8)


# ---- a venue behind one router


async def venue_behind_a_router(world: People, people_there: int, quota: int, rng: random.Random) -> list[str]:
    """Everybody at a venue shares an address that a stranger floods: what went wrong for those who are signed in."""
    bearers = [await world.bearer((await world.newcomer(world.bar)).email) for _ in range(people_there)]
    await world.sql("delete from rate_limits")
    flood = [Sent() for _ in range(quota * 3)]
    with quotas(user=quota, address=quota):
        apps = apart(world, 2)
        refused = (await answered(apps, flood, rng)).count(429)
        sends = [Sent(path="/api/me", headers=[*bearer.items()]) for _ in range(quota) for bearer in bearers]
        statuses = await answered(apps, sends, rng)
        over = [Sent(path="/api/me", headers=[*bearers[0].items()], address=some_address(rng)) for _ in range(quota)]
        more = await answered(apps, over, rng)
    found = [] if refused >= quota else ["the flood was not limited"]
    allowed = statuses.count(200)
    if allowed < len(sends) * (1 - WITHIN) - people_there:
        found.append(f"{len(sends) - allowed} requests of signed-in people were refused for what others did")
    if more.count(200) > max(1, quota * WITHIN):
        found.append("one person got more by calling from other addresses")
    return found


@pytest.mark.fault("U8")
async def test_a_venue_behind_one_router_is_not_locked_out(world: People, run: FaultRun) -> None:
    there, quota = run.size(quick=4, long=60), run.size(quick=20, long=100)
    found = await venue_behind_a_router(world, there, quota, run.rng)
    run.report(people=there, quota=quota, wrong=len(found))
    assert found == []


@pytest.mark.control("U8")
async def test_counting_people_by_their_address_locks_the_venue_out(world: People, run: FaultRun) -> None:
    real = limits.count

    async def by_address(services: Services, op: Any, actor: Any, **more: Any) -> Any:
        return await real(services, op, unnamed(actor), **more)

    with patch.object(limits, "count", by_address):
        found = await venue_behind_a_router(world, 3, 15, run.rng)
    run.report(wrong=len(found))
    must_fail(found)


def unnamed(actor: Any) -> Any:
    """The same caller, known by the address alone."""
    return msgspec.structs.replace(actor, user_id=None)
