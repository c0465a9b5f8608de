"""Banks that take back another sum than was paid: so much is frozen and lost, not more, and the rest can be spent and refunded as before."""

import dataclasses
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from lastlight.domains.credits import CreditsShort, disputes, spend
from lastlight.domains.credits.module import MODULE as CREDITS
from lastlight.domains.credits.verify import verify_credits
from lastlight.domains.ledger.verify import verify_books
from lastlight.domains.payments import Dispute, Payment
from lastlight.domains.payments.errors import RefundTooLarge
from lastlight.domains.payments.journal import DisagreementError
from lastlight.runtime.push.module import MODULE as PUSH
from lastlight.runtime.settings import Settings
from tests.domains.credits.test_inquiries import bought, lot
from tests.support.door import MODULES
from tests.support.paying import Shop, opened_shop
from tests.support.processors import sandbox_beside

pytestmark = pytest.mark.database

VISA = "pm_card_visa"
DAYS_60 = 60 * 86_400
LINES = "select kind from credit_entries where tenant_id = $1 and payment_id = $2"


@pytest.fixture
async def shop(database_settings: Settings, tmp_path: Path) -> AsyncGenerator[Shop]:
    """A business that sells credits; after the test its books hold what the provider keeps."""
    with sandbox_beside(tmp_path) as beside:
        settings = dataclasses.replace(database_settings, **beside.another().settings())
        async with opened_shop(settings, *MODULES, PUSH, CREDITS) as opened:
            yield opened
            await agreed(opened)


async def agreed(shop: Shop) -> dict[str, int]:
    """The books, after they were seen to agree with themselves and with the provider."""
    books = await shop.books()
    assert (await shop.held()).get("EUR", 0) == books.get("provider-pending", 0) + books.get("provider-available", 0)
    connection: Any = await asyncpg.connect(shop.services.settings.dsn("looker"))
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            assert (await verify_books(connection, shop.tenant_id)).findings == []
            assert await verify_credits(connection, shop.tenant_id) == []
    finally:
        await connection.close()
    return books


async def disputed(shop: Shop, payment: Payment, amount: int, **how: bool) -> Payment:
    """The payment, of which the bank takes back so much."""
    shop.beside.control("dispute", charge=payment.charge_id, amount=amount, **how)
    shop.beside.control("clock", seconds=60)
    return await shop.look(payment)


async def spent(shop: Shop, payment: Payment, amount: int) -> None:
    """So much of what was bought is spent."""
    assert payment.patron_id is not None
    async with shop.ctx() as ctx:
        await spend(
            ctx, patron_id=payment.patron_id, currency="EUR", venue_id=None, description="Drinks", amount=amount
        )


async def decided(shop: Shop, payment: Payment, *, lost: bool) -> list[Dispute]:
    """All of its disputes after the verdict: those that nobody answers are lost, the others stand for what the evidence says."""
    if lost:
        shop.beside.control("clock", seconds=DAYS_60)
        await shop.look(payment)
        return await shop.disputes(payment)
    return [await shop.answered(payment, "winning_evidence")]


@pytest.mark.parametrize(
    ("taken", "amount", "frozen"),
    [(0, 4_000, 4_000), (7_000, 4_000, 3_000), (10_000, 4_000, 0), (0, 1, 1), (2_000, 10_300, 8_000)],
    ids=["a part", "more than is left", "all is spent", "least", "above the charge"],
)
@pytest.mark.parametrize("lost", [True, False], ids=["lost", "won"])
async def test_as_much_is_frozen_and_lost_as_is_disputed(
    shop: Shop, taken: int, amount: int, frozen: int, lost: bool
) -> None:
    await _followed(shop, taken=taken, amount=amount, frozen=frozen, lost=lost)


