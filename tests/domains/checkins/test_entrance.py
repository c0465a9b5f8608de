"""The price of the entrance: charged with the admission, never twice, owed where a door had no network, given back once."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from lastlight.domains.checkins.by_hand import override, revoke_checkin
from lastlight.domains.checkins.charges import collect_entry, find_charge, refund_entry, waive_entry
from lastlight.domains.checkins.entrance import EntryPrice, charge_entry
from lastlight.domains.checkins.errors import EntryUnfit, EntryUnpaid, NothingCharged, NothingOwed
from lastlight.domains.checkins.listings import CHECKINS
from lastlight.domains.checkins.model import Checkin
from lastlight.domains.checkins.patron import read_home
from lastlight.domains.checkins.permissions import (
    CHECKINS_OVERRIDE,
    CHECKINS_PRICE,
    CHECKINS_READ,
    CHECKINS_REFUND,
    CHECKINS_REVOKE,
)
from lastlight.domains.checkins.prices import read_price, set_price
from lastlight.domains.checkins.scan_schemas import EntranceTold, EntryPriceIn, OverrideIn, RevocationIn, ScanOut
from lastlight.domains.checkins.schemas import VerifyIn
from lastlight.domains.checkins.verify import verify
from lastlight.domains.credits import CreditsShort, SpendReversed
from lastlight.kernel.errors import Invalid, NotPermitted, Problem
from lastlight.kernel.ids import CheckinId, VenueId
from lastlight.kernel.money import Money
from lastlight.runtime.settings import Settings
from tests.support.carriers import Carrier, asked, carrier, offline, send
from tests.support.devices import Scanner, enrolled
from tests.support.door import Guest, House
from tests.support.purses import Purse, findings, opened_purses
from tests.support.races import watched

PRICE = 1_150
VAT = """
with category as (insert into tax_categories (tenant_id, code, name) values ($1, $2, $2) returning id)
insert into tax_rates (tenant_id, tax_category_id, name, millionths, included, valid_from)
select $1, id, 'VAT', 150000, $3, '2020-01-01' from category
"""
MANAGER: dict[str, frozenset[VenueId] | None] = {
    one.name: None for one in (CHECKINS_READ, CHECKINS_REFUND, CHECKINS_REVOKE, CHECKINS_OVERRIDE, CHECKINS_PRICE)
}


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    """A business with two venues, of which the first charges; after the module's tests all of its books agree."""
    async with opened_purses(database_settings) as opened:
        await opened.add_venue()
        await opened.sql(VAT, opened.tenant_id, "entry", True)
        await opened.sql(VAT, opened.tenant_id, "levied", False)
        await price(opened, amount=PRICE, tax_category="entry")
        yield opened
        assert await findings(opened) == []


async def price(house: House, **data: Any) -> Any:
    async with house.as_member(MANAGER) as ctx:
        return await set_price(ctx, venue_id=house.venue.id, data=EntryPriceIn(**data))


async def purse_of(house: House, guest: Guest, *amounts: int) -> Purse:
    purse = Purse(house, guest)
    for amount in amounts:
        await purse.buy(amount)
    return purse


async def rich(house: House, *amounts: int) -> tuple[Guest, Purse]:
    guest = await house.add_guest()
    return guest, await purse_of(house, guest, *(amounts or (5_000,)))


async def charges_of(house: House, guest: Guest) -> list[tuple[str, int]]:
    rows = await house.sql(
        "select status, amount from entry_charges where patron_id = $1 order by charged_at", guest.patron_id
    )
    return [(row["status"], row["amount"]) for row in rows]


async def leave(house: House, guest: Guest) -> None:
    await house.sql(
        """update visits set status = 'closed', opened_at = opened_at - interval '1 hour', closed_at = opened_at - interval '1 minute', closed_by = 'guest'
where patron_id = $1 and status = 'open'""",
        guest.patron_id,
    )


