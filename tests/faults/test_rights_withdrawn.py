"""U3: who loses a right loses it at once, with a live token and a live socket, whichever process takes it away."""

import asyncio
import dataclasses
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from lastlight.modules import MODULES
from lastlight.runtime.context import Actor
from lastlight.runtime.db import uow
from lastlight.runtime.realtime import watch
from lastlight.runtime.settings import Settings
from tests.support.devices import Scanner
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.own_processes import beside
from tests.support.people import PASSWORD, Newcomer, People, people
from tests.support.phones import Phone
from tests.support.sockets import Client, Site, connected, serving

pytestmark = [pytest.mark.database, pytest.mark.processes]

REFUSED_WITHIN = 1.0
CLOSED_WITHIN = 5.0
AT_ONCE = 8
"""So many people lose a right at the same time: more would wait for each other, not for what is measured."""
PATIENCE = 5.5
"""How long to look before calling it never."""
UNHURRIED = 30.0
"""The quick share shares its machine with other tests: there it says little how soon a socket is closed."""
WHY = {"reason": "the fault suites take it away"}


@dataclass(slots=True)
class Ground:
    """This process with its sockets, another process, and who may take rights away, at either."""

    world: People
    here: Site
    there: str
    http: httpx.AsyncClient
    bosses: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    async def call(self, at: str, method: str, path: str, who: dict[str, str], **more: Any) -> Any:
        """Call an operation of one of the two processes; it must succeed."""
        headers = {**who, **more.pop("headers", {})}
        answer = await self.http.request(method, at + path, headers=headers, **more)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@dataclass(slots=True)
class Victim:
    """Somebody with a live session: the request that must stop, and the tokens of it."""

    somebody: Newcomer
    tokens: dict[str, Any]
    path: str = "/api/members"

    @property
    def bearer(self) -> dict[str, str]:
        """Their own headers."""
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}


@pytest.fixture(scope="module")
async def ground(database_settings: Settings) -> AsyncGenerator[Ground]:
    """Two web processes on one database; the sockets are in the one of the tests."""
    roomy = dataclasses.replace(
        database_settings, user_requests_per_minute=10**7, auth_failures_per_quarter_hour=10**7, db_pool_size=8
    )
    async with (
        people(roomy, MODULES) as world,
        beside(roomy) as web,
        serving(world.services, http_app=world.app) as here,
        httpx.AsyncClient(timeout=30) as http,
    ):
        made = Ground(world, here, web.url, http)
        for name, email in (("owner", world.bar.email("owner")), ("crew", "super_admin@crew.example")):
            made.bosses[name] = await world.bearer(email)
        yield made


async def victim(ground: Ground, role: str = "manager", path: str = "/api/members") -> Victim:
    """Somebody new who may do what will stop."""
    somebody = await ground.world.newcomer(ground.world.bar, role=role)
    more: dict[str, Any] = {} if role else {"tenant": "bar", "as": "patron"}
    tokens = await ground.world.login(somebody.email, **more)
    return Victim(somebody, tokens, path)


Act = Callable[[Ground, str, Victim], Awaitable[object]]


async def suspend(ground: Ground, at: str, who: Victim) -> None:
    path = f"/api/admin/users/{who.somebody.user_id}/suspend"
    await ground.call(at, "POST", path, ground.bosses["crew"], json={**WHY, "days": 2})


async def change(ground: Ground, at: str, who: Victim, **data: Any) -> None:
    path = f"/api/members/{who.somebody.member_id}"
    member = await ground.call(at, "GET", path, ground.bosses["owner"])
    headers = {"If-Match": f'"{member["version"]}"'}
    await ground.call(at, "PATCH", path, ground.bosses["owner"], json={**WHY, **data}, headers=headers)


async def demote(ground: Ground, at: str, who: Victim) -> None:
    rows = await ground.world.sql("select id from roles where tenant_id = $1 and key = 'staff'", ground.world.bar.id)
    await change(ground, at, who, role_id=str(rows[0]["id"]))


