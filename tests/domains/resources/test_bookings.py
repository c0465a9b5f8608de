"""Resources and bookings on the real database: no overlap, buffers, who may, what time makes of them."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from lastlight.domains.resources import actions, bookings, queries
from lastlight.domains.resources.errors import (
    BookingArrived,
    BookingEnded,
    BookingNotDue,
    BookingOverlaps,
    BookingsFull,
    ResourceBooked,
    ResourceNameTaken,
    ResourceNotBookable,
    VenueNotOpenThen,
)
from lastlight.domains.resources.jobs import due_tenants, settle_bookings
from lastlight.domains.resources.model import Booking, Money, Price, Resource
from lastlight.domains.resources.module import MODULE as RESOURCES_MODULE
from lastlight.domains.resources.permissions import BOOKINGS_MANAGE, BOOKINGS_OWN, RESOURCES_STATUS
from lastlight.domains.resources.schemas import (
    BookingChange,
    BookingIn,
    FreeQuery,
    OwnBookingIn,
    ResourceChange,
    ResourceIn,
    TimesQuery,
)
from lastlight.domains.venues.hours import Interval, OpeningHours, Week
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Stale
from lastlight.kernel.ids import PLATFORM
from lastlight.runtime.audit.history import changes_of
from lastlight.runtime.context import Actor, Grants
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from lastlight.runtime.settings import Settings
from lastlight.ui.reader import reading_as
from tests.support.door import MODULES, Guest, House, new_house
from tests.support.services import opened_services

HOUR = timedelta(hours=1)
MINUTES_15 = timedelta(minutes=15)
BASE = datetime(2099, 6, 5, 20, tzinfo=ZoneInfo("Africa/Johannesburg"))


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_services(database_settings, (*MODULES, RESOURCES_MODULE)) as services:
        yield await new_house(services)


async def resource(house: House, **fields: Any) -> Resource:
    given: dict[str, Any] = {
        "venue_id": house.venue.id,
        "kind": "room",
        "name": f"Room {await house.count('resources')}",
        "capacity": 8,
        "price": Price(amount=35_000, unit="hour"),
    } | fields
    async with house.system() as ctx:
        return await actions.create_resource(ctx, data=ResourceIn(**given))


async def booked(house: House, room: Resource, start: datetime, **fields: Any) -> Booking:
    given: dict[str, Any] = {"ends_at": start + HOUR, "guest_name": "Thandi Mokoena"} | fields
    async with house.system() as ctx:
        return await bookings.book(ctx, data=BookingIn(resource_id=room.id, starts_at=start, **given))


def guest_scope(house: House, guest: Guest) -> WorkScope:
    actor = Actor(
        kind="patron",
        user_id=guest.user_id,
        tenant_id=house.tenant_id,
        patron_id=guest.patron_id,
        grants=Grants({BOOKINGS_OWN.name: None}),
    )
    return WorkScope(actor=actor, tenant_id=house.tenant_id)


async def book_own(house: House, guest: Guest, room: Resource, start: datetime, hours: float = 1) -> Booking:
    data = OwnBookingIn(resource_id=room.id, starts_at=start, ends_at=start + hours * HOUR)
    async with unit_of_work(house.services, guest_scope(house, guest)) as ctx:
        return await bookings.book_own(ctx, data=data)


async def facts_kept(house: House, name: str, room: Resource) -> list[dict[str, Any]]:
    """What the audit was told of a resource, before and after, for each event of this name."""
    statement = "select audit from outbox where name = $1 and entity_id = $2"
    rows = await house.sql(statement, name, str(room.id))
    return [{side: json.loads(row["audit"]).get(side) for side in ("before", "after")} for row in rows]


async def soon(house: House) -> datetime:
    async with house.system() as ctx:
        return ctx.now + 24 * HOUR


async def test_of_many_who_book_one_time_one_gets_it(house: House) -> None:
    room = await resource(house)

    async def attempt(shift: int) -> Booking | None:
        try:
            return await booked(house, room, BASE + timedelta(minutes=shift))
        except BookingOverlaps:
            return None

    made = [booking for booking in await asyncio.gather(*(attempt(n * 10) for n in range(5))) if booking]
    assert len(made) == 1
    assert made[0].price == Money(amount=35_000, currency="ZAR")
    rows = await house.sql("select count(*) as n from bookings where resource_id = $1", room.id)
    assert rows[0]["n"] == 1


async def test_the_database_itself_refuses_an_overlap(house: House) -> None:
    room = await resource(house)
    one = await booked(house, room, BASE)
    copy = """insert into bookings (tenant_id, venue_id, resource_id, guest_name, starts_at, ends_at, free_at, booked_by)
              select tenant_id, venue_id, resource_id, 'Other', starts_at + interval '59 min', ends_at + interval '1 h',
                     free_at + interval '1 h', 'staff' from bookings where id = $1"""
    with pytest.raises(Exception, match="bookings_overlap"):
        await house.sql(copy, one.id)


async def test_the_buffer_is_kept_free_and_nothing_more(house: House) -> None:
    room = await resource(house, buffer_minutes=15)
    await booked(house, room, BASE)
    for minutes in (60, 74):
        with pytest.raises(BookingOverlaps):
            await booked(house, room, BASE + timedelta(minutes=minutes))
    await booked(house, room, BASE + timedelta(minutes=75))
    with pytest.raises(BookingOverlaps):
        await booked(house, room, BASE - HOUR)
    await booked(house, room, BASE - timedelta(minutes=75))


async def test_a_time_that_is_taken_is_told_with_the_next_free_ones(house: House) -> None:
    room = await resource(house, buffer_minutes=15)
    first = await booked(house, room, BASE)
    await booked(house, room, BASE + timedelta(minutes=150))
    with pytest.raises(BookingOverlaps) as refused:
        await booked(house, room, BASE + timedelta(minutes=30))
    free = [datetime.fromisoformat(text) for text in str(refused.value.extra["next_free"]).split(",")]
    assert free[0] == BASE + timedelta(minutes=75)
    assert free[1] >= BASE + timedelta(minutes=225)
    assert "21:15" in refused.value.detail
    await booked(house, room, free[0])
    move = BookingChange(starts_at=first.starts_at + MINUTES_15, ends_at=first.ends_at + MINUTES_15)
    with pytest.raises(BookingOverlaps):
        async with house.system() as ctx:
            await bookings.change_booking(ctx, booking_id=first.id, data=move, version=first.version)
    later = BookingChange(starts_at=BASE - MINUTES_15, ends_at=first.ends_at - MINUTES_15)
    async with house.system() as ctx:
        moved = await bookings.change_booking(ctx, booking_id=first.id, data=later, version=first.version)
    assert moved.starts_at == BASE - MINUTES_15, "its own old time is not in its way"


async def test_guests_are_told_free_times_within_the_hours_and_nothing_of_a_hidden_venue(house: House) -> None:
    hours = OpeningHours(
        weekly=Week(**{day: [Interval(opens="18:00", closes="22:00")] for day in Week.__struct_fields__})
    )
    venue = await house.add_venue(opening_hours=hours)
    room = await resource(house, venue_id=venue.id, buffer_minutes=10)
    day = ((await soon(house)) + 24 * HOUR).astimezone(venue.zone).date()
    evening = datetime(day.year, day.month, day.day, 19, tzinfo=venue.zone)
    await booked(house, room, evening)
    async with system_ctx(house.services, house.tenant_id, role="system") as ctx:
        times = await queries.read_times(ctx, resource_id=room.id, query=TimesQuery(day=day, minutes=60))
        local = [f"{one.astimezone(venue.zone):%H:%M}" for one in times.starts]
        assert local == ["20:15", "20:30", "20:45", "21:00"], "18:00 and an hour, and the buffer, run into 19:00"
        assert times.price == Money(amount=35_000, currency="ZAR")
        assert (await queries.read_times(ctx, resource_id=room.id, query=TimesQuery(day=day, minutes=10))).starts == []
        with pytest.raises(Invalid):
            await queries.read_times(ctx, resource_id=room.id, query=TimesQuery(day=date.max, minutes=60))
    await house.sql("update venues set publication = 'unpublished' where id = $1", venue.id)
    guest = await house.add_guest()
    with pytest.raises(NotFound):
        await book_own(house, guest, room, evening + 2 * HOUR)
    async with system_ctx(house.services, house.tenant_id, role="system") as ctx:
        with pytest.raises(NotFound):
            await queries.read_times(ctx, resource_id=room.id, query=TimesQuery(day=day, minutes=60))
    await house.sql("update venues set publication = 'published' where id = $1", venue.id)
    await book_own(house, guest, room, evening + 2 * HOUR)


async def test_a_cancelled_or_missed_time_is_free_again(house: House) -> None:
    room = await resource(house)
    first = await booked(house, room, BASE)
    async with house.system() as ctx:
        with pytest.raises(BookingNotDue):
            await bookings.miss(ctx, booking_id=first.id)
        with pytest.raises(Invalid):
            await bookings.cancel(ctx, booking_id=first.id, reason=" ")
        gone = await bookings.cancel(ctx, booking_id=first.id, reason="They fell ill")
    assert (gone.status, gone.status_reason) == ("cancelled", "They fell ill")
    second = await booked(house, room, BASE)
    async with house.system() as ctx:
        with pytest.raises(BookingEnded):
            await bookings.arrive(ctx, booking_id=first.id)
        assert (await bookings.arrive(ctx, booking_id=second.id)).status == "arrived"
        with pytest.raises(BookingArrived):
            await bookings.cancel(ctx, booking_id=second.id, reason="Too late")
        assert (await bookings.end(ctx, booking_id=second.id)).status == "done"


async def test_time_settles_what_staff_left(house: House) -> None:
    room = await resource(house, buffer_minutes=10)
    async with house.system() as ctx:
        now = ctx.now
    late = await booked(house, room, now - timedelta(minutes=40))
    fresh = await booked(house, await resource(house), now - timedelta(minutes=5))
    over = await booked(house, await resource(house), now - timedelta(minutes=50))
    async with house.system() as ctx:
        await bookings.arrive(ctx, booking_id=over.id)
    await house.sql("update bookings set ends_at = now() - interval '1 min', free_at = now() where id = $1", over.id)
    async with system_ctx(house.services, PLATFORM, role="system") as ctx:
        assert house.tenant_id in await due_tenants(ctx)
    async with house.system() as ctx:
        assert await settle_bookings.fn(ctx) == 2
        assert await settle_bookings.fn(ctx) == 0
        found = [(await queries.read_booking(ctx, booking_id=one.id)).status for one in (late, fresh, over)]
    assert found == ["no_show", "booked", "done"]


async def test_an_early_end_frees_the_rest_after_the_buffer(house: House) -> None:
    room = await resource(house, buffer_minutes=10)
    async with house.system() as ctx:
        now = ctx.now
    one = await booked(house, room, now - timedelta(minutes=30), ends_at=now + 2 * HOUR)
    async with house.system() as ctx:
        await bookings.arrive(ctx, booking_id=one.id)
    with pytest.raises(BookingOverlaps):
        await booked(house, room, now + HOUR)
    async with house.system() as ctx:
        await bookings.end(ctx, booking_id=one.id)
    with pytest.raises(BookingOverlaps):
        await booked(house, room, now + timedelta(minutes=5))
    await booked(house, room, now + HOUR)


async def test_a_guest_books_and_cancels_their_own_and_sees_no_others(house: House) -> None:
    room, start = await resource(house), await soon(house)
    mine, other = await house.add_guest(), await house.add_guest("Liam Petersen")
    booking = await book_own(house, mine, room, start)
    assert (booking.guest, booking.booked_by) == ("Zinhle Dube", "guest")
    with pytest.raises(BookingOverlaps):
        await book_own(house, other, room, start)
    async with unit_of_work(house.services, guest_scope(house, other)) as ctx:
        with pytest.raises(NotFound):
            await queries.read_booking(ctx, booking_id=booking.id)
        with pytest.raises(NotFound):
            await bookings.cancel_own(ctx, booking_id=booking.id, reason="")
    async with system_ctx(house.services, house.tenant_id, role="system") as ctx:
        free = await queries.read_availability(ctx, resource_id=room.id, query=FreeQuery(start=start - HOUR, hours=4))
    assert [(span.starts_at, span.free_at) for span in free.taken] == [(booking.starts_at, booking.free_at)]
    async with unit_of_work(house.services, guest_scope(house, mine)) as ctx:
        assert (await bookings.cancel_own(ctx, booking_id=booking.id, reason="")).status == "cancelled"
    assert await who_did(house, booking.id) == ["guest"]
    by_staff = await booked(house, room, start)
    async with house.system() as ctx:
        await bookings.cancel(ctx, booking_id=by_staff.id, reason="the machine is broken")
    assert await who_did(house, by_staff.id) == ["clock"], "here a test acts as the system"
    await book_own(house, other, room, start)


async def who_did(house: House, booking_id: UUID) -> list[str]:
    """By whom each change of a booking's status is said to be."""
    rows = await house.sql(
        "select data->>'by' as by from outbox where name = 'booking.status_changed' and data->>'booking_id' = $1 order by position",
        str(booking_id),
    )
    return [row["by"] for row in rows]


