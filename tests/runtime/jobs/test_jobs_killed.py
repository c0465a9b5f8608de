"""Workers killed with -9: the effect happens once (C2), a job that kills every worker ends dead (W6)."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from lastlight.runtime.settings import Settings
from tests.runtime.jobs import errands
from tests.runtime.jobs.test_jobs import effects, queue, row, until
from tests.support.postgres import REPOSITORY, SECRET_KEY
from tests.support.services import make_tenant, opened_services

pytestmark = [pytest.mark.database, pytest.mark.processes]


@contextmanager
def working(settings: Settings, lives: int) -> Generator[list[subprocess.Popen[bytes]]]:
    """Worker processes, one after another: each that dies is followed by the next."""
    command = [sys.executable, "-m", "tests.runtime.jobs.errands"]
    arguments = {"database_url": settings.database_url, "secret_key": SECRET_KEY}
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{REPOSITORY}/src:{REPOSITORY}"}
    started = [
        subprocess.Popen([*command, msgspec.json.encode(arguments).decode()], cwd=REPOSITORY, env=environment)
        for _ in range(lives)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.mark.parametrize("unsafe", [False, True])
async def test_an_effect_before_the_kill_happens_once(fresh_database: Settings, tmp_path: Path, unsafe: bool) -> None:
    """The second case is the control: an effect outside the job's transaction must be seen to happen twice."""
    tenant = await make_tenant(fresh_database, "night")
    with working(fresh_database, 2) as processes:
        async with opened_services(fresh_database, [errands.module()]) as services:
            job_id = await queue(services, tenant, errands.deadly, place=str(tmp_path / "trace"), unsafe=unsafe)
            done = await until(fresh_database, job_id, "done", seconds=80)
        assert done["attempts"] == 2
        assert sum(process.poll() is not None for process in processes) == 1
    assert await effects(fresh_database, tenant, "unsafe" if unsafe else "deadly") == (2 if unsafe else 1)


async def test_a_job_that_kills_every_worker_ends_dead_and_the_queue_moves(
    fresh_database: Settings, tmp_path: Path
) -> None:
    tenant = await make_tenant(fresh_database, "night")
    with working(fresh_database, 3):
        async with opened_services(fresh_database, [errands.module()]) as services:
            bad = await queue(services, tenant, errands.deadly, place=str(tmp_path / "x"), only_first=False)
            # Every attempt dies: the trace of the one before is removed, so that each leaves its own.
            while (await row(fresh_database, bad))["state"] not in {"dead", "done"}:
                (tmp_path / "x").unlink(missing_ok=True)
                await asyncio.sleep(0.05)
            good = await queue(services, tenant, errands.effect, name="moves")
            await until(fresh_database, good, "done", seconds=80)
    dead = await row(fresh_database, bad)
    assert (dead["state"], dead["error"]) == ("dead", "The worker died during every attempt.")
    assert await effects(fresh_database, tenant, "deadly") == 0