async def restrict(ground: Ground, at: str, who: Victim) -> None:
    await change(ground, at, who, venue_ids=[str(ground.world.bar.venues[0])])


async def pause(ground: Ground, at: str, who: Victim) -> None:
    await change(ground, at, who, status="suspended")


async def remove(ground: Ground, at: str, who: Victim) -> None:
    path = f"/api/members/{who.somebody.member_id}"
    member = await ground.call(at, "GET", path, ground.bosses["owner"])
    await ground.call(at, "DELETE", path, ground.bosses["owner"], headers={"If-Match": f'"{member["version"]}"'})


async def other_session(ground: Ground, who: Victim) -> dict[str, str]:
    return await ground.world.bearer(who.somebody.email)


async def change_password(ground: Ground, at: str, who: Victim) -> None:
    body = {"current_password": PASSWORD, "new_password": f"another long {uuid4()}"}
    await ground.call(at, "POST", "/api/auth/password/change", await other_session(ground, who), json=body)


async def end_session(ground: Ground, at: str, who: Victim) -> None:
    me = (await ground.http.get(at + "/api/me", headers=who.bearer)).json()
    await ground.call(at, "DELETE", f"/api/auth/sessions/{me['session_id']}", await other_session(ground, who))


async def end_all(ground: Ground, at: str, who: Victim) -> None:
    await ground.call(at, "POST", "/api/auth/logout-all", await other_session(ground, who))


async def reuse_refresh(ground: Ground, at: str, who: Victim) -> None:
    body = {"refresh_token": who.tokens["refresh_token"]}
    await ground.call(at, "POST", "/api/auth/refresh", {}, json=body)
    assert (await ground.http.post(at + "/api/auth/refresh", json=body)).status_code == 401


async def ban(ground: Ground, at: str, who: Victim) -> None:
    rows = await ground.world.sql("select id, version from patrons where user_id = $1", who.somebody.user_id)
    headers = {"If-Match": f'"{rows[0]["version"]}"'}
    path = f"/api/patrons/{rows[0]['id']}/standing"
    await ground.call(at, "PUT", path, ground.bosses["owner"], json={**WHY, "status": "banned"}, headers=headers)


async def empty_role(ground: Ground, at: str, who: Victim) -> None:
    """The role that somebody holds loses its permissions."""
    rows = await ground.world.sql(
        "insert into roles (tenant_id, key, name, permissions) values ($1, $2, $2, $3) returning id, version",
        ground.world.bar.id,
        f"r{uuid4().hex[:8]}",
        ["members.read", "visits.read"],
    )
    role = rows[0]
    await change(ground, at, who, role_id=str(role["id"]))
    assert (await ground.http.get(ground.here.url + who.path, headers=who.bearer)).status_code == 200
    headers = {"If-Match": f'"{role["version"]}"'}
    body = {"name": f"r {uuid4()}", "permissions": ["visits.read"]}
    await ground.call(at, "PUT", f"/api/roles/{role['id']}", ground.bosses["owner"], json=body, headers=headers)


CLOSING: dict[str, tuple[str, str, Act]] = {
    "suspended": ("manager", "/api/members", suspend),
    "membership paused": ("manager", "/api/members", pause),
    "removed": ("manager", "/api/members", remove),
    "password changed": ("manager", "/api/members", change_password),
    "session ended": ("manager", "/api/members", end_session),
    "signed out everywhere": ("manager", "/api/members", end_all),
    "refresh token reused": ("manager", "/api/members", reuse_refresh),
    "guest banned": ("", "/api/patron/home", ban),
}
NARROWING: dict[str, tuple[str, str, Act]] = {
    "demoted": ("manager", "/api/members", demote),
    "kept to a venue": ("manager", "/api/venues/{other}", restrict),
    "role emptied": ("manager", "/api/members", empty_role),
}