async def test_a_guest_has_so_many_bookings_also_when_asking_at_once(house: House) -> None:
    start, guest = await soon(house), await house.add_guest()
    rooms = [await resource(house) for _ in range(5)]
    done = await asyncio.gather(*(book_own(house, guest, room, start) for room in rooms), return_exceptions=True)
    assert sum(isinstance(one, Booking) for one in done) == 3
    assert sum(isinstance(one, BookingsFull) for one in done) == 2


async def test_a_guest_books_within_opening_hours_and_near(house: House) -> None:
    hours = OpeningHours(
        weekly=Week(**{day: [Interval(opens="18:00", closes="23:00")] for day in Week.__struct_fields__})
    )
    venue = await house.add_venue(opening_hours=hours)
    room, guest = await resource(house, venue_id=venue.id), await house.add_guest()
    day = (await soon(house)).astimezone(ZoneInfo("Africa/Johannesburg"))
    with pytest.raises(VenueNotOpenThen):
        await book_own(house, guest, room, day.replace(hour=22, minute=30, second=0, microsecond=0))
    with pytest.raises(Invalid):
        await book_own(house, guest, room, day + timedelta(days=90))
    await book_own(house, guest, room, day.replace(hour=22, minute=0, second=0, microsecond=0))


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"ends_at": BASE}, "ends_at"),
        ({"ends_at": BASE + 9 * HOUR}, "ends_at"),
        ({"party_size": 9}, "party_size"),
        ({"guest_name": " "}, "guest_name"),
        ({"starts_at": BASE.replace(year=2001)}, "starts_at"),
        ({"starts_at": BASE.replace(tzinfo=None)}, "starts_at"),
    ],
)
async def test_a_field_at_fault_is_named(house: House, fields: dict[str, Any], path: str) -> None:
    room = await resource(house)
    start = fields.pop("starts_at", BASE)
    with pytest.raises(Invalid) as refused:
        await booked(house, room, start, **fields)
    assert path in refused.value.fields


