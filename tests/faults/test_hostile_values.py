"""X2: hostile values in every field of every operation; every answer is one that was foreseen."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import msgspec
import pytest

from lastlight.runtime.http import dispatch
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.settings import Settings
from tests.contracts.probes import said
from tests.support.calls import OPERATIONS
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.hostile import Hit, look, throw
from tests.support.world import World, opened_world

pytestmark = [pytest.mark.database, pytest.mark.contract]

ALL = list(OPERATIONS.values())
READS = [op for op in ALL if op.method == "GET"]


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    """Two businesses, somebody of every kind."""
    async with opened_world(database_settings) as found:
        yield found


async def thrown(world: World, run: FaultRun, ops: Sequence[Operation], *, most: int) -> Hit:
    """What comes of hostile calls to these operations, and of looking at what they left behind."""
    hit = Hit()
    for op in ops:
        await throw(world, op, hit, most=most, rng=run.rng)
    return hit


@pytest.mark.fault("X2")
async def test_hostile_values_in_every_field_break_nothing(world: World, run: FaultRun) -> None:
    chosen = run.rng.sample(ALL, run.size(quick=30, long=len(ALL)))
    hit = await thrown(world, run, chosen, most=run.size(quick=5, long=45))
    for op in run.rng.sample(READS, run.size(quick=12, long=len(READS))):
        await look(world, op, hit)
    run.report(operations=len(chosen), calls=hit.calls, taken=hit.taken, faults=len(hit.faults))
    assert not hit.faults, said(hit.faults)
    assert 0 < hit.taken < hit.calls // 2, "most is refused, and something is taken"


@pytest.mark.control("X2")
async def test_a_decoder_that_lets_everything_through_is_found(
    world: World, run: FaultRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the decoder refuses reaches the actions, and what it says of broken JSON reaches the caller as it is."""

    def lenient(raw: bytes, kind: Any) -> Any:
        return msgspec.json.decode(raw, type=kind)

    monkeypatch.setattr(dispatch, "decode_json", lenient)
    hit = await thrown(world, run, [OPERATIONS["POST /api/venues"], OPERATIONS["POST /api/roles"]], most=120)
    run.report(calls=hit.calls, faults=len(hit.faults))
    must_fail(hit.faults)
