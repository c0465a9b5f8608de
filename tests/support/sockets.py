"""Sockets for the tests: people with sessions, a real server on a port, and both clients."""

import asyncio
import contextlib
import json
import secrets
import socket
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import socketio
import uvicorn
from socketio.exceptions import ConnectionError as ConnectionFailed

from lastlight.kernel.ids import PLATFORM, TenantId, VenueId
from lastlight.runtime.auth.tokens import ACCESS, COOKIE, SessionKind, TokenType, issue, token_keys
from lastlight.runtime.realtime.neighbours import Neighbours
from lastlight.runtime.realtime.server import RealtimeServer, create_realtime
from lastlight.runtime.services import Services
from lastlight.runtime.serving import server_config

HERE = Path(__file__).parent
Transport = Literal["websocket", "polling"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a session."""

    user_id: UUID
    session_id: UUID
    tenant_id: TenantId
    kind: SessionKind
    patron_id: UUID | None

    def token(
        self, services: Services, *, seconds: int = 900, kind: TokenType = ACCESS, now: float | None = None
    ) -> str:
        """A token of the session."""
        return issue(
            token_keys(services.secrets),
            kind,
            user_id=self.user_id,
            session_id=self.session_id,
            tenant_id=self.tenant_id,
            session_kind=self.kind,
            seconds=seconds,
            now=now,
        )

    def cookie(self, services: Services) -> str:
        """The Cookie header of a console."""
        return f"ll_session={self.token(services, kind=COOKIE)}"


async def sign_in(
    services: Services,
    tenant_id: TenantId,
    permissions: Sequence[str] = (),
    *,
    venue_ids: Sequence[VenueId] | None = None,
    patron: bool = False,
) -> Person:
    """A new person with a session: a member who holds the permissions, or a guest."""
    pool = services.pools.system
    email = f"{secrets.token_hex(6)}@example.com"
    user_id = await pool.fetchval("insert into users (email, name) values ($1, 'Somebody') returning id", email)
    kind: SessionKind = "patron" if patron else "member"
    patron_id = None
    if patron:
        sql = "insert into patrons (tenant_id, user_id, name) values ($1, $2, 'Guest') returning id"
        patron_id = await pool.fetchval(sql, tenant_id, user_id)
    else:
        sql = "insert into roles (tenant_id, key, name, permissions) values ($1, $2, $2, $3) returning id"
        role_id = await pool.fetchval(sql, tenant_id, secrets.token_hex(4), list(permissions))
        sql = "insert into memberships (tenant_id, user_id, role_id, venue_ids) values ($1, $2, $3, $4)"
        await pool.execute(sql, tenant_id, user_id, role_id, None if venue_ids is None else list(venue_ids))
    session_id = await pool.fetchval(
        "insert into sessions (user_id, tenant_id, kind, patron_id, expires_at)"
        " values ($1, $2, $3, $4, now() + interval '1 day') returning id",
        user_id,
        tenant_id,
        kind,
        patron_id,
    )
    return Person(user_id, session_id, tenant_id, kind, patron_id)


async def sign_in_crew(services: Services, permissions: Sequence[str], *, inside: TenantId | None = None) -> Person:
    """Somebody of the platform's crew with a session, at home or inside a tenant."""
    home = await sign_in(services, PLATFORM, permissions)
    sql = "update sessions set kind = 'crew', tenant_id = $2, reason = $3 where id = $1"
    reason = "" if inside is None else "Asked by the owner"
    await services.pools.system.execute(sql, home.session_id, inside, reason)
    return Person(home.user_id, home.session_id, PLATFORM if inside is None else inside, "crew", None)


@dataclass(slots=True)
class Site:
    """A server that runs in this process."""

    url: str
    port: int
    realtime: RealtimeServer


async def no_http(_scope: Any, _receive: Any, send: Any) -> None:
    """The application behind the sockets, when a test needs none."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@contextlib.asynccontextmanager
async def serving(
    services: Services,
    *,
    http_app: Any = no_http,
    listener: socket.socket | None = None,
    neighbours: Neighbours | None = None,
) -> AsyncGenerator[Site]:
    """The sockets behind uvicorn as it is configured in production, on a free port."""
    realtime = create_realtime(services, neighbours)
    await realtime.start()
    async with listening(services, realtime.asgi_app(http_app), listener=listener) as port:
        try:
            yield Site(f"http://127.0.0.1:{port}", port, realtime)
        finally:
            await realtime.stop()


@contextlib.asynccontextmanager
async def listening(services: Services, app: Any, *, listener: socket.socket | None = None) -> AsyncGenerator[int]:
    """Any ASGI application behind uvicorn; its port."""
    listener = listener or socket.create_server(("127.0.0.1", 0))
    config = server_config(app, services.settings)
    config.lifespan = "off"
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve([listener]))  # pyright: ignore[reportPrivateUsage] without its signal handlers
    try:
        await until(lambda: server.started)
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await asyncio.wait_for(task, 30)


@dataclass(slots=True)
class Client:
    """A python-socketio client and all that it heard."""

    io: Any
    heard: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def events(self) -> list[tuple[int, str]]:
        """Numbers and names of the envelopes heard, in their order."""
        return [(data["seq"], name) for name, data in self.heard if not name.startswith("system.")]

    def numbers(self) -> list[int]:
        """The numbers that the test's events carry."""
        return [data["data"]["number"] for name, data in self.heard if not name.startswith("system.")]

    def said(self, name: str) -> list[Any]:
        """What came under a name."""
        return [data for heard, data in self.heard if heard == name]


@contextlib.asynccontextmanager
async def connected(
    site: Site,
    token: str | None,
    *,
    transports: Sequence[Transport] = ("websocket",),
    headers: dict[str, str] | None = None,
    after: int | None = None,
) -> AsyncGenerator[Client]:
    """A client that has been greeted."""
    io: Any = socketio.AsyncClient(reconnection=False)
    client = Client(io)

    async def hear(name: str, data: Any = None) -> None:
        client.heard.append((name, data))

    async def end(*_: Any) -> None:
        client.ended.set()

    io.on("*", hear)
    io.on("disconnect", end)
    auth: dict[str, Any] = {} if token is None else {"token": token}
    if after is not None:
        auth["after"] = after
    try:
        await io.connect(
            site.url,
            auth=auth,
            headers=headers or {},
            transports=list(transports),
            socketio_path="realtime",
            wait_timeout=30,
        )
        await until(lambda: bool(client.said("system.hello")))
        yield client
    finally:
        await io.disconnect()


async def refused(site: Site, token: str | None, **options: Any) -> str:
    """The problem type with which a connection is refused."""
    io: Any = socketio.AsyncClient(reconnection=False)
    told: list[Any] = []

    async def note(data: Any) -> None:
        told.append(data)

    io.on("connect_error", note)
    auth = options.pop("auth", {} if token is None else {"token": token})
    with contextlib.suppress(ConnectionFailed):
        await io.connect(
            site.url, auth=auth, socketio_path="realtime", wait_timeout=30, transports=["websocket"], **options
        )
    assert not io.connected
    await io.disconnect()
    assert told, "no reason was given"
    problem: Any = told[0]["data"] if "data" in told[0] else {"type": str(told[0])}
    return str(problem["type"]).rsplit("/", 1)[-1]


async def until(condition: Callable[[], bool], *, seconds: float = 60) -> float:
    """Wait until a condition holds; how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not so after {seconds} s"
        await asyncio.sleep(0.005)
    return time.monotonic() - began


class NodeClient:
    """npm's socket.io-client, unchanged, in a Node process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.heard: list[tuple[str, Any]] = []
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            name, data = json.loads(line)
            self.heard.append((name, data))

    def said(self, name: str) -> list[Any]:
        """What came under a name; `connect`, `disconnect`, `connect_error`, `ack` are the client's own."""
        return [data for heard, data in self.heard if heard == name]

    async def ask(self, **command: Any) -> None:
        """Tell the client to emit something: name, data."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        await self.process.stdin.drain()

    async def close(self) -> None:
        """End the process."""
        self.process.terminate()
        await self.process.wait()
        await self._reader


@contextlib.asynccontextmanager
async def node_client(site: Site, **options: Any) -> AsyncGenerator[NodeClient]:
    """Run socket.io-client with these options."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(HERE / "socket_client.mjs"),
        site.url,
        json.dumps(options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    client = NodeClient(process)
    try:
        yield client
    finally:
        await client.close()
