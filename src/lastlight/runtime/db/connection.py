"""Db: one connection inside one transaction. Rows become structs; named constraints become problems."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg
import msgspec

from lastlight.kernel.errors import Conflict, NotFound, Problem

T = TypeVar("T")

STREAM_SECONDS = 300.0
"""How long the driver waits for one batch of a stream; the server's own limit comes first where it is shorter."""


class Db:
    """Runs SQL on the transaction's connection. Parameters only; SQL is never built from values."""

    __slots__ = ("connection", "constraints", "statements")

    def __init__(self, connection: Any, constraints: Mapping[str, type[Problem]]) -> None:
        self.connection: Any = connection
        self.constraints = constraints
        self.statements = 0
        """How many statements ran; a test of a list compares it for 1 and 3 rows."""

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows."""
        self.statements += 1
        try:
            return await self.connection.fetch(sql, *args)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise self._problem(error) from error

    async def fetchrow(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row, or None."""
        self.statements += 1
        try:
            return await self.connection.fetchrow(sql, *args)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise self._problem(error) from error

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        row = await self.fetchrow(sql, *args)
        return None if row is None else row[0]

    async def execute(self, sql: str, *args: Any) -> int:
        """Run a statement; the number of rows it touched."""
        self.statements += 1
        try:
            status: str = await self.connection.execute(sql, *args)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise self._problem(error) from error
        tail = status.rsplit(" ", 1)[-1]
        return int(tail) if tail.isdigit() else 0

    async def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters, in one round trip."""
        self.statements += 1
        try:
            await self.connection.executemany(sql, rows)
        except asyncpg.IntegrityConstraintViolationError as error:
            raise self._problem(error) from error

    async def rows(self, kind: type[T], sql: str, *args: Any) -> list[T]:
        """All rows as structs, by column name."""
        return [to_struct(row, kind) for row in await self.fetch(sql, *args)]

    async def row(self, kind: type[T], sql: str, *args: Any) -> T | None:
        """The first row as a struct, or None."""
        row = await self.fetchrow(sql, *args)
        return None if row is None else to_struct(row, kind)

    async def one(self, kind: type[T], sql: str, *args: Any) -> T:
        """The first row as a struct; NotFound when there is none."""
        found = await self.row(kind, sql, *args)
        if found is None:
            raise NotFound
        return found

    @asynccontextmanager
    async def attempt(self) -> AsyncGenerator[None]:
        """A part of the transaction that is undone by itself when it is refused: what was written before it stands."""
        await self.execute("savepoint attempt")
        try:
            yield
        except Problem:
            await self.execute("rollback to savepoint attempt")
            raise
        await self.execute("release savepoint attempt")

    async def stream(self, sql: str, *args: Any, batch: int = 500) -> AsyncIterator[list[asyncpg.Record]]:
        """Rows in batches through a server-side cursor, for lists that do not fit in memory; the first may take its time."""
        self.statements += 1
        cursor = await self.connection.cursor(sql, *args)
        while rows := await cursor.fetch(batch, timeout=STREAM_SECONDS):
            yield rows

    def _problem(self, error: asyncpg.IntegrityConstraintViolationError) -> Problem:
        name: str = getattr(error, "constraint_name", None) or ""
        kind = self.constraints.get(name)
        if kind is not None:
            return kind()
        if isinstance(error, asyncpg.ForeignKeyViolationError):
            return NotFound("Something this refers to does not exist, or you may not see it.")
        return Conflict("The database refused it.", extra={"constraint": name})


def to_struct(row: asyncpg.Record, kind: type[T]) -> T:
    """A record as a msgspec struct; the names of its columns are the names of the fields."""
    return msgspec.convert(dict(row), kind)
