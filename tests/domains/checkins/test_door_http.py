"""The door through the public API: every refusal by its own name, keys that count once, races between phones."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from lastlight.domains import identity
from lastlight.domains.checkins.errors import VERIFY_REFUSALS
from lastlight.domains.venues.codes import code_text, poster_code, screen_code
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.kernel.ids import PatronId, VenueId
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.settings import Settings
from tests.support.people import PASSWORD, SEED, People, Tenant, people
from tests.support.phones import Phone, clock_text

HERE = {"lat": -26.1467, "lon": 28.0436, "accuracy_m": 10}
THERE = {"lat": -26.2467, "lon": 28.0436, "accuracy_m": 10}
FORGERS = b"\x07" * 32
Guest = dict[str, str]
FENCE = """
update venues set latitude = -26.1467, longitude = 28.0436,
       geofence = '{"kind": "circle", "center": {"lat": -26.1467, "lon": 28.0436}, "radius_m": 150}'
"""


@pytest.fixture(scope="module")
async def world(database_settings: Settings) -> AsyncGenerator[People]:
    """Two businesses whose venues have fences."""
    async with people(database_settings) as found:
        await found.sql(FENCE)
        yield found


async def new_guest(world: People, tenant: Tenant | None = None, **fields: Any) -> tuple[Guest, PatronId]:
    """A guest who has signed in, and their id; `fields` are columns of their record."""
    place = tenant or world.bar
    email = f"{uuid4().hex}@guests.example"
    hashed = (await world.sql("select password_hash from users where email = $1", place.email("patron")))[0][0]
    async with system_ctx(world.services, place.id, role="system") as ctx:
        user_id = await identity.seed_user(ctx, seed=SEED, email=email, name="Zinhle Dube", password_hash=hashed)
        patron_id = await identity.seed_patron(
            ctx, seed=SEED, user_id=user_id, name="Zinhle Dube", birth_date=fields.get("birth_date")
        )
    if "status" in fields:
        await world.sql("update patrons set status = $2 where id = $1", patron_id, fields["status"])
    return await world.bearer(email, password=PASSWORD, tenant=place.slug), patron_id


async def shown(world: People, tenant: Tenant, venue_id: VenueId) -> str:
    """The code that the venue's screen shows now."""
    staff = await world.bearer(tenant.email("staff"))
    return (await world.call("GET", f"/api/venues/{venue_id}/code", staff))["code"]


async def signing(world: People, venue_id: VenueId) -> tuple[bytes, datetime]:
    """The first key of one of the bar's venues, and the database's clock."""
    async with system_ctx(world.services, world.bar.id) as ctx:
        key = await current_key(ctx, venue_id=venue_id)
        return open_key(ctx, venue_id=venue_id, number=key.number, sealed=key.secret), ctx.now


async def new_venue(world: People, **columns: Any) -> VenueId:
    """Another venue of the bar, with a key and a fence."""
    slug = f"v{uuid4().hex[:10]}"
    owner = await world.bearer(world.bar.email("owner"))
    body = {"name": slug, "slug": slug, "position": {"lat": HERE["lat"], "lon": HERE["lon"]}} | columns
    return VenueId(UUID((await world.call("POST", "/api/venues", owner, status=201, json=body))["id"]))


async def scan(
    world: People, guest: Guest, code: str, *, key: str = "", path: str = "/api/checkin/verify", **body: Any
) -> httpx.Response:
    headers = {**guest, "Idempotency-Key": key or str(uuid4())}
    return await world.client.post(path, headers=headers, json={"code": code} | body)


async def written(world: People) -> list[Any]:
    rows = await world.sql(
        """select (select count(*) from checkins), (select count(*) from visits),
                  (select count(*) from outbox where name like any (array['checkin.%', 'visit.%']))"""
    )
    return list(rows[0])


async def refused(world: People, answer: Awaitable[httpx.Response], kind: str, status: int) -> Any:
    """The problem of a refusal that wrote nothing."""
    before = await written(world)
    response = await answer
    problem = response.json()
    assert (problem.get("type", "").rsplit("/", 1)[-1], response.status_code) == (kind, status), response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"]
    assert await written(world) == before
    return problem