async def _followed(shop: Shop, *, taken: int, amount: int, frozen: int, lost: bool) -> None:
    payment = await bought(shop, VISA)
    if taken:
        await spent(shop, payment, taken)
    before = await agreed(shop)
    payment = await disputed(shop, payment, amount)
    assert (payment.disputed, payment.refundable) == (amount, max(0, 10_000 - amount))
    assert await lot(shop, payment) == (10_000 - taken, frozen)
    books = await agreed(shop)
    assert (books["disputes-held"], books["dispute-fees"]) == (amount, 1_500)
    with pytest.raises(CreditsShort):
        await spent(shop, payment, 10_000 - taken - frozen + 1)
    with pytest.raises(RefundTooLarge):
        await shop.refund(payment, payment.refundable + 1)
    [dispute] = await decided(shop, payment, lost=lost)
    books, payment = await agreed(shop), await shop.read(payment.id)
    assert "disputes-held" not in books
    if lost:
        assert (dispute.status, dispute.amount, dispute.lost) == ("lost", amount, amount - frozen)
        assert await lot(shop, payment) == (10_000 - taken - frozen, 0)
        assert (books.get("losses", 0), books["dispute-fees"]) == (amount - frozen, 1_500)
        assert (payment.disputed, payment.refundable) == (amount, max(0, 10_000 - amount))
    else:
        assert (dispute.status, dispute.lost, payment.disputed, payment.refundable) == ("won", 0, 0, 10_000)
        assert (await lot(shop, payment), books) == ((10_000 - taken, 0), before)


@pytest.mark.parametrize("said", [1, 3_000, 5_000, 20_000])
@pytest.mark.parametrize("lost", [True, False], ids=["lost", "won"])
async def test_another_amount_that_is_said_later_moves_nothing_that_the_bank_did_not_take(
    shop: Shop, said: int, lost: bool
) -> None:
    payment = await bought(shop, VISA)
    await spent(shop, payment, 7_000)
    before = await agreed(shop)
    payment = await disputed(shop, payment, 4_000)
    held = await agreed(shop)
    [dispute] = await shop.disputes(payment)
    shop.beside.control("amend", dispute=dispute.provider_id, amount=said)
    payment = await shop.look(payment)
    assert (payment.disputed, payment.refundable, await lot(shop, payment)) == (4_000, 6_000, (3_000, 3_000))
    assert await agreed(shop) == held
    [dispute] = await decided(shop, payment, lost=lost)
    books, payment = await agreed(shop), await shop.read(payment.id)
    assert "disputes-held" not in books
    if lost:
        assert (dispute.amount, dispute.lost, books["losses"]) == (4_000, 1_000, 1_000)
        assert (await lot(shop, payment), payment.disputed) == ((0, 0), 4_000)
    else:
        assert (dispute.lost, books, await lot(shop, payment), payment.disputed) == (0, before, (3_000, 0), 0)


@pytest.mark.parametrize("taken", [0, 7_000])
@pytest.mark.parametrize("said", [1, 2_500, 5_000])
async def test_a_verdict_about_another_amount_that_came_before_we_looked_takes_that(
    shop: Shop, taken: int, said: int
) -> None:
    payment = await bought(shop, VISA)
    if taken:
        await spent(shop, payment, taken)
    left = 10_000 - taken
    payment = await disputed(shop, payment, 4_000)
    assert await lot(shop, payment) == (left, min(left, 4_000))
    [dispute] = await shop.disputes(payment)
    shop.beside.control("amend", dispute=dispute.provider_id, amount=said)
    shop.beside.control("clock", seconds=DAYS_60)
    for _ in range(2):
        shop.beside.control("overturn", dispute=dispute.provider_id)
    payment = await shop.look(payment)
    [dispute] = await shop.disputes(payment)
    assert (dispute.status, dispute.amount, dispute.lost) == ("lost", said, max(0, said - left))
    assert (payment.disputed, await lot(shop, payment)) == (said, (max(0, left - said), 0))
    books = await agreed(shop)
    assert ("disputes-held" in books, books.get("losses", 0)) == (False, dispute.lost)


