"""Hostile values for every field of every operation: times at the edges, numbers without end, broken text, and texts that try to run."""

import datetime as dt
import json
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from lastlight.runtime.http.operation import Operation
from tests.contracts.expected import WORKS, expected
from tests.contracts.probes import good_call
from tests.support.calls import Call, send
from tests.support.world import Somebody, World

SPARED = frozenset({"logout_all", "close_cookie_session", "revoke_other_sessions", "change_password", "logout"})
"""What ends the session of who asks."""
ASKERS = ("A.owner", "A.patron", "crew.super_admin", "anonymous")
TIMES = (
    *("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"),
    *(
        "2026-11-21T10:00:00",
        "1900-01-01T00:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-11-21T10:00:60Z",
        "-0001-01-01T00:00:00Z",
    ),
    *("2026-11-21T10:00:00+24:00", "1969-12-31T23:59:59.999999999Z", "infinity", "now"),
)
DATES = ("0001-01-01", "9999-12-31", "9999-12-30", "2026-02-30", "0000-00-00", "infinity", "-4713-01-01")
DAYTIMES = ("24:00", "23:59:60", "00:00:00+14:00", "-01:00")
TEXTS = (
    "<script>xss()</script>\"'><img src=x onerror=xss()>",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "x" * 6_000,
    "é" * 301,
    "a\u0301" * 400,
    "=cmd|' /C calc'!A0",
    "a\r\nX-Pwn: 1",
    "\u202e\u2066\ufeff\u0000",
    "%00%0d%0a",
    "{{7*7}}${7*7}",
    "' or 1=1 --",
    "..%2f..%2fetc/passwd",
    "../../../../etc/passwd",
    "\x7f\x1b[31m\x08",
    "\U0010ffff\U0001f4a9",
    " ",
)
INTS = (2**63, 2**63 - 1, -(2**63), 2**53, 2**31, 2**31 - 1, 2**15, -1, 0, 10**30, 10**400)
FLOATS = (1e308, -1e308, 5e-324, -0.0)
UUIDS = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "x", "{}")
WRONG: tuple[Any, ...] = (None, [], {}, True, "", [[]], [None], {"": None}, "null", 1.5)
"""Of another shape than anything asks for."""
RAW = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e400",
    b"0x10",
    b"01",
    b"1" + b"0" * 5_000,
    b'"\xff\xfe"',
    b'"\\ud800"',
    b"{",
    b"'x'",
)
"""Written into the body as they are, where JSON would not let them."""
SPOT = "\u2063spot\u2063"
"""Where one of them goes."""


@dataclass(slots=True)
class Hit:
    """What came of hostile calls."""

    calls: int = 0
    taken: int = 0
    faults: list[str] = field(default_factory=list[str])


def hints_of(kind: Any) -> dict[str, Any]:
    """The fields of a struct and their types."""
    return typing.get_type_hints(kind, include_extras=True)


def leaves(kind: Any) -> set[Any]:
    """The plain types that a type is made of."""
    if isinstance(kind, typing.NewType):
        return leaves(kind.__supertype__)
    args = [arg for arg in typing.get_args(kind) if not isinstance(arg, msgspec.Meta)]
    if typing.get_origin(kind) is typing.Literal:
        return {str}
    return {leaf for arg in args for leaf in leaves(arg)} if args else {kind}


def values_for(kind: Any) -> list[Any]:
    """Hostile values for a field of a type; a few of another shape always among them."""
    found = leaves(kind)
    values: list[Any] = [*WRONG]
    by_type: tuple[tuple[type, tuple[Any, ...]], ...] = (
        (dt.datetime, TIMES),
        (dt.date, DATES),
        (dt.time, DAYTIMES),
        (int, INTS),
        (float, FLOATS + INTS),
        (str, TEXTS),
    )
    for one, hostile in by_type:
        values += hostile if one in found else ()
    named = {leaf.__name__ for leaf in found if isinstance(leaf, type)}
    return values + ([*UUIDS] if "UUID" in named else [])


def structs_in(kind: Any) -> list[Any]:
    """The structs that a type holds."""
    return [leaf for leaf in leaves(kind) if isinstance(leaf, type) and issubclass(leaf, msgspec.Struct)]


