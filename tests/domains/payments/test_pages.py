"""Card payments on the consoles: who sees and does what, what forms refuse, replay inside a business, how webhooks come in, who is told."""

from collections.abc import AsyncGenerator, Generator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from lastlight.domains.payments.notices import push_dispute, push_failed_event, push_trouble
from lastlight.domains.payments.watching import LOST_SWEEPS, find_trouble, watch_provider
from lastlight.kernel.ids import PLATFORM, TenantId
from lastlight.runtime import processor
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.console_calls import get, post
from tests.support.payment_things import authorised, brought, captured, disputed, opened
from tests.support.world import Somebody, World, opened_world

pytestmark = pytest.mark.database
KEPT = """insert into provider_events (tenant_id, id, endpoint, event_id, kind, api_version, object_id, payment_id, source, state, error, body,
                                       happened_at, received_at, handled_at)
          values ($1, $2, 'platform', $3, $4, $5, 'pi_of_the_test', $6, $7, $8, $9, '{"data": {"client_secret": "pi_secret_of_a_payer", "amount": 1}}', now(),
                  now() - $10::interval, case when $8 <> 'waiting' then now() end)"""


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[World]:
    async with opened_world(database_settings) as found:
        yield found


@pytest.fixture(autouse=True)
def nothing_broke(world: World) -> Generator[None]:
    """After each test: no answer of 500."""
    yield
    found, world.errors = world.errors, []
    assert found == []


@pytest.fixture
def owner(world: World) -> Somebody:
    return world.somebody["A.owner"]


async def keep(world: World, tenant_id: UUID, *, state: str = "failed", ago: float = 0, **said: Any) -> UUID:
    """An event in an inbox."""
    row_id = uuid4()
    await world.sql(
        KEPT,
        tenant_id,
        row_id,
        f"evt_{row_id.hex}",
        said.get("kind", "payment_intent.succeeded"),
        processor.API_VERSION,
        said.get("payment_id"),
        said.get("source", "webhook"),
        state,
        "It would book somebody else's money." if state == "failed" else "",
        timedelta(minutes=ago),
    )
    return row_id


async def steps(world: World, payment_id: UUID) -> list[str]:
    rows = await world.sql("select step from payment_steps where payment_id = $1 order by id", payment_id)
    return [row["step"] for row in rows]


async def play(world: World, job: Any, tenant_id: TenantId, **data: Any) -> dict[str, Any] | None:
    """Answer an event; what is on its way to people then, or None."""
    async with system_ctx(world.people.services, tenant_id) as ctx:
        await job.fn(ctx, event_id=uuid4(), seq=1, data=data)
        found = await ctx.db.fetch(
            "select args from jobs where tenant_id = $1 and kind = 'push.spread' and created_at = now() order by id desc limit 1",
            tenant_id,
        )
    return {**found[0]["args"]["spread"], "people": set(found[0]["args"]["people"])} if found else None


async def test_the_list_has_a_tab_for_each_state(world: World, owner: Somebody) -> None:
    services, tenant_id = world.people.services, world.a.id
    paid, waits = await captured(services, tenant_id), await opened(services, tenant_id)
    disputed_one = await world.value(
        "select payment_id from disputes where id = $1", await disputed(services, tenant_id)
    )
    tabs = {
        "": {paid, waits, disputed_one},
        "?status=created&status=open&status=action&status=processing&status=authorised": {waits},
        "?status=captured": {paid, disputed_one},
        "?status=settled": set[UUID](),
        "?disputed=true": {disputed_one},
    }
    for query, shown in tabs.items():
        text = await get(world, f"/owner/payments{query}", owner)
        assert {one for one in (paid, waits, disputed_one) if f"/owner/payments/{one}" in text} == shown, query
        assert text.count('aria-current="page"') >= 2, "the place, and the tab"


