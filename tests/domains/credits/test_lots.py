"""Credits on the real database: bought, spent, given back, refunded, expired, frozen; and what is refused."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from lastlight.domains import ledger
from lastlight.domains.credits.errors import CreditsShort, NotASpend, SpendReversed
from lastlight.domains.credits.jobs import due_tenants, expire_due
from lastlight.domains.credits.model import EntryId, months_later
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.db.uow import system_ctx
from tests.support.door import House
from tests.support.purses import Purse, findings, new_purse

DAY = timedelta(days=1)


async def on(house: House, kind: ledger.AccountKind, currency: str = "ZAR") -> int:
    """What stands on an account of the business."""
    async with house.system() as ctx:
        account = await ledger.open_account(ctx, kind=kind, currency=currency)
        return await ledger.balance(ctx, account=account)


async def test_a_purchase_is_a_lot_that_remembers_its_payment(house: House) -> None:
    purse = await new_purse(house, 5_000, 2_000)
    assert await purse.standing() == (7_000, 0)
    assert await purse.lots() == [(5_000, 0), (2_000, 0)]
    assert await purse.entries() == [("bought", 5_000, 5_000), ("bought", 2_000, 7_000)]
    rows = await house.sql(
        "select payment_id, origin, expires_at, created_at from credit_lots where patron_id = $1 order by created_at",
        purse.guest.patron_id,
    )
    assert [row["payment_id"] for row in rows] == purse.payments
    assert {row["origin"] for row in rows} == {"purchase"}
    assert rows[0]["expires_at"] == months_later(rows[0]["created_at"], 36)


async def test_what_expires_first_is_spent_first(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000, 1_000)
    await purse.age(purse.payments[0], 20 * DAY)
    await purse.age(purse.payments[1], 10 * DAY)
    await house.sql("update credit_lots set expires_at = null where payment_id = $1", purse.payments[2])
    before = await on(house, ledger.ORDER_CLEARING)
    entry = await purse.spend(1_500)
    assert (entry.kind, entry.amount, entry.balance, entry.venue_id) == ("spent", -1_500, 1_500, house.venue.id)
    assert await purse.lots() == [(500, 0), (0, 0), (1_000, 0)]
    assert await on(house, ledger.ORDER_CLEARING) == before + 1_500
    assert await purse.standing() == (1_500, 0)


async def closed(house: House, purse: Purse) -> None:
    """Somebody closes the guest's account of the ledger, which is empty."""
    async with house.system() as ctx:
        await ledger.close_account(
            ctx, account=ledger.account_id(ctx.tenant_id, ledger.CREDITS, "ZAR", owner=purse.guest.patron_id)
        )


async def test_an_empty_account_that_was_closed_takes_credits_again(house: House) -> None:
    """However they come: given back, given, bought; and the guest spends them."""
    purse = await new_purse(house, 1_000)
    spent = await purse.spend(1_000)
    await closed(house, purse)
    assert (await purse.reverse(spent)).balance == 1_000
    await purse.spend(1_000)
    await closed(house, purse)
    await purse.buy(500)
    assert await purse.standing() == (500, 0)
    await purse.spend(500)
    await closed(house, purse)
    with pytest.raises(CreditsShort):
        await purse.spend(1)
    assert await purse.standing() == (0, 0)


async def test_more_than_there_is_is_refused_and_nothing_moves(house: House) -> None:
    purse = await new_purse(house, 1_000)
    with pytest.raises(CreditsShort) as refusal:
        await purse.spend(1_001)
    assert refusal.value.extra == {"available": 1_000, "frozen": 0, "expired": 0}
    assert await purse.entries() == [("bought", 1_000, 1_000)]
    with pytest.raises(CreditsShort):
        await Purse(house, purse.guest, "USD").spend(1)
    for amount in (0, -5, 2**53):
        with pytest.raises(Invalid):
            await purse.spend(amount)
    assert await purse.standing() == (1_000, 0)


async def test_a_spend_is_given_back_to_the_lots_that_it_came_from(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000)
    await purse.age(purse.payments[0], 50 * DAY)
    await purse.age(purse.payments[1], 90 * DAY)
    source = ("checkin", uuid4())
    entry = await purse.spend(1_600, source=source)
    back = await purse.reverse(entry, 900)
    assert (back.kind, back.amount, back.reverses, (back.source_kind, back.source_id)) == (
        "spend-reversed",
        900,
        entry.id,
        source,
    )
    assert await purse.lots() == [(300, 0), (1_000, 0)]  # the one that gave last is whole again first
    with pytest.raises(SpendReversed) as refusal:
        await purse.reverse(entry, 701)
    assert refusal.value.extra == {"left": 700}
    await purse.reverse(entry)
    assert await purse.lots() == [(1_000, 0), (1_000, 0)]
    with pytest.raises(SpendReversed):
        await purse.reverse(entry)
    with pytest.raises(NotASpend):
        await purse.reverse(back)
    with pytest.raises(NotFound):
        await purse.reverse(msgspec.structs.replace(entry, id=EntryId(uuid4())))


