"""The OpenAPI document as it is served: valid, complete, and held against every answer of the contract tests."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.contracts import probes
from tests.support.calls import OPERATIONS, REGISTRY
from tests.support.conformance import Conformance
from tests.support.world import World

pytestmark = [pytest.mark.database, pytest.mark.contract]
API = {key: op for key, op in OPERATIONS.items() if op.kind == "api"}


def test_the_document_is_valid_and_holds_every_operation(world: World) -> None:
    assert world.conformance is not None
    document: Any = world.conformance.document
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    described = {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item}
    assert len(described) == len(API)
    names = [item["operationId"] for path in document["paths"].values() for item in path.values()]
    assert len(names) == len(set(names))


def answer(status: int, body: Any, media: str = "application/json") -> Any:
    """An answer as httpx would hold it."""
    content = b"" if body is None else msgspec.json.encode(body)
    return SimpleNamespace(status_code=status, content=content, headers={"content-type": media})


async def test_an_answer_in_another_shape_is_noticed(world: World) -> None:
    """Negative controls of the comparison itself: a status, a type, a field, a member and a kind that are not declared."""
    op = OPERATIONS["GET /api/me"]
    owner = world.somebody["A.owner"]
    good = msgspec.json.decode((await world.send("GET", "/api/me", owner)).content)
    fresh = Conformance(REGISTRY, world.people.services.settings)
    fresh.seen.clear()
    assert fresh.faults(op, answer(200, good)) == []
    for status, body, media in (
        (418, good, "application/json"),
        (200, good, "text/csv"),
        (200, None, "application/json"),
        (200, {**good, "kind": "emperor"}, "application/json"),
        (200, {name: value for name, value in good.items() if name != "user_id"}, "application/json"),
        (401, {"type": "https://lastlight.dev/problems/of-another-operation"}, "application/problem+json"),
    ):
        fresh.seen.clear()
        assert fresh.faults(op, answer(status, body, media)), (status, media)


@pytest.mark.parametrize("key", [key for key, op in API.items() if op.method == "GET" and not op.public])
async def test_refusals_are_as_the_reference_says(world: World, key: str) -> None:
    """By hand what no role runs into: a broken token, an id of no kind, a number that is none."""
    op = API[key]
    call = await probes.good_call(world, op, probes.planner(world, op))
    broken = await world.send("GET", call.url, headers={"Authorization": "Bearer broken"})
    assert world.conformance is not None
    assert broken.status_code == 401
    assert world.conformance.faults(op, broken) == []
    assert "WWW-Authenticate" in broken.headers or broken.json()["type"].endswith("/token-invalid")
