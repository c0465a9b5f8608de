"""U6: nobody hands out what they lack, also when several try at once; some owner always remains; no body sets what is ours to set."""

import asyncio
import dataclasses
import random
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import msgspec
import pytest

from lastlight.domains.identity import members, roles
from lastlight.kernel.errors import Problem
from lastlight.kernel.ids import UserId
from lastlight.modules import MODULES
from lastlight.runtime.context import Grants
from lastlight.runtime.http import Input
from lastlight.runtime.http.decode import convert_text, decode_json
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import Settings
from tests.domains.identity.test_role_graph import Graph, graph, grown
from tests.support.examples import example_struct
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.people import People, people

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """Two businesses without limits in the way."""
    roomy = dataclasses.replace(database_settings, user_requests_per_minute=10**7, auth_failures_per_quarter_hour=10**7)
    async with people(roomy, MODULES) as found:
        yield found


# ---- several at once, over HTTP, each with a live token


@dataclasses.dataclass(slots=True)
class History:
    """What was tried in a business whose people change each other's roles, several at a time."""

    here: Graph
    bearers: list[dict[str, str]]
    rng: random.Random
    tried: int = 0
    done: int = 0

    async def step(self) -> list[str]:
        """Some act at once: what anybody then holds that none of those who acted could give."""
        before = await self.here.held()
        actors = self.who_acts(before)
        plans = [await self.plan(before.get(self.here.people[actor].user_id, Grants())) for actor in actors]
        calls = [
            self.here.world.client.request(method, path, headers={**self.bearers[actor], **headers}, json=body)
            for actor, (method, path, headers, body) in zip(actors, plans, strict=True)
        ]
        answers = await asyncio.gather(*calls)
        after = await self.here.held()
        self.tried += len(actors)
        self.done += sum(answer.is_success for answer in answers)
        found = grown(before, after, together(before, [self.here.people[actor].user_id for actor in actors]))
        found += [answer.text for answer in answers if answer.status_code >= 500]
        if not any(grants.allows("roles.manage") for grants in after.values()):
            found.append("nobody is left who hands out roles")
        return found

    def who_acts(self, before: Mapping[UUID, Grants]) -> list[int]:
        """Up to four, mostly of those who edit roles and do not hold everything."""
        known = range(len(self.here.people))
        held = {n: before.get(self.here.people[n].user_id, Grants()) for n in known}
        most = max(len(grants.held) for grants in held.values())
        lesser = [n for n in known if held[n].allows("roles.manage") and len(held[n].held) < most]
        width = self.rng.randrange(1, 5)
        return [self.rng.choice(lesser if lesser and self.rng.random() < 0.8 else known) for _ in range(width)]

    async def plan(self, mine: Grants) -> tuple[str, str, dict[str, str], Any]:
        """An act that anybody might try: method, path, headers, body."""
        rng, venues = self.rng, self.here.venues()
        member_id, version = await self.here.membership()
        role_id, versioned = str(await self.here.role()), {"If-Match": f'"{version}"'}
        own = rng.sample(sorted(mine.held), min(len(mine.held), rng.randrange(4)))
        role = {
            "name": f"r {uuid4()}",
            "permissions": sorted({*own, *(self.here.permissions() if rng.random() < 0.4 else ())}),
        }
        edited = await self.here.world.sql("select version from roles where id = $1", UUID(role_id))
        match rng.randrange(5):
            case 0 | 1:
                body = {"role_id": role_id, "venue_ids": None if venues is None else [str(venue) for venue in venues]}
                return "PATCH", f"/api/members/{member_id}", versioned, body
            case 2:
                return "POST", "/api/roles", {}, role
            case 3:
                return "PUT", f"/api/roles/{role_id}", {"If-Match": f'"{edited[0]["version"]}"'}, role
            case _:
                status = rng.choice(("active", "suspended"))
                return "PATCH", f"/api/members/{member_id}", versioned, {"status": status, "reason": "a test"}


def together(held: Mapping[UUID, Grants], actors: list[UserId]) -> Grants:
    """What some people hold between them."""
    found: dict[str, Any] = {}
    for actor in actors:
        for name, venues in held.get(actor, Grants()).held.items():
            mine = found.get(name, frozenset())
            found[name] = None if mine is None or venues is None else mine | venues
    return Grants(found)


