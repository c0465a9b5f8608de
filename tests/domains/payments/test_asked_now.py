"""What somebody asks for is looked at now, also while a job waits out the pause after a look that failed."""

from typing import Any

import pytest

from lastlight.domains.payments import inbox, looking
from lastlight.domains.payments.actions import check_payment, retry_payment
from lastlight.domains.payments.jobs import take_and_queue
from lastlight.domains.payments.looking import look_soon
from lastlight.domains.payments.model import Hint, Payment
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime import processor
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.uow import system_ctx
from tests.support.paying import Shop, until
from tests.support.services import administer

pytestmark = pytest.mark.database
JOBS = "select attempts, max_attempts, state, run_at > now() + interval '30 minutes' as pauses from jobs where tenant_id = $1 and kind = $2"
AN_HOUR = "update jobs set run_at = now() + interval '1 hour' where tenant_id = $1 and kind = $2 and state = 'queued'"
THE_EVENT = "select id, state, attempts from provider_events where tenant_id = $1 and kind = 'payment_intent.succeeded'"


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The card provider does not answer whoever looks."""

    async def silent(*_: Any, **__: Any) -> Any:
        raise processor.ProcessorBusy("It is away.", unsure=False)

    monkeypatch.setattr(looking, "fetch", silent)
    return monkeypatch


async def paused(shop: Shop, kind: str) -> None:
    """Wait until the job of a kind has failed once, and have it pause for an hour."""

    async def look() -> bool | None:
        rows = await administer(shop.services.settings, JOBS, shop.tenant_id, kind)
        return True if any(row["state"] == "queued" and row["attempts"] > 0 for row in rows) else None

    await until(look)
    await administer(shop.services.settings, AN_HOUR, shop.tenant_id, kind)


async def paid_unseen(shop: Shop) -> Payment:
    """A payment that the payer has made, and that nobody has looked at."""
    payment = await shop.begin(10_000)
    await shop.pay(payment)
    return payment


@pytest.mark.parametrize("way", ["check", "retry", "control"])
async def test_a_payment_is_looked_at_now(shop: Shop, away: pytest.MonkeyPatch, way: str) -> None:
    payment = await paid_unseen(shop)
    async with shop.ctx() as ctx:
        await look_soon(ctx, payment_id=payment.id, hint=Hint("poll"))
    await paused(shop, "payments.look")
    away.undo()
    async with shop.ctx() as ctx:
        await _ask(ctx, payment, way)
    if way == "control":
        [row] = await administer(shop.services.settings, JOBS, shop.tenant_id, "payments.look")
        assert (row["state"], row["pauses"], row["attempts"]) == ("queued", True, 1), "a poll keeps the pause"
        return
    await shop.until(payment.id, lambda one: one.status == "captured")
    await shop.until(payment.id, lambda one: one.checked_at is not None)
    [row] = await administer(shop.services.settings, JOBS, shop.tenant_id, "payments.look")
    assert (row["attempts"], row["max_attempts"]) == (2, looking.look.retry.attempts)


async def _ask(ctx: Ctx, payment: Payment, way: str) -> None:
    if way == "check":
        await check_payment(ctx, payment_id=payment.id, hint=Hint("request"))
    elif way == "retry":
        await retry_payment(ctx, payment_id=payment.id)
    else:
        await look_soon(ctx, payment_id=payment.id, hint=Hint("poll"))


async def test_an_event_is_worked_off_now(shop: Shop, away: pytest.MonkeyPatch) -> None:
    payment = await paid_unseen(shop)
    [event] = [one async for one in processor.list_events(shop.services, types=["payment_intent.succeeded"])]
    async with system_ctx(shop.services, PLATFORM, role="system") as ctx:
        assert await take_and_queue(ctx, event=event, body=b'{"data": {}}', swept=False)
    await paused(shop, "payments.take_event")
    away.undo()
    [kept] = await administer(shop.services.settings, THE_EVENT, shop.tenant_id)
    assert (kept["state"], kept["attempts"]) == ("waiting", 1)
    async with shop.ctx() as ctx:
        await inbox.replay_event(ctx, provider_event_id=kept["id"])
    await shop.until(payment.id, lambda one: one.status == "captured")

    async def done() -> Any:
        [found] = await administer(shop.services.settings, THE_EVENT, shop.tenant_id)
        return found if found["state"] == "done" else None

    assert (await until(done))["attempts"] == 2
    rows = await administer(shop.services.settings, JOBS, shop.tenant_id, "payments.take_event")
    assert [(row["state"], row["attempts"]) for row in rows] == [("done", 2)]
