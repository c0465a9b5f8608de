"""Every operation, called by somebody of every built-in role: who may, does; who may not is refused, told nothing, and changes nothing."""

import pytest

from tests.contracts import probes
from tests.contracts.probes import said
from tests.support.calls import OPERATIONS
from tests.support.world import World

pytestmark = [pytest.mark.database, pytest.mark.contract]
CLOSED = [key for key, op in OPERATIONS.items() if not op.public]
VISITORS = ("anonymous", "guest", "A.patron", "A.vendor_admin", "A.owner", "crew.super_admin", "crew.ops inside A")
"""Who visits what asks for no permission: one of each kind."""


@pytest.mark.parametrize("key", OPERATIONS)
async def test_it_works_for_everybody_who_may_call_it(world: World, key: str) -> None:
    op = OPERATIONS[key]
    people = world.everybody if op.permission else [world.somebody[name] for name in VISITORS]
    found = await probes.works(world, op, people)
    assert not found, said(found)


@pytest.mark.parametrize("key", CLOSED)
async def test_it_is_refused_to_everybody_else(world: World, key: str) -> None:
    found = await probes.refused(world, OPERATIONS[key], world.everybody)
    assert not found, said(found)


async def test_every_operation_works_for_somebody(world: World) -> None:
    unheld = [
        key
        for key, op in OPERATIONS.items()
        if all(probes.expected(op, who) != probes.WORKS for who in world.everybody)
    ]
    assert unheld == []
