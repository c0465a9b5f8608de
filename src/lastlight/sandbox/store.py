"""What the sandbox remembers: objects, kept answers, deliveries and things to do, by account, in one SQLite file."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec

from lastlight.sandbox.problems import Json

_TABLES = """
create table if not exists account (
    id       text primary key,
    ahead    integer not null default 0,
    settings text not null default '{}'
) strict;
create table if not exists object (
    seq     integer primary key,
    account text not null,
    id      text not null unique,
    kind    text not null,
    created integer not null,
    body    text not null
) strict;
create index if not exists object_list on object (account, kind, seq);
create table if not exists answer (
    account text not null,
    key     text not null,
    request text not null,
    status  integer not null,
    body    blob not null,
    first   text not null,
    created integer not null,
    primary key (account, key)
) strict;
create table if not exists task (
    seq     integer primary key,
    account text not null,
    due     integer not null,
    name    text not null,
    subject text not null
) strict;
create index if not exists task_due on task (account, due, seq);
create table if not exists delivery (
    seq      integer primary key,
    account  text not null,
    endpoint text not null,
    event    text not null,
    place    integer not null,
    state    text not null,
    attempts integer not null default 0,
    due      integer not null,
    status   integer
) strict;
create index if not exists delivery_due on delivery (endpoint, state, due, place);
create index if not exists delivery_event on delivery (event, state);
"""


def opened(path: Path) -> sqlite3.Connection:
    """The store at `path`, made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None, timeout=5)
    db.row_factory = sqlite3.Row
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.executescript(_TABLES)
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[None]:
    """Everything that is written inside stands together or not at all."""
    db.execute("begin immediate")
    try:
        yield
    except BaseException:
        db.execute("rollback")
        raise
    db.execute("commit")


def rows(db: sqlite3.Connection, sql: str, *values: object) -> list[sqlite3.Row]:
    """All rows of a query."""
    return db.execute(sql, values).fetchall()


def row(db: sqlite3.Connection, sql: str, *values: object) -> sqlite3.Row | None:
    """The first row of a query."""
    return cast("sqlite3.Row | None", db.execute(sql, values).fetchone())


def as_text(value: Any) -> str:
    """JSON as a column keeps it."""
    return msgspec.json.encode(value).decode()


def body_of(found: sqlite3.Row) -> Json:
    """The object of a row."""
    return msgspec.json.decode(found["body"])


def owner_of(db: sqlite3.Connection, identifier: str) -> str | None:
    """The account that holds an object; ids are unique across accounts."""
    found = row(db, "select account from object where id = ?", identifier)
    return None if found is None else found["account"]


def reset(db: sqlite3.Connection, account: str) -> None:
    """Forget an account."""
    db.execute("delete from object where account = ?", (account,))
    db.execute("delete from answer where account = ?", (account,))
    db.execute("delete from task where account = ?", (account,))
    db.execute("delete from delivery where account = ?", (account,))
    db.execute("delete from account where id = ?", (account,))
