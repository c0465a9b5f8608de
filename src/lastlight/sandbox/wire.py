"""What travels: forms with nested names, keys in headers, JSON answers."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl

import msgspec

from lastlight.sandbox.problems import BadRequest, Json, unauthorized

SECRET_KEY = re.compile(r"sk_test_[A-Za-z0-9_]{1,200}")
PUBLISHABLE_KEY = re.compile(r"pk_test_[A-Za-z0-9_]{1,200}")
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it came; header names are lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    base: str
    pages: Mapping[str, str] = field(default_factory=dict[str, str])
    """The accounts of publishable keys that are not named after theirs."""

    @property
    def raw_parameters(self) -> str:
        """The form: the body of a POST, else the query."""
        return self.body.decode("utf-8", "replace") if self.method == "POST" else self.query


@dataclass(slots=True)
class Answer:
    """One answer; `lost` closes the connection instead of sending it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict[str, str])
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """An API key: the account that it opens, and whether it is the one that pages may hold."""

    account: str
    publishable: bool


def json_answer(status: int, value: Any, **headers: str) -> Answer:
    """A JSON answer, indented as Stripe's."""
    return Answer(
        status,
        indented(value),
        {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()},
    )


def indented(value: Any) -> bytes:
    """JSON as people like to read it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2)


def key_of(request: Request) -> Key:
    """Who asks; `sk_test_x` and `pk_test_x` are the two keys of one account."""
    given = _given_key(request.headers.get("authorization", ""))
    if not given:
        raise unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth."
        )
    if given.startswith(("sk_live_", "rk_live_", "pk_live_")):
        raise unauthorized("This is a sandbox: it moves no money and takes no live key.", code="livemode_mismatch")
    publishable = PUBLISHABLE_KEY.fullmatch(given) is not None
    if not publishable and SECRET_KEY.fullmatch(given) is None:
        raise unauthorized(f"Invalid API Key provided: {given[:8]}{'*' * max(len(given) - 12, 0)}{given[12:][-4:]}")
    name = given.split("_test_", 1)[1]
    return Key(request.pages.get(name, name) if publishable else name, publishable)


def _given_key(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def decoded(raw: str) -> Json:
    """A form as a tree: `a[b]=1` is `{"a": {"b": "1"}}`, `a[]=1` and `a[0]=1` are `{"a": ["1"]}`."""
    tree: Json = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        _place(tree, _steps(name), value, name)
    return {name: _lists(value) for name, value in tree.items()}


def _steps(name: str) -> list[str]:
    head, bracket, rest = name.partition("[")
    steps = [head, *(bracket + rest)[1:-1].split("][")] if bracket else [head]
    if not head or (bracket and not name.endswith("]")) or len(steps) > _DEEPEST:
        raise BadRequest(f"Invalid parameter name: {name}", param=name)
    return steps


def _place(tree: Json, steps: list[str], value: str, name: str) -> None:
    for step in steps[:-1]:
        below = tree.setdefault(step or str(len(tree)), {})
        if not isinstance(below, dict):
            raise BadRequest(f"Invalid parameter: {name} is given as a value and as a hash", param=name)
        tree = cast("Json", below)
    last = steps[-1] or str(len(tree))
    if isinstance(tree.get(last), dict):
        raise BadRequest(f"Invalid parameter: {name} is given as a value and as a hash", param=name)
    tree[last] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    tree = {name: _lists(below) for name, below in cast("Json", value).items()}
    if tree and all(name.isdigit() for name in tree):
        return [tree[name] for name in sorted(tree, key=int)]
    return tree
