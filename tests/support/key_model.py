"""Idempotency keys against a model: random requests under a few keys, each answer predicted from what was sent before."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from lastlight.runtime.http.operation import Operation
from tests.support.calls import Call, decoded_problem, send
from tests.support.races import ready
from tests.support.world import Somebody, World

COMPARED = (
    "content-type",
    "location",
    "etag",
    "cache-control",
    "content-disposition",
    "x-content-type-options",
    "vary",
)
"""Headers that a replay gives again as they were."""
REUSED = "https://lastlight.dev/problems/idempotency-key-reused"
IN_FLIGHT = "https://lastlight.dev/problems/idempotency-key-in-flight"
Request = tuple[str, str, dict[str, Any]]
"""Method, path and body."""
PEOPLE = ("A.owner", "A.manager", "B.owner", "B.manager")


@dataclass(slots=True)
class KeyModel:
    """What was sent under each key, by whom, and what it was answered."""

    kept: dict[tuple[str, str], tuple[str, Any]] = field(default_factory=dict[tuple[str, str], tuple[str, Any]])
    found: list[str] = field(default_factory=list[str])
    seen: Counter[str] = field(default_factory=Counter[str])

    def judge(self, who: Somebody, key: str, request: str, answer: Any) -> None:
        """Compare an answer with what the model says: the first time, the same again, or another request."""
        known = self.kept.get((who.name, key))
        place = f"{request} by {who} under {key}"
        if known is None:
            self._first(place, who, key, request, answer)
        elif known[0] == request:
            self.seen["replayed"] += 1
            if not _same(known[1], answer):
                self.found.append(f"{place}: the replay differs: {answer.status_code} {answer.text[:120]}")
        else:
            self.seen["reused"] += 1
            if answer.status_code != 422 or decoded_problem(answer).get("type") != REUSED:
                self.found.append(f"{place}: {answer.status_code} although the key belongs to {known[0]}")

    def _first(self, place: str, who: Somebody, key: str, request: str, answer: Any) -> None:
        self.seen["first"] += 1
        if answer.status_code >= 400 or "idempotency-replayed" in answer.headers:
            self.found.append(f"{place}: {answer.status_code} {answer.text[:160]} although the key is theirs and new")
        else:
            self.kept[who.name, key] = (request, answer)


def _same(first: Any, again: Any) -> bool:
    headers = all(first.headers.get(name) == again.headers.get(name) for name in COMPARED)
    replayed = again.headers.get("idempotency-replayed") == "true"
    return headers and replayed and (first.status_code, first.content) == (again.status_code, again.content)


async def keyed_at_random(world: World, *, steps: int, dice: random.Random) -> KeyModel:
    """Random requests of four people of two businesses under few keys: new tasks, views and preferences, and starts of tasks."""
    model = KeyModel()
    people = [world.somebody[name] for name in PEOPLE]
    keys: list[str] = []
    words: list[str] = []
    asked: list[tuple[Somebody, str, Request]] = []
    for step in range(steps):
        if step % 60 == 0:
            keys = [f"key-{uuid4().hex[:12]}" for _ in range(3)]
            words = [uuid4().hex[:10] for _ in range(2)]
            asked = []
        if asked and dice.random() < 0.4:
            who, key, (method, path, body) = dice.choice(asked)
        else:
            who, key = dice.choice(people), dice.choice(keys)
            method, path, body = _request(who, dice.randrange(4), dice.choice(words))
            asked.append((who, key, (method, path, body)))
        answer = await world.send(method, path, who, json=body, headers={"Idempotency-Key": key})
        model.judge(who, key, f"{method} {path} {sorted(body.items())}", answer)
    return model


def _request(who: Somebody, kind: int, word: str) -> Request:
    assert who.home is not None
    if kind == 0:
        return "POST", "/api/tasks", {"venue_id": str(who.home.venues[0]), "title": f"Task {word}"}
    if kind == 1:
        return "POST", "/api/saved-views", {"listing": "visits", "name": f"View {word[0]}", "query": ""}
    if kind == 2:
        return "POST", "/api/tasks", {"venue_id": str(who.home.venues[0]), "title": f"Task {word}", "details": word}
    return "PUT", "/api/me/name", {"name": f"Name {word}"}


async def keyed_race(world: World, op: Operation, *, racers: int) -> list[str]:
    """Many send one request under one key at once: one effect, and each is told the same, or that the first is on its way."""
    call, who = await ready(world, op)
    alone = await _rows(world, call, who)
    call, who = await ready(world, op)
    keyed = call.replaced(headers={**call.headers, "Idempotency-Key": str(uuid4())})
    before = await world.state()
    answers = await asyncio.gather(*(send(world, keyed, who) for _ in range(racers)))
    last = await send(world, keyed, who)
    after = await world.state()
    rows = {name: after[name][0] - before[name][0] for name in after if after[name][0] != before[name][0]}
    kept = rows.pop("idempotency_keys", 0)
    place = f"{op.method} {op.path}"
    more = [table for table, gained in rows.items() if abs(gained) > abs(alone.get(table, 0))]
    found = [f"{place}: {rows} instead of {alone}, {kept} kept"] if more or kept != 1 else []
    for answer in answers:
        waiting = answer.status_code == 409 and decoded_problem(answer).get("type") == IN_FLIGHT
        if not waiting and (answer.status_code, answer.content) != (last.status_code, last.content):
            found.append(f"{place}: {answer.status_code} {answer.text[:120]} beside {last.status_code}")
    return found


async def _rows(world: World, call: Call, who: Somebody) -> dict[str, int]:
    before = await world.state()
    answer = await send(world, call.replaced(headers={**call.headers, "Idempotency-Key": str(uuid4())}), who)
    assert answer.status_code < 400, answer.text
    after = await world.state()
    rows = {name: after[name][0] - before[name][0] for name in after if after[name][0] != before[name][0]}
    rows.pop("idempotency_keys", None)
    return rows
