"""Tax categories and rates on the real database: history, days, races, venues, permissions, and what a quote costs."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from lastlight.domains.taxes import (
    UNTAXED,
    Line,
    Quote,
    actions,
    queries,
    quote,
    require_category,
    seed_taxes,
    tax_choices,
)
from lastlight.domains.taxes.errors import (
    TaxCategoryArchived,
    TaxCategoryExempt,
    TaxCategoryTaken,
    TaxNotSetUp,
    TaxRateOver,
    TaxRateOverlaps,
    TaxRateWithdrawnAlready,
)
from lastlight.domains.taxes.model import TaxCategory, TaxRate
from lastlight.domains.taxes.module import MODULE as TAXES
from lastlight.domains.taxes.overview import read_overview, state_of
from lastlight.domains.taxes.schemas import TaxCategoryChange, TaxCategoryIn, TaxRateIn, TaxRateSuccessorIn
from lastlight.domains.venues import Venue
from lastlight.domains.venues.model import Address
from lastlight.domains.venues.model import TaxRate as StatedRate
from lastlight.kernel.errors import Conflict, Invalid, NotFound, Stale
from lastlight.kernel.ids import VenueId, uuid7
from lastlight.runtime.settings import Settings
from tests.support.door import MODULES, House, new_house
from tests.support.services import opened_services

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_services(database_settings, (*MODULES, TAXES)) as services:
        yield await new_house(services)


async def category(house: House, *, exempt: bool = False, code: str = "") -> TaxCategory:
    code = code or f"c-{uuid4().hex[:12]}"
    async with house.system() as ctx:
        return await actions.create_category(ctx, data=TaxCategoryIn(code=code, name=code.title(), exempt=exempt))


async def change(house: House, of: TaxCategory, **fields: Any) -> TaxCategory:
    async with house.system() as ctx:
        data = TaxCategoryChange(**fields)
        return await actions.change_category(ctx, tax_category_id=of.id, data=data, version=of.version)


async def start(house: House, of: TaxCategory, **fields: Any) -> TaxRate:
    given: dict[str, Any] = {"name": "VAT", "millionths": 150_000} | fields
    async with house.system() as ctx:
        return await actions.start_rate(ctx, data=TaxRateIn(tax_category_id=of.id, **given))


async def end(house: House, rate: TaxRate, last: date | None, *, version: int = 0) -> TaxRate:
    async with house.system() as ctx:
        return await actions.end_rate(ctx, rate_id=rate.id, valid_until=last, version=version or rate.version)


async def past_rate(
    house: House, of: TaxCategory, millionths: int, first: date, last: date | None, **fields: Any
) -> None:
    """A rate of days that are over, as if it had been started then."""
    sql = """insert into tax_rates (tenant_id, tax_category_id, venue_id, name, millionths, included, valid_from, valid_until)
             values ($1, $2, $3, $4, $5, true, $6, $7)"""
    name, venue_id = fields.get("name", "VAT"), fields.get("venue_id")
    await house.sql(sql, house.tenant_id, of.id, venue_id, name, millionths, first, last)


async def asked(
    house: House, of: TaxCategory | str, amount: int = 11_500, *, venue: Venue | None = None, at: datetime | None = None
) -> Quote:
    code = of if isinstance(of, str) else of.code
    async with house.system() as ctx:
        lines = [Line(category=code, amount=amount)]
        return await quote(ctx, venue_id=(venue or house.venue).id, lines=lines, at=at)


async def today(house: House, venue: Venue | None = None) -> date:
    async with house.system() as ctx:
        return await queries.today_of(ctx, venue_id=venue.id if venue else None)


async def test_a_quote_takes_three_statements_whatever_is_sold(house: House) -> None:
    kinds = [await category(house) for _ in range(4)]
    for kind in kinds:
        await start(house, kind)
        await start(house, kind, name="City", millionths=20_000, included=False, place=1)
    lines = [Line(category=kind.code, amount=11_500, quantity=3) for kind in kinds for _ in range(20)]
    async with house.system() as ctx:
        before = ctx.db.statements
        made = await quote(ctx, venue_id=house.venue.id, lines=[*lines, Line(category=UNTAXED, amount=700)])
        assert ctx.db.statements - before == 3
    assert (made.currency, made.net, made.tax, made.gross) == ("ZAR", 2_400_700, 408_000, 2_808_700)
    assert [(rate.name, rate.net, rate.amount) for rate in made.rates] == [
        ("VAT", 2_400_000, 360_000),
        ("City", 2_400_000, 48_000),
    ]


async def test_who_set_up_nothing_sells_untaxed_and_by_what_the_venue_states(database_settings: Settings) -> None:
    async with opened_services(database_settings, (*MODULES, TAXES)) as services:
        fresh = await new_house(services)
        plain = await asked(fresh, UNTAXED, 999)
        assert (plain.net, plain.tax, plain.gross, plain.rates) == (999, 0, 999, [])
        with pytest.raises(TaxNotSetUp, match="states no tax rates"):
            await asked(fresh, "standard")
        stated = await fresh.add_venue(tax_rates=[StatedRate(name="VAT", rate_bp=1500)])
        assert (await asked(fresh, "standard", venue=stated)).tax == 1_500
        with pytest.raises(Invalid) as caught:
            await asked(fresh, "food")
        assert list(caught.value.fields) == ["lines[0].category"]
        async with fresh.system() as ctx:
            assert [code for code, _ in await tax_choices(ctx)] == ["untaxed", "standard"]
        made = await category(fresh, code="standard")
        with pytest.raises(TaxNotSetUp, match=r"Standard has no tax rate at Venue 2"):
            await asked(fresh, made, venue=stated)
        await start(fresh, made, millionths=140_000)
        assert (await asked(fresh, made, 11_400, venue=stated)).tax == 1_400
        async with fresh.system() as ctx:
            assert await tax_choices(ctx) == [("untaxed", "Untaxed"), ("standard", "Standard")]


async def test_an_exempt_category_bears_no_tax_and_takes_no_rate(house: House) -> None:
    free = await category(house, exempt=True)
    assert (await asked(house, free)).tax == 0
    with pytest.raises(TaxCategoryExempt):
        await start(house, free)
    assert await house.sql("select id from tax_rates where tax_category_id = $1", free.id) == []


async def test_a_rate_that_changes_on_a_day_leaves_what_was_before(house: House) -> None:
    kind, now = await category(house), await today(house)
    await past_rate(house, kind, 140_000, date(2018, 1, 1), now - 10 * DAY)
    await past_rate(house, kind, 150_000, now - 9 * DAY, None)
    rate = (await _rates(house, kind))[0]
    async with house.system() as ctx:
        data = TaxRateSuccessorIn(millionths=160_000, valid_from=now + 30 * DAY)
        following = await actions.follow_rate(ctx, rate_id=rate.id, data=data, version=rate.version)
    assert (following.valid_from, following.valid_until, following.name) == (now + 30 * DAY, None, "VAT")
    assert [(one.millionths, one.valid_until) for one in await _rates(house, kind)] == [
        (160_000, None),
        (150_000, now + 29 * DAY),
        (140_000, now - 10 * DAY),
    ]
    for days, millionths in (
        (-400, 140_000),
        (-10, 140_000),
        (-9, 150_000),
        (0, 150_000),
        (29, 150_000),
        (30, 160_000),
    ):
        at = _noon(now + days * DAY)
        assert [one.millionths for one in (await asked(house, kind, at=at)).rates] == [millionths], days


async def test_a_rate_goes_by_the_venues_business_day_and_not_by_its_calendar(database_settings: Settings) -> None:
    async with opened_services(database_settings, (*MODULES, TAXES)) as services:
        await _turns_of_the_day(await new_house(services))


async def _turns_of_the_day(house: House) -> None:
    kind = await category(house)
    await past_rate(house, kind, 150_000, date(2026, 1, 1), date(2026, 6, 30))
    await past_rate(house, kind, 160_000, date(2026, 7, 1), None)
    zones = {"Pacific/Auckland": (0, 12), "Africa/Johannesburg": (6, 4), "America/New_York": (4, 8)}
    for zone, (hour, utc_hour) in zones.items():
        venue = await house.add_venue(time_zone=zone, business_day_hour=hour)
        turn = datetime(2026, 7, 1, utc_hour, tzinfo=UTC) - (DAY if zone.startswith("Pacific") else 0 * DAY)
        before = await asked(house, kind, venue=venue, at=turn - timedelta(microseconds=1))
        after = await asked(house, kind, venue=venue, at=turn)
        assert [one.millionths for one in before.rates] == [150_000], zone
        assert [one.millionths for one in after.rates] == [160_000], zone
        assert (before.business_day, after.business_day) == (date(2026, 6, 30), date(2026, 7, 1))


async def test_days_that_are_over_keep_their_rates(house: House) -> None:
    kind, now = await category(house), await today(house)
    with pytest.raises(TaxRateOver):
        await start(house, kind, valid_from=now - DAY)
    await past_rate(house, kind, 150_000, now - 20 * DAY, None)
    rate = (await _rates(house, kind))[0]
    with pytest.raises(TaxRateOver):
        await end(house, rate, now - 2 * DAY)
    async with house.system() as ctx:
        with pytest.raises(TaxRateOver):
            await actions.withdraw_rate(ctx, rate_id=rate.id, version=rate.version)
    assert (await _rates(house, kind))[0] == rate
    ended = await end(house, rate, now - DAY)
    with pytest.raises(TaxNotSetUp):
        await asked(house, kind)
    assert (await asked(house, kind, at=_noon(now - DAY))).tax == 1_500
    again = await end(house, ended, None)
    assert (again.valid_until, (await asked(house, kind)).tax) == (None, 1_500)
    await house.sql("update tax_rates set valid_until = $2 where id = $1", rate.id, now - 5 * DAY)
    over = (await _rates(house, kind))[0]
    with pytest.raises(TaxRateOver):
        await end(house, over, None)


async def test_the_database_changes_no_rate_but_its_end(house: House) -> None:
    rate = await start(house, await category(house))
    for change in (
        "millionths = 1",
        "name = 'GST'",
        "included = false",
        "valid_from = valid_from - 1",
        "place = 3",
        "venue_id = null, id = id, tax_category_id = gen_random_uuid()",
    ):
        with pytest.raises(asyncpg.CheckViolationError) as caught:
            await house.sql(f"update tax_rates set {change} where id = $1", rate.id)
        assert getattr(caught.value, "constraint_name", "") == "tax_rates_fixed", change
    assert (await _by_id(house, rate)) == rate


async def test_a_rate_that_has_not_begun_is_withdrawn_and_makes_room(house: House) -> None:
    kind, now = await category(house), await today(house)
    rate = await start(house, kind, valid_from=now + 10 * DAY)
    with pytest.raises(TaxRateOverlaps):
        await start(house, kind, valid_from=now + 20 * DAY, name="vat")
    async with house.system() as ctx:
        gone = await actions.withdraw_rate(ctx, rate_id=rate.id, version=rate.version)
    assert state_of(gone, now + 15 * DAY) == "withdrawn"
    with pytest.raises(TaxRateWithdrawnAlready):
        await end(house, gone, None)
    await start(house, kind, valid_from=now + 20 * DAY)
    with pytest.raises(TaxNotSetUp):
        await asked(house, kind, at=_noon(now + 12 * DAY))


async def test_of_many_who_start_one_rate_at_once_one_does(house: House) -> None:
    kind, now = await category(house), await today(house)

    async def attempt(shift: int) -> TaxRate | None:
        try:
            return await start(house, kind, valid_from=now + shift * DAY, valid_until=now + (shift + 30) * DAY)
        except TaxRateOverlaps:
            return None

    made = [rate for rate in await asyncio.gather(*(attempt(n) for n in range(6))) if rate]
    assert len(made) == 1
    assert await _rates(house, kind) == made


async def test_two_who_follow_one_rate_at_once_leave_one_successor(house: House) -> None:
    kind, now = await category(house), await today(house)
    rate = await start(house, kind)

    async def attempt(days: int) -> bool:
        data = TaxRateSuccessorIn(millionths=100_000 + days, valid_from=now + days * DAY)
        try:
            async with house.system() as ctx:
                await actions.follow_rate(ctx, rate_id=rate.id, data=data, version=rate.version)
        except Stale:
            return False
        return True

    assert sorted(await asyncio.gather(*(attempt(n) for n in (5, 9, 14)))) == [False, False, True]
    assert len(await _rates(house, kind)) == 2


async def test_rates_of_one_name_stand_beside_each_other_at_different_places_and_touch_without_overlap(
    house: House,
) -> None:
    kind, now = await category(house), await today(house)
    other = await house.add_venue()
    first = await start(house, kind, valid_until=now + DAY)
    await start(house, kind, millionths=160_000, valid_from=now + 2 * DAY)
    await start(house, kind, millionths=90_000, venue_id=house.venue.id)
    await start(house, kind, millionths=10_000, venue_id=house.venue.id, name="City", included=False)
    with pytest.raises(TaxRateOverlaps):
        await start(house, kind, venue_id=house.venue.id)
    with pytest.raises(TaxRateOverlaps):
        await end(house, first, now + 2 * DAY)
    assert [one.millionths for one in (await asked(house, kind)).rates] == [10_000, 90_000]
    assert [one.millionths for one in (await asked(house, kind, venue=other)).rates] == [150_000]


async def test_a_day_is_over_for_the_business_once_it_is_at_one_venue(database_settings: Settings) -> None:
    async with opened_services(database_settings, (*MODULES, TAXES)) as services:
        fresh = await new_house(services)
        east = await fresh.add_venue(time_zone="Pacific/Kiritimati", business_day_hour=0)
        west = await fresh.add_venue(time_zone="Pacific/Pago_Pago", business_day_hour=12)
        far, near, whole = await today(fresh, east), await today(fresh, west), await today(fresh)
        assert whole == far > near
        kind = await category(fresh)
        with pytest.raises(TaxRateOver):
            await start(fresh, kind, valid_from=near)
        assert (await start(fresh, kind)).valid_from == far
        assert (await start(fresh, kind, venue_id=west.id)).valid_from == near


async def test_a_category_is_renamed_archived_and_taken_back(house: House) -> None:
    kind = await category(house)
    await start(house, kind)
    gone = await change(house, kind, name=" Drinks to go ", archived=True)
    assert (gone.name, gone.code, gone.archived_at is not None) == ("Drinks to go", kind.code, True)
    assert (await asked(house, kind)).tax == 1_500, "what was sold under it is still taken back"
    with pytest.raises(TaxCategoryArchived):
        await start(house, kind, name="City")
    async with house.system() as ctx:
        with pytest.raises(Invalid):
            await require_category(ctx, code=kind.code, field="tax")
    with pytest.raises(Stale):
        await change(house, kind, name="Late")
    async with house.system() as ctx:
        other = await actions.create_category(ctx, data=TaxCategoryIn(code=f"{kind.code}-2", name="drinks TO go"))
    with pytest.raises(TaxCategoryTaken):
        await change(house, gone, archived=False)
    assert (await change(house, gone, archived=False, name="Other")).archived_at is None
    async with house.system() as ctx:
        await require_category(ctx, code=other.code, field="tax")
    with pytest.raises(TaxCategoryTaken):
        await category(house, code=kind.code)


async def test_what_makes_no_sense_is_refused_at_its_field(house: House) -> None:
    kind, now = await category(house), await today(house)
    for field, fields in {
        "name": {"name": "  "},
        "valid_from": {"valid_from": date(2900, 1, 1)},
        "valid_until": {"valid_until": now - DAY},
    }.items():
        with pytest.raises(Invalid) as caught:
            await start(house, kind, **fields)
        assert list(caught.value.fields) == [field]
    with pytest.raises(NotFound):
        await start(house, kind, venue_id=VenueId(uuid7()))
    rate = await start(house, kind, valid_from=now + DAY)
    with pytest.raises(Invalid):
        await end(house, rate, now)
    async with house.system() as ctx:
        data = TaxRateSuccessorIn(millionths=1, valid_from=rate.valid_from)
        with pytest.raises(Invalid):
            await actions.follow_rate(ctx, rate_id=rate.id, data=data, version=rate.version)
    with pytest.raises(Invalid):
        await asked(house, kind, at=datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
    assert await _rates(house, kind) == [rate]


async def test_an_archived_venue_gets_no_rate(house: House) -> None:
    kind, shut = await category(house), await house.add_venue()
    await house.sql("update venues set status = 'archived', archived_at = now() where id = $1", shut.id)
    with pytest.raises(Conflict, match="archived"):
        await start(house, kind, venue_id=shut.id)


async def test_a_guest_reads_rates_in_their_own_order_and_writes_none(house: House) -> None:
    kind = await category(house)
    rate = await start(house, kind)
    guest = await house.add_guest()
    async with house.as_guest(guest) as ctx:
        made = await quote(ctx, venue_id=house.venue.id, lines=[Line(category=kind.code, amount=11_500)])
        assert made.tax == 1_500
        changed = await ctx.db.execute(
            "update tax_rates set valid_until = valid_from where tenant_id = $1", ctx.tenant_id
        )
        assert changed == 0
    assert await _by_id(house, rate) == rate


async def test_the_overview_shows_what_applies_where_and_what_comes(database_settings: Settings) -> None:
    async with opened_services(database_settings, (*MODULES, TAXES)) as services:
        fresh = await new_house(services)
        other = await fresh.add_venue()
        food, free, bare = (
            await category(fresh, code="food"),
            await category(fresh, code="gifts", exempt=True),
            await category(fresh, code="bare"),
        )
        now = await today(fresh)
        await start(fresh, food, valid_until=now + 4 * DAY)
        own = await start(fresh, food, venue_id=other.id, millionths=70_000)
        await start(fresh, food, millionths=160_000, valid_from=now + 5 * DAY)
        async with fresh.system() as ctx:
            before = ctx.db.statements
            seen = await read_overview(ctx)
            assert ctx.db.statements - before == 4
        assert [place.name for place in seen.places] == ["", "Venue 1", "Venue 2"]
        by_code = {kind.code: cells for kind, cells in seen.rows}
        assert [[rate.millionths for rate in cell.rates] for cell in by_code["food"]] == [
            [150_000],
            [150_000],
            [70_000],
        ]
        assert [cell.own for cell in by_code["food"]] == [False, False, True]
        assert by_code["food"][2].rates == [own]
        assert [cell.missing for cell in by_code["bare"]] == [False, True, True]
        assert [cell.missing for cell in by_code["gifts"]] == [False, False, False]
        assert [(change.day, change.begins) for change in seen.changes] == [
            (now + 4 * DAY, False),
            (now + 5 * DAY, True),
        ]
        assert {kind.id for kind, _ in seen.rows} == {food.id, free.id, bare.id}


async def test_the_demonstration_has_the_taxes_of_its_countries_once(database_settings: Settings) -> None:
    async with opened_services(database_settings, (*MODULES, TAXES)) as services:
        fresh = await new_house(services)
        abroad = await fresh.add_venue(
            address=Address(city="Nairobi", country="KE"), time_zone="Africa/Nairobi", currency="KES"
        )
        async with fresh.system() as ctx:
            assert await seed_taxes(ctx, seed="test") == 14 + 14 + 2
            assert await seed_taxes(ctx, seed="test") == 0
        assert (await asked(fresh, "food", 11_500)).tax == 1_500
        there = await asked(fresh, "food", 116_000, venue=abroad)
        assert [(one.name, one.amount) for one in there.rates] == [("VAT", 16_000), ("Catering levy", 2_000)]
        assert there.gross == 118_000
        assert (await asked(fresh, "vouchers")).tax == 0
        old = await asked(fresh, "entry", 11_400, at=datetime(2018, 3, 31, 12, tzinfo=UTC))
        assert [one.millionths for one in old.rates] == [140_000]


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


async def _rates(house: House, of: TaxCategory) -> list[TaxRate]:
    async with house.system() as ctx:
        return await queries.rates_of(ctx, tax_category_id=of.id)


async def _by_id(house: House, rate: TaxRate) -> TaxRate:
    async with house.system() as ctx:
        return await queries.find_rate(ctx, rate_id=rate.id)
