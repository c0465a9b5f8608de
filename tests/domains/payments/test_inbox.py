"""The inbox: one row and one effect for each event, whoever brings it, in any order and number; lost ones are swept; failures are told."""

import asyncio
import hashlib
import hmac
import itertools
import random
import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from lastlight.domains.payments import inbox, looking
from lastlight.domains.payments.errors import EventHandled, SignatureWrong
from lastlight.domains.payments.jobs import sweep_events, take_and_queue
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PLATFORM, uuid7
from lastlight.runtime import processor
from lastlight.runtime.db.uow import system_ctx
from tests.support.paying import Shop, until
from tests.support.services import administer

pytestmark = pytest.mark.database


def signed(shop: Shop, body: bytes, *, at: float | None = None, secret: str = "") -> str:
    """A signature as the provider makes it."""
    moment = int(at if at is not None else time.time())
    key = (secret or shop.beside.webhook_secret).encode()
    digest = hmac.new(key, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


async def bring(shop: Shop, body: bytes) -> bool:
    """Bring an event as the web process takes it; whether it was new."""
    async with system_ctx(shop.services, PLATFORM, role="system") as ctx:
        event = inbox.verified(ctx, body=body, signature=signed(shop, body))
        return await take_and_queue(ctx, event=event, body=body, swept=False)


async def happened(shop: Shop) -> list[bytes]:
    """What the provider tells of this account so far, oldest first, as bodies of webhooks."""
    found = [one async for one in processor.list_events(shop.services)]
    return [body_of(event) for event in reversed(found)]


def body_of(event: processor.Event, **changed: Any) -> bytes:
    said = {
        "id": event.id,
        "object": "event",
        "type": event.type,
        "created": event.created,
        "api_version": event.api_version,
        "livemode": False,
        "pending_webhooks": 1,
        "request": None,
        "data": {"object": event.data},
    }
    return msgspec.json.encode(said | changed)


async def rows(shop: Shop) -> list[Any]:
    sql = "select * from provider_events where tenant_id = $1 order by received_at, id"
    return await administer(shop.services.settings, sql, shop.tenant_id)


async def all_done(shop: Shop) -> list[Any]:
    async def look() -> list[Any] | None:
        found = await rows(shop)
        return found if all(row["state"] != "waiting" for row in found) else None

    return await until(look)


@pytest.mark.parametrize("seed", range(3))
async def test_any_order_any_number_of_times_one_effect(shop: Shop, seed: int) -> None:
    payment = await shop.begin(10_000)
    await shop.pay(payment, "pm_card_chargeDeclined")
    await shop.pay(payment)
    assert payment.intent_id is not None
    await processor.create_refund(
        shop.services, key="elsewhere", intent_id=payment.intent_id, metadata={"payment_id": str(payment.id)}
    )
    bodies = await happened(shop)
    assert len(bodies) >= 5
    shuffled = [*bodies, *bodies, *bodies]
    random.Random(seed).shuffle(shuffled)  # noqa: S311 - an order, no secret
    new = await asyncio.gather(*(bring(shop, body) for body in shuffled))
    kept = await all_done(shop)
    assert (sum(new), len(kept)) == (len(kept), len(bodies))
    assert {row["state"] for row in kept} == {"done"}
    after = await shop.look(payment)
    assert (after.status, after.captured, after.refunded) == ("captured", 10_000, 10_000)
    assert await shop.books() == {"processing-fees": 320, "provider-pending": -320}
    assert shop.trial.told == ["paid 10000", "released 10000"]


async def test_what_came_before_a_look_is_told_by_it_and_what_came_after_is_looked_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await shop.begin(10_000)
    await shop.pay(payment)
    bodies = await happened(shop)
    assert len(bodies) >= 3
    reached, go_on, looks = asyncio.Event(), asyncio.Event(), 0
    real = looking.fetch

    async def slowly(*given: Any, **more: Any) -> Any:
        nonlocal looks
        looks += 1
        seen = await real(*given, **more)
        reached.set()
        await go_on.wait()
        return seen

    monkeypatch.setattr(looking, "fetch", slowly)
    first, *others = bodies
    assert await bring(shop, first)
    await reached.wait()
    assert all([await bring(shop, body) for body in others])
    assert (looks, [row["state"] for row in await rows(shop)]) == (1, ["waiting"] * len(bodies))
    go_on.set()
    kept = await all_done(shop)
    assert looks == 2, "the first did not know of the others; one for all of them did"
    assert [(row["state"], row["attempts"]) for row in kept] == [("done", 1)] * len(bodies)
    assert (await shop.read(payment.id)).status == "captured"


async def test_an_attempt_that_takes_too_long_is_written_down(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = await shop.begin(10_000)
    await shop.pay(payment)
    hangs = asyncio.Event()

    async def hanging(*_: Any, **__: Any) -> Any:
        hangs.set()
        await asyncio.sleep(3600)

    with monkeypatch.context() as patch:
        patch.setattr(looking, "fetch", hanging)
        patch.setattr(inbox, "PATIENCE", 0.2)
        for body in await happened(shop):
            await bring(shop, body)
        await hangs.wait()
        await until(lambda: _attempted(shop))
    kept = await all_done(shop)
    assert all(row["attempts"] > 0 for row in kept)
    assert (await shop.read(payment.id)).status == "captured"


async def _attempted(shop: Shop) -> bool | None:
    """Whether each event was tried once, in vain."""
    return True if all(row["attempts"] and row["error"] for row in await rows(shop)) else None


@pytest.mark.parametrize(
    "wrong",
    ["secret", "old", "early", "body", "none"],
)
async def test_what_is_not_signed_well_is_refused_and_not_kept(shop: Shop, wrong: str) -> None:
    await shop.begin(2_000)
    body = (await happened(shop))[0]
    now = time.time()
    signature = {
        "secret": signed(shop, body, secret="whsec_another"),
        "old": signed(shop, body, at=now - 302),
        "early": signed(shop, body, at=now + 302),
        "body": signed(shop, msgspec.json.encode(msgspec.json.decode(body) | {"livemode": True})),
        "none": "",
    }[wrong]
    async with system_ctx(shop.services, PLATFORM, role="system") as ctx:
        with pytest.raises(SignatureWrong):
            inbox.verified(ctx, body=body, signature=signature)
        assert inbox.verified(ctx, body=body, signature=signed(shop, body, at=now - 290)).id


async def test_what_is_about_none_of_ours_stays_with_the_platform(shop: Shop) -> None:
    body = body_of(
        await _event(shop), id=f"evt_{uuid7().hex}", data={"object": {"id": "pi_of_others", "object": "payment_intent"}}
    )
    assert not await bring(shop, body)
    found = await administer(
        shop.services.settings, "select tenant_id, state from provider_events where object_id = 'pi_of_others'"
    )
    assert {(row["tenant_id"], row["state"]) for row in found} == {(PLATFORM, "ignored")}
    assert await rows(shop) == []


async def test_an_event_of_another_version_of_the_interface_is_held(shop: Shop) -> None:
    body = body_of(await _event(shop), api_version="2031-01-01.later")
    assert not await bring(shop, body)
    assert [row["state"] for row in await rows(shop)] == ["held"]


async def test_lost_webhooks_are_found_by_the_sweep_once(shop: Shop) -> None:
    payment = await shop.begin(3_000)
    await shop.pay(payment)
    brought = (await happened(shop))[0]
    await bring(shop, brought)
    run = _run(shop)
    lost = await sweep_events(run, span=timedelta(hours=3))
    kept = await all_done(shop)
    assert (lost, len(kept)) == (len(kept) - 1, len(await happened(shop)))
    assert {row["source"] for row in kept} == {"webhook", "sweep"}
    assert (await shop.read(payment.id)).status == "captured"
    assert await sweep_events(run, span=timedelta(days=30)) == 0


async def test_an_event_that_fails_to_the_end_is_told_and_is_replayed(shop: Shop) -> None:
    payment = await shop.begin(3_000)
    await shop.pay(payment)
    body = (await happened(shop))[-1]
    settings = shop.services.settings
    # the intent that the provider holds is another one: following it would book somebody else's money
    other = "update payments set amount = 2999 where tenant_id = $1 and id = $2"
    await administer(settings, other, shop.tenant_id, payment.id)
    await bring(shop, body)
    failed = (await all_done(shop))[0]
    assert (failed["state"], failed["attempts"], bool(failed["error"])) == ("failed", 1, True)
    assert await shop.told(failed["id"]) == ["payment.webhook_failed"]
    assert await shop.books() == {}
    await administer(settings, other.replace("2999", "3000"), shop.tenant_id, payment.id)
    async with shop.ctx() as ctx:
        await inbox.replay_event(ctx, provider_event_id=failed["id"])
    done = (await all_done(shop))[0]
    assert (done["state"], done["attempts"], done["error"]) == ("done", 2, "")
    assert (await shop.read(payment.id)).status == "captured"
    assert "payment.webhook_replayed" in await shop.told(failed["id"])


async def test_only_what_is_there_and_does_not_wait_is_replayed(shop: Shop) -> None:
    async with shop.ctx() as ctx:
        with pytest.raises(NotFound):
            await inbox.replay_event(ctx, provider_event_id=uuid7())
    payment = await shop.begin(3_000)
    sql = """insert into provider_events (tenant_id, id, endpoint, event_id, kind, api_version, object_id, payment_id, source, body, happened_at)
             values ($1, $2, 'platform', $3, 'payment_intent.created', $4, 'pi', $5, 'webhook', '{}', now())"""
    waiting = uuid7()
    given = (shop.tenant_id, waiting, f"evt_{waiting.hex}", processor.API_VERSION, payment.id)
    await administer(shop.services.settings, sql, *given)
    async with shop.ctx() as ctx:
        with pytest.raises(EventHandled):
            await inbox.replay_event(ctx, provider_event_id=waiting)


async def test_confirming_races_its_webhooks(shop: Shop) -> None:
    """The page asks, the webhooks come, and a poll looks, all at once: one capture."""
    payment = await shop.begin(5_000)
    await shop.pay(payment)
    bodies = await happened(shop)
    everybody = [shop.look(payment) for _ in range(6)]
    await asyncio.gather(*everybody, *(bring(shop, body) for body in itertools.chain(bodies, bodies)))
    await all_done(shop)
    assert shop.trial.told == ["paid 5000"]
    assert (await shop.steps(payment)).count("captured") == 1
    assert (await shop.books())["order-clearing"] == 5_000


async def _event(shop: Shop) -> processor.Event:
    await shop.begin(2_000)
    return await anext(processor.list_events(shop.services))


def _run(shop: Shop) -> Any:
    """As much of a job's run as the sweep uses."""

    class Run:
        services = shop.services
        tenant_id = PLATFORM

        def transaction(self, *, role: Any) -> Any:
            return system_ctx(shop.services, PLATFORM, role=role)

        async def progress(self, done: int, total: int | None = None, note: str = "") -> None:
            return None

    return Run()
