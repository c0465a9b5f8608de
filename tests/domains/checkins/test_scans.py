"""Passes at the door: asked at once, or from the log of a door that had no network."""

from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from lastlight.domains.checkins.by_hand import override, revoke_checkin
from lastlight.domains.checkins.detection import judge_travel
from lastlight.domains.checkins.door_api import read_door_snapshot
from lastlight.domains.checkins.errors import CheckinTakenBack, FlagResolved, PatronBarred, PhoneKeyUnknown, VisitOpen
from lastlight.domains.checkins.flags import resolve_flag
from lastlight.domains.checkins.night_pass import issue_pass
from lastlight.domains.checkins.scan_schemas import (
    OverrideIn,
    PassIn,
    ResolutionIn,
    RevocationIn,
    ScanIn,
    ScansIn,
    Snapshot,
)
from lastlight.domains.venues.geofence import Point
from lastlight.kernel.errors import Invalid
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.http.decode import decode_json
from lastlight.runtime.settings import Settings
from tests.support.carriers import Carrier, asked, carrier, earlier, offline, send
from tests.support.devices import Scanner, enrolled
from tests.support.door import Guest, House, opened_house

PATH = "/api/door/scans"


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def banned_carrier(house: House) -> Carrier:
    """A guest who got the pass, and was banned after."""
    someone = await carrier(house)
    await house.sql("update patrons set status = 'banned' where id = $1", someone.guest.patron_id)
    return someone


async def flags_of(house: House, guest: Guest) -> list[str]:
    rows = await house.sql("select kind from checkin_flags where patron_id = $1 order by kind", guest.patron_id)
    return [row["kind"] for row in rows]


async def inside(house: House, guest: Guest) -> int:
    rows = await house.sql("select 1 from visits where patron_id = $1 and status = 'open'", guest.patron_id)
    return len(rows)


async def test_a_pass_opens_the_door_and_the_same_scan_again_is_the_same(house: House) -> None:
    scanner, someone = await enrolled(house, "Asked"), await carrier(house)
    scan = asked(scanner, someone.show())
    [first] = await send(house, scanner, scan)
    assert (first.result, first.patron, first.patron_id) == ("admitted", someone.guest.name, someone.guest.patron_id)
    [again] = await send(house, scanner, scan)
    assert (again.result, again.checkin_id) == ("admitted", first.checkin_id)
    [row] = await house.sql("select method, device_id from checkins where id = $1", first.checkin_id)
    assert (row["method"], row["device_id"]) == ("pass", scanner.device_id)
    [reused] = await send(house, scanner, ScanIn(sequence=scan.sequence, code="LL1", claimed_at=scan.claimed_at))
    assert (reused.result, reused.refusal) == ("refused", "sequence-reused")


async def test_a_picture_dies_within_thirty_seconds(house: House) -> None:
    scanner, someone = await enrolled(house, "Picture"), await carrier(house)
    old = someone.show(datetime.now(UTC) - timedelta(seconds=30))
    [late] = await send(house, scanner, asked(scanner, old))
    assert (late.result, late.refusal) == ("refused", "code-expired")
    ahead = someone.show(datetime.now(UTC) + timedelta(seconds=30))
    [early] = await send(house, scanner, asked(scanner, ahead))
    assert (early.result, early.refusal) == ("refused", "code-expired")
    assert await inside(house, someone.guest) == 0


async def test_forgeries_and_rubbish(house: House) -> None:
    scanner, someone, other = await enrolled(house, "Forged"), await carrier(house), await carrier(house)
    stolen = Carrier(someone.guest, other.phone, someone.text)
    bent = Carrier(
        someone.guest, someone.phone, someone.text[:30] + ("A" if someone.text[30] != "A" else "B") + someone.text[31:]
    )
    results = await send(
        house,
        scanner,
        *(asked(scanner, code) for code in (stolen.show(), bent.show(), "hello", "LL1.a.b.c", "LL1..1.")),
    )
    assert [(one.result, one.refusal) for one in results] == [
        ("refused", "code-forged"),
        ("refused", "code-forged"),
        ("refused", "code-malformed"),
        ("refused", "code-malformed"),
        ("refused", "code-malformed"),
    ]


