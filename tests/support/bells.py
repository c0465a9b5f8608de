"""Bells: a small domain of the tests, on a table of its own, that shows each mechanism of HTTP at its edges."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from lastlight.kernel.errors import Busy, Conflict, Invalid, NotFound, Problem, Stale, TooManyRequests, Unsure
from lastlight.kernel.events import Event
from lastlight.kernel.ids import VenueId, uuid7
from lastlight.kernel.permissions import Permission, Scope
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, Reply, View, delete, get, page, page_post, post, put
from lastlight.runtime.http.columns import Column, Filter
from lastlight.runtime.http.listing import Listing, listing_get
from lastlight.runtime.module import Module
from lastlight.runtime.settings import Settings
from tests.support.people import MODULES, People, people

BELLS_READ = Permission("bells.read", "See the bells", Scope.VENUE)
BELLS_RING = Permission("bells.ring", "Ring the bells", Scope.VENUE)
TONES = (("c", "C"), ("g", "G"))

TABLE = """
create table bells (
    tenant_id  uuid        not null,
    id         uuid        not null,
    venue_id   uuid        not null,
    name       text        not null,
    tone       text        not null default 'c',
    weight     integer,
    price      bigint      not null default 0,
    cast_at    timestamptz not null default now(),
    loud       boolean     not null default false,
    updated_at timestamptz not null default now(),
    version    bigint      not null default 1,
    constraint bells_pkey primary key (tenant_id, id),
    constraint bells_name_taken unique (tenant_id, name)
);
create trigger bells_touch before update on bells for each row execute function ll.touch();
select ll.tenant_table('bells');
"""
ROLES = "update roles set permissions = permissions || '{bells.read,bells.ring}'::text[] where key in ('owner', 'vendor_admin')"
ONE = (
    "select id, venue_id, name, tone, weight, price, cast_at, loud, version from bells where tenant_id = $1 and id = $2"
)
CREATE = "insert into bells (tenant_id, id, venue_id, name, weight) values ($1, $2, $3, $4, $5)"
RENAME = "update bells set name = $3 where tenant_id = $1 and id = $2 and version = $4"


class BellNameTaken(Conflict):
    """Another bell has this name."""

    type = "bell-name-taken"
    title = "Another bell has this name"


class BellRung(Event, frozen=True):
    """A bell was rung."""

    event_name = "bell.rung"
    audience = BELLS_READ

    bell_id: str


class Bell(msgspec.Struct, frozen=True, kw_only=True):
    """A bell."""

    id: UUID
    venue_id: UUID
    name: str
    tone: str
    weight: int | None
    price: int
    cast_at: datetime
    loud: bool
    version: int


BELLS = Listing(
    name="bells",
    label="Bells",
    row=Bell,
    permission=BELLS_READ,
    source="bells b",
    of="b",
    venue="b.venue_id",
    sort="name",
    columns=(
        Column("id", "Id", kind="uuid"),
        Column("venue_id", "Venue", kind="uuid"),
        Column("name", "Name", sort=True),
        Column("tone", "Tone", kind="enum", choices=TONES, sort=True),
        Column("weight", "Weight", kind="number", sort=True, sort_sql="coalesce(b.weight, 2147483647)"),
        Column("price", "Price", kind="money", sort=True),
        Column("cast_at", "Cast", kind="time", sort=True),
        Column("loud", "Loud", kind="bool", sort=True),
        Column("version", "Version", kind="number"),
    ),
    filters=(
        Filter("venue_id"),
        Filter("tone"),
        Filter("name"),
        Filter("weight"),
        Filter("cast_at"),
        Filter("loud"),
    ),
    search=("b.name",),
)


class BellIn(Input, frozen=True, kw_only=True):
    """A new bell."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    weight: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None


