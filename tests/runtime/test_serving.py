"""uvicorn as the platform runs it: on the supervisor's socket, believing nobody, stopping when asked."""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.processes

PROGRAM = """
import asyncio, json, os, resource, sys
from pathlib import Path
from lastlight.runtime.serving import serve
from lastlight.runtime.settings import Settings
waiting = asyncio.Event()
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                Path(os.environ["LASTLIGHT_VAR_DIR"], "closed").touch()
                return
    if scope["path"] == "/slow":
        Path(os.environ["LASTLIGHT_VAR_DIR"], "begun").touch()
        await asyncio.sleep(1.5)
    if scope["path"] == "/waits":
        Path(os.environ["LASTLIGHT_VAR_DIR"], "begun").touch()
        await waiting.wait()
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    body = json.dumps({"client": scope["client"][0], "files": files, "scheme": scope["scheme"], "loop": type(asyncio.get_running_loop()).__module__})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body.encode()})
async def drain():
    Path(os.environ["LASTLIGHT_VAR_DIR"], "drained").touch()
    waiting.set()
serve(app, Settings.load({k: v for k, v in os.environ.items() if k.startswith("LASTLIGHT_")}), drain=drain)
"""


@pytest.fixture
def served(tmp_path: Path) -> Generator[tuple[subprocess.Popen[bytes], str]]:
    """A web process on a socket that is already listening, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        env = os.environ | {"LASTLIGHT_VAR_DIR": str(tmp_path), "LASTLIGHT_INTERNAL_LISTENER": str(listener.fileno())}
        process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=env, pass_fds=[listener.fileno()])
        yield process, f"http://127.0.0.1:{listener.getsockname()[1]}"
        process.kill()
        process.wait()


def test_it_serves_on_the_inherited_socket_and_believes_no_header(served: tuple[subprocess.Popen[bytes], str]) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    answer = httpx.get(served[1], headers=forged, timeout=60)
    said = answer.json()
    assert {name: said[name] for name in ("client", "scheme", "loop")} == {
        "client": "127.0.0.1",
        "scheme": "http",
        "loop": "uvloop",
    }
    assert "server" not in answer.headers


def test_it_may_open_as_many_files_as_its_user_may(tmp_path: Path) -> None:
    """Each socket is an open file: a login's usual limit of 1,024 would refuse the 1,000th guest, and every page with it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        env = os.environ | {"LASTLIGHT_VAR_DIR": str(tmp_path), "LASTLIGHT_INTERNAL_LISTENER": str(listener.fileno())}
        low = ["sh", "-c", 'ulimit -Sn 256; exec "$@"', "sh", sys.executable, "-c", PROGRAM]
        with subprocess.Popen(low, env=env, pass_fds=[listener.fileno()]) as process:
            try:
                answer = httpx.get(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60)
            finally:
                process.kill()
    assert answer.json()["files"] == [hard, hard]


@pytest.mark.parametrize("path", ["slow", "waits"])
def test_it_ends_what_it_began_and_then_stops(
    served: tuple[subprocess.Popen[bytes], str], tmp_path: Path, path: str
) -> None:
    """A call that works is waited for; one that waits for something to happen is let go, and answered too."""
    process, address = served
    httpx.get(address, timeout=60)
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(httpx.get, f"{address}/{path}", timeout=60)
        deadline = time.monotonic() + 30
        while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert call.result().status_code == 200
    assert process.wait(60) in {0, -signal.SIGTERM}
    assert (tmp_path / "closed").exists()
