"""X2: bytes changed at random in everything that is decoded by our own hand: what is wrong is a Problem or nothing, never another error."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import from_regex

from lastlight.domains.checkins.passes import GuestPass, pass_text, read_shown
from lastlight.domains.venues.codes import CodeUnreadableError, code_text, read_code, screen_code
from lastlight.domains.venues.schemas import VenueIn
from lastlight.kernel.base64url import decode_base64url
from lastlight.kernel.errors import Problem
from lastlight.kernel.paging import Cursor, decode_cursor, encode_cursor
from lastlight.runtime.auth.tokens import ACCESS, issue, read, token_keys
from lastlight.runtime.http import decode
from lastlight.runtime.http.decode import decode_json, decode_query
from lastlight.runtime.http.idempotency import read_key
from lastlight.runtime.http.operation import structs_of
from lastlight.runtime.http.request import read_if_match, require_json
from lastlight.runtime.secrets import Secrets
from lastlight.runtime.storage.ranges import asked_range
from lastlight.runtime.storage.sniff import check_content
from lastlight.runtime.storage.upload import read_upload
from tests.contracts.probes import said
from tests.support.calls import OPERATIONS
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.things import PIXEL

QUIET: Any = list(HealthCheck)
VENUE = b'{"name":"Main","position":{"lat":-26.1,"lon":28.0},"tags":["a"],"tax_rates":[{"name":"VAT","rate_bp":1500}]}'
FORM = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    + PIXEL
    + b"\r\n--b--\r\n"
)
SPICE = (
    b"\0",
    b"\xff",
    b"\\ud800",
    b"\r\n",
    b'"',
    b"{",
    b"[",
    b"]",
    b"%",
    b"%00",
    b"=",
    b".",
    b"-",
    b"9" * 400,
    b"1e999",
    b"NaN",
    b";",
    b"&a=1",
)


@dataclass(frozen=True, slots=True)
class Decoder:
    """Something that reads bytes of strangers, and bytes that it reads well."""

    name: str
    read: Callable[[bytes], Any]
    good: bytes
    refusal: type[Exception] = Problem
    """What its caller waits for."""


def text_of(raw: bytes) -> str:
    """Bytes as a header or a field brings them."""
    return raw.decode("latin-1")


def a_pass() -> bytes:
    """What a guest's phone shows at a door."""
    guest = GuestPass(
        tenant_id=uuid4(),
        patron_id=uuid4(),
        key_id=uuid4(),
        phone_key=b"\2" + b"k" * 32,
        starts=1,
        expires=2**31,
        age=18,
        name="Zinhle D",
    )
    signed = pass_text(guest, key=Ed25519PrivateKey.generate(), key_id="00000001")
    return f"LL1.{signed}.176.AAAA".encode()


def decoders() -> Sequence[Decoder]:
    """All of them."""
    keys = token_keys(Secrets("the secret key of the tests, which is no secret"))
    token = issue(
        keys, ACCESS, user_id=uuid4(), session_id=uuid4(), tenant_id=uuid4(), session_kind="member", seconds=900
    )
    code = code_text(screen_code(b"k" * 32, venue_id=uuid4(), key_number=1, at=datetime.now(UTC)))
    cursor = encode_cursor(Cursor("-at", "2026-11-21T20:00:00Z", str(uuid4())))
    query = next(op.parameter("query") for op in OPERATIONS.values() if op.path == "/api/visits" and op.method == "GET")
    assert query is not None
    return (
        Decoder("json", lambda raw: decode_json(raw, VenueIn), VENUE),
        Decoder("query", lambda raw: decode_query(raw, query.kind), b"limit=5&sort=-opened_at&q=a&count=true"),
        Decoder("cursor", lambda raw: decode_cursor(text_of(raw), sort="-at"), cursor.encode()),
        Decoder("base64url", lambda raw: decode_base64url(text_of(raw)), cursor.encode()),
        Decoder("token", lambda raw: read(keys, text_of(raw), ACCESS), token.encode()),
        Decoder("code", lambda raw: read_code(text_of(raw)), code.encode(), CodeUnreadableError),
        Decoder("pass", lambda raw: read_shown(text_of(raw)), a_pass()),
        Decoder("if-match", lambda raw: read_if_match({"if-match": text_of(raw)}), b'W/"3"'),
        Decoder("key", lambda raw: read_key(text_of(raw)), str(uuid4()).encode()),
        Decoder(
            "content type", lambda raw: require_json({"content-type": text_of(raw)}), b"application/json; charset=utf-8"
        ),
        Decoder("boundary", lambda raw: read_upload(text_of(raw), "a", FORM), b"multipart/form-data; boundary=b"),
        Decoder("form", lambda raw: read_upload("multipart/form-data; boundary=b", "a", raw), FORM),
        Decoder("range", lambda raw: asked_range({"range": text_of(raw)}, size=1_000, tag='"a"'), b"bytes=0-99"),
        Decoder("picture", lambda raw: check_content(raw, frozenset({"image/png"})), PIXEL),
    )


