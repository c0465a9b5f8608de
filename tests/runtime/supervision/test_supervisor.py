"""The whole tree under one supervisor: everything may be killed, nothing is left behind.

The database is the real one; web, worker and the steps are small programs, so that only the supervision is on trial.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from lastlight.runtime.embedded.layout import ROOT_HOME
from tests.support.programs import unused_port

pytestmark = pytest.mark.processes

CHILD = """
import http.server, json, os, signal, socket, sys, time, urllib.request
from pathlib import Path
folder = Path(os.environ["FOLDER"])
name = sys.argv[1]
(folder / f"{name}.new").write_text(str(os.getpid()))
(folder / f"{name}.new").replace(folder / f"{name}.pid")
if name in {"migrate", "seed"}:
    late = " late" if (folder / "web.pid").exists() else ""
    (folder / "steps").open("a").write(name + late + "\\n")
    sys.exit(int(os.environ.get("STEP_STATUS", "0")))
def say_farewell(*_):
    time.sleep(0.3)  # a web process that is told to end at the same moment is gone by now
    answer = urllib.request.urlopen(f"http://127.0.0.1:{os.environ['LASTLIGHT_PORT']}/ready", timeout=600)
    (folder / "farewell").write_text(str(answer.status))
    os._exit(0)
if name == "simulate" and "FAREWELL" in os.environ:
    signal.signal(signal.SIGTERM, say_farewell if os.environ["FAREWELL"] == "heard" else signal.SIG_IGN)
    (folder / "simulate.plays").touch()
if name != "web":
    time.sleep(600)
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"pid": os.getpid()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
http.server.ThreadingHTTPServer.handle_error = lambda *args: None  # callers that hung up are no errors
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer, bind_and_activate=False)
server.socket = socket.socket(fileno=int(os.environ["LASTLIGHT_INTERNAL_LISTENER"]))
server.serve_forever()
"""

SUPERVISOR = """
import asyncio, os, sys
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision.supervisor import supervise
env = dict(os.environ)
settings = Settings.load({name: value for name, value in env.items() if name.startswith("LASTLIGHT_")})
try:
    sys.exit(asyncio.run(supervise(settings, env | {"PYTHONPATH": env["FOLDER"]})))
except StartError as error:
    sys.exit(f"lastlight: {error}")
"""


@dataclass(frozen=True, slots=True)
class Platform:
    """A supervisor that was started for a test."""

    process: subprocess.Popen[str]
    folder: Path
    port: int

    def pid(self, name: str) -> int:
        """The process of a child as it is now."""
        file = self.folder / f"{name}.pid"
        eventually(file.exists)
        return int(file.read_text())

    def tree(self) -> list[psutil.Process]:
        """Every process below the supervisor, and itself."""
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def postmasters(self) -> list[psutil.Process]:
        """The database server; none while it is down. A child may end while it is looked at."""
        found: list[psutil.Process] = []
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                found += [child] if child.name() == "postgres" else []
        return found

    def postmaster(self) -> psutil.Process:
        """The database server, which runs."""
        return self.postmasters()[0]

    def answer(self) -> int:
        """The number of the web process that answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=30) as reply:
            return int(json.load(reply)["pid"])


@pytest.fixture
def folder(tmp_path: Path) -> Generator[Path]:
    """A folder with the small programs; what root keeps elsewhere is removed too."""
    package = tmp_path / "lastlight"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(CHILD)
    yield tmp_path
    for mark in ROOT_HOME.glob("*/belongs-to"):
        if mark.read_text().startswith(str(tmp_path)):
            shutil.rmtree(mark.parent)


def start(folder: Path, port: int, **extra: str) -> Platform:
    """Start a supervisor; it may not be ready yet."""
    env = os.environ | {
        "FOLDER": str(folder),
        "LASTLIGHT_VAR_DIR": str(folder / "var"),
        "LASTLIGHT_PORT": str(port),
        "LASTLIGHT_DEMO": "true",
        **extra,
    }
    out = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR], env=env, stdout=out, stderr=subprocess.STDOUT, text=True
    )
    return Platform(process, folder, port)


@pytest.fixture
def port() -> int:
    """A port that nobody uses."""
    return unused_port()


@pytest.fixture
def platform(folder: Path, port: int) -> Generator[Platform]:
    """A platform that is ready."""
    running = start(folder, port)
    eventually(lambda: answers(running))
    eventually((folder / "simulate.pid").exists)
    tree = running.tree()
    yield running
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
    running.process.wait(60)
    assert_gone(tree)


def eventually(fact: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until `fact` holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.03)


def answers(platform: Platform) -> bool:
    """Whether some web process answers."""
    try:
        return platform.answer() > 0
    except (urllib.error.URLError, OSError, ValueError):
        return False


