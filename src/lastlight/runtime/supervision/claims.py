"""What one supervisor claims for itself, the var folder and the ports; and where it says that it listens."""

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Generator
from pathlib import Path

from lastlight.runtime.sandbox_port import USUAL_PORT, keep_port, kept_port
from lastlight.runtime.settings import Settings, default_base_url
from lastlight.runtime.startup import StartError

_BACKLOG = 2048
_EXAMPLES = {"PORT": 8001, "SANDBOX_PORT": 8421}
_PATIENCE_SECONDS = 3.0  # children of a killed supervisor need a moment to be gone


@contextlib.contextmanager
def claimed_folder(settings: Settings) -> Generator[None]:
    """Hold the var folder: a second supervisor on it is refused, and commands read from it where the first one listens."""
    var_dir = settings.var_dir
    place = _lock_of(var_dir)
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
        file = place.open("a+")
    except OSError as error:
        raise StartError(
            f"LASTLIGHT_VAR_DIR: {var_dir} cannot be written ({error.strerror}); choose a folder this user may write."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = place.read_text().partition("\n")[0] or "unknown"
            raise StartError(
                f"Last Light already runs from {var_dir} (process {holder}): stop it first, or set LASTLIGHT_VAR_DIR."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n{settings.base_url}\n")
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def running_address(settings: Settings, *, otherwise: str = "") -> str:
    """Where the platform of this var folder answers: what was set, else what its supervisor or `otherwise` says."""
    if settings.base_url != default_base_url():
        return settings.base_url
    try:
        holder, _, address = _lock_of(settings.var_dir).read_text().strip().partition("\n")
    except OSError:
        holder = address = ""
    said = address if holder.isdigit() and Path("/proc", holder).exists() else otherwise
    return said or settings.base_url


def _lock_of(var_dir: Path) -> Path:
    return var_dir / "supervisor.lock"


@contextlib.contextmanager
def claimed_port(settings: Settings) -> Generator[socket.socket]:
    """The listening socket that the web processes share; callers wait in it while a web process is started again."""
    listener = _patiently(settings.host, settings.port, setting="PORT")
    try:
        yield listener
    finally:
        listener.close()


@contextlib.contextmanager
def claimed_sandbox_port(settings: Settings) -> Generator[socket.socket]:
    """The listening socket of the sandbox. Where no port was chosen it is the one of the last start, else the usual one, else a free one."""
    listener = _sandbox_listener(settings)
    keep_port(settings.var_dir, listener.getsockname()[1])
    try:
        yield listener
    finally:
        listener.close()


def _sandbox_listener(settings: Settings) -> socket.socket:
    host, kept = settings.host, kept_port(settings.var_dir)
    if settings.sandbox_port:
        return _patiently(host, settings.sandbox_port, setting="SANDBOX_PORT")
    if kept:
        with contextlib.suppress(StartError):
            return _patiently(host, kept, setting="SANDBOX_PORT")
    with contextlib.suppress(OSError):
        return _bind(host, USUAL_PORT)
    return _patiently(host, 0, setting="SANDBOX_PORT")


def _patiently(host: str, port: int, *, setting: str) -> socket.socket:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return _bind(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            raise StartError(_refusal(setting, host, port, error)) from None


def _bind(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)  # two that are bound at once are told apart here
    except OSError:
        listener.close()
        raise
    return listener


def _refusal(setting: str, host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"LASTLIGHT_HOST: {host} is not an address of this machine."
    if error.errno == errno.EADDRINUSE:
        return (
            f"LASTLIGHT_{setting}: port {port} on {host} is taken by another program: "
            f"stop that program, or choose another port, as in `LASTLIGHT_{setting}={_EXAMPLES[setting]} make run`."
        )
    if error.errno == errno.EACCES:
        return f"LASTLIGHT_{setting}: this user may not listen on port {port}: choose one above 1023."
    return f"LASTLIGHT_{setting}: {host}:{port} cannot be used ({error.strerror})."