async def test_what_is_given_back_of_an_expired_lot_can_be_spent_for_the_days_of_grace(house: House) -> None:
    purse = await new_purse(house, 1_000)
    entry = await purse.spend(400)
    await purse.age(purse.payments[0], -DAY)
    income = await on(house, ledger.BREAKAGE)
    expired = await purse.expire()
    assert expired is not None
    assert (expired.kind, expired.amount) == ("expired", -600)
    assert await on(house, ledger.BREAKAGE) == income + 600
    await purse.reverse(entry)
    assert await purse.expire() is None
    [row] = await house.sql("select expires_at from credit_lots where payment_id = $1", purse.payments[0])
    assert abs(row["expires_at"] - datetime.now(UTC) - 30 * DAY) < timedelta(minutes=5)
    await purse.spend(400)
    assert await purse.standing() == (0, 0)


async def test_what_has_expired_is_not_spent_even_before_the_job_has_booked_it(house: House) -> None:
    purse = await new_purse(house, 1_000, 500)
    await purse.age(purse.payments[0], -timedelta(seconds=1))
    with pytest.raises(CreditsShort) as refusal:
        await purse.spend(501)
    assert refusal.value.extra == {"available": 500, "frozen": 0, "expired": 1_000}
    assert await purse.standing() == (1_500, 0)
    await purse.spend(500)
    assert [kind for kind, _, _ in await purse.entries()] == ["bought", "bought", "expired", "spent"]
    assert await purse.standing() == (0, 0)


@pytest.mark.parametrize("how", ["spend given back", "refund failed", "dispute won"])
async def test_what_comes_back_takes_along_nothing_that_had_expired_before_the_job_has_booked_it(
    house: House, how: str
) -> None:
    purse = await new_purse(house, 1_000)
    payment, income = purse.payments[0], await on(house, ledger.BREAKAGE)
    spent = await purse.spend(400)
    _, refund_id = await purse.release(payment, 100)
    dispute = await purse.dispute(payment, 200)
    await purse.freeze(dispute)
    await purse.age(payment, -DAY)
    if how == "spend given back":
        await purse.reverse(spent, 400)
    elif how == "refund failed":
        await purse.restore(payment, refund_id, 100)
    else:
        await purse.verdict(dispute, "won")
    assert ("expired", -300) in [(kind, amount) for kind, amount, _ in await purse.entries()]
    assert await on(house, ledger.BREAKAGE) == income + 300
    back = {"spend given back": 600, "refund failed": 300, "dispute won": 200}[how]
    assert (await purse.standing())[0] == back
    assert await purse.expire() is None


async def test_what_has_expired_goes_back_to_no_card_even_before_the_job_has_booked_it(house: House) -> None:
    purse = await new_purse(house, 1_000)
    income = await on(house, ledger.BREAKAGE)
    await purse.age(purse.payments[0], -DAY)
    assert (await purse.release(purse.payments[0], 1_000))[0] == 0
    assert await on(house, ledger.BREAKAGE) == income + 1_000
    assert await purse.standing() == (0, 0)


async def test_the_job_expires_what_is_due_and_nothing_else(house: House) -> None:
    due, fresh = await new_purse(house, 700), await new_purse(house, 900)
    await due.age(due.payments[0], -DAY)
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        assert house.tenant_id in await due_tenants(ctx)
    async with house.system() as ctx:
        assert await expire_due.fn(ctx) == 1
    assert (await due.standing(), await fresh.standing()) == ((0, 0), (900, 0))
    async with house.system() as ctx:
        assert await expire_due.fn(ctx) == 0
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        assert house.tenant_id not in await due_tenants(ctx)


async def test_a_refund_takes_what_is_unspent_and_gives_it_again_when_it_fails(house: House) -> None:
    purse = await new_purse(house, 1_000, 1_000)
    await purse.spend(300)
    payable = await on(house, ledger.REFUNDS_PAYABLE)
    part, refund_id = await purse.release(purse.payments[0], 1_000)
    assert part == 700
    assert await purse.lots() == [(0, 0), (1_000, 0)]
    assert await on(house, ledger.REFUNDS_PAYABLE) == payable + 700
    assert (await purse.release(purse.payments[0], 1))[0] == 0
    await purse.restore(purse.payments[0], refund_id, 700)
    assert await purse.lots() == [(700, 0), (1_000, 0)]
    assert await on(house, ledger.REFUNDS_PAYABLE) == payable
    assert [kind for kind, _, _ in await purse.entries()] == ["bought", "bought", "spent", "refunded", "refund-failed"]


