"""Listing: a list declared once serves as keyset-paged JSON, an HTML table and an export."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import asyncpg
import msgspec

from lastlight.kernel.errors import Invalid
from lastlight.kernel.paging import Cursor, Page, decode_cursor, encode_cursor
from lastlight.kernel.permissions import Permission
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.connection import to_struct
from lastlight.runtime.exports.events import EXPORTS_CREATE
from lastlight.runtime.http.columns import (
    BUSINESS,
    VENUE,
    Column,
    ColumnKind,
    Filter,
    resolved_columns,
    resolved_filters,
)
from lastlight.runtime.http.listing_sql import Statement, build
from lastlight.runtime.http.operation import Input, Operation, get
from lastlight.runtime.module import RegistryError

R = TypeVar("R")

COUNT_CAP = 10_000


@dataclass(frozen=True, slots=True)
class Header:
    """A column's head as a table shows it."""

    name: str
    label: str
    kind: ColumnKind
    sort: str
    """The value of `sort` that a click asks for, empty where it cannot."""
    direction: Literal["", "asc", "desc"]
    choices: dict[str, str]


@dataclass(frozen=True, slots=True)
class TableView(Generic[R]):
    """A page of a list, ready for the table component."""

    name: str
    headers: list[Header]
    rows: list[R]
    next: str | None
    query: dict[str, Any]
    """The query as it stands, without the cursor: what links carry on."""
    filters: tuple[Filter, ...]
    q: str
    sort: str
    total: int | None
    export: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Generic[R]):
    """A list, declared once. `source` is its from-clause; every expression in it is ours, values are parameters only."""

    name: str
    label: str
    row: type[R]
    permission: Permission | None
    source: str
    of: str
    """The alias, in `source`, of the table whose rows these are: what columns and filters without SQL are of."""
    columns: tuple[Column, ...]
    sort: str
    filters: tuple[Filter, ...] = ()
    tenant: str = ""
    """The column of the tenant; `tenant_id` of the table itself unless it says another."""
    key: str = ""
    """The column that tells rows with equal sort values apart; `id` of the table itself unless it says another."""
    search: tuple[str, ...] = ()
    where: str = "true"
    """A condition that always holds, without parameters."""
    venue: str = ""
    venues: str = ""
    """The column that holds an array of venues, null for all of them: rows that share one with the reader are read."""
    own: str = ""
    """The column that holds the patron, where a guest may read their own rows."""
    own_user: str = ""
    """The column that holds the user, where everybody reads their own rows only."""
    cross_tenant: bool = False
    """The platform's crew read every tenant's rows."""
    default_limit: int = 50
    query_type: Any = None
    after_page: "Callable[[Ctx, list[R]], Awaitable[list[R]]] | None" = None
    """Fills in what one further statement gives for the whole page."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tenant", self.tenant or f"{self.of}.tenant_id")
        object.__setattr__(self, "key", self.key or f"{self.of}.id")
        object.__setattr__(self, "columns", resolved_columns(self.columns, of=self.of))
        object.__setattr__(self, "filters", resolved_filters(self.filters, self.columns, of=self.of))
        names = {column.name for column in self.columns}
        missing = set(self.row.__struct_fields__) - names if issubclass(self.row, msgspec.Struct) else set[str]()
        if missing:
            raise RegistryError(f"listing {self.name}: no column gives {', '.join(sorted(missing))}")
        if self.sort.lstrip("-") not in {column.name for column in self.columns if column.sort}:
            raise RegistryError(f"listing {self.name}: it cannot be sorted by {self.sort}")
        object.__setattr__(self, "query_type", _query_type(self))

    def parse(self, **values: Any) -> Any:
        """A query struct from Python values, as if a client had sent them."""
        return msgspec.convert(values, self.query_type, strict=False)

    async def page(self, ctx: Ctx, query: Any) -> Page[R]:
        """One page in the query's order; at most one statement, two when the total is asked for."""
        rows = await self._rows(ctx, query, query.limit + 1)
        following = len(rows) > query.limit
        rows = rows[: query.limit]
        items = [self._struct(row) for row in rows]
        if self.after_page is not None and items:
            items = await self.after_page(ctx, items)
        cursor = self._cursor(query, rows[-1]) if following else None
        return Page(items, cursor, await self.count(ctx, query) if query.count else None)

    async def count(self, ctx: Ctx, query: Any) -> int:
        """How many rows match, counted up to one past COUNT_CAP."""
        statement = build(self, ctx, query, paged=False)
        # composed: of the listing's own declaration; its values are parameters
        sql = f"select count(*) from (select 1 {statement.tail} limit {COUNT_CAP + 1}) as counted"  # noqa: S608
        return await ctx.db.fetchval(sql, *statement.parameters)

    async def view(self, ctx: Ctx, query: Any) -> TableView[R]:
        """One page as the table component takes it."""
        page = await self.page(ctx, query)
        current = {
            name: value for name, value in msgspec.to_builtins(query).items() if value not in (None, "", [], False)
        }
        current.pop("after", None)
        if current.get("limit") == self.default_limit:
            current.pop("limit")
        sort = query.sort or self.sort
        headers = [_header(column, sort) for column in self.columns if column.shown]
        return TableView(
            self.name,
            headers,
            page.items,
            page.next,
            current,
            self.filters,
            query.q,
            sort,
            page.total,
            export=ctx.allows(EXPORTS_CREATE) and self.name in ctx.services.registry.listings,
        )

    async def iterate(self, ctx: Ctx, query: Any, *, batch: int = 500) -> AsyncIterator[list[R]]:
        """Every matching row in the query's order, in batches, through a cursor of the database."""
        statement = build(self, ctx, query, paged=False)
        async for rows in ctx.db.stream(
            f"{statement.head} {statement.tail} {statement.order}", *statement.parameters, batch=batch
        ):
            items = [self._struct(row) for row in rows]
            yield items if self.after_page is None else await self.after_page(ctx, items)

    async def _rows(self, ctx: Ctx, query: Any, limit: int) -> list[Any]:
        cursor = decode_cursor(query.after, sort=query.sort or self.sort) if query.after else None
        statement: Statement = build(self, ctx, query, paged=True, cursor=cursor)
        sql = f"{statement.head} {statement.tail} {statement.order} limit {int(limit)}"
        try:
            return await ctx.db.fetch(sql, *statement.parameters)
        except (asyncpg.DataError, asyncpg.UndefinedFunctionError) as error:
            if cursor is None:
                raise
            raise Invalid(fields={"after": "This cursor is damaged; start again from the first page."}) from error

    def _struct(self, row: Any) -> R:
        return to_struct(row, self.row)

    def _cursor(self, query: Any, row: Any) -> str:
        return encode_cursor(Cursor(query.sort or self.sort, row["_sort"], str(row["_key"])))


