"""The world of the contract tests: the whole application, two businesses, somebody of every kind, and something of everything.

`people` gives the tenants and their people; here each of them is signed in, the crew also inside tenant A, and every other row is
made when a probe asks for it (tests/support/things.py).
"""

import asyncio
import dataclasses
import logging
import time
import traceback
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec
import structlog

from lastlight.domains import identity
from lastlight.domains.identity import presets
from lastlight.kernel.ids import PLATFORM, TenantId, UserId
from lastlight.kernel.permissions import Scope
from lastlight.modules import MODULES
from lastlight.runtime.auth.cookies import session_cookie_name
from lastlight.runtime.auth.grants import WITH_SOME_VENUES
from lastlight.runtime.auth.tokens import SessionKind
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.events.move import move_batch
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.settings import Settings
from tests.support.conformance import Conformance
from tests.support.people import PASSWORD, SEED, People, Tenant, people

PRESETS = {preset.key: preset for preset in (*presets.TENANT_ROLES, *presets.CREW_ROLES)}
CREW = tuple(preset.key for preset in presets.CREW_ROLES)
MEMBERS = tuple(preset.key for preset in presets.TENANT_ROLES)
UNCOUNTED = ("rate_limits", "schema_migrations")
"""Tables that a refused request may write: its own count against the limit."""
TELLING = {
    "sessions": "(id, tenant_id, user_id, kind, version, revoked_at)",
    "users": "(id, email, name, password_hash, status, email_verified_at)",
}
"""Tables where being seen is written down: what counts of them besides."""
TABLES = """
select relname from pg_class
where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> all ($1::text[]) order by 1
"""
Kind = Literal["anonymous", "guest", "patron", "member", "crew"]


@dataclass(frozen=True, slots=True)
class Somebody:
    """One who asks: what they are, where, and the headers that say so."""

    name: str
    kind: Kind
    role: str = ""
    home: Tenant | None = None
    """The tenant they are in; None for the platform, for guests without one, and for nobody."""
    headers: dict[str, str] = field(default_factory=dict[str, str], compare=False)
    email: str = ""
    user_id: UserId | None = None
    session_id: UUID | None = None

    @property
    def tenant_id(self) -> TenantId:
        """The tenant that their transactions are in."""
        return self.home.id if self.home else PLATFORM

    def __str__(self) -> str:
        return self.name


NOBODY = Somebody("anonymous", "anonymous")


