"""A visit's life: checked out by the guest or by staff, timed out, corrected, voided; and never in a state that cannot be."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lastlight.domains.checkins import open_visit
from lastlight.domains.checkins.errors import NoOpenVisit, VisitNotOpen, VisitOpen
from lastlight.domains.checkins.jobs import due_tenants, time_out_due_visits
from lastlight.domains.checkins.model import Visit
from lastlight.domains.checkins.schemas import CheckoutIn, VisitCorrection
from lastlight.domains.checkins.visits import (
    check_out,
    check_out_guest,
    correct_visit,
    time_out_visits,
    void_reason,
)
from lastlight.domains.venues.keys import regenerate_key
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, Problem, Stale
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.door import Guest, House, new_house, opened_house

STAFF: Any = {"visits.read": None, "visits.checkout": None, "visits.correct": None}


@pytest.fixture(scope="module")
async def house(database_settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(database_settings) as opened:
        yield opened


async def arrived(house: House, *, ago: timedelta = timedelta(hours=2)) -> tuple[Guest, Visit]:
    """A guest whose visit began a while ago."""
    guest = await house.add_guest()
    done = await house.check_in(guest)
    await house.sql(
        "update visits set opened_at = opened_at - $2::interval, times_out_at = times_out_at - $2::interval where id = $1",
        done.visit.id,
        ago,
    )
    async with house.as_guest(guest) as ctx:
        visit = await open_visit(ctx, patron_id=guest.patron_id)
    assert visit is not None
    return guest, visit


async def told(house: House, visit: Visit) -> list[str]:
    rows = await house.sql("select name from outbox where entity_id = $1 order by position", str(visit.id))
    return [row["name"] for row in rows]


async def row_of(house: House, visit: Visit) -> Any:
    [row] = await house.sql("select * from visits where id = $1", visit.id)
    return row


async def test_a_guest_checks_out_once(house: House) -> None:
    guest, visit = await arrived(house)
    async with house.as_guest(guest) as ctx:
        closed = await check_out(ctx, data=CheckoutIn())
        now = ctx.now
    assert (closed.id, closed.status, closed.closed_by, closed.closed_at) == (visit.id, "closed", "guest", now)
    assert closed.duration_seconds == int((now - visit.opened_at).total_seconds())
    assert (closed.close_claimed_at, closed.close_received_at) == (None, now)
    assert (await told(house, visit))[-1] == "visit.closed"
    for _ in range(2):
        async with house.as_guest(guest) as ctx:
            with pytest.raises(NoOpenVisit):
                await check_out(ctx, data=CheckoutIn())
    assert (await told(house, visit)).count("visit.closed") == 1


async def test_a_guest_names_their_own_visit_and_nobody_elses(house: House) -> None:
    guest, visit = await arrived(house)
    other, theirs = await arrived(house)
    stranger = await new_house(house.services)
    async with house.as_guest(guest) as ctx:
        for wrong in (theirs.id, uuid4()):
            with pytest.raises(NotFound):
                await check_out(ctx, data=CheckoutIn(), visit_id=wrong)
    async with stranger.as_guest(await stranger.add_guest()) as ctx:
        with pytest.raises(NotFound):
            await check_out(ctx, data=CheckoutIn(), visit_id=visit.id)
    assert [(await row_of(house, each))["status"] for each in (visit, theirs)] == ["open", "open"]
    async with house.as_guest(guest) as ctx:
        assert (await check_out(ctx, data=CheckoutIn(), visit_id=visit.id)).status == "closed"
    async with house.as_guest(guest) as ctx:
        with pytest.raises(VisitNotOpen):
            await check_out(ctx, data=CheckoutIn(), visit_id=visit.id)
    async with house.as_guest(other) as ctx:
        assert (await check_out(ctx, data=CheckoutIn())).id == theirs.id


async def test_staff_close_a_visit_at_their_venues(house: House) -> None:
    elsewhere = await house.add_venue()
    _, visit = await arrived(house)
    async with house.as_member({"visits.checkout": frozenset({elsewhere.id})}) as ctx:
        for wrong in (visit.id, uuid4()):
            with pytest.raises(NotFound):
                await check_out_guest(ctx, visit_id=wrong)
    async with house.as_member({"visits.read": None}) as ctx:
        with pytest.raises(NotPermitted):
            await check_out_guest(ctx, visit_id=visit.id)
    assert (await row_of(house, visit))["status"] == "open"
    async with house.as_member({"visits.checkout": frozenset({house.venue.id})}) as ctx:
        closed = await check_out_guest(ctx, visit_id=visit.id)
    assert (closed.status, closed.closed_by) == ("closed", "staff")
    async with house.as_member(STAFF) as ctx:
        with pytest.raises(VisitNotOpen):
            await check_out_guest(ctx, visit_id=visit.id)
    assert (await told(house, visit)).count("visit.closed") == 1


async def test_the_guest_and_staff_close_it_at_the_same_moment_and_one_does(house: House) -> None:
    guest, visit = await arrived(house)

    async def by_guest() -> Visit:
        async with house.as_guest(guest) as ctx:
            return await check_out(ctx, data=CheckoutIn())

    async def by_staff() -> Visit:
        async with house.as_member(STAFF) as ctx:
            return await check_out_guest(ctx, visit_id=visit.id)

    answers = await asyncio.gather(*(each() for each in (by_guest, by_staff) * 6), return_exceptions=True)
    done = [answer for answer in answers if isinstance(answer, Visit)]
    assert len(done) == 1
    assert {type(answer) for answer in answers if not isinstance(answer, Visit)} <= {NoOpenVisit, VisitNotOpen}
    row = await row_of(house, visit)
    assert (row["status"], row["closed_by"]) == ("closed", done[0].closed_by)
    assert (await told(house, visit)).count("visit.closed") == 1


async def test_checking_in_and_out_at_the_same_moment_never_leaves_two_open(house: House) -> None:
    guest, _ = await arrived(house)
    codes = [await house.code(venue=await house.add_venue()) for _ in range(4)]

    async def leave() -> Any:
        async with house.as_guest(guest) as ctx:
            return await check_out(ctx, data=CheckoutIn())

    work = [house.check_in(guest, code=code) for code in codes] + [leave() for _ in codes]
    answers = await asyncio.gather(*work, return_exceptions=True)
    assert {type(answer) for answer in answers if isinstance(answer, Exception)} <= {VisitOpen, NoOpenVisit}
    rows = await house.sql(
        "select status, opened_at, closed_at from visits where patron_id = $1 order by opened_at", guest.patron_id
    )
    assert sum(row["status"] == "open" for row in rows) <= 1
    came = sum(not isinstance(answer, Exception) for answer in answers[:4])
    left = sum(not isinstance(answer, Exception) for answer in answers[4:])
    assert (len(rows), sum(row["status"] == "closed" for row in rows)) == (came + 1, left)
    for before, after in itertools.pairwise(rows):
        assert before["closed_at"] <= after["opened_at"], "visits of one guest do not overlap"


async def test_a_visit_times_out_at_the_venues_time_and_not_before(house: House) -> None:
    other = await new_house(house.services)
    short = await other.add_venue(visit_timeout_minutes=60)
    guest, stays = await other.add_guest("Goes"), await other.add_guest("Stays")
    due = (await other.check_in(guest, code=await other.code(venue=short))).visit
    kept = (await other.check_in(stays)).visit
    await other.sql(
        "update visits set opened_at = opened_at - interval '61 minutes', times_out_at = times_out_at - interval '61 minutes' where id = any($1)",
        [due.id, kept.id],
    )
    async with system_ctx(other.services, role="system") as ctx:
        assert other.tenant_id in await due_tenants(ctx)
    async with other.system() as ctx:
        assert await time_out_due_visits.fn(ctx) == 1
    row = await row_of(other, due)
    assert (row["status"], row["closed_by"], row["closed_at"]) == ("timed_out", "time_out", row["times_out_at"])
    assert row["duration_seconds"] == 3600
    assert (await row_of(other, kept))["status"] == "open"
    assert (await told(other, due))[-1] == "visit.timed_out"
    async with other.system() as ctx:
        assert await time_out_due_visits.fn(ctx) == 0
    async with system_ctx(other.services, role="system") as ctx:
        assert other.tenant_id not in await due_tenants(ctx)
    async with other.as_guest(guest) as ctx:
        assert await open_visit(ctx, patron_id=guest.patron_id) is None
    assert (await other.check_in(guest)).visit.status == "open", "the guest may come again"


async def test_a_run_takes_its_share_and_two_runs_at_once_take_each_visit_once(house: House) -> None:
    other = await new_house(house.services)
    for _ in range(6):
        await arrived(other, ago=timedelta(hours=9))

    async def run(limit: int) -> int:
        async with other.system() as ctx:
            return await time_out_visits(ctx, limit=limit)

    assert await run(2) == 2
    assert sum(await asyncio.gather(*(run(10) for _ in range(4)))) == 4
    [row] = await other.sql(
        "select count(*) from outbox where tenant_id = $1 and name = 'visit.timed_out'", other.tenant_id
    )
    assert row["count"] == 6


async def test_a_check_out_and_the_time_out_at_the_same_moment(house: House) -> None:
    other = await new_house(house.services)
    guest, visit = await arrived(other, ago=timedelta(hours=9))

    async def leave() -> str:
        async with other.as_guest(guest) as ctx:
            return (await check_out(ctx, data=CheckoutIn())).status

    async def time_out() -> str:
        async with other.system() as ctx:
            return f"{await time_out_visits(ctx, limit=10)} timed out"

    answers = await asyncio.gather(leave(), time_out(), return_exceptions=True)
    row = await row_of(other, visit)
    assert row["status"] in {"closed", "timed_out"}
    if row["status"] == "closed":
        assert answers == ["closed", "0 timed out"]
    else:
        assert isinstance(answers[0], NoOpenVisit)
    assert len([name for name in await told(other, visit) if name != "visit.opened"]) == 1


async def test_a_correction_keeps_what_was_and_says_why(house: House) -> None:
    _, visit = await arrived(house)
    end = visit.opened_at + timedelta(minutes=45)
    change = VisitCorrection(reason="  Left by the back door ", status="closed", closed_at=end)
    async with house.as_member(STAFF) as ctx:
        after = await correct_visit(ctx, visit_id=visit.id, data=change, version=visit.version)
    assert (after.status, after.closed_at, after.closed_by, after.duration_seconds) == ("closed", end, "staff", 2700)
    assert (after.status_reason, after.version) == ("Left by the back door", visit.version + 1)
    [row] = await house.sql(
        "select data, audit from outbox where entity_id = $1 and name = 'visit.corrected'", str(visit.id)
    )
    assert '"before":{"closed_at":null' in row["audit"].replace(" ", "")
    assert "Left by the back door" in row["audit"]
    assert "Left by the back door" not in row["data"], "the reason is for the audit, not for live screens"


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"status": "open", "closed_at": timedelta(minutes=-1)}, "closed_at"),
        ({"status": "closed", "closed_at": timedelta(minutes=5)}, "closed_at"),
        ({"opened_at": timedelta(minutes=5)}, "opened_at"),
        ({"status": "closed", "opened_at": timedelta(minutes=-1), "closed_at": timedelta(hours=-1)}, "closed_at"),
    ],
)
async def test_times_that_cannot_be_are_refused_by_field(house: House, fields: dict[str, Any], at: str) -> None:
    _, visit = await arrived(house)
    now = datetime.now(UTC)
    fields = {name: now + value if isinstance(value, timedelta) else value for name, value in fields.items()}
    async with house.as_member(STAFF) as ctx:
        with pytest.raises(Invalid) as refused:
            await correct_visit(
                ctx, visit_id=visit.id, data=VisitCorrection(reason="x", **fields), version=visit.version
            )
    assert list(refused.value.fields) == [at]
    assert (await row_of(house, visit))["version"] == visit.version


async def test_a_correction_needs_the_version_the_permission_and_the_venue(house: House) -> None:
    elsewhere = await house.add_venue()
    _, visit = await arrived(house)
    data = void_reason("Scanned by mistake")
    attempts: list[tuple[Any, int, type[Problem]]] = [
        (STAFF, visit.version + 1, Stale),
        ({"visits.read": None}, visit.version, NotPermitted),
        ({"visits.correct": frozenset({elsewhere.id})}, visit.version, NotFound),
    ]
    for grants, version, error in attempts:
        async with house.as_member(grants) as ctx:
            with pytest.raises(error):
                await correct_visit(ctx, visit_id=visit.id, data=data, version=version)
    stranger = await new_house(house.services)
    async with stranger.as_member(STAFF) as ctx:
        with pytest.raises(NotFound):
            await correct_visit(ctx, visit_id=visit.id, data=data, version=visit.version)
    assert (await row_of(house, visit))["status"] == "open"


async def test_a_void_visit_frees_its_guest_and_reopening_meets_the_open_one(house: House) -> None:
    guest, visit = await arrived(house)
    async with house.as_member(STAFF) as ctx:
        voided = await correct_visit(ctx, visit_id=visit.id, data=void_reason("Test"), version=visit.version)
    assert (voided.status, voided.status_reason) == ("voided", "Test")
    next_visit = (await house.check_in(guest, code=await house.code(venue=await house.add_venue()))).visit
    again = VisitCorrection(reason="It was right", status="open")
    async with house.as_member(STAFF) as ctx:
        with pytest.raises(VisitOpen):
            await correct_visit(ctx, visit_id=visit.id, data=again, version=voided.version)
    async with house.as_guest(guest) as ctx:
        await check_out(ctx, data=CheckoutIn())
    async with house.as_member(STAFF) as ctx:
        opened = await correct_visit(ctx, visit_id=visit.id, data=again, version=voided.version)
        now = ctx.now
    assert (opened.status, opened.closed_at, opened.closed_by) == ("open", None, None)
    assert opened.times_out_at > now, "a visit that is opened again has its time before it"
    assert (await row_of(house, next_visit))["status"] == "closed"


Op = Literal["check_in", "check_out", "staff", "time_out", "void", "reopen", "close"]
OPS: tuple[Op, ...] = ("check_in", "check_out", "staff", "time_out", "void", "reopen", "close")
ALLOWED: dict[Op, dict[str, str]] = {
    "check_in": {"none": "open", "closed": "open", "timed_out": "open", "voided": "open"},
    "check_out": {"open": "closed"},
    "staff": {"open": "closed"},
    "time_out": {"open": "timed_out"},
    "void": {"open": "voided", "closed": "voided", "timed_out": "voided", "voided": "voided"},
    "reopen": {"open": "open", "closed": "open", "timed_out": "open", "voided": "open"},
    "close": {"open": "closed", "closed": "closed", "timed_out": "closed", "voided": "closed"},
}
"""What each operation makes of the last visit's state; what is not named is refused and changes nothing."""


