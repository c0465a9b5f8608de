"""Credits that go back to cards: how much can, of what, in which amounts; one figure wherever it is said."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lastlight.domains.credits import looking, purchases, queries
from lastlight.domains.credits.errors import CreditsShort, NotRefundable
from lastlight.domains.credits.refundable import funded_lots, refundable_of
from lastlight.domains.credits.schemas import CreditReceipt, CreditRefundIn, CreditRefunds, OwnCreditRefundIn
from lastlight.domains.payments import PAYMENTS_REFUND, AmountUnusable
from lastlight.kernel.errors import Conflict
from lastlight.kernel.ids import PatronId
from lastlight.kernel.money import Money
from lastlight.runtime.context import Ctx
from lastlight.runtime.processor import CHARGEABLE, to_processor
from tests.support.door import House
from tests.support.purses import Purse, as_guest, findings, new_purse
from tests.support.races import watched

DAY = timedelta(days=1)
AT_PROVIDER = "update payments set refunded = refunded + $2, disputed = disputed + $3 where id = $1"


async def refund(house: House, *, seen: int | None = None, **data: Any) -> CreditRefunds:
    async with house.as_member({PAYMENTS_REFUND.name: None}) as ctx:
        return await purchases.refund(ctx, data=CreditRefundIn(reason="They asked", **data), seen=seen)


async def newest(purse: Purse, amount: int, *, seen: int | None = None) -> list[tuple[int, int]]:
    """A refund of the newest purchases first: which purchase gave how much."""
    who: dict[str, Any] = {"patron_id": purse.guest.patron_id, "currency": purse.currency}
    made = await refund(purse.house, amount=amount, seen=seen, **who)
    return [(purse.payments.index(one.payment_id), one.amount) for one in made.items]


async def can_go_back(ctx: Ctx, *, patron_id: PatronId) -> list[looking.GuestLot]:
    """The purchases of which something can go back to a card, the newest first."""
    return [lot for lot in await looking.funded_lots(ctx, patron_id=patron_id) if lot.refundable]


async def receipt(purse: Purse, payment_id: UUID) -> CreditReceipt:
    async with as_guest(purse.house, purse.guest) as ctx:
        return await queries.read_receipt(ctx, payment_id=payment_id)


async def figures(purse: Purse) -> list[int]:
    """What can go back of each purchase, which every reader says alike."""
    async with purse.house.system() as ctx:
        whose = purse.guest.patron_id
        kept = {lot.payment_id: lot.refundable for lot in await funded_lots(ctx, patron_id=whose)}
        shown = {lot.payment_id: lot.refundable for lot in await can_go_back(ctx, patron_id=whose)}
        every = {lot.payment_id: lot.refundable for lot in await looking.lots_of(ctx, patron_id=whose)}
    told = [await receipt(purse, one) for one in purse.payments]
    said = [one.refundable for one in told]
    assert [kept.get(one, 0) for one in purse.payments] == said
    assert [shown.get(one, 0) for one in purse.payments] == said
    assert [every[one] for one in purse.payments] == said
    assert [one.refundable_until is not None for one in told] == [amount > 0 for amount in said]
    return said


async def test_what_cards_do_not_take_stays_credits_and_is_said(house: House) -> None:
    purse = await new_purse(house, 10_000, 5_000, currency="KWD")
    first, second = purse.payments
    await purse.spend(1_234)
    assert await figures(purse) == [8_760, 5_000]
    for amount in (1_234, 8_766, 5, 1):
        with pytest.raises((AmountUnusable, NotRefundable)):
            await refund(house, payment_id=first, amount=amount)
    with pytest.raises(AmountUnusable) as refusal:
        await refund(house, payment_id=first, amount=1_234)
    assert (
        refusal.value.detail == "Cards take multiples of KWD\u00a00,010: KWD\u00a01,234 is none. Choose another amount."
    )
    assert refusal.value.fields["amount"] == refusal.value.detail
    assert await purse.standing() == (13_766, 0)
    made = await refund(house, payment_id=first)
    assert ([one.amount for one in made.items], made.stays) == ([8_760], 6)
    assert await figures(purse) == [0, 5_000]
    with pytest.raises(NotRefundable) as nothing:
        await refund(house, payment_id=first)
    assert nothing.value.extra == {"refundable": 0}
    assert await newest(purse, 5_000) == [(1, 5_000)]
    assert await purse.standing() == (6, 0)
    assert (await receipt(purse, second)).remaining == 0
    assert await findings(house) == []


async def test_a_refund_is_spread_in_amounts_that_cards_take(house: House) -> None:
    purse = await new_purse(house, 1_000, 2_000, 3_000, currency="BHD")
    for place, amount in ((0, 3), (1, 1_999), (2, 5)):
        await house.sql(
            "update credit_lots set expires_at = now() + interval '1 day' where payment_id = $1", purse.payments[place]
        )
        await purse.spend(amount)
        await house.sql(
            "update credit_lots set expires_at = now() + interval '900 days' where payment_id = $1",
            purse.payments[place],
        )
    assert await figures(purse) == [990, 0, 2_990]
    with pytest.raises(NotRefundable) as refusal:
        await newest(purse, 3_990)
    assert refusal.value.extra == {"refundable": 3_980}
    assert await newest(purse, 3_980, seen=3_980) == [(2, 2_990), (0, 990)]
    assert await purse.standing() == (5 + 1 + 7, 0)
    assert await findings(house) == []


async def test_a_guest_sends_back_what_a_card_can_be_given(house: House) -> None:
    purse = await new_purse(house, 10_000, currency="MGA")
    await purse.spend(1_050)
    assert (await receipt(purse, purse.payments[0])).refundable == 8_900
    async with as_guest(purse.house, purse.guest) as ctx:
        made = await purchases.refund_own(ctx, payment_id=purse.payments[0], data=OwnCreditRefundIn())
    assert ([one.amount for one in made.items], made.stays) == ([8_900], 50)
    assert (await receipt(purse, purse.payments[0])).refundable_until is None


@pytest.mark.parametrize("why", ["disputed", "refunded elsewhere"])
async def test_a_purchase_that_cannot_go_back_keeps_no_other_from_it(house: House, why: str) -> None:
    purse = await new_purse(house, 1_000, 1_000)
    blocked = purse.payments[1]
    await house.sql(AT_PROVIDER, blocked, *((0, 1_000) if why == "disputed" else (1_000, 0)))
    assert await figures(purse) == [1_000, 0]
    assert await newest(purse, 700, seen=1_000) == [(0, 700)]
    with pytest.raises(NotRefundable) as refusal:
        await newest(purse, 301)
    assert refusal.value.extra == {"refundable": 300}
    with pytest.raises(NotRefundable):
        await refund(house, payment_id=blocked)
    made = await refund(house, payment_id=purse.payments[0])
    assert ([one.amount for one in made.items], made.stays) == ([300], 0)
    assert await purse.standing() == (1_000, 0)


async def test_what_the_payment_can_give_bounds_what_its_lot_gives(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000)
    await house.sql(AT_PROVIDER, purse.payments[1], 300, 250)
    assert await figures(purse) == [1_000, 450]
    assert await newest(purse, 1_450) == [(1, 450), (0, 1_000)]
    assert await figures(purse) == [0, 0]
    assert await purse.standing() == (550, 0)


async def test_what_comes_back_to_a_lot_after_its_payment_went_back_elsewhere_stays_credits(house: House) -> None:
    purse = await new_purse(house, 1_000)
    [payment] = purse.payments
    spent = await purse.spend(600)
    released, _ = await purse.release(payment, 1_000)
    await house.sql(AT_PROVIDER, payment, 1_000, 0)
    assert (released, await purse.standing()) == (400, (0, 0))
    await purse.reverse(spent)
    assert (await figures(purse), await purse.standing()) == ([0], (600, 0))
    with pytest.raises(NotRefundable):
        await refund(house, payment_id=payment)
    await purse.spend(600)


async def test_what_ends_in_this_moment_goes_back_to_nobody(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000)
    async with house.system() as ctx:
        at = "update credit_lots set expires_at = now() + $3 where tenant_id = $1 and payment_id = $2"
        await ctx.db.execute(at, ctx.tenant_id, purse.payments[0], timedelta())
        await ctx.db.execute(at, ctx.tenant_id, purse.payments[1], timedelta(microseconds=1))
        kept = await funded_lots(ctx, patron_id=purse.guest.patron_id)
        shown = await can_go_back(ctx, patron_id=purse.guest.patron_id)
        assert [lot.payment_id for lot in kept] == [lot.payment_id for lot in shown] == [purse.payments[1]]
        [sums] = await queries.balances_of(ctx, patron_id=purse.guest.patron_id)
        assert (sums.balance, sums.available) == (2_000, 1_000)
    assert await figures(purse) == [0, 0]
    told = await receipt(purse, purse.payments[0])
    assert (told.remaining, told.refundable, told.refundable_until) == (1_000, 0, None)
    with pytest.raises(NotRefundable):
        await refund(house, payment_id=purse.payments[0])


async def test_what_was_seen_is_what_can_go_back_now(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000)
    await house.sql(AT_PROVIDER, purse.payments[1], 0, 1_000)
    with pytest.raises(Conflict):
        await newest(purse, 100, seen=2_000)
    assert await newest(purse, 100, seen=1_000) == [(0, 100)]
    with pytest.raises(Conflict):
        await newest(purse, 100, seen=1_000)


async def test_two_who_send_all_of_it_back_at_once_send_it_once(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000, 1_000)
    whose: dict[str, Any] = {"patron_id": purse.guest.patron_id, "currency": "ZAR", "amount": 3_000}
    work = [refund(house, **whose) for _ in range(4)] + [refund(house, payment_id=one) for one in purse.payments]
    with watched() as seen:
        made = await asyncio.gather(*work, return_exceptions=True)
    assert {type(one) for one in made} <= {CreditRefunds, NotRefundable}
    assert sum(part.amount for one in made if isinstance(one, CreditRefunds) for part in one.items) == 3_000
    assert await purse.standing() == (0, 0)
    assert seen.deadlocks == []
    assert await findings(house) == []


async def test_all_that_is_left_goes_back_whatever_is_spent_at_once(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000)
    work: list[Any] = [purse.spend(130) for _ in range(6)]
    work += [refund(house, payment_id=one) for one in purse.payments]
    work += [purse.spend(130) for _ in range(6)]
    with watched() as seen:
        made = await asyncio.gather(*work, return_exceptions=True)
    refused = [one for one in made if isinstance(one, BaseException)]
    assert {type(one) for one in refused} <= {CreditsShort, NotRefundable}, "nobody is told that it was spent meanwhile"
    back = sum(part.amount for one in made if isinstance(one, CreditRefunds) for part in one.items)
    assert back > 0
    assert (await purse.standing())[0] == 0
    assert seen.deadlocks == []
    assert await findings(house) == []


@settings(max_examples=200)
@given(st.sampled_from(sorted(CHARGEABLE)), st.integers(0, 10**8))
def test_what_goes_back_of_a_lot_is_an_amount_that_its_card_takes(currency: str, goes_back: int) -> None:
    part = refundable_of(goes_back, currency)
    assert 0 <= part <= goes_back < part + 100
    assert to_processor(Money(part, currency)) >= 0
