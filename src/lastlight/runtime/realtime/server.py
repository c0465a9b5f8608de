"""The Socket.IO server at `/realtime/`: sign-in, rooms, catch-up; mounted in front of the HTTP application.

A client sends `catch_up {after, limit?}` and `authenticate {token}` (a fresh access token, before the old one ends), each with
an acknowledgement; it hears `system.hello`, `system.gap`, `system.goodbye`, and events under their own names as envelopes.
There is no message to join a room: rooms follow from what somebody may do.
"""

import asyncio
import gc
import os
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec
import structlog
from socketio.exceptions import ConnectionRefusedError as Refused

from lastlight.kernel.errors import Busy, Malformed, Problem, SessionEnded, TooManyRequests
from lastlight.runtime import limits
from lastlight.runtime.auth.authenticate import read_credentials, reload_actor
from lastlight.runtime.auth.errors import TokenInvalid
from lastlight.runtime.context import Actor
from lastlight.runtime.db.bounded import begin_waiting
from lastlight.runtime.db.uow import SessionChanged
from lastlight.runtime.events.arrivals import arrivals_of
from lastlight.runtime.events.audience import audiences, rooms_for, rooms_of
from lastlight.runtime.events.catch_up import MOST, EventsOut, instant
from lastlight.runtime.http.looks import note
from lastlight.runtime.http.problems import as_problem, problem_body
from lastlight.runtime.realtime import metrics
from lastlight.runtime.realtime.entrance import actor_of, admit, origin_allowed
from lastlight.runtime.realtime.feed import Feed
from lastlight.runtime.realtime.greeting import greet, read_as
from lastlight.runtime.realtime.hub import Hub, Seat
from lastlight.runtime.realtime.neighbours import PATH, Neighbours
from lastlight.runtime.realtime.watch import close, keep_watch
from lastlight.runtime.realtime.wire import LARGEST_MESSAGE, Message, SocketServer
from lastlight.runtime.services import Services

log = structlog.get_logger(__name__)

SOCKETS_A_SESSION = 20
PING_SECONDS = 25
PING_TIMEOUT_SECONDS = 20
START_SECONDS = 10.0