def variants(kind: Any, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A good body with one hostile value in it, for every value and field, however deep."""
    for name, hint in hints_of(kind).items():
        structs = structs_in(hint)
        for value in values_for(hint):
            yield f"{name}={str(value)[:40]!r}", {**body, name: value}
            if "list" in repr(hint):
                yield f"{name}=[{str(value)[:40]!r}]", {**body, name: [value]}
        yield f"{name}={SPOT}", {**body, name: SPOT}
        if isinstance(body.get(name), str):
            yield f"{name} and a line break", {**body, name: f"{body[name]}\n"}
        match body.get(name):
            case {**inner} if len(structs) == 1:
                yield from ((f"{name}.{said}", {**body, name: one}) for said, one in variants(structs[0], inner))
            case [{**first}, *_] if len(structs) == 1:
                yield f"{name} many", {**body, name: [first] * 5_000}
                yield from ((f"{name}[0].{said}", {**body, name: [one]}) for said, one in variants(structs[0], first))
            case [first, *_]:
                yield f"{name} many", {**body, name: [first] * 5_000}
            case _:
                pass


def calls_of(call: Call, rng: Random) -> list[tuple[str, Call]]:
    """Every hostile form of a good call."""
    op, found = call.op, list[tuple[str, Call]]()
    data, form, query = op.parameter("data"), op.parameter("form"), op.parameter("query")
    if data is not None and call.body is not None:
        for said, body in variants(data.kind, call.body):
            found.append((said, _with_json(call, body, rng)))
    if form is not None and call.form is not None:
        for said, values in variants(typing.get_args(form.kind)[0], call.form):
            found.append((said, _with_form(call, values)))
    if query is not None:
        for name, hint in hints_of(query.kind).items():
            found += [(f"?{name}={str(value)[:40]!r}", _with_query(call, name, value)) for value in values_for(hint)]
    for name, kind in op.path_parameters().items():
        if str in leaves(kind):
            found += [(f"/{name}={text[:40]!r}", _with_path(call, name, text)) for text in TEXTS]
    return found


def _with_json(call: Call, body: Any, rng: Random) -> Call:
    raw = json.dumps(body, default=str).encode()
    raw = raw.replace(json.dumps(SPOT).encode(), rng.choice(RAW))
    return call.replaced(body=None, content=raw, headers={**call.headers, "Content-Type": "application/json"})


def _with_form(call: Call, values: dict[str, Any]) -> Call:
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        match value:
            case [*several]:
                pairs += [(name, str(one)) for one in several]
            case _:
                pairs.append((name, str(value)))
    raw = urlencode(pairs, errors="surrogatepass").encode()
    headers = {**call.headers, "Content-Type": "application/x-www-form-urlencoded"}
    return call.replaced(form=None, content=raw, headers=headers)


def _with_query(call: Call, name: str, value: Any) -> Call:
    text = str(value)[:20_000].encode("utf-8", "surrogatepass").decode("latin-1")
    return call.replaced(query={**call.query, name: text})


def _with_path(call: Call, name: str, text: str) -> Call:
    return call.replaced(path={**call.path, name: quote(text[:3_000].encode("utf-8", "surrogatepass"), safe="")})


async def asker_of(world: World, op: Operation) -> Somebody | None:
    """Somebody who may call an operation; None for those that end sessions."""
    if op.name in SPARED:
        return None
    return next((world.somebody[name] for name in ASKERS if expected(op, world.somebody[name]) == WORKS), None)


async def throw(world: World, op: Operation, hit: Hit, *, most: int, rng: Random) -> None:
    """Throw hostile calls at an operation: none may be answered with 500, nor in a shape that the document does not know."""
    who = await asker_of(world, op)
    if who is None:
        return
    call = await good_call(world, op, who)
    thrown = calls_of(call, rng)
    for said, hostile in thrown if len(thrown) <= most else rng.sample(thrown, most):
        hit.calls += 1
        try:
            answer = await send(world, hostile, call.who or who)
        except Exception as error:  # noqa: BLE001 - whatever gets out of the application is what is looked for
            hit.faults.append(f"{op.method} {op.path} {said} raised {type(error).__name__}: {error}"[:400])
            continue
        hit.taken += answer.status_code < 400
        if answer.status_code >= 500 or "root:x:0:" in answer.text:
            hit.faults.append(f"{op.method} {op.path} {said} gets {answer.status_code}: {answer.text}"[:400])
        if "x-pwn" in answer.headers:
            hit.faults.append(f"{op.method} {op.path} {said} writes a header of its own")
    hit.faults += [f"{op.method} {op.path} broke: {error}" for error in dict.fromkeys(world.errors)]
    world.errors.clear()


async def look(world: World, op: Operation, hit: Hit) -> None:
    """Open what was written to: no answer of 500."""
    who = await asker_of(world, op)
    if who is None or op.method != "GET":
        return
    call = await good_call(world, op, who)
    hit.calls += 1
    answer = await send(world, call, call.who or who)
    if answer.status_code >= 500:
        hit.faults.append(f"{op.path} gets {answer.status_code} when what was sent is looked at: {world.errors}"[:600])
        world.errors.clear()
