"""What a row's fields become in a file: plain values of a few shapes, the same for every format."""

import types
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from lastlight.kernel.money import digits_of
from lastlight.runtime.http.listing import Column, Listing

Shape = Literal["text", "integer", "float", "decimal", "bool", "time", "date", "money", "currency", "list", "json"]
Plain = str | int | float | Decimal | bool | datetime | date | list[str] | None

SHAPES: tuple[tuple[type, Shape], ...] = (
    (bool, "bool"),
    (int, "integer"),
    (float, "float"),
    (Decimal, "decimal"),
    (datetime, "time"),
    (date, "date"),
)
"""In this order, because a bool is an int and a datetime is a date."""
STEERING = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a text for a formula; the last four are the wide forms of the first."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One column of a file. `field` is the row's own; money becomes two columns, the amount in major units and the currency."""

    name: str
    label: str
    field: str
    shape: Shape


def cells_of(listing: Listing[Any]) -> tuple[Cell, ...]:
    """The columns of a listing's file: all of its columns, shown or not, as their row's types say."""
    hints = get_type_hints(listing.row)
    return tuple(cell for column in listing.columns if column.name in hints for cell in _cells(column, hints))


def plain(item: Any, cell: Cell) -> Plain:
    """The value of a row's field in the shape of its column: times in UTC, money in major units, ids as text."""
    value = getattr(item, cell.field)
    if value is None:
        return None
    match cell.shape:
        case "time":
            return value.astimezone(UTC)
        case "money":
            return Decimal(value.amount).scaleb(-digits_of(value.currency))
        case "currency":
            return value.currency
        case "list":
            return [_text(entry) for entry in value]
        case "json":
            return msgspec.json.encode(value).decode()
        case "text":
            return _text(value)
        case _:
            return value


def in_words(value: Plain) -> str:
    """A value as the text of a spreadsheet's cell; a text that would be taken for a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return harmless("; ".join(value))
    if isinstance(value, date):
        return msgspec.to_builtins(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def harmless(text: str) -> str:
    """A text that no spreadsheet runs: one that could be a formula is marked as text."""
    return f"'{text}" if text.startswith(STEERING) else text


def _cells(column: Column, hints: dict[str, Any]) -> tuple[Cell, ...]:
    kind = _bare(hints[column.name])
    if column.kind == "money" and isinstance(kind, type) and {"amount", "currency"} <= set(get_type_hints(kind)):
        amount = Cell(column.name, column.label, column.name, "money")
        return amount, Cell(f"{column.name}_currency", f"{column.label}, currency", column.name, "currency")
    return (Cell(column.name, column.label, column.name, _shape(kind)),)


def _shape(kind: Any) -> Shape:
    if get_origin(kind) in (list, tuple, set, frozenset):
        return "list"
    if not isinstance(kind, type) or issubclass(kind, dict | msgspec.Struct) or kind is object:
        return "text" if get_origin(kind) is Literal else "json"
    for base, shape in SHAPES:
        if issubclass(kind, base):
            return shape
    return "text"


def _bare(kind: Any) -> Any:
    """A type without None, annotations and the name that NewType gave it."""
    while True:
        if hasattr(kind, "__supertype__"):
            kind = kind.__supertype__
        elif hasattr(kind, "__metadata__"):
            kind = kind.__origin__
        elif get_origin(kind) in (Union, types.UnionType):
            others = [arg for arg in get_args(kind) if arg is not type(None)]
            if len(others) != 1:
                return kind
            kind = others[0]
        else:
            return kind


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(msgspec.to_builtins(value))