@dataclass(slots=True)
class Seen:
    """How long what took, and what was wrong."""

    refused: list[float] = field(default_factory=list[float])
    closed: list[float] = field(default_factory=list[float])
    found: list[str] = field(default_factory=list[str])
    closed_within: float = CLOSED_WITHIN


async def until_refused(ground: Ground, who: Victim) -> float:
    """How long requests are still let in: when the last of them was sent, however long its answer took."""
    began = time.monotonic()
    last = 0.0
    while (sent := time.monotonic() - began) < PATIENCE:
        if (await ground.http.get(ground.here.url + who.path, headers=who.bearer)).status_code in {401, 403, 404}:
            return last
        last = sent
        await asyncio.sleep(0.01)
    return PATIENCE


def rooms_of(ground: Ground, session: UUID) -> set[str]:
    """The rooms in which a session's socket sits here."""
    seats = [seat for seat in ground.here.realtime.hub.seats.values() if seat.actor.session_id == session]
    return {room for seat in seats for room in seat.rooms}


async def until_closed(
    ground: Ground, client: Client, session: UUID, rooms: set[str], *, ends: bool, patience: float
) -> float:
    """How long the socket still sits where it sat."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        if client.ended.is_set() if ends else rooms_of(ground, session) != rooms:
            return time.monotonic() - began
        await asyncio.sleep(0.02)
    return patience


async def take_away(ground: Ground, name: str, at: str, seen: Seen) -> None:
    """Take one right from somebody new who uses it: note how long it still worked."""
    role, path, act = (CLOSING | NARROWING)[name]
    who = await victim(ground, role, path.format(other=ground.world.bar.venues[1]))
    async with connected(ground.here, who.tokens["access_token"]) as client:
        answer = await ground.http.get(ground.here.url + who.path, headers=who.bearer)
        assert answer.status_code == 200, f"{name}: {answer.text}"
        session = UUID((await ground.http.get(ground.here.url + "/api/me", headers=who.bearer)).json()["session_id"])
        rooms = rooms_of(ground, session)
        await act(ground, at, who)
        patience = seen.closed_within + PATIENCE - CLOSED_WITHIN
        refused, closed = await asyncio.gather(
            until_refused(ground, who),
            until_closed(ground, client, session, rooms, ends=name in CLOSING, patience=patience),
        )
    seen.refused.append(refused)
    seen.closed.append(closed)
    where = "there" if at == ground.there else "here"
    if refused > REFUSED_WITHIN:
        seen.found.append(f"{name} ({where}): requests went on for {refused:.1f} s")
    if closed > seen.closed_within:
        seen.found.append(f"{name} ({where}): the socket sat on for {closed:.1f} s")


async def take_all_away(ground: Ground, rounds: int, *, closed_within: float) -> Seen:
    """Every right, from both processes, so many times."""
    seen, turns = Seen(closed_within=closed_within), asyncio.Semaphore(AT_ONCE)

    async def one(name: str, at: str) -> None:
        async with turns:
            await take_away(ground, name, at, seen)

    for _ in range(rounds):
        for at in (ground.here.url, ground.there):
            await asyncio.gather(*(one(name, at) for name in CLOSING | NARROWING))
    return seen


@pytest.mark.fault("U3")
async def test_a_right_that_is_taken_away_is_gone_at_once(ground: Ground, run: FaultRun) -> None:
    seen = await take_all_away(
        ground, run.size(quick=1, long=40), closed_within=CLOSED_WITHIN if run.long else UNHURRIED
    )
    slowest = {"refused_ms": max(seen.refused) * 1000, "closed_s": max(seen.closed)}
    run.report(taken=len(seen.refused), **slowest, wrong=len(seen.found))
    assert seen.found == []


@pytest.mark.control("U3")
async def test_without_the_version_a_right_outlives_its_end(ground: Ground, run: FaultRun) -> None:
    """What is remembered of a session is believed, and nobody watches the sockets."""

    async def blind(*_: Any) -> None:
        return

    real = uow.enter

    async def unversioned(connection: Any, *, actor: Actor, **more: Any) -> Any:
        return await real(connection, actor=msgspec.structs.replace(actor, session_id=None), **more)

    seen = Seen()
    with patch.object(uow, "enter", unversioned), patch.object(watch, "look", blind):
        await asyncio.gather(*(take_away(ground, name, ground.there, seen) for name in ("suspended", "demoted")))
    run.report(taken=len(seen.refused), wrong=len(seen.found))
    must_fail([one for one in seen.found if "requests" in one] and [one for one in seen.found if "socket" in one])


# ---- devices, modules and whole businesses


async def enrolled_scanner(ground: Ground, name: str) -> Scanner:
    """A scanner of the bar, enrolled as one is."""
    body = {"venue_id": str(ground.world.bar.venues[0]), "name": name}
    issued = await ground.call(ground.there, "POST", "/api/devices", ground.bosses["owner"], json=body)
    phone = Phone()
    key = {"code": issued["code"], "public_key": phone.public_key}
    given = await ground.call(ground.there, "POST", "/api/devices/enrolment", {}, json=key)
    return Scanner(device_id=UUID(given["device_id"]), tenant_id=UUID(given["tenant_id"]), phone=phone)


async def asks(ground: Ground, scanner: Scanner) -> int:
    """What a signed request of the device's is answered with, here."""
    path = "/api/door/snapshot"
    return (await ground.http.get(ground.here.url + path, headers=scanner.headers("GET", path))).status_code


