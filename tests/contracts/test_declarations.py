"""What the registry declares, held against itself: permissions, problems, roles, doors without a permission."""

import pytest

from lastlight.domains.identity.presets import CREW_ROLES, TENANT_ROLES
from lastlight.kernel import errors as kernel_errors
from lastlight.kernel.errors import Problem
from lastlight.kernel.permissions import Scope
from lastlight.runtime.auth.errors import AUTH_ERRORS
from lastlight.runtime.http.refusals import refusals_of
from tests.contracts.given import EXAMPLES
from tests.contracts.surface import HELD_BY_NO_PRESET, PUBLIC, SIGNED_IN
from tests.support.calls import OPERATIONS, REGISTRY

pytestmark = pytest.mark.contract
PRESETS = (*TENANT_ROLES, *CREW_ROLES)
KERNEL = {kind for kind in vars(kernel_errors).values() if isinstance(kind, type) and issubclass(kind, Problem)}


def test_the_doors_without_a_permission_are_the_ones_we_know() -> None:
    public = {op.name for op in OPERATIONS.values() if op.public}
    signed_in = {op.name for op in OPERATIONS.values() if op.signed_in}
    assert public - PUBLIC == set(), (
        "open to everybody: give it a permission, or add it to PUBLIC in tests/contracts/surface.py"
    )
    assert signed_in - SIGNED_IN == set(), "give it a permission, or add it to SIGNED_IN in tests/contracts/surface.py"
    assert (PUBLIC - public, SIGNED_IN - signed_in) == (set(), set()), "these are gone; take them off the lists"


def test_every_permission_is_asked_for_and_held_by_somebody() -> None:
    asked = {op.permission.name for op in OPERATIONS.values() if op.permission}
    asked |= {listing.permission.name for listing in REGISTRY.listings.values() if listing.permission}
    asked |= {event.audience.name for event in REGISTRY.events.values() if event.audience}
    named = {name for preset in PRESETS for name in preset.permissions}
    everything = any(preset.everything for preset in PRESETS)
    unheld = {
        name
        for name, permission in REGISTRY.permissions.items()
        if permission.scope is not Scope.OWN and name not in named and name not in HELD_BY_NO_PRESET
    }
    assert set(REGISTRY.permissions) - asked == set()
    assert everything
    assert unheld == set(), "name it in a role of presets.py, or say in HELD_BY_NO_PRESET why only super admins hold it"


def test_every_built_in_role_is_made_of_permissions_that_exist() -> None:
    unknown = {
        f"{preset.key}: {name}" for preset in PRESETS for name in preset.permissions if name not in REGISTRY.permissions
    }
    assert unknown == set()


@pytest.mark.parametrize("preset", TENANT_ROLES, ids=lambda preset: preset.key)
def test_no_role_of_a_tenant_holds_what_is_the_platforms(preset: object) -> None:
    names = getattr(preset, "permissions", ())
    scopes = {REGISTRY.permissions[name].scope for name in names}
    assert scopes <= {Scope.TENANT, Scope.VENUE}


def test_every_problem_that_an_operation_may_answer_is_registered_once() -> None:
    registered = {kind for module in REGISTRY.modules for kind in module.errors} | KERNEL | {*AUTH_ERRORS}
    raised = {kind for op in OPERATIONS.values() for kind in op.raises} | {*REGISTRY.constraints.values()}
    assert {kind.__name__ for kind in raised - registered} == set(), "add it to its module's `errors`"
    kinds = sorted(registered | raised, key=lambda kind: kind.__name__)
    types = [kind.type for kind in kinds if kind is not Problem]
    assert sorted(types) == sorted(set(types)), "two problems have one type"
    assert all(400 <= kind.status < 600 and kind.title for kind in kinds)


def test_every_operation_says_what_may_go_wrong() -> None:
    for op in OPERATIONS.values():
        found = {kind.status for kind in refusals_of(op, REGISTRY.module_of[id(op)])}
        assert found >= ({401} if not op.public else set())
        assert found >= ({403} if op.permission else set())
        assert found >= ({404} if op.path_parameters() else set())
        assert found >= ({428} if op.parameter("if_match") else set())


def test_every_event_is_heard_by_holders_of_a_permission_or_by_nobody() -> None:
    scopes = {event.audience.scope for event in REGISTRY.events.values() if event.audience}
    assert Scope.OWN not in scopes, "a guest hears what is their own by its patron_id, not by a permission"


def test_no_example_is_left_over() -> None:
    assert set(EXAMPLES) - {op.name for op in OPERATIONS.values()} == set()


def test_no_two_operations_share_an_example_by_accident() -> None:
    """Functions of one name are the same operation under several prefixes or paths, so one example serves them."""
    by_name: dict[str, set[tuple[object, ...]]] = {}
    for op in OPERATIONS.values():
        by_name.setdefault(op.name, set()).add((op.method, op.kind, op.fn.__module__))
    assert {name for name, places in by_name.items() if len(places) > 1} == set()
