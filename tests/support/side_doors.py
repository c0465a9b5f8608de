"""Side doors of tenant A: ids in fields, cursors of its lists, hints of scanners, rooms and catch-up of sockets."""

import contextlib
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from lastlight.runtime.http.operation import Operation
from tests.contracts import probes
from tests.contracts.expected import WORKS, expected
from tests.support.calls import OPERATIONS, comparable, send
from tests.support.devices import Scanner
from tests.support.phones import Phone
from tests.support.sockets import connected, serving, until
from tests.support.strangers import Found, Walls, crews, looks, of_the_crew, owner_of
from tests.support.things import issued_device
from tests.support.world import Somebody, World

SIGNED = (("GET", "/api/door/snapshot"), ("POST", "/api/door/scans"), ("POST", "/webhooks/hardware"))
"""What devices sign."""


async def try_fields(world: World, found: Found, op: Operation, askers: Sequence[Somebody]) -> None:
    """A's ids in body, form and query are as absent as ids of nothing, to every stranger whom the operation lets in."""
    if crews(op):
        return
    for who in askers:
        if (
            expected(op, who) == WORKS and not looks(who) and not of_the_crew(op, who)
        ):  # what is looked at goes on record
            found.probes += 2 * len(probes.fields_with_ids(op))
            found.add(op, await probes.foreign_fields(world, op, who, owner_of(world, op)))


def has_pages(op: Operation) -> bool:
    """Whether an operation reads a list page by page."""
    query = op.parameter("query")
    return op.method == "GET" and query is not None and "after" in getattr(query.kind, "__struct_fields__", ())


async def try_cursors(walls: Walls, found: Found, op: Operation, askers: Sequence[Somebody]) -> None:
    """A cursor of A's list in a stranger's hands tells nothing of A."""
    world = walls.world
    owner = owner_of(world, op)
    if crews(op) or expected(op, owner) != WORKS:
        return
    call = await probes.good_call(world, op, owner)
    first = await send(world, call.replaced(query={**call.query, "limit": "1"}), owner)
    cursor = first.json().get("next") if "json" in first.headers.get("content-type", "") else None
    if cursor is None:
        return
    for who in askers:
        if expected(op, who) == WORKS and not of_the_crew(op, who):
            own = await probes.good_call(world, op, who)
            taken = own.replaced(query={**own.query, "after": cursor})
            found.probes += 1
            found.add(op, await walls.told(who, taken, await send(world, taken, who)))


async def try_scanners(walls: Walls, found: Found) -> None:
    """A device of B that signs as one of A, or of B with A's key, is told what an unknown device is told."""
    world = walls.world
    ours, theirs = await _scanner(world, "B.owner"), await _scanner(world, "A.owner")
    body = json.dumps({"sequence": 1, "sent_at": "2026-11-21T20:00:00Z"}, separators=(",", ":")).encode()
    nobody = Scanner(uuid4(), uuid4(), ours.phone)
    before = await walls.state()
    for method, path in SIGNED:
        sent = b"" if method == "GET" else body
        wanted = await _signed(world, nobody, method, path, sent)
        for device_id, tenant_id in (
            (theirs.device_id, theirs.tenant_id),
            (ours.device_id, theirs.tenant_id),
            (theirs.device_id, ours.tenant_id),
        ):
            found.probes += 1
            got = await _signed(world, Scanner(device_id, tenant_id, ours.phone), method, path, sent)
            if comparable(got) != comparable(wanted) or got.status_code < 400:
                found.leaks.append(
                    f"{method} {path}: a device of B as {tenant_id}.{device_id} gets {got.status_code} {got.text}"
                )
    op = next(op for op in OPERATIONS.values() if op.path == "/api/door/snapshot")
    found.add(op, probes.written(before, await walls.state()))


async def _scanner(world: World, boss: str) -> Scanner:
    who, phone = world.somebody[boss], Phone()
    body = {"code": (await issued_device(world, who))["code"], "public_key": phone.public_key}
    given = await world.make("POST", "/api/devices/enrolment", who, json=body)
    return Scanner(device_id=UUID(given["device_id"]), tenant_id=UUID(given["tenant_id"]), phone=phone)


async def _signed(world: World, scanner: Scanner, method: str, path: str, body: bytes) -> Any:
    headers = {**scanner.headers(method, path, body), "Content-Type": "application/json"}
    return await world.send(method, path, headers=headers, content=body)


async def try_sockets(walls: Walls, found: Found, ops: Sequence[Operation]) -> int:
    """Sockets of B hear nothing of what happens in A, and reach for A's events in vain; how many events A's own socket heard."""
    world = walls.world
    askers = [world.somebody[name] for name in ("B.owner", "B.manager", "B.vendor_admin", "B.staff", "B.patron")]
    async with contextlib.AsyncExitStack() as stack:
        site = await stack.enter_async_context(serving(world.people.services))
        ears = [(who, await stack.enter_async_context(connected(site, _token(who), after=0))) for who in askers]
        own = await stack.enter_async_context(connected(site, _token(world.somebody["A.owner"])))
        for who, client in ears:
            for asked in (
                {"after": 0, "tenant_id": str(world.a.id)},
                {"after": 0},
                {"after": 10**6, "room": str(world.a.id)},
            ):
                found.probes += 1
                answer = await client.io.call("catch_up", asked, timeout=30)
                client.heard.append((f"answer to {who}", answer))
            stolen = {"token": _token(world.somebody["A.owner"])}
            client.heard.append(("answer to a stolen token", await client.io.call("authenticate", stolen, timeout=30)))
            for room in (f"t:{world.a.id}", str(world.a.venues[0])):
                await client.io.emit("join", {"room": room})
                await client.io.emit("subscribe", room)
        for op in ops:
            call = await probes.good_call(world, op, owner_of(world, op))
            await send(world, call, call.who or owner_of(world, op))
        await world.relay()
        last = await world.value("select coalesce(max(seq), 0) from tenant_sequences where tenant_id = $1", world.a.id)
        await until(lambda: any(seq >= last - 50 for seq, _ in own.events()))
        for who, client in ears:
            found.probes += len(client.heard)
            text = json.dumps(client.heard, default=str)
            marks = [str(world.a.id), *map(str, world.a.venues), f"@{world.a.slug}.example", f"of the {world.a.slug}"]
            found.leaks += [f"the socket of {who} hears {mark}" for mark in marks if mark in text]
        return len(own.events())


def _token(who: Somebody) -> str:
    return who.headers["Authorization"].removeprefix("Bearer ")
