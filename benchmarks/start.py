"""How long the installed demo takes from the command to its first answer, and where that time goes.

`lastlight serve --demo` is started again and again on a folder that an earlier start has filled, until /ready answers 200. The first
start, which makes the database and the demonstration, is told; so are the steps, each tried alone: PostgreSQL, the migrations'
check, the demonstration's check, and the web process.
"""

import asyncio
import contextlib
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import httpx

from benchmarks.measure import Figure, Stopwatch
from lastlight.runtime.embedded.server import start_server, stop_server
from tests.support.programs import environment, started, unused_port

LIMIT_SECONDS = 8.0
FIRST_SECONDS = 180.0
PROGRAM = ("-m", "lastlight")
HEAVY = 6
"""So many of the packages that take longest to import are named."""


async def run(*, quick: bool) -> list[Figure]:
    """Starts of a demo that is there, and their steps."""
    with tempfile.TemporaryDirectory(prefix="lastlight-start-", ignore_cleanup_errors=True) as text:
        folder = Path(text)
        first = await start(folder, demo=not quick)
        again = [await start(folder, demo=not quick) for _ in range(1 if quick else 5)]
        told = {"first_s": first} | await steps(folder, demo=not quick)
        limit = None if quick else LIMIT_SECONDS
        figure = Figure("start: command to ready", tuple(again), "lower", LIMIT_SECONDS, limit, unit="s", told=told)
    return [figure, await imports()]


async def start(folder: Path, *, demo: bool = True, program: Sequence[str] = PROGRAM) -> float:
    """Seconds from the command until /ready answers 200; then it is stopped."""
    port = unused_port()
    arguments = ("serve", *(("--demo", "--no-simulate") if demo else ()))
    watch = Stopwatch()
    async with serving(folder, port, *program, *arguments) as process:
        return await _ready(process, port, watch)


async def _ready(process: asyncio.subprocess.Process, port: int, watch: Stopwatch) -> float:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        while watch.seconds < FIRST_SECONDS and process.returncode is None:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get("/ready")).status_code == 200:
                    return watch.seconds
            await asyncio.sleep(0.02)
    raise RuntimeError(f"no answer within {watch.seconds:.0f} s; the exit status is {process.returncode}")


@contextlib.asynccontextmanager
async def serving(folder: Path, port: int, *arguments: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A command of the platform on a folder of its own."""
    env = environment(LASTLIGHT_VAR_DIR=str(folder / "var"), LASTLIGHT_PORT=str(port))
    with (folder / "serve.log").open("ab") as log:
        async with started(sys.executable, *arguments, env=env, stdout=log, stderr=log, cwd=folder) as process:
            yield process


async def steps(folder: Path, *, demo: bool) -> dict[str, float]:
    """Seconds of each step alone: PostgreSQL, and on it the migrations' check, the demonstration's check, the web process."""
    took: dict[str, float] = {}
    watch = Stopwatch()
    server = await start_server(folder / "var")
    took["postgres_s"] = watch.seconds
    try:
        for command in ("migrate", *(("seed",) if demo else ())):
            watch = Stopwatch()
            async with serving(folder, unused_port(), *PROGRAM, command) as process:
                if await process.wait() != 0:
                    raise RuntimeError(f"`lastlight {command}` failed; {folder / 'serve.log'} says why")
            took[f"{command}_s"] = watch.seconds
        took["web_s"] = await _web(folder)
    finally:
        await stop_server(server)
    return took


async def _web(folder: Path) -> float:
    port, watch = unused_port(), Stopwatch()
    async with serving(folder, port, *PROGRAM, "web") as process:
        return await _ready(process, port, watch)


async def imports() -> Figure:
    """Seconds that the web process's imports take, and the packages that take most of it."""
    async with started(
        *(sys.executable, "-X", "importtime", "-c", "import lastlight.main"), stderr=asyncio.subprocess.PIPE
    ) as process:
        _, said = await process.communicate()
    shares = import_shares(said.decode())
    heaviest = dict(sorted(shares.items(), key=lambda item: -item[1])[:HEAVY])
    return Figure("start: imports of the web process", (sum(shares.values()),), "lower", unit="s", told=heaviest)


def import_shares(said: str) -> dict[str, float]:
    """Seconds by package of what `-X importtime` tells, each module's own time only."""
    shares: dict[str, float] = {}
    for line in said.splitlines():
        own, _, rest = line.removeprefix("import time:").partition("|")
        name = rest.partition("|")[2].strip()
        if line.startswith("import time:") and own.strip().isdigit():
            package = name.partition(".")[0]
            shares[package] = shares.get(package, 0.0) + int(own) / 1e6
    return shares
