"""X2: bombs, documents and heads beyond bounds, two requests in one, slow clients by the hundred: refused, and others are served."""

import asyncio
from collections.abc import AsyncGenerator, Generator

import pytest

from lastlight.modules import MODULES
from lastlight.runtime import patience
from lastlight.runtime.http import decode, request
from lastlight.runtime.http.app import create_app
from lastlight.runtime.settings import Settings
from tests.contracts.probes import said
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.live_server import LiveServer, running_platform
from tests.support.postgres import PostgresServer, database
from tests.support.services import opened_services
from tests.support.slow_clients import BODY, FRAMES, HEAD, POLLING, UNREAD, WELL, Crowd, kept_after, pipelined
from tests.support.sockets import listening
from tests.support.wire import MIB, Fallout, Shot, bombard, bombs, documents, heads, oddities, smuggled, watched

pytestmark = [pytest.mark.database, pytest.mark.processes]

MOST_MEMORY = 160 * MIB
"""Above what the web process took before: no bomb is unpacked and no body kept beyond its bound."""
MOST_WORK = 0.5
"""Seconds of a core that one attack costs at the most, on the average: what others wait is counted in them."""


@pytest.fixture(scope="module")
def server(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveServer]:
    """A web process of its own, whose memory is measured."""
    with (
        database(postgres_server, name="wire") as dsn,
        running_platform(dsn, tmp_path_factory.mktemp("wire"), worker=False) as found,
    ):
        yield found


@pytest.fixture(scope="module")
async def port_here(database_settings: Settings) -> AsyncGenerator[int]:
    """The application in this very process, where guards can be taken off."""
    async with (
        opened_services(database_settings, MODULES) as services,
        listening(services, create_app(services)) as port,
    ):
        yield port


def port_of(server: LiveServer) -> int:
    """Its port."""
    return int(server.base_url.rsplit(":", 1)[1])


def token_of(server: LiveServer) -> str:
    """An access token of an owner's."""
    client = server.client(server.person("owner"))
    client.close()
    return str(client.headers["Authorization"]).removeprefix("Bearer ")


def unharmed(fallout: Fallout, run: FaultRun) -> None:
    """Print the figures; refuse what went wrong."""
    run.report(shots=fallout.shots, others_served=fallout.served, slowest_ms=fallout.slowest * 1_000)
    run.report(memory_mib=fallout.grown / MIB, cpu_s=fallout.worked, faults=len(fallout.faults))
    assert not fallout.faults, said(fallout.faults)
    assert fallout.grown < MOST_MEMORY, "memory grew beyond its bound"
    assert fallout.worked < MOST_WORK * fallout.shots, "an attack keeps a core busy"
    assert fallout.served > 0, "nobody else asked meanwhile"


@pytest.mark.fault("X2")
@pytest.mark.parametrize("kind", ["bombs", "documents", "heads", "smuggled"])
async def test_what_no_browser_sends_is_refused_and_others_are_served(
    server: LiveServer, run: FaultRun, kind: str
) -> None:
    shots = {
        "documents": documents,
        "heads": lambda: heads() + oddities(),
        "smuggled": smuggled,
        "bombs": lambda: bombs(token),
    }
    token = await asyncio.to_thread(token_of, server)
    fallout = Fallout()
    sent = await asyncio.to_thread(shots[kind])
    async with watched(port_of(server), server.web.process.pid, fallout):
        await bombard(port_of(server), sent * run.size(quick=1, long=20), fallout)
    unharmed(fallout, run)


@pytest.mark.fault("X2")
@pytest.mark.parametrize("kind", ["heads", "bodies", "readers"])
async def test_hundreds_of_slow_clients_hold_nobody_up(server: LiveServer, run: FaultRun, kind: str) -> None:
    fallout, crowd, port = Fallout(), Crowd(), port_of(server)
    sent = {"heads": HEAD, "bodies": BODY, "readers": UNREAD}[kind]
    seconds = {"heads": 26, "bodies": 126, "readers": 10}[kind]
    async with watched(port, server.web.process.pid, fallout):
        await crowd.grow(port, run.size(quick=20 if kind == "readers" else 120, long=700), sent)
        fallout.shots = len(crowd.pairs)
        given_up = await crowd.trickle(seconds=run.size(quick=1, long=seconds)) if kind != "readers" else 0
        await asyncio.sleep(1 if kind == "readers" else 0)
    held = crowd.held()
    await crowd.leave()
    run.report(given_up=given_up, held=held)
    if run.long and kind != "readers":
        assert held == 0, "who never comes to an end is given up"
    unharmed(fallout, run)


@pytest.mark.fault("X2")
async def test_pipelines_frames_and_polls_beyond_bounds(server: LiveServer, run: FaultRun) -> None:
    fallout, port, many = Fallout(), port_of(server), run.size(quick=300, long=5_000)
    async with watched(port, server.web.process.pid, fallout):
        answered = await pipelined(port, many)
        kept = await asyncio.gather(*[kept_after(port, sent) for _, sent in FRAMES])
        await bombard(port, [Shot("a poll of three megabytes", POLLING, WELL)] * run.size(quick=2, long=50), fallout)
    fallout.shots += len(FRAMES)
    fallout.faults += [f"a socket is kept after {name}" for (name, _), still in zip(FRAMES, kept, strict=True) if still]
    run.report(pipelined=many, answered=answered)
    assert answered == many
    unharmed(fallout, run)


@pytest.mark.control("X2")
async def test_bounds_that_are_taken_off_are_missed(
    port_here: int, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads of any size, bodies of any size, depth of any kind: each is then answered as it must not be."""
    monkeypatch.setattr(patience, "HEAD_BYTES", 10**9)
    monkeypatch.setattr(decode, "MAX_DEPTH", 10**9)
    monkeypatch.setattr(request, "require_json", lambda _headers: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType] takes anything
    fallout = Fallout()
    beyond = [shot for shot in heads() if shot.name == "head beyond its bound"]
    await bombard(port_here, beyond, fallout)
    run.report(shots=fallout.shots, faults=len(fallout.faults))
    must_fail(fallout.faults)
