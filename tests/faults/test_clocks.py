"""T1: a server's clock jumps, a device's is days wrong, a venue's is set at night: the database's clock rules, days stay right."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import msgspec
import pytest

from lastlight.domains import identity
from lastlight.domains.venues.hours import business_day, business_day_span
from lastlight.kernel.base64url import decode_base64url
from lastlight.runtime.auth.passwords import hash_password
from lastlight.runtime.auth.tokens import ACCESS, issue, read, token_keys
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support import clocks
from tests.support.clocks import FakeClock
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.own_processes import Own, own_process
from tests.support.plain_wire import Wire, request
from tests.support.services import administer
from tests.support.turnstile import Comer, Turnstile, turnstile

HOUR = 3600
PASSWORD = "correct horse battery"
NEAR_SECONDS = 10.0

needs_faketime = pytest.mark.skipif(clocks.library() is None, reason=clocks.NEEDS)


@pytest.fixture(scope="module")
async def stile(database_settings: Settings) -> AsyncGenerator[Turnstile]:
    async with turnstile(database_settings) as made:
        yield made


@pytest.fixture(scope="module")
async def faked(tmp_path_factory: pytest.TempPathFactory) -> FakeClock:
    """The clock of this module's web process."""
    return FakeClock(tmp_path_factory.mktemp("clock") / "clock")


@asynccontextmanager
async def serving(stile: Turnstile, folder: Path, faked: FakeClock, *, without: str = "") -> AsyncGenerator[Own]:
    """A web process whose clock can be set, where that is possible."""
    dsn = stile.services.settings.admin_dsn()
    extra = faked.environment if clocks.library() else {}
    extra |= {"LASTLIGHT_AUTH_FAILURES_PER_QUARTER_HOUR": "10000"}
    async with own_process("web", dsn=dsn, var_dir=folder, extra=extra, without=without) as web:
        yield web


@pytest.fixture(scope="module")
async def web(stile: Turnstile, faked: FakeClock, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Own]:
    """The web process that every suite of this module speaks with."""
    async with serving(stile, tmp_path_factory.mktemp("web"), faked) as made:
        yield made


async def member(stile: Turnstile) -> dict[str, str]:
    """A guest who signs in with a password: the body of it."""
    hashed = await hash_password(PASSWORD)
    email = f"guest-{time.monotonic_ns()}@clocks.example"
    async with system_ctx(stile.services, stile.tenant_id, role="system") as ctx:
        user_id = await identity.seed_user(ctx, seed="clocks", email=email, name="Guest", password_hash=hashed)
        await identity.seed_patron(ctx, seed="clocks", user_id=user_id, name="Guest")
    rows = await administer(stile.services.settings, "select slug from tenants where id = $1", stile.tenant_id)
    return {"email": email, "password": PASSWORD, "tenant": rows[0]["slug"]}


def stale(stile: Turnstile, comer: Comer) -> Comer:
    """The same guest with a token whose time was over a minute ago."""
    keys = token_keys(stile.services.secrets)
    told = read(keys, comer.token, ACCESS)
    token = issue(
        keys,
        ACCESS,
        user_id=told.sub,
        session_id=told.sid,
        tenant_id=told.tid,
        session_kind=told.kind,
        seconds=600,
        now=time.time() - 660,
    )
    return Comer(comer.patron_id, token, comer.key)


async def look(stile: Turnstile, wire: Wire, comers: list[Comer], sign_in: dict[str, str]) -> list[str]:
    """What is wrong about a process whose clock stands anywhere."""
    found: list[str] = []
    good, old, late = comers
    sent, johannesburg = stile.arrival(good), ZoneInfo("Africa/Johannesburg")
    days = {business_day(datetime.now(UTC), johannesburg, 6).isoformat()}
    answer, again = await wire.ask(sent), await wire.ask(sent)
    if answer.status != 201:
        return [f"a valid token: {answer.status} {answer.body[:150]!r}"]
    if again.body != answer.body:
        found.append("the same key had another answer")
    checkin = answer.json()["checkin"]
    found += [
        f"{name} is {checkin[name]}"
        for name in ("arrived_at", "received_at")
        if abs(datetime.fromisoformat(checkin[name]).timestamp() - time.time()) > NEAR_SECONDS
    ]
    days.add(business_day(datetime.now(UTC), johannesburg, 6).isoformat())  # it may have begun in between
    if checkin["business_day"] not in days:
        found.append(f"the business day is {checkin['business_day']}")
    answer = await wire.ask(stile.arrival(stale(stile, old)))
    if answer.status != 401:
        found.append(f"a token that is over: {answer.status}")
    answer = await wire.ask(stile.arrival(late, stile.code(datetime.now(UTC) - timedelta(minutes=3))))
    if answer.status == 201 or b"code-expired" not in answer.body:
        found.append(f"a code that is over: {answer.status} {answer.body[:150]!r}")
    answer = await wire.ask(request("POST", "/api/auth/login", body=sign_in))
    if answer.status != 200:
        return [*found, f"signing in: {answer.status} {answer.body[:150]!r}"]
    payload = msgspec.json.decode(decode_base64url(answer.json()["access_token"].split(".")[1]) or b"{}")
    if abs(payload["iat"] - time.time()) > NEAR_SECONDS:
        found.append(f"a new token is issued at {payload['iat']}")
    return found


