"""Sockets that misbehave, and a network between clients and server that does: for the faults of realtime."""

import asyncio
import contextlib
import json
import random
import socket
import struct
import sys
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from lastlight.runtime.realtime.server import RealtimeServer
from tests.support.frames import UPGRADE, text_frame
from tests.support.sockets import Site, until

CROWD = Path(__file__).parent / "socket_crowd.mjs"
HANDSHAKE = "/realtime/?EIO=4&transport="


@dataclass(slots=True)
class RawSocket:
    """A WebSocket that speaks Socket.IO by hand, so that hundreds cost little: what it heard, and its acknowledgements."""

    ws: aiohttp.ClientWebSocketResponse
    heard: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    answers: dict[int, Any] = field(default_factory=dict[int, Any])
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    def numbers(self) -> list[int]:
        """The places in the stream of the events it heard."""
        return [data["seq"] for name, data in self.heard if not name.startswith("system.")]

    def said(self, name: str) -> list[Any]:
        """What came under a name."""
        return [data for heard, data in self.heard if heard == name]

    async def emit(self, name: str, data: Any) -> None:
        """Send a message."""
        await self.ws.send_str(f"42{json.dumps([name, data])}")

    async def ask(self, name: str, data: Any) -> Any:
        """Send a message and wait for its acknowledgement."""
        self.asked += 1
        number = self.asked
        await self.ws.send_str(f"42{number}{json.dumps([name, data])}")
        await until(lambda: number in self.answers or self.ended.is_set())
        return self.answers.get(number)

    async def read(self) -> None:
        """Take what comes until the connection ends."""
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            async for message in self.ws:
                text = str(message.data)
                if text == "2":
                    await self.ws.send_str("3")
                elif text.startswith("42"):
                    name, data = json.loads(text[2:], object_hook=_texts_kept_once)
                    self.heard.append((name, data))
                elif text.startswith("43"):
                    number, _, answer = text[2:].partition("[")
                    self.answers[int(number)] = json.loads(f"[{answer}")[0]
                elif text.startswith("44"):
                    break
        self.ended.set()


def _texts_kept_once(data: dict[str, Any]) -> dict[str, Any]:
    """Events repeat their texts: what a client of a test keeps of them is not to look like what the server holds."""
    return {name: sys.intern(value) if isinstance(value, str) else value for name, value in data.items()}


def unbounded_session() -> aiohttp.ClientSession:
    """A client for as many sockets at once as one wants: by itself it opens a hundred, and the next waits for ever."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


@contextlib.asynccontextmanager
async def raw_socket(session: aiohttp.ClientSession, site: Site, token: str) -> AsyncGenerator[RawSocket]:
    """A signed-in socket that reads whatever comes."""
    async with session.ws_connect(f"{site.url}{HANDSHAKE}websocket", max_msg_size=0) as ws:
        await ws.receive_str()
        await ws.send_str(f"40{json.dumps({'token': token})}")
        opened = RawSocket(ws)
        reading = asyncio.create_task(opened.read())
        try:
            await until(lambda: bool(opened.said("system.hello")) or opened.ended.is_set())
            yield opened
        finally:
            await ws.close()
            await reading


async def stuck_socket(site: Site, token: str) -> socket.socket:
    """A signed-in WebSocket with a tiny buffer that nobody reads."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(plain, ("127.0.0.1", site.port))
    await loop.sock_sendall(plain, UPGRADE)
    await loop.sock_recv(plain, 4096)
    await loop.sock_sendall(plain, text_frame(f"40{json.dumps({'token': token})}"))
    return plain


@dataclass(slots=True)
class FaultProxy:
    """A TCP proxy in front of a port: `cut` resets connections, `freeze` keeps them open and lets nothing through, `delay` holds bytes back."""

    port: int
    target: int
    rng: random.Random
    delay: float = 0.0
    pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = field(
        default_factory=set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]]
    )
    frozen: set[asyncio.StreamWriter] = field(default_factory=set[asyncio.StreamWriter])
    counts: dict[str, int] = field(default_factory=lambda: {"cuts": 0, "frozen": 0})

    def cut(self, share: float) -> None:
        """Reset a share of the connections that stand."""
        for client, server in list(self.pairs):
            if self.rng.random() < share:
                self.counts["cuts"] += 1
                client.transport.abort()
                server.transport.abort()

    def freeze(self, share: float) -> None:
        """Let a share of them hang: neither side hears of the other, neither is told."""
        for client, server in list(self.pairs):
            if self.rng.random() < share:
                self.counts["frozen"] += 1
                self.frozen |= {client, server}

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One new connection."""
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, far)
        self.pairs.add(pair)
        try:
            await asyncio.gather(self._pump(reader, far), self._pump(far_reader, writer))
        finally:
            self.pairs.discard(pair)
            self.frozen -= {writer, far}
            writer.transport.abort()
            far.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.rng.random() * self.delay)
                if writer in self.frozen:
                    continue
                writer.write(data)
                await writer.drain()
        if writer not in self.frozen:
            writer.close()


@contextlib.asynccontextmanager
async def fault_proxy(target: int, rng: random.Random) -> AsyncGenerator[FaultProxy]:
    """A proxy in front of a port."""
    proxy = FaultProxy(0, target, rng)
    running: set[asyncio.Task[None]] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        await proxy.carry(reader, writer)
        running.discard(task)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@dataclass(slots=True)
class Crowd:
    """Many of npm's clients in one process, each with its own cursor."""

    process: asyncio.subprocess.Process
    greeted: int = 0

    async def told(self) -> dict[str, Any]:
        """The next thing that the process says."""
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        assert line, "the crowd has ended"
        return json.loads(line)

    async def heard(self, target: int, *, seconds: float) -> list[dict[str, Any]]:
        """What each client heard, once each has come as far as `target` or the time is over."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{json.dumps({'target': target, 'seconds': seconds})}\n".encode())
        await self.process.stdin.drain()
        while "clients" not in (told := await self.told()):
            pass
        return told["clients"]


@contextlib.asynccontextmanager
async def crowd(port: int, tokens: list[str], *, remember: bool = True) -> AsyncGenerator[Crowd]:
    """Connect npm's clients, every other one by polling; `remember`: they give their cursor when they connect again."""
    process = await asyncio.create_subprocess_exec(
        "node", str(CROWD), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**26
    )
    assert process.stdin is not None
    about = {"url": f"http://127.0.0.1:{port}", "tokens": tokens, "remember": remember}
    process.stdin.write(f"{json.dumps(about)}\n".encode())
    opened = Crowd(process)
    try:
        assert (await opened.told())["greeted"] == len(tokens)
        yield opened
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def left_over(realtime: RealtimeServer) -> dict[str, int]:
    """What a server still keeps of connections."""
    server: Any = realtime.server
    engine: Any = server.eio
    manager: Any = server.manager
    return {
        "seats": len(realtime.hub.seats),
        "rooms": len(realtime.hub.rooms),
        "opened": len(server.opened),
        "allowances": len(server._allowances),
        "engine": len(engine.sockets),
        "wires": len(engine.wires),
        "environ": len(server.environ),
        "manager": sum(len(room) for rooms in manager.rooms.values() for room in rooms.values()),
    }


def reset(plain: socket.socket) -> None:
    """Leave without a goodbye: the other side gets a reset."""
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    plain.close()
