"""Reading what a client sent: bounded, strict, and with the path of the field at fault."""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec

from lastlight.kernel.errors import Invalid, Malformed

T = TypeVar("T")

MAX_DEPTH = 32
MAX_FIELDS = 200
YEARS = range(1000, 9001)
"""Of dates in queries and forms: a screen reckons weeks before and after them, and in every zone."""
AT_PATH = re.compile(r" - at `(?:key in )?\$?\.?(.*?)`$")
BRACKETS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
"""Strings and brackets. A string that never ends reaches to the end at once: looked at again from each quote, it would take hours."""
UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`")
MISSING = re.compile(r"Object missing required field `(.*?)`")
SENTENCES = (
    (re.compile(r"Expected `str` of length >= 1(?!\d)"), "This is needed."),
    (re.compile(r"Expected `str` of length >= (\d+)"), r"Write at least \1 characters."),
    (re.compile(r"Expected `str` of length <= (\d+)"), r"Write at most \1 characters."),
    (re.compile(r"Expected `array` of length >= (\d+)"), r"Give at least \1 entries."),
    (re.compile(r"Expected `array` of length <= (\d+)"), r"Give at most \1 entries."),
    (re.compile(r"Expected `(?:int|float|decimal)` >= (\S+)"), r"Give a number of at least \1."),
    (re.compile(r"Expected `(?:int|float|decimal)` <= (\S+)"), r"Give a number of at most \1."),
    (re.compile(r"Expected `(?:int|float|decimal)` > (\S+)"), r"Give a number above \1."),
    (re.compile(r"Expected `(?:int|float|decimal)` < (\S+)"), r"Give a number below \1."),
    (
        re.compile(r"Expected `int`, got `null`|Expected `float`, got `null`|Expected `str`, got `null`"),
        "This may not be empty.",
    ),
    (re.compile(r"(?:Integer|Number) (?:value )?out of range"), "Give a smaller number."),
    (re.compile(r"Expected `int`"), "Give a whole number."),
    (re.compile(r"Expected `(?:float|decimal)`|Invalid decimal"), "Give a number."),
    (re.compile(r"Expected `bool`"), "Give true or false."),
    (re.compile(r"Expected `str` matching regex"), "This does not have the right form."),
    (re.compile(r"Expected `str`"), "Give a text."),
    (re.compile(r"Expected `array`"), "Give a list."),
    (re.compile(r"Expected `object`"), "Give an object."),
    (re.compile(r"Expected `uuid`|Invalid UUID"), "Give an id as a UUID."),
    (
        re.compile(r"Expected `datetime`|Invalid (?:RFC3339 encoded |ISO8601 )?datetime"),
        "Give a time such as 2026-11-21T22:30:00Z.",
    ),
    (re.compile(r"Expected `date`|Invalid (?:RFC3339 encoded |ISO8601 )?date"), "Give a date such as 2026-11-21."),
    (re.compile(r"Expected `time`|Invalid (?:RFC3339 encoded |ISO8601 )?time"), "Give a time of day such as 22:30."),
    (re.compile(r"Invalid enum value"), "Choose one of the values that the reference lists."),
)


def decode_json(raw: bytes, kind: Any) -> Any:
    """Decode a JSON body into a type; Malformed when it is no JSON, Invalid with the field's path when a value is refused."""
    _check_depth(raw)
    try:
        value = msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
    except UnicodeDecodeError as error:
        raise Malformed("The body is not valid JSON in UTF-8: it holds bytes that are no UTF-8.") from error
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Malformed(f"The body is not valid JSON in UTF-8: {_plain(error)}.") from error
    _refuse_twice(raw)
    if b"\\u0000" in raw:
        _refuse_nul(msgspec.json.decode(raw), "")
    return value


def _refuse_twice(raw: bytes) -> None:
    """Readers differ in which of two fields of one name counts, so neither does."""
    json.loads(raw, object_pairs_hook=_once, parse_float=str, parse_int=str)


def _once(found: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in found:
        if name in seen:
            raise Malformed(f"The body gives the field {name[:100]!r} twice.")
        seen.add(name)


def _check_depth(raw: bytes) -> None:
    """Nesting is counted before anything recurses: outside strings, brackets may be at most MAX_DEPTH deep."""
    depth = 0
    for token in BRACKETS.finditer(raw):
        first = token.group()[:1]
        if first in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise Malformed(f"The body is nested more than {MAX_DEPTH} deep.")
        elif first in (b"]", b"}"):
            depth -= 1


def _refuse_nul(value: Any, path: str) -> None:
    if isinstance(value, str) and "\x00" in value:
        raise Invalid(fields={path or "body": "This holds a NUL character; leave it out."})
    if isinstance(value, dict):
        entries: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType] decoded JSON
        for key, child in entries.items():
            _refuse_nul(key, path)
            _refuse_nul(child, f"{path}.{key}" if path else key)
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType] decoded JSON
        for index, child in enumerate(items):
            _refuse_nul(child, f"{path}[{index}]")


def decode_query(raw: bytes, kind: type[Any], *, ignore: tuple[str, ...] = ()) -> Any:
    """Decode a query string into a struct; repeated names fill lists, unknown names are refused."""
    return convert_text(pairs(raw, ignore=ignore), kind)


def refuse_query(query: str) -> None:
    """Refuse query parameters where the operation takes none."""
    if query:
        decode_query(query.encode("latin-1"), _Nothing)


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """Takes no field at all."""


def pairs(raw: bytes, *, ignore: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """The names and values of a query string or an urlencoded form."""
    try:
        text = raw.decode("ascii") if raw.isascii() else raw.decode("utf-8")
        found = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise Malformed("The query or form is not valid UTF-8, or has too many fields.") from error
    values: dict[str, list[str]] = {}
    for name, value in found:
        if "\x00" in name or "\x00" in value:
            raise Invalid(fields={name.replace("\x00", ""): "This holds a NUL character; leave it out."})
        if name not in ignore:
            values.setdefault(name, []).append(value)
    return values


def convert_text(values: Mapping[str, list[str]], kind: type[Any]) -> Any:
    """Turn texts into a struct's types. An empty text counts as not given, unless the field is a plain text."""
    hints = get_type_hints(kind, include_extras=True)
    source: dict[str, Any] = {}
    for name, texts in values.items():
        if name in hints and holds(hints[name], list):
            source[name] = [text for text in texts if text]
        elif name in hints and texts[-1] == "" and not _is_text(hints[name]):
            continue
        else:
            source[name] = texts[-1]
    try:
        value = msgspec.convert(source, kind, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error) from error
    _refuse_far(value)
    return value


def _refuse_far(value: Any) -> None:
    for name in value.__struct_fields__:
        found = getattr(value, name)
        if isinstance(found, date) and found.year not in YEARS:
            raise Invalid(fields={name: f"Choose a date between the years {YEARS[0]} and {YEARS[-1]}."})


def checked(value: T) -> T:
    """A struct that a page made of a form's texts, held to the rules of one that was sent as JSON; Invalid with the paths at fault."""
    try:
        return msgspec.convert(msgspec.to_builtins(value), type(value))
    except msgspec.ValidationError as error:
        raise invalid(error) from error


def holds(kind: Any, wanted: type) -> bool:
    """Whether a type, or one of the members of a union or annotation, is `wanted`."""
    if kind is wanted or get_origin(kind) is wanted:
        return True
    return any(
        holds(arg, wanted)
        for arg in get_args(kind)
        if not isinstance(arg, msgspec.Meta) and get_origin(kind) is not wanted
    )


def _is_text(kind: Any) -> bool:
    return kind is str or (
        get_origin(kind) is not None and get_args(kind)[:1] == (str,) and type(None) not in get_args(kind)
    )


def invalid(error: Exception) -> Invalid:
    """A msgspec refusal as a Problem: the field's path and a sentence that says what to give."""
    message = str(error).replace(" | null`", "`")  # a field that may be left out needs the same sentence
    match = AT_PATH.search(message)
    path = match[1] if match else ""
    unknown, missing = UNKNOWN.search(message), MISSING.search(message)
    if unknown:
        return Invalid(fields={_join(path, unknown[1]): "There is no such field; check its spelling or leave it out."})
    if missing:
        return Invalid(fields={_join(path, missing[1]): "This is needed."})
    for pattern, sentence in SENTENCES:
        found = pattern.search(message)
        if found:
            return Invalid(fields={path or "body": found.expand(sentence) if "\\" in sentence else sentence})
    return Invalid(fields={path or "body": _plain(message)})


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _plain(error: object) -> str:
    text = AT_PATH.sub("", str(error)).replace("`", "")
    return text[:200].rstrip(".")
