"""`lastlight sandbox`: the sandbox as a process of its own."""

import contextlib
import fcntl
import os
import socket
import time
from collections.abc import Generator
from typing import IO

import structlog
import uvicorn

from lastlight.runtime.listeners import OWN
from lastlight.runtime.serving import server_config
from lastlight.runtime.settings import Settings, default_base_url
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision.claims import claimed_sandbox_port
from lastlight.sandbox.app import Sandbox
from lastlight.sandbox.own import own_account

_PATIENCE_SECONDS = 2.0

log = structlog.get_logger("lastlight.sandbox")


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; what it remembers is in `sandbox/` under the var folder."""
    with _claimed_memory(settings), _listener(settings) as listener:
        base = settings.sandbox_url.rstrip("/") or default_base_url(settings.host, listener.getsockname()[1])
        app = Sandbox(settings.var_dir / "sandbox" / "sandbox.sqlite3", base, own_account(settings))
        log.info("sandbox listens", address=base)
        uvicorn.Server(server_config(app, settings)).run(sockets=[listener])


@contextlib.contextmanager
def _claimed_memory(settings: Settings) -> Generator[None]:
    """Hold what the sandbox of this var folder remembers: a second one beside it would deliver everything twice."""
    place = settings.var_dir / "sandbox" / "sandbox.lock"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        file = place.open("a+")
    except OSError as error:
        raise StartError(
            f"LASTLIGHT_VAR_DIR: {settings.var_dir} cannot be written ({error.strerror}); choose a folder this user may write."
        ) from None
    with file:
        if not _locked(file):
            holder = place.read_text().strip() or "unknown"
            raise StartError(
                f"A sandbox already runs from {settings.var_dir} (process {holder}): stop it first, or set LASTLIGHT_VAR_DIR."
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _locked(file: IO[str]) -> bool:
    """Whether the lock is ours; one that was killed a moment ago lets go of it."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        else:
            return True


@contextlib.contextmanager
def _listener(settings: Settings) -> Generator[socket.socket]:
    """The supervisor's socket when there is one, which outlives this process; else one of our own."""
    inherited = os.environ.get(OWN)
    if inherited:
        yield socket.socket(fileno=int(inherited))
        return
    with claimed_sandbox_port(settings) as listener:
        yield listener
