"""Rate limits: exact in one process, even over several, forgiving to whoever succeeds."""

import asyncio
import dataclasses
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from lastlight.kernel.errors import TooManyRequests
from lastlight.runtime import limits
from lastlight.runtime.context import Actor
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.limits import Policy
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.postgres import REPOSITORY, SECRET_KEY
from tests.support.services import administer, opened_services

pytestmark = pytest.mark.database
SLOW = Policy("slow", 5, 3600)


@dataclass
class Op:
    limit: str = "user"


@pytest.fixture
async def services(database_settings: Settings) -> AsyncIterator[Services]:
    async with opened_services(database_settings) as opened:
        yield opened


async def test_allows_the_quota_then_refuses_until_there_is_room(services: Services) -> None:
    key = str(uuid4())
    decisions = [await limits.check(services, policy=SLOW, key=key) for _ in range(7)]
    assert [d.allowed for d in decisions] == [True] * 5 + [False] * 2
    assert [d.remaining for d in decisions] == [4, 3, 2, 1, 0, 0, 0]
    assert decisions[0].headers() == {"RateLimit-Policy": '"slow";q=5;w=3600', "RateLimit": '"slow";r=4;t=720'}
    assert 660 < int(decisions[5].headers()["Retry-After"]) <= 720, "what has passed since the first is taken off"
    assert (await limits.check(services, policy=SLOW, key=str(uuid4()))).remaining == 4


async def test_refills_evenly(services: Services) -> None:
    policy, key = Policy("even", 10, 1000), str(uuid4())
    assert [(await limits.check(services, policy=policy, key=key)).allowed for _ in range(10)] == [True] * 10
    denied = await limits.check(services, policy=policy, key=key)
    assert not denied.allowed
    assert 0 < denied.reset_seconds <= 100
    await pass_time(services, "even", seconds=520)
    again = [(await limits.check(services, policy=policy, key=key, cost=5)).allowed for _ in range(2)]
    assert again == [True, False]


async def pass_time(services: Services, policy: str, *, seconds: float) -> None:
    """Let the buckets of a policy drain as they would in that time, and this process forget its denials."""
    sql = "update rate_limits set empty_at = empty_at - make_interval(secs => $1) where key like $2"
    await administer(services.settings, sql, seconds, f"{policy}:%")
    services.memory.clear()


async def test_concurrent_requests_never_get_more_than_the_quota(services: Services) -> None:
    key = str(uuid4())
    policy = Policy("race", 50, 86_400)
    decisions = await asyncio.gather(*(limits.check(services, policy=policy, key=key) for _ in range(200)))
    assert sum(d.allowed for d in decisions) == 50
    leased = await asyncio.gather(
        *(limits.count_leased(services, Policy("race", 400, 86_400), key) for _ in range(600))
    )
    assert sum(d.allowed for d in leased) == 400 - 50 * 8


async def test_costs_are_all_or_nothing(services: Services) -> None:
    key = str(uuid4())
    assert (await limits.check(services, policy=SLOW, key=key, cost=3)).allowed
    assert not (await limits.check(services, policy=SLOW, key=key, cost=3)).allowed
    services.memory.clear()
    assert (await limits.check(services, policy=SLOW, key=key, cost=2)).remaining == 0


def few(settings: Settings, failures: int) -> Settings:
    """So few that none drains while a busy machine runs the test."""
    return dataclasses.replace(settings, auth_failures_per_quarter_hour=failures)


async def test_a_success_gives_back_and_a_failure_does_not(database_settings: Settings) -> None:
    async with opened_services(few(database_settings, 10)) as services:
        quota = services.settings.auth_failures_per_quarter_hour
        op, victim = Op("auth"), {"data": {"email": f"{uuid4()}@example.org"}}
        home, thief = Actor(ip="192.0.2.1"), Actor(ip="198.51.100.7")
        for _ in range(quota + 20):
            await limits.count(services, op, home, arguments=victim)
            async with system_ctx(services) as ctx:
                limits.forgive(ctx)
        for _ in range(quota):
            await limits.count(services, op, thief, arguments=victim)
        with pytest.raises(TooManyRequests) as refused:
            await limits.count(services, op, thief, arguments=victim)
        assert 1 <= int(refused.value.headers["Retry-After"]) <= math.ceil(900 / quota)
        assert await limits.count(services, op, home, arguments=victim), "the victim is not locked out"
        other = {"data": {"email": f"{uuid4()}@example.org"}}
        assert await limits.count(services, op, thief, arguments=other), "nor are others behind that address"


