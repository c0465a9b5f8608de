"""The OpenAPI document, taken at its word by schemathesis: generated requests, right and wrong ones, and what the answers must be."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (schemathesis leaves parts of its types open)

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import msgspec
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisException
from schemathesis import GenerationMode
from schemathesis.core.failures import AcceptedNegativeData, Failure, FailureGroup
from schemathesis.specs.openapi import checks

from lastlight.kernel.errors import Problem
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.openapi import operation_id
from tests.contracts import probes
from tests.contracts.expected import WORKS, expected
from tests.support.calls import OPERATIONS, Call
from tests.support.world import Somebody, World

QUIET: Any = list(HealthCheck)
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
CHECKS: list[Any] = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
]
BY_ID = {operation_id(op): op for op in OPERATIONS.values() if op.kind == "api"}
ENDS_SESSIONS = frozenset({"logout_all", "close_cookie_session", "revoke_other_sessions", "change_password", "logout"})
"""Asked for by somebody new each time, or everybody would be gone."""
ROLES = ("A.owner", "A.manager", "A.staff", "A.patron", "crew.super_admin", "anonymous")
UNSENDABLE = (ValueError, UnicodeError, requests.RequestException, httpx.InvalidURL, TypeError)


@dataclass(slots=True)
class Answers:
    """What was sent and what came back."""

    sent: int = 0
    unsendable: int = 0
    statuses: Counter[int] = field(default_factory=Counter[int])
    faults: list[str] = field(default_factory=list[str])


def operations_of(world: World) -> list[Any]:
    """Every operation of the document, as schemathesis reads it."""
    assert world.conformance is not None
    document = msgspec.json.decode(msgspec.json.encode(_plain(world.conformance.document)))
    found: list[Any] = [*schemathesis.openapi.from_dict(document).get_all_operations()]
    return [one.ok() for one in found]


def _plain(schema: Any) -> Any:
    """The same with pairs as lists of two: schemathesis makes an array schema of `prefixItems` that it then refuses itself."""
    if isinstance(schema, dict):
        pairs = schema.get("prefixItems")
        kept = {name: _plain(part) for name, part in schema.items() if name != "prefixItems"}
        return kept | {"items": pairs[0]} if pairs else kept
    return [_plain(part) for part in schema] if isinstance(schema, list) else schema


def cases_of(operation: Any, mode: GenerationMode, *, many: int, number: int, **fixed: Any) -> list[Any]:
    """So many generated requests; fewer where the schema allows no more, none where nothing can be negated."""
    found: list[Any] = []

    @seed(number)
    @settings(
        max_examples=many,
        database=None,
        deadline=None,
        suppress_health_check=QUIET,
        phases=[Phase.generate],
    )
    @given(operation.as_strategy(generation_mode=mode, **fixed))
    def take(case: Any) -> None:
        found.append(case)

    try:
        take()
    except (HypothesisException, schemathesis.errors.SchemathesisError):
        return found
    return found


async def attack(world: World, operation: Any, answers: Answers, *, many: int, rng: Random) -> None:
    """Generated requests to one operation, half of them at things that are there, by everybody in turn."""
    op = BY_ID[operation.definition.raw["operationId"]]
    real = await _real_call(world, op)
    named = {} if real is None else {"path_parameters": {name: str(value) for name, value in real.path.items()}}
    shots: list[Any] = []
    for mode in MODES:
        shots += cases_of(operation, mode, many=max(1, many // 3), number=rng.randrange(2**30))
    shots += cases_of(operation, GenerationMode.POSITIVE, many=max(1, many // 3), number=rng.randrange(2**30), **named)
    people = _people(world, op)
    for number, case in enumerate(shots):
        who = people[number % len(people)]
        if op.name in ENDS_SESSIONS and who.user_id is not None:
            who = await world.newcomer(who)
        await _shoot(world, op, case, who, real=real, answers=answers)


async def _real_call(world: World, op: Operation) -> Call | None:
    people = [one for one in _people(world, op) if expected(op, one) == WORKS]
    if not people or not op.path_parameters():
        return None
    try:
        return await probes.good_call(world, op, people[0])
    except (AssertionError, Problem):
        return None  # an earlier request changed what the example stands on, such as how a door opens


def _people(world: World, op: Operation) -> list[Somebody]:
    """Whoever may call it, and every second time each of the others in turn."""
    people = [world.somebody[name] for name in ROLES]
    able = [one for one in people if expected(op, one) == WORKS] or people
    return [one for index, other in enumerate(people) for one in (able[index % len(able)], other)]


async def _shoot(world: World, op: Operation, case: Any, who: Somebody, *, real: Call | None, answers: Answers) -> None:
    if isinstance(case.query, dict) and str(case.query.get("wait", "")).isdigit():
        case.query["wait"] = 0  # nothing happens that it would be worth waiting for
    try:
        sent = requests.Request(**case.as_transport_kwargs(base_url="http://test")).prepare()
        headers = {
            name: value.encode("latin-1") if isinstance(value, str) else value for name, value in sent.headers.items()
        }
        if real is not None and "If-Match" in real.headers and "If-Match" in case.headers:
            headers["If-Match"] = real.headers["If-Match"].encode()
        if op.idempotent and "Idempotency-Key" in case.headers:
            headers["Idempotency-Key"] = str(uuid4()).encode()
        headers |= {name: value.encode() for name, value in who.headers.items()}
        world.people.client.cookies.clear()
        client: Any = world.people.client
        answer = await client.request(sent.method, sent.url, headers=headers, content=sent.body)
    except UNSENDABLE:
        answers.unsendable += 1
        return
    if real is not None and "If-Match" in real.headers and "ETag" in answer.headers:
        real.headers["If-Match"] = answer.headers["ETag"]  # the next one edits what this one left
    answers.sent += 1
    answers.statuses[answer.status_code] += 1
    answers.faults += [f"{op.method} {op.path} as {who}: {one}" for one in _judged(case, answer, str(sent.url))]
    answers.faults += [f"{op.method} {op.path} as {who}: it broke: {error}" for error in world.errors]
    world.errors.clear()


def _judged(case: Any, answer: httpx.Response, url: str) -> Sequence[str]:
    found = [f"{answer.status_code}: {answer.text[:200]}"] if answer.status_code >= 500 else []
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        found += [_told(failure, case) for failure in group.exceptions if not _left_out(failure, case, url)]
    except Failure as failure:
        found += [] if _left_out(failure, case, url) else [_told(failure, case)]
    return found


def _left_out(failure: BaseException, case: Any, url: str) -> bool:
    """Whether a request was taken for wrong that, as it was sent, gives a query parameter no value, as an empty form field does."""
    sent = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    unsaid = any(not value for _, value in sent) or bool((case.query or {}).keys() - dict(sent).keys())
    return isinstance(failure, AcceptedNegativeData) and unsaid


def _told(failure: BaseException, case: Any) -> str:
    said = " ".join(str(failure).split())[:400]
    return f"{said} sent: {case.path_parameters} {case.query} {case.headers} {str(case.body)[:200]}"
