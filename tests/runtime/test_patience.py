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

HEAD = b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the body's length once it is whole."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await asyncio.sleep(0.3 if scope["path"] == "/slow" else 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"%02d" % size})


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


async def test_a_head_without_bound_is_refused(place: tuple[str, int]) -> None:
    answer = await told(place, HEAD + b"X: ", *[b"a" * 65536] * 20)
    assert answer == b"reset" or answer.startswith(b"HTTP/1.1 431 ")


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


async def test_requests_sent_at_once_are_answered_in_turn(place: tuple[str, int]) -> None:
    one = b"GET / HTTP/1.1\r\nHost: here\r\nX: " + b"a" * 40_000 + b"\r\n\r\n"
    last = one.replace(b"Host", b"Connection: close\r\nHost")
    assert (await told(place, one * 4 + last)).count(b"HTTP/1.1 200 ") == 5