async def test_one_payment_says_all_that_became_of_it(world: World, owner: Somebody) -> None:
    services, tenant_id = world.people.services, world.a.id
    dispute_id = await disputed(services, tenant_id)
    payment_id = await world.value("select payment_id from disputes where id = $1", dispute_id)
    text = await get(world, f"/owner/payments/{payment_id}", owner)
    for words in (
        "Was captured",
        "Was begun",
        "Visa",
        "4242",
        "waits for an answer",
        f"/owner/disputes/{dispute_id}/evidence",
    ):
        assert words in text, words
    assert "/refund" not in text, "nothing is left to refund while the bank holds it"
    assert f"/owner/disputes/{dispute_id}/evidence" in await get(world, "/owner/disputes", owner)


async def test_a_refund_asks_what_is_left_and_is_made_once(world: World, owner: Somebody) -> None:
    payment_id = await captured(world.people.services, world.a.id)
    path = f"/owner/payments/{payment_id}/refund"
    assert 'value="100,00"' in await get(world, path, owner)
    for amount, reason, field, said in (
        ("", "asked", "amount", "Give an amount, at most €100,00."),
        ("lots", "asked", "amount", "Type an amount in digits"),
        ("0", "asked", "amount", "Give more than nothing, and at most €100,00."),
        ("100.01", "asked", "amount", "Give more than nothing, and at most €100,00."),
        ("25.001", "asked", "amount", "EUR has 2 decimals."),
        ("25", "  ", "reason", "Say why the money goes back."),
    ):
        refused = await post(world, path, owner, amount=amount, reason=reason, left="10000")
        assert (refused.status_code, said in refused.text) == (422, True), (field, refused.text)
    assert await steps(world, payment_id) == ["created", "captured"]
    done = await post(world, path, owner, amount="25", reason="asked", left="10000")
    assert done.is_redirect or "HX-Redirect" in done.headers, done.text
    again = await post(world, path, owner, amount="25", reason="asked", left="10000")
    assert (again.status_code, "Something went back in the meantime" in again.text) == (409, True)
    assert await steps(world, payment_id) == ["created", "captured", "refund-begun"]
    assert await world.value("select refunding from payments where id = $1", payment_id) == 2_500


async def test_an_error_writes_an_amount_as_its_reader_does(world: World, owner: Somebody) -> None:
    path = f"/owner/payments/{await captured(world.people.services, world.a.id)}/refund"
    for language, limit in (("de", "100,00\u00a0€"), ("en-GB", "€100.00"), ("qq", "€100,00")):
        reader = await world.newcomer(owner)
        await world.sql("insert into user_preferences (user_id, language) values ($1, $2)", reader.user_id, language)
        shown = await get(world, path, reader)
        refused = await post(world, path, reader, amount="100.01", reason="asked", left="10000")
        assert (limit in shown, f"and at most {limit}." in refused.text) == (True, True), (language, refused.text)


async def test_capture_void_and_retry_say_what_they_did(world: World, owner: Somebody) -> None:
    services, tenant_id = world.people.services, world.a.id
    held, waits = await authorised(services, tenant_id), await opened(services, tenant_id)
    too_much = await post(world, f"/owner/payments/{held}/capture", owner, amount="100.01")
    assert (too_much.status_code, "at most €100,00" in too_much.text) == (422, True)
    for payment_id, verb, data, step in (
        (held, "capture", {"amount": "40"}, "capture-asked"),
        (waits, "void", {}, "void-asked"),
    ):
        assert verb in await get(world, f"/owner/payments/{payment_id}", owner)
        assert (await post(world, f"/owner/payments/{payment_id}/{verb}", owner, **data)).status_code < 400
        assert (await steps(world, payment_id))[-1] == step
    assert (await post(world, f"/owner/payments/{waits}/retry", owner)).status_code < 400
    paid = await captured(services, tenant_id)
    for verb in ("capture", "void"):
        refused = await post(world, f"/owner/payments/{paid}/{verb}", owner, amount="1")
        assert refused.status_code == 409


