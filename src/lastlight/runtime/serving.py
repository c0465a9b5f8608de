"""Serve an ASGI application with uvicorn, the way that was measured to be the cheapest."""

import os
import socket
from typing import Any

import uvicorn

from lastlight.runtime.listeners import OWN, SHARED
from lastlight.runtime.settings import Settings

_GRACEFUL_SECONDS = 8
_SOCKET_MESSAGE_BYTES = 1024 * 1024


def serve(app: Any, settings: Settings) -> None:
    """Serve `app` until SIGTERM or SIGINT, on the supervisor's socket when there is one, else on host and port."""
    server = uvicorn.Server(server_config(app, settings))
    inherited = [os.environ[name] for name in (SHARED, OWN) if os.environ.get(name)]
    server.run(sockets=[socket.socket(fileno=int(number)) for number in inherited] or None)


def server_config(app: Any, settings: Settings) -> uvicorn.Config:
    """How uvicorn runs: uvloop, httptools, websockets without deflate, and our own access log instead of its."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
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
