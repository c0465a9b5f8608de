"""Connections that never come to their end: neither kept in memory nor waited for, and nobody else notices."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from lastlight.runtime import patience
from lastlight.runtime.serving import server_config
from lastlight.runtime.settings import Settings
from tests.support.frames import UPGRADE, frame

MIB = 1024 * 1024
PIECES = 24
HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the body's length once it is whole."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    size, more = 0, scope["path"] != "/at-once"
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await asyncio.sleep(0.3 if scope["path"] == "/slow" else 0)
    if scope["path"] == "/long":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"connection", b"close")]})
        for _ in range(PIECES):
            await send({"type": "http.response.body", "body": bytes(MIB), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    body = b"%02d" % size
    length = str(len(body)).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[tuple[str, int]]:
    """Where a server with little patience listens."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(patience, "BODY_SECONDS", 0.2)
    settings = Settings.load({"LASTLIGHT_VAR_DIR": str(tmp_path)})
    server = uvicorn.Server(server_config(app, settings))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield listener.getsockname()
        server.should_exit = True
        await serving


@pytest.fixture
def unhurried(place: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same server with more patience than any machine needs: what is tested is not how long something takes."""
    monkeypatch.setattr(patience, "HEAD_SECONDS", 60.0)
    monkeypatch.setattr(patience, "BODY_SECONDS", 60.0)


async def told(place: tuple[str, int], *pieces: bytes, pause: float = 0.0) -> bytes:
    """What the server says until it hangs up, or has answered."""
    reader, writer = await asyncio.open_connection(*place)
    try:
        for piece in pieces:
            writer.write(piece)
            with suppress(ConnectionError):
                await writer.drain()
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        return b"reset"
    finally:
        writer.close()


@pytest.mark.parametrize("piece", [b"", b"\r\n", b"POST / HT", HEAD, HEAD + b"X: "])
async def test_a_head_that_does_not_end_is_given_up(place: tuple[str, int], piece: bytes) -> None:
    assert (await told(place, piece)).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_does_not_end_is_given_up(place: tuple[str, int]) -> None:
    assert b" 200 " not in await told(place, HEAD + b"\r\n", b"ab")


async def test_a_trickle_does_not_extend_it(place: tuple[str, int]) -> None:
    assert b" 200 " not in await told(place, HEAD, *[b"X: y\r\n"] * 20, b"\r\nabcd", pause=0.05)


async def test_a_head_without_bound_is_refused(place: tuple[str, int], unhurried: None) -> None:
    answer = await told(place, HEAD + b"X: ", *[b"a" * 65536] * 20)
    assert answer == b"reset" or answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("piece", [b"A: " + b"b" * 1000 + b"\r\n", b"A: " + b"b" * 65536, b"2;" + b"a" * 65536])
@pytest.mark.parametrize("path", [b"/", b"/at-once"])
async def test_what_follows_a_body_without_bound_is_refused(
    place: tuple[str, int], path: bytes, piece: bytes, unhurried: None
) -> None:
    """Trailers are kept as headers are, whether the request is still to be answered or has been."""
    chunked = HEAD.replace(b"Content-Length: 4", b"Transfer-Encoding: chunked").replace(b"/", path, 1)
    reader, writer = await asyncio.open_connection(*place)
    writer.write(chunked + b"\r\n2\r\nab\r\n" + (b"0\r\n" if piece[:1] == b"A" else b""))
    taken = 0
    with suppress(ConnectionError):
        while taken < 64 * patience.HEAD_BYTES:
            writer.write(piece)
            await writer.drain()
            taken += len(piece)
        await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert taken < 64 * patience.HEAD_BYTES


async def test_a_body_in_many_pieces_is_taken(place: tuple[str, int], unhurried: None) -> None:
    """However long it is: what it may be is for its reader to say."""
    chunked = HEAD.replace(b"Content-Length: 4", b"Transfer-Encoding: chunked\r\nConnection: close")
    pieces = [b"10000\r\n" + b"a" * 65536 + b"\r\n"] * 20
    assert b"1310720" in await told(place, chunked + b"\r\n", *pieces, b"0\r\nA: b\r\n\r\n")


@pytest.mark.parametrize("small", [frame(9, b"x" * 125), frame(10, b"x"), frame(0, b"", more=True)])
async def test_a_socket_that_sends_no_message_ends(place: tuple[str, int], small: bytes) -> None:
    """Pings are answered whether anybody reads or not, and empty pieces of a message are kept: neither may come without end."""
    reader, writer = await asyncio.open_connection(*place)
    writer.write(UPGRADE)
    assert b" 101 " in await reader.readline()
    writer.write(frame(1, b"", more=True) if small[0] == 0 else b"")
    writer.write(small * (patience.SMALL_FRAMES_AT_ONCE // 2))
    await writer.drain()
    await asyncio.sleep(0.1)
    assert reader.exception() is None, "so many are taken"
    writer.write(small * patience.SMALL_FRAMES_AT_ONCE)
    with suppress(ConnectionError):
        while await asyncio.wait_for(reader.read(65536), 20):
            pass
    writer.close()


async def asking_for_much(place: tuple[str, int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Somebody who asks for more than any buffer holds, and whose own holds little."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, place)
    reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
    writer.write(b"GET /long HTTP/1.1\r\nHost: here\r\n\r\n")
    return reader, writer


async def test_who_does_not_take_their_answer_is_hung_up_on(
    place: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = asyncio.Event()

    def watched(protocol: patience.PatientProtocol, error: Exception | None) -> None:
        lost.set()
        original(protocol, error)

    original = patience.PatientProtocol.connection_lost
    monkeypatch.setattr(patience.PatientProtocol, "connection_lost", watched)
    monkeypatch.setattr(patience, "TAKING_SECONDS", 0.2)
    reader, writer = await asking_for_much(place)
    await asyncio.wait_for(lost.wait(), 30)
    taken = 0
    with suppress(ConnectionError):
        while piece := await asyncio.wait_for(reader.read(MIB), 10):
            taken += len(piece)
    writer.close()
    assert 0 < taken < PIECES * MIB


async def test_a_long_answer_is_handed_over_as_it_is_taken(
    place: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for somebody is copied: without pieces, a whole answer for each who does not read."""
    waiting: list[int] = []

    def watched(protocol: patience.PatientProtocol) -> None:
        original(protocol)
        waiting.append(protocol.transport.get_write_buffer_size())

    original = patience.PatientProtocol.pause_writing
    monkeypatch.setattr(patience.PatientProtocol, "pause_writing", watched)
    reader, writer = await asking_for_much(place)
    while await asyncio.wait_for(reader.read(MIB), 10):
        pass
    writer.close()
    assert waiting
    assert max(waiting) <= 3 * patience.PIECE


async def test_who_takes_it_slowly_is_given_all_of_it(place: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "TAKING_SECONDS", 0.5)
    monkeypatch.setattr(patience, "LEAST_TAKEN", 1)
    reader, writer = await asking_for_much(place)
    taken = 0
    until = asyncio.get_running_loop().time() + 2
    while piece := await asyncio.wait_for(reader.read(MIB), 10):
        taken += len(piece)
        await asyncio.sleep(0.02 if asyncio.get_running_loop().time() < until else 0)
    writer.close()
    assert taken > PIECES * MIB, "head, pieces and their lengths"


async def test_who_comes_to_an_end_is_answered(place: tuple[str, int]) -> None:
    """Again and again on one connection, in pieces, after a pause, and however long the answer takes."""
    reader, writer = await asyncio.open_connection(*place)
    for path in (b"/", b"/slow", b"/"):
        writer.write(HEAD.replace(b"/", path, 1))
        await writer.drain()
        writer.write(b"\r\nab")
        await writer.drain()
        writer.write(b"cd")
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n04"), 20)
        assert answer.startswith(b"HTTP/1.1 200 ")
        await asyncio.sleep(0.3)
    writer.close()


async def test_requests_sent_at_once_are_answered_in_turn(place: tuple[str, int], unhurried: None) -> None:
    one = b"GET / HTTP/1.1\r\nHost: here\r\nX: " + b"a" * 40_000 + b"\r\n\r\n"
    last = one.replace(b"Host", b"Connection: close\r\nHost")
    assert (await told(place, one * 4 + last)).count(b"HTTP/1.1 200 ") == 5
