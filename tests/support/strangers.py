"""Strangers: everybody who is not of tenant A, asking every operation for A's things, for things that are nowhere and for their own."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import UUID, uuid4

from lastlight.kernel.permissions import Scope
from lastlight.runtime.http.operation import Operation
from tests.contracts import probes
from tests.contracts.expected import WORKS, expected, planner
from tests.contracts.locks import naming
from tests.support.calls import Call, comparable, send
from tests.support.world import MEMBERS, UNCOUNTED, Somebody, World, marks_of

UUIDS = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
ID_COLUMNS = """
select t.relname as name, a.attname as column, exists (
    select from pg_attribute o where o.attrelid = t.oid and o.attname = 'tenant_id') as tenanted
from pg_class t join pg_attribute a on a.attrelid = t.oid and a.attname = 'id' and a.atttypid = 'uuid'::regtype
where t.relnamespace = 'public'::regnamespace and t.relkind = 'r' order by 1
"""
TENANT_TABLES = """
select t.relname from pg_class t join pg_attribute a on a.attrelid = t.oid and a.attname = 'tenant_id' and not a.attisdropped
where t.relnamespace = 'public'::regnamespace and t.relkind = 'r' and t.relname <> all ($1::text[]) order by 1
"""
SEEN = frozenset({"sessions"})
"""Tables where having been seen is written down, of whoever asks."""
OWN_PLACES = frozenset({"list_sessions"})
"""What tells the crew, wherever they are, where else they are themselves."""
BEARERS_ONLY = frozenset({"switch", "preview_role", "impersonate", "end_looking"})
"""They would hand a browser's tokens to scripts, so that a cookie does not do."""
WRONG_KINDS = ("venue_id", "role_id", "member_id", "patron_id", "visit_id", "task_id", "device_id", "file_id")


@dataclass(slots=True)
class Found:
    """What a run of probes came upon."""

    probes: int = 0
    operations: int = 0
    leaks: list[str] = field(default_factory=list[str])

    def add(self, op: Operation, sentences: Iterable[str]) -> None:
        """Note what an operation did wrong."""
        self.leaks += [f"{op.method} {op.path}: {sentence}" for sentence in sentences]


@dataclass(slots=True)
class Walls:
    """What must stay on tenant A's side: the ids of its rows, texts that only it holds, and what its tables hold."""

    world: World
    ids_sql: str
    state_sql: str
    not_theirs: set[str] = field(default_factory=set[str])

    async def state(self) -> dict[str, tuple[int, int]]:
        """A mark of A's rows in each table; it changes with any insert, update or delete."""
        rows = await self.world.sql(self.state_sql, self.world.a.id)
        return {row["name"]: (row["rows"], row["mark"]) for row in rows}

    async def told(self, who: Somebody, call: Call, answer: Any) -> list[str]:
        """What an answer, its headers included, tells of A that was not in the request."""
        text = f"{answer.text}\n{answer.headers}"
        sent = f"{call.texts()} {call.headers}"
        found = [f"{who} is told {mark!r}" for mark in marks_of(self.world, self.world.a) if mark in text]
        unknown = {one for one in UUIDS.findall(text) if one not in sent} - self.not_theirs
        if unknown:
            rows = await self.world.sql(self.ids_sql, self.world.a.id, [UUID(one) for one in unknown])
            found += [f"{who} is told the id {row['id']} of {row['name']}" for row in rows]
            self.not_theirs |= unknown - {str(row["id"]) for row in rows}
        return [sentence for sentence in found if sentence.split("told ", 1)[1].strip("'") not in sent]


async def walls_of(world: World) -> Walls:
    """The walls around tenant A, from the live catalogue."""
    columns = await world.sql(ID_COLUMNS)
    ids = " union all ".join(
        f"select '{row['name']}' as name, id from {row['name']} where tenant_id = $1 and id = any ($2::uuid[])"
        for row in columns
        if row["tenanted"]
    )
    people = """ union all select 'users', u.id from users u where u.id = any ($2::uuid[])
        and exists (select from memberships m where m.user_id = u.id and m.tenant_id = $1)"""
    names = [row[0] for row in await world.sql(TENANT_TABLES, [*UNCOUNTED, *SEEN])]
    state = " union all ".join(
        f"select '{name}' as name, count(*) as rows, coalesce(max(xmin::text::bigint), 0) as mark from {name} where tenant_id = $1"
        for name in names
    )
    return Walls(world, ids + people, state)