async def test_what_is_disputed_is_neither_spent_nor_refunded_nor_expired(house: House) -> None:
    purse = await new_purse(house, 1_000, 200)
    await purse.spend(300)
    dispute = await purse.dispute(purse.payments[0], 1_000)
    await purse.freeze(dispute)
    assert await purse.standing() == (900, 700)
    with pytest.raises(CreditsShort) as refusal:
        await purse.spend(201)
    assert refusal.value.extra == {"available": 200, "frozen": 700, "expired": 0}
    assert (await purse.release(purse.payments[0], 500))[0] == 0
    await purse.age(purse.payments[0], -DAY)
    assert await purse.expire() is None
    await purse.freeze(dispute)
    assert await purse.standing() == (900, 700)
    assert await purse.verdict(dispute, "won") == 0
    assert await purse.standing() == (900, 0)
    await purse.spend(900)
    assert [kind for kind, _, _ in await purse.entries()][2:] == ["spent", "frozen", "released", "spent"]


async def test_a_lost_dispute_takes_what_is_left_of_its_lot(house: House) -> None:
    purse = await new_purse(house, 1_000, 500)
    spent = await purse.spend(600)
    dispute = await purse.dispute(purse.payments[0], 1_000)
    held = await on(house, ledger.DISPUTES_HELD)
    await purse.freeze(dispute)
    await purse.reverse(spent, 250)  # comes back to the lot after it was frozen
    assert await purse.standing() == (1_150, 400)
    await purse.freeze(dispute)
    assert await purse.standing() == (1_150, 650)
    await purse.reverse(spent, 50)
    assert await purse.verdict(dispute, "lost") == 700
    assert await purse.standing() == (500, 0)
    assert await purse.lots() == [(0, 0), (500, 0)]
    assert await on(house, ledger.DISPUTES_HELD) == held - 700
    assert await purse.verdict(dispute, "lost") == 700
    assert await purse.standing() == (500, 0)


async def test_a_verdict_that_does_not_hold_gives_credits_again_and_takes_them_again(house: House) -> None:
    purse = await new_purse(house, 1_000, 500)
    await purse.spend(600)
    dispute, held = await purse.dispute(purse.payments[0], 1_000), await on(house, ledger.DISPUTES_HELD)
    await purse.freeze(dispute)
    assert await purse.verdict(dispute, "lost") == 400
    await purse.age(purse.payments[0], -DAY)
    for _ in range(2):
        assert await purse.verdict(dispute, "won") == 0
        assert (await purse.standing(), await purse.lots()) == ((900, 0), [(400, 0), (500, 0)])
        assert await on(house, ledger.DISPUTES_HELD) == held
        assert await purse.expire() is None, "it can be spent for the days of grace"
    await purse.spend(150)
    assert await purse.lots() == [(250, 0), (500, 0)]
    assert await purse.verdict(dispute, "lost") == 250
    assert (await purse.lots(), await on(house, ledger.DISPUTES_HELD)) == ([(0, 0), (500, 0)], held - 250)
    kinds = [(kind, amount) for kind, amount, _ in await purse.entries()][2:]
    assert kinds == [
        ("spent", -600), ("frozen", 0), ("disputed", -400), ("dispute-reversed", 400), ("spent", -150), ("disputed", -250),
    ]  # fmt: skip
    assert await findings(house) == []


async def test_two_disputes_of_one_payment_are_held_apart(house: House) -> None:
    purse = await new_purse(house, 1_000)
    first, second = await purse.dispute(purse.payments[0], 400), await purse.dispute(purse.payments[0], 500)
    await purse.freeze(first)
    await purse.freeze(second)
    assert await purse.standing() == (1_000, 900)
    assert await purse.verdict(first, "lost") == 400
    assert await purse.verdict(second, "won") == 0
    assert await purse.standing() == (600, 0)


async def test_currencies_are_kept_apart(house: House) -> None:
    rand = await new_purse(house, 1_000)
    dollar = Purse(house, rand.guest, "USD")
    await dollar.buy(300)
    await dollar.spend(100)
    assert (await rand.standing(), await dollar.standing()) == ((1_000, 0), (200, 0))


@pytest.mark.parametrize(
    ("moment", "months", "later"),
    [
        (datetime(2026, 1, 31, 22, tzinfo=UTC), 1, datetime(2026, 2, 28, 22, tzinfo=UTC)),
        (datetime(2023, 12, 31, tzinfo=UTC), 2, datetime(2024, 2, 29, tzinfo=UTC)),
        (datetime(2026, 3, 31, tzinfo=UTC), 1, datetime(2026, 4, 30, tzinfo=UTC)),
        (datetime(2026, 11, 22, tzinfo=UTC), 36, datetime(2029, 11, 22, tzinfo=UTC)),
        (datetime(2026, 12, 5, tzinfo=UTC), 12, datetime(2027, 12, 5, tzinfo=UTC)),
    ],
)
def test_months_later_is_the_same_day_or_the_last(moment: datetime, months: int, later: datetime) -> None:
    assert months_later(moment, months) == later
