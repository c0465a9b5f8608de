"""The SQL of a listing: composed of the declaration's own expressions, with every value a parameter."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import PLATFORM
from lastlight.kernel.paging import Cursor
from lastlight.runtime.context import Ctx

if TYPE_CHECKING:
    from lastlight.runtime.http.listing import Column, Filter, Listing

TYPES = {
    "time": "timestamptz",
    "date": "date",
    "number": "numeric",
    "money": "bigint",
    "bool": "boolean",
    "uuid": "uuid",
    "duration": "numeric",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement in its parts: select list, from and where, order; and its parameters."""

    head: str
    tail: str
    order: str
    parameters: list[Any]


class _Conditions:
    """Conditions and the parameters that they number."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.parameters: list[Any] = []

    def value(self, value: Any) -> str:
        """Add a parameter; its place in the statement."""
        self.parameters.append(value)
        return f"${len(self.parameters)}"


def build(listing: "Listing[Any]", ctx: Ctx, query: Any, *, paged: bool, cursor: Cursor | None = None) -> Statement:
    """The statement for a query: scoped to the tenant, the actor's venues and what is their own."""
    conditions = _Conditions()
    _scope(listing, ctx, conditions)
    conditions.parts.append(listing.where)
    for item in listing.filters:
        _filter(item, query, conditions)
    if query.q.strip() and listing.search:
        place = conditions.value(f"%{_escape(query.q.strip())}%")
        conditions.parts.append("(" + " or ".join(f"{sql} ilike {place}" for sql in listing.search) + ")")
    column, descending = _sort(listing, query.sort or listing.sort)
    expression = column.sort_sql or column.sql
    if paged and cursor is not None:
        _after(listing, column, descending, cursor, conditions)
    names = ", ".join(f"{c.sql} as {c.name}" for c in listing.columns)
    way = "desc" if descending else "asc"
    # composed: of the listing's own declaration; its values are parameters
    return Statement(
        head=f"select {names}, ({expression})::text as _sort, {listing.key} as _key",
        tail=f"from {listing.source} where {' and '.join(conditions.parts)}",
        order=f"order by {expression} {way}, {listing.key} {way}",
        parameters=conditions.parameters,
    )


def _scope(listing: "Listing[Any]", ctx: Ctx, conditions: _Conditions) -> None:
    everywhere = listing.cross_tenant and ctx.actor.kind == "crew" and ctx.tenant_id == PLATFORM
    if not everywhere:
        conditions.parts.append(f"{listing.tenant} = {conditions.value(ctx.tenant_id)}")
    if listing.own_user:
        conditions.parts.append(f"{listing.own_user} = {conditions.value(ctx.actor.user_id)}")
    if ctx.actor.kind == "patron":
        own = f"{listing.own} = {conditions.value(ctx.actor.patron_id)}" if listing.own else "false"
        conditions.parts.append(own)
    elif listing.venue and listing.permission is not None:
        venues = ctx.venues(listing.permission)
        if venues is not None:
            conditions.parts.append(f"{listing.venue} = any({conditions.value(venues)}::uuid[])")
    elif listing.venues and listing.permission is not None:
        venues = ctx.venues(listing.permission)
        if venues is not None:
            conditions.parts.append(
                f"({listing.venues} is null or {listing.venues} && {conditions.value(venues)}::uuid[])"
            )


def _filter(item: "Filter", query: Any, conditions: _Conditions) -> None:
    if item.kind in {"time", "number"}:
        start, end = getattr(query, f"{item.name}_from"), getattr(query, f"{item.name}_to")
        if start is not None:
            conditions.parts.append(f"{item.sql} >= {conditions.value(start)}")
        if end is not None:
            conditions.parts.append(f"{item.sql} < {conditions.value(end)}")
        return
    value = getattr(query, item.name)
    if item.match and value:
        one = (
            f"= {conditions.value(value[0])}::uuid" if len(value) == 1 else f"= any({conditions.value(value)}::uuid[])"
        )
        conditions.parts.append(f"({item.match.replace('{}', one)})")
    elif item.kind == "uuid" and value:
        conditions.parts.append(f"{item.sql} = any({conditions.value(value)}::uuid[])")
    elif item.kind == "enum" and value:
        conditions.parts.append(f"{item.sql} = any({conditions.value(value)}::text[])")
    elif (item.kind == "bool" and value is not None) or (item.kind == "text" and value):
        conditions.parts.append(f"{item.sql} = {conditions.value(value)}")


def _after(
    listing: "Listing[Any]", column: "Column", descending: bool, cursor: Cursor, conditions: _Conditions
) -> None:
    if cursor.value is None:
        raise Invalid(fields={"after": "This cursor is damaged; start again from the first page."})
    kind = TYPES.get(column.sort_kind or column.kind, "text")
    if kind == "numeric" and cursor.value.lstrip("-").isdigit():
        kind = "bigint"  # an index over whole numbers is of no use to a comparison with a numeric
    key_type = "bigint" if cursor.id.isdigit() else "uuid"
    last, key = conditions.value(cursor.value), conditions.value(cursor.id)
    sign = "<" if descending else ">"
    expression = column.sort_sql or column.sql
    conditions.parts.append(f"({expression}, {listing.key}) {sign} ({last}::text::{kind}, {key}::text::{key_type})")
    if not listing.key.startswith(
        f"{listing.of}."
    ):  # a pair of two tables' columns is found by no index; its first half is
        conditions.parts.append(f"{expression} {sign}= {last}::text::{kind}")


def _sort(listing: "Listing[Any]", sort: str) -> tuple["Column", bool]:
    name = sort.lstrip("-")
    for column in listing.columns:
        if column.sort and column.name == name:
            return column, sort.startswith("-")
    raise Invalid(fields={"sort": f"This list cannot be sorted by {name}."})


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