async def strangers(world: World) -> list[Somebody]:
    """Everybody outside A: B's people by token and by cookie, its looks, the crew inside B, a guest of nobody, nobody."""
    if "strangers" not in world.kept:
        b = [one for one in world.somebody.values() if one.home is world.b]
        cookie = replace(await world.sign_in(world.somebody["B.owner"], cookie=True), name="B.owner by cookie")
        owner, chief = world.somebody["B.owner"], world.somebody["crew.super_admin"]
        looks = [await _previewing(world, owner), *[await _looking_as(world, chief, one) for one in b[:1] + b[-1:]]]
        crew = [await _inside(world, one) for name, one in world.somebody.items() if _at_home(name)]
        outside = [world.somebody["guest"], world.somebody["anonymous"]]
        world.kept["strangers"] = [*b, cookie, *looks, *crew, *outside]
    return world.kept["strangers"]


def _at_home(name: str) -> bool:
    return name.startswith("crew.") and "inside" not in name


async def _previewing(world: World, owner: Somebody) -> Somebody:
    role_id = await world.value("select id from roles where tenant_id = $1 and key = 'manager'", world.b.id)
    look = await world.make("POST", "/api/preview", owner, json={"role_id": str(role_id)})
    return replace(owner, name="B.owner previews", role="manager", headers=_bearer(look))


async def _looking_as(world: World, chief: Somebody, subject: Somebody) -> Somebody:
    way = "member" if subject.role in MEMBERS else "patron"
    body = {"tenant": world.b.slug, "as": way, "reason": "the walls are tried", "minutes": 60}
    look = await world.make("POST", f"/api/admin/users/{subject.user_id}/impersonation", chief, json=body)
    return replace(subject, name=f"crew as {subject.name}", headers=_bearer(look))


async def _inside(world: World, who: Somebody) -> Somebody:
    inside = replace(who, name=f"{who.name} inside B", home=world.b)
    answer = await world.send(
        "POST", f"/api/admin/tenants/{world.b.id}/scope", who, json={"reason": "the walls are tried"}
    )
    return replace(inside, headers=_bearer(answer.json())) if answer.status_code == 201 else await world.sign_in(inside)


