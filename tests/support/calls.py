"""Calls: a request to an operation that must succeed, made from its declaration, from things of the world and, where that says too
little, from an example in tests/contracts/given.py."""

import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import msgspec

from lastlight.modules import MODULES
from lastlight.runtime.http.operation import PATH_PARAMETER, Operation
from lastlight.runtime.module import Registry
from tests.support.examples import example_struct
from tests.support.things import THINGS, VERSIONED
from tests.support.world import Somebody, World

REGISTRY = Registry(MODULES)
OPERATIONS: Mapping[str, Operation] = {f"{op.method} {op.path}": op for op in REGISTRY.operations}


@dataclass(slots=True)
class Given:
    """What an example says: values for parts of the request, and who sends it where that cannot be just anybody."""

    path: dict[str, Any] = field(default_factory=dict[str, Any])
    query: dict[str, Any] = field(default_factory=dict[str, Any])
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    content: bytes | None = None
    version: int | None = None
    who: Somebody | None = None


Example = Callable[[World, Somebody], Awaitable[Given]]


@dataclass(slots=True)
class Call:
    """A request that is ready to be sent by anybody."""

    op: Operation
    path: dict[str, Any]
    query: dict[str, Any]
    body: Any = None
    form: dict[str, Any] | None = None
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])
    who: Somebody | None = None

    @property
    def url(self) -> str:
        """The path with its parameters filled in."""
        return PATH_PARAMETER.sub(lambda match: str(self.path[match[1]]), self.op.path)

    def replaced(self, **values: Any) -> "Call":
        """The same call with other values for parts of it."""
        return Call(**{name: getattr(self, name) for name in self.__dataclass_fields__} | values)

    def texts(self) -> str:
        """Everything that is sent, as one text: an answer that repeats it tells nothing."""
        return repr((self.url, self.query, self.body, self.form))


async def send(world: World, call: Call, who: Somebody) -> Any:
    """Send a call; the answer."""
    more: dict[str, Any] = {"headers": dict(call.headers)}
    if call.query:
        more["params"] = call.query
    if call.body is not None:
        more["json"] = call.body
    if call.form is not None:
        more["data"] = call.form
    if call.content is not None:
        more["content"] = call.content
    if call.op.idempotent and "Idempotency-Key" not in call.headers:
        more["headers"]["Idempotency-Key"] = str(uuid4())
    answer = await world.send(call.op.method, call.url, who, **more)
    if world.conformance is not None:
        world.errors.extend(world.conformance.faults(call.op, answer))
    return answer


async def plan(world: World, op: Operation, who: Somebody, examples: Mapping[str, Example]) -> Call:
    """A call that succeeds for who may make it, on fresh things of where `who` is."""
    found = examples.get(op.name)
    given = await found(world, who) if found else Given()
    asker = given.who or who
    path = {name: await _in_path(world, op, name, given, asker) for name in op.path_parameters()}
    call = Call(op, path, {}, content=given.content, headers=dict(given.headers), who=given.who)
    for parameter in op.parameters:
        if parameter.source == "query":
            call.query = _texts(example_struct(parameter.kind, given.query))
        elif parameter.source == "data":
            call.body = example_struct(parameter.kind, given.data)
        elif parameter.source == "form":
            kind = typing.get_args(parameter.kind)[0]
            version = await _version(world, op, path, given, asker)
            values = {"version": version, **given.data} if "version" in kind.__struct_fields__ else given.data
            call.form = _texts(example_struct(kind, values))
        elif parameter.source == "if_match":
            call.headers["If-Match"] = f'"{await _version(world, op, path, given, asker)}"'
    return call


async def _in_path(world: World, op: Operation, name: str, given: Given, who: Somebody) -> Any:
    if name in given.path:
        return given.path[name]
    if name == "tenant_id":
        return world.a.id
    if name not in THINGS:
        raise AssertionError(
            f"{op.method} {op.path}: nobody says what {name} is. Add how to make one to THINGS in tests/support/things.py, "
            f"or an example `async def {op.name}` to tests/contracts/given.py."
        )
    return await THINGS[name](world, who)


async def _version(world: World, op: Operation, path: Mapping[str, Any], given: Given, who: Somebody) -> int:
    if given.version is not None:
        return given.version
    named = [name for name in path if name in VERSIONED]
    thing = path[named[-1]] if named else who.tenant_id
    table = VERSIONED[named[-1]] if named else "tenants"
    found = await world.value(f"select version from {table} where id = $1", thing)
    return found or 1


def _texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as a query string or a form carries them."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, bool):
            found[name] = "true" if value else "false"
        elif isinstance(value, list):
            found[name] = [str(one) for one in typing.cast("list[Any]", value)]
        elif value is not None:
            found[name] = str(value)
    return found


VOLATILE = (
    (re.compile(r"urn:request:[\w-]*"), "urn:request"),
    (re.compile(r"(?<=[\"'>\s])[0-9a-f]{32}(?=[\"'<\s])"), "request"),
)
COMPARED = (
    "content-type",
    "location",
    "allow",
    "www-authenticate",
    "cache-control",
    "etag",
    "vary",
    "content-disposition",
)


def comparable(answer: Any, *hidden: Any) -> dict[str, Any]:
    """What of an answer may not differ between a thing of others and one that is not there: all but its request's id.

    `hidden` are texts of the request itself, such as the id that was asked for.
    """
    text = answer.text
    headers = {name: answer.headers.get(name, "") for name in COMPARED}
    for value in hidden:
        text = text.replace(str(value), "(asked)")
        headers = {name: said.replace(str(value), "(asked)") for name, said in headers.items()}
    for pattern, replacement in VOLATILE:
        text = pattern.sub(replacement, text)
    cookies = sorted(cookie.name for cookie in answer.cookies.jar)
    return {"status": answer.status_code, "headers": headers, "cookies": cookies, "body": text}


def decoded_problem(answer: Any) -> dict[str, Any]:
    """A problem's members; empty where the answer is none."""
    if "problem+json" not in answer.headers.get("content-type", ""):
        return {}
    return msgspec.json.decode(answer.content)