EVERY_VISIT = "select * from visits where tenant_id = $1 and patron_id = $2 order by id"
MAKE_DUE = "update visits set times_out_at = now() where tenant_id = $1 and id = $2 and status = 'open'"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ops=st.lists(st.sampled_from(OPS), min_size=1, max_size=9))
async def test_whatever_happens_a_visit_is_in_a_state_it_may_be_in(house: House, ops: list[Op]) -> None:
    guest = await house.add_guest()
    state, visit, arrivals = "none", None, 0
    for op in ops:
        expected = ALLOWED[op].get(state)
        try:
            await _do(house, op, guest, visit)
            happened = True
        except Problem:
            happened = False
        if op == "time_out":
            happened = happened and state == "open"
        assert happened == (expected is not None), (op, state)
        state = expected or state
        arrivals += happened and op == "check_in"
        async with house.system() as ctx:
            rows = await ctx.db.fetch(EVERY_VISIT, ctx.tenant_id, guest.patron_id)
        assert len(rows) == arrivals
        assert sum(row["status"] == "open" for row in rows) <= 1
        for row in rows:
            assert (row["closed_at"] is None) == (row["status"] == "open") == (row["closed_by"] is None)
            assert row["closed_at"] is None or row["closed_at"] >= row["opened_at"]
        if rows:
            visit = rows[-1]
            assert visit["status"] == state
    [kept] = await house.sql("select count(*) from checkins where patron_id = $1", guest.patron_id)
    assert kept["count"] == arrivals


async def _do(house: House, op: Op, guest: Guest, visit: Any) -> None:
    """Do one thing to the guest's last visit, as whoever may."""
    if op == "check_in":
        async with house.system() as ctx:
            await regenerate_key(ctx, venue_id=house.venue.id)  # a code of its own, within the same 20 seconds
        await house.check_in(guest)
        return
    if op == "check_out":
        async with house.as_guest(guest) as ctx:
            await check_out(ctx, data=CheckoutIn())
        return
    if visit is None:
        raise NotFound
    if op == "time_out":
        async with house.system() as ctx:
            await ctx.db.execute(MAKE_DUE, ctx.tenant_id, visit["id"])
            await time_out_visits(ctx, limit=1000)
        return
    async with house.as_member(STAFF) as ctx:
        if op == "staff":
            await check_out_guest(ctx, visit_id=visit["id"])
            return
        status: Any = {"void": "voided", "reopen": "open", "close": "closed"}[op]
        data = VisitCorrection(reason="Because", status=status)
        await correct_visit(ctx, visit_id=visit["id"], data=data, version=visit["version"])