async def take_things_away(ground: Ground, rounds: int, *, skip: bool = False) -> tuple[int, list[str]]:
    """Devices revoked, a module switched off, a business suspended, by the other process: what still worked here a second later."""
    found, owner, crew, tried = list[str](), ground.bosses["owner"], ground.bosses["crew"], 0
    for number in range(rounds):
        scanner = await enrolled_scanner(ground, f"Door {number} {uuid4().hex[:6]}")
        assert await asks(ground, scanner) == 200
        if not skip:
            path = f"/api/devices/{scanner.device_id}/revocation"
            await ground.call(ground.there, "POST", path, owner, json={"reason": "lost"})
        found += ["a revoked device is heard"] if await asks(ground, scanner) == 200 else []
        tenant, club = ground.world.bar.id, ground.world.club
        module = f"/api/admin/tenants/{tenant}/modules/staff"
        await ground.call(ground.there, "PUT", module, crew, json={**WHY, "enabled": True})
        assert (await ground.http.get(ground.here.url + "/api/shifts", headers=owner)).status_code == 200
        if not skip:
            await ground.call(ground.there, "PUT", module, crew, json={**WHY, "enabled": False})
        answer = await ground.http.get(ground.here.url + "/api/shifts", headers=owner)
        found += ["a module that is off answers"] if answer.status_code == 200 else []
        theirs = await ground.world.bearer(club.email("manager"))
        assert (await ground.http.get(ground.here.url + "/api/members", headers=theirs)).status_code == 200
        if not skip:
            await ground.call(ground.there, "POST", f"/api/admin/tenants/{club.id}/suspension", crew, json=WHY)
        answer = await ground.http.get(ground.here.url + "/api/members", headers=theirs)
        found += ["a suspended business goes on"] if answer.status_code == 200 else []
        if not skip:
            await ground.call(ground.there, "POST", f"/api/admin/tenants/{club.id}/reactivation", crew, json=WHY)
        tried += 3
    return tried, found


@pytest.mark.fault("U3")
async def test_a_revoked_device_a_module_off_and_a_suspended_business_are_refused_next(
    ground: Ground, run: FaultRun
) -> None:
    tried, found = await take_things_away(ground, run.size(quick=1, long=40))
    run.report(taken=tried, wrong=len(found))
    assert found == []


@pytest.mark.control("U3")
async def test_what_nobody_took_away_is_seen_to_go_on(ground: Ground, run: FaultRun) -> None:
    tried, found = await take_things_away(ground, 1, skip=True)
    run.report(taken=tried, wrong=len(found))
    must_fail(len(found) == tried)