def changed(good: bytes, rng: Random) -> bytes:
    """Some bytes of it changed, left out, doubled, or spiced."""
    raw = bytearray(good)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(raw) + 1)
        match rng.randrange(5):
            case 0:
                raw[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del raw[at : at + rng.randint(1, 8)]
            case 2:
                raw[at:at] = rng.choice(SPICE)
            case 3:
                raw[at:at] = raw[at : at + rng.randint(1, 20)] * rng.randint(1, 3)
            case _:
                raw[at:at] = rng.choice(SPICE) * rng.randint(1, 40)
    return bytes(raw)


def broken_by(chosen: Sequence[Decoder], rng: Random, each: int) -> tuple[int, list[str]]:
    """What gets out of decoders besides a Problem; and how much they took."""
    taken, found = 0, list[str]()
    for one in chosen:
        for _ in range(each):
            raw = changed(one.good, rng)
            try:
                one.read(raw)
                taken += 1
            except one.refusal:
                continue
            except Exception as error:  # noqa: BLE001 - whatever else gets out is what is looked for
                found.append(f"{one.name} of {raw[:120]!r} raises {type(error).__name__}: {error}"[:300])
    return taken, found


@pytest.mark.fault("X2")
def test_changed_bytes_are_refused_by_a_problem_or_read(run: FaultRun) -> None:
    chosen, each = decoders(), run.size(quick=400, long=60_000)
    for one in chosen:
        one.read(one.good)
    taken, found = broken_by(chosen, run.rng, each)
    run.report(decoders=len(chosen), inputs=len(chosen) * each, taken=taken, faults=len(found))
    assert not found, said(found)


@pytest.mark.control("X2")
def test_a_decoder_without_its_guards_lets_other_errors_out(run: FaultRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nesting is not counted and broken JSON is not caught."""

    def lenient(raw: bytes, kind: Any) -> Any:
        return msgspec.json.decode(raw, type=kind)

    monkeypatch.setattr(decode, "decode_json", lenient)
    unguarded = Decoder("json", lambda raw: decode.decode_json(raw, VenueIn), VENUE)
    _, found = broken_by([unguarded], run.rng, 200)
    run.report(inputs=200, faults=len(found))
    must_fail(found)


def patterns() -> dict[str, str]:
    """Every pattern that a field of an operation's input asks for, by the field's name."""
    seen: set[Any] = set()
    kinds = [p.kind for op in OPERATIONS.values() for p in op.parameters if p.source in {"data", "query", "form"}]
    found: dict[str, str] = {}
    for struct in [one for kind in kinds for one in structs_of(kind, seen)]:
        schema: Any = msgspec.json.schema(struct)
        for match in re.finditer(r'"pattern": ("(?:[^"\\]|\\.)*")', json.dumps(schema)):
            found[f"{struct.__name__} {match[1]}"] = json.loads(match[1])
    return found


@pytest.mark.fault("X2")
def test_no_pattern_takes_a_line_break_at_its_end(run: FaultRun) -> None:
    """In Python `$` matches before a last line break too, which would get into headers, addresses and files."""
    found = [name for name, pattern in patterns().items() if takes_line_break(pattern, run.size(quick=5, long=50))]
    run.report(patterns=len(patterns()), faults=len(found))
    assert not found, said(found)


@pytest.mark.control("X2")
def test_a_plain_dollar_is_found(run: FaultRun) -> None:
    must_fail(takes_line_break("^[A-Z]{2}$", 5))


def takes_line_break(pattern: str, examples: int) -> bool:
    """Whether something that a pattern takes is taken with a line break at its end as well."""
    if not pattern.startswith("^"):
        return False  # it asks for a part, such as a letter, and not for the whole
    found: list[str] = []

    @seed(1)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=QUIET,
        phases=[Phase.generate],
    )
    @given(from_regex(pattern))
    def look(text: str) -> None:
        plain = text.rstrip("\n")
        if re.search(pattern, plain) and re.search(pattern, plain + "\n"):
            found.append(plain)

    look()
    return bool(found)
