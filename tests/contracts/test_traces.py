"""Every change leaves a trace: at least one event, registered and typed, and its audit entry, in the name of who did it."""

import json
from typing import Any

import pytest

from tests.contracts.expected import WORKS, expected
from tests.contracts.probes import good_call, plain_words
from tests.support.calls import OPERATIONS, send
from tests.support.world import World

pytestmark = [pytest.mark.database, pytest.mark.contract]
WRITES = [key for key, op in OPERATIONS.items() if op.writes]
SENSITIVE = [key for key, op in OPERATIONS.items() if op.sensitive]
LATER = {
    "forgot_password": "whether there is such an account is found out by its job, so that neither answer nor time tells",
    "forgot_submit": "the same",
    "send_verification": "the mail's job decides whether there is anything to prove",
    "change_email": "nothing changes before the new address is proven by its link; that is on record",
    "email_submit": "the same",
    "email_link": "the mail's job decides whether there is anything to prove",
    "create_export": "the export is on record once its file is made",
    "look_at_invitation": "it only shows the invitation; that its link was opened is on record",
    "challenge_passkey": "a challenge opens nothing; what is done with it is on record",
    "challenge_own_passkey": "the same",
    "begin_passkey": "the same",
    "hear_device": "a heartbeat is the device's state; what follows from it (an alert, an answer to a ping) is on record",
    "quote_taxes": "an answer to a question that is too long for an address; it moves nothing",
    "check_own_payment": "the card provider is only asked; what the look finds is on record",
    "take_webhook": "the event is kept as it was signed; what the look that it leads to finds is on record",
    "refresh": "it continues a session; the opening of it is on record",
}
"""What changes nothing by itself, or what by design is recorded by the job that follows."""
NEWEST = "select o.* from outbox o where o.position > $1 order by o.position"


@pytest.mark.parametrize("key", WRITES)
async def test_a_change_emits_an_event_and_is_audited(world: World, key: str) -> None:
    op = OPERATIONS[key]
    names = ("A.owner", "A.patron", "crew.super_admin", "anonymous")
    who = next(world.somebody[name] for name in names if expected(op, world.somebody[name]) == WORKS)
    call = await good_call(world, op, who)
    last = await world.value("select coalesce(max(position), 0) from outbox")
    answer = await send(world, call, call.who or who)
    assert answer.status_code < 400, plain_words(answer)
    rows = await world.sql(NEWEST, last)
    if op.name in LATER:
        return
    assert rows, "nobody hears of it, and nothing is on record"
    registry = world.people.services.registry
    for row in rows:
        assert row["name"] in registry.events, f"{row['name']} is no registered event"
        assert row["audit"] is not None, f"{row['name']} is not audited"
    asked = call.who or who
    if asked.user_id is not None and not op.public:  # who signs in was nobody before
        assert {actor_id(row) for row in rows} == {str(asked.user_id)}


def actor_id(row: Any) -> str:
    """Who an outbox row says it was."""
    actor = row["actor"] if isinstance(row["actor"], dict) else json.loads(row["actor"])
    return str(actor["id"])


@pytest.mark.parametrize("key", SENSITIVE)
async def test_a_sensitive_read_is_on_record_and_nobody_hears_of_it(world: World, key: str) -> None:
    op = OPERATIONS[key]
    names = ("crew.super_admin", "A.owner")
    who = next(world.somebody[name] for name in names if expected(op, world.somebody[name]) == WORKS)
    call = await good_call(world, op, who)
    last = await world.value("select coalesce(max(position), 0) from outbox")
    assert (await send(world, call, who)).is_success
    rows = await world.sql(NEWEST, last)
    assert [(row["name"], row["audience"]) for row in rows] == [(op.sensitive, None)]


async def test_the_record_reaches_the_audit_log(world: World) -> None:
    """All of it: what the runs before left in the outbox becomes one entry each, in chains without gaps."""
    waiting = await world.value("select count(*) from outbox")
    before = await world.value("select count(*) from audit_entries")
    await world.relay()
    assert await world.value("select count(*) from outbox") == 0
    assert await world.value("select count(*) from audit_entries") == before + waiting
    gaps = await world.sql(
        "select tenant_id from audit_entries group by tenant_id having max(seq) <> count(*) or min(seq) <> 1"
    )
    assert gaps == []
