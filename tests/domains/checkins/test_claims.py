"""Scans sent later: the phone proves their time; clocks that are wrong by days let nobody in."""

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from lastlight.domains.checkins.errors import (
    CheckinRefused,
    ClaimInFuture,
    ClaimTooLate,
    ClaimUnsigned,
    CodeExpired,
    CodeReplayed,
    CodeRetired,
    NoOpenVisit,
    PatronKeysFull,
    VenueClosed,
    VisitOpen,
)
from lastlight.domains.checkins.model import Position, Visit
from lastlight.domains.checkins.patron import list_keys, register_key, revoke_key
from lastlight.domains.checkins.schemas import CheckinOut, CheckoutIn, KeyIn
from lastlight.domains.checkins.visits import check_out, time_out_visits
from lastlight.domains.venues import Venue
from lastlight.domains.venues.hours import Interval, OpeningHours, Week
from lastlight.domains.venues.keys import regenerate_key
from lastlight.kernel.base64url import encode_base64url
from lastlight.kernel.errors import Invalid, NotFound
from lastlight.runtime.settings import Settings
from tests.support.door import HERE, Guest, House, opened_house
from tests.support.phones import Phone, clock_text

NEAR = Position(lat=HERE.lat, lon=HERE.lon, accuracy_m=10)


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def guest_with_phone(house: House, *, registered: timedelta = timedelta(days=1)) -> tuple[Guest, Phone]:
    guest, phone = await house.add_guest(), Phone()
    async with house.as_guest(guest) as ctx:
        phone.key_id = (await register_key(ctx, data=KeyIn(public_key=phone.public_key, label="Pixel"))).id
    await house.sql("update patron_keys set created_at = now() - $2::interval where id = $1", phone.key_id, registered)
    return guest, phone


async def now(house: House) -> datetime:
    async with house.system() as ctx:
        return ctx.now


async def scan(
    house: House, guest: Guest, phone: Phone | None, at: datetime, *, venue: Venue | None = None, **fields: Any
) -> CheckinOut:
    """A scan at a moment, sent now, of the code that the screen showed then."""
    code = fields.pop("code", None) or await house.code(at=at, venue=venue)
    key, text = uuid4().hex, clock_text(fields.pop("claimed", at))
    proof = phone.prove(code, text, key) if phone else None
    return await house.check_in(guest, key=key, code=code, claimed_at=text, **({"proof": proof} | fields))


async def leave(house: House, guest: Guest, phone: Phone, at: datetime) -> Visit:
    key, text = uuid4().hex, clock_text(at)
    async with house.as_guest(guest, key=key) as ctx:
        return await check_out(ctx, data=CheckoutIn(claimed_at=text, proof=phone.prove("checkout", text, key)))


async def test_a_proven_scan_counts_from_when_it_was_made(house: House) -> None:
    guest, phone = await guest_with_phone(house)
    at = (await now(house) - timedelta(hours=3)).replace(microsecond=123_000)
    done = await scan(house, guest, phone, at)
    assert (done.checkin.arrived_at, done.checkin.claimed_at, done.checkin.proven) == (at, at, True)
    assert done.checkin.received_at - at > timedelta(hours=2, minutes=59)
    assert done.visit.opened_at == at
    assert done.visit.times_out_at == at + timedelta(minutes=480)
    left_at = at + timedelta(minutes=90)
    visit = await leave(house, guest, phone, left_at)
    assert (visit.closed_at, visit.closed_by, visit.duration_seconds) == (left_at, "guest", 5400)
    assert visit.close_claimed_at == left_at
    assert visit.close_received_at is not None
    assert visit.close_received_at > left_at + timedelta(hours=1)


async def test_a_check_out_from_before_the_check_in_closes_nothing_where_one_phone_proved_both(house: House) -> None:
    """It was refused when it came; the network brings it once more. Another phone has another clock."""
    (guest, phone), other = await guest_with_phone(house), Phone()
    at = (await now(house) - timedelta(hours=3)).replace(microsecond=0)
    async with house.as_guest(guest) as ctx:
        other.key_id = (await register_key(ctx, data=KeyIn(public_key=other.public_key))).id
    await house.sql("update patron_keys set created_at = $2 where id = $1", other.key_id, at - timedelta(days=1))
    opened = (await scan(house, guest, phone, at)).visit
    with pytest.raises(NoOpenVisit):
        await leave(house, guest, phone, at - timedelta(seconds=11))
    visit = await leave(house, guest, other, at - timedelta(seconds=11))
    assert (visit.id, visit.closed_at) == (opened.id, opened.opened_at)


async def test_the_codes_expiry_is_judged_at_the_claimed_time(house: House) -> None:
    guest, phone = await guest_with_phone(house)
    at = await now(house) - timedelta(hours=2)
    code = await house.venue_code(at=at - timedelta(minutes=5))
    from lastlight.domains.venues.codes import code_text  # noqa: PLC0415

    with pytest.raises(CodeExpired):
        await scan(house, guest, phone, at, code=code_text(code))