@pytest.mark.parametrize(("taken", "freed", "frozen"), [(0, 4, 6), (7_000, 3, 4)])
async def test_as_much_is_frozen_as_is_disputed_now(shop: Shop, taken: int, freed: int, frozen: int) -> None:
    payment = await bought(shop, VISA)
    if taken:
        await spent(shop, payment, taken)
    left = 10_000 - taken
    payment = await disputed(shop, payment, 4_000)
    [dispute] = await shop.disputes(payment)
    for amount in (2_500, 2_500, 1, 0, 3_500, 9_000, 4_000):
        async with shop.ctx() as ctx:
            await disputes.freeze(ctx, payment=payment, dispute=msgspec.structs.replace(dispute, amount=amount))
        assert await lot(shop, payment) == (left, min(left, amount))
        await agreed(shop)
    async with shop.ctx() as ctx:
        kinds = [row["kind"] for row in await ctx.db.fetch(LINES, shop.tenant_id, payment.id)]
    assert (kinds.count("released"), kinds.count("frozen")) == (freed, frozen), "what stays the same is not written"


async def test_an_inquiry_follows_the_amount_that_the_bank_asks_about_and_freezes_nothing(shop: Shop) -> None:
    payment = await bought(shop, VISA)
    before = await agreed(shop)
    payment = await disputed(shop, payment, 4_000, inquiry=True)
    [dispute] = await shop.disputes(payment)
    shop.beside.control("amend", dispute=dispute.provider_id, amount=2_500)
    for _ in range(2):
        payment = await shop.look(payment)
    [dispute] = await shop.disputes(payment)
    assert (dispute.status, dispute.amount, payment.disputed) == ("warning_needs_response", 2_500, 0)
    assert (await lot(shop, payment), await agreed(shop)) == ((10_000, 0), before)
    assert (await shop.steps(payment)).count("dispute-warning_needs_response") == 2
    assert (await shop.answered(payment, "escalate_inquiry_evidence")).amount == 2_500
    assert (await lot(shop, payment), (await agreed(shop))["disputes-held"]) == ((10_000, 2_500), 2_500)


async def test_a_charge_is_disputed_in_parts_that_are_decided_one_by_one(shop: Shop) -> None:
    payment = await bought(shop, VISA)
    payment = await disputed(shop, payment, 4_000)
    payment = await disputed(shop, payment, 5_000)
    assert (payment.disputed, payment.refundable, await lot(shop, payment)) == (9_000, 1_000, (10_000, 9_000))
    with pytest.raises(CreditsShort):
        await spent(shop, payment, 1_001)
    await spent(shop, payment, 400)
    first, second = sorted(await shop.disputes(payment), key=lambda one: one.amount)
    assert {one.status for one in await decided(shop, payment, lost=True)} == {"lost"}
    assert await lot(shop, payment) == (600, 0)
    assert "losses" not in await agreed(shop)
    for dispute, disputed_now, left in ((first, 5_000, 4_600), (second, 0, 9_600), (first, 4_000, 5_600)):
        shop.beside.control("overturn", dispute=dispute.provider_id)
        payment = await shop.look(payment)
        assert (payment.disputed, await lot(shop, payment)) == (disputed_now, (left, 0))
        books = await agreed(shop)
        assert {"losses", "disputes-held"} & set(books) == set()
    assert books["credits"] == 5_600


async def test_an_inquiry_about_a_part_freezes_what_is_left_of_that_part(shop: Shop) -> None:
    payment = await bought(shop, VISA)
    payment = await disputed(shop, payment, 4_000, inquiry=True)
    assert (payment.disputed, payment.refundable, await lot(shop, payment)) == (0, 10_000, (10_000, 0))
    await spent(shop, payment, 7_500)
    assert (await shop.answered(payment, "escalate_inquiry_evidence")).status == "needs_response"
    payment = await shop.read(payment.id)
    assert (payment.disputed, await lot(shop, payment)) == (4_000, (2_500, 2_500))
    assert (await shop.answered(payment, "losing_evidence")).lost == 1_500
    assert await lot(shop, payment) == (0, 0)


