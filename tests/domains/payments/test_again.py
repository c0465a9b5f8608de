"""What comes again: a dispute out of an inquiry, an answer after one that was not delivered, another verdict, money after settlement."""

import dataclasses
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from lastlight.domains.payments import Dispute, Payment
from lastlight.domains.payments.actions import answer_dispute
from lastlight.domains.payments.disputing import follow_dispute
from lastlight.domains.payments.errors import DisputeEnded
from lastlight.domains.payments.inbox import ENDPOINT, KNOWN, OWNER
from lastlight.domains.payments.jobs import PAYMENTS_DUE, TENANTS_DUE
from lastlight.domains.payments.model import Hint
from lastlight.domains.payments.queries import count_disputes_to_answer, disputes_to_answer, lock_payment
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime import processor
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.push.module import MODULE as PUSH
from lastlight.runtime.settings import Settings
from tests.support.door import MODULES
from tests.support.paying import Shop, opened_shop, until
from tests.support.processors import SandboxBeside
from tests.support.services import administer
from tests.support.sockets import sign_in
from tests.support.streams import relaying

pytestmark = pytest.mark.database

INQUIRY = "pm_card_createDisputeInquiry"
DAYS_3 = 3 * 86_400
PUSHED = """
select args from jobs where tenant_id = $1 and kind = 'push.spread' order by id
"""
LATER = """
update provider_movements set available = false, available_on = now() + $2::interval where tenant_id = $1 and kind = 'refund'
"""
FILL = """
insert into payments (tenant_id, id, purpose, amount, currency, status, captured, captured_at, settled_at, intent_id, checked_at)
select $1, gen_random_uuid(), 'trial', 1000, 'EUR', 'settled', 1000, now(), now(), 'pi_' || gen_random_uuid(), now() - interval '1 day'
from generate_series(1, 20000)
"""
FOR_ALL = {"payments_by_id", "payments_by_intent", "payments_by_charge"}
"""The indexes that begin with what an event may name: others are searched once for each business."""
LOOKED_AT = "update payments set checked_at = now() - interval '11 minutes' where tenant_id = $1 and id = $2"


@pytest.fixture
async def told(database_settings: Settings, beside: SandboxBeside) -> AsyncGenerator[Shop]:
    """A business whose events reach those whom they concern."""
    settings = dataclasses.replace(database_settings, **beside.another().settings())
    async with opened_shop(settings, *MODULES, PUSH) as shop, relaying(shop.services):
        yield shop


async def disputed(shop: Shop, card: str) -> tuple[Payment, Dispute]:
    """A payment and what its bank asks."""
    payment = await shop.paid(10_000, card)
    shop.beside.control("clock", seconds=60)
    payment = await shop.look(payment)
    return payment, (await shop.disputes(payment))[0]


async def to_answer(shop: Shop) -> tuple[int, list[UUID]]:
    async with shop.ctx() as ctx:
        return await count_disputes_to_answer(ctx), [one.id for one in await disputes_to_answer(ctx)]


async def pushed(shop: Shop, count: int, tag: str) -> list[dict[str, Any]]:
    """The notices of a tag that are on their way to people, once there are so many."""

    async def look() -> list[dict[str, Any]] | None:
        rows = await administer(shop.services.settings, PUSHED, shop.tenant_id)
        read = [one["args"] if isinstance(one["args"], dict) else msgspec.json.decode(one["args"]) for one in rows]
        found = [{**one["spread"], "people": one["people"]} for one in read if one["spread"]["tag"] == tag]
        return found if len(found) >= count else None

    return await until(look)


async def test_an_inquiry_that_is_closed_freezes_and_frees_nothing(shop: Shop) -> None:
    payment, dispute = await disputed(shop, INQUIRY)
    assert (dispute.status, payment.disputed, payment.refundable) == ("warning_needs_response", 0, 10_000)
    closed = await shop.answered(payment, "winning_evidence")
    assert (closed.status, closed.lost) == ("warning_closed", 0)
    assert shop.trial.told == ["paid 10000"]


async def test_an_inquiry_that_is_lost_without_money_taken_is_a_closed_one_until_money_moves(shop: Shop) -> None:
    payment, dispute = await disputed(shop, INQUIRY)
    assert payment.intent_id is not None
    [seen] = [one async for one in processor.list_disputes(shop.services, intent_id=payment.intent_id)]
    assert not seen.balance_transactions
    async with shop.ctx() as ctx:
        held = await lock_payment(ctx, payment_id=payment.id)
        lost = msgspec.structs.replace(seen, status="lost")
        after = await follow_dispute(ctx, payment=held, seen=lost, hint=Hint("console"))
    [closed] = await shop.disputes(payment)
    assert (closed.status, closed.lost, after.disputed, after.refundable) == ("warning_closed", 0, 0, 10_000)
    assert (shop.trial.told, await to_answer(shop)) == (["paid 10000"], (0, []))
    evidence = {"uncategorized_text": "escalate_inquiry_evidence"}
    await processor.update_dispute(shop.services, seen.id, key="escalated", evidence=evidence, submit=True)
    shop.beside.control("clock", seconds=60)
    await shop.look(payment)
    [escalated] = await shop.disputes(payment)
    assert (escalated.id, escalated.status, shop.trial.told[-1]) == (dispute.id, "needs_response", "frozen 10000")
    assert (await shop.answered(payment, "losing_evidence")).status == "lost"
    assert (shop.trial.told[-1], "disputes-held" in await shop.books()) == ("lost 10000", False)


