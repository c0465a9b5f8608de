"""The drills of an emergency and of sockets that fail: they pass, leave only their evidence, and fail when what they prove is broken."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncGenerator
from typing import Any
from uuid import uuid4

import pytest

from lastlight.domains.safety import drills as safety_drills
from lastlight.domains.safety.drills import incident_response
from lastlight.modules import MODULES
from lastlight.runtime.db.migrate import migrations_folder
from lastlight.runtime.drills.run import DrillReport, run_drill
from lastlight.runtime.events import drills as stream_drills
from lastlight.runtime.events.drills import realtime_down
from lastlight.runtime.events.relay import LOCK
from lastlight.runtime.settings import Settings
from tests.support.door import House, new_house
from tests.support.services import opened_services
from tests.support.streams import relaying

TRACES = ("sos_calls", "incidents", "safety_log", "outgoing_mail", "staged_actions")


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    settings = dataclasses.replace(database_settings, base_url="http://127.0.0.1:9")  # where nobody listens
    async with opened_services(settings, MODULES) as services:
        yield await new_house(services)


async def hire(house: House, name: str) -> None:
    """Somebody who hears calls for help at every venue of the house."""
    await house.sql(
        """with person as (insert into users (email, name) values ($2, $3) returning id),
                role as (insert into roles (tenant_id, key, name, permissions)
                         values ($1, $4, $4, array['safety.read', 'safety.respond']) returning id)
           insert into memberships (tenant_id, user_id, role_id) select $1, person.id, role.id from person, role""",
        house.tenant_id,
        f"{uuid4().hex}@example.test",
        name,
        f"r{uuid4().hex}",
    )


async def play(house: House, drill: Any) -> DrillReport:
    return await run_drill(house.services, drill=drill, tenant_id=house.tenant_id, run_by="a test")


async def traces(house: House) -> dict[str, int]:
    found: dict[str, int] = {}
    for table in TRACES:
        [row] = await house.sql(f"select count(*) as n from {table} where tenant_id = $1", house.tenant_id)
        found[table] = row["n"]
    return found


async def test_an_emergency_is_played_and_only_its_evidence_stays(house: House) -> None:
    alone = await play(house, incident_response)
    assert not alone.passed
    assert "Nobody but the caller" in alone.steps[-1].found
    await hire(house, "Thandi Mokoena")
    await hire(house, "Kagiso Moloi")
    before = await traces(house)
    report = await play(house, incident_response)
    assert [(step.title, step.found) for step in report.steps if not step.passed] == []
    assert report.passed
    assert len(report.steps) == 6
    assert any("Response after 9" in step.found for step in report.steps)
    assert await traces(house) == before
    [kept] = await house.sql("select passed, runbook from drill_runs where id = $1", report.id)
    assert (kept["passed"], kept["runbook"]) == (True, "emergency-and-incidents.md")


@pytest.mark.parametrize("broken", ["escalate_calls", "push_sos", "report_text"])
async def test_it_fails_when_what_it_proves_is_broken(
    house: House, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    async def nothing(*_: Any, **__: Any) -> None:
        """Do nothing."""

    replaced: dict[str, Any] = {
        "escalate_calls": nothing,
        "push_sos": dataclasses.replace(safety_drills.push_sos, fn=nothing),
        "report_text": lambda _incident: "nothing to report",  # pyright: ignore[reportUnknownLambdaType]
    }
    monkeypatch.setattr(safety_drills, broken, replaced[broken])
    assert not (await play(house, incident_response)).passed


@contextlib.asynccontextmanager
async def answering(house: House) -> AsyncGenerator[None]:
    """A platform at the house's address whose pages answer and whose sockets do not."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            while (await reader.readline()).strip():
                """The rest of the head; there is no body."""
            status = "200 OK" if b"/ready" in line else "502 Bad Gateway"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    before, port = house.services.settings, server.sockets[0].getsockname()[1]
    house.services.settings = dataclasses.replace(before, base_url=f"http://127.0.0.1:{port}")
    async with server:
        yield
    house.services.settings = before


async def test_events_are_heard_without_sockets(house: House) -> None:
    async with relaying(house.services), answering(house):
        report = await play(house, realtime_down)
    assert [(step.title, step.found) for step in report.steps if not step.passed] == []
    assert report.passed
    assert "Sockets answer 502" in report.steps[0].found
    assert "The slowest took" in report.steps[3].found


async def test_a_platform_that_nothing_reaches_fails_it(house: House) -> None:
    report = await play(house, realtime_down)
    assert not report.passed
    assert "http://127.0.0.1:9 does not answer" in report.steps[-1].found
    assert "LASTLIGHT_PORT" in report.steps[-1].found


async def test_a_relay_that_stands_still_is_found(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_drills, "PATIENCE", 1)
    async with answering(house), house.services.pools.system.acquire() as stuck:
        await stuck.execute(LOCK)  # it leads, and does nothing
        report = await play(house, realtime_down)
        await stuck.execute("select pg_advisory_unlock_all()")
    assert not report.passed
    assert "the relay does not move events" in report.steps[-1].found


async def test_a_platform_without_a_worker_is_told_what_to_start(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_drills, "TAKES_LEAD_SECONDS", 0.2)
    async with answering(house):
        report = await play(house, realtime_down)
    assert not report.passed
    assert report.steps[-1].title == "A worker moves events into the stream"
    assert "`lastlight worker` is one alone" in report.steps[-1].found


def test_their_runbooks_are_there() -> None:
    folder = migrations_folder().parent / "docs" / "runbooks"
    for drill in (incident_response, realtime_down):
        assert f"lastlight drill {drill.name}" in (folder / drill.runbook).read_text()
