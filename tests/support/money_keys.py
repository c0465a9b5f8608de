"""Idempotency keys of the operations that move money: whose they are, and for which request. Generated from the registry."""

from typing import Any
from uuid import uuid4

from lastlight.kernel.ids import uuid_of
from lastlight.runtime.http.operation import Operation
from tests.contracts.expected import WORKS, expected
from tests.contracts.probes import good_call
from tests.support.calls import OPERATIONS, REGISTRY, Call, decoded_problem, send
from tests.support.key_model import REUSED
from tests.support.races import ASKERS
from tests.support.world import Somebody, World

MONEY = frozenset({"ledger", "payments", "credits", "adjustments"})
REQUIRED = "https://lastlight.dev/problems/idempotency-key-required"
TWINS = {"A.owner": "B.owner", "A.patron": "B.patron"}
"""Who is somebody like that in the other business."""
CURRENCIES = {"EUR": "ZAR", "ZAR": "EUR"}


def moving() -> list[Operation]:
    """Every operation of a module of money that needs a key."""
    return [
        op
        for op in OPERATIONS.values()
        if op.idempotent and op.kind == "api" and REGISTRY.module_of[id(op)].name in MONEY and not op.same_as
    ]


async def broken_keys(world: World, op: Operation) -> list[str]:
    """What of a key's promises an operation breaks: needed, answered again, refused to another request, fresh to others."""
    who = next(world.somebody[name] for name in ASKERS if expected(op, world.somebody[name]) == WORKS)
    call = await good_call(world, op, who)
    who, key = call.who or who, f"money-{uuid4().hex}"
    keyed = call.replaced(headers={**call.headers, "Idempotency-Key": key})
    first, found = await send(world, keyed, who), list[str]()
    place = f"{op.method} {op.path}"
    if first.status_code >= 400:
        return [f"{place}: {first.status_code} {first.text[:160]}"]
    before = await world.state()
    again = await send(world, keyed, who)
    if (again.status_code, again.content, again.headers.get("idempotency-replayed")) != (
        first.status_code,
        first.content,
        "true",
    ):
        found.append(f"{place}: the replay is {again.status_code} {again.text[:120]}")
    for what, other in await _others(world, op, keyed, who):
        answer = await send(world, other, who)
        if answer.status_code != 422 or decoded_problem(answer).get("type") != REUSED:
            found.append(f"{place} with {what} under the same key: {answer.status_code} {answer.text[:120]}")
    bare = await world.send(op.method, call.url, who, json=call.body)
    if bare.status_code != 400 or decoded_problem(bare).get("type") != REQUIRED:
        found.append(f"{place} without a key: {bare.status_code} {bare.text[:120]}")
    after = await world.state()
    found += [f"{place}: {table} was written to" for table in before if before[table] != after[table]]
    return found + await _fresh_elsewhere(world, op, who, key, place) + _said(world, place)


async def _others(world: World, op: Operation, keyed: Call, who: Somebody) -> list[tuple[str, Call]]:
    """Other requests: another body in each of its fields, another thing in the path."""
    found: list[tuple[str, Call]] = []
    body: dict[str, Any] = keyed.body or {}
    for name, value in body.items():
        other = _another(value)
        if other != value:
            found.append((f"another {name}", keyed.replaced(body={**body, name: other})))
    if body:
        found.append(("a body in another order", keyed.replaced(body=dict(reversed(body.items())))))
    found = found if len(body) > 1 else [one for one in found if "order" not in one[0]]
    for name in op.path_parameters():
        found.append((f"another {name}", keyed.replaced(path={**keyed.path, name: uuid4()})))
    return found


def _another(value: Any) -> Any:
    """A value of the same form, where there is one."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value + 1
    if not isinstance(value, str):
        return value
    if uuid_of(value) is not None:
        return str(uuid4())
    return CURRENCIES.get(value) or f"{value}x"


async def _fresh_elsewhere(world: World, op: Operation, who: Somebody, key: str, place: str) -> list[str]:
    """The same key is another's own: of somebody else in the business, and of somebody in another one."""
    found: list[str] = []
    twin = world.somebody[TWINS[f"A.{who.role}"]]
    colleague = await world.newcomer(world.somebody[f"A.{who.role}"])
    for other in (colleague, twin):
        call = await good_call(world, op, other)
        asker = call.who or other
        answer = await send(world, call.replaced(headers={**call.headers, "Idempotency-Key": key}), asker)
        if answer.status_code >= 400 or "idempotency-replayed" in answer.headers:
            found.append(f"{place} by {other} under {who}'s key: {answer.status_code} {answer.text[:160]}")
    return found


def _said(world: World, place: str) -> list[str]:
    errors, world.errors = world.errors, []
    return [f"{place}: {error}" for error in errors]
