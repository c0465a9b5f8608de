"""The real platform, `lastlight serve` with two web processes: from a guest's scan to npm's client, through every kill -9.

RTM-01, RTM-02: who may read hears, nobody else does; nothing is lost while processes die, and a client resumes by itself.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from lastlight.kernel.ids import VenueId
from lastlight.modules import MODULES
from lastlight.runtime.realtime.server import RealtimeServer
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.support.door import Guest, House, new_house
from tests.support.postgres import REPOSITORY, SECRET_KEY
from tests.support.programs import unused_port
from tests.support.services import opened_services
from tests.support.sockets import NodeClient, Person, Site, node_client, sign_in, until

pytestmark = [pytest.mark.database, pytest.mark.processes]

READ = "checkins.read"


@dataclass(frozen=True, slots=True)
class Night:
    """The running tree, a house in it, and its guests by the sessions they call with."""

    supervisor: psutil.Process
    site: Site
    house: House
    http: httpx.AsyncClient

    @property
    def services(self) -> Services:
        """This test's own services on the same database."""
        return self.house.services

    def running(self, command: str) -> list[psutil.Process]:
        """The living children that run a command."""
        return [process for process in self.supervisor.children() if last_word(process) == command]

    async def member(self, *, house: House | None = None, venues: list[VenueId] | None = None) -> Person:
        """Somebody who may read check-ins, everywhere or at some venues."""
        return await sign_in(self.services, (house or self.house).tenant_id, [READ], venue_ids=venues)

    async def scan(self, guest: Guest, *, house: House | None = None, venue: Any = None) -> dict[str, Any]:
        """A guest's check-in through the public API; repeated under its key while a process is away, as the app does."""
        where = house or self.house
        person = await session_of(self.services, where, guest)
        headers = {"Authorization": f"Bearer {person.token(self.services)}", "Idempotency-Key": str(uuid4())}
        body = {"code": await where.code(venue=venue)}
        for _ in range(200):
            try:
                answer = await self.http.post("/api/checkin/verify", json=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            if answer.status_code < 500:
                assert answer.status_code == 201, answer.text
                return answer.json()
            await asyncio.sleep(0.1)
        raise AssertionError("the check-in was never answered")


def last_word(process: psutil.Process) -> str:
    """The command that a child runs; empty for one that has ended."""
    try:
        return "".join(process.cmdline()[-1:])
    except psutil.Error:
        return ""


async def session_of(services: Services, house: House, guest: Guest) -> Person:
    """A session of a guest of the house."""
    session_id = await services.pools.system.fetchval(
        "insert into sessions (user_id, tenant_id, kind, patron_id, expires_at)"
        " values ($1, $2, 'patron', $3, now() + interval '1 day') returning id",
        guest.user_id,
        house.tenant_id,
        guest.patron_id,
    )
    return Person(guest.user_id, session_id, house.tenant_id, "patron", guest.patron_id)


@contextmanager
def tree(settings: Settings, port: int) -> Generator[subprocess.Popen[bytes]]:
    """`lastlight serve` on the test's database, ended by Ctrl-C with nothing left of it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("LASTLIGHT_")} | {
        "LASTLIGHT_DATABASE_URL": settings.database_url,
        "LASTLIGHT_SECRET_KEY": SECRET_KEY,
        "LASTLIGHT_VAR_DIR": str(settings.var_dir),
        "LASTLIGHT_PORT": str(port),
        "LASTLIGHT_WEB_PROCESSES": "2",
        "LASTLIGHT_DB_POOL_SIZE": "4",
        "PYTHONPATH": f"{REPOSITORY}/src",
    }
    log = settings.var_dir.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "lastlight", "serve"], env=env, cwd=REPOSITORY, stdout=out, stderr=out
        )
    try:
        yield process
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, Path(log).read_text()[-2000:]
        assert psutil.wait_procs(below, timeout=30)[1] == []
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
async def night(database_settings: Settings) -> AsyncGenerator[Night]:
    port = unused_port()
    url = f"http://127.0.0.1:{port}"
    with tree(database_settings, port) as process:
        async with opened_services(database_settings, MODULES) as services, httpx.AsyncClient(base_url=url) as http:
            house = await new_house(services)
            running: Any = None
            realtime: RealtimeServer = running  # it lives in the processes, out of reach
            opened = Night(psutil.Process(process.pid), Site(url, port, realtime), house, http)
            await ready(opened)
            yield opened


async def ready(night: Night) -> None:
    """Until the platform answers."""
    for _ in range(600):
        try:
            if (await night.http.get("/ready", timeout=10)).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError("the platform is not ready")


def arrivals(client: NodeClient) -> list[str]:
    """The check-ins that a client heard of."""
    return [event["data"]["checkin_id"] for event in client.said("checkin.verified")]


async def test_a_scan_is_heard_by_who_may_read_it_in_every_process_and_by_nobody_else(night: Night) -> None:
    there = await night.house.add_venue()
    other = await new_house(night.services)
    people = {
        "owner": await night.member(),
        "here": await night.member(venues=[night.house.venue.id]),
        "there": await night.member(venues=[there.id]),
        "stranger": await night.member(house=other),
        "powerless": await sign_in(night.services, night.house.tenant_id, ["venues.read"]),
    }
    transports = (["websocket"], ["polling"], ["polling", "websocket"])
    clients: dict[tuple[str, int], NodeClient] = {}
    async with AsyncExitStack() as stack:
        for who, person in people.items():
            for number, transport in enumerate(transports if who in {"owner", "here"} else transports[:1]):
                token = person.token(night.services)
                client = node_client(night.site, auth={"token": token}, transports=transport)
                clients[who, number] = await stack.enter_async_context(client)
        await until(lambda: all(client.said("system.hello") for client in clients.values()), seconds=60)
        made = [(await night.scan(await night.house.add_guest()))["checkin"]["id"] for _ in range(3)]
        made.append((await night.scan(await night.house.add_guest(), venue=there))["checkin"]["id"])
        elsewhere = (await night.scan(await other.add_guest(), house=other))["checkin"]["id"]
        expected = {"owner": made, "here": made[:3], "there": made[3:], "stranger": [elsewhere], "powerless": []}
        await until(lambda: all(len(arrivals(c)) >= len(expected[who]) for (who, _), c in clients.items()), seconds=60)
        await asyncio.sleep(0.3)
        assert {key: arrivals(client) for key, client in clients.items()} == {key: expected[key[0]] for key in clients}
        envelope = clients["owner", 0].said("checkin.verified")[0]
    assert set(envelope) == {"id", "seq", "name", "at", "tenant_id", "venue_id", "data"}
    assert envelope["venue_id"] == str(night.house.venue.id)


@pytest.mark.parametrize("command", ["web", "worker"])
async def test_nothing_is_lost_when_a_process_is_killed_between_scans(night: Night, command: str) -> None:
    person = await night.member()
    token = person.token(night.services)
    async with (
        node_client(night.site, auth={"token": token}, transports=["websocket"]) as direct,
        node_client(night.site, auth={"token": token}, transports=["polling"]) as polling,
    ):
        clients = (direct, polling)
        await until(lambda: all(client.said("system.hello") for client in clients), seconds=60)
        made: list[str] = []
        for number in range(12):
            if number in {3, 7}:
                await until(lambda: bool(night.running(command)), seconds=60)
                night.running(command)[0].kill()
            made.append((await night.scan(await night.house.add_guest()))["checkin"]["id"])
        await until(lambda: all(len(arrivals(client)) >= len(made) for client in clients), seconds=60)
        await asyncio.sleep(0.3)
        for client in clients:
            assert sorted(arrivals(client)) == sorted(made)
            numbers = [event["seq"] for event in client.said("checkin.verified")]
            assert numbers == sorted(set(numbers)), "in order, each once"
        await until(lambda: [len(night.running(what)) for what in ("web", "worker")] == [2, 1], seconds=60)


async def test_how_long_a_scan_takes_to_the_screen(
    night: Night, database_settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the answer to the scan (its commit) to the manager's client, against the relay's look by itself."""
    person = await night.member()
    guests = [await night.house.add_guest() for _ in range(30)]
    delays: list[float] = []
    async with node_client(
        night.site, auth={"token": person.token(night.services)}, transports=["websocket"]
    ) as client:
        await until(lambda: bool(client.said("system.hello")), seconds=60)
        for guest in guests:
            await night.scan(guest)
            answered, heard = time.perf_counter(), len(delays) + 1
            while len(client.said("checkin.verified")) < heard:
                assert time.perf_counter() - answered < 30
                await asyncio.sleep(0.001)
            delays.append(time.perf_counter() - answered)
    cuts = statistics.quantiles(delays, n=100)
    interval = database_settings.relay_interval_ms / 1000
    with capsys.disabled():
        sys.stdout.write(
            f"\nscan to screen: p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, "
            f"{cuts[49] / interval:.2f} and {cuts[98] / interval:.2f} of the relay's interval\n"
        )
    assert len(delays) == 30
