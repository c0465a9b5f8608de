"""Serve an ASGI application with uvicorn, the way that was measured to be the cheapest."""

import os
import resource
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from lastlight.runtime.listeners import OWN, SHARED
from lastlight.runtime.patience import PatientProtocol, PatientSocket, in_pieces
from lastlight.runtime.settings import Settings
from lastlight.runtime.supervision.claims import claimed_port

Drain = Callable[[], Awaitable[None]]
_GRACEFUL_SECONDS = 8
_SOCKET_MESSAGE_BYTES = 1024 * 1024


class _Server(uvicorn.Server):
    """uvicorn, which waits for open calls when it stops: `drain` lets go of those that would wait for long."""

    def __init__(self, config: uvicorn.Config, drain: Drain | None) -> None:
        super().__init__(config)
        self._drain = drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let go, then end."""
        if self._drain is not None:
            await self._drain()
        await super().shutdown(sockets)


def serve(app: Any, settings: Settings, *, drain: Drain | None = None) -> None:
    """Serve `app` until SIGTERM or SIGINT, on the supervisor's socket when there is one, else on host and port.

    `drain` is awaited when it is told to stop, before it waits for the calls that are under way.
    """
    allow_open_files()
    server = _Server(server_config(app, settings), drain)
    inherited = [os.environ[name] for name in (SHARED, OWN) if os.environ.get(name)]
    if inherited:
        server.run(sockets=[socket.socket(fileno=int(number)) for number in inherited])
    else:
        with claimed_port(settings) as listener:
            server.run(sockets=[listener])


def allow_open_files() -> None:
    """Raise the limit of open files to what this user may have: each socket is one, and the usual 1,024 are soon used up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def server_config(app: Any, settings: Settings) -> uvicorn.Config:
    """How uvicorn runs: uvloop, httptools with bounded patience, websockets bounded likewise and without deflate, and our own access log instead of its."""
    return uvicorn.Config(
        in_pieces(app),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=PatientProtocol,
        ws=PatientSocket,
        ws_per_message_deflate=False,
        ws_max_size=_SOCKET_MESSAGE_BYTES,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # runtime/http/request.py reads X-Forwarded-For, and only from trusted proxies
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
    )