def ended(process: psutil.Process) -> bool:
    """Whether a process is no more."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def assert_gone(processes: list[psutil.Process]) -> None:
    """None of them may outlive the supervisor for long."""
    eventually(lambda: all(ended(process) for process in processes), seconds=40)


def test_it_starts_in_order_greets_and_stops_cleanly_on_ctrl_c(platform: Platform) -> None:
    assert (platform.folder / "steps").read_text().split() == ["migrate", "seed"]
    tree = platform.tree()
    names = sorted(p.name() for p in psutil.Process(platform.process.pid).children())
    assert names.count("postgres") == 1
    assert len(names) == 5, names
    platform.process.send_signal(signal.SIGINT)
    assert platform.process.wait(60) == 0
    assert_gone(tree)
    assert platform.process.stdout is not None
    text = platform.process.stdout.read()
    assert f"Last Light is ready at http://127.0.0.1:{platform.port}" in text
    assert "Traceback" not in text


def test_a_demonstration_that_is_there_keeps_nobody_waiting(folder: Path, port: int) -> None:
    (folder / "var").mkdir()
    (folder / "var" / "demo.json").write_text("{}")
    running = start(folder, port)
    try:
        eventually((folder / "simulate.pid").exists)
        assert (folder / "steps").read_text().splitlines() == ["migrate", "seed late"], (
            "looked at before the night begins"
        )
        assert answers(running)
    finally:
        tree = running.tree()
        running.process.send_signal(signal.SIGTERM)
        running.process.wait(60)
        assert_gone(tree)


def stopped_in_a_night(folder: Path, port: int, *, farewell: str) -> str:
    """What a platform said that was stopped while its night goes on."""
    platform = start(folder, port, FAREWELL=farewell)
    eventually((folder / "simulate.plays").exists)
    tree = platform.tree()
    platform.process.send_signal(signal.SIGINT)
    said, _ = platform.process.communicate(timeout=60)
    assert platform.process.returncode == 0
    assert_gone(tree)
    return said


def test_the_night_says_farewell_to_a_platform_that_still_answers(folder: Path, port: int) -> None:
    said = stopped_in_a_night(folder, port, farewell="heard")
    assert (folder / "farewell").read_text() == "200"
    assert "child_killed" not in said


def test_a_night_that_does_not_end_is_not_waited_for_long_and_its_kill_is_told(folder: Path, port: int) -> None:
    said = stopped_in_a_night(folder, port, farewell="none")
    [killed] = [line for line in said.splitlines() if "child_killed" in line]
    assert killed.split()[-2:] == ["after_seconds=3.0", "child=simulate"]


@pytest.mark.parametrize("name", ["sandbox", "web", "worker", "simulate"])
def test_a_killed_child_comes_back(platform: Platform, name: str) -> None:
    before = platform.pid(name)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: platform.pid(name) != before)
    assert answers(platform)


def test_a_killed_web_process_refuses_nobody(platform: Platform) -> None:
    before = psutil.Process(platform.pid("web"))
    before.kill()
    eventually(lambda: ended(before))  # until then it may still take a call
    assert platform.answer() == platform.pid("web")  # the caller waited in the supervisor's socket


def test_a_killed_database_comes_back_on_its_port(platform: Platform) -> None:
    before, web = platform.postmaster(), platform.pid("web")
    state = (platform.folder / "var" / "postgres.json").read_text()
    before.kill()
    eventually(lambda: any(each.pid != before.pid for each in platform.postmasters()))
    eventually(lambda: _accepts(json.loads(state)["port"]))
    assert (platform.folder / "var" / "postgres.json").read_text() == state
    assert platform.pid("web") == web


def _accepts(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def test_a_killed_supervisor_takes_all_with_it_and_starts_again(platform: Platform) -> None:
    tree = platform.tree()
    platform.process.kill()
    platform.process.wait()
    second = start(platform.folder, platform.port)  # at once: the old processes may still be ending
    eventually(lambda: answers(second))
    assert_gone(tree)
    again = second.tree()
    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(60) == 0
    assert_gone(again)


def test_a_second_supervisor_is_refused_and_harms_nothing(platform: Platform) -> None:
    second = start(platform.folder, platform.port)
    said, _ = second.process.communicate(timeout=60)
    assert said == (
        f"lastlight: Last Light already runs from {platform.folder / 'var'} (process {platform.process.pid}): "
        "stop it first, or set LASTLIGHT_VAR_DIR.\n"
    )
    assert second.process.returncode == 1
    assert answers(platform)


def test_a_failed_step_ends_everything(folder: Path, port: int) -> None:
    platform = start(folder, port, STEP_STATUS="3")
    said, _ = platform.process.communicate(timeout=60)
    assert platform.process.returncode == 3
    assert said.splitlines()[-1] == "`lastlight migrate` failed, so nothing was started."
    assert not (folder / "web.pid").exists()


def test_ctrl_c_during_the_start_ends_it_too(folder: Path, port: int) -> None:
    platform = start(folder, port)
    lock = folder / "var" / "supervisor.lock"
    eventually(
        lambda: lock.exists() and lock.read_text().startswith(f"{platform.process.pid}\n")
    )  # from here on it listens
    time.sleep(0.3)
    tree = platform.tree()
    platform.process.send_signal(signal.SIGINT)
    assert platform.process.wait(60) == 0
    assert_gone(tree)


def test_a_wrong_database_url_is_one_sentence(folder: Path, port: int) -> None:
    platform = start(folder, port, LASTLIGHT_DATABASE_URL="postgresql://a:b@127.0.0.1:1/x")
    said, _ = platform.process.communicate(timeout=60)
    assert said == "lastlight: LASTLIGHT_DATABASE_URL: nothing usable answers at 127.0.0.1:1 (Connection refused).\n"
    assert platform.process.returncode == 1
