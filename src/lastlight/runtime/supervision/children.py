"""Children of the supervisor: started, watched, started again after a pause that grows."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from prometheus_client import multiprocess

from lastlight.runtime.listeners import SHARED
from lastlight.runtime.tether import tethered

EXIT_CANNOT_START = 78
"""The exit status of a child that was refused for a reason only a person can change (EX_CONFIG)."""
EXIT_TRY_AGAIN = 75
"""The exit status of a child that did not reach the database: it is started again (EX_TEMPFAIL)."""
SUPERVISED = "LASTLIGHT_INTERNAL_SUPERVISED"
"""Set in the environment of the supervisor's children."""

_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_LONG_LIFE_SECONDS = 5.0
"""Who lived so long had started and served: its death is the first again, after which it is started almost at once."""
_STOP_SECONDS = 12.0

log = structlog.stdlib.get_logger("lastlight.supervisor")


@dataclass(slots=True)
class Child:
    """One child: what it runs, and its present process."""

    name: str
    arguments: tuple[str, ...]
    extra: Mapping[str, str] = field(default_factory=dict[str, str])
    """What its environment has on top of everybody's."""
    inherits: tuple[int, ...] = ()
    """File descriptors that it gets, besides the shared listener."""
    process: Process | None = None
    deaths: int = field(default=0)

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process is not None and self.process.returncode is None


async def run_once(arguments: tuple[str, ...], env: Mapping[str, str]) -> int:
    """Run `python -m lastlight …` to its end and return its exit status; it is ended when the caller is cancelled."""
    child = Child(arguments[0], arguments)
    await _launch(child, env, listener=None)
    assert child.process is not None
    try:
        return await child.process.wait()
    finally:
        await stop_child(child)


async def keep_running(
    child: Child, env: Mapping[str, str], *, listener: int | None, on_refusal: Callable[[str], None]
) -> None:
    """Keep `child` running until cancelled; `on_refusal` is told when it cannot start at all."""
    while True:
        began = time.monotonic()
        await _launch(child, env, listener=listener)
        assert child.process is not None
        status = await child.process.wait()
        _forget_metrics(child.process.pid, env)
        if status == EXIT_CANNOT_START:
            on_refusal(child.name)
            return
        child.deaths = 1 if time.monotonic() - began > _LONG_LIFE_SECONDS else child.deaths + 1
        pause = _PAUSES[min(child.deaths, len(_PAUSES)) - 1]
        log.warning("child_ended", child=child.name, status=status, restart_in_seconds=pause)
        await asyncio.sleep(pause)


async def stop_child(child: Child, *, seconds: float = _STOP_SECONDS) -> None:
    """Ask the child to end, and make it end."""
    process = child.process
    for signal_number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
        if process is None or process.returncode is not None:
            return
        if signal_number == signal.SIGKILL:
            log.warning("child_killed", child=child.name, after_seconds=seconds)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal_number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), patience)


async def _launch(child: Child, env: Mapping[str, str], *, listener: int | None) -> None:
    shared = {} if listener is None else {SHARED: str(listener)}
    child.process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "lastlight", *child.arguments),
        env=dict(env) | shared | dict(child.extra),
        stdin=asyncio.subprocess.DEVNULL,
        pass_fds=child.inherits if listener is None else (listener, *child.inherits),
        start_new_session=True,  # Ctrl-C at the terminal is for the supervisor alone
        preexec_fn=tethered(signal.SIGKILL),
    )


def _forget_metrics(pid: int, env: Mapping[str, str]) -> None:
    folder = env.get("PROMETHEUS_MULTIPROC_DIR", "")
    if folder and Path(folder).is_dir():
        multiprocess.mark_process_dead(pid, folder)  # pyright: ignore[reportUnknownMemberType]


def child_environment(env: Mapping[str, str], var_dir: Path) -> dict[str, str]:
    """The environment of the children: absolute var folder, and one folder for the metrics of all of them."""
    metrics = var_dir / "run" / "metrics"
    metrics.mkdir(parents=True, exist_ok=True)
    for file in metrics.glob("*.db"):
        file.unlink(missing_ok=True)
    return (
        dict(os.environ)
        | dict(env)
        | {
            "LASTLIGHT_VAR_DIR": str(var_dir),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics),
            "PYTHONUNBUFFERED": "1",
            SUPERVISED: "1",
        }
    )