async def test_the_venues_hours_and_keys_are_judged_at_the_claimed_time(house: House) -> None:
    guest, phone = await guest_with_phone(house)
    moment = await now(house)
    open_then = moment - timedelta(hours=2)
    zone = house.venue.zone
    clock = open_then.astimezone(zone)
    opens, closes = (clock - timedelta(minutes=30)).strftime("%H:%M"), (clock + timedelta(minutes=30)).strftime("%H:%M")
    every = [Interval(opens=opens, closes=closes)]
    hours = OpeningHours(weekly=Week(mon=every, tue=every, wed=every, thu=every, fri=every, sat=every, sun=every))
    venue = await house.add_venue(opening_hours=hours)
    with pytest.raises(VenueClosed):
        await house.check_in(guest, code=await house.code(venue=venue))
    old_code = await house.code(at=open_then, venue=venue)
    async with house.system() as ctx:
        await regenerate_key(ctx, venue_id=venue.id)
    assert (await scan(house, guest, phone, open_then, code=old_code)).visit.status == "open"
    # The same key's code, claimed for a moment after it died.
    await house.sql(
        "update venue_keys set revoked_at = $2 where venue_id = $1 and number = 1",
        venue.id,
        moment - timedelta(hours=3),
    )
    other, their_phone = await guest_with_phone(house)
    with pytest.raises(CodeRetired):
        await scan(house, other, their_phone, open_then, code=old_code)


@pytest.mark.parametrize(
    ("wrong_by", "error"),
    [
        (timedelta(days=3), ClaimInFuture),
        (timedelta(minutes=2), ClaimInFuture),
        (timedelta(days=-3), ClaimTooLate),
        (timedelta(hours=-12, minutes=-1), ClaimTooLate),
        (timedelta(days=-20_000), ClaimTooLate),
    ],
)
async def test_a_clock_that_is_wrong_lets_nobody_in(
    house: House, wrong_by: timedelta, error: type[CheckinRefused]
) -> None:
    guest, phone = await guest_with_phone(house, registered=timedelta(days=30_000))
    moment = await now(house)
    before = await house.count("checkins")
    with pytest.raises(CheckinRefused) as refused:
        await scan(house, guest, phone, moment, claimed=moment + wrong_by)
    assert type(refused.value) is error
    assert list(refused.value.fields) == ["claimed_at"]
    assert await house.count("checkins") == before


async def test_a_clock_that_is_a_little_slow_is_set_right_by_the_code(house: House) -> None:
    """The screen's code was first shown at a known moment, so nobody arrived before it."""
    guest, phone = await guest_with_phone(house)
    moment = await now(house)
    code = await house.venue_code(at=moment)
    done = await scan(house, guest, phone, moment, claimed=moment - timedelta(minutes=9))
    assert done.checkin.arrived_at == code.issued_at
    assert done.checkin.claimed_at is not None
    assert done.checkin.claimed_at < done.checkin.arrived_at


async def test_the_lateness_cap_is_the_tenants(house: House) -> None:
    guest, phone = await guest_with_phone(house)
    at = await now(house) - timedelta(minutes=31)
    await house.sql(
        "insert into tenant_settings (tenant_id, key, value) values ($1, 'checkins.claim_max_age_minutes', '30')",
        house.tenant_id,
    )
    with pytest.raises(ClaimTooLate, match=r"0\.5 hours"):
        await scan(house, guest, phone, at)
    await house.sql("delete from tenant_settings where tenant_id = $1", house.tenant_id)
    assert (await scan(house, guest, phone, at)).visit.status == "open"


async def test_without_a_proof_a_claim_lasts_a_minute_and_counts_from_its_receipt(house: House) -> None:
    guest = await house.add_guest()
    moment = await now(house)
    with pytest.raises(ClaimUnsigned):
        await scan(house, guest, None, moment - timedelta(seconds=61))
    done = await scan(house, guest, None, moment - timedelta(seconds=20))
    assert done.checkin.arrived_at == done.checkin.received_at
    assert done.checkin.claimed_at is not None
    assert not done.checkin.proven


async def test_a_proof_fits_its_code_time_key_and_guest_only(house: House) -> None:
    guest, phone = await guest_with_phone(house)
    other, their_phone = await guest_with_phone(house)
    at = await now(house) - timedelta(hours=1)
    code, key, text = await house.code(at=at), uuid4().hex, clock_text(at)
    good = phone.prove(code, text, key)
    stolen = Phone(private=phone.private, key_id=their_phone.key_id)
    later = clock_text(at + timedelta(seconds=1))
    for fields in (
        {"proof": phone.prove(await house.code(at=at - timedelta(hours=1)), text, key)},
        {"proof": phone.prove(code, later, key)},
        {"claimed_at": later},
        {"proof": phone.prove(code, text, uuid4().hex)},
        {"proof": stolen.prove(code, text, key)},
        {"proof": Phone(key_id=phone.key_id).prove(code, text, key)},
        {"proof": Phone().prove(code, text, key)},
        {"proof": type(good)(key_id=good.key_id, signature=good.signature[:-4])},
        {"proof": type(good)(key_id=good.key_id, signature=encode_base64url(bytes(64)))},
        {"proof": type(good)(key_id=good.key_id, signature="not base64url!")},
    ):
        with pytest.raises(ClaimUnsigned):
            await house.check_in(guest, key=key, **({"code": code, "claimed_at": text, "proof": good} | fields))
    with pytest.raises(ClaimUnsigned):
        await house.check_in(other, key=key, code=code, claimed_at=text, proof=good)
    assert (await house.check_in(guest, key=key, code=code, claimed_at=text, proof=good)).visit.status == "open"