class NameIn(Input, frozen=True, kw_only=True):
    """A bell's new name."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class Part(Input, frozen=True, kw_only=True):
    """Something inside of something."""

    name: Annotated[str, msgspec.Meta(max_length=20)]
    parts: "list[Part]" = msgspec.field(default_factory=list)


class EchoIn(Input, frozen=True, kw_only=True):
    """One of each."""

    text: str = ""
    number: int = 0
    ratio: float = 0.0
    exact: Decimal = Decimal(0)
    at: datetime | None = None
    id: UUID | None = None
    on: bool = False
    tone: Literal["c", "g"] = "c"
    few: Annotated[list[int], msgspec.Meta(max_length=3)] = msgspec.field(default_factory=list)
    named: dict[str, int] = msgspec.field(default_factory=dict)
    part: Part | None = None


class FailQuery(Input, frozen=True, kw_only=True):
    """How it fails, and before which attempt it stops to."""

    how: str
    until: int = 99


class WordForm(Input, frozen=True, kw_only=True):
    """A form with a bound."""

    word: Annotated[str, msgspec.Meta(min_length=2, max_length=10)]


list_bells = listing_get("/api/bells", BELLS)
COUNTS: dict[str, int] = {}
"""How often an operation ran, by what the test called it."""
GATE = asyncio.Event()
"""Bells that are cast slowly wait for it."""


@post("/api/bells", permission=BELLS_RING, idempotent=True, status=201, raises=[BellNameTaken, Invalid])
async def create_bell(ctx: Ctx, data: BellIn) -> Reply[Bell]:
    """Cast a bell."""
    COUNTS[data.name] = COUNTS.get(data.name, 0) + 1
    if data.name.startswith("slow"):
        await GATE.wait()
    venue = await ctx.db.fetchval("select id from venues where tenant_id = $1 order by id limit 1", ctx.tenant_id)
    bell_id = uuid7()
    await ctx.db.execute(CREATE, ctx.tenant_id, bell_id, venue, data.name, data.weight)
    ctx.emit(BellRung(bell_id=str(bell_id)), entity=("bell", bell_id), venue_id=venue)
    if data.name.startswith("broken"):
        raise RuntimeError("the mould burst")
    if data.name.startswith("refused"):
        raise Invalid(fields={"name": "No bell is called so."})
    bell = await ctx.db.one(Bell, ONE, ctx.tenant_id, bell_id)
    return Reply(value=bell, headers={"Location": f"/api/bells/{bell_id}"})


@get("/api/bells/{bell_id:uuid}", permission=BELLS_READ, raises=[NotFound])
async def read_bell(ctx: Ctx, bell_id: UUID) -> Bell:
    """Read a bell."""
    bell = await ctx.db.one(Bell, ONE, ctx.tenant_id, bell_id)
    ctx.require(BELLS_READ, bell.venue_id)
    return bell


@put("/api/bells/{bell_id:uuid}", permission=BELLS_RING, raises=[NotFound, Stale, BellNameTaken])
async def rename_bell(ctx: Ctx, bell_id: UUID, data: NameIn, if_match: int) -> Bell:
    """Rename a bell."""
    await ctx.db.one(Bell, ONE, ctx.tenant_id, bell_id)
    if not await ctx.db.execute(RENAME, ctx.tenant_id, bell_id, data.name, if_match):
        raise Stale
    return await ctx.db.one(Bell, ONE, ctx.tenant_id, bell_id)


@post("/api/bells/{bell_id:uuid}/ring", permission=BELLS_RING, raises=[NotFound])
async def ring_bell(ctx: Ctx, bell_id: UUID) -> None:
    """Ring a bell."""
    COUNTS["rung"] = COUNTS.get("rung", 0) + 1
    bell = await ctx.db.one(Bell, ONE, ctx.tenant_id, bell_id)
    ctx.emit(BellRung(bell_id=str(bell_id)), entity=("bell", bell_id), venue_id=bell.venue_id)


@delete("/api/bells/{bell_id:uuid}", permission=BELLS_RING, raises=[NotFound])
async def melt_bell(ctx: Ctx, bell_id: UUID) -> None:
    """Melt a bell."""
    if not await ctx.db.execute("delete from bells where tenant_id = $1 and id = $2", ctx.tenant_id, bell_id):
        raise NotFound


@post("/api/echo", public="the tests shout", raises=[Invalid])
async def echo(ctx: Ctx, data: EchoIn) -> EchoIn:
    """Say it again."""
    return data


@post("/api/fail", public="the tests fail", db="system", raises=[Invalid])
async def fail(ctx: Ctx, query: FailQuery) -> dict[str, int]:
    """Fail in the way that was asked for, until an attempt that succeeds."""
    attempt = COUNTS[query.how] = COUNTS.get(query.how, 0) + 1
    if attempt < query.until:
        await _fail(ctx, query.how)
    return {"attempts": attempt}


async def _fail(ctx: Ctx, how: str) -> None:
    codes = {"serialization": "40001", "deadlock": "40P01", "timeout": "57014", "room": "53100", "number": "22003"}
    if how in codes:
        await ctx.db.execute(f"do $$ begin raise exception 'made up' using errcode = '{codes[how]}'; end $$")
    problems: dict[str, Problem] = {
        "busy": Busy(),
        "conflict": Conflict(),
        "limited": TooManyRequests(headers={"Retry-After": "7"}),
    }
    if how in problems:
        raise problems[how]
    if how == "gone":
        raise asyncpg.ConnectionDoesNotExistError("the connection was closed")
    raise RuntimeError(f"the secret of {how}")


@page("/bells", permission=BELLS_READ)
async def bells_page(ctx: Ctx) -> View:
    """Show the tower."""
    return View("layouts/problem.html", {"problem": {"status": 200, "title": "Tower", "detail": "All is well."}})


@page_post("/bells/word", signed_in="the tests speak")
async def word_submit(ctx: Ctx, form: Form[WordForm]) -> Redirect:
    """Take a word."""
    return Redirect("/bells", toast=form.require().word)


@page_post("/bells/strike", signed_in="the tests strike", form_page="layouts/problem.html")
async def strike_submit(ctx: Ctx, form: Form[WordForm]) -> Redirect:
    """Strike with a form that is shown again; whether it was done is not known."""
    raise Unsure


@get("/api/chimes", signed_in="the tests listen")
async def read_chimes(ctx: Ctx) -> dict[str, str]:
    """Hear the chimes."""
    return {"chimes": "all"}


@get("/api/carillon", signed_in="the tests listen", toggle="pos")
async def read_carillon(ctx: Ctx) -> dict[str, str]:
    """Hear the carillon, which belongs to another module."""
    return {"carillon": "plays"}


BELL_MODULE = Module(
    name="bells",
    routes=[list_bells, create_bell, read_bell, rename_bell, ring_bell, melt_bell, echo, fail, read_carillon],
    pages=[bells_page, word_submit, strike_submit],
    permissions=[BELLS_READ, BELLS_RING],
    events=[BellRung],
    errors=[BellNameTaken],
    constraints={"bells_name_taken": BellNameTaken},
    listings=[BELLS],
)
CHIMES = Module(name="chimes", toggle="loyalty", routes=[read_chimes])


@asynccontextmanager
async def tower(settings: Settings) -> AsyncGenerator[People]:
    """The world of `people` with bells in it; owners ring everywhere, vendor admins at their venue."""
    async with people(settings, (*MODULES, BELL_MODULE, CHIMES)) as world:
        for statement in TABLE.strip().split(";\n"):
            await world.sql(statement)
        await world.sql(ROLES)
        yield world


async def hang(world: People, name: str, *, venue: VenueId | None = None, **fields: Any) -> UUID:
    """A bell of the bar, written by the administrator."""
    bell_id = uuid7()
    given = {"tone": "c", "weight": None, "price": 0, "loud": False} | fields
    await world.sql(
        "insert into bells (tenant_id, id, venue_id, name, tone, weight, price, loud) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        world.bar.id,
        bell_id,
        venue or world.bar.venues[0],
        name,
        given["tone"],
        given["weight"],
        given["price"],
        given["loud"],
    )
    return bell_id
