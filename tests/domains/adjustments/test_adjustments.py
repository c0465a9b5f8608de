"""Adjustments on the real database: alone up to the limit, above it by two people, once however many press at once."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from lastlight.domains import ledger
from lastlight.domains.adjustments import actions
from lastlight.domains.adjustments.errors import AdjustmentDecided, NotYourRequest, OwnAdjustment, OwnCredits
from lastlight.domains.adjustments.module import MODULE as ADJUSTMENTS
from lastlight.domains.adjustments.schemas import Adjustment, CreditAdjustmentIn, LedgerAdjustmentIn
from lastlight.domains.credits.errors import CreditsShort
from lastlight.kernel.errors import Conflict, Invalid, NotFound, NotPermitted, Problem
from lastlight.kernel.ids import UserId, VenueId
from lastlight.runtime.context import Actor, Ctx, Grants
from lastlight.runtime.db.uow import WorkScope, unit_of_work
from lastlight.runtime.settings import Settings
from tests.support.door import House
from tests.support.purses import Purse, findings, new_purse, opened_purses

LIMIT = 50_000
"""Of the default: 500 in ZAR."""


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_purses(database_settings, ADJUSTMENTS) as opened:
        yield opened
        assert await findings(opened) == []


@asynccontextmanager
async def as_person(house: House, user_id: UserId) -> AsyncGenerator[Ctx]:
    actor = Actor(kind="member", user_id=user_id, tenant_id=house.tenant_id, grants=Grants({}))
    async with unit_of_work(house.services, WorkScope(actor=actor, tenant_id=house.tenant_id)) as ctx:
        yield ctx


async def person(house: House) -> UserId:
    return (await house.add_guest("Somebody Else")).user_id


async def ask(house: House, by: UserId, purse: Purse, amount: int) -> Adjustment:
    data = CreditAdjustmentIn(
        patron_id=purse.guest.patron_id, amount=amount, currency="ZAR", reason=" A spilled drink "
    )
    async with as_person(house, by) as ctx:
        return await actions.adjust_credits(ctx, data=data)


async def approve(house: House, by: UserId, asked: Adjustment) -> Adjustment:
    async with as_person(house, by) as ctx:
        return await actions.approve(ctx, adjustment_id=asked.id, note="Seen")


async def refused(work: Any, kind: type[Problem]) -> Problem:
    with pytest.raises(kind) as refusal:
        await work
    return refusal.value


async def adjusted(house: House) -> int:
    async with house.system() as ctx:
        account = await ledger.open_account(ctx, kind=ledger.ADJUSTMENTS, currency="ZAR")
        return await ledger.balance(ctx, account=account)


async def test_up_to_the_limit_one_person_books_it(house: House) -> None:
    purse, clerk, before = await new_purse(house, 1_000), await person(house), await adjusted(house)
    made = await ask(house, clerk, purse, LIMIT)
    assert (made.status, made.needs_approval, made.decided_by, made.reason) == (
        "booked",
        False,
        None,
        "A spilled drink",
    )
    assert made.requester == "Somebody Else"
    assert await adjusted(house) == before + LIMIT
    fewer = await ask(house, clerk, purse, -500)
    assert fewer.status == "booked"
    assert await purse.entries() == [("bought", 1_000, 1_000), ("adjusted", LIMIT, 51_000), ("adjusted", -500, 50_500)]
    rows = await house.sql(
        "select source_kind, source_id, description from credit_entries where kind = 'adjusted' and patron_id = $1 order by number",
        purse.guest.patron_id,
    )
    assert [tuple(row) for row in rows] == [
        ("adjustment", made.id, made.reason),
        ("adjustment", fewer.id, fewer.reason),
    ]
    assert await adjusted(house) == before + LIMIT - 500


async def test_above_the_limit_it_waits_and_another_person_books_it(house: House) -> None:
    purse, clerk, chief = await new_purse(house), await person(house), await person(house)
    asked = await ask(house, clerk, purse, LIMIT + 1)
    assert (asked.status, asked.needs_approval) == ("waiting", True)
    assert await purse.entries() == []
    await refused(approve(house, clerk, asked), OwnAdjustment)
    assert await purse.entries() == []
    booked = await approve(house, chief, asked)
    assert (booked.status, booked.decided_by, booked.decision) == ("booked", chief, "Seen")
    assert await purse.entries() == [("adjusted", LIMIT + 1, LIMIT + 1)]
    refusal = await refused(approve(house, chief, asked), AdjustmentDecided)
    assert refusal.extra == {"status": "booked"}
    assert await purse.standing() == (LIMIT + 1, 0)


async def ask_books(house: House, by: UserId, amount: int, **more: Any) -> Adjustment:
    data = LedgerAdjustmentIn(
        source="losses", destination="bank", amount=amount, currency="ZAR", reason="Counted short", **more
    )
    async with as_person(house, by) as ctx:
        return await actions.adjust_ledger(ctx, data=data, once=str(uuid4()))


async def older(house: House) -> None:
    """The business is a month old."""
    await house.sql("update tenants set created_at = now() - interval '30 days' where id = $1", house.tenant_id)


async def test_the_books_are_adjusted_for_the_moment_that_was_asked_for(house: House) -> None:
    """Also where a second person agrees later: the date is what was asked."""
    clerk, chief, week = await person(house), await person(house), datetime.now(UTC) - timedelta(days=7)
    await older(house)
    async with house.system() as ctx:
        bank = await ledger.open_account(ctx, kind=ledger.BANK, currency="ZAR")
        then = await ledger.balance(ctx, account=bank, at=week, basis="effective")
        before = await ledger.balance(ctx, account=bank, at=week - timedelta(seconds=1), basis="effective")
    asked = await ask_books(house, clerk, 14_500, effective_at=week)
    assert (asked.status, asked.effective_at) == ("waiting", week)
    booked = await approve(house, chief, asked)
    assert (booked.status, booked.effective_at) == ("booked", week)
    [row] = await house.sql("select at, effective_at from ledger_postings where id = $1", asked.id)
    assert (row["effective_at"], row["at"] > week + timedelta(days=6)) == (week, True)
    async with house.system() as ctx:
        assert await ledger.balance(ctx, account=bank, at=week, basis="effective") == then - 14_500
        earlier = week - timedelta(seconds=1)
        assert await ledger.balance(ctx, account=bank, at=earlier, basis="effective") == before
        assert await ledger.balance(ctx, account=bank, at=week) == 0
    undated = await ask_books(house, clerk, 100)
    assert undated.effective_at is None
    await approve(house, chief, undated)
    [row] = await house.sql("select at = effective_at as now from ledger_postings where id = $1", undated.id)
    assert row["now"]


async def test_the_books_are_not_adjusted_for_the_future_nor_for_before_they_began(house: House) -> None:
    clerk, now = await person(house), datetime.now(UTC)
    await older(house)
    counted = "select count(*) from adjustments where subject = 'ledger' and tenant_id = $1"
    before = (await house.sql(counted, house.tenant_id))[0][0]
    for wrong, said in ((now + timedelta(minutes=5), "in the future"), (now - timedelta(days=31), "books begin on")):
        refusal = await refused(ask_books(house, clerk, 100, effective_at=wrong), Invalid)
        assert isinstance(refusal, Invalid)
        assert said in refusal.fields["effective_at"]
    assert (await house.sql(counted, house.tenant_id))[0][0] == before
    assert (await ask_books(house, clerk, 100, effective_at=now - timedelta(days=29))).status == "waiting"


async def test_the_same_form_with_another_moment_is_something_else(house: House) -> None:
    clerk, once, at = await person(house), str(uuid4()), datetime.now(UTC) - timedelta(hours=1)
    await older(house)

    async def send(effective_at: datetime | None) -> Adjustment:
        data = LedgerAdjustmentIn(
            source="losses", destination="bank", amount=5, currency="ZAR", reason="x", effective_at=effective_at
        )
        async with as_person(house, clerk) as ctx:
            return await actions.adjust_ledger(ctx, data=data, once=once)

    made = await send(at)
    assert await send(at) == made
    await refused(send(None), Conflict)
    await refused(send(at - timedelta(minutes=1)), Conflict)


async def test_the_database_itself_wants_two_people(house: House) -> None:
    purse, clerk = await new_purse(house), await person(house)
    asked = await ask(house, clerk, purse, LIMIT + 1)
    alone = (
        "update adjustments set status = 'booked', booked_at = now(), decided_at = now(), decided_by = $2 where id = $1"
    )
    with pytest.raises(Exception, match="adjustments_two_people"):
        await house.sql(alone, asked.id, clerk)


async def test_of_many_who_approve_at_once_one_books_it_once(house: House) -> None:
    purse, clerk = await new_purse(house), await person(house)
    asked = await ask(house, clerk, purse, LIMIT * 2)
    chiefs = [await person(house) for _ in range(8)]

    async def attempt(chief: UserId) -> str:
        try:
            return (await approve(house, chief, asked)).status
        except AdjustmentDecided:
            return "late"

    said = await asyncio.gather(*(attempt(chief) for chief in chiefs))
    assert sorted(said) == ["booked", *["late"] * 7]
    assert await purse.entries() == [("adjusted", LIMIT * 2, LIMIT * 2)]


async def test_nobody_adjusts_their_own_credits_nor_agrees_to_it(house: House) -> None:
    purse, clerk = await new_purse(house, 1_000), await person(house)
    await refused(ask(house, purse.guest.user_id, purse, 100), OwnCredits)
    asked = await ask(house, clerk, purse, LIMIT + 1)
    await refused(approve(house, purse.guest.user_id, asked), OwnCredits)
    assert await purse.entries() == [("bought", 1_000, 1_000)]
    async with house.system() as ctx:
        data = CreditAdjustmentIn(patron_id=purse.guest.patron_id, amount=5, currency="ZAR", reason="By itself")
        with pytest.raises(NotPermitted):
            await actions.adjust_credits(ctx, data=data)


async def test_a_request_is_declined_by_another_and_withdrawn_by_its_maker(house: House) -> None:
    purse, clerk, chief = await new_purse(house), await person(house), await person(house)
    one, two = await ask(house, clerk, purse, LIMIT + 1), await ask(house, clerk, purse, LIMIT + 2)
    async with as_person(house, chief) as ctx:
        declined = await actions.decline(ctx, adjustment_id=one.id, reason="No receipt")
    assert (declined.status, declined.decision, declined.booked_at) == ("declined", "No receipt", None)
    for who, work in ((chief, actions.withdraw), (clerk, actions.withdraw)):
        async with as_person(house, who) as ctx:
            if who == chief:
                with pytest.raises(NotYourRequest):
                    await work(ctx, adjustment_id=two.id, note="")
            else:
                assert (await work(ctx, adjustment_id=two.id, note="")).status == "withdrawn"
    await refused(approve(house, chief, one), AdjustmentDecided)
    await refused(approve(house, chief, two), AdjustmentDecided)
    assert await purse.entries() == []


async def test_what_cannot_be_booked_stays_waiting(house: House) -> None:
    purse, clerk, chief = await new_purse(house, 60_000), await person(house), await person(house)
    asked = await ask(house, clerk, purse, -60_000)
    await purse.spend(1)
    await refused(approve(house, chief, asked), CreditsShort)
    [row] = await house.sql("select status, decided_by from adjustments where id = $1", asked.id)
    assert tuple(row) == ("waiting", None)
    assert await purse.standing() == (59_999, 0)


async def test_money_moves_between_two_accounts_of_the_business(house: House) -> None:
    clerk, chief = await person(house), await person(house)
    data = LedgerAdjustmentIn(
        source="losses", destination="revenue", amount=900, currency="ZAR", reason="Counted twice"
    )
    async with as_person(house, clerk) as ctx:
        asked = await actions.adjust_ledger(ctx, data=data)
    assert (asked.status, asked.source, asked.destination) == ("waiting", "losses", "revenue")
    async with house.system() as ctx:
        revenue = await ledger.open_account(ctx, kind=ledger.REVENUE, currency="ZAR")
        before = await ledger.balance(ctx, account=revenue)
    await approve(house, chief, asked)
    async with house.system() as ctx:
        assert await ledger.balance(ctx, account=revenue) == before + 900
    [row] = await house.sql("select kind, meta from ledger_postings where id = $1", asked.id)
    assert (row["kind"], str(asked.id) in row["meta"]) == ("adjustment", True)


async def test_what_is_no_adjustment_is_refused(house: House) -> None:
    purse, clerk = await new_purse(house), await person(house)
    await refused(ask(house, clerk, purse, 0), Invalid)
    for source, destination in (("credits", "revenue"), ("revenue", "nothing"), ("revenue", "revenue")):
        data = LedgerAdjustmentIn(source=source, destination=destination, amount=1, currency="ZAR", reason="Why not")
        async with as_person(house, clerk) as ctx:
            with pytest.raises(Invalid):
                await actions.adjust_ledger(ctx, data=data)
    elsewhere = CreditAdjustmentIn(
        patron_id=purse.guest.patron_id, amount=5, currency="ZAR", reason="Where", venue_id=VenueId(house.clear_id())
    )
    async with as_person(house, clerk) as ctx:
        with pytest.raises(NotFound):
            await actions.adjust_credits(ctx, data=elsewhere)
    async with as_person(house, clerk) as ctx:
        with pytest.raises(NotFound):
            await actions.approve(ctx, adjustment_id=uuid4(), note="")