async def test_a_scan_answers_with_the_check_in_and_its_visit(world: People) -> None:
    guest, patron_id = await new_guest(world)
    venue_id = world.bar.venues[0]
    answer = await scan(world, guest, await shown(world, world.bar, venue_id), position=HERE, device={"os": "Android"})
    assert answer.status_code == 201, answer.text
    done = answer.json()
    assert {done["checkin"][name] for name in ("patron_id",)} == {str(patron_id)}
    assert done["checkin"]["venue_id"] == done["visit"]["venue_id"] == str(venue_id)
    assert done["visit"]["checkin_id"] == done["checkin"]["id"]
    assert (done["visit"]["status"], done["checkin"]["method"]) == ("open", "screen")
    manager = await world.bearer(world.bar.email("manager"))
    read = await world.call("GET", f"/api/checkins/{done['checkin']['id']}", manager)
    assert (read["device"], read["position"]["result"]) == ({"os": "Android"}, "inside")
    assert (await world.call("GET", f"/api/visits/{done['visit']['id']}", manager))["patron"] == "Zinhle Dube"
    events = [row for row in await world.events("checkin.verified") if row["patron_id"] == patron_id]
    assert len(events) == 1
    assert "Zinhle" not in str(events[0]["data"]), "live screens get ids, and read names with their own permission"


async def test_the_other_documents_path_is_the_same_door(world: People) -> None:
    guest, _ = await new_guest(world)
    code = await shown(world, world.bar, world.bar.venues[0])
    assert (await scan(world, guest, code, path="/api/sessions/checkin")).status_code == 201
    await refused(world, scan(world, guest, code), "code-replayed", 409)


async def test_refusals_of_the_code(world: People) -> None:
    """Malformed, forged, unknown, expired, replayed and retired; the code of the moment is let in beside each."""
    guest, _ = await new_guest(world)
    venue_id, now = await new_venue(world), datetime.now(UTC)
    owner = await world.bearer(world.bar.email("owner"))
    good = await shown(world, world.bar, venue_id)
    await refused(world, scan(world, guest, "not a code"), "code-malformed", 422)
    forged = code_text(screen_code(FORGERS, venue_id=venue_id, key_number=1, at=now))
    await refused(world, scan(world, guest, forged), "code-forged", 422)
    theirs = await refused(
        world, scan(world, guest, await shown(world, world.club, world.club.venues[0])), "code-unknown", 422
    )
    absent = code_text(screen_code(FORGERS, venue_id=uuid4(), key_number=1, at=now))
    nobody = await refused(world, scan(world, guest, absent), "code-unknown", 422)
    assert {**theirs, "instance": ""} == {**nobody, "instance": ""}, "another business's code is as unknown as nobody's"
    assert (await scan(world, guest, good)).status_code == 201
    await refused(world, scan(world, guest, good), "code-replayed", 409)
    other, _ = await new_guest(world)
    await world.call("POST", f"/api/admin/venues/{venue_id}/regenerate-qr", owner, status=201, json={})
    await refused(world, scan(world, other, good), "code-retired", 410)
    assert (await scan(world, other, await shown(world, world.bar, venue_id))).status_code == 201


async def test_an_expired_code_is_refused_and_the_one_before_the_last_is_not(world: People) -> None:
    venue_id = world.bar.venues[0]
    guest, _ = await new_guest(world)
    secret, now = await signing(world, venue_id)

    def code_of(seconds: int) -> str:
        at = now - timedelta(seconds=seconds)
        return code_text(screen_code(secret, venue_id=venue_id, key_number=1, at=at))

    await refused(world, scan(world, guest, code_of(81)), "code-expired", 410)
    assert (await scan(world, guest, code_of(20))).status_code == 201


async def test_refusals_of_the_venue(world: People) -> None:
    owner = await world.bearer(world.bar.email("owner"))
    guest, _ = await new_guest(world)
    closed = await new_venue(world, opening_hours={"weekly": {}})
    await refused(world, scan(world, guest, await shown(world, world.bar, closed)), "venue-closed", 409)
    paused = await new_venue(world)
    code = await shown(world, world.bar, paused)
    body = {"status": "paused", "reason": "Full"}
    at = f"/api/venues/{paused}/status"
    await world.call("PUT", at, owner, json=body, headers={"If-Match": '"1"'})
    await refused(world, scan(world, guest, code), "venue-paused", 409)
    await world.call("PUT", at, owner, json={"status": "active"}, headers={"If-Match": '"2"'})
    assert (await scan(world, guest, code)).status_code == 201


