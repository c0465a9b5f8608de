"""X2: schemathesis on the whole OpenAPI document: no server error, no answer of another status, type or shape than it says."""

from collections.abc import AsyncGenerator
from typing import Any

import msgspec
import pytest

from lastlight.runtime.http import dispatch
from lastlight.runtime.settings import Settings
from tests.contracts.probes import said
from tests.support.document_attack import Answers, attack, operations_of
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.world import World, opened_world

pytestmark = [pytest.mark.database, pytest.mark.contract]


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    """Two businesses, somebody of every kind."""
    async with opened_world(database_settings) as found:
        yield found


async def attacked(world: World, run: FaultRun, operations: list[Any], *, many: int) -> Answers:
    """The answers to generated requests at these operations."""
    answers = Answers()
    for operation in operations:
        await attack(world, operation, answers, many=many, rng=run.rng)
    return answers


@pytest.mark.fault("X2")
async def test_schemathesis_finds_no_server_error_and_no_undocumented_answer(world: World, run: FaultRun) -> None:
    operations = operations_of(world)
    chosen = run.rng.sample(operations, run.size(quick=8, long=len(operations)))
    answers = await attacked(world, run, chosen, many=run.size(quick=6, long=75))
    run.report(document=len(operations), operations=len(chosen), requests=answers.sent, unsendable=answers.unsendable)
    run.report(
        worked=sum(count for status, count in answers.statuses.items() if status < 400), faults=len(answers.faults)
    )
    assert not answers.faults, said(answers.faults)
    assert {200, 404, 422} <= {*answers.statuses}, answers.statuses


@pytest.mark.control("X2")
async def test_schemathesis_finds_a_decoder_that_breaks_and_an_answer_nobody_documented(
    world: World, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The decoder's refusals are let out as they come from below: what was a 422 is a 500 then."""

    def lenient(raw: bytes, kind: Any) -> Any:
        return msgspec.json.decode(raw, type=kind)

    monkeypatch.setattr(dispatch, "decode_json", lenient)
    operations = [one for one in operations_of(world) if one.label in {"POST /api/venues", "POST /api/roles"}]
    answers = await attacked(world, run, operations, many=12)
    run.report(requests=answers.sent, faults=len(answers.faults))
    must_fail([fault for fault in answers.faults if "500" in fault])