async def test_a_dispute_is_answered_once_with_something(world: World, owner: Somebody) -> None:
    dispute_id = await disputed(world.people.services, world.a.id)
    path = f"/owner/disputes/{dispute_id}/evidence"
    assert "Send to the bank" in await get(world, path, owner)
    empty = await post(world, path, owner, evidence=" ")
    assert (empty.status_code, "Say what speaks for the payment" in empty.text) == (422, True)
    long = await post(world, path, owner, evidence="x" * 20_001)
    assert (long.status_code, "at most 20,000 letters" in long.text) == (422, True)
    assert (await post(world, path, owner, evidence="They came at nine.")).status_code < 400
    assert (await post(world, path, owner, evidence="They came at ten.")).status_code == 409


@pytest.mark.parametrize(
    ("role", "sees", "refunds", "manages"),
    [
        ("A.owner", True, True, True),
        ("A.manager", True, True, False),
        ("A.staff", False, False, False),
        ("B.owner", False, False, False),
    ],
)
async def test_each_does_what_their_role_may(
    world: World, role: str, *, sees: bool, refunds: bool, manages: bool
) -> None:
    services, tenant_id, who = world.people.services, world.a.id, world.somebody[role]
    payment_id, event_id = await captured(services, tenant_id), await brought(services, tenant_id, state="failed")
    seen = await world.send("GET", f"/owner/payments/{payment_id}", who)
    assert (seen.status_code == 200) is sees
    if sees:
        assert (f"/owner/payments/{payment_id}/refund" in seen.text) is refunds
        shown = await get(world, f"/owner/provider-events/{event_id}", who)
        assert (f"/owner/provider-events/{event_id}/replay" in shown) is manages
    before = await steps(world, payment_id)
    done = await post(world, f"/owner/payments/{payment_id}/refund", who, amount="1", reason="asked")
    assert (done.status_code < 400) is refunds
    assert (await steps(world, payment_id) != before) is refunds
    replayed = await post(world, f"/owner/provider-events/{event_id}/replay", who)
    assert (replayed.status_code < 400) is manages
    state = await world.value("select state from provider_events where id = $1", event_id)
    assert state == ("waiting" if manages else "failed")


async def test_an_event_is_shown_without_secrets_and_replayed_unless_it_waits(world: World, owner: Somebody) -> None:
    payment_id = await captured(world.people.services, world.a.id)
    failed = await keep(world, world.a.id, payment_id=payment_id)
    waiting = await keep(world, world.a.id, payment_id=payment_id, state="waiting")
    text = await get(world, f"/owner/provider-events/{failed}", owner)
    assert "somebody else&#39;s money" in text
    assert "amount" in text
    assert "pi_secret_of_a_payer" not in text
    assert "could not be worked off" in await get(world, "/owner/provider-events", owner)
    assert f"{waiting}/replay" not in await get(world, f"/owner/provider-events/{waiting}", owner)
    assert (await post(world, f"/owner/provider-events/{waiting}/replay", owner)).status_code == 409
    assert (await post(world, f"/owner/provider-events/{uuid4()}/replay", owner)).status_code == 404


async def test_the_crew_sees_every_inbox_and_replays_inside_the_business(world: World) -> None:
    finance, ops = world.somebody["crew.finance"], world.somebody["crew.ops"]
    payment_id = await captured(world.people.services, world.b.id)
    failed = await keep(world, world.b.id, payment_id=payment_id)
    nobodys = await keep(world, PLATFORM, state="ignored", kind="balance.available")
    text = await get(world, "/platform/provider-events", finance)
    assert f"/platform/provider-events/{world.b.id}/{failed}" in text
    assert f'href="/platform/provider-events/{PLATFORM}"' in text
    assert str(nobodys) in await get(world, f"/platform/provider-events/{PLATFORM}", finance)
    one = f"/platform/provider-events/{world.b.id}/{failed}"
    assert f"{one}/replay" in await get(world, one, finance)
    for place in ("/platform/provider-events", one, f"/platform/provider-events/{world.b.id}"):
        assert (await world.send("GET", place, ops)).status_code == 403
        assert (await world.send("GET", place, world.somebody["B.owner"])).status_code == 403
    assert (await post(world, f"{one}/replay", world.somebody["B.owner"])).status_code == 403
    assert await world.value("select state from provider_events where id = $1", failed) == "failed"
    assert (await post(world, f"{one}/replay", finance)).status_code < 400
    assert await world.value("select state from provider_events where id = $1", failed) == "waiting"
    assert (await post(world, f"/platform/provider-events/{PLATFORM}/{nobodys}/replay", finance)).status_code == 404
    assert (await post(world, f"/platform/provider-events/{world.a.id}/{failed}/replay", finance)).status_code == 404