async def test_a_key_that_is_revoked_or_younger_than_the_claim_proves_nothing(house: House) -> None:
    at = await now(house) - timedelta(hours=1)
    guest, phone = await guest_with_phone(house, registered=timedelta(minutes=40))
    with pytest.raises(ClaimUnsigned):
        await scan(house, guest, phone, at)
    guest, phone = await guest_with_phone(house)
    async with house.as_guest(guest) as ctx:
        await revoke_key(ctx, key_id=phone.key_id)
    with pytest.raises(ClaimUnsigned):
        await scan(house, guest, phone, at)


async def test_one_claim_counts_once_whatever_key_it_comes_with(house: House) -> None:
    guest, phone = await guest_with_phone(house)
    poster = await house.code(poster=True)
    at = await now(house) - timedelta(hours=2)
    await scan(house, guest, phone, at, code=poster, position=NEAR)
    await leave(house, guest, phone, at + timedelta(minutes=5))
    await house.sql("update visits set closed_at = opened_at where patron_id = $1", guest.patron_id)
    with pytest.raises(CodeReplayed):
        await scan(house, guest, phone, at, code=poster, position=NEAR)


async def test_an_outbox_out_of_order_never_overlaps_visits(house: House) -> None:
    guest, phone = await guest_with_phone(house)
    at = await now(house) - timedelta(hours=4)
    with pytest.raises(NoOpenVisit):
        await leave(house, guest, phone, at + timedelta(hours=1))
    await scan(house, guest, phone, at + timedelta(hours=2))
    with pytest.raises(VisitOpen):
        await scan(house, guest, phone, at)
    with pytest.raises(NoOpenVisit, match="claimed time"):
        await leave(house, guest, phone, at + timedelta(hours=1))
    await leave(house, guest, phone, at + timedelta(hours=3))
    with pytest.raises(VisitOpen):
        await scan(house, guest, phone, at)
    rows = await house.sql("select status, duration_seconds from visits where patron_id = $1", guest.patron_id)
    assert [(row["status"], row["duration_seconds"]) for row in rows] == [("closed", 3600)]


async def test_leaving_before_the_time_out_counts_although_it_arrives_after(house: House) -> None:
    guest, phone = await guest_with_phone(house)
    at = await now(house) - timedelta(hours=9)
    await scan(house, guest, phone, at)
    async with house.system() as ctx:
        assert await time_out_visits(ctx, limit=100) >= 1
    visit = await leave(house, guest, phone, at + timedelta(hours=2))
    assert (visit.status, visit.closed_by, visit.duration_seconds) == ("closed", "guest", 7200)
    with pytest.raises(NoOpenVisit):
        await leave(house, guest, phone, at + timedelta(hours=3))


@pytest.mark.parametrize(
    "claimed_at",
    [
        "yesterday",
        "2026-11-21",
        "2026-11-21T22:30:00",
        "",
        "9999-99-99T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
async def test_a_time_that_cannot_be_read(house: House, claimed_at: str) -> None:
    with pytest.raises(Invalid) as refused:
        await house.check_in(await house.add_guest(), claimed_at=claimed_at)
    assert list(refused.value.fields) == ["claimed_at"]


async def test_phones_are_registered_once_listed_and_revoked(house: House) -> None:
    guest, phone = await guest_with_phone(house)
    stranger = await house.add_guest()
    async with house.as_guest(guest) as ctx:
        again = await register_key(ctx, data=KeyIn(public_key=phone.public_key, label="Same"))
        assert again.id == phone.key_id
        assert [key.id for key in await list_keys(ctx)] == [phone.key_id]
        for wrong in ("", "AAAA", "not base64!", encode_base64url(b"x" * 91)):
            with pytest.raises(Invalid):
                await register_key(ctx, data=KeyIn(public_key=wrong))
    async with house.as_guest(stranger) as ctx:
        assert await list_keys(ctx) == []
        with pytest.raises(NotFound):
            await revoke_key(ctx, key_id=phone.key_id)
        assert await ctx.db.fetchval("select count(*) from patron_keys where id = $1", phone.key_id) == 0
        for _ in range(20):
            await register_key(ctx, data=KeyIn(public_key=Phone().public_key))
        with pytest.raises(PatronKeysFull):
            await register_key(ctx, data=KeyIn(public_key=Phone().public_key))
