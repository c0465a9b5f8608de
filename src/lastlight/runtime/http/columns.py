"""The words in which a list is declared: its columns, its filters, and those that many lists share."""

import re
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal

from lastlight.runtime.module import RegistryError

ColumnKind = Literal["text", "number", "money", "time", "date", "enum", "uuid", "bool", "list", "duration"]
FilterKind = Literal["uuid", "enum", "text", "time", "number", "bool"]

_FILTERED_AS: dict[ColumnKind, FilterKind] = {
    "text": "text",
    "number": "number",
    "money": "number",
    "duration": "number",
    "time": "time",
    "enum": "enum",
    "uuid": "uuid",
    "bool": "bool",
}
_PLAIN = re.compile(r"[a-z_]+[.][a-z_]+")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the row's field of that name, how it reads, and the SQL that gives it."""

    name: str
    label: str
    _: KW_ONLY
    sql: str = ""
    """The column of that name of the list's own table unless it says another expression."""
    kind: ColumnKind = "text"
    sort: bool = False
    sort_sql: str = ""
    """What sorts it, where that is another than its SQL; must never be null."""
    sort_kind: ColumnKind | Literal[""] = ""
    """The kind of what sorts it, where that is another than the column's own."""
    shown: bool = True
    """In tables; every column is in JSON and exports."""
    choices: tuple[tuple[str, str], ...] = ()
    """Enum values and the words for them."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter; what it leaves out it takes from the column of its name.

    `time` and `number` ones take `<name>_from` and `<name>_to`; `uuid` and `enum` ones may repeat.
    """

    name: str
    label: str = ""
    _: KW_ONLY
    sql: str = ""
    kind: FilterKind | Literal[""] = ""
    choices: tuple[tuple[str, str], ...] = ()
    match: str = ""
    """uuid: the whole condition, where it is more than a comparison of `sql`; `{}` stands for the comparison with what was given."""


def money_sql(amount: str, currency: str) -> str:
    """The SQL of an amount in minor units with its currency, as columns of kind money take it."""
    return f"jsonb_build_object('amount', {amount}, 'currency', {currency})"


def ref(name: str, label: str, *, sql: str = "") -> Column:
    """An id: in JSON and exports, not in tables."""
    return Column(name, label, sql=sql, kind="uuid", shown=False)


ID = ref("id", "Id")
VERSION = Column("version", "Version", kind="number", shown=False)
VENUE = (Column("venue", "Venue", sql="w.name", sort=True), ref("venue_id", "Venue id"))
"""The venue of a row, where `w` is its venue."""
AT_VENUE = Filter("venue_id", "Venue")
BUSINESS = (Column("tenant", "Business", sql="t.name", sort=True), ref("tenant_id", "Business id"))
"""Whose a row is, where `t` is its tenant."""


def resolved_columns(columns: Iterable[Column], *, of: str) -> tuple[Column, ...]:
    """The columns with the SQL of each; `of` is the alias of the list's own table."""
    return tuple(column if column.sql else replace(column, sql=f"{of}.{column.name}") for column in columns)


def resolved_filters(filters: Iterable[Filter], columns: Iterable[Column], *, of: str) -> tuple[Filter, ...]:
    """The filters with all that their columns say; raises RegistryError for one that is neither declared nor a column's."""
    named = {column.name: column for column in columns}
    return tuple(_resolved(item, named.get(item.name), of) for item in filters)


def _resolved(item: Filter, column: Column | None, of: str) -> Filter:
    if column is None:
        if not item.label:
            raise RegistryError(f"filter {item.name}: it has no label, and no column is called so")
        return replace(item, sql=item.sql or f"{of}.{item.name}", kind=item.kind or "text")
    kind = item.kind or _FILTERED_AS.get(column.kind)
    if kind is None:
        raise RegistryError(f"filter {item.name}: a column of kind {column.kind} cannot be filtered by")
    return replace(
        item,
        label=item.label or column.label,
        sql=item.sql or (column.sql if _PLAIN.fullmatch(column.sql) else f"({column.sql})"),
        kind=kind,
        choices=item.choices or column.choices,
    )