async def test_a_booking_moves_to_another_table_and_keeps_its_version(house: House) -> None:
    small, large = await resource(house), await resource(house, price=Price(amount=10_001, unit="hour"))
    one = await booked(house, small, BASE)
    await booked(house, large, BASE + 2 * HOUR)
    move = BookingChange(resource_id=large.id, ends_at=BASE + timedelta(minutes=90))
    async with house.system() as ctx:
        moved = await bookings.change_booking(ctx, booking_id=one.id, data=move, version=one.version)
    assert (moved.resource_id, moved.price) == (large.id, Money(amount=15_002, currency="ZAR"))
    with pytest.raises(Stale):
        async with house.system() as ctx:
            await bookings.change_booking(ctx, booking_id=one.id, data=move, version=one.version)
    late = BookingChange(starts_at=BASE + HOUR, ends_at=BASE + 3 * HOUR)
    with pytest.raises(BookingOverlaps):
        async with house.system() as ctx:
            await bookings.change_booking(ctx, booking_id=one.id, data=late, version=moved.version)


async def test_what_is_out_of_order_is_not_booked_and_what_is_booked_not_retired(house: House) -> None:
    room = await resource(house, name="Karaoke Lotus")
    with pytest.raises(ResourceNameTaken):
        await resource(house, name="karaoke lotus")
    async with house.as_member({RESOURCES_STATUS.name: frozenset({house.venue.id})}) as ctx:
        with pytest.raises(Invalid):
            await actions.set_status(ctx, resource_id=room.id, status="out_of_order", reason="", version=1)
        broken = await actions.set_status(
            ctx, resource_id=room.id, status="out_of_order", reason="Screen dead", version=1
        )
        with pytest.raises(NotPermitted):
            await actions.set_status(ctx, resource_id=room.id, status="retired", reason="Old", version=2)
    with pytest.raises(ResourceNotBookable):
        await booked(house, room, BASE)
    async with house.system() as ctx:
        await actions.set_status(ctx, resource_id=room.id, status="available", reason="", version=broken.version)
    one = await booked(house, room, BASE)
    async with house.system() as ctx:
        with pytest.raises(ResourceBooked):
            await actions.set_status(ctx, resource_id=room.id, status="retired", reason="Old", version=3)
        await bookings.cancel(ctx, booking_id=one.id, reason="Retiring")
        await actions.set_status(ctx, resource_id=room.id, status="retired", reason="Old", version=3)
    await resource(house, name="Karaoke Lotus")