@dataclass(slots=True)
class World:
    """Everything that a probe needs."""

    people: People
    watcher: Any
    """The administrator's connection, past every policy."""
    somebody: dict[str, Somebody]
    numbers: Any = field(default_factory=lambda: count(1))
    kept: dict[str, Any] = field(default_factory=dict[str, Any])
    """Things that were made once for probes that do not change them."""
    state_sql: str = ""
    errors: list[str] = field(default_factory=list[str])
    """What nobody foresaw and was answered with 500, and what was answered in another way than the reference says."""
    conformance: Conformance | None = None

    @property
    def a(self) -> Tenant:
        """Tenant A, the bar: whose things others reach for."""
        return self.people.bar

    @property
    def b(self) -> Tenant:
        """Tenant B, the club."""
        return self.people.club

    @property
    def everybody(self) -> list[Somebody]:
        """Everybody who asks about tenant A or from outside; tenant B's people, and a second guest, are probed apart."""
        return [one for one in self.somebody.values() if one.home is not self.b and one.role != "regular"]

    def unique(self, word: str) -> str:
        """A text that no other probe of this world uses."""
        return f"{word} {next(self.numbers)}"

    async def sql(self, statement: str, *args: Any) -> list[Any]:
        """Look at the database, past every policy."""
        return await self.watcher.fetch(statement, *args)

    async def value(self, statement: str, *args: Any) -> Any:
        """The same for one value."""
        return await self.watcher.fetchval(statement, *args)

    async def state(self) -> dict[str, tuple[int, int]]:
        """A mark of what every table holds: it changes with any insert, update or delete that was committed."""
        return {row["name"]: (row["rows"], row["mark"]) for row in await self.sql(self.state_sql)}

    async def relay(self) -> None:
        """Move what waits in the outbox to the streams and the audit log, as the relay would.

        An open transaction of any database of the server holds back what came after it: another test's, for a moment.
        """
        connection = await asyncpg.connect(self.people.services.settings.dsn("system"))
        try:
            until = time.monotonic() + 60
            while (moved := await move_batch(self.people.services, connection)).count or moved.held:
                assert time.monotonic() < until, f"{moved.held} events are held back for a minute by {moved.horizon}"
                await asyncio.sleep(0.05 if moved.held else 0)
        finally:
            await connection.close()

    async def newcomer(self, like: Somebody) -> Somebody:
        """Somebody of the same kind, role and place whom no other probe knows, for what ends sessions or happens once."""
        number = next(self.numbers)
        email, name = f"newcomer-{number}@guests.example", f"Newcomer {number}"
        services = self.people.services
        hashed = await self.value("select password_hash from users where id = $1", self.a.users["owner"])
        place = PLATFORM if like.kind == "crew" else like.tenant_id
        async with system_ctx(services, place, role="system") as ctx:
            user_id = await identity.seed_user(ctx, seed=SEED, email=email, name=name, password_hash=hashed)
            if like.kind == "patron":
                await identity.seed_patron(ctx, seed=SEED, user_id=user_id, name=name)
            elif like.kind in {"member", "crew"}:
                only = [(like.home or self.a).venues[0]] if like.role == "vendor_admin" else None
                await identity.seed_member(ctx, seed=SEED, user_id=user_id, role=like.role, venue_ids=only)
        return await self.sign_in(dataclasses.replace(like, email=email, user_id=user_id, name=f"new {like.name}"))

    async def sign_in(self, who: Somebody, *, cookie: bool = False) -> Somebody:
        """The same with a session of their own, opened as a sign-in would; with a cookie as in a browser."""
        services = self.people.services
        assert who.user_id is not None
        async with system_ctx(services, who.tenant_id, role="system") as ctx:
            patron_id = await ctx.db.fetchval(
                "select id from patrons where tenant_id = $1 and user_id = $2", who.tenant_id, who.user_id
            )
            kind: SessionKind = "guest" if who.kind == "anonymous" else who.kind
            tenant_id = None if who.kind == "guest" else who.tenant_id
            place = identity.Place(kind, tenant_id, patron_id if kind == "patron" else None)
            session = await identity.open_session(
                ctx,
                user_id=who.user_id,
                name=who.name,
                email=who.email,
                place=place,
                channel="cookie" if cookie else "bearer",
                out_of=who.session_id,
            )
            token, _ = identity.cookie_token(ctx, session=session)
            tokens = await identity.issue_tokens(ctx, session=session)
        cookies = {"Cookie": f"{session_cookie_name(services.settings)}={token}"}
        headers = cookies if cookie else {"Authorization": f"Bearer {tokens.access_token}"}
        return dataclasses.replace(who, headers=headers, session_id=session.id)

    async def send(self, method: str, path: str, who: Somebody = NOBODY, **more: Any) -> Any:
        """One request, as httpx answers it."""
        headers = {**who.headers, **more.pop("headers", {})}
        self.people.client.cookies.clear()  # nobody here is a browser that keeps what it was given
        return await self.people.client.request(method, path, headers=headers, **more)

    async def make(self, method: str, path: str, who: Somebody, **more: Any) -> dict[str, Any]:
        """Make something by the API; it must succeed."""
        answer = await self.send(method, path, who, **more)
        assert answer.is_success, f"{method} {path} as {who}: {answer.status_code} {answer.text}"
        return answer.json()


def may(op: Operation, who: Somebody) -> bool:
    """Whether an operation's declaration lets somebody of a built-in role through; read from the presets, not from the guard."""
    if op.public:
        return True
    if who.kind == "anonymous":
        return False
    if (op.scope_tenant or op.path.startswith("/platform/")) and who.kind != "crew":
        return False
    if op.permission is None:
        return True
    return holds(op.permission.name, op.permission.scope, who)


def holds(name: str, scope: Scope, who: Somebody) -> bool:
    """Whether somebody's built-in role holds a permission where they are."""
    if who.kind == "patron":
        return scope is Scope.OWN
    if who.kind not in {"member", "crew"} or scope is Scope.OWN:
        return False
    preset = PRESETS[who.role]
    if not (preset.everything or name in preset.permissions):
        return False
    if who.kind == "crew":
        return who.home is None or scope is not Scope.PLATFORM
    if scope is Scope.PLATFORM:
        return False
    return who.role != "vendor_admin" or scope is Scope.VENUE or name in WITH_SOME_VENUES