async def test_an_inquiry_that_was_answered_and_escalated_is_answered_and_told_again(told: Shop) -> None:
    member = await sign_in(told.services, told.tenant_id, ["payments.refund"])
    payment, dispute = await disputed(told, INQUIRY)
    tag = f"dispute/{dispute.id}"
    [first] = await pushed(told, 1, tag)
    escalated = await told.answered(payment, "escalate_inquiry_evidence")
    assert (escalated.id, escalated.status, escalated.answered_at) == (dispute.id, "needs_response", None)
    assert escalated.due_by != dispute.due_by
    assert told.trial.told == ["paid 10000", "frozen 10000"]
    assert await to_answer(told) == (1, [dispute.id])
    both = await pushed(told, 2, tag)
    assert [one["people"] for one in both] == [[str(member.user_id)]] * 2
    assert both[1]["moments"]["due"] != first["moments"]["due"]
    lost = await told.answered(payment, "losing_evidence")
    assert (lost.status, told.trial.told[-1], await to_answer(told)) == ("lost", "lost 10000", (0, []))


async def test_an_answer_that_was_not_delivered_is_given_again(shop: Shop) -> None:
    payment, dispute = await disputed(shop, "pm_card_createDispute")
    for _ in range(2):
        shop.beside.control("answers", mode="error", count=1000, path="/v1/disputes/")
        refused = (await shop.steps(payment)).count("refused")
        async with shop.ctx() as ctx:
            await answer_dispute(ctx, dispute_id=dispute.id, evidence="losing_evidence")
            await ctx.db.execute(
                "update jobs set max_attempts = 1 where tenant_id = $1 and kind = 'payments.evidence'", ctx.tenant_id
            )

        async def given_up(before: int = refused) -> bool | None:
            return True if (await shop.steps(payment)).count("refused") > before else None

        await until(given_up)
        assert await to_answer(shop) == (1, [dispute.id])
    shop.beside.control("answers", mode="slow", seconds=0, count=1)
    won = await shop.answered(payment, "winning_evidence")
    assert (won.status, won.answered_at is not None) == ("won", True)
    async with shop.ctx() as ctx:
        with pytest.raises(DisputeEnded):
            await answer_dispute(ctx, dispute_id=dispute.id, evidence="winning_evidence")


async def books_agree(shop: Shop) -> dict[str, int]:
    """The books, which hold what the provider keeps for us."""
    books = await shop.books()
    assert (await shop.held()).get("EUR", 0) == books.get("provider-pending", 0) + books.get("provider-available", 0)
    return books


@pytest.mark.parametrize("spent", [0, 2_500, 10_000])
async def test_a_verdict_that_does_not_hold_is_booked_the_other_way_as_often_as_it_turns(
    shop: Shop, spent: int
) -> None:
    payment, dispute = await disputed(shop, "pm_card_createDispute")
    shop.trial.spent = spent
    assert (await shop.answered(payment, "losing_evidence")).lost == spent
    first = await books_agree(shop)
    assert (first.get("losses", 0), first.get("order-clearing", 0), "disputes-held" in first) == (spent, spent, False)
    for status in ("won", "lost", "won", "lost"):
        shop.beside.control("overturn", dispute=dispute.provider_id)
        shop.beside.control("clock", seconds=1)
        for _ in range(2):
            payment = await shop.look(payment)
        [after] = await shop.disputes(payment)
        assert (after.status, after.ended_at is not None) == (status, True)
        books = await books_agree(shop)
        if status == "won":
            assert (payment.disputed, after.lost, books["order-clearing"]) == (0, 0, 10_000)
            assert {"disputes-held", "losses", "dispute-fees"} & set(books) == set()
        else:
            assert (payment.disputed, after.lost, books) == (10_000, spent, first)
    assert (await shop.steps(payment)).count("dispute-overturned") == 4


async def test_a_verdict_that_turned_twice_between_two_looks_changes_nothing(shop: Shop) -> None:
    payment, dispute = await disputed(shop, "pm_card_createDispute")
    await shop.answered(payment, "losing_evidence")
    before, told = await books_agree(shop), list(shop.trial.told)
    for _ in range(2):
        shop.beside.control("overturn", dispute=dispute.provider_id)
    await shop.look(payment)
    assert (await books_agree(shop), shop.trial.told) == (before, told)