async def test_refusals_of_the_guest(world: People) -> None:
    adults = await new_venue(world, age_limit=18)
    code, born = await shown(world, world.bar, adults), date.today() - timedelta(days=17 * 365)  # noqa: DTZ011 - years apart
    suspended, _ = await new_guest(world, status="suspended")
    await refused(world, scan(world, suspended, code), "patron-barred", 403)
    young, _ = await new_guest(world, birth_date=born)
    await refused(world, scan(world, young, code), "under-age", 403)
    guest, _ = await new_guest(world, birth_date=date(1990, 1, 1))
    assert (await scan(world, guest, code)).status_code == 201
    elsewhere = await shown(world, world.bar, await new_venue(world))
    await refused(world, scan(world, guest, elsewhere), "visit-open", 409)


async def test_a_guest_tells_once_when_they_were_born(world: People) -> None:
    (guest, _), url = await new_guest(world), "/api/patron/birth-date"
    adults = await shown(world, world.bar, await new_venue(world, age_limit=18))
    for wrong in ("1899-12-31", (datetime.now(UTC) + timedelta(days=2)).date().isoformat()):
        problem = await world.call("PUT", url, guest, status=422, json={"birth_date": wrong})
        assert list(problem["fields"]) == ["birth_date"]
    young = (datetime.now(UTC) - timedelta(days=17 * 365)).date().isoformat()
    for _ in range(2):
        assert (await world.call("PUT", url, guest, json={"birth_date": young}))["birth_date"] == young
    problem = await world.call("PUT", url, guest, status=409, json={"birth_date": "1990-01-01"})
    assert problem["type"].endswith("/birth-date-given")
    assert (await world.call("GET", "/api/patron/home", guest))["patron"]["birth_date"] == young
    await refused(world, scan(world, guest, adults), "under-age", 403)
    [told] = await world.events("patron.birth_date_given")
    assert young not in str(told["data"])


async def test_refusals_of_the_position(world: People) -> None:
    venue_id = await new_venue(world, position_policy="required")
    code, (guest, _) = await shown(world, world.bar, venue_id), await new_guest(world)
    vague = {**HERE, "accuracy_m": 5_000}
    problem = await refused(world, scan(world, guest, code), "position-required", 422)
    assert list(problem["fields"]) == ["position"]
    await refused(world, scan(world, guest, code, position=vague), "position-imprecise", 422)
    await refused(world, scan(world, guest, code, position=THERE), "outside-geofence", 403)
    assert (await scan(world, guest, code, position=HERE)).status_code == 201


async def test_refusals_of_the_claimed_time(world: People) -> None:
    guest, patron_id = await new_guest(world)
    phone, venue_id = Phone(), world.bar.venues[1]
    made = await world.call("POST", "/api/patron/keys", guest, status=201, json={"public_key": phone.public_key})
    phone.key_id = made["id"]
    await world.sql("update patron_keys set created_at = now() - interval '3 days' where patron_id = $1", patron_id)
    secret, now = await signing(world, venue_id)

    def send(ago: timedelta, *, signed: bool = True, told: timedelta | None = None) -> Awaitable[httpx.Response]:
        at, idempotency = now - ago, str(uuid4())
        code = code_text(screen_code(secret, venue_id=venue_id, key_number=1, at=at))
        text = clock_text(now - told if told is not None else at)
        proof = phone.prove(code, clock_text(at), idempotency)
        body: dict[str, Any] = {"claimed_at": text}
        if signed:
            body["proof"] = {"key_id": str(proof.key_id), "signature": proof.signature}
        return scan(world, guest, code, key=idempotency, **body)

    hour = timedelta(hours=1)
    await refused(world, send(hour, signed=False), "claim-unsigned", 422)
    await refused(world, send(hour, told=hour + timedelta(seconds=1)), "claim-unsigned", 422)
    await refused(world, send(13 * hour), "claim-too-late", 422)
    await refused(world, send(-timedelta(minutes=5)), "claim-in-future", 422)
    answer = await send(hour)
    assert answer.status_code == 201, answer.text
    assert answer.json()["checkin"]["proven"] is True


async def test_every_refusal_has_a_name_of_its_own_and_is_documented(world: People) -> None:
    types = [error.type for error in VERIFY_REFUSALS]
    assert len(set(types)) == len(types)
    op = next(op for op in world.services.registry.operations if op.path == "/api/checkin/verify")
    assert set(VERIFY_REFUSALS) <= set(op.raises)