async def test_members_of_another_venue_find_nothing(house: House) -> None:
    room, other = await resource(house), await house.add_venue()
    one = await booked(house, room, BASE)
    async with house.as_member({BOOKINGS_MANAGE.name: frozenset({other.id})}) as ctx:
        with pytest.raises(NotFound):
            await bookings.arrive(ctx, booking_id=one.id)
        data = BookingIn(resource_id=room.id, starts_at=BASE, ends_at=BASE + HOUR, guest_name="X")
        with pytest.raises(NotFound):
            await bookings.book(ctx, data=data)


async def test_a_change_says_before_and_after(house: House) -> None:
    room = await resource(house)
    async with house.system() as ctx:
        change = ResourceChange(price=Price(amount=100, unit="play"), zone="Upstairs")
        after = await actions.change_resource(ctx, resource_id=room.id, data=change, version=1)
    assert (after.version, after.zone, after.price) == (2, "Upstairs", Price(amount=100, unit="play"))
    (facts,) = await facts_kept(house, "resource.updated", room)
    assert facts == {
        "before": {"price": {"amount": "350.00 ZAR", "unit": "hour"}, "zone": ""},
        "after": {"price": {"amount": "1.00 ZAR", "unit": "play"}, "zone": "Upstairs"},
    }
    (made,) = await facts_kept(house, "resource.created", room)
    assert made["after"]["price"] == {"amount": "350.00 ZAR", "unit": "hour"}
    with reading_as(locale="en-ZA", zone="Africa/Johannesburg"):
        assert changes_of(facts["before"], facts["after"])[0] == "price: R\u00a0350,00, hour"
    with pytest.raises(Stale):
        async with house.system() as ctx:
            await actions.change_resource(ctx, resource_id=room.id, data=change, version=1)