async def histories(world: People, count: int, steps: int, rng: random.Random) -> tuple[dict[str, int], list[str]]:
    """So many histories of so many steps, until one breaks: what was done, and what broke."""
    counts: dict[str, int] = {"histories": 0, "tried": 0, "done": 0}
    for _ in range(count):
        here = await graph(world, rng.getrandbits(32))
        history = History(here, [await world.bearer(one.email) for one in here.people], rng)
        found: list[str] = []
        for _ in range(steps):
            found = found or await history.step()
        counts = {
            "histories": counts["histories"] + 1,
            "tried": counts["tried"] + history.tried,
            "done": counts["done"] + history.done,
        }
        if found:
            return counts, found
    return counts, []


@pytest.mark.fault("U6")
async def test_several_at_once_hand_out_nothing_that_none_of_them_holds(world: People, run: FaultRun) -> None:
    counts, found = await histories(world, run.size(quick=1, long=40), run.size(quick=20, long=60), run.rng)
    run.report(**counts, wrong=len(found))
    assert found == []
    assert counts["done"] >= 1


def anything_goes(*_args: object, **_named: object) -> None:
    """A rule that forbids nothing."""


@pytest.mark.control("U6")
async def test_without_the_rule_something_is_handed_out(world: People, run: FaultRun) -> None:
    with patch.object(members, "require_within", anything_goes), patch.object(roles, "require_within", anything_goes):
        counts, found = await histories(world, 4, 20, run.rng)
    run.report(**counts, wrong=len(found))
    must_fail(found)


# ---- the last two owners take each other away, in every pair of ways, at once

WAYS = ("remove", "demote", "pause", "leave", "step down", "keep to a venue")


async def duel(world: People, ways: tuple[str, str]) -> str:
    """Two owners, nobody else: each does one of the ways to the other or to themselves. What is wrong afterwards."""
    tenant = world.club
    await world.sql("delete from memberships where tenant_id = $1", tenant.id)
    pair = [await world.newcomer(tenant, role="owner") for _ in range(2)]
    bearers = [await world.bearer(one.email) for one in pair]
    staff = (await world.sql("select id from roles where tenant_id = $1 and key = 'staff'", tenant.id))[0]["id"]
    calls: list[Any] = []
    for me, way in enumerate(ways):
        own = way in {"leave", "step down"}
        target = pair[me if own else 1 - me].member_id
        bodies: dict[str, dict[str, Any] | None] = {
            "remove": None,
            "leave": None,
            "demote": {"role_id": str(staff)},
            "step down": {"role_id": str(staff)},
            "pause": {"status": "suspended", "reason": "a duel"},
            "keep to a venue": {"venue_ids": [str(tenant.venues[0])]},
        }
        body = bodies[way]
        method = "DELETE" if body is None else "PATCH"
        headers = {**bearers[me], "If-Match": '"1"'}
        calls.append(world.client.request(method, f"/api/members/{target}", headers=headers, json=body))
    answers = await asyncio.gather(*calls)
    left = await world.sql(
        """select count(*) from memberships m join roles r on r.tenant_id = m.tenant_id and r.id = m.role_id
           where m.tenant_id = $1 and r.key = 'owner' and m.status = 'active' and m.venue_ids is null""",
        tenant.id,
    )
    if any(answer.status_code >= 500 for answer in answers):
        return f"{ways}: {[answer.status_code for answer in answers]}"
    return "" if left[0][0] else f"{ways}: no owner is left"


async def duels(world: People, count: int, rng: random.Random) -> list[str]:
    """So many duels over all pairs of ways."""
    pairs = [(one, other) for one in WAYS for other in WAYS]
    rng.shuffle(pairs)
    found = [await duel(world, pairs[number % len(pairs)]) for number in range(count)]
    return [one for one in found if one]


@pytest.mark.fault("U6")
async def test_two_owners_who_take_each_other_away_leave_one(world: People, run: FaultRun) -> None:
    count = run.size(quick=6, long=500)
    found = await duels(world, count, run.rng)
    run.report(duels=count, wrong=len(found))
    assert found == []