class CatchUpIn(msgspec.Struct, forbid_unknown_fields=True):
    """Where a client stands."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**62)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] = 100


class AuthenticateIn(msgspec.Struct, forbid_unknown_fields=True):
    """A fresh access token of the same session."""

    token: str


class _Envelope(msgspec.Struct, frozen=True):
    """An envelope whose data is JSON already."""

    id: str
    seq: int
    name: str
    at: str
    tenant_id: str
    venue_id: str | None
    data: msgspec.Raw


class RealtimeServer:
    """The sockets of one process."""

    def __init__(self, services: Services, neighbours: Neighbours) -> None:
        settings = services.settings
        self.services = services
        self.neighbours = neighbours

        def allowed(origin: str | None, environ: dict[str, Any]) -> bool:
            return origin_allowed(origin, environ, settings)

        self.server = SocketServer(
            async_mode="asgi",
            async_handlers=False,
            cors_allowed_origins=allowed,
            max_http_buffer_size=LARGEST_MESSAGE,
            ping_interval=PING_SECONDS,
            ping_timeout=PING_TIMEOUT_SECONDS,
            http_compression=False,
        )
        self.hub = Hub(self.server)
        self.feed = Feed(services, self._deliver)
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        listening: Any = self.server
        listening.eio.place = neighbours.place
        for name, handler in (
            ("connect", self._connect),
            ("disconnect", self._disconnect),
            ("catch_up", self._catch_up),
            ("authenticate", self._authenticate),
        ):
            listening.on(name, handler)

    async def start(self) -> None:
        """Listen to the relay and watch over sessions; returns once nothing new can be missed."""
        self._run(self.feed.run(self._stop))
        self._run(keep_watch(self.services, self.hub, self._stop))
        await asyncio.wait_for(self.feed.ready.wait(), START_SECONDS)
        arrivals_of(self.services).live = True
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)

    async def stop(self) -> None:
        """Drop every socket (clients connect again elsewhere, or later) and end the tasks."""
        await self.drain()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=3)
            for task in late:
                task.cancel()
        await self.server.shutdown()
        await self.neighbours.close()

    async def drain(self) -> None:
        """The process is about to end: refuse new sockets, let go of those that sit here and of the calls that wait."""
        self._stop.set()
        arrivals_of(self.services).release()
        self.neighbours.release()
        for eio_sid in list(self.server.opened):
            await self.server.cut(eio_sid)

    def asgi_app(self, http_app: Any) -> Any:
        """The application with `/realtime/` in front of it."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] in {"http", "websocket"} and (scope["path"] + "/").startswith(f"{PATH}/"):
                await self._serve(scope, receive, send)
            else:
                await http_app(scope, receive, send)

        return app

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault("state", {})["route"] = f"{PATH}/"
        query: bytes = scope.get("query_string", b"")
        by_script = "j" in parse_qs(query.decode("latin-1"), keep_blank_values=True)  # as engineio reads it
        if self._stop.is_set() or by_script:  # a script tag of another site would carry the cookie and no origin
            await _refuse(scope, receive, send, 503 if self._stop.is_set() else 400)
            return
        port = self.neighbours.owner_of(query)
        if port is not None:
            if scope["type"] == "websocket" or not await self.neighbours.hand_over(scope, receive, send, port):
                await _refuse(scope, receive, send, 503)  # an upgrade that fails leaves the client polling
            return
        serving: Any = self.server
        await serving.handle_request(scope, receive, send)

    def _run(self, coroutine: Any) -> None:
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _deliver(self, row: Any) -> None:
        rooms = rooms_for(
            row["tenant_id"], venue_id=row["venue_id"], audience=row["audience"], patron_id=row["patron_id"]
        )
        envelope = _Envelope(
            id=str(row["id"]),
            seq=row["seq"],
            name=row["name"],
            at=instant(row["at"]),
            tenant_id=str(row["tenant_id"]),
            venue_id=None if row["venue_id"] is None else str(row["venue_id"]),
            data=msgspec.Raw(row["data"].encode()),
        )
        self.hub.deliver(rooms, row["seq"], Message(row["name"], msgspec.json.encode(envelope)))
        arrivals_of(self.services).announce(rooms)
        metrics.DELAY_SECONDS.observe((row["read_at"] - row["at"]).total_seconds())

    async def _connect(self, sid: str, environ: dict[str, Any], given: Any = None) -> None:
        begin_waiting()  # as a request does: what is none goes before all of them
        try:
            admitted = await admit(self.services, environ, given)
            self._require_room(admitted.actor)
            await note(
                self.services, admitted.actor, what=f"CONNECT {PATH}", name="socket", outcome="shown", request=sid
            )
        except Exception as error:  # noqa: BLE001 - as_problem logs what nobody foresaw
            problem = as_problem(error)
            metrics.REFUSED.labels(problem.type).inc()
            raise Refused(problem.title, problem_body(problem, "socket")) from None
        seat = Seat(sid, self.server.eio_sid_of(sid), admitted.actor, admitted.expires_at)
        self.hub.admit(seat)
        self._run(greet(self.services, self.hub, seat, admitted.after))

    def _require_room(self, actor: Actor) -> None:
        if self.hub.sessions[actor.session_id] >= SOCKETS_A_SESSION:
            raise TooManyRequests(f"One sign-in may hold {SOCKETS_A_SESSION} sockets; close one first.")

    async def _disconnect(self, sid: str, _reason: str = "") -> None:
        self.hub.dismiss(sid)

    async def _catch_up(self, sid: str, given: Any = None) -> Any:
        return await self._answer(sid, self._read_for, given, CatchUpIn)

    async def _authenticate(self, sid: str, given: Any = None) -> Any:
        return await self._answer(sid, self._extend, given, AuthenticateIn)

    async def _answer(self, sid: str, action: Any, given: Any, kind: Any) -> Any:
        """Run what a socket asked for; a refusal is the same problem that a request would get, and a session's end ends the socket."""
        begin_waiting()
        seat = self.hub.seats.get(sid)
        if seat is None:
            return problem_body(SessionEnded(), "socket")
        try:
            counted = await limits.count_leased(
                self.services, limits.user_policy(self.services), str(seat.actor.user_id)
            )
            limits.refuse(counted)  # what a socket asks for counts as a request
            return msgspec.to_builtins(await action(seat, _read(given, kind)))
        except (SessionEnded, SessionChanged):
            problem: Problem = SessionEnded()
            await close(self.hub, seat, problem)
        except Exception as error:  # noqa: BLE001 - as_problem logs what nobody foresaw
            problem = as_problem(error)
        return problem_body(problem, "socket")

    async def _read_for(self, seat: Seat, asked: CatchUpIn) -> EventsOut:
        try:
            return await read_as(self.services, seat.actor, after=asked.after, limit=asked.limit)
        except SessionChanged:
            seat.actor = await reload_actor(self.services, seat.actor)
            self.hub.move(seat, rooms_of(seat.actor, audiences(self.services.registry)))
            return await read_as(self.services, seat.actor, after=asked.after, limit=asked.limit)

    async def _extend(self, seat: Seat, asked: AuthenticateIn) -> dict[str, int]:
        claims = read_credentials(self.services, authorization=f"Bearer {asked.token}", cookie=None)
        listening: Any = self.server
        environ = listening.get_environ(seat.sid)
        if claims is None or environ is None or claims.sid != seat.actor.session_id:
            raise TokenInvalid("Send a fresh token of the session that this socket belongs to.")
        seat.actor = await actor_of(self.services, environ, claims)
        seat.expires_at = None if seat.expires_at is None else float(claims.exp)
        self.hub.move(seat, rooms_of(seat.actor, audiences(self.services.registry)))
        return {"expires_at": claims.exp}


def create_realtime(services: Services, neighbours: Neighbours | None = None) -> RealtimeServer:
    """The sockets of this process; `start` before the first request, `stop` after the last."""
    return RealtimeServer(services, neighbours or Neighbours.read(os.environ))


def _read(given: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise Malformed(f"This message cannot be read: {error}.") from None


async def _refuse(scope: Any, receive: Any, send: Any, status: int) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1013})
        return
    body = msgspec.json.encode(problem_body(Busy() if status == 503 else Malformed("Ask without j."), "socket"))
    headers = [(b"content-type", b"application/problem+json"), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