async def test_a_decided_dispute_that_is_open_again_is_frozen_and_answered_again(shop: Shop) -> None:
    payment, _ = await disputed(shop, "pm_card_createDispute")
    lost = await shop.answered(payment, "losing_evidence")
    assert (lost.lost, lost.answered_at is not None, payment.intent_id is not None) == (0, True, True)
    [seen] = [one async for one in processor.list_disputes(shop.services, intent_id=str(payment.intent_id))]
    async with shop.ctx() as ctx:
        held = await lock_payment(ctx, payment_id=payment.id)
        again = msgspec.structs.replace(seen, status="needs_response")
        after = await follow_dispute(ctx, payment=held, seen=again, hint=Hint("webhook"))
    [dispute] = await shop.disputes(payment)
    assert (dispute.status, dispute.answered_at, dispute.ended_at, after.disputed) == (
        "needs_response", None, None, 10_000,
    )  # fmt: skip
    assert shop.trial.told[-2:] == ["won 0", "frozen 10000"]
    books = await books_agree(shop)
    assert (books["disputes-held"], books["order-clearing"]) == (10_000, 10_000)
    assert await to_answer(shop) == (1, [dispute.id])


async def test_another_verdict_is_told_once_to_those_who_keep_payments(told: Shop) -> None:
    member = await sign_in(told.services, told.tenant_id, ["payments.manage"])
    payment, dispute = await disputed(told, "pm_card_createDispute")
    assert (await told.answered(payment, "losing_evidence")).status == "lost"
    told.beside.control("overturn", dispute=dispute.provider_id)
    for _ in range(2):
        await told.look(payment)
    assert (await told.steps(payment)).count("dispute-overturned") == 1
    assert (await told.disputes(payment))[0].status == "won"
    [notice] = await pushed(told, 1, f"dispute-overturned/{dispute.id}")
    assert notice["people"] == [str(member.user_id)]
    assert notice["url"].endswith(f"/{payment.id}")


async def test_money_of_a_settled_payment_that_becomes_available_later_is_looked_at(shop: Shop) -> None:
    payment = await shop.paid(10_000)
    shop.beside.control("clock", seconds=DAYS_3)
    await shop.look(payment)
    assert (await shop.read(payment.id)).status == "settled"
    await shop.until_refund(await shop.refund(payment, 1_000), "succeeded")
    await administer(shop.services.settings, LOOKED_AT, shop.tenant_id, payment.id)
    assert not await due(shop)
    await administer(shop.services.settings, LATER, shop.tenant_id, timedelta(hours=1))
    assert not await due(shop)
    await administer(shop.services.settings, LATER, shop.tenant_id, timedelta(hours=-1))
    assert await due(shop) == [payment.id]
    async with system_ctx(shop.services, shop.tenant_id, role="system") as ctx:
        assert shop.tenant_id in [row["tenant_id"] for row in await ctx.db.fetch(TENANTS_DUE)]


async def due(shop: Shop) -> list[UUID]:
    """The payments that the poll would look at."""
    async with shop.ctx() as ctx:
        return [row["id"] for row in await ctx.db.fetch(PAYMENTS_DUE, ctx.tenant_id, 10)]


async def test_what_is_due_is_found_by_indexes_among_payments_that_are_done(shop: Shop) -> None:
    payment = await shop.paid(10_000)
    await filled(shop)
    read, _ = await payments_read(shop, TENANTS_DUE)
    assert read < 2_000
    assert await shop.read(payment.id)


async def test_whose_an_event_is_is_found_by_indexes_that_no_business_leads(shop: Shop) -> None:
    payment = await shop.paid(10_000)
    await filled(shop)
    intent = payment.intent_id
    assert intent is not None
    for named in (
        (payment.id, ["ch_unknown"]),
        (payment.id, [intent]),
        (None, [intent, "ch_unknown"]),
        (UUID(int=1), ["-"]),
    ):
        read, by = await payments_read(shop, OWNER, *named)
        assert read <= 4
        assert by <= FOR_ALL
    known = ([""] * 50, ["evt_unknown"] * 50, [payment.id] * 50, [intent] * 50, [None] * 50, [None] * 50)
    read, by = await payments_read(shop, KNOWN, PLATFORM, ENDPOINT, *known)
    assert read <= 200
    assert by <= FOR_ALL


async def filled(shop: Shop) -> None:
    """The shop with twenty thousand payments that are done."""
    await administer(shop.services.settings, FILL, shop.tenant_id)
    await administer(shop.services.settings, "analyze payments")
    await administer(shop.services.settings, "analyze provider_movements")


async def payments_read(shop: Shop, statement: str, *values: Any) -> tuple[float, set[str]]:
    """How many payments a statement of the system looks at, with those that it passes over, and by which indexes."""
    async with system_ctx(shop.services, shop.tenant_id, role="system") as ctx:
        rows = await ctx.db.fetch(f"explain (analyze, format json) {statement}", *values)
    told = rows[0][0] if not isinstance(rows[0][0], str) else msgspec.json.decode(rows[0][0])
    read, indexes, waiting = 0.0, set[str](), [told[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if node.get("Relation Name") == "payments":
            read += node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0))
        if (index := node.get("Index Name", "")).startswith("payments_"):
            indexes.add(index)
    return read, indexes
