"""Children are started again when they die, and die with their supervisor."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from lastlight.runtime.supervision.children import (
    EXIT_CANNOT_START,
    Child,
    child_environment,
    keep_running,
    run_once,
    stop_child,
)

pytestmark = pytest.mark.processes

PROGRAM = f"""
import os, signal, sys, time
from pathlib import Path
folder = Path(os.environ["FOLDER"])
with (folder / "starts").open("a") as starts:
    starts.write(f"{{os.getpid()}} {{os.environ.get('LASTLIGHT_INTERNAL_LISTENER')}}\\n")
match sys.argv[1]:
    case "stays":
        time.sleep(600)
    case "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (folder / "deaf").touch()
        time.sleep(600)
    case "refuses":
        sys.exit({EXIT_CANNOT_START})
    case "fails":
        sys.exit(3)
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment where `python -m lastlight` runs the small program above."""
    package = tmp_path / "lastlight"
    package.mkdir()
    (package / "__main__.py").write_text(PROGRAM)
    (package / "__init__.py").touch()
    return os.environ | {"PYTHONPATH": str(tmp_path), "FOLDER": str(tmp_path)}


def starts(tmp_path: Path) -> list[list[str]]:
    """What each start so far wrote: its process and its listener."""
    place = tmp_path / "starts"
    return [line.split() for line in place.read_text().splitlines()] if place.exists() else []


async def eventually(fact: Callable[[], bool], seconds: float = 40) -> None:
    """Wait until `fact` holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether the process has ended."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_a_killed_child_is_started_again_with_the_same_listener(env: dict[str, str], tmp_path: Path) -> None:
    child = Child("x", ("stays",))
    keeper = asyncio.create_task(keep_running(child, env, listener=1, on_refusal=lambda _: None))
    await eventually(lambda: len(starts(tmp_path)) == 1)
    os.kill(int(starts(tmp_path)[0][0]), signal.SIGKILL)
    await eventually(lambda: len(starts(tmp_path)) == 2)
    keeper.cancel()
    await stop_child(child)
    assert [listener for _, listener in starts(tmp_path)] == ["1", "1"]
    assert (child.alive, child.deaths) == (False, 1)


async def test_the_pause_grows_with_each_quick_death(env: dict[str, str], tmp_path: Path) -> None:
    began = time.monotonic()
    child = Child("x", ("fails",))
    keeper = asyncio.create_task(keep_running(child, env, listener=None, on_refusal=lambda _: None))
    await eventually(lambda: len(starts(tmp_path)) >= 3)
    keeper.cancel()
    await stop_child(child)
    assert time.monotonic() - began > 0.2 + 0.5


async def test_a_child_that_cannot_start_is_not_tried_again(env: dict[str, str], tmp_path: Path) -> None:
    refused: list[str] = []
    await keep_running(Child("x", ("refuses",)), env, listener=None, on_refusal=refused.append)
    assert (refused, len(starts(tmp_path))) == (["x"], 1)


async def test_a_deaf_child_is_made_to_end(env: dict[str, str], tmp_path: Path) -> None:
    child = Child("x", ("deaf",))
    keeper = asyncio.create_task(keep_running(child, env, listener=None, on_refusal=lambda _: None))
    await eventually((tmp_path / "deaf").exists)
    keeper.cancel()
    await stop_child(child, seconds=0.3)
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL


async def test_a_step_tells_its_status_and_ends_with_its_caller(env: dict[str, str], tmp_path: Path) -> None:
    assert await run_once(("fails",), env) == 3
    step = asyncio.create_task(run_once(("stays",), env))
    await eventually(lambda: len(starts(tmp_path)) == 2)
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    assert gone(int(starts(tmp_path)[1][0]))


KEEPER = """
import asyncio, os
from lastlight.runtime.supervision.children import Child, keep_running
env = os.environ | {"PYTHONPATH": os.environ["FOLDER"]}
asyncio.run(keep_running(Child("x", ("stays",)), env, listener=None, on_refusal=print))
"""


async def test_children_die_with_a_killed_supervisor(env: dict[str, str], tmp_path: Path) -> None:
    outer = os.environ | {"FOLDER": str(tmp_path)}
    supervisor = subprocess.Popen([sys.executable, "-c", KEEPER], env=outer)
    await eventually(lambda: len(starts(tmp_path)) == 1)
    child = int(starts(tmp_path)[0][0])
    assert not gone(child)
    supervisor.kill()
    supervisor.wait()
    await eventually(lambda: gone(child), seconds=30)
    assert env["FOLDER"] == str(tmp_path)


def test_children_share_one_empty_folder_for_their_metrics(tmp_path: Path) -> None:
    stale = tmp_path / "run" / "metrics" / "counter_1.db"
    stale.parent.mkdir(parents=True)
    stale.touch()
    env = child_environment({"LASTLIGHT_PORT": "8001"}, tmp_path)
    assert (env["PROMETHEUS_MULTIPROC_DIR"], env["LASTLIGHT_PORT"]) == (str(stale.parent), "8001")
    assert not stale.exists()
