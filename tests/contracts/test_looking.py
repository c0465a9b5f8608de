"""Every operation, called by somebody who only looks: what reads, shows; what writes, changes nothing, with our guard and without."""

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from lastlight.runtime.context import Actor
from lastlight.runtime.db import uow
from lastlight.runtime.http import dispatch
from lastlight.runtime.http.operation import Operation
from tests.contracts.expected import WORKS, expected, planner
from tests.contracts.probes import good_call, plain_words, said, written
from tests.support.calls import OPERATIONS, Call, decoded_problem, send
from tests.support.world import Somebody, World

pytestmark = [pytest.mark.database, pytest.mark.contract]
WRITES = [key for key, op in OPERATIONS.items() if op.writes and not op.looking]
READS = [key for key, op in OPERATIONS.items() if not op.writes and not op.public]
ON_RECORD = "outbox"
"""Where the crew's looks are put on record, though they write nothing themselves."""


async def looks(world: World) -> dict[str, Somebody]:
    """An owner and one of the crew who preview their own roles, and the crew with the eyes of an owner and of a guest."""
    if "looks" not in world.kept:
        owner, chief = world.somebody["A.owner"], world.somebody["crew.super_admin"]
        world.kept["looks"] = {
            "A.owner previews": await _previewing(world, owner, world.a.id, "owner"),
            "crew.super_admin previews": await _previewing(world, chief, chief.tenant_id, "super_admin"),
            "crew as A.owner": await _impersonating(world, owner, "member"),
            "crew as A.patron": await _impersonating(world, world.somebody["A.patron"], "patron"),
        }
    return world.kept["looks"]


async def _previewing(world: World, who: Somebody, tenant: Any, role: str) -> Somebody:
    role_id = await world.value("select id from roles where tenant_id = $1 and key = $2", tenant, role)
    look = await world.make("POST", "/api/preview", who, json={"role_id": str(role_id)})
    return _with(who, look)


async def _impersonating(world: World, subject: Somebody, as_: str) -> Somebody:
    path = f"/api/admin/users/{subject.user_id}/impersonation"
    body = {"tenant": world.a.slug, "as": as_, "reason": "the contract tests look", "minutes": 60}
    return _with(subject, await world.make("POST", path, world.somebody["crew.super_admin"], json=body))


def _with(who: Somebody, look: dict[str, Any]) -> Somebody:
    return dataclasses.replace(who, headers={"Authorization": f"Bearer {look['access_token']}"})


def unguarded(op: Operation, actor: Actor) -> None:
    """The guard as it would be had nobody thought of looks: what is left to hold them is the transaction."""
    GUARD(op, msgspec.structs.replace(actor, looking=None))


def writes_too(_scope: uow.WorkScope) -> str:
    """How a transaction would begin had nobody thought of looks."""
    return "begin"


GUARD: Callable[[Operation, Actor], None] = dispatch.admit


@pytest.mark.parametrize("key", WRITES)
async def test_what_writes_is_refused_to_who_looks_and_changes_nothing(
    world: World, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    op = OPERATIONS[key]
    lookers = await looks(world)
    call = await good_call(world, op, planner(world, op))
    before = await world.state()
    found: list[str] = []
    for name, who in lookers.items():
        problem = await _refusal(world, call, who)
        if problem != "read-only":
            found.append(f"{name} is told {problem}")
    monkeypatch.setattr(dispatch, "admit", unguarded)
    for name, who in lookers.items() if not op.public else ():  # what is public writes as nobody's, whoever asks
        answer = await send(world, call, who)
        if answer.status_code >= 500:
            found.append(f"{name} without the guard: {plain_words(answer)}")
    after = await world.state()
    assert not [one for one in written(before, after) + found if not one.startswith(ON_RECORD)], said(
        written(before, after) + found
    )
    names = await world.sql("select distinct name from outbox where position > $1", before[ON_RECORD][0])
    assert {row["name"] for row in names if row["name"].startswith("impersonation.seen")} == {"impersonation.seen"}


async def _refusal(world: World, call: Call, who: Somebody) -> str:
    """The type of the problem that an operation or page answers with."""
    answer = await send(world, call, who)
    if call.op.kind == "page":
        return (
            "read-only" if answer.status_code == 403 and "You are only looking" in answer.text else plain_words(answer)
        )
    return decoded_problem(answer).get("type", str(answer.status_code)).rsplit("/", 1)[-1]


@pytest.mark.parametrize("key", READS)
async def test_what_reads_works_for_who_looks_as_for_whom_they_look_as(world: World, key: str) -> None:
    op = OPERATIONS[key]
    found: list[str] = []
    for name, looker in (await looks(world)).items():
        own = world.somebody[looker.name]
        if expected(op, own) != WORKS:
            continue
        call = await good_call(world, op, own)
        if call.who is not None:
            continue  # it needs somebody who was made for it
        theirs, seen = await send(world, call, own), await send(world, call, looker)
        if seen.status_code != theirs.status_code:
            found.append(f"{name}: {seen.status_code} instead of {theirs.status_code}: {plain_words(seen)}")
    assert not found, said(found)


@pytest.mark.parametrize(
    "key", ["POST /api/roles", "PUT /api/me/preferences", "POST /api/venues", "POST /owner/people/invite"]
)
async def test_such_calls_do_change_something_for_who_does_not_look(world: World, key: str) -> None:
    """The control of the probe: the state that is compared moves when the owner does it as themselves."""
    call = await good_call(world, OPERATIONS[key], world.somebody["A.owner"])
    before = await world.state()
    answer = await send(world, call, call.who or world.somebody["A.owner"])
    assert answer.status_code < 400, plain_words(answer)
    assert written(before, await world.state())


async def test_without_guard_and_without_a_read_only_transaction_a_look_would_write(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the database's part: take it away too, and the last line of defence, ll.enter, still refuses."""
    call = await good_call(world, OPERATIONS["POST /api/roles"], world.somebody["A.owner"])
    looker = (await looks(world))["A.owner previews"]
    before = await world.state()
    monkeypatch.setattr(dispatch, "admit", unguarded)
    monkeypatch.setattr(uow, "begin_of", writes_too)
    answer = await send(world, call, looker)
    assert decoded_problem(answer)["type"].endswith("/read-only")
    assert not written(before, await world.state())
