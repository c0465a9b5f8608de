"""Every refusal at the door by its own type, and that a refusal writes nothing."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from lastlight.domains.checkins.errors import (
    CheckinRefused,
    CodeExpired,
    CodeForged,
    CodeMalformed,
    CodeReplayed,
    CodeRetired,
    CodeUnknown,
    OutsideGeofence,
    PatronBarred,
    PositionImprecise,
    PositionRequired,
    UnderAge,
    VenueClosed,
    VenuePaused,
    VisitOpen,
)
from lastlight.domains.checkins.model import Position
from lastlight.domains.checkins.schemas import CheckinOut, CheckoutIn, VerifyIn
from lastlight.domains.checkins.verify import verify
from lastlight.domains.checkins.visits import check_out
from lastlight.domains.venues.actions import set_status
from lastlight.domains.venues.codes import code_text, poster_code, screen_code
from lastlight.domains.venues.hours import OpeningHours
from lastlight.domains.venues.keys import regenerate_key
from lastlight.kernel.errors import NotPermitted
from lastlight.runtime.settings import Settings
from tests.support.door import HERE, Guest, House, new_house, opened_house

NEAR = Position(lat=HERE.lat, lon=HERE.lon, accuracy_m=12)
FAR = Position(lat=HERE.lat + 0.02, lon=HERE.lon, accuracy_m=12)


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def written(house: House) -> tuple[int, int, int]:
    return await house.count("checkins"), await house.count("visits"), await house.count("outbox")


async def refuse(house: House, guest: Guest, error: type[CheckinRefused], **fields: Any) -> CheckinRefused:
    before = await written(house)
    with pytest.raises(CheckinRefused) as refused:
        await house.check_in(guest, **fields)
    assert type(refused.value) is error
    assert refused.value.detail
    assert await written(house) == before, "a refusal writes nothing"
    return refused.value


async def test_a_scan_is_a_checkin_and_an_open_visit(house: House) -> None:
    guest = await house.add_guest()
    done = await house.check_in(guest, position=NEAR, device={"model": "Pixel", "battery": 71})
    assert (done.checkin.method, done.checkin.proven, done.checkin.venue) == ("screen", False, house.venue.name)
    assert done.checkin.position is not None
    assert (done.checkin.position.result, done.checkin.position.outside_m) == ("inside", 0)
    assert (done.visit.status, done.visit.patron, done.visit.checkin_id) == ("open", guest.name, done.checkin.id)
    assert done.visit.times_out_at - done.visit.opened_at == timedelta(minutes=480)
    [row] = await house.sql("select * from visits where id = $1", done.visit.id)
    assert (row["status"], row["opened_at"], row["checkin_id"]) == ("open", done.visit.opened_at, done.checkin.id)
    [kept] = await house.sql("select device, position from checkins where id = $1", done.checkin.id)
    assert '"battery": 71' in kept["device"]
    names = [
        row["name"]
        for row in await house.sql("select name from outbox where patron_id = $1 order by position", guest.patron_id)
    ]
    assert names == ["checkin.verified", "visit.opened"]


async def test_it_takes_two_statements_of_its_own(house: House) -> None:
    guest, code = await house.add_guest(), await house.code()
    async with house.as_guest(guest) as ctx:
        await verify(ctx, data=VerifyIn(code=code))
        assert ctx.db.statements == 2


async def test_the_address_of_the_qr_is_a_code_too(house: House) -> None:
    code = await house.code()
    assert (await house.check_in(await house.add_guest(), code=f"https://any.example/c/{code}")).visit.status == "open"


@pytest.mark.parametrize("code", ["hello", "https://night.example/c/", "A" * 64, "\N{SNOWMAN}" * 64])
async def test_malformed(house: House, code: str) -> None:
    refused = await refuse(house, await house.add_guest(), CodeMalformed, code=code)
    assert list(refused.fields) == ["code"]


async def test_forged(house: House) -> None:
    guest, stranger = await house.add_guest(), b"\x07" * 32
    now = datetime.now(UTC)
    made = screen_code(stranger, venue_id=house.venue.id, key_number=1, at=now)
    await refuse(house, guest, CodeForged, code=code_text(made))
    made = screen_code(stranger, venue_id=house.venue.id, key_number=9, at=now)
    await refuse(house, guest, CodeForged, code=code_text(made))
    made = poster_code(stranger, venue_id=house.venue.id, key_number=1)
    await refuse(house, guest, CodeForged, code=code_text(made), position=NEAR)


async def test_another_tenants_code_and_one_of_nobody_are_answered_alike(house: House) -> None:
    guest, other = await house.add_guest(), await new_house(house.services)
    theirs = await refuse(house, guest, CodeUnknown, code=await other.code())
    forged = code_text(screen_code(b"\x07" * 32, venue_id=other.venue.id, key_number=1, at=datetime.now(UTC)))
    absent = code_text(screen_code(b"\x07" * 32, venue_id=uuid4(), key_number=1, at=datetime.now(UTC)))
    for code in (forged, absent):
        answer = await refuse(house, guest, CodeUnknown, code=code)
        assert (answer.detail, answer.fields, answer.status) == (theirs.detail, theirs.fields, theirs.status)
    assert await other.count("checkins") == 0


async def test_expired_to_the_second(house: House) -> None:
    async with house.system() as ctx:
        now = ctx.now
    guest = await house.add_guest()
    old = await house.venue_code(at=now - timedelta(seconds=60))
    assert old.expires_at is not None
    assert old.expires_at <= now + timedelta(seconds=1)
    await refuse(house, guest, CodeExpired, code=code_text(await house.venue_code(at=now - timedelta(seconds=61))))
    await refuse(house, guest, CodeExpired, code=await house.code(at=now - timedelta(days=3)))
    async with house.system() as ctx:
        recent = await house.code(at=ctx.now - timedelta(seconds=20))  # not the newest one, and good for a while yet
    assert (await house.check_in(guest, code=recent)).visit.status == "open"


async def test_replayed_by_the_same_guest_and_good_for_another(house: House) -> None:
    guest, code = await house.add_guest(), await house.code()
    await house.check_in(guest, code=code)
    await refuse(house, guest, CodeReplayed, code=code)
    async with house.as_guest(guest) as ctx:
        await check_out(ctx, data=CheckoutIn())
    await refuse(house, guest, CodeReplayed, code=code)
    assert (await house.check_in(await house.add_guest(), code=code)).visit.status == "open"


async def test_a_visit_is_open_already(house: House) -> None:
    guest = await house.add_guest()
    await house.check_in(guest)
    elsewhere = await house.add_venue()
    await refuse(house, guest, VisitOpen, code=await house.code(venue=elsewhere))


async def test_rotated_at_once_and_with_grace(house: House) -> None:
    venue = await house.add_venue()
    first = await house.code(venue=venue)
    async with house.system() as ctx:
        await regenerate_key(ctx, venue_id=venue.id)
    guest = await house.add_guest()
    await refuse(house, guest, CodeRetired, code=first)
    second = await house.code(venue=venue)
    async with house.system() as ctx:
        await regenerate_key(ctx, venue_id=venue.id, grace_minutes=30)
    assert (await house.check_in(guest, code=second)).visit.status == "open"
    await house.sql("update venue_keys set retires_at = now() where venue_id = $1 and number = 2", venue.id)
    await refuse(house, await house.add_guest(), CodeRetired, code=second)
    assert (await house.check_in(await house.add_guest(), code=await house.code(venue=venue))).visit.status == "open"


async def test_barred(house: House) -> None:
    for status, until, barred in (
        ("banned", None, True),
        ("suspended", None, True),
        ("suspended", timedelta(hours=1), True),
        ("suspended", timedelta(hours=-1), False),
    ):
        guest = await house.add_guest(status=status, status_until=datetime.now(UTC) + until if until else None)
        if barred:
            await refuse(house, guest, PatronBarred)
        else:
            assert (await house.check_in(guest)).visit.status == "open"


async def test_under_age_to_the_day(house: House) -> None:
    venue = await house.add_venue(age_limit=18)
    today = datetime.now(ZoneInfo(venue.time_zone)).date()
    adult = date(today.year - 18, today.month, min(today.day, 28))
    code = await house.code(venue=venue)
    await refuse(house, await house.add_guest(birth_date=adult + timedelta(days=4)), UnderAge, code=code)
    assert (await house.check_in(await house.add_guest(birth_date=adult), code=code)).visit.status == "open"
    assert (await house.check_in(await house.add_guest(), code=code)).visit.status == "open"
    await house.sql(
        "insert into tenant_settings (tenant_id, key, value) values ($1, 'checkins.birth_date_required', 'true')",
        house.tenant_id,
    )
    await refuse(house, await house.add_guest(), UnderAge, code=await house.code(venue=venue))
    await house.sql("delete from tenant_settings where tenant_id = $1", house.tenant_id)


async def test_paused_archived_and_closed(house: House) -> None:
    venue = await house.add_venue()
    guest, code = await house.add_guest(), await house.code(venue=venue)
    async with house.system() as ctx:
        await set_status(ctx, venue_id=venue.id, status="paused", reason="Full", version=1)
    await refuse(house, guest, VenuePaused, code=code)
    async with house.system() as ctx:
        await set_status(ctx, venue_id=venue.id, status="archived", reason="Sold", version=2)
    await refuse(house, guest, VenueClosed, code=code)
    never = await house.add_venue(opening_hours=OpeningHours())
    await refuse(house, guest, VenueClosed, code=await house.code(venue=never))


async def test_positions_by_policy(house: House) -> None:
    off = await house.add_venue(position_policy="off")
    when_given = await house.add_venue(position_policy="when_given")
    required = await house.add_venue(position_policy="required")
    vague = Position(lat=FAR.lat, lon=FAR.lon, accuracy_m=5_000)
    edge = Position(lat=HERE.lat + 200 / 111_195, lon=HERE.lon, accuracy_m=60)
    for venue, position, error, result in (
        (off, None, None, None),
        (off, FAR, None, "not_checked"),
        (when_given, None, None, None),
        (when_given, NEAR, None, "inside"),
        (when_given, FAR, OutsideGeofence, None),
        (when_given, vague, None, "too_vague"),
        (when_given, edge, None, "inside"),
        (when_given, Position(lat=edge.lat, lon=edge.lon, accuracy_m=30), OutsideGeofence, None),
        (required, None, PositionRequired, None),
        (required, vague, PositionImprecise, None),
        (required, FAR, OutsideGeofence, None),
        (required, NEAR, None, "inside"),
    ):
        guest, code = await house.add_guest(), await house.code(venue=venue)
        if error is not None:
            await refuse(house, guest, error, code=code, position=position)
            continue
        kept = (await house.check_in(guest, code=code, position=position)).checkin.position
        assert (kept.result if kept else None) == result


async def test_a_poster_needs_the_fence_whatever_the_policy(house: House) -> None:
    off = await house.add_venue(position_policy="off")
    code, guest = await house.code(venue=off, poster=True), await house.add_guest()
    await refuse(house, guest, PositionRequired, code=code)
    await refuse(house, guest, OutsideGeofence, code=code, position=FAR)
    await refuse(
        house, guest, PositionImprecise, code=code, position=Position(lat=HERE.lat, lon=HERE.lon, accuracy_m=900)
    )
    assert (await house.check_in(guest, code=code, position=NEAR)).checkin.method == "poster"
    async with house.as_guest(guest) as ctx:
        await check_out(ctx, data=CheckoutIn())
    assert (await house.check_in(guest, code=code, position=NEAR)).visit.status == "open", "a poster is good again"
    bare = await house.add_venue(position=None)
    await refuse(
        house, await house.add_guest(), OutsideGeofence, code=await house.code(venue=bare, poster=True), position=NEAR
    )


async def test_who_is_no_guest_is_refused(house: House) -> None:
    code = await house.code()
    async with house.as_member({"checkins.verify": None}) as ctx:
        with pytest.raises(NotPermitted):
            await verify(ctx, data=VerifyIn(code=code))


async def attempt(house: House, guest: Guest, **fields: Any) -> CheckinOut | type[Exception]:
    try:
        return await house.check_in(guest, **fields)
    except CheckinRefused as refused:
        return type(refused)


async def test_one_code_one_guest_100_times_at_once_is_one_checkin(house: House) -> None:
    guest, code = await house.add_guest(), await house.code()
    before = await written(house)
    answers = await asyncio.gather(*(attempt(house, guest, code=code) for _ in range(100)))
    done = [answer for answer in answers if isinstance(answer, CheckinOut)]
    assert len(done) == 1
    assert {answer for answer in answers if answer is not done[0]} <= {CodeReplayed, VisitOpen}
    assert [b - a for a, b in zip(before, await written(house), strict=True)] == [1, 1, 2]


async def test_many_venues_codes_by_one_guest_at_once_is_one_visit(house: House) -> None:
    guest = await house.add_guest()
    codes = [await house.code(venue=await house.add_venue()) for _ in range(8)]
    answers = await asyncio.gather(*(attempt(house, guest, code=code) for code in codes))
    assert (
        sorted(type(a).__name__ if isinstance(a, CheckinOut) else a.__name__ for a in answers)
        == ["CheckinOut"] + ["VisitOpen"] * 7
    )
    rows = await house.sql("select status from visits where patron_id = $1", guest.patron_id)
    assert [row["status"] for row in rows] == ["open"]


async def test_60_guests_with_one_code_at_once_all_get_in(house: House) -> None:
    guests = [await house.add_guest(f"Guest {n}") for n in range(60)]
    code = await house.code()
    answers = await asyncio.gather(*(attempt(house, guest, code=code) for guest in guests))
    assert all(isinstance(answer, CheckinOut) for answer in answers)


async def test_the_constraints_are_the_gate(house: House) -> None:
    """Negative control: with the two unique indexes away, a second one gets in while the first is not committed yet."""
    guest, code = await house.add_guest(), await house.code()
    await house.sql("drop index checkins_code_once")
    await house.sql("drop index visits_one_open")
    try:
        async with house.as_guest(guest) as ctx:
            await verify(ctx, data=VerifyIn(code=code))
            assert isinstance(await attempt(house, guest, code=code), CheckinOut)
    finally:
        await house.sql("delete from visits where patron_id = $1", guest.patron_id)
        await house.sql("delete from checkins where patron_id = $1", guest.patron_id)
        await house.sql(
            "create unique index checkins_code_once on checkins (tenant_id, patron_id, venue_id, nonce) where method = 'screen'"
        )
        await house.sql("create unique index visits_one_open on visits (tenant_id, patron_id) where status = 'open'")