def _bearer(given: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {given['access_token']}"}


def owner_of(world: World, op: Operation) -> Somebody:
    """Whose things of tenant A an operation is asked for."""
    own = op.permission is not None and op.permission.scope is Scope.OWN
    return world.somebody["A.patron" if own else "A.owner"]


def crews(op: Operation) -> bool:
    """Whether an operation is the platform's alone, which reads every tenant."""
    return bool(op.scope_tenant) or (op.permission is not None and op.permission.scope is Scope.PLATFORM)


@dataclass(slots=True)
class Crossing:
    """The probes of one run."""

    world: World
    walls: Walls
    rng: Random
    found: Found = field(default_factory=Found)
    wrong: dict[str, Any] = field(default_factory=dict[str, Any])

    async def visit(self, op: Operation, askers: Sequence[Somebody]) -> None:
        """Every probe of one operation by these strangers."""
        self.found.operations += 1
        askers = [who for who in askers if not of_the_crew(op, who)]
        with naming():
            call = await probes.good_call(
                self.world, op, planner(self.world, op) if crews(op) else owner_of(self.world, op)
            )
            await self._things()
        before = await self.walls.state()
        answers = [await self._reach(op, call, who) for who in askers if not (call.who and who.user_id)]
        after = await self.walls.state()
        self.found.add(op, probes.written(before, after))
        for sentences in answers:
            self.found.add(op, sentences)
        for who in askers:
            self.found.add(op, await self._own(op, who))
        await _revive(self.world, askers)
        self.found.add(op, [f"it broke: {error}" for error in dict.fromkeys(self.world.errors)])
        self.world.errors.clear()

    async def _reach(self, op: Operation, theirs: Call, who: Somebody) -> list[str]:
        """A's thing, a thing that is nowhere and a thing of another kind are one and the same to a stranger."""
        named = probes.named_things(op)
        if not named and expected(op, who) == WORKS:
            return []  # nothing in it is A's but texts, which would then be their own
        answer = await self._ask(theirs, who)
        found = await self.walls.told(who, theirs, answer)
        if named:
            absent = theirs.replaced(path={**theirs.path, **{name: uuid4() for name in named}})
            found += await self._same(theirs, answer, absent, who)
            found += await self._same(theirs, answer, self._of_another_kind(theirs, named), who)
            if answer.status_code < 400 and not answer.headers.get("location", "").startswith("/sign-in"):
                found.append(f"{who} gets {answer.status_code} for A's")
        if expected(op, who) != WORKS and answer.status_code not in {*expected(op, who), 403, 404}:
            found.append(f"{who} may not call it and gets {answer.status_code}")
        return found

    async def _same(self, theirs: Call, got: Any, absent: Call, who: Somebody) -> list[str]:
        wanted = await self._ask(absent, who)
        one = comparable(got, *map(str, theirs.path.values()))
        other = comparable(wanted, *map(str, absent.path.values()))
        parts = [f"{name} {one[name]!r} instead of {other[name]!r}"[:300] for name in one if one[name] != other[name]]
        return [f"{who} sees a difference: {'; '.join(parts)}"] if parts else []

    async def _things(self) -> None:
        """Something of A of every kind that is sent where another kind belongs."""
        owner = self.world.somebody["A.owner"]
        for kind in () if self.wrong else WRONG_KINDS:
            self.wrong[kind] = await probes.THINGS[kind](self.world, owner)

    def _of_another_kind(self, call: Call, named: Sequence[str]) -> Call:
        chosen = {name: self.wrong[self.rng.choice([kind for kind in WRONG_KINDS if kind != name])] for name in named}
        return call.replaced(path={**call.path, **chosen})

    async def _own(self, op: Operation, who: Somebody) -> list[str]:
        """Their own works as ever, whatever tenant its headers hint at, and tells nothing of A."""
        by_cookie = "Cookie" in who.headers and op.name in BEARERS_ONLY
        if expected(op, who) != WORKS or crews(op) or (op.writes and looks(who)) or by_cookie:
            return []
        with naming():
            call = await probes.good_call(self.world, op, self._maker(who))
        asker = call.who or who
        if asker.home is self.world.a:
            return []  # its example is somebody of A
        hinted = call.replaced(headers={**call.headers, **hints(self.world)})
        answer = await self._ask(hinted, asker)
        found = await self.walls.told(asker, hinted, answer)
        if answer.status_code >= 400:
            found.append(f"{asker} gets {answer.status_code} for their own: {probes.plain_words(answer)}")
        return found

    def _maker(self, who: Somebody) -> Somebody:
        """Who makes the things that somebody asks for: who only looks makes none."""
        named = [part for part in who.name.split() if part.startswith("B.")]
        return self.world.somebody[named[0]] if looks(who) else who

    async def _ask(self, call: Call, who: Somebody) -> Any:
        self.found.probes += 1
        return await send(self.world, call, who)


def of_the_crew(op: Operation, who: Somebody) -> bool:
    """Whether an operation tells the crew of every business, wherever they are: their own console, and their own sessions."""
    return who.kind == "crew" and (crews(op) or op.for_crew or op.name in OWN_PLACES)


def looks(who: Somebody) -> bool:
    """Whether somebody only looks: at their own business as another role, or with another's eyes."""
    return "previews" in who.name or " as " in who.name


def hints(world: World) -> dict[str, str]:
    """Headers by which other systems choose a tenant, all of them naming A."""
    names = ("X-Tenant", "X-Tenant-Id", "X-Tenant-Slug", "X-Venue-Id", "X-Organization", "X-Account-Id")
    ids = dict.fromkeys(names, str(world.a.id)) | {"X-Tenant-Slug": world.a.slug, "X-Venue-Id": str(world.a.venues[0])}
    return {**ids, "X-Forwarded-Host": f"{world.a.slug}.example", "X-Original-URL": f"/api/admin/tenants/{world.a.id}"}


async def _revive(world: World, askers: Sequence[Somebody]) -> None:
    """Sign in again whose own session an operation ended."""
    ended = await world.sql(
        "select id from sessions where id = any ($1::uuid[]) and revoked_at is not null",
        [who.session_id for who in askers if who.session_id and not looks(who)],
    )
    dead = {row["id"] for row in ended}
    for index, who in enumerate(world.kept["strangers"]):
        if who.session_id in dead and not looks(who):
            again = await world.sign_in(who, cookie="Cookie" in who.headers)
            world.kept["strangers"][index] = again
            if who.name in world.somebody:
                world.somebody[who.name] = again
