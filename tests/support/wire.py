"""Bytes that no browser sends: bombs, bodies without end, two requests in one, frames beyond their bounds; and what answers must be."""

import asyncio
import base64
import contextlib
import gzip
import io
import json
import os
import re
import struct
import zlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import psutil
from PIL import Image

MIB = 1024 * 1024
STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d)[^\r]*\r\n(.*?)\r\n\r\n", re.DOTALL)
PATIENCE = 20.0
"""Seconds until the first answer: one that does not come is none."""
QUIET = 0.25
"""Seconds after an answer in which another one would come."""
REFUSED = frozenset({400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 421, 422, 426, 428, 429, 431, 501, 505})
LOOKED_AT = frozenset({400, 413, 415, 422})
"""What somebody is told who is let in, and whose body was then looked at."""
CLOSED = 0
"""No answer: the connection was closed, or the rest of a request is waited for."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One attack on a connection of its own: what is sent, and which first answers are well."""

    name: str
    sent: bytes
    well: frozenset[int] = REFUSED
    answers: int = 1
    """How many answers there may be at most: a second one is to a request that was smuggled in."""


@dataclass(slots=True)
class Fallout:
    """What the attacks did: answers that are not well, the memory they took, how others fared meanwhile."""

    shots: int = 0
    faults: list[str] = field(default_factory=list[str])
    grown: int = 0
    """Bytes at the most above what there was before."""
    served: int = 0
    slowest: float = 0.0
    """Seconds that somebody else waited for an answer."""
    worked: float = 0.0
    """Seconds of a core that the server worked meanwhile."""