def of_all_businesses(listing: Listing[Any], *, row: type[R], name: str, label: str) -> Listing[R]:
    """The same list over every tenant, for the platform's crew, with whose each row is."""
    there = {column.name for column in listing.columns}
    words = (*listing.search, "t.name", *([VENUE[0].sql] if VENUE[0] in listing.columns else []))
    return replace(
        listing,
        row=row,
        name=name,
        label=label,
        source=f"{listing.source} join tenants t on t.id = {listing.tenant}",
        columns=(*(column for column in BUSINESS if column.name not in there), *listing.columns),
        filters=(*listing.filters, Filter("tenant_id", "Business", kind="uuid", sql=listing.tenant)),
        search=tuple(dict.fromkeys(words)),
        cross_tenant=True,
    )


def _header(column: Column, sort: str) -> Header:
    current = sort.lstrip("-") == column.name
    direction: Literal["", "asc", "desc"] = "" if not current else "desc" if sort.startswith("-") else "asc"
    wanted = "" if not column.sort else f"-{column.name}" if direction == "asc" else column.name
    return Header(column.name, column.label, column.kind, wanted, direction, dict(column.choices))


def _query_type(listing: Listing[Any]) -> Any:
    sorts = [prefix + column.name for column in listing.columns if column.sort for prefix in ("", "-")]
    fields: list[Any] = [
        ("after", Annotated[str, msgspec.Meta(max_length=1000, description="The cursor of the page before.")], ""),
        ("limit", Annotated[int, msgspec.Meta(ge=1, le=200, description="Rows a page.")], listing.default_limit),
        ("sort", _literal(("", *sorts)), ""),
        ("q", Annotated[str, msgspec.Meta(max_length=200, description="Words to search for.")], ""),
        ("count", Annotated[bool, msgspec.Meta(description="Count the rows, up to 10,000.")], False),
    ]
    for item in listing.filters:
        fields += _filter_fields(item)
    return msgspec.defstruct(
        f"{listing.name.title().replace('_', '')}Query",
        fields,
        bases=(Input,),
        frozen=True,
        kw_only=True,
        module=__name__,
    )


def _literal(values: Sequence[str]) -> Any:
    return Literal[tuple(values)]  # pyright: ignore[reportInvalidTypeForm] made from a declaration


def _filter_fields(item: Filter) -> list[Any]:
    match item.kind:
        case "time":
            return [(f"{item.name}_from", datetime | None, None), (f"{item.name}_to", datetime | None, None)]
        case "number":
            return [(f"{item.name}_from", int | None, None), (f"{item.name}_to", int | None, None)]
        case "uuid":
            return [(item.name, list[UUID], msgspec.field(default_factory=list))]
        case "enum":
            return [
                (item.name, list[_literal([value for value, _ in item.choices])], msgspec.field(default_factory=list))
            ]
        case "bool":
            return [(item.name, bool | None, None)]
        case _:
            return [(item.name, Annotated[str, msgspec.Meta(max_length=200)], "")]


def listing_get(path: str, listing: Listing[Any], **options: Any) -> Operation:
    """The read of a list at a path. Its permission is the listing's own unless options say otherwise."""

    async def read_list(ctx: Ctx, query: Any) -> Any:
        return await listing.page(ctx, query)

    read_list.__annotations__ = {"ctx": Ctx, "query": listing.query_type, "return": Page[listing.row]}  # pyright: ignore[reportInvalidTypeForm]
    read_list.__name__ = options.pop("name", f"list_{listing.name}")
    read_list.__doc__ = options.pop("doc", f"List {listing.label.lower()}: page by `after`, filter, sort and search.")
    if not any(options.get(way) for way in ("permission", "public", "signed_in")):
        options["permission"] = listing.permission
    return get(path, **options)(read_list)