async def test_without_a_key_a_scan_is_not_taken(world: People) -> None:
    guest, _ = await new_guest(world)
    before = await written(world)
    code = await shown(world, world.bar, world.bar.venues[0])
    answer = await world.client.post("/api/checkin/verify", headers=guest, json={"code": code})
    assert answer.status_code == 400, answer.text
    assert "Idempotency-Key" in answer.text
    assert await written(world) == before


async def test_one_key_is_one_check_in_and_one_answer(world: People) -> None:
    guest, _ = await new_guest(world)
    code, key = await shown(world, world.bar, world.bar.venues[0]), str(uuid4())
    before = await written(world)
    first = await scan(world, guest, code, key=key)
    again = await scan(world, guest, code, key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert [b - a for a, b in zip(before, await written(world), strict=True)] == [1, 1, 2]
    await refused(world, scan(world, guest, code, key=key, position=HERE), "idempotency-key-reused", 422)


async def test_the_same_key_many_times_at_once_is_one_check_in(world: People) -> None:
    guest, _ = await new_guest(world)
    code, key = await shown(world, world.bar, world.bar.venues[0]), str(uuid4())
    before = await written(world)
    answers = await asyncio.gather(*(scan(world, guest, code, key=key) for _ in range(12)))
    made = [answer.json() for answer in answers if answer.status_code == 201]
    assert made
    assert all(answer == made[0] for answer in made)
    assert {answer.status_code for answer in answers} <= {201, 409}
    waiting = {answer.json()["type"].rsplit("/", 1)[-1] for answer in answers if answer.status_code == 409}
    assert waiting <= {"idempotency-key-in-flight"}, "never told that the code was used: it was this very request"
    assert [b - a for a, b in zip(before, await written(world), strict=True)] == [1, 1, 2]
    assert (await scan(world, guest, code, key=key)).json() == made[0]


async def test_two_phones_of_one_guest_at_the_same_moment(world: People) -> None:
    guest, patron_id = await new_guest(world)
    codes = [await shown(world, world.bar, await new_venue(world)) for _ in range(2)]
    answers = await asyncio.gather(*(scan(world, guest, code) for code in codes * 5))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    kinds = {answer.json()["type"].rsplit("/", 1)[-1] for answer in answers if answer.status_code == 409}
    assert kinds <= {"visit-open", "code-replayed"}
    rows = await world.sql("select status from visits where patron_id = $1", patron_id)
    assert [row["status"] for row in rows] == ["open"]


async def test_a_key_regenerated_while_guests_scan(world: People) -> None:
    """Each scan meets the old key or the new one; after the answer nobody gets in with the old."""
    owner, venue_id = await world.bearer(world.bar.email("owner")), await new_venue(world)
    code = await shown(world, world.bar, venue_id)
    guests = [(await new_guest(world))[0] for _ in range(10)]
    regenerate = world.call("POST", f"/api/admin/venues/{venue_id}/regenerate-qr", owner, status=201, json={})
    scans = [scan(world, guest, code) for guest in guests[:9]]
    *answers, _ = await asyncio.gather(*scans, regenerate)
    assert {answer.status_code for answer in answers} <= {201, 410}
    [row] = await world.sql("select count(*) from checkins where venue_id = $1", venue_id)
    assert row["count"] == sum(answer.status_code == 201 for answer in answers)
    await refused(world, scan(world, guests[9], code), "code-retired", 410)


async def test_with_grace_the_old_codes_and_the_old_poster_live_on(world: People) -> None:
    owner, venue_id = await world.bearer(world.bar.email("owner")), await new_venue(world)
    secret, _ = await signing(world, venue_id)
    old, paper = (
        await shown(world, world.bar, venue_id),
        code_text(poster_code(secret, venue_id=venue_id, key_number=1)),
    )
    change = await world.call(
        "POST", f"/api/admin/venues/{venue_id}/regenerate-qr", owner, status=201, json={"grace_minutes": 30}
    )
    assert change["key_number"] == 2
    assert (await scan(world, (await new_guest(world))[0], old)).status_code == 201
    assert (await scan(world, (await new_guest(world))[0], paper, position=HERE)).status_code == 201
    await world.sql("update venue_keys set retires_at = now() where venue_id = $1 and number = 1", venue_id)
    for code in (old, paper):
        await refused(world, scan(world, (await new_guest(world))[0], code, position=HERE), "code-retired", 410)
