"""The platform as it is run, under its real supervisor and on its own durable PostgreSQL, for tests that kill parts of it."""

import contextlib
import shutil
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from lastlight.runtime.embedded.layout import prepare_layout
from lastlight.runtime.settings import Settings
from tests.support.own_processes import ROOMY
from tests.support.postgres import REPOSITORY, SECRET_KEY
from tests.support.programs import environment, started, until_answers, unused_port

_OURS = "postgres: lastlight_"
"""How the backends of the platform's own sessions name themselves."""


@dataclass(frozen=True, slots=True)
class Killable:
    """A supervised platform, and its processes as they are now."""

    supervisor: Process
    settings: Settings

    @property
    def url(self) -> str:
        """Where its web processes answer."""
        return f"http://127.0.0.1:{self.settings.port}"

    def children(self, what: str) -> list[psutil.Process]:
        """The supervisor's living children that run `lastlight WHAT`."""
        return [child for child in self._all() if _words(child)[-1:] == [what]]

    def postmaster(self) -> psutil.Process | None:
        """The database server; None while it is down."""
        found = [child for child in self._all() if _name(child) == "postgres"]
        return found[0] if found else None

    def backends(self) -> list[psutil.Process]:
        """The database's processes that serve the platform's sessions."""
        server = self.postmaster()
        if server is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            return [child for child in server.children() if " ".join(_words(child)).startswith(_OURS)]
        return []

    def memory(self) -> dict[str, dict[int, int]]:
        """Bytes of each process by its part; of the database's only what is their own."""
        server = self.postmaster()
        found = {what: {each.pid: _memory(each) for each in self.children(what)} for what in ("web", "worker")}
        with contextlib.suppress(psutil.NoSuchProcess):
            database = [] if server is None else [server, *server.children(recursive=True)]
            found["database"] = {each.pid: _own_memory(each) for each in database}
        return found

    def _all(self) -> list[psutil.Process]:
        children = psutil.Process(self.supervisor.pid).children()
        return [child for child in children if not _is_over(child)]


def _words(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def _name(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.name()
    return ""


def _is_over(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def _memory(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.memory_info().rss
    return 0


def _own_memory(process: psutil.Process) -> int:
    """What is not shared with others: a backend's resident memory counts the shared buffers that it has touched."""
    with contextlib.suppress(psutil.NoSuchProcess):
        found = process.memory_info()
        return found.rss - found.shared
    return 0


def kill(process: psutil.Process | None, number: signal.Signals = signal.SIGKILL) -> bool:
    """Send a signal; whether there was anybody to receive it."""
    if process is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)
        return True
    return False


@contextlib.asynccontextmanager
async def killable_platform(folder: Path, *, web_processes: int = 1, **extra: str) -> AsyncGenerator[Killable]:
    """`lastlight serve` on a folder of its own, ready; it and all that it started are gone at the end."""
    var_dir = folder / "var"
    port = unused_port()
    env = environment(**_told(var_dir, port, web_processes) | extra)
    layout, log = prepare_layout(var_dir), folder / "supervisor.log"
    program = (sys.executable, "-m", "lastlight", "serve", "--no-simulate")
    options: dict[str, Any] = {"cwd": REPOSITORY, "start_new_session": True, "orphaned": signal.SIGTERM, "patience": 60}
    try:
        with log.open("ab") as output:
            async with started(*program, env=env, stdout=output, stderr=output, **options) as supervisor:
                await until_answers(supervisor, f"http://127.0.0.1:{port}/ready", log)
                settings = Settings.load({}, var_dir=var_dir, secret_key=SECRET_KEY, port=port, db_pool_size=2)
                yield Killable(supervisor, settings)
    finally:
        shutil.rmtree(layout.data if layout.account is None else layout.data.parent, ignore_errors=True)


def _told(var_dir: Path, port: int, web_processes: int) -> dict[str, str]:
    return {
        "LASTLIGHT_VAR_DIR": str(var_dir),
        "LASTLIGHT_PORT": str(port),
        "LASTLIGHT_SECRET_KEY": SECRET_KEY,
        "LASTLIGHT_WEB_PROCESSES": str(web_processes),
        **ROOMY,
    }
