"""The relay's process killed with -9, at each step of a batch and at any moment: nothing is lost, nothing comes twice."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager

import msgspec
import pytest
import pytest_asyncio

from lastlight.runtime.audit.verify import verify_all
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from tests.runtime.events.relay_process import POINTS
from tests.support.postgres import REPOSITORY, SECRET_KEY
from tests.support.sockets import until
from tests.support.streams import new_tenant, open_services, relaying, ring, settled, stream_of

pytestmark = [pytest.mark.database, pytest.mark.processes]


@pytest_asyncio.fixture
async def services(database_settings: Settings) -> AsyncGenerator[Services]:
    async with open_services(database_settings) as opened:
        yield opened


@contextmanager
def relay_process(settings: Settings, *, dies_after: str = "") -> Generator[subprocess.Popen[bytes]]:
    """A relay that works in a process of its own."""
    arguments = {"database_url": settings.database_url, "secret_key": SECRET_KEY, "dies_after": dies_after}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.runtime.events.relay_process", msgspec.json.encode(arguments).decode()],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{REPOSITORY}/src:{REPOSITORY}"},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("step", POINTS)
async def test_a_batch_that_dies_at_a_step_leaves_everything_as_it_was(services: Services, step: str) -> None:
    tenant = await new_tenant(services)
    await ring(services, tenant, *range(50))
    with relay_process(services.settings, dies_after=step) as process:
        await until(lambda: process.poll() is not None, seconds=60)
        assert process.returncode == -9
    pool = services.pools.system
    assert await stream_of(services, tenant) == []
    assert await pool.fetchval("select count(*) from outbox where tenant_id = $1", tenant) == 50
    assert await pool.fetchval("select count(*) from audit_entries where tenant_id = $1", tenant) == 0
    async with relaying(services):
        found = await settled(services, tenant, 50)
    assert [(event.seq, event.number) for event in found] == [(n + 1, n) for n in range(50)]


async def test_relays_killed_at_any_moment_under_load(services: Services) -> None:
    """C3: processes that relay one after another, each killed while three writers emit; then the chain must hold too."""
    chance = random.Random(7)  # noqa: S311 - a test's dice
    tenant = await new_tenant(services)

    async def write(start: int) -> None:
        for number in range(start, start + 150):
            await ring(services, tenant, number)
            await asyncio.sleep(0.005)

    writing = asyncio.gather(*(write(start) for start in (0, 150, 300)))
    for _ in range(3):
        with relay_process(services.settings) as process:
            before = len(await stream_of(services, tenant))
            while len(await stream_of(services, tenant)) == before and not writing.done():
                await asyncio.sleep(0.005)
            await asyncio.sleep(chance.uniform(0, 0.1))
            assert process.poll() is None
    await writing
    async with relaying(services):
        found = await settled(services, tenant, 450)
    assert [event.seq for event in found] == list(range(1, 451))
    assert sorted(event.number for event in found) == list(range(450))
    assert await services.pools.system.fetchval("select count(*) from outbox where tenant_id = $1", tenant) == 0
    reports = {report.tenant_id: report async for report in verify_all(services.settings)}
    assert (reports[tenant].findings, reports[tenant].entries) == ([], 450)