async def test_freezing_all_that_is_left_would_be_seen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a freeze that takes the larger of what is disputed and what is left."""
    monkeypatch.setattr(disputes, "min", max, raising=False)
    with pytest.raises(AssertionError, match="10000"):
        await _followed(shop, taken=0, amount=4_000, frozen=4_000, lost=False)


@pytest.mark.parametrize("after", [False, True], ids=["before the verdict", "after it"])
@pytest.mark.parametrize(("spent_before", "back", "lost"), [(7_000, 1_500, 0), (9_000, 1_500, 1_500), (0, 4_000, 0)])
async def test_a_dispute_that_is_lost_in_part_takes_what_did_not_come_back(
    shop: Shop, spent_before: int, back: int, lost: int, after: bool
) -> None:
    payment = await bought(shop, VISA)
    if spent_before:
        await spent(shop, payment, spent_before)
    payment = await disputed(shop, payment, 4_000)
    [dispute] = await shop.disputes(payment)
    if after:
        await decided(shop, payment, lost=True)
    shop.beside.control("funds", dispute=dispute.provider_id, amount=back)
    payment = await shop.look(payment)
    [dispute] = await decided(shop, payment, lost=True)
    books, payment = await agreed(shop), await shop.read(payment.id)
    assert (dispute.status, dispute.amount, dispute.lost) == ("lost", 4_000 - back, lost)
    assert ("disputes-held" in books, books.get("losses", 0)) == (False, lost)
    assert await lot(shop, payment) == (10_000 - spent_before - (4_000 - back - lost), 0)
    assert (payment.disputed, payment.refundable) == (4_000 - back, 6_000 + back)
    with pytest.raises(CreditsShort):
        await spent(shop, payment, 10_000 - spent_before - (4_000 - back - lost) + 1)


@pytest.mark.parametrize("rate", [800_000, 1_250_000], ids=["less", "more"])
@pytest.mark.parametrize("lost", [True, False], ids=["lost", "won"])
async def test_what_is_settled_in_another_currency_is_frozen_and_freed_in_the_guests_own(
    shop: Shop, rate: int, lost: bool
) -> None:
    shop.beside.control("rules", settles_in="usd", rate=1_100_000)
    payment = await bought(shop, VISA)
    payment = await disputed(shop, payment, 4_000)
    assert (payment.disputed, await lot(shop, payment)) == (4_000, (10_000, 4_000))
    shop.beside.control("rules", rate=rate)
    [dispute] = await decided(shop, payment, lost=lost)
    if lost:
        shop.beside.control("rules", rate=1_100_000)
        shop.beside.control("funds", dispute=dispute.provider_id, amount=1_000)
        payment = await shop.look(payment)
        [dispute] = await shop.disputes(payment)
    payment = await shop.read(payment.id)
    assert (dispute.status, dispute.lost, payment.disputed) == (("lost", 0, 3_000) if lost else ("won", 0, 0))
    assert await lot(shop, payment) == (7_000 if lost else 10_000, 0)
    await settled_abroad(shop)


async def settled_abroad(shop: Shop) -> None:
    """Nothing of a dispute is held any more, and the dollars of the books are those that the provider keeps."""
    euros, dollars = await shop.books(), await shop.books("USD")
    assert not {"disputes-held", "provider-pending", "provider-available"} & euros.keys()
    assert await shop.held() == {"USD": dollars.get("provider-pending", 0) + dollars.get("provider-available", 0)}


async def test_what_came_back_abroad_before_a_verdict_is_asked_about_again_and_holds_up_nothing_else(
    shop: Shop,
) -> None:
    shop.beside.control("rules", settles_in="usd", rate=1_100_000)
    payment = await disputed(shop, await bought(shop, VISA), 4_000)
    [dispute] = await shop.disputes(payment)
    shop.beside.control("funds", dispute=dispute.provider_id, amount=1_000)
    shop.beside.control("dispute", charge=payment.charge_id, amount=500)
    with pytest.raises(DisagreementError, match="USD 1100 came back before a verdict, of 4000"):
        await shop.look(payment)
    assert sorted(one.amount for one in await shop.disputes(payment)) == [500, 4_000]
    assert await lot(shop, payment) == (10_000, 4_500)
    shop.beside.control("clock", seconds=DAYS_60)
    payment = await shop.look(payment)
    assert sorted((one.status, one.amount) for one in await shop.disputes(payment)) == [("lost", 500), ("lost", 3_000)]
    assert await lot(shop, payment) == (6_500, 0)
    await settled_abroad(shop)