async def test_a_new_dispute_and_a_failed_event_are_told_to_who_may_do_something(world: World) -> None:
    services, tenant = world.people.services, world.a
    dispute_id = await disputed(services, tenant.id)
    opened = {"dispute_id": str(dispute_id), "dispute_status": "needs_response"}
    was_asked = opened | {"dispute_status": "warning_needs_response"}
    assert await play(world, push_dispute, tenant.id, **was_asked) is None
    said = await play(world, push_dispute, tenant.id, **opened)
    assert said is not None
    assert {str(tenant.users["owner"]), str(tenant.users["manager"])} <= said["people"]
    assert str(tenant.users["staff"]) not in said["people"]
    assert (said["amounts"]["amount"], said["urgency"], said["kind"]) == (
        {"amount": 10_000, "currency": "EUR"},
        "high",
        "disputes",
    )
    await world.sql("update disputes set answered_at = now() where id = $1", dispute_id)
    assert await play(world, push_dispute, tenant.id, **opened) is None
    event_id = str(uuid4())
    failed = await play(world, push_failed_event, tenant.id, provider_event_id=event_id)
    assert failed is not None
    assert str(tenant.users["owner"]) in failed["people"]
    assert str(tenant.users["manager"]) not in failed["people"]
    assert failed["url"] == f"/owner/provider-events/{event_id}"
    crew = await play(world, push_trouble, PLATFORM, trouble="silent")
    assert crew is not None
    assert str(world.people.crew["finance"]) in crew["people"]
    assert str(world.people.crew["ops"]) not in crew["people"]


async def test_silence_after_a_capture_and_webhooks_lost_again_and_again_are_told_once(world: World) -> None:
    services = world.people.services

    async def trouble() -> list[str]:
        async with system_ctx(services, PLATFORM, role="system") as ctx:
            return [*await find_trouble(ctx)]

    async def watched() -> int:
        async with system_ctx(services, PLATFORM, role="system") as ctx:
            return await watch_provider.fn(ctx)

    await world.sql("delete from provider_events")
    await world.sql(
        "update payments set captured_at = null, status = 'open' where status = 'captured' and captured = 0"
    )
    payment_id = await captured(services, world.a.id)
    await world.sql("update payments set captured_at = now() - interval '5 minutes' where status = 'captured'")
    assert await trouble() == [], "a webhook may still be on its way"
    await world.sql("update payments set captured_at = now() - interval '40 minutes' where id = $1", payment_id)
    await world.sql(
        "update payments set captured_at = now() - interval '2 hours' where status = 'captured' and id <> $1",
        payment_id,
    )
    assert await trouble() == ["silent"]
    await keep(world, world.b.id, state="done", ago=30)
    assert await trouble() == [], "a webhook came since"
    for sweep in range(LOST_SWEEPS):
        assert await trouble() == []
        await keep(world, world.a.id, state="done", ago=1 + 12 * sweep, source="sweep")
    assert await trouble() == ["lost"]
    assert await watched() == 1
    await world.relay()
    assert await watched() == 0, "it was told a moment ago"
    assert await world.value("select count(*) from audit_entries where name = 'payment.provider_trouble'") == 1