@asynccontextmanager
async def opened_world(settings: Settings) -> AsyncGenerator[World]:
    """The world, on the database of `settings`."""
    roomy = dataclasses.replace(
        settings, user_requests_per_minute=10_000_000, auth_failures_per_quarter_hour=10_000_000
    )
    watcher: Any = await asyncpg.connect(settings.admin_dsn())
    try:
        async with people(roomy, MODULES) as found:
            world = World(found, watcher, {NOBODY.name: NOBODY})
            world.state_sql = await _state_sql(watcher)
            world.conformance = Conformance(found.services.registry, roomy)
            _listen(world)
            await _sign_everybody_in(world)
            await world.relay()
            yield world
    finally:
        structlog.reset_defaults()
        await watcher.close()


def _listen(world: World) -> None:
    """Keep errors that nobody foresaw instead of printing them."""

    def keep(_logger: Any, _method: str, event: Any) -> Any:
        error = event.get("exc_info")
        if isinstance(error, BaseException):
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{frame.filename.rsplit('lastlight/', 1)[-1]}:{frame.lineno}"
            world.errors.append(f"{event.get('event')}: {type(error).__name__}: {error} ({place})")
        raise structlog.DropEvent

    structlog.configure(processors=[structlog.contextvars.merge_contextvars, keep], cache_logger_on_first_use=False)
    logging.getLogger("httpx").setLevel(logging.WARNING)


async def _state_sql(watcher: Any) -> str:
    names = [row[0] for row in await watcher.fetch(TABLES, [*UNCOUNTED])]
    parts = [f"select '{name}' as name, count(*) as rows, {_mark(name)} as mark from {name}" for name in names]
    return " union all ".join(parts)


def _mark(table: str) -> str:
    if table in TELLING:
        return f"coalesce(sum(hashtextextended({TELLING[table]}::text, 0)::numeric), 0)"
    return "coalesce(max(xmin::text::bigint), 0)::numeric"


async def _sign_everybody_in(world: World) -> None:
    for tenant, letter in ((world.a, "A"), (world.b, "B")):
        for role in (*MEMBERS, "patron", "regular"):
            kind: Kind = "member" if role in MEMBERS else "patron"
            who = Somebody(f"{letter}.{role}", kind, role, tenant, email=tenant.email(role), user_id=tenant.users[role])
            world.somebody[who.name] = await world.sign_in(who)
    for role, user_id in world.people.crew.items():
        who = Somebody(f"crew.{role}", "crew", role, None, email=f"{role}@crew.example", user_id=user_id)
        world.somebody[who.name] = await world.sign_in(who)
        inside = dataclasses.replace(who, name=f"crew.{role} inside A", home=world.a)
        world.somebody[inside.name] = await _go_inside(world, inside)
    guest = await world.newcomer(Somebody("guest", "guest"))
    world.somebody["guest"] = dataclasses.replace(guest, name="guest")


async def _go_inside(world: World, who: Somebody) -> Somebody:
    """Through the audited scope, by whoever may take it; for the others such a session is opened all the same, to be probed."""
    outside = world.somebody[f"crew.{who.role}"]
    path = f"/api/admin/tenants/{world.a.id}/scope"
    answer = await world.send("POST", path, outside, json={"reason": "the contract tests look inside"})
    if answer.status_code != 201:
        return await world.sign_in(who)
    token = answer.json()["access_token"]
    return dataclasses.replace(who, headers={"Authorization": f"Bearer {token}"})


def marks_of(world: World, tenant: Tenant) -> list[str]:
    """Texts that only a tenant's own rows hold: nobody outside may be told any of them."""
    ids = [tenant.id, *tenant.venues]
    return [*map(str, ids), f"of the {tenant.slug}", f"@{tenant.slug}.example", f"The {tenant.slug}"]


def decoded(answer: Any) -> Any:
    """A body as JSON where it is JSON, else its text."""
    if "json" in answer.headers.get("content-type", ""):
        return msgspec.json.decode(answer.content)
    return answer.text


__all__ = ["NOBODY", "PASSWORD", "Somebody", "World", "decoded", "holds", "marks_of", "may", "opened_world"]
