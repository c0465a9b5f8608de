"""The processes that benchmarks start beside them: the platform's own, as they are shipped, and peers. Each ends with its benchmark."""

import asyncio
import contextlib
import json
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from lastlight.runtime.settings import Settings
from tests.support.own_processes import PROGRAM, own_process
from tests.support.postgres import settings_for
from tests.support.programs import cpu_seconds, memory_bytes, started


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform's own processes on a ground, by the command that started each."""

    url: str
    port: int
    settings: Settings
    processes: dict[str, Process]

    def memory(self, command: str) -> int:
        """Bytes of memory that one of its processes holds now."""
        return memory_bytes(self.processes[command].pid)

    def cpu_seconds(self, command: str) -> float:
        """Seconds of processor that one of its processes has used."""
        return cpu_seconds(self.processes[command].pid)


@contextlib.asynccontextmanager
async def platform(
    settings: Settings, *commands: str, program: Sequence[str] = PROGRAM, **extra: str
) -> AsyncGenerator[Platform]:
    """Run `lastlight worker`, `web` … on a migrated database as the supervisor does, with the limits that are shipped.

    It is ready; `extra` are settings, `program` replaces `-m lastlight`. The port is the web process's, which comes last.
    """
    dsn = settings.admin_dsn()
    var_dir = settings.var_dir / f"platform-{secrets.token_hex(3)}"
    metrics = var_dir / "run" / "metrics"
    metrics.mkdir(parents=True)
    told = {"PROMETHEUS_MULTIPROC_DIR": str(metrics)} | extra
    processes, port = dict[str, Process](), 0
    async with contextlib.AsyncExitStack() as stack:
        for command in commands:
            starting = own_process(command, dsn=dsn, var_dir=var_dir, program=program, extra=told, limits={})
            own = await stack.enter_async_context(starting)
            processes[command], port = own.process, own.port
        yield Platform(f"http://127.0.0.1:{port}", port, settings_for(dsn, var_dir, port=port), processes)


class Fleet:
    """The process of sockets (benchmarks/fleet.py), and what it tells."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._reader = asyncio.create_task(self._read())

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._told.put_nowait(json.loads(line))
        self._told.put_nowait({"failed": "the fleet ended"})

    async def told(self, seconds: float = 30) -> dict[str, Any]:
        """The next thing it says."""
        one = await asyncio.wait_for(self._told.get(), seconds)
        if "failed" in one:
            raise RuntimeError(one["failed"])
        return one

    async def open(self, group: str, port: int, auth: Sequence[Any], *, size: int, reads: bool = True) -> None:
        """Open sockets; returns once each has been greeted."""
        self._tell(
            do="open", group=group, host="127.0.0.1", port=port, path="/realtime/", auth=auth, size=size, reads=reads
        )
        while (await self.told(120)).get("opened") != group:
            pass

    async def close(self, group: str) -> int:
        """Close a group's sockets; how many of them the server had closed before."""
        self._tell(do="close", group=group)
        while (one := await self.told()).get("closed") != group:
            pass
        return int(one["gone"])

    async def heard(self, group: str, number: int) -> dict[str, Any]:
        """Wait until every socket of a group has heard an event."""
        while True:
            one = await self.told()
            if one.get("group") == group and one["number"] == number:
                return one

    def _tell(self, **command: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")


@contextlib.asynccontextmanager
async def fleet() -> AsyncGenerator[Fleet]:
    """A fleet without sockets yet."""
    async with started(sys.executable, "-m", "benchmarks.fleet", stdin=PIPE, stdout=PIPE) as process:
        yield Fleet(process)