def request(
    method: str, path: str, *, body: bytes = b"", headers: Sequence[tuple[str, str]] = (), length: bool = True
) -> bytes:
    """A request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *[f"{name}: {value}" for name, value in headers]]
    lines += [f"Content-Length: {len(body)}"] if length and body else []
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body


JSON = ("Content-Type", "application/json")
LOGIN = "/api/auth/login"
NEXT = request("GET", "/api/smuggled")


def bombs(bearer: str) -> list[Shot]:
    """Small bodies that grow: compressed ones, and pictures of few bytes and very many pixels."""
    zeros = b"\0" * (16 * MIB)
    packed = {
        "gzip": gzip.compress(zeros),
        "deflate": zlib.compress(zeros),
        "zstd": base64.b64decode("KLUv/aQAAAAEVQAAEAAAAQD8/zkQAg==") + b"\0" * 64,
        "br": b"\xcb\xff\xff\x7f" + b"\0" * 64,
        "gzip, gzip": gzip.compress(gzip.compress(zeros)),
    }
    found = [
        Shot(f"{name} bomb", request("POST", LOGIN, body=body, headers=[JSON, ("Content-Encoding", name)]), LOOKED_AT)
        for name, body in packed.items()
    ]
    signed = ("Authorization", f"Bearer {bearer}")
    for kind, body in pictures().items():
        headers = [signed, ("Content-Type", f"image/{kind.split()[0]}")]
        found.append(
            Shot(
                f"{kind} picture",
                request("POST", "/api/files?purpose=picture&name=a", body=body, headers=headers),
                LOOKED_AT,
            )
        )
    return found


def pictures() -> dict[str, bytes]:
    """Pictures whose heads promise more than their bodies hold, or hold few bytes and very many pixels."""
    small = io.BytesIO()
    Image.new("RGB", (8, 8)).save(small, "JPEG")
    wide = re.sub(
        rb"\xff\xc0\x00\x11\x08....",
        b"\xff\xc0\x00\x11\x08" + struct.pack(">HH", 65_500, 65_500),
        small.getvalue(),
        flags=re.DOTALL,
    )
    return {
        "png bomb": png(20_000, 20_000),
        "png stripes": png(2**31 - 1, 1),
        "jpeg bomb": wide,
        "gif bomb": b"GIF89a"
        + struct.pack("<HH", 65_535, 65_535)
        + b"\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0"
        + b"\xff" * 4
        + b"\0\x02\x02D\x01\0;",
        "webp bomb": b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\xff\xff" * 2 + b"\0\0",
    }


def png(width: int, height: int) -> bytes:
    """A PNG of one colour, one bit a pixel: 50 megabytes of zeros in 50 kilobytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = zlib.compress(b"\0" * min((width // 8 + 1) * height, 50_000_000))
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def documents() -> list[Shot]:
    """JSON beyond bounds, each in a body that is let in."""
    deep = 400_000
    bodies = {
        "deep arrays": b"[" * deep,
        "deep and closed": b"[" * deep + b"]" * deep,
        "deep objects": b'{"a":' * 150_000,
        "quotes without end": b'"' * 900_001,
        "backslashes": b'{"email":"' + b"\\" * 900_001,
        "many keys": json.dumps({f"k{number}": 0 for number in range(60_000)}).encode(),
        "one long text": b'{"email":"' + b"x" * 1_000_000 + b'","password":"x"}',
        "same key twice": b'{"email":"a@b.example","email":"c@d.example","password":"x"}',
        "NaN": b'{"email":NaN,"password":Infinity}',
        "10^400": b'{"email":1' + b"0" * 400 + b',"password":"x"}',
        "a million digits": b'{"email":' + b"9" * 1_000_000 + b"}",
        "exponent": b'{"email":1e999999999,"password":"x"}',
        "invalid UTF-8": b'{"email":"\xff\xfe","password":"x"}',
        "lone surrogate": b'{"email":"\\ud800","password":"x"}',
        "NUL": b'{"email":"a\\u0000@b.example","password":"x"}',
        "UTF-16": '{"email":"a"}'.encode("utf-16"),
        "two megabytes": b'{"email":"' + b"x" * (2 * MIB) + b'"}',
    }
    return [Shot(name, request("POST", LOGIN, body=body, headers=[JSON])) for name, body in bodies.items()]


def heads() -> list[Shot]:
    """Request lines, headers, cookies and forms beyond bounds."""
    form = ("Content-Type", "application/x-www-form-urlencoded")
    parts = (
        b"".join(b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n' for _ in range(15_000)) + b"--b--\r\n"
    )
    many = ("Content-Type", "multipart/form-data; boundary=b")
    get = "/api/venues"
    return [
        Shot("long query", request("GET", f"{get}?q=" + "x" * 60_000)),
        Shot("many parameters", request("GET", f"{get}?" + "&".join(f"a{number}=1" for number in range(8_000)))),
        Shot("long path", request("GET", "/" + "x" * 60_000)),
        Shot("many headers", request("GET", get, headers=[(f"X-{number}", "1") for number in range(4_000)])),
        Shot(
            "head beyond its bound", request("GET", get, headers=[("X-Long", "x" * 200_000)]), frozenset({431, CLOSED})
        ),
        Shot(
            "many cookies",
            request("GET", get, headers=[("Cookie", "; ".join(f"c{number}=1" for number in range(6_000)))]),
        ),
        Shot("odd cookie", request("GET", get, headers=[("Cookie", 'll_session="\\";;==;\udcff=\udcfe')])),
        Shot(
            "many fields", request("POST", "/sign-in", body=b"&".join(b"a=1" for _ in range(200_000)), headers=[form])
        ),
        Shot("many parts", request("POST", "/api/files?purpose=document", body=parts, headers=[many])),
        Shot(
            "no boundary",
            request(
                "POST", "/api/files?purpose=document", body=b"x", headers=[("Content-Type", "multipart/form-data")]
            ),
        ),
    ]


def oddities() -> list[Shot]:
    """Paths, methods and protocols that lead elsewhere."""
    return [
        Shot("NUL in the path", b"GET /api/\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Shot("NUL in percents", request("GET", "/api/venues/%00")),
        Shot("surrogate in percents", request("GET", "/api/venues/%ed%a0%80?q=%ed%a0%80")),
        Shot("overlong slash", request("GET", "/static/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd")),
        Shot("way up", request("GET", "/static/..%2f..%2f..%2fetc%2fpasswd")),
        Shot("way up, plain", request("GET", "/static/../../../etc/passwd")),
        Shot("any server", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
        Shot("a proxy", b"CONNECT example.com:443 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Shot("elsewhere", b"GET http://example.com/api/venues HTTP/1.1\r\nHost: a\r\n\r\n"),
        Shot("no such method", b"HACK / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Shot("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Shot("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(512)),
        Shot("noise", os.urandom(4_096)),
        Shot(
            "content type",
            request("POST", LOGIN, body=b"{}", headers=[("Content-Type", 'application/json; a="' + "\\" * 9_000)]),
        ),
    ]


def smuggled() -> list[Shot]:
    """Requests that two readers would cut at different places; what follows must not be answered as a request of its own."""
    post = b"POST /api/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    chunked, empty = b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n"
    found = {
        "CL and TE": post + b"Content-Length: 4\r\n" + chunked + b"\r\n" + empty + NEXT,
        "TE and CL": post + chunked + b"Content-Length: 4\r\n\r\n" + empty + NEXT,
        "two lengths": post + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + NEXT,
        "a list of lengths": post + b"Content-Length: 0, 44\r\n\r\n" + NEXT,
        "signed length": post + b"Content-Length: +0\r\n\r\n" + NEXT,
        "negative length": post + b"Content-Length: -1\r\n\r\n" + NEXT,
        "endless length": post + b"Content-Length: 99999999999999999999999\r\n\r\n" + NEXT,
        "hexadecimal length": post + b"Content-Length: 0x0\r\n\r\n" + NEXT,
        "space before the colon": post + b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n" + empty + NEXT,
        "another coding": post + b"Transfer-Encoding: xchunked\r\n\r\n" + empty + NEXT,
        "coding after chunked": post + b"Transfer-Encoding: chunked, identity\r\n\r\n" + empty + NEXT,
        "folded header": post + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n" + empty + NEXT,
        "bare line feeds": post.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n" + NEXT,
        "carriage returns": post.replace(b"\r\n", b"\r") + b"Content-Length: 0\r\r" + NEXT,
        "size beyond a word": post + chunked + b"\r\nFFFFFFFFFFFFFFFFF\r\nx\r\n" + empty + NEXT,
        "negative size": post + chunked + b"\r\n-1\r\nx\r\n" + empty + NEXT,
        "size in another script": post + chunked + "\r\n٠\r\n\r\n".encode() + NEXT,
        "chunk without an end": post + chunked + b"\r\n1\r\nxx\r\n" + empty + NEXT,
        "feed in an extension": post + chunked + b"\r\n1;a=\n\r\nx\r\n" + empty + NEXT,
        "header in a header": post + b"X: a\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n" + NEXT,
        "no host, two hosts": b"GET /api/venues HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length : 44\r\n\r\n" + NEXT,
    }
    return [Shot(name, sent) for name, sent in found.items()]


async def shoot(port: int, shot: Shot) -> tuple[list[int], bytes]:
    """Send an attack on a connection of its own; the statuses of the answers, and all that came back until it was quiet."""
    came = b""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=MIB)
    with contextlib.suppress(TimeoutError, ConnectionError):
        writer.write(shot.sent)
        await writer.drain()
        while True:
            async with asyncio.timeout(QUIET if came else PATIENCE):
                piece = await reader.read(65_536)
            if not piece:
                break
            came += piece
    writer.transport.abort()
    return [int(match[1]) for match in STATUS.finditer(came)], came


def judged(shot: Shot, statuses: Sequence[int], came: bytes) -> list[str]:
    """What is wrong with the answers to an attack."""
    first = statuses[0] if statuses else CLOSED
    found = [] if first in shot.well else [f"{shot.name} is answered with {first}: {came[-200:]!r}"]
    if len(statuses) > shot.answers:
        found.append(f"{shot.name} gets {len(statuses)} answers: {list(statuses)}")
    return found + ([f"{shot.name} is told a file"] if b"root:x:0" in came else [])


@contextlib.asynccontextmanager
async def watched(port: int, pid: int | None, fallout: Fallout) -> AsyncGenerator[None]:
    """Meanwhile somebody else asks as ever, and the server's memory is measured."""
    process = psutil.Process(pid) if pid is not None else None
    before = process.memory_info().rss if process else 0
    worked = sum(process.cpu_times()[:2]) if process else 0
    over = asyncio.Event()

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        while not over.is_set():
            began = loop.time()
            statuses, _ = await shoot(
                port, Shot("health", request("GET", "/health", headers=[("Connection", "close")]))
            )
            fallout.slowest = max(fallout.slowest, loop.time() - began)
            fallout.served += statuses == [200]
            if statuses != [200]:
                fallout.faults.append(f"somebody else is not served: {statuses}")
            if process is not None:
                fallout.grown = max(fallout.grown, process.memory_info().rss - before)
            await asyncio.sleep(0.02)

    asking = asyncio.create_task(ask())
    try:
        yield
    finally:
        over.set()
        await asking
        fallout.worked = sum(process.cpu_times()[:2]) - worked if process else 0


async def bombard(port: int, shots: Sequence[Shot], fallout: Fallout, *, at_once: int = 4) -> None:
    """All of these attacks, some at a time."""
    turns = asyncio.Semaphore(at_once)

    async def one(shot: Shot) -> None:
        async with turns:
            fallout.shots += 1
            fallout.faults += judged(shot, *await shoot(port, shot))

    await asyncio.gather(*[one(shot) for shot in shots])
