"""The shapes of parameters: what a route takes, closed, so that what the sandbox does not know is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from lastlight.sandbox.problems import BadRequest, Json

MOST_DIGITS = 10**12 - 1
"""The largest amount of any currency."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text; one that may be unset takes the empty text for null."""

    unset: bool = False
    longest: int = 5000


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int = 0
    most: int = 99_999_999


@dataclass(frozen=True, slots=True)
class Truth:
    """`true` or `false`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]
    unset: bool = False


@dataclass(frozen=True, slots=True)
class Each:
    """A list."""

    of: "Shape"


@dataclass(frozen=True, slots=True)
class Words:
    """Metadata: texts by name, where the empty text takes a name away; what may be unset takes it for all of them."""

    unset: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Named parameters; anything else is unknown."""

    fields: Mapping[str, "Shape"] = field(default_factory=dict[str, "Shape"])
    required: frozenset[str] = frozenset()
    unset: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in seconds, or bounds of it by `gt`, `gte`, `lt`, `lte`."""


Shape = Text | Whole | Truth | Choice | Each | Words | Group | Moment
_BOUNDS = Group({name: Whole(most=2**53) for name in ("gt", "gte", "lt", "lte")})


def group(required: str = "", /, **fields: Shape) -> Group:
    """The parameters of a route, `expand` among them; `required` lists names."""
    return Group({"expand": Each(Text())} | fields, frozenset(required.split()))


def listed(**filters: Shape) -> Group:
    """The parameters of a list: its filters and those of every list."""
    paging = {"limit": Whole(1, 100), "starting_after": Text(), "ending_before": Text()}
    return group(**paging, **filters)


def read(shape: Shape, raw: Any, path: str = "") -> Any:
    """`raw` as the shape wants it; raises the refusal that names the parameter."""
    match shape:
        case Group():
            return _group(shape, raw, path)
        case Each():
            return [read(shape.of, one, f"{path}[{at}]") for at, one in enumerate(_list(raw, path))]
        case Words():
            return _words(shape, raw, path)
        case Moment():
            return (
                {"gte": (at := read(Whole(most=2**53), raw, path)), "lte": at}
                if isinstance(raw, str)
                else _group(_BOUNDS, raw, path)
            )
        case _:
            return _leaf(shape, raw, path)


def _group(shape: Group, raw: Any, path: str) -> Any:
    if raw == "" and shape.unset:
        return None
    if not isinstance(raw, dict):
        raise BadRequest(f"Invalid hash: {path} takes named values.", param=path)
    given = cast("Json", raw)
    for name in given:
        if name not in shape.fields:
            where = f"{path}[{name}]" if path else name
            raise BadRequest(f"Received unknown parameter: {where}", code="parameter_unknown", param=where)
    for name in sorted(shape.required - given.keys()):
        where = f"{path}[{name}]" if path else name
        raise BadRequest(f"Missing required param: {where}.", code="parameter_missing", param=where)
    return {name: read(shape.fields[name], value, f"{path}[{name}]" if path else name) for name, value in given.items()}


def _list(raw: Any, path: str) -> list[Any]:
    if not isinstance(raw, list):
        raise BadRequest(f"Invalid array: {path} takes a list.", param=path)
    return cast("list[Any]", raw)


def _words(shape: Words, raw: Any, path: str) -> dict[str, str] | None:
    if raw == "" and shape.unset:
        return None
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in cast("Json", raw).values()):
        raise BadRequest(f"Invalid hash: {path} takes texts by name.", param=path)
    given = cast("dict[str, str]", raw)
    for name, value in given.items():
        if len(name) > 40 or len(value) > 500:
            raise BadRequest("Metadata names have up to 40 characters, values up to 500.", param=f"{path}[{name}]")
    return given


def _leaf(shape: Text | Whole | Truth | Choice, raw: Any, path: str) -> Any:
    if not isinstance(raw, str):
        raise BadRequest(f"Invalid string: {path} takes one value.", param=path)
    match shape:
        case Text():
            return _text(shape, raw, path)
        case Whole():
            return _whole(shape, raw, path)
        case Truth():
            if raw not in {"true", "false"}:
                raise BadRequest(f"Invalid boolean: {raw}", param=path)
            return raw == "true"
        case Choice():
            if raw == "" and shape.unset:
                return None
            if raw not in shape.words:
                raise BadRequest(f"Invalid {path}: must be one of {', '.join(shape.words)}", param=path)
            return raw


def _text(shape: Text, raw: str, path: str) -> str | None:
    if raw == "" and shape.unset:
        return None
    if raw == "":
        raise BadRequest(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset a parameter; however "
            f"'{path}' cannot be unset. You should remove '{path}' from your request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=path,
        )
    if len(raw) > shape.longest:
        raise BadRequest(f"Invalid string: {path} has at most {shape.longest} characters.", param=path)
    return raw


def _whole(shape: Whole, raw: str, path: str) -> int:
    if not raw.removeprefix("-").isdecimal() or len(raw) > 18:
        raise BadRequest(f"Invalid integer: {raw}", code="parameter_invalid_integer", param=path)
    value = int(raw)
    if value < shape.least:
        raise BadRequest(
            f"This value must be greater than or equal to {shape.least}.", code="parameter_invalid_integer", param=path
        )
    if value > shape.most:
        raise BadRequest(f"This value must be less than or equal to {shape.most}.", code="amount_too_large", param=path)
    return value
