"""The wire below Socket.IO: one encoded packet for a whole room, written to each socket without a task of its own.

python-engineio puts every packet of every socket into a queue that a task empties. Where nothing waits in that queue and the
connection takes more, a ready-made frame is written straight to uvicorn's transport: frames from server to client are not
masked, so one frame serves all. Otherwise the packet goes through the queue, whose length is bounded; order is kept, because
the short cut is taken only when everything handed to the queue has been written.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# (python-socketio and python-engineio, whose classes this file extends, carry no types)

import asyncio
import json
import time
from typing import Any

import engineio
import msgspec
import socketio
from engineio import packet as engine_packet
from engineio.async_drivers import asgi
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from lastlight.runtime.patience import Allowance
from lastlight.runtime.realtime import metrics

LARGEST_MESSAGE = 16 * 1024
LARGEST_BATCH = 16
"""python-engineio's client refuses a poll with more packets than these."""
FRAMES_A_SECOND = 50
FRAMES_AT_ONCE = 100
MESSAGES_A_SECOND = 20
MESSAGES_AT_ONCE = 40
UPGRADE_SECONDS = 10.0
"""From the WebSocket by which a polling client goes on to the frame that says so."""


class Message:
    """One Socket.IO event, encoded once for everybody who gets it."""

    __slots__ = ("frame", "packet")

    def __init__(self, name: str, body: bytes) -> None:
        text = "42[" + msgspec.json.encode(name).decode() + "," + body.decode() + "]"
        self.packet = _ready(text)
        self.frame = _frame(text.encode())


def _ready(text: str) -> Any:
    """An Engine.IO packet that is encoded already."""
    packet: Any = engine_packet.Packet(engine_packet.MESSAGE)
    packet.encode_cache = text
    return packet


DISCONNECT = _ready("41")
"""Socket.IO's own goodbye: a client that gets it does not connect again by itself."""


def _frame(payload: bytes) -> bytes:
    """An unmasked, unfragmented WebSocket text frame (RFC 6455 section 5.2)."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65536:
        return b"\x81\x7e" + size.to_bytes(2, "big") + payload
    return b"\x81\x7f" + size.to_bytes(8, "big") + payload


class Outgoing(asyncio.Queue[Any]):
    """A socket's queue that also counts what was given to it, and gives no more at once than a poll may carry."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0
        self._in_batch = 0

    async def get(self) -> Any:
        """Wait for the first packet of a batch."""
        self._in_batch = 0
        return await super().get()

    def get_nowait(self) -> Any:
        """The next packet, as if there were none once the batch is full."""
        if self._in_batch >= LARGEST_BATCH:
            raise asyncio.QueueEmpty
        item = super().get_nowait()
        self._in_batch += 1
        return item

    def _put(self, item: Any) -> None:
        self.given += 1
        super()._put(item)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] asyncio documents it for subclasses; the stubs leave it out


def readable(data: Any) -> bool:
    """Whether a frame may be Engine.IO as our clients speak it: text, bounded, and a Socket.IO packet if it is a message."""
    if not isinstance(data, str) or not 0 < len(data) <= LARGEST_MESSAGE:
        return False
    if data[0] == "4":
        return data[1:2] in {"0", "1", "2", "3"}
    return data in {"1", "2", "2probe", "3", "3probe", "5", "6"}


class Wire(asgi.WebSocket):
    """One WebSocket: engineio's driver with bounded input, and the short cut for output."""

    def __init__(self, handler: Any, server: Any) -> None:
        super().__init__(handler, server)
        self.engine: EngineServer = server
        self.socket: Any = handler.__self__
        self.protocol: WebSocketsSansIOProtocol | None = None
        self.written = 0
        self.allowance = Allowance(FRAMES_A_SECOND, FRAMES_AT_ONCE)

    async def __call__(self, environ: Any) -> Any:
        """Serve the connection until it ends."""
        owner = getattr(environ["asgi.send"], "__self__", None)
        if isinstance(owner, WebSocketsSansIOProtocol) and not owner.config.ws_per_message_deflate:
            self.protocol = owner
        if self.socket.sid in self.engine.wires:  # each would wait for itself, and only one is ever cut
            await environ["asgi.send"]({"type": "websocket.close", "code": 1013})
            return ""
        self.engine.wires[self.socket.sid] = self
        try:
            return await super().__call__(environ)
        finally:
            del self.engine.wires[self.socket.sid]
            self.socket.upgrading = False  # one that broke off leaves the client polling, with something to take

    async def send(self, message: Any) -> None:
        """Send by the queue's task."""
        await super().send(message)
        self.written += 1

    async def wait(self) -> Any:
        """The next frame; one that cannot be Engine.IO, is too large, or comes too fast ends the connection."""
        data: Any = await self._next()
        if not self.socket.upgraded:  # the count begins when this connection takes over from polling
            self.written, self.socket.queue.given = 0, self.socket.queue.qsize()
        if not readable(data) or not self.allowance.take():
            metrics.CLOSED.labels("flood or bad frame").inc()
            self.cut()
            raise OSError("this frame is refused")
        return data

    async def _next(self) -> Any:
        """A frame; one that is to take over from polling is not waited for without end."""
        if self.socket.upgraded:
            return await super().wait()
        try:
            async with asyncio.timeout(UPGRADE_SECONDS):
                return await super().wait()
        except TimeoutError:
            self.cut()
            raise  # an OSError, as engineio expects of a connection that is over

    def send_now(self, frame: bytes) -> bool:
        """Write a frame at once if nothing is in front of it and the connection takes it."""
        protocol = self.protocol
        if protocol is None or self.socket.queue.given != self.written or not protocol.writable.is_set():
            return False
        transport = protocol.transport
        if not protocol.handshake_complete or protocol.close_sent or transport.is_closing():
            return False
        transport.write(frame)
        return True

    def cut(self) -> None:
        """Drop the connection with whatever it still had to take."""
        if self.protocol is not None:
            self.protocol.transport.abort()


