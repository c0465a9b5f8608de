"""Tenants, guests and venues kept apart: another's thing and a thing that is not there get one and the same answer, word for word."""

import pytest

from lastlight.kernel.permissions import Scope
from lastlight.runtime.http.operation import Operation
from tests.contracts import probes
from tests.contracts.probes import said
from tests.support.calls import OPERATIONS
from tests.support.world import Somebody, World

pytestmark = [pytest.mark.database, pytest.mark.contract]

INSIDE = {key: op for key, op in OPERATIONS.items() if not op.public and not op.scope_tenant}
WITH_PATH = [key for key, op in INSIDE.items() if probes.named_things(op)]
WITH_FIELDS = [key for key, op in INSIDE.items() if probes.fields_with_ids(op)]
PERSONAL = frozenset({"export_id", "view_id", "session_id"})
"""What belongs to one person, whatever the others of the business may do."""
SHOWN_TO_GUESTS = frozenset(
    {"list_offers", "read_free_times", "read_bookable_times", "list_live_banners", "read_venue_show", "await_photo"}
)
"""What every guest of a business sees of its venues, whoever asks."""
OF_A_VENUE = [key for key, op in INSIDE.items() if probes.venue_bound(op)]


def of_guests(op: Operation) -> bool:
    """Whether an operation is for guests alone."""
    return op.permission is not None and op.permission.scope is Scope.OWN


def crew_only(op: Operation) -> bool:
    """Whether an operation is the crew's alone."""
    return op.permission is not None and op.permission.scope is Scope.PLATFORM


def pair(world: World, op: Operation) -> tuple[Somebody, Somebody]:
    """Somebody of tenant B, and their counterpart in tenant A whose things they ask for."""
    role = "patron" if of_guests(op) else "owner"
    return world.somebody[f"B.{role}"], world.somebody[f"A.{role}"]


@pytest.mark.parametrize("key", WITH_PATH)
async def test_anothers_tenants_thing_in_the_path_is_not_there(world: World, key: str) -> None:
    op = OPERATIONS[key]
    stranger, owner = pair(world, op)
    found = await probes.foreign(world, op, stranger, owner)
    assert not found, said(found)


@pytest.mark.parametrize("key", WITH_FIELDS)
async def test_another_tenants_thing_in_a_field_is_not_there(world: World, key: str) -> None:
    op = OPERATIONS[key]
    stranger, owner = pair(world, op)
    if crew_only(op):
        pytest.skip("it is the crew's, who reads every tenant")
    found = await probes.foreign_fields(world, op, stranger, owner)
    assert not found, said(found)


@pytest.mark.parametrize("key", INSIDE)
async def test_the_other_tenant_does_the_same_with_its_own(world: World, key: str) -> None:
    op = OPERATIONS[key]
    stranger, _ = pair(world, op)
    found = await probes.works(world, op, [stranger]) + await probes.tells_nothing(world, op, stranger)
    assert not found, said(found)


@pytest.mark.parametrize("key", OF_A_VENUE)
async def test_another_venues_thing_is_not_there_for_a_member_of_one_venue(world: World, key: str) -> None:
    op = OPERATIONS[key]
    found = await probes.other_venue(world, op, world.somebody["A.vendor_admin"])
    assert not found, said(found)


@pytest.mark.parametrize("key", WITH_FIELDS)
async def test_another_venues_thing_in_a_field_is_not_there(world: World, key: str) -> None:
    op, member = OPERATIONS[key], world.somebody["A.vendor_admin"]
    if probes.expected(op, member) != probes.WORKS:
        return  # refused whatever it names
    found = await probes.foreign_fields(world, op, member, world.somebody["A.owner"], elsewhere=True)
    assert not found, said(found)


@pytest.mark.parametrize("key", [key for key, op in INSIDE.items() if op.method == "GET"])
async def test_a_member_of_one_venue_is_told_nothing_of_another(world: World, key: str) -> None:
    found = await probes.tells_no_other_venue(world, OPERATIONS[key], world.somebody["A.vendor_admin"])
    assert not found, said(found)


@pytest.mark.parametrize("key", [key for key in WITH_PATH if OPERATIONS[key].name not in SHOWN_TO_GUESTS])
async def test_another_guests_thing_is_not_there(world: World, key: str) -> None:
    found = await probes.foreign(world, OPERATIONS[key], world.somebody["A.patron"], world.somebody["A.regular"])
    assert not found, said(found)


@pytest.mark.parametrize("key", [key for key in WITH_PATH if PERSONAL & {*OPERATIONS[key].path_parameters()}])
async def test_what_is_ones_own_is_not_there_for_a_colleague(world: World, key: str) -> None:
    found = await probes.foreign(world, OPERATIONS[key], world.somebody["A.manager"], world.somebody["A.owner"])
    assert not found, said(found)


@pytest.mark.parametrize("key", [key for key, op in INSIDE.items() if op.method == "GET"])
async def test_a_guest_is_told_nothing_of_another(world: World, key: str) -> None:
    found = await probes.tells_no_other_guest(world, OPERATIONS[key])
    assert not found, said(found)
