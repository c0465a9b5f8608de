"""The simulator's client against a platform that is busy, away, or says no; and a slow night that outlives an outage."""

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision.claims import claimed_folder
from lastlight.simulator import cli
from lastlight.simulator import client as client_module
from lastlight.simulator.client import ATTEMPTS, Account, Api, ApiRefused, UnreachableError, new_key
from lastlight.simulator.night import Night, Place, Tally, slow_night
from tests.support.programs import unused_port

Answer = Callable[[httpx.Request], httpx.Response]
TOKENS = {"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 900}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which take no time here."""
    found: list[float] = []

    async def pause(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(client_module.asyncio, "sleep", pause)
    return found


class Platform:
    """Answers in turn, the last one for ever, and what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@asynccontextmanager
async def opened(answer: Answer) -> AsyncGenerator[Api]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://night.test") as http:
        yield Api(http)


async def call(platform: Platform, account: Account | None = None, key: UUID | None = None) -> tuple[Any, Api]:
    async with opened(platform) as api:
        return await api.call(account, "POST", "/api/checkout", {}, key=key), api


async def test_a_busy_platform_is_asked_again_when_it_says_with_the_same_key(waits: list[float]) -> None:
    busy = httpx.Response(429, headers={"Retry-After": "7"})
    platform, key = Platform(busy, httpx.Response(503), httpx.Response(200, json={"id": 1})), new_key()
    answer, api = await call(platform, key=key)
    assert answer == {"id": 1}
    assert waits[0] == 7.0
    assert 0 < waits[1] < 5
    assert {request.headers["Idempotency-Key"] for request in platform.asked} == {str(key)}
    assert (api.sent, api.retried) == (3, 2)


async def test_a_platform_that_never_answers_is_given_up(waits: list[float]) -> None:
    platform = Platform(httpx.ConnectError("refused"))
    with pytest.raises(UnreachableError, match="does not answer"):
        await call(platform)
    assert len(platform.asked) == len(waits) == ATTEMPTS


async def test_a_night_is_played_on_the_platform_that_runs(waits: list[float], tmp_path: Path) -> None:
    manager = {"role": "manager", "tenant": "lamp", "email": "ada@lamp.example", "password": "a lamp over the bar"}
    told = {"base_url": f"http://127.0.0.1:{unused_port()}", "sign_ins": [manager]}
    (tmp_path / "demo.json").write_text(json.dumps(told))
    settings, here = Settings.load({}, var_dir=tmp_path), f"http://127.0.0.1:{unused_port()}"
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    with claimed_folder(replace(settings, base_url=here)), pytest.raises(StartError, match=f"{here} does not answer"):
        await cli.run(settings, parser.parse_args([]))
    assert len(waits) == ATTEMPTS


def test_the_progress_says_when_the_first_guest_comes() -> None:
    tally = Tally(minute=25.9, planned=30, first=50.2)
    assert cli.progress(tally) == "00:25  the first of 30 guests comes at 00:50"
    tally.minute, tally.arrived, tally.inside = 65, 2, 2
    tally.refused["code-forged"] += 1
    tally.turned_away = 1
    assert cli.progress(tally) == "01:05  came 3/30  inside 2  left 0  refused 1  wrong 0"
    assert cli.progress(Tally(minute=3)) == "00:03  came 0  inside 0  left 0  refused 0  wrong 0", "a slow night"


async def test_a_refusal_is_told_by_its_name_and_not_repeated(waits: list[float]) -> None:
    problem = {"type": "https://lastlight.dev/problems/code-forged", "detail": "Scan another."}
    platform = Platform(httpx.Response(422, json=problem))
    with pytest.raises(ApiRefused) as refused:
        await call(platform)
    assert (refused.value.status, refused.value.problem, refused.value.detail) == (422, "code-forged", "Scan another.")
    assert refused.value.told == problem
    assert (len(platform.asked), waits) == (1, [])


async def test_an_ended_token_is_refreshed_once(waits: list[float]) -> None:
    account = Account("a@b.test", "secret", "bar", access="old", refresh="old-refresh")
    fresh = httpx.Response(200, json=TOKENS)
    platform = Platform(httpx.Response(401, json={}), fresh, httpx.Response(204))
    answer, _ = await call(platform, account)
    assert answer is None
    assert [request.url.path for request in platform.asked] == ["/api/checkout", "/api/auth/refresh", "/api/checkout"]
    assert [platform.asked[n].headers.get("Authorization") for n in (0, 2)] == ["Bearer old", "Bearer a"]
    assert waits == []


async def test_a_slow_night_goes_on_after_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guests come, the platform goes away and comes back, guests come again."""
    monkeypatch.setattr(client_module, "ATTEMPTS", 1)
    state, stop, seen = {"away": False}, asyncio.Event(), list[str]()
    screen = {
        "code": "c",
        "is_open": True,
        "status": "active",
        "now": "2026-11-21T20:00:00Z",
        "refresh_at": "2026-11-21T20:00:20Z",
    }

    def platform(request: httpx.Request) -> httpx.Response:
        if state["away"]:
            raise httpx.ConnectError("refused")
        if request.url.path.endswith("/code"):
            return httpx.Response(200, json=screen)
        if request.url.path == "/api/checkin/verify":
            return httpx.Response(201, json={"checkin": {"id": "1"}})
        return httpx.Response(200, json=TOKENS)

    async with opened(platform) as api:
        night = Night(api, Account("m@b.test", "x", "bar"), "bar", [Place("v", "Main", None, None)], 7, 1e6)

        def report(tally: Any) -> None:
            seen.append("away" if tally.unexpected else "come")
            state["away"] = len(seen) == 1
            if tally.unexpected and tally.arrived >= 2:
                stop.set()

        async with asyncio.timeout(60):
            await slow_night(night, guests=6, stop=stop, report=report)
    assert seen[0] == "come"
    assert "away" in seen
    assert night.tally.arrived >= 2
