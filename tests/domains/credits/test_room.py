"""How many credits a guest may come to have, with what they are paying for counted; and payments that took their time."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from lastlight.domains.credits import purchases
from lastlight.domains.credits.errors import CreditsFull
from lastlight.domains.credits.schemas import PurchaseIn
from tests.domains.credits.test_buying import as_guest
from tests.support.door import Guest, House
from tests.support.purses import Purse, new_purse

MOST = 2_000_000


async def buy(house: House, guest: Guest, amount: int, currency: str = "ZAR") -> UUID:
    async with as_guest(house, guest) as ctx:
        return (await purchases.buy(ctx, data=PurchaseIn(amount=amount, currency=currency))).payment_id


async def statuses(house: House, guest: Guest) -> list[str]:
    rows = await house.sql("select status from payments where patron_id = $1 order by id", guest.patron_id)
    return [row["status"] for row in rows]


async def stands(house: House, payment_id: UUID, status: str) -> None:
    await house.sql("update payments set status = $2, intent_id = 'pi_' || id where id = $1", payment_id, status)


async def nearly_full(house: House) -> Purse:
    """A guest who may buy 10,000 more."""
    return await new_purse(house, MOST - 10_000)


@pytest.mark.parametrize("status", ["processing", "authorised"])
async def test_what_the_bank_has_in_hand_counts(house: House, status: str) -> None:
    guest = (await nearly_full(house)).guest
    await stands(house, await buy(house, guest, 6_000), status)
    with pytest.raises(CreditsFull) as refusal:
        await buy(house, guest, 4_001)
    assert refusal.value.extra == {"balance": MOST - 4_000, "most": MOST}
    await buy(house, guest, 4_000)
    assert await statuses(house, guest) == ["captured", status, "created"]


async def test_a_page_that_was_closed_keeps_nobody_from_buying(house: House) -> None:
    guest = (await nearly_full(house)).guest
    for amount in (3_000, 3_000, 3_000):
        await buy(house, guest, amount)
    assert await statuses(house, guest) == ["captured", "created", "created", "created"], "there is room for all three"
    await buy(house, guest, 6_000)
    assert await statuses(house, guest) == ["captured", "canceled", "canceled", "created", "created"]


async def test_one_that_waits_at_the_provider_is_voided_there(house: House) -> None:
    guest = (await nearly_full(house)).guest
    first = await buy(house, guest, 10_000)
    await stands(house, first, "open")
    await buy(house, guest, 10_000)
    [step] = await house.sql(
        "select step, cause from payment_steps where payment_id = $1 and step = 'void-asked'", first
    )
    assert step["cause"] == "gave way to a newer purchase"
    voids = await house.sql("select intent from staged_actions where kind = 'payments.void' order by id desc limit 1")
    assert str(first) in str(voids[0]["intent"])


async def test_another_currency_has_room_of_its_own(house: House) -> None:
    purse = await nearly_full(house)
    await house.add_venue(currency="USD")
    await stands(house, await buy(house, purse.guest, 10_000), "processing")
    await buy(house, purse.guest, 10_000, "USD")


async def test_of_eight_wishes_at_once_no_two_find_the_same_room(house: House) -> None:
    guest = (await nearly_full(house)).guest
    await asyncio.gather(*(buy(house, guest, 6_000) for _ in range(8)))
    assert sorted(await statuses(house, guest)) == ["canceled"] * 7 + ["captured", "created"]


async def test_what_reaches_the_bank_in_that_moment_is_waited_for_and_counts(house: House) -> None:
    guest = (await nearly_full(house)).guest
    first = await buy(house, guest, 10_000)
    await stands(house, first, "open")
    async with house.system() as ctx:
        sql = "update payments set status = 'processing' where tenant_id = $1 and id = $2"
        await ctx.db.execute(sql, house.tenant_id, first)
        second = asyncio.create_task(buy(house, guest, 10_000))
        await until_somebody_waits(house)
    with pytest.raises(CreditsFull):
        await second
    assert await statuses(house, guest) == ["captured", "processing"]


async def until_somebody_waits(house: House) -> None:
    """Until a session of the database waits for another's lock."""
    async with asyncio.timeout(20):
        while not await house.sql("select 1 from pg_stat_activity where wait_event_type = 'Lock'"):
            await asyncio.sleep(0.01)


async def told(house: House, guest: Guest) -> list[str]:
    """What is on its way to the guest's devices."""
    sql = "select args from jobs where tenant_id = $1 and kind = 'push.spread' order by id"
    rows = await house.sql(sql, house.tenant_id)
    return [str(row["args"]) for row in rows if str(guest.user_id) in str(row["args"])]


async def test_a_guest_is_told_of_credits_that_came_late_and_only_of_those(house: House) -> None:
    purse = await new_purse(house, 1_000)
    assert await told(house, purse.guest) == []
    await purse.buy(2_500, begun=timedelta(minutes=6))
    [notice] = await told(house, purse.guest)
    assert '"amounts": {"amount": {"amount": 2500, "currency": "ZAR"}}' in notice