class EngineServer(engineio.AsyncServer):
    """Engine.IO with our queue and our wire."""

    place = 0
    """The number of this process among those that share a port; each socket's id then begins with it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.wires: dict[str, Wire] = {}
        self._async: Any = {**self._async, "websocket": Wire}

    def generate_id(self) -> str:
        """An id for one socket."""
        drawn = str(super().generate_id())
        return f"{self.place}.{drawn}" if self.place else drawn

    def create_queue(self, *_args: Any, **_named: Any) -> Any:
        """A queue for one socket."""
        return Outgoing()


class StrictJson:
    """JSON for packets; what is nested too deeply is as wrong as what is no JSON at all."""

    @staticmethod
    def loads(text: str) -> Any:
        """Read."""
        try:
            return json.loads(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None

    @staticmethod
    def dumps(value: Any, **_style: Any) -> str:
        """Write."""
        return msgspec.json.encode(value).decode()


class SocketServer(socketio.AsyncServer):
    """Socket.IO on that engine; a message it cannot read, or one too many, ends the connection instead of being passed over."""

    def __init__(self, **options: Any) -> None:
        super().__init__(json=StrictJson, **options)
        self.opened: dict[str, float] = {}
        """Engine sockets and when they were opened: those that never sign in are closed."""
        self._allowances: dict[str, Allowance] = {}

    def _engineio_server_class(self) -> Any:
        return EngineServer

    async def _handle_eio_connect(self, eio_sid: str, environ: Any) -> Any:
        self.opened[eio_sid] = time.monotonic()
        self._allowances[eio_sid] = Allowance(MESSAGES_A_SECOND, MESSAGES_AT_ONCE)
        return await super()._handle_eio_connect(eio_sid, environ)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: Any) -> None:
        self.opened.pop(eio_sid, None)
        self._allowances.pop(eio_sid, None)
        await super()._handle_eio_disconnect(eio_sid, reason)
        engine: Any = self.eio
        if eio_sid in engine.sockets:
            engine.sockets[eio_sid].queue.put_nowait(None)  # lets a poll or a writer that waits come to its end

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        allowance = self._allowances.get(eio_sid)
        if isinstance(data, str) and allowance is not None and allowance.take():
            try:
                await super()._handle_eio_message(eio_sid, data)
            except (ValueError, TypeError, LookupError, AttributeError):
                pass
            else:
                return
        metrics.CLOSED.labels("flood or bad message").inc()
        await self.cut(eio_sid)

    def socket(self, eio_sid: str) -> Any:
        """The engine's socket, None when it is closed or closing."""
        engine: Any = self.eio
        socket = engine.sockets.get(eio_sid)
        return None if socket is None or socket.closed or socket.closing else socket

    @property
    def wires(self) -> dict[str, Wire]:
        """The WebSockets of engine sockets; those that poll have none."""
        engine: Any = self.eio
        return engine.wires

    def eio_sid_of(self, sid: str) -> str:
        """The engine socket that carries a Socket.IO connection."""
        manager: Any = self.manager
        return manager.eio_sid_from_sid(sid, "/")

    def is_confirmed(self, sid: str) -> bool:
        """Whether the client was told that it is connected."""
        manager: Any = self.manager
        return manager.is_connected(sid, "/")

    async def end(self, eio_sid: str) -> None:
        """End a connection after what is queued; the client does not connect again by itself."""
        socket = self.socket(eio_sid)
        if socket is not None:
            socket.queue.put_nowait(DISCONNECT)
            await socket.close(wait=False)

    async def cut(self, eio_sid: str) -> None:
        """Drop a connection at once; the client may connect again by itself."""
        socket, wire = self.socket(eio_sid), self.wires.get(eio_sid)
        if socket is not None:
            await socket.close(wait=False, abort=True)
        if wire is not None:
            wire.cut()
