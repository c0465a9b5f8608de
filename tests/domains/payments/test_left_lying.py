"""Refunds whose job ended without a word: taken up or given up by the sweep, and never failed while the money went out."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from lastlight.domains.payments.actions import begin_refund
from lastlight.domains.payments.model import Payment, Refund
from lastlight.domains.payments.stages import REFUND
from lastlight.kernel.ids import JobId
from lastlight.runtime import processor, staged_sweep
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs import actions
from lastlight.runtime.staged import TOO_LATE, Staged
from tests.support.paying import Shop, until
from tests.support.services import administer

pytestmark = pytest.mark.database
THE_JOB = "select id, state, error from jobs where tenant_id = $1 and kind = 'payments.refund'"
LATER = "update jobs set run_at = now() + interval '1 hour' where tenant_id = $1 and kind = 'payments.refund'"
LAST = "update jobs set max_attempts = 1 where tenant_id = $1 and kind = 'payments.refund'"
BEGUN_LONG_AGO = "update staged_actions set created_at = now() - interval '24 hours' where tenant_id = $1 and kind = 'payments.refund'"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """An action is left as soon as its job has ended."""
    monkeypatch.setattr(staged_sweep, "QUIET", -timedelta(seconds=REFUND.timeout))


async def begun(shop: Shop, payment: Payment, change: str = "") -> Refund:
    """A refund of 4000 that has begun, and what is changed about its job before anybody takes it."""
    async with shop.ctx() as ctx:
        refund = await begin_refund(ctx, payment_id=payment.id, amount=4_000, reason="asked for it")
        if change:
            await ctx.db.execute(change, ctx.tenant_id)
    return refund


async def job_is(shop: Shop, *states: str) -> UUID:
    """The refund's job, once it is in one of these states."""

    async def look() -> UUID | None:
        [job] = await administer(shop.services.settings, THE_JOB, shop.tenant_id)
        return job["id"] if job["state"] in states else None

    return await until(look)


async def cancel(shop: Shop) -> None:
    """Cancel the refund's job, as a person does on its page."""
    async with shop.ctx() as ctx:
        await actions.cancel(ctx, job_id=JobId(await job_is(shop, "queued", "running")))
    await job_is(shop, "cancelled")


async def sweep(shop: Shop) -> None:
    """Sweep until the refund's action is not left any more."""

    async def look() -> bool | None:
        found = await staged_sweep.sweep(shop.services)
        return True if found.get("taken-up") or found.get("given-up") else None

    await until(look)


async def made_there(shop: Shop, payment: Payment) -> list[int]:
    """The refunds that the provider has of a payment."""
    assert payment.intent_id is not None
    return [one.amount async for one in processor.list_refunds(shop.services, intent_id=payment.intent_id)]


def answering_nobody(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The provider makes the refund, and its answer never comes; set once it is made."""
    made, real = asyncio.Event(), processor.create_refund

    async def silently(*given: Any, **more: Any) -> Any:
        await real(*given, **more)
        made.set()
        await asyncio.sleep(3600)

    monkeypatch.setattr(processor, "create_refund", silently)
    return made


async def test_one_that_was_cancelled_before_it_was_asked_for_gives_everything_back(shop: Shop) -> None:
    payment = await shop.paid(10_000)
    refund = await begun(shop, payment, LATER)
    await cancel(shop)
    hanging = await shop.look(payment)
    assert (hanging.refunding, (await shop.refunds(payment))[0].status) == (4_000, "created"), "the control: it hangs"
    await sweep(shop)
    after = await shop.until_refund(refund, "failed", "succeeded")
    assert (after.status, after.failure) == ("failed", "Cancelled.")
    stands = await shop.read(payment.id)
    assert (stands.refunding, stands.refunded, stands.refundable) == (0, 0, 10_000)
    assert (await made_there(shop, payment), shop.trial.told[-1]) == ([], "restored 4000")
    books = await shop.books()
    assert (books["order-clearing"], "refunds-payable" in books) == (10_000, False)


async def test_one_that_went_out_though_it_was_cancelled_is_no_failed_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await shop.paid(10_000)
    with monkeypatch.context() as patch:
        made = answering_nobody(patch)
        refund = await begun(shop, payment)
        await asyncio.wait_for(made.wait(), 30)
        await cancel(shop)
    await sweep(shop)
    assert (await shop.until_refund(refund, "failed", "succeeded")).status == "succeeded"
    await went_out_once(shop, payment)


async def test_one_whose_answer_could_not_be_kept_is_asked_for_again_under_its_key(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = await shop.paid(10_000)

    async def _failing(ctx: Ctx, staged: Staged, result: Any) -> None:
        raise ArithmeticError("It cannot be kept.")

    with monkeypatch.context() as patch:
        patch.setattr(REFUND, "apply", _failing)
        refund = await begun(shop, payment, LAST)
        await job_is(shop, "dead")
    assert ((await shop.refunds(payment))[0].status, await made_there(shop, payment)) == ("created", [4_000])
    await sweep(shop)
    assert (await shop.until_refund(refund, "failed", "succeeded")).status == "succeeded"
    await job_is(shop, "done")
    await went_out_once(shop, payment)


@pytest.mark.parametrize("reached", [True, False])
async def test_one_that_was_asked_for_a_day_ago_is_looked_for_and_not_asked_for_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, reached: bool
) -> None:
    """The provider may have forgotten the key, under which it would leave a second time."""
    payment = await shop.paid(10_000)
    calls, real = 0, processor.create_refund

    async def lost(*given: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if reached:
            await real(*given, **more)
        raise ArithmeticError("The answer was lost.")

    async def _failing(ctx: Ctx, staged: Staged, error: str) -> None:
        raise ArithmeticError("It cannot be given up.")

    monkeypatch.setattr(processor, "create_refund", lost)
    with monkeypatch.context() as patch:
        patch.setattr(REFUND, "given_up", _failing)
        refund = await begun(shop, payment, LAST)
        await job_is(shop, "dead")
    await administer(shop.services.settings, BEGUN_LONG_AGO, shop.tenant_id)
    await sweep(shop)
    ended = await shop.until_refund(refund, "failed", "succeeded")
    assert (ended.status, calls) == (("succeeded" if reached else "failed"), 1)
    if reached:
        await went_out_once(shop, payment)
    else:
        assert (ended.failure, await made_there(shop, payment)) == (TOO_LATE, [])
        assert (await shop.read(payment.id)).refundable == 10_000


async def went_out_once(shop: Shop, payment: Payment) -> None:
    """The refund left once, is booked once, and nothing of it was given back."""
    after = await shop.until(payment.id, lambda one: one.refunded == 4_000)
    assert (after.refunding, after.refundable, await made_there(shop, payment)) == (0, 6_000, [4_000])
    assert [told for told in shop.trial.told if told.startswith(("released", "restored"))] == ["released 4000"]
    books = await shop.books()
    assert (books["order-clearing"], "refunds-payable" in books, "losses" in books) == (6_000, False, False)
    assert await shop.held() == {"EUR": books["provider-pending"]}
