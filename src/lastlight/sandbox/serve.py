"""`lastlight sandbox`: the sandbox as a process of its own."""

import dataclasses
import socket

import structlog
import uvicorn

from lastlight.runtime.serving import server_config
from lastlight.runtime.settings import Settings, default_base_url
from lastlight.runtime.startup import StartError
from lastlight.sandbox.app import Sandbox

log = structlog.get_logger("lastlight.sandbox")


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; what it remembers is in `sandbox/` under the var folder."""
    base = default_base_url(settings.host, settings.sandbox_port)
    app = Sandbox(settings.var_dir / "sandbox" / "sandbox.sqlite3", base)
    config = server_config(app, dataclasses.replace(settings, port=settings.sandbox_port))
    with _listener(settings) as listener:
        log.info("sandbox listens", address=base)
        uvicorn.Server(config).run(sockets=[listener])


def _listener(settings: Settings) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.sandbox_port, type=socket.SOCK_STREAM
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError as error:
        raise StartError(
            f"LASTLIGHT_SANDBOX_PORT: {settings.host}:{settings.sandbox_port} cannot be used ({error.strerror})."
        ) from None
    return listener
