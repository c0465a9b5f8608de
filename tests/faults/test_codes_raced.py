"""Codes at the door: raced, replayed, cloned, bent, expired, rotated, of other venues and businesses (Q1)."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from lastlight.domains.checkins import scans
from lastlight.domains.checkins.schemas import CheckinOut
from lastlight.domains.venues.keys import regenerate_key
from lastlight.runtime.db import bounded, uow
from lastlight.runtime.settings import Settings
from tests.support import code_races
from tests.support.carriers import asked, carrier, send
from tests.support.devices import enrolled
from tests.support.door import House, new_house, opened_house
from tests.support.fault_runs import FaultRun, must_fail, until_found
from tests.support.people import People, people

pytestmark = pytest.mark.database

POOL = 10
UNHURRIED = 100.0
"""Seconds in which one of a hundred at once gets its turn: the quick share shares its machine with other tests."""
GUARDS = ("checkins_code_once", "visits_one_open", "checkins_pass_once")


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for a connection waits for it: what is raced is the code, not the pool."""
    monkeypatch.setattr(bounded, "ACQUIRE_SECONDS", UNHURRIED)
    monkeypatch.setattr(uow, "OPEN_SECONDS", UNHURRIED)


@pytest.fixture(scope="module")
async def settings(database_settings: Settings) -> Settings:
    return replace(database_settings, db_pool_size=POOL, user_requests_per_minute=10_000_000)


@pytest.fixture(scope="module")
async def house(settings: Settings) -> AsyncGenerator[House]:
    async with opened_house(settings) as opened:
        await opened.add_venue()
        yield opened


async def races(run: FaultRun, house: House, *, attempts: int) -> list[str]:
    """So many attempts in rounds of a hundred."""
    raced = await code_races.race(house, attempts=attempts, dice=run.rng)
    doubled = sum("times" in what or "admitted," in what for what in raced.found)
    run.report(races=raced.attempts, admitted=raced.admitted, **raced.told, doubled=doubled)
    return raced.found


@pytest.mark.fault("Q1")
async def test_a_raced_code_lets_each_guest_in_once(run: FaultRun, house: House) -> None:
    assert await races(run, house, attempts=run.size(quick=360, long=100_000)) == []


@pytest.mark.fault("Q1")
async def test_doors_that_see_one_pass_admit_once_and_say_so(run: FaultRun, house: House) -> None:
    place = await new_house(house.services)
    doors = [await enrolled(place, f"Door {n}") for n in range(4)]
    passes, logs = run.size(quick=3, long=400), run.size(quick=2, long=200)
    found = await code_races.shown_at_doors(place, doors, passes=passes)
    for _ in range(logs):
        found += await code_races.synced_logs(place, doors, guests=6, dice=run.rng)
    run.report(passes=passes, logs=4 * logs, cloned=6 * logs, doubled=len(found))
    assert found == []


@pytest.mark.control("Q1")
async def test_without_the_constraints_guests_get_in_twice(run: FaultRun, fresh_database: Settings) -> None:
    async with opened_house(replace(fresh_database, db_pool_size=POOL)) as bare:
        await bare.add_venue()
        for name in GUARDS:
            await bare.sql(f"drop index {name}")
        must_fail(await races(run, bare, attempts=240))


@pytest.mark.control("Q1")
async def test_without_their_turn_two_doors_admit_one_pass(
    run: FaultRun, monkeypatch: pytest.MonkeyPatch, fresh_database: Settings
) -> None:
    monkeypatch.setattr(scans, "HOLD", "select $1::text, $2::text[]")
    async with opened_house(replace(fresh_database, db_pool_size=POOL)) as bare:
        for name in GUARDS:
            await bare.sql(f"drop index {name}")
        doors = [await enrolled(bare, f"Door {n}") for n in range(4)]
        must_fail(await until_found(lambda: code_races.shown_at_doors(bare, doors, passes=5)))


@pytest.mark.fault("Q1")
async def test_bent_codes_and_passes_let_nobody_in(run: FaultRun, house: House) -> None:
    number = run.size(quick=100, long=20_000)
    found = await code_races.mutated(house, number=number, dice=run.rng)
    run.report(bent=number, accepted=len(found))
    assert found == []


@pytest.mark.control("Q1")
async def test_without_the_signature_bent_codes_are_found(
    run: FaultRun, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anybodys(*_: object) -> bool:
        return True

    monkeypatch.setattr("lastlight.domains.venues.codes.VenueCode.is_signed_by", anybodys)
    must_fail(await code_races.mutated(house, number=60, dice=run.rng))


@pytest.mark.fault("Q1")
async def test_old_rotated_and_foreign_codes_are_refused_however_many_ask(run: FaultRun, house: House) -> None:
    place, other = await new_house(house.services), await new_house(house.services)
    now = datetime.now(UTC)
    second = await place.add_venue()
    rotated = await place.code(venue=second)
    async with place.system() as ctx:
        await regenerate_key(ctx, venue_id=second.id)
    codes = {
        "code-expired": await place.code(at=now - timedelta(seconds=120)),
        "code-retired": rotated,
        "code-unknown": await other.code(),
    }
    racers = run.size(quick=10, long=100)
    told: dict[str, set[str]] = {}
    for expected, code in codes.items():
        guests = await code_races.crowd(place, racers)
        answers = await asyncio.gather(*(code_races.attempt(place, guest, code) for guest in guests))
        told[expected] = {"admitted" if isinstance(answer, CheckinOut) else answer.type for answer in answers}
    stranger = await enrolled(other, "Of another business")
    [judged] = await send(other, stranger, asked(stranger, (await carrier(place)).show()))
    run.report(refused=racers * len(codes))
    assert told == {expected: {expected} for expected in codes}
    assert (judged.result, judged.refusal) == ("refused", "code-unknown")
    assert (await place.count("checkins"), await other.count("checkins")) == (0, 0)


# --- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
async def bar(settings: Settings) -> AsyncGenerator[People]:
    async with people(settings) as found:
        yield found


async def posted(world: People, who: dict[str, str], code: str, key: str) -> httpx.Response:
    return await world.client.post("/api/checkin/verify", headers=who | {"Idempotency-Key": key}, json={"code": code})


@pytest.mark.fault("Q1")
async def test_raced_over_http_with_and_without_the_same_key(run: FaultRun, house: House, bar: People) -> None:
    rounds = run.size(quick=1, long=100)
    owner = await bar.bearer(bar.bar.email("owner"))
    made: list[int] = []
    for number in range(rounds):
        guest = await bar.newcomer(bar.bar)
        who = await bar.bearer(guest.email)
        code = (await bar.call("GET", f"/api/venues/{bar.bar.venues[0]}/code", owner))["code"]
        keys = [f"{number}-{n % 25}" for n in range(50)]
        answers = await asyncio.gather(*(posted(bar, who, code, key) for key in keys))
        assert {answer.status_code for answer in answers} <= {201, 409}, "nobody gets an answer that breaks"
        made.append(len({answer.json()["checkin"]["id"] for answer in answers if answer.status_code == 201}))
        rows = await bar.sql(
            "select count(*) as n from checkins c join patrons p on p.id = c.patron_id where p.user_id = $1",
            guest.user_id,
        )
        made.append(rows[0]["n"])
    run.report(requests=50 * rounds, admitted=sum(made) // 2)
    assert made == [1] * (2 * rounds)
