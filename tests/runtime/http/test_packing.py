"""Long answers are packed for whoever can unpack them; files, secrets and answers with a version never are."""

import gzip
import zlib
from collections.abc import AsyncGenerator

import httpx
import msgspec
import pytest

from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Download, get
from lastlight.runtime.http.app import create_app
from lastlight.runtime.http.packing import ASIDE, LEAST
from lastlight.runtime.http.system_routes import system_routes
from lastlight.runtime.module import Module
from lastlight.runtime.settings import Settings
from tests.support.services import opened_services

pytestmark = pytest.mark.database

WORDS = "last light "
OPEN = "Anybody may read it."


class Told(msgspec.Struct, frozen=True):
    """A text."""

    text: str


class Versioned(msgspec.Struct, frozen=True):
    """A text with the version that a change names."""

    text: str
    version: int


@get("/api/short", public=OPEN, limit="none")
async def read_short(ctx: Ctx) -> Told:
    """One packet."""
    return Told(WORDS)


@get("/api/long", public=OPEN, limit="none")
async def read_long(ctx: Ctx) -> Told:
    """Many words."""
    return Told(WORDS * 300)


@get("/api/huge", public=OPEN, limit="none")
async def read_huge(ctx: Ctx) -> Told:
    """So many words that they are packed in a thread."""
    return Told(WORDS * ASIDE)


@get("/api/secret", public=OPEN, limit="none", secret=True)
async def read_secret(ctx: Ctx) -> Told:
    """Many words, one of them a secret."""
    return Told(WORDS * 300)


@get("/api/versioned", public=OPEN, limit="none")
async def read_versioned(ctx: Ctx) -> Versioned:
    """Many words under an ETag."""
    return Versioned(WORDS * 300, 7)


@get("/api/file", public=OPEN, limit="none")
async def read_file(ctx: Ctx) -> Download:
    """A file."""
    return Download(body=(WORDS * 300).encode(), media_type="application/json", filename="words.json")


ROUTES = [read_short, read_long, read_huge, read_secret, read_versioned, read_file]


@pytest.fixture
async def client(database_settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    module = Module(name="words", summary="Words.", routes=ROUTES)
    async with opened_services(database_settings, [module]) as services:
        app = create_app(services, extra_handlers=system_routes(services))
        transport = httpx.ASGITransport(app=app)  # pyright: ignore[reportArgumentType] - looser types
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as opened:
            yield opened


async def sent(client: httpx.AsyncClient, path: str, accepts: str) -> tuple[httpx.Response, bytes]:
    """An answer, and its body as it went over the wire."""
    async with client.stream("GET", path, headers={"accept-encoding": accepts}) as answer:
        return answer, b"".join([piece async for piece in answer.aiter_raw()])


@pytest.mark.parametrize("path", ["/api/long", "/api/huge"])
@pytest.mark.parametrize("accepts", ["gzip", "br;q=1, GZIP;q=0.5", "*"])
async def test_a_long_answer_is_packed(client: httpx.AsyncClient, path: str, accepts: str) -> None:
    _, plain = await sent(client, path, "identity")
    answer, body = await sent(client, path, accepts)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(body) < len(plain) / 10
    assert gzip.decompress(body) == plain
    assert zlib.decompressobj(wbits=31).decompress(body) == plain, "one member, as browsers read it"


@pytest.mark.parametrize("accepts", ["", "identity", "br", "gzip;q=0", "*;q=0", "gzip; q=0.0, *"])
async def test_who_cannot_unpack_gets_it_as_it_is(client: httpx.AsyncClient, accepts: str) -> None:
    answer, body = await sent(client, "/api/long", accepts)
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding", "a cache keeps the two apart"
    assert msgspec.json.decode(body) == {"text": WORDS * 300}


@pytest.mark.parametrize("path", ["/api/short", "/api/secret", "/api/versioned", "/api/file"])
async def test_what_must_stay_as_it_is(client: httpx.AsyncClient, path: str) -> None:
    answer, body = await sent(client, path, "gzip")
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers
    assert WORDS.encode() in body
    assert (len(body) < LEAST) == (path == "/api/short")


@pytest.mark.parametrize(("accepts", "packed"), [("br, gzip", True), ("*", True), ("br, gzip;q=0", False)])
async def test_the_description_of_the_api_is_packed_for_whom_it_can_be(
    client: httpx.AsyncClient, accepts: str, packed: bool
) -> None:
    answer, body = await sent(client, "/openapi.json", accepts)
    assert answer.headers.get("Content-Encoding") == ("gzip" if packed else None)
    assert "/api/short" in msgspec.json.decode(gzip.decompress(body) if packed else body)["paths"]
