"""Operation: an edge declared once. From the declaration come the guard, the binding, OpenAPI and the registry."""

import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

import msgspec

from lastlight.kernel.errors import Problem
from lastlight.kernel.ids import PLATFORM
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Actor
from lastlight.runtime.db.pools import PoolName
from lastlight.runtime.module import RegistryError

Source = Literal["ctx", "data", "query", "form", "request", "if_match", "path", "body", "prepared"]
Kind = Literal["api", "page"]
Handler = Callable[..., Awaitable[Any]]
PATH_PARAMETER = re.compile(r"\{(\w+):(\w+)\}")
SAFE = ("GET", "HEAD", "OPTIONS")


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client sends. Unknown fields are refused."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a handler and where it comes from."""

    name: str
    source: Source
    kind: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A declared edge: one method on one path, whom it is for and what it may answer."""

    method: str
    path: str
    fn: Handler
    kind: Kind = "api"
    permission: Permission | None = None
    public: str = ""
    """Why anybody may call it."""
    signed_in: str = ""
    """Why everybody who is signed in may call it: it touches only what is their own."""
    looking: str = ""
    """Why somebody who only looks may call it although it writes. It then runs as nobody's: it reads the credentials itself."""
    idempotent: bool = False
    """Refuses a call without an Idempotency-Key; every other POST honours one that is sent."""
    raises: tuple[type[Problem], ...] = ()
    status: int = 200
    tags: tuple[str, ...] = ()
    sensitive: str = ""
    """The name under which each call is audited, for reads that are."""
    limit: str = "user"
    """The class of rate limit that counts it."""
    db: PoolName | None = None
    scope_tenant: str = ""
    """The path parameter that names the tenant inside which the crew acts."""
    form_page: str = ""
    """Pages: the template that is shown again, with the problem, when a form is refused."""
    form_block: str = ""
    """The block of it that htmx puts in the form's place."""
    form_context: Handler | None = None
    body_limit: int | None = None
    toggle: str = ""
    """The tenant module that switches it off, where it is another than its module's own."""
    secret: bool = False
    """Its answer holds a secret, so it is never kept under an Idempotency-Key."""
    prepare: Handler | None = None
    """Slow work before the transaction, such as hashing a password: called with (services, data or query, actor), gives
    `prepared`."""
    parameters: tuple[Parameter, ...] = ()
    returns: Any = None
    same_as: str = ""
    """The method and path of the operation that this one is at a second path."""

    @property
    def name(self) -> str:
        """The operation id: the function's name."""
        return self.fn.__name__

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        return (inspect.getdoc(self.fn) or self.name.replace("_", " ")).split("\n", 1)[0]

    @property
    def description(self) -> str:
        """The whole docstring, and whose second path it is."""
        said = inspect.getdoc(self.fn) or ""
        return f"{said}\n\nThe same as `{self.same_as}`, under a second path." if self.same_as else said

    @property
    def for_crew(self) -> bool:
        """Whether it is a page of the platform's own console, which only the crew opens."""
        return self.kind == "page" and self.path.startswith("/platform/")

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method not in SAFE

    def parameter(self, source: Source) -> Parameter | None:
        """The one parameter that comes from a source, if there is one."""
        return next((p for p in self.parameters if p.source == source), None)

    def path_parameters(self) -> dict[str, Any]:
        """The path's parameters and the types that the handler gives them."""
        return {p.name: p.kind for p in self.parameters if p.source == "path"}


def get(path: str, **options: Any) -> Callable[[Handler], Operation]:
    """Declare a read."""
    return _declare("GET", path, "api", options)


def post(path: str, **options: Any) -> Callable[[Handler], Operation]:
    """Declare a creation or a command."""
    return _declare("POST", path, "api", options)


def put(path: str, **options: Any) -> Callable[[Handler], Operation]:
    """Declare a replacement."""
    return _declare("PUT", path, "api", options)


def patch(path: str, **options: Any) -> Callable[[Handler], Operation]:
    """Declare a change."""
    return _declare("PATCH", path, "api", options)


def delete(path: str, **options: Any) -> Callable[[Handler], Operation]:
    """Declare a removal (which, where history matters, archives)."""
    return _declare("DELETE", path, "api", {"status": 204} | options)