@pytest.mark.control("U6")
async def test_without_the_guard_nobody_is_left(world: People, run: FaultRun) -> None:
    async def nobody_looks(*_args: object, **_named: object) -> None:
        return

    with patch.object(members, "_keep_an_owner", nobody_looks):
        found = await duels(world, 8, run.rng)
    run.report(wrong=len(found))
    must_fail(found)


# ---- fields that nobody may set

OURS = (
    "tenant_id", "id", "status", "version", "created_at", "updated_at", "created_by", "user_id", "patron_id", "session_id",
    "role", "roles", "permissions", "is_admin", "password_hash", "email_verified_at", "second_factor_at", "business_day",
    "received_at", "kind", "__proto__", "constructor", "_method", "x",
)  # fmt: skip


def bodies(op: Operation) -> Iterator[tuple[type[msgspec.Struct], dict[str, Any], bool]]:
    """What an operation takes: its type, an example, and whether it is a form."""
    for parameter in op.parameters:
        kind = parameter.kind
        if parameter.source == "form":
            kind = kind.__args__[0]
        if parameter.source in {"data", "form"} and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            try:
                body = example_struct(kind, {})
            except StopIteration:
                body = dict[str, Any]()  # its examples are told apart from its type; the field comes first anyway
            yield kind, body, parameter.source == "form"


def objects(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in a JSON value, with its place."""
    if isinstance(value, dict):
        yield path, value
        for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            yield from objects(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:  # pyright: ignore[reportUnknownVariableType]
            yield from objects(inner, f"{path}[]")


def taken_fields(operations: list[Operation]) -> tuple[int, list[str]]:
    """Put each field of ours into each object of each body that does not have it: which were not refused by name."""
    tried, found = 0, list[str]()
    for op in operations:
        for kind, body, form in bodies(op):
            declared = {field.encode_name for field in msgspec.structs.fields(kind)}
            for name in OURS:
                for place, inner in [("", body)] if form else [*objects(body)]:
                    if name in inner or (not place and name in declared) or (place and not _closed(kind, inner)):
                        continue
                    tried += 1
                    problem = refusal(kind, body, inner, name, form=form)
                    if name not in problem:
                        found.append(f"{op.name}{place}: {name} ({problem or 'taken'})")
    return tried, found


def _closed(_kind: type[msgspec.Struct], inner: dict[str, Any]) -> bool:
    """Whether an inner object has names of its own; a map from ids to something has none to refuse."""
    return bool(inner)


def refusal(kind: type[msgspec.Struct], body: dict[str, Any], inner: dict[str, Any], name: str, *, form: bool) -> str:
    """The fields that are named when one more field is sent."""
    kept = dict(inner)
    inner.clear()
    inner.update({name: "00000000-0000-7000-8000-000000000001", **kept})
    try:
        if form:
            convert_text({key: [str(value)] for key, value in body.items()}, kind)
        else:
            decode_json(msgspec.json.encode(body), kind)
    except Problem as problem:
        return " ".join(problem.fields) or problem.type
    finally:
        inner.clear()
        inner.update(kept)
    return ""


@pytest.mark.fault("U6")
def test_no_body_takes_a_field_that_is_ours(run: FaultRun) -> None:
    operations = [op for op in Registry(MODULES).operations if op.writes]
    tried, found = taken_fields(operations)
    run.report(operations=len(operations), fields=tried, taken=len(found))
    assert found == []
    assert tried > 1_000


class Open(msgspec.Struct):
    """A body that takes anything besides its own field."""

    name: str


@pytest.mark.control("U6")
def test_an_open_body_is_found(run: FaultRun) -> None:
    assert issubclass(Input, msgspec.Struct)
    op = next(op for op in Registry(MODULES).operations if op.parameter("data") is not None)
    parameters = tuple(dataclasses.replace(one, kind=Open) if one.source == "data" else one for one in op.parameters)
    tried, found = taken_fields([dataclasses.replace(op, parameters=parameters)])
    run.report(fields=tried, taken=len(found))
    must_fail(found)