async def test_a_success_that_is_tried_again_gives_back(database_settings: Settings) -> None:
    """After a deadlock the whole transaction runs again: what its first try said is not lost with it, nor said twice."""
    async with opened_services(few(database_settings, 10)) as services:
        victim, home = {"data": {"email": f"{uuid4()}@example.org"}}, Actor(ip="192.0.2.77")
        left = [await limits.count(services, Op("auth"), home, arguments=victim)]
        with suppress(asyncpg.DeadlockDetectedError):
            async with system_ctx(services) as ctx:
                limits.forgive(ctx)
                raise asyncpg.DeadlockDetectedError
        async with system_ctx(services) as ctx:
            limits.forgive(ctx)
            limits.forgive(ctx)
        left += [await limits.count(services, Op("auth"), home, arguments=victim) for _ in range(2)]
        assert [remaining(headers) for headers in left] == [9, 9, 8]


def remaining(headers: dict[str, str]) -> int:
    """What an answer says that is left."""
    return int(headers["RateLimit"].partition("r=")[2].partition(";")[0])


async def test_a_denial_of_much_does_not_deny_little(services: Services) -> None:
    key = str(uuid4())
    asked = (3, 4, 1, 2, 1, 1)
    found = [(await limits.check(services, policy=SLOW, key=key, cost=cost)).allowed for cost in asked]
    assert found == [True, False, True, False, True, False]


async def test_spraying_many_accounts_from_one_address_ends(database_settings: Settings) -> None:
    async with opened_services(few(database_settings, 2)) as services:
        quota = services.settings.auth_failures_per_quarter_hour * 10
        sprayer, allowed = Actor(ip="203.0.113.9"), 0
        for number in range(quota):
            arguments = {"data": {"email": f"{number}@example.org"}}
            allowed += bool(await limits.count(services, Op("auth"), sprayer, arguments=arguments))
        assert allowed == quota
        with pytest.raises(TooManyRequests):
            await limits.count(services, Op("auth"), sprayer, arguments={"data": {"email": "next@example.org"}})


async def test_the_table_holds_no_address_and_forgets_idle_keys(services: Services) -> None:
    await limits.count(
        services, Op("auth"), Actor(ip="192.0.2.77"), arguments={"data": {"email": "canary@example.org"}}
    )
    rows = await administer(services.settings, "select key from rate_limits")
    assert rows
    assert not [r["key"] for r in rows if "canary" in r["key"] or "192.0.2.77" in r["key"]]
    quick = Policy("gone", 1000, 1)
    await limits.check(services, policy=quick, key="a")
    await asyncio.sleep(0.01)
    assert await limits.forget_idle(services) >= 1
    left = await administer(services.settings, "select key from rate_limits where key like 'gone:%'")
    assert left == []


@pytest.mark.processes
@pytest.mark.parametrize("processes", [1, 2, 4])
def test_several_processes_together_stay_within_one_percent(fresh_database: Settings, processes: int) -> None:
    arguments = {
        "database_url": fresh_database.database_url,
        "secret_key": SECRET_KEY,
        "processes": processes,
        "attempts": {1: 1000, 2: 500, 4: 180}[processes],  # whoever comes last finds what the others could not ask for
    }
    command = [sys.executable, "-m", "tests.runtime.limits.counting", msgspec.json.encode(arguments).decode()]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{REPOSITORY}/src:{REPOSITORY}"}
    started = [
        subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(processes)
    ]
    for process in started:  # all of them begin together, once the last has started
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    allowed = [int(process.communicate(timeout=100)[0]) for process in started]
    assert 594 <= sum(allowed) <= 606, allowed
    assert all(allowed)


async def test_made_up_refresh_tokens_are_bounded_by_their_address(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a key of its own, and would otherwise make rows for as long as somebody invents them."""

    def few_of(_services: Services) -> Policy:
        return Policy("few", 4, 3600)

    monkeypatch.setattr(limits, "address_policy", few_of)
    stranger, op = Actor(ip=f"198.51.100.{uuid4()}"), Op("refresh")

    async def call() -> None:
        await limits.count(services, op, stranger, arguments={"data": {"refresh_token": f"llr_{uuid4()}"}})

    for _ in range(4):
        await call()
    with pytest.raises(TooManyRequests):
        await call()