def also_at(op: Operation, path: str) -> Operation:
    """An operation at a second path too: the same guard, input, refusals and answer. The path names the same parameters."""
    if PATH_PARAMETER.findall(path) != PATH_PARAMETER.findall(op.path):
        raise RegistryError(f"{path} and {op.path} do not name the same parameters")
    shown = PATH_PARAMETER.sub(r"{\1}", op.path)
    return replace(op, path=path, same_as=f"{op.method} {shown}")


def page(path: str, **options: Any) -> Callable[[Handler], Operation]:
    """Declare a page: a View or a Redirect. `listing` gives its `query` the type of a declared list's query."""
    return _declare("GET", path, "page", options)


def page_post(path: str, **options: Any) -> Callable[[Handler], Operation]:
    """Declare what a page's form or button does."""
    return _declare("POST", path, "page", options)


def _declare(method: str, path: str, kind: Kind, options: dict[str, Any]) -> Callable[[Handler], Operation]:
    def wrap(fn: Handler) -> Operation:
        given = dict(options)
        listing = given.pop("listing", None)
        parameters, returns = _bind(fn, path, {} if listing is None else {"query": listing.query_type})
        for name in ("raises", "tags"):
            given[name] = tuple(given.get(name, ()))
        return Operation(method=method, path=path, kind=kind, fn=fn, parameters=parameters, returns=returns, **given)

    return wrap


def _bind(fn: Handler, path: str, known: dict[str, Any]) -> tuple[tuple[Parameter, ...], Any]:
    hints = typing.get_type_hints(fn, include_extras=True) | known
    in_path = {name for name, _ in PATH_PARAMETER.findall(path)}
    found: list[Parameter] = []
    for name in inspect.signature(fn).parameters:
        if name not in hints:
            raise RegistryError(f"{fn.__qualname__}: {name} needs a type")
        source = _source(name, in_path)
        if source is None:
            raise RegistryError(f"{fn.__qualname__}: nothing in {path} gives {name}")
        if source in {"data", "query"}:
            check_closed(hints[name], f"{fn.__qualname__}({name})")
        found.append(Parameter(name, source, hints[name]))
    missing = in_path - {p.name for p in found if p.source == "path"}
    if missing:
        raise RegistryError(f"{fn.__qualname__} does not take {', '.join(sorted(missing))} of {path}")
    return tuple(found), hints.get("return")


def _source(name: str, in_path: set[str]) -> Source | None:
    if name in in_path:
        return "path"
    known: tuple[Source, ...] = ("ctx", "data", "query", "form", "request", "if_match", "body", "prepared")
    return next((source for source in known if source == name), None)


def check_closed(kind: Any, where: str) -> None:
    """Refuse an input type that would let unknown fields pass."""
    for struct in structs_of(kind, set()):
        if not struct.__struct_config__.forbid_unknown_fields:
            raise RegistryError(f"{where}: {struct.__name__} takes unknown fields; derive it from Input")


def structs_of(kind: Any, seen: set[Any]) -> Sequence[Any]:
    """The struct types that a type is made of, itself included; `seen` are left out and added to."""
    found: list[Any] = []
    origin = typing.get_origin(kind)
    if origin is typing.Annotated or origin is not None:
        for arg in typing.get_args(kind):
            if not isinstance(arg, msgspec.Meta):
                found += structs_of(arg, seen)
        return found
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        seen.add(kind)
        found.append(kind)
        for child in typing.get_type_hints(kind, include_extras=True).values():
            found += structs_of(child, seen)
    return found


def converter(kind: str) -> Callable[[str], Any]:
    """How a path parameter's text becomes a value; raises ValueError."""
    return {"uuid": UUID, "int": int, "str": str, "path": str}[kind]


def role_of(op: Operation | None, actor: Actor) -> PoolName:
    """The database role that a transaction signs in as: the operation's where it names one, else its actor's own."""
    own = _own_role(actor)
    if op is None:
        return own
    return op.db or ("system" if own == "app" and op.public and actor.tenant_id == PLATFORM else own)


def _own_role(actor: Actor) -> PoolName:
    if actor.kind == "crew" and actor.tenant_id == PLATFORM:
        return "platform"  # inside a tenant the crew is held to it by the policies of its own people
    return "app" if actor.user_id else "system"
