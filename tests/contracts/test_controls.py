"""Negative controls: each lock, taken off, is missed by the probes; and of the two locks on every row, each holds alone.

The locks on a row are the statement, which names its tenant, and the policy. tests/database/test_policies.py probes the policies
by raw SQL; here the application itself runs with one of the two locks off.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

import pytest

from lastlight.domains.safety import report_facts
from lastlight.kernel.permissions import Scope
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.http.operation import Operation
from lastlight.runtime.mail.deliver import DELIVER
from lastlight.runtime.staged import begin
from tests.contracts import locks, probes
from tests.contracts.expected import WORKS, expected, planner
from tests.contracts.probes import said
from tests.database.allowed import GUEST_OWNS, PERSONAL
from tests.support.books import Books, some_books
from tests.support.calls import OPERATIONS, send
from tests.support.things import ELSEWHERE, THINGS, visit
from tests.support.world import World

pytestmark = [pytest.mark.database, pytest.mark.contract, pytest.mark.timeout(300)]

GUARDED = {key: op for key, op in OPERATIONS.items() if op.permission is not None}
Probe = Callable[[], Awaitable[list[str]]]
STRANGERS = ("A.patron", "A.staff", "crew.finance")
"""Who tries a door whose permission is off: one of each kind that holds little."""
INSIDE = {
    key: op
    for key, op in OPERATIONS.items()
    if not op.public
    and not op.scope_tenant
    and op.db is None
    and not (op.permission is not None and op.permission.scope is Scope.PLATFORM)
}
"""What runs inside a tenant by the app's own database role, where policies stand behind the statements."""
NOT_FOR_THE_APP = frozenset(
    {"outgoing_mail", "outbox", "audit_checkpoints", "drill_runs", "push_keys", "push_subscriptions"}
)
"""Tables that the app's role may not read, or that the platform's own jobs fill."""
BOUND_OTHERWISE = frozenset({"create_role", "role_new_submit", "create_export"})
"""Nobody puts into a role what they lack, and an export reads its list as its reader may: locks of another kind."""


async def test_every_permission_that_is_taken_off_is_missed(world: World) -> None:
    """The guard's alone, or where the action asks again, with that off as well."""
    unnoticed: set[str] = set()
    again = 0
    for op in GUARDED.values():
        strangers = [world.somebody[name] for name in STRANGERS if expected(op, world.somebody[name]) != WORKS]
        call = await probes.good_call(world, op, planner(world, op))
        with locks.without_permission(op):
            noticed = await probes.refused(world, op, strangers, call=call)
        if not noticed:
            again += 1
            with locks.without_permission(op, deep=True):
                noticed = await probes.refused(world, op, strangers, call=call)
        if not noticed and not acts_for_a_guest(op):
            unnoticed.add(op.name)
        world.errors.clear()
    assert unnoticed - BOUND_OTHERWISE == set()
    assert again < len(GUARDED) // 2, "the guard alone is seldom the lock that is seen"


def acts_for_a_guest(op: Operation) -> bool:
    """Whether an operation does something for the guest who calls: who is none is refused whatever they hold."""
    return op.permission is not None and op.permission.scope is Scope.OWN


async def test_the_policies_hold_alone(world: World) -> None:
    """No statement names its tenant or its guest; what others have is as absent as ever."""
    ready = await foreign_probes(world)
    with locks.without_naming() as touched:
        found = await _run(ready)
    assert not found, said(found)
    assert len(touched & {row["table_name"] for row in await locks.policies(world, "tenant_rows")}) > 10


async def test_the_statements_hold_alone(world: World) -> None:
    """No policy holds anything back; what others have is as absent as ever."""
    ready = await foreign_probes(world)
    everything = await locks.policies(world, "tenant_rows", "guest_rows", "guest_reads")
    async with locks.without_policies(world, everything):
        found = await _run(ready)
    assert not found, said(found)


async def test_a_transaction_sees_its_own_tenant_and_nothing_else(world: World) -> None:
    tables = [row["table_name"] for row in await locks.policies(world, "tenant_rows")]
    await one_of_everything(world)
    empty = [
        table
        for table in tables
        if table not in NOT_FOR_THE_APP
        and not await world.value(f"select exists (select from {table} where tenant_id = $1)", world.a.id)
    ]
    assert empty == [], "the world has nothing of tenant A in these; make something in tests/support/things.py"
    found: list[str] = []
    for name in ("B.owner", "B.patron", "B.vendor_admin", "guest"):
        found += await probes.sees_others(world, world.somebody[name], tables)
    assert not found, said(found)


