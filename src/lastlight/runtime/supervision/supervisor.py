"""`lastlight serve`: database, sandbox, migrations, demo, web, worker and the demo's slow night, under one process."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Mapping

import structlog

from lastlight.runtime.embedded.server import EmbeddedServer, start_server, stop_server
from lastlight.runtime.listeners import OWN, PLACE, PORTS
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision.children import Child, child_environment, keep_running, run_once, stop_child
from lastlight.runtime.supervision.claims import claimed_folder, claimed_port
from lastlight.runtime.supervision.managed_database import check_managed_database
from lastlight.runtime.supervision.sandbox import claimed_sandbox, port_of, running_sandbox
from lastlight.runtime.supervision.welcome import demo_log, wait_until_ready, welcome

log = structlog.stdlib.get_logger("lastlight.supervisor")

_DATABASE_PAUSE_SECONDS = 0.5
_FAREWELL_SECONDS = 3.0
"""How long the demo's night may take to send its people home; nothing that is kept depends on it."""


async def supervise(settings: Settings, env: Mapping[str, str]) -> int:
    """Run the platform until a signal ends it; returns the exit status."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    with claimed_folder(settings), claimed_port(settings) as listener, claimed_sandbox(settings) as sandbox:
        env = {**env, **port_of(sandbox)}
        work = asyncio.create_task(_work(settings, env, listener.fileno(), sandbox))
        signalled = asyncio.create_task(stopping.wait())
        await asyncio.wait({work, signalled}, return_when=asyncio.FIRST_COMPLETED)
        signalled.cancel()
        if not work.done():
            _say("Stopping …")
            work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            return await work
        return 0


async def _work(settings: Settings, env: Mapping[str, str], listener: int, sandbox: socket.socket | None) -> int:
    settings = demo_log(settings, terminal=sys.stdout.isatty() and sys.stderr.isatty())
    child_env = child_environment(env, settings.var_dir) | {"LASTLIGHT_LOG_FILE": settings.log_file}
    refused = asyncio.Event()
    async with (
        _database(settings) as ports_moved,
        running_sandbox(sandbox, child_env, on_refusal=refused.set),
    ):
        # what an earlier start has made is looked at once all is ready
        seeds = settings.demo and not settings.demo_file.exists()
        for step in (("migrate",), ("seed",)) if seeds else (("migrate",),):
            status = await run_once(step, child_env)
            if status != 0:
                _say(f"`lastlight {step[0]}` failed, so nothing was started.")
                return status
        again = settings.demo and not seeds
        return await _run_children(settings, child_env, listener, ports_moved, refused, seed=again)


@contextlib.asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[asyncio.Event]:
    """The database, up for the length of the block; the event is set when the server came back on another port."""
    moved = asyncio.Event()
    if not settings.embedded:
        await check_managed_database(settings.database_url)
        yield moved
        return
    if not (settings.var_dir / "postgres.json").exists():
        _say("Preparing the embedded PostgreSQL …")
    server = await start_server(settings.var_dir, port=settings.database_port)
    current = [server]
    guard = asyncio.create_task(_guard_database(settings, current, moved))
    try:
        yield moved
    finally:
        guard.cancel()
        await asyncio.gather(guard, return_exceptions=True)
        await stop_server(current[0])


async def _guard_database(settings: Settings, current: list[EmbeddedServer], moved: asyncio.Event) -> None:
    """Start the server again whenever its process ends."""
    while True:
        status = await current[0].process.wait()
        log.error("database_ended", status=status)
        port = current[0].port
        current[0] = await _start_again(settings)
        log.info("database_back", port=current[0].port)
        if current[0].port != port:
            moved.set()


async def _start_again(settings: Settings) -> EmbeddedServer:
    while True:
        try:
            return await start_server(settings.var_dir, port=settings.database_port)
        except StartError as error:
            log.exception("database_refused", reason=str(error))
            await asyncio.sleep(_DATABASE_PAUSE_SECONDS)


def _webs(settings: Settings, own: list[socket.socket]) -> list[Child]:
    """The web processes; where there are several, each with a listener of its own for its neighbours."""
    if not own:
        return [Child("web-1", ("web",))]
    ports = ",".join(str(listener.getsockname()[1]) for listener in own)
    webs: list[Child] = []
    for number, listener in enumerate(own, start=1):
        extra = {PORTS: ports, PLACE: str(number), OWN: str(listener.fileno())}
        webs.append(Child(f"web-{number}", ("web",), extra, (listener.fileno(),)))
    return webs


def _children(settings: Settings, own: list[socket.socket]) -> list[Child]:
    webs = _webs(settings, own)
    night = [Child("simulate", ("simulate", "--slow", "--quiet"))] if settings.demo and settings.simulate else []
    return [*webs, Child("worker", ("worker",)), *night]


async def _run_children(
    settings: Settings,
    env: Mapping[str, str],
    listener: int,
    moved: asyncio.Event,
    refused: asyncio.Event,
    *,
    seed: bool,
) -> int:
    """Keep the children running until cancelled, or until one of them cannot start."""
    count = settings.web_processes
    own = [socket.create_server(("127.0.0.1", 0), backlog=512) for _ in range(count)] if count > 1 else []
    children = _children(settings, own)
    servers = [child for child in children if child.name != "simulate"]
    tasks = [asyncio.create_task(_keep(child, env, listener, refused.set)) for child in servers]
    tasks.append(asyncio.create_task(_restart_when_moved(servers, moved)))
    tasks.append(asyncio.create_task(_greet_then_simulate(settings, children, env, seed=seed)))
    try:
        await refused.wait()
        return 1
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # the night first: its people sign out over the web process that is stopped next
        await asyncio.gather(
            *(stop_child(child, seconds=_FAREWELL_SECONDS) for child in children if child not in servers)
        )
        await asyncio.gather(*(stop_child(child) for child in reversed(servers)))
        for private in own:
            private.close()


async def _keep(child: Child, env: Mapping[str, str], listener: int, on_refusal: Callable[[], None]) -> None:
    shared = listener if child.arguments == ("web",) else None
    await keep_running(child, env, listener=shared, on_refusal=lambda _: on_refusal())


async def _restart_when_moved(children: list[Child], moved: asyncio.Event) -> None:
    """End the children after the database moved to another port: their keepers start them with the new address."""
    while True:
        await moved.wait()
        moved.clear()
        await asyncio.gather(*(stop_child(child) for child in children))


async def _greet_then_simulate(
    settings: Settings, children: list[Child], env: Mapping[str, str], *, seed: bool
) -> None:
    await wait_until_ready(settings)
    _say(welcome(settings))
    if seed and await run_once(("seed",), env) != 0:
        _say("`lastlight seed` failed: the demonstration stays as the last start left it.")
    nights = [child for child in children if child.name == "simulate"]
    await asyncio.gather(*(keep_running(night, env, listener=None, on_refusal=_without_night) for night in nights))


def _without_night(name: str) -> None:
    log.warning("child_refused", child=name)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