async def tried(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await work
    except Problem as problem:
        return problem


def told(answer: ScanOut) -> EntranceTold:
    """What the door was told of the price."""
    assert answer.entrance is not None
    return answer.entrance


def made_by(answer: ScanOut) -> CheckinId:
    """The check-in that a scan made."""
    assert answer.checkin_id is not None
    return answer.checkin_id


async def asked_of(house: House, scanner: Scanner, someone: Carrier) -> Any:
    [answer] = await send(house, scanner, asked(scanner, someone.show()))
    return answer


async def test_a_scan_charges_with_its_taxes_and_says_so(house: House) -> None:
    guest, purse = await rich(house)
    done = await house.check_in(guest)
    assert done.charge is not None
    assert (done.charge.status, done.charge.amount, done.charge.refunded) == ("paid", PRICE, 0)
    assert await purse.standing() == (5_000 - PRICE, 0)
    [entry] = await house.sql(
        "select source_kind, source_id, tax, description from credit_entries where patron_id = $1 and kind = 'spent'",
        guest.patron_id,
    )
    assert tuple(entry) == ("checkin", done.checkin.id, -150, f"Entrance, {house.venue.name}")
    names = [
        row["name"]
        for row in await house.sql("select name from outbox where patron_id = $1 order by position", guest.patron_id)
    ]
    assert names[-4:] == ["checkin.verified", "visit.opened", "credit.balance", "checkin.charged"]


async def test_too_few_credits_admit_nobody_and_say_how_much_is_missing(house: House) -> None:
    guest, purse = await rich(house, 1_000)
    with pytest.raises(EntryUnpaid) as refusal:
        await house.check_in(guest)
    assert refusal.value.extra == {
        "amount": PRICE,
        "currency": "ZAR",
        "available": 1_000,
        "missing": 150,
        "frozen": 0,
        "expired": 0,
    }
    assert "The entrance costs R\u00a011,50, and R\u00a01,50 of it is missing" in refusal.value.detail
    assert await purse.standing() == (1_000, 0)
    assert await charges_of(house, guest) == []
    assert await house.sql("select 1 from visits where patron_id = $1", guest.patron_id) == []
    await purse.buy(150)
    assert (await house.check_in(guest)).visit.status == "open"
    assert await purse.standing() == (0, 0)


async def test_a_venue_without_a_price_costs_nothing_and_no_statement(house: House) -> None:
    guest, code = await house.add_guest(), await house.code(venue=house.venues[1])
    async with house.as_guest(guest) as ctx:
        done = await verify(ctx, data=VerifyIn(code=code))
        assert ctx.db.statements == 2
    assert done.charge is None


async def test_coming_back_the_same_night_is_free_unless_the_venue_charges_each_time(house: House) -> None:
    guest, purse = await rich(house)
    await house.check_in(guest)
    await leave(house, guest)
    later = datetime.now(UTC) + timedelta(seconds=25)
    assert (await house.check_in(guest, code=await house.code(at=later))).charge is None
    assert await purse.standing() == (5_000 - PRICE, 0)
    await leave(house, guest)
    await price(house, amount=PRICE, tax_category="entry", each_time=True)
    try:
        again = await house.check_in(guest, code=await house.code(at=later + timedelta(seconds=20)))
    finally:
        await price(house, amount=PRICE, tax_category="entry")
    assert again.charge is not None
    assert await purse.standing() == (5_000 - 2 * PRICE, 0)


async def test_an_entrance_that_was_given_back_is_paid_again(house: House) -> None:
    guest, purse = await rich(house)
    done = await house.check_in(guest)
    async with house.as_member(MANAGER) as ctx:
        await refund_entry(ctx, checkin_id=done.checkin.id, reason="The band did not come")
    await leave(house, guest)
    later = datetime.now(UTC) + timedelta(seconds=25)
    assert (await house.check_in(guest, code=await house.code(at=later))).charge is not None
    assert await purse.standing() == (5_000 - PRICE, 0)


async def test_a_scanner_says_what_was_paid_or_how_much_is_missing(house: House) -> None:
    scanner = await enrolled(house, "North door")
    someone, poor = await carrier(house), await carrier(house)
    await purse_of(house, someone.guest, 2_000)
    await purse_of(house, poor.guest, 1_100)
    scan = asked(scanner, someone.show())
    [paid] = await send(house, scanner, scan)
    assert (paid.result, told(paid).status, told(paid).amount) == ("admitted", "paid", PRICE)
    [again] = await send(house, scanner, scan)
    assert (again.checkin_id, again.entrance) == (paid.checkin_id, paid.entrance)
    short = await asked_of(house, scanner, poor)
    assert (short.result, short.refusal, short.overridable) == ("refused", "entry-unpaid", False)
    assert (told(short).status, told(short).amount, told(short).missing) == ("short", PRICE, 50)
    assert await charges_of(house, poor.guest) == []
    names = await house.sql("select name from outbox where patron_id = $1", poor.guest.patron_id)
    assert not {"checkin.verified", "visit.opened", "checkin.charged"} & {row["name"] for row in names}


@pytest.mark.parametrize("together", [False, True])
async def test_a_refused_scan_that_is_sent_again_says_what_was_missing_then(house: House, together: bool) -> None:
    scanner = await enrolled(house, "West door, again" if together else "West door")
    poor = await carrier(house)
    purse = await purse_of(house, poor.guest, 1_100)
    scan = asked(scanner, poor.show())
    if together:
        first, again = await send(house, scanner, scan, scan)
    else:
        [first] = await send(house, scanner, scan)
        await purse_of(house, poor.guest, 5_000)
        [again] = await send(house, scanner, scan)
    assert (first.refusal, told(first).status, told(first).missing) == ("entry-unpaid", "short", 50)
    assert (again.entrance, again.detail, again.refusal) == (first.entrance, first.detail, first.refusal)
    assert "0,50" in again.detail
    assert (await purse.standing())[0] == (1_100 if together else 6_100)
    assert await charges_of(house, poor.guest) == []


async def test_a_refused_scan_leaves_the_others_of_its_batch(house: House) -> None:
    scanner = await enrolled(house, "East door")
    someone, poor = await carrier(house), await carrier(house)
    await purse_of(house, someone.guest, 2_000)
    first, second = await send(house, scanner, asked(scanner, poor.show()), asked(scanner, someone.show()))
    assert (first.result, second.result) == ("refused", "admitted")


async def test_two_doors_admit_a_guest_with_credits_for_one_once(house: House) -> None:
    doors = [await enrolled(house, name) for name in ("Left door", "Right door")]
    for _ in range(5):
        someone = await carrier(house)
        purse = await purse_of(house, someone.guest, PRICE)
        with watched() as seen:
            answers = await asyncio.gather(*(asked_of(house, door, someone) for door in doors))
        assert sorted(answer.result for answer in answers) == ["admitted", "refused"]
        assert await purse.standing() == (0, 0)
        assert await charges_of(house, someone.guest) == [("paid", PRICE)]
        assert seen.deadlocks == []


async def test_two_who_share_nothing_but_the_price_do_not_wait_in_a_circle(house: House) -> None:
    guests = [await rich(house, PRICE) for _ in range(8)]
    with watched() as seen:
        done = await asyncio.gather(*(house.check_in(guest) for guest, _ in guests))
    assert all(one.charge is not None for one in done)
    assert seen.deadlocks == []


async def test_a_charge_and_another_spend_of_the_last_credits_at_once_take_them_once(house: House) -> None:
    for _ in range(4):
        guest, purse = await rich(house, PRICE)
        first, second = await asyncio.gather(tried(house.check_in(guest)), tried(purse.spend(PRICE)))
        assert isinstance(first, EntryUnpaid) + isinstance(second, CreditsShort) == 1
        assert await purse.standing() == (0, 0)


async def test_a_door_without_a_network_keeps_its_word_and_the_price_is_owed(house: House) -> None:
    scanner = await enrolled(house, "Back door")
    poor, someone = await carrier(house), await carrier(house)
    purse = await purse_of(house, poor.guest, 100)
    await purse_of(house, someone.guest, 2_000)
    at = datetime.now(UTC) - timedelta(seconds=20)
    first, second = await send(house, scanner, offline(scanner, poor, at), offline(scanner, someone, at))
    assert (first.result, told(first).status) == ("admitted", "unpaid")
    assert (second.result, told(second).status) == ("admitted", "paid")
    assert await purse.standing() == (100, 0)
    async with house.as_member(MANAGER) as ctx:
        listed = await CHECKINS.page(ctx, CHECKINS.query_type(entrance=["unpaid"]))
        assert [row.id for row in listed.items] == [first.checkin_id]
        with pytest.raises(NothingCharged):
            await refund_entry(ctx, checkin_id=made_by(first), reason="It was not paid")
    with pytest.raises(CreditsShort):
        async with house.as_member(MANAGER) as ctx:
            await collect_entry(ctx, checkin_id=made_by(first))
    await purse.buy(PRICE)

    async def collect() -> Any:
        async with house.as_member(MANAGER) as ctx:
            return await collect_entry(ctx, checkin_id=made_by(first))

    made = await asyncio.gather(*(tried(collect()) for _ in range(4)))
    assert sorted(type(one).__name__ for one in made) == ["EntryCharge", *(["NothingOwed"] * 3)]
    assert await purse.standing() == (100, 0)
    assert await charges_of(house, poor.guest) == [("paid", PRICE)]


async def test_what_is_owed_is_let_off_once_with_a_reason(house: House) -> None:
    scanner, poor = await enrolled(house, "Side door"), await carrier(house)
    at = datetime.now(UTC) - timedelta(seconds=20)
    [done] = await send(house, scanner, offline(scanner, poor, at))
    async with house.as_member(MANAGER) as ctx:
        with pytest.raises(Invalid):
            await waive_entry(ctx, checkin_id=made_by(done), reason=" ")
        charge = await waive_entry(ctx, checkin_id=made_by(done), reason="A friend of the house")
        assert (charge.status, charge.reason) == ("waived", "A friend of the house")
        with pytest.raises(NothingOwed):
            await waive_entry(ctx, checkin_id=made_by(done), reason="Again")


async def test_by_hand_costs_the_same(house: House) -> None:
    guest, purse = await rich(house, PRICE)
    poor = await house.add_guest()
    async with house.as_member(MANAGER) as ctx:
        data = OverrideIn(venue_id=house.venue.id, patron_id=guest.patron_id, reason="Lost phone")
        assert (await override(ctx, data=data)).charge is not None
    data = OverrideIn(venue_id=house.venue.id, patron_id=poor.patron_id, reason="Lost phone")
    with pytest.raises(EntryUnpaid):
        async with house.as_member(MANAGER) as ctx:
            await override(ctx, data=data)
    assert await purse.standing() == (0, 0)


async def test_refunds_in_parts_never_give_back_more_however_many_ask(house: House) -> None:
    guest, purse = await rich(house)
    done = await house.check_in(guest)

    async def give_back(amount: int | None) -> Any:
        async with house.as_member(MANAGER) as ctx:
            return await refund_entry(ctx, checkin_id=done.checkin.id, reason="Too loud", amount=amount)

    with watched() as seen:
        made = await asyncio.gather(*(tried(give_back(500)) for _ in range(6)))
    assert sum(not isinstance(one, Problem) for one in made) == 2
    assert {type(one) for one in made if isinstance(one, Problem)} == {SpendReversed}
    assert (await give_back(None)).left == 0
    with pytest.raises(SpendReversed):
        await give_back(1)
    assert await purse.standing() == (5_000, 0)
    assert seen.deadlocks == []
    async with house.as_member(MANAGER) as ctx:
        [row] = (await CHECKINS.page(ctx, CHECKINS.query_type(patron_id=[guest.patron_id]))).items
    assert (row.entrance, row.paid, row.refunded) == ("refunded", Money(PRICE, "ZAR"), Money(PRICE, "ZAR"))


async def test_taking_a_check_in_back_gives_its_price_back_if_asked(house: House) -> None:
    guest, purse = await rich(house)
    done = await house.check_in(guest)
    back = RevocationIn(kind="false_positive", reason="Never came", refund=True)
    with pytest.raises(NotPermitted):
        async with house.as_member({CHECKINS_REVOKE.name: None, CHECKINS_READ.name: None}) as ctx:
            await revoke_checkin(ctx, checkin_id=done.checkin.id, data=back)
    assert await purse.standing() == (5_000 - PRICE, 0)
    async with house.as_member(MANAGER) as ctx:
        assert (await revoke_checkin(ctx, checkin_id=done.checkin.id, data=back)).revoked_as == "false_positive"
        charge = await find_charge(ctx, checkin_id=done.checkin.id)
    assert charge is not None
    assert (charge.refunded, charge.left) == (PRICE, 0)
    assert await purse.standing() == (5_000, 0)


async def test_a_price_is_what_a_guest_pays_and_holds_in_the_venues_currency(house: House) -> None:
    with pytest.raises(Invalid) as refusal:
        await price(house, amount=PRICE, tax_category="levied")
    assert "on top of prices" in refusal.value.fields["tax_category"]
    with pytest.raises(Invalid):
        await price(house, amount=PRICE, tax_category="unknown")
    guest = await house.add_guest()
    async with house.as_guest(guest) as ctx:
        shown = {venue.id: venue.entrance for venue in (await read_home(ctx)).venues}
    assert shown == {house.venue.id: Money(PRICE, "ZAR"), house.venues[1].id: None}
    await house.sql("update venues set currency = 'JPY' where id = $1", house.venue.id)
    try:
        async with house.as_member(MANAGER) as ctx:
            assert (await read_price(ctx, venue_id=house.venue.id)).amount is None
        assert (await house.check_in(guest)).charge is None
    finally:
        await house.sql("update venues set currency = 'ZAR' where id = $1", house.venue.id)


async def test_taxes_that_do_not_stand_close_no_door(house: House) -> None:
    guest, purse = await rich(house)
    await house.sql("update tax_rates set valid_until = '2020-12-31' where tenant_id = $1", house.tenant_id)
    try:
        done = await house.check_in(guest)
    finally:
        await house.sql("update tax_rates set valid_until = null where tenant_id = $1", house.tenant_id)
    assert done.charge is not None
    assert (done.charge.status, done.charge.reason) == ("unpaid", "The taxes of this entrance are not set up.")
    assert await purse.standing() == (5_000, 0)


async def test_nobody_pays_more_than_they_were_told(house: House) -> None:
    guest, purse = await rich(house)
    ends = "update tax_rates set valid_until = '2020-12-31' where tenant_id = $1"
    await house.sql(ends, house.tenant_id)
    on_top = """
    insert into tax_rates (tenant_id, tax_category_id, name, millionths, included, valid_from)
    select $1, id, 'Levy', 150000, false, '2021-01-01' from tax_categories where tenant_id = $1 and code = 'entry' returning id
    """
    [levy] = await house.sql(on_top, house.tenant_id)
    try:
        done = await house.check_in(guest)
        with pytest.raises(EntryUnfit):
            async with house.as_member(MANAGER) as ctx:
                await collect_entry(ctx, checkin_id=done.checkin.id)
    finally:
        await house.sql("delete from tax_rates where id = $1", levy["id"])
        await house.sql("update tax_rates set valid_until = null where tenant_id = $1", house.tenant_id)
    assert done.charge is not None
    assert (done.charge.status, done.charge.amount) == ("unpaid", PRICE)
    assert "does not fit" in done.charge.reason
    assert await purse.standing() == (5_000, 0)
    async with house.as_member(MANAGER) as ctx:
        assert (await collect_entry(ctx, checkin_id=done.checkin.id)).amount == PRICE


async def test_what_was_let_off_with_the_check_in_pays_for_no_other(house: House) -> None:
    scanner, poor = await enrolled(house, "Tick door"), await carrier(house)
    at = datetime.now(UTC) - timedelta(seconds=20)
    [done] = await send(house, scanner, offline(scanner, poor, at))
    back = RevocationIn(kind="revoked", reason="Not on the list", refund=True)
    async with house.as_member(MANAGER) as ctx:
        await revoke_checkin(ctx, checkin_id=made_by(done), data=back)
    purse = await purse_of(house, poor.guest, 2_000)
    later = datetime.now(UTC) + timedelta(seconds=25)
    charge = (await house.check_in(poor.guest, code=await house.code(at=later))).charge
    assert charge is not None
    assert charge.status == "paid"
    assert await purse.standing() == (2_000 - PRICE, 0)


async def test_a_phone_that_names_another_day_pays_for_it(house: House) -> None:
    guest, purse = await rich(house)
    done = await house.check_in(guest)
    await leave(house, guest)
    price = EntryPrice(amount=PRICE, currency="ZAR", tax_category="entry", each_time=False)
    again = msgspec.structs.replace(done.checkin, id=(await other_checkin(house, guest)).id)
    async with house.system() as ctx:
        today = again.business_day + timedelta(days=1)
        charge = await charge_entry(ctx, checkin=again, price=price, today=today, on_credit=False)
    assert charge is not None
    assert await purse.standing() == (5_000 - 2 * PRICE, 0)


async def other_checkin(house: House, guest: Guest) -> Checkin:
    """A check-in of theirs at the venue that costs nothing."""
    return (await house.check_in(guest, code=await house.code(venue=house.venues[1]))).checkin


async def test_a_refund_under_way_is_waited_for(house: House) -> None:
    guest, purse = await rich(house)
    done = await house.check_in(guest)
    await leave(house, guest)
    later = datetime.now(UTC) + timedelta(seconds=25)
    async with house.as_member(MANAGER) as ctx:
        await refund_entry(ctx, checkin_id=done.checkin.id, reason="The band did not come")
        again = asyncio.create_task(house.check_in(guest, code=await house.code(at=later)))
        await asyncio.sleep(0.3)
        assert not again.done()
    assert (await again).charge is not None
    assert await purse.standing() == (5_000 - PRICE, 0)


async def test_off_again_the_entrance_is_free(house: House) -> None:
    await price(house, amount=None)
    try:
        assert (await house.check_in(await house.add_guest())).charge is None
    finally:
        await price(house, amount=PRICE, tax_category="entry")