async def test_the_rules_hold_when_asked_and_an_override_says_why(house: House) -> None:
    place = await house.add_venue(age_limit=18)
    scanner = await enrolled(house, "Age", place=house.venues.index(place))
    young = await carrier(house, birth_date=datetime.now(UTC).date() - timedelta(days=16 * 365))
    [no] = await send(house, scanner, asked(scanner, young.show()))
    assert (no.result, no.refusal) == ("refused", "under-age")
    assert (no.age, no.overridable) == (15, True)
    with pytest.raises(Invalid):
        await send(house, scanner, asked(scanner, young.show(), override_reason="with a parent"))
    banned = await banned_carrier(house)
    [never] = await send(house, scanner, asked(scanner, banned.show()))
    assert (never.result, never.refusal, never.overridable) == ("refused", "patron-barred", False)
    soft = await carrier(house, status="soft_banned")
    [ask] = await send(house, scanner, asked(scanner, soft.show()))
    assert (ask.refusal, ask.overridable) == ("patron-barred", True)


async def test_a_scanner_whose_clock_is_mad_is_answered(house: House) -> None:
    await house.sql("update venues set age_limit = 18 where id = $1", house.venue.id)
    scanner, someone = await enrolled(house, "Mad clock"), await carrier(house, birth_date=date(1990, 1, 1))
    for at in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        scan = ScanIn(sequence=scanner.next(), code=someone.show(), claimed_at=at, decided="admitted")
        [answer] = await send(house, scanner, scan)
        assert (answer.result, answer.age is not None) == ("refused", True)
    await house.sql("update venues set age_limit = null where id = $1", house.venue.id)
    sent = {"sequence": 1, "code": "x", "claimed_at": "2026-11-21T22:00:00"}
    with pytest.raises(Invalid) as refused:
        decode_json(msgspec.json.encode({"scans": [sent]}), ScansIn)
    assert set(refused.value.fields) == {"scans[0].claimed_at"}, "a time without its offset is no time"


async def test_the_same_code_at_two_doors_is_a_clone(house: House) -> None:
    front, back = await enrolled(house, "Clone front"), await enrolled(house, "Clone back")
    someone = await carrier(house)
    code = someone.show()
    [first] = await send(house, front, asked(front, code))
    [second] = await send(house, back, asked(back, code))
    assert (first.result, second.result, second.refusal) == ("admitted", "refused", "code-replayed")
    assert await flags_of(house, someone.guest) == ["cloned_code"]


async def snapshot_of(house: House, scanner: Scanner) -> Snapshot:
    """What a door is told of the house."""
    async with system_ctx(house.services, role="system") as ctx:
        return await read_door_snapshot.fn(ctx, scanner.request("GET", "/api/door/snapshot"))


async def test_two_offline_doors_admit_once_and_the_double_is_shown(house: House) -> None:
    front, back = await enrolled(house, "Offline front"), await enrolled(house, "Offline back")
    someone, cloned = await carrier(house), await carrier(house)
    before = datetime.now(UTC) - timedelta(hours=1)
    # Passes of an hour ago: as if they had been fetched in the evening.
    for one in (someone, cloned):
        one.text = await earlier(house, one)
    log = [offline(front, someone, before), offline(front, cloned, before)]
    assert [one.result for one in await send(house, front, *reversed(log))] == ["admitted", "admitted"]
    other = [
        offline(back, someone, before + timedelta(minutes=5)),
        offline(back, cloned, before),
        offline(back, await carrier(house), before, decided="refused", refusal="full"),
    ]
    results = await send(house, back, *other)
    assert [one.result for one in results[:2]] == ["double", "double"]
    assert await flags_of(house, someone.guest) == ["duplicate"]
    assert await flags_of(house, cloned.guest) == ["cloned_code"]
    assert (await inside(house, someone.guest), await inside(house, cloned.guest)) == (1, 1)
    [visit] = await house.sql("select opened_at from visits where patron_id = $1", someone.guest.patron_id)
    assert visit["opened_at"] == before
    [row] = await house.sql(
        "select claimed_at, received_at, decided from door_scans where device_id = $1 and sequence = 1", back.device_id
    )
    assert (row["claimed_at"], row["decided"]) == (before + timedelta(minutes=5), "admitted")
    assert row["received_at"] > row["claimed_at"]
    assert [one.result for one in await send(house, back, *other)][:2] == ["double", "double"]
    first, second = await snapshot_of(house, front), await snapshot_of(house, back)
    told = {one.sequence: (one.door, one.at) for one in first.again}
    assert told == {
        log[0].sequence: ("Offline back", before + timedelta(minutes=5)),
        log[1].sequence: ("Offline back", before),
    }, "the first door is told of both"
    assert second.again == [], "the second one was answered"
    assert await flags_of(house, someone.guest) == ["duplicate"], "the same log again finds nothing new"