async def try_jumps(stile: Turnstile, web: Own, faked: FakeClock, offsets: list[int]) -> dict[str, int]:
    """Set the clock of a web process again and again while it runs; what was wrong, and how often."""
    broken, sign_in = dict[str, int](), await member(stile)
    try:
        for offset in offsets:
            faked.jump(offset)
            wire = Wire(web.port)
            for what in await look(stile, wire, await stile.comers(3), sign_in):
                broken[f"{offset:+d} s: {what}"] = 1
            wire.close()
    finally:
        faked.jump(0)
    return broken


@pytest.mark.processes
@pytest.mark.database
@needs_faketime
@pytest.mark.fault("T1")
async def test_a_server_whose_clock_jumps(stile: Turnstile, web: Own, faked: FakeClock, run: FaultRun) -> None:
    dice = run.rng
    more = [dice.randrange(-90 * 24, 90 * 24) * HOUR for _ in range(run.size(quick=0, long=150))]
    offsets = [0, 6 * HOUR, -26 * HOUR, 40 * HOUR, -6 * HOUR, *more]
    broken = await try_jumps(stile, web, faked, offsets)
    run.report(jumps=len(offsets), broken=len(broken))
    assert broken == {}


@pytest.mark.processes
@pytest.mark.database
@needs_faketime
@pytest.mark.control("T1")
async def test_a_process_that_trusts_its_own_clock_is_seen(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    without = f"{clocks.trust_own_clock.__module__}:{clocks.trust_own_clock.__name__}"
    faked = FakeClock(tmp_path / "clock")
    async with serving(stile, tmp_path, faked, without=without) as web:
        broken = await try_jumps(stile, web, faked, [6 * HOUR, -26 * HOUR])
    run.report(broken=len(broken))
    must_fail(broken)


@pytest.mark.processes
@pytest.mark.database
@pytest.mark.fault("T1")
async def test_a_phone_whose_clock_is_days_wrong(stile: Turnstile, web: Own, run: FaultRun) -> None:
    """Unsigned claims: what is near is kept beside the time of receipt, what is not is refused and leaves nothing."""
    count, kept, refused, broken = run.size(quick=25, long=2_000), 0, 0, list[str]()
    dice, comers = run.rng, await stile.comers(count)
    wire = Wire(web.port)
    for comer in comers:
        wrong = dice.choice([dice.uniform(-40, 0), dice.uniform(-10 * 86_400, -90), dice.uniform(400, 10 * 86_400)])
        claimed = (datetime.now(UTC) + timedelta(seconds=wrong)).isoformat(timespec="milliseconds")
        body = {"code": stile.code(), "claimed_at": claimed}
        answer = await wire.ask(
            request("POST", "/api/checkin/verify", token=comer.token, body=body, Idempotency_Key=comer.key)
        )
        near = -60 < wrong <= 0
        if (answer.status == 201) != near or (not near and b"claim-" not in answer.body):
            broken.append(f"{wrong:+.0f} s: {answer.status} {answer.body[:150]!r}")
        elif near:
            checkin, kept = answer.json()["checkin"], kept + 1
            if datetime.fromisoformat(checkin["claimed_at"]) != datetime.fromisoformat(claimed):
                broken.append(f"{claimed} was kept as {checkin['claimed_at']}")
            if checkin["arrived_at"] != checkin["received_at"]:
                broken.append(f"an unsigned claim counted: {checkin['arrived_at']}")
        else:
            refused += 1
    wire.close()
    rows = await administer(
        stile.services.settings,
        "select count(*) as n from checkins where patron_id = any($1)",
        [comer.patron_id for comer in comers],
    )
    run.report(claims=count, kept=kept, refused=refused, broken=len(broken))
    assert broken == []
    assert rows[0]["n"] == kept


def wrong_nights(run: FaultRun, count: int, day_of: clocks.DayOf) -> list[str]:
    """Nights on which some clock of the world is set: what is wrong about their business days and openings."""
    dice, names = run.rng, sorted(available_timezones())
    found: list[str] = []
    for name, change in clocks.some_changes(names, dice, count):
        zone, moments = ZoneInfo(name), clocks.moments_around(change, dice)
        found += clocks.wrong_days(day_of, zone, dice.randrange(13), moments)
        found += clocks.wrong_openings(zone, moments, dice)
    return found


@pytest.mark.fault("T1")
def test_nights_on_which_clocks_are_set(run: FaultRun) -> None:
    count = run.size(quick=150, long=8_000)
    found = wrong_nights(run, count, business_day)
    run.report(changes=count, broken=len(found))
    assert found == []


@pytest.mark.control("T1")
def test_days_by_the_wall_clock_are_seen(run: FaultRun) -> None:
    troll, dice = ZoneInfo("Antarctica/Troll"), run.rng  # at three in the morning the clock shows one again
    found = [
        what
        for change in clocks.changes("Antarctica/Troll", 2026)
        for what in clocks.wrong_days(clocks.by_the_wall_clock, troll, 2, clocks.moments_around(change, dice))
    ]
    run.report(broken=len(found))
    must_fail(found)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 28), 23),
        ("Europe/Berlin", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 10, 24), 25),
        ("America/Sao_Paulo", date(2018, 11, 3), 23),
        ("America/Sao_Paulo", date(2019, 2, 16), 25),
        ("America/Sao_Paulo", date(2026, 11, 7), 24),
        ("Africa/Johannesburg", date(2026, 10, 24), 24),
    ],
)
def test_a_night_lasts_as_long_as_it_does(zone: str, day: date, hours: int) -> None:
    start, end = business_day_span(day, ZoneInfo(zone), 4)
    assert end - start == timedelta(hours=hours)
    last = end - timedelta(seconds=1)
    assert [business_day(at, ZoneInfo(zone), 4) for at in (start, last, end)] == [day, day, day + timedelta(days=1)]
