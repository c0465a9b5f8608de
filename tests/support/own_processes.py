"""The platform's own commands as processes of a test, on a database that the test names; in one a guard may be switched off.

`python -m tests.support.own_processes MODULE:FUNCTION COMMAND` calls the function, then runs `lastlight COMMAND`: how a negative
control takes a guard out of a process of its own.
"""

import contextlib
import importlib
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from lastlight.cli import main
from lastlight.runtime.listeners import OWN, SHARED
from lastlight.runtime.settings import Settings
from tests.support.postgres import REPOSITORY, SECRET_KEY
from tests.support.programs import ended, environment, started, until_answers

PROGRAM = ("-m", "lastlight")
ROOMY: Mapping[str, str] = {"LASTLIGHT_USER_REQUESTS_PER_MINUTE": "1000000"}
"""One person of a test asks as often as a hundred would."""


@dataclass(slots=True)
class Own:
    """One process and the port that it answers on."""

    process: Process
    port: int
    log: Path
    door: int = 0
    """A port that it shares with no other process."""

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def said(self, what: str) -> int:
        """How many lines of its log hold some words."""
        return sum(what in line for line in self.log.read_text(errors="replace").splitlines())

    def surprises(self) -> str:
        """What its log tells of errors that nobody foresaw, with their tracebacks: what a failing test has to show."""
        return self.log.read_text(errors="replace").partition("unexpected error")[2][:6_000]

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, and make it end."""
        await ended(self.process, number)


@contextlib.asynccontextmanager
async def own_process(
    command: str,
    *,
    dsn: str,
    var_dir: Path,
    listener: socket.socket | None = None,
    without: str = "",
    before: Sequence[str] = (),
    program: Sequence[str] = PROGRAM,
    ready: bool = True,
    extra: Mapping[str, str] | None = None,
    limits: Mapping[str, str] = ROOMY,
) -> AsyncGenerator[Own]:
    """`lastlight COMMAND`, ready; `without` names what switches a guard off in it, `before` a program that starts it.

    `program` stands in the place of `-m lastlight`; `limits` are settings, those that are shipped when there are none.
    """
    var_dir.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        listener = listener or stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2048))
        port = int(listener.getsockname()[1])
        log = var_dir / f"{command}-{port}-{time.monotonic_ns()}.log"
        told, fds, door = {**_told(dsn, var_dir, port), **limits, **(extra or {})}, list[int](), 0
        if command == "web":
            apart = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            fds, door = [listener.fileno(), apart.fileno()], int(apart.getsockname()[1])
            told |= {SHARED: str(fds[0]), OWN: str(fds[1])}
        start = ("-m", "tests.support.own_processes", without) if without else program
        arguments = (*before, sys.executable, *start, command)
        output = stack.enter_context(log.open("ab"))
        env = environment(**told)
        async with started(*arguments, cwd=REPOSITORY, env=env, pass_fds=fds, stdout=output, stderr=output) as process:
            own = Own(process, port, log, door)
            try:
                if command == "web" and ready:
                    await until_ready(own)
                yield own
            finally:
                if without:
                    await own.end(signal.SIGKILL)


def beside(settings: Settings, **extra: str) -> AbstractAsyncContextManager[Own]:
    """Another web process on a test's database: what it does must reach the test's own process as it would any other."""
    told = {
        "LASTLIGHT_SECRET_KEY": settings.secret_key,
        "LASTLIGHT_BASE_URL": settings.base_url,
        "LASTLIGHT_DB_POOL_SIZE": "4",
        "LASTLIGHT_AUTH_FAILURES_PER_QUARTER_HOUR": "1000000",
    }
    return own_process("web", dsn=settings.database_url, var_dir=settings.var_dir / "second", extra=told | extra)


def _told(dsn: str, var_dir: Path, port: int) -> dict[str, str]:
    return {
        "LASTLIGHT_DATABASE_URL": dsn,
        "LASTLIGHT_SECRET_KEY": SECRET_KEY,
        "LASTLIGHT_VAR_DIR": str(var_dir),
        "LASTLIGHT_PORT": str(port),
    }


async def until_ready(own: Own) -> None:
    """Return once the process serves; fails with its log when it does not come to that."""
    await until_answers(own.process, f"http://127.0.0.1:{own.door}/ready", own.log)


def _run() -> int:
    place, _, name = sys.argv[1].partition(":")
    getattr(importlib.import_module(place), name)()
    return main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(_run())