async def test_a_ban_that_the_door_did_not_know_is_flagged(house: House) -> None:
    scanner, someone = await enrolled(house, "Unknowing"), await carrier(house)
    await house.sql("update patrons set status = 'banned' where id = $1", someone.guest.patron_id)
    [done] = await send(house, scanner, offline(scanner, someone, datetime.now(UTC)))
    assert done.result == "admitted"
    assert await flags_of(house, someone.guest) == ["barred"]


async def test_the_snapshot_knows_bans_and_open_visits(house: House) -> None:
    scanner, someone = await enrolled(house, "Snapshot"), await carrier(house)
    banned, soft = await house.add_guest(status="banned"), await house.add_guest(status="soft_banned")
    await send(house, scanner, asked(scanner, someone.show()))
    shot = await snapshot_of(house, scanner)
    assert someone.guest.patron_id in shot.inside
    assert someone.guest.patron_id in shot.here
    assert soft.patron_id in shot.by_hand
    assert shot.barred.count(banned.patron_id) == 1
    assert someone.guest.patron_id not in shot.barred
    assert (shot.venue_id, shot.last_sequence, len(shot.keys)) == (house.venue.id, 1, 1)


async def test_a_pass_needs_ones_own_phone(house: House) -> None:
    someone, other = await carrier(house), await house.add_guest()
    [key] = await house.sql("select id from patron_keys where patron_id = $1", someone.guest.patron_id)
    for key_id in (key["id"], uuid4()):
        with pytest.raises(PhoneKeyUnknown):
            async with house.as_guest(other) as ctx:
                await issue_pass(ctx, data=PassIn(key_id=key_id))


async def test_no_pass_for_the_barred(house: House) -> None:
    someone = await banned_carrier(house)
    [key] = await house.sql("select id from patron_keys where patron_id = $1", someone.guest.patron_id)
    with pytest.raises(PatronBarred):
        async with house.as_guest(someone.guest) as ctx:
            await issue_pass(ctx, data=PassIn(key_id=key["id"]))


async def test_by_hand_in_and_taken_back(house: House) -> None:
    guest, banned = await house.add_guest(), await house.add_guest(status="banned")
    given = OverrideIn(venue_id=house.venue.id, patron_id=guest.patron_id, reason="phone is flat")
    async with house.system() as ctx:
        done = await override(ctx, data=given)
    assert (done.checkin.method, done.visit.status) == ("override", "open")
    with pytest.raises(VisitOpen):
        async with house.system() as ctx:
            await override(ctx, data=given)
    with pytest.raises(PatronBarred):
        async with house.system() as ctx:
            await override(ctx, data=OverrideIn(venue_id=house.venue.id, patron_id=banned.patron_id, reason="please"))
    back = RevocationIn(kind="false_positive", reason="another guest")
    async with house.system() as ctx:
        gone = await revoke_checkin(ctx, checkin_id=done.checkin.id, data=back)
    assert (gone.revoked_reason, gone.revoked_at is not None) == ("another guest", True)
    [visit] = await house.sql("select status from visits where id = $1", done.visit.id)
    assert visit["status"] == "voided"
    with pytest.raises(CheckinTakenBack):
        async with house.system() as ctx:
            await revoke_checkin(ctx, checkin_id=done.checkin.id, data=back)


async def test_travel_that_nobody_makes_is_flagged_once_and_judged_once(house: House) -> None:
    far = await house.add_venue(position=Point(lat=-33.9249, lon=18.4241))
    guest = await house.add_guest()
    first = await house.check_in(guest)
    await house.sql(
        "update visits set status = 'closed', closed_at = now(), closed_by = 'guest' where id = $1", first.visit.id
    )
    second = await house.check_in(guest, code=await house.code(venue=far))
    async with house.system() as ctx:
        assert await judge_travel(ctx, checkin_id=second.checkin.id) == 1
    async with house.system() as ctx:
        await judge_travel(ctx, checkin_id=second.checkin.id)
    rows = await house.sql("select id, kind from checkin_flags where patron_id = $1", guest.patron_id)
    assert [row["kind"] for row in rows] == ["impossible_travel"]
    judged = ResolutionIn(status="confirmed", reason="shared account")
    async with house.system() as ctx:
        assert (await resolve_flag(ctx, flag_id=rows[0]["id"], data=judged)).status == "confirmed"
    with pytest.raises(FlagResolved):
        async with house.system() as ctx:
            await resolve_flag(ctx, flag_id=rows[0]["id"], data=judged)


async def test_near_venues_are_no_travel(house: House) -> None:
    guest = await house.add_guest()
    first = await house.check_in(guest)
    async with house.system() as ctx:
        assert await judge_travel(ctx, checkin_id=first.checkin.id) == 0
