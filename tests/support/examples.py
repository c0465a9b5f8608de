"""Valid values made from types: the smallest body, query or form that an operation takes."""

import re
import typing
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union
from uuid import UUID, uuid4

import msgspec

NAMED: Mapping[str, Any] = {
    "email": "somebody@example.test",
    "contact_email": "somebody@example.test",
    "password": "correct horse battery",
    "new_password": "another horse battery",
    "current_password": "correct horse battery",
    "time_zone": "Africa/Johannesburg",
    "country": "ZA",
    "currency": "ZAR",
    "locale": "en",
    "language": "en",
    "slug": "an-example",
    "reason": "because the contract says so",
    "claimed_at": "2026-11-21T20:00:00.000Z",
}
"""Fields whose type says less than their meaning."""
SHAPES = ("ZA", "ZAR", "en", "a", "a1", "22:30", "2026-11-21", "0" * 64)
"""Tried in turn where a pattern is asked for."""
PLAIN: Mapping[Any, Any] = {str: "example", int: 1, float: 1.0, bool: True, bytes: "", type(None): None}
MOMENTS: Mapping[Any, Any] = {
    datetime: lambda: datetime(2026, 11, 21, 20, 0, tzinfo=UTC).isoformat(),
    date: lambda: "2026-11-21",
    time: lambda: "22:30:00",
    timedelta: lambda: "PT1H",
}


def example(kind: Any, given: Mapping[str, Any], *, name: str = "") -> Any:
    """A value of a type as JSON would hold it; `given` maps names of fields to the values that they are to have."""
    if isinstance(kind, typing.NewType):
        return example(kind.__supertype__, given, name=name)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return example_struct(kind, given)
    if name in given:
        one = typing.get_origin(_bare(kind)) is list and not isinstance(given[name], list)
        return [given[name]] if one else given[name]
    if typing.get_origin(kind) is Annotated:
        return _constrained(kind, given, name)
    return _plain(kind, given, name)


def example_struct(kind: type[msgspec.Struct], given: Mapping[str, Any]) -> dict[str, Any]:
    """The required fields of a struct, and every optional one that `given` names."""
    fields = msgspec.structs.fields(kind)
    return {
        field.encode_name: example(field.type, given, name=field.name)
        for field in fields
        if field.required or field.name in given
    }


def id_fields(kind: Any) -> list[str]:
    """The names of a struct's own fields that hold ids."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return []
    return [field.name for field in msgspec.structs.fields(kind) if holds_id(field.type)]


def holds_id(kind: Any) -> bool:
    """Whether a type is an id, a list of ids, or may be either."""
    if isinstance(kind, typing.NewType):
        return holds_id(kind.__supertype__)
    if typing.get_origin(kind) is Annotated:
        return holds_id(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (Union, UnionType, list, tuple, frozenset, set):
        return any(holds_id(arg) for arg in typing.get_args(kind))
    return kind is UUID


def _bare(kind: Any) -> Any:
    """A type without annotations and without None."""
    if isinstance(kind, typing.NewType):
        return _bare(kind.__supertype__)
    if typing.get_origin(kind) is Annotated:
        return _bare(typing.get_args(kind)[0])
    if typing.get_origin(kind) in (Union, UnionType):
        return _bare(next(arg for arg in typing.get_args(kind) if arg not in (type(None), msgspec.UnsetType)))
    return kind


def _constrained(kind: Any, given: Mapping[str, Any], name: str) -> Any:
    inner, *marks = typing.get_args(kind)
    meta = next((mark for mark in marks if isinstance(mark, msgspec.Meta)), msgspec.Meta())
    value = _plain(inner, given, name)
    if isinstance(value, str) and meta.pattern:
        return next(shape for shape in (value, *SHAPES) if re.search(meta.pattern, shape))
    if isinstance(value, str):
        return value.ljust(meta.min_length or 0, "x")[: meta.max_length]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return max(value, meta.ge or value, (meta.gt or value - 1) + 1) if meta.le is None else min(value, meta.le)
    if value == [] and meta.min_length:
        element = example(typing.get_args(_bare(inner))[0], given, name=name)
        return [element] * meta.min_length
    return value


def _plain(kind: Any, given: Mapping[str, Any], name: str) -> Any:
    origin = typing.get_origin(kind)
    if name in NAMED and origin not in (list, dict):
        return NAMED[name]
    if origin in (Union, UnionType):
        return example(next(arg for arg in typing.get_args(kind) if arg is not msgspec.UnsetType), given, name=name)
    if origin is Literal:
        return typing.get_args(kind)[0]
    if origin in (list, tuple, set, frozenset):
        return []
    if origin is dict or kind is dict:
        return {}
    if kind is UUID:
        return str(uuid4())
    if kind in MOMENTS:
        return MOMENTS[kind]()
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    return PLAIN.get(kind)