async def test_each_policy_that_is_taken_off_is_missed(world: World) -> None:
    """Each table's, one after the other; most are missed by the operations themselves once statements name no tenant."""
    await one_of_everything(world)
    owner = world.somebody["B.owner"]
    unnoticed: list[str] = []
    for policy in await locks.policies(world, "tenant_rows"):
        table = policy["table_name"]
        async with locks.without_policies(world, [policy]):
            if not await probes.sees_others(world, owner, [table]) and table not in NOT_FOR_THE_APP:
                unnoticed.append(table)
    assert set(unnoticed) == PERSONAL, "another policy holds each row of these to its owner"
    for table in unnoticed:
        async with locks.without_policies(world, await locks.policies(world, table=table)):
            assert await probes.sees_others(world, owner, [table])


async def test_a_guests_transaction_sees_no_other_guest_and_each_policy_of_it_is_missed(world: World) -> None:
    await one_of_everything(world)
    for name in ("regular", "patron"):
        await ELSEWHERE["visit_id"](world, world.somebody[f"A.{name}"])
    guest = world.somebody["A.patron"]
    for table, (column, kind) in GUEST_OWNS.items():
        if kind != "patron":
            continue
        assert await probes.sees_others(world, guest, [table], column=column) == []
        async with locks.without_policies(world, await locks.policies(world, table=table)):
            assert await probes.sees_others(world, guest, [table], column=column), f"{table} has nothing to see"


async def test_with_both_locks_off_the_operations_tell_and_the_probes_hear_it(world: World) -> None:
    ready = await foreign_probes(world)
    everything = await locks.policies(world, "tenant_rows", "guest_rows", "guest_reads")
    async with locks.without_policies(world, everything):
        with locks.without_naming():
            deaf = [name for name, probe in ready.items() if not await probe()]
    world.errors.clear()
    assert len(deaf) * 2 < len(ready), f"these hear nothing: {deaf}"


async def one_of_everything(world: World) -> None:
    """A row of tenant A in those tables, too, that the world fills on demand."""
    owner = world.somebody["A.owner"]
    for make in THINGS.values():
        await make(world, owner)
    for name in (
        "create_view",
        "upload_file",
        "register_phone_key",
        "create_export",
        "update_setting",
        "change_member",
        *("see_broadcast", "set_emergency_contacts", "set_thresholds", "acknowledge_sos"),
        *("take_flag_step", "revoke_checkin", "set_door_rules", "hear_device", "take_door_scans"),
        *("renew_calendar", "start_break", "comment_task", "add_push_subscription", "change_patron_standing"),
        *("refund_payment", "refund_checkin"),
    ):
        op = next(op for op in OPERATIONS.values() if op.name == name)
        call = await probes.good_call(world, op, owner if expected(op, owner) == WORKS else world.somebody["A.patron"])
        answer = await send(world, call, call.who or owner)
        assert answer.is_success, f"{name}: {answer.text}"
    async with system_ctx(world.people.services, world.a.id, role="system") as ctx:
        await begin(ctx, DELIVER, key=str(uuid4()), intent={"mail_id": uuid4()})
    inside = await visit(world, owner)
    async with system_ctx(world.people.services, world.a.id) as ctx:
        await report_facts(ctx, visit_id=inside, source="till", source_id=uuid4(), drinks=1)
    await world.sql(
        "insert into feature_flags (key, description) values ('walls', 'For the walls') on conflict do nothing"
    )
    await world.sql(
        "insert into tenant_flags (tenant_id, key, enabled, reason) values ($1, 'walls', true, 'Asked') on conflict do nothing",
        world.a.id,
    )
    await world.sql(
        "insert into entry_prices (tenant_id, venue_id, amount, currency) values ($1, $2, 500, 'XTS') on conflict do nothing",
        world.a.id,
        world.a.venues[1],
    )
    await some_books(Books(world.people.services, world.a.id))
    await world.relay()
    await world.make("POST", "/api/roles", owner, json={"name": world.unique("Role"), "permissions": []})


async def foreign_probes(world: World) -> dict[str, Probe]:
    """Whoever is in tenant B after things of A: a probe for each operation that could tell; all things are made already."""
    found: dict[str, Probe] = {}
    for key, op in INSIDE.items():
        role = "patron" if acts_for_a_guest(op) else "owner"
        stranger, theirs = world.somebody[f"B.{role}"], world.somebody[f"A.{role}"]
        if probes.named_things(op):
            call = await probes.good_call(world, op, theirs)
            found[key] = partial(probes.foreign, world, op, stranger, theirs, theirs=call)
        elif op.method == "GET" and expected(op, stranger) == WORKS:
            call = await probes.good_call(world, op, stranger)
            found[key] = partial(probes.tells_nothing, world, op, stranger, call=call)
    return found


async def _run(ready: dict[str, Probe]) -> list[str]:
    return [f"{name}: {sentence}" for name, probe in ready.items() for sentence in await probe()]
