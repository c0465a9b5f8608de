"""A night without a network, planned: what each door, guest and colleague does and when, on which phone and with which clock."""

import base64
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from lastlight.domains.checkins.passes import PURPOSE, GuestPass, pass_text
from lastlight.domains.devices.enrolment import add_device
from lastlight.domains.devices.model import DeviceIn
from lastlight.domains.venues.codes import code_text, screen_code
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.kernel.ids import VenueId
from lastlight.runtime.auth.cookies import session_cookie_name
from lastlight.runtime.db.uow import system_ctx
from tests.support.live_server import PASSWORD, LiveServer, Person

BUSINESS = "kojo-arcade"
NIGHT = timedelta(hours=9, minutes=30)
DOORS_A_VENUE = 16
STALE = timedelta(seconds=60)
ADD_GUESTS = """
with given as (select * from unnest($2::uuid[], $3::bytea[]) as g (id, key)),
     people as (insert into users (id, email, name) select id, id || '@guests.example', 'Guest at a door' from given),
     guests as (insert into patrons (tenant_id, id, user_id, name) select $1, id, id, 'Guest at a door' from given)
insert into patron_keys (tenant_id, id, patron_id, public_key, created_at)
select $1, id, id, key, now() - interval '30 days' from given
"""
FAULTS = {"unsent": 0.15, "answer_lost": 0.08, "answer_cut": 0.04, "doubled": 0.05, "late": 0.06, "replayed": 0.05}
"""The share of each fault of the network among requests."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many clients of each kind, and how many operations each of them does."""

    doors: int
    guests: int
    staff: int
    ops: int


@dataclass(slots=True)
class Holder:
    """A guest at a door: id, the phone's private key, the night's pass."""

    id: UUID
    key: str
    spki: bytes
    point: bytes
    text: str = ""

    def told(self) -> dict[str, str]:
        """What the client has to know to show the pass."""
        return {"key": self.key, "pass": self.text}


@dataclass(slots=True)
class Plan:
    """The clients as they are told to the process that plays them, and who is who."""

    tenant_id: UUID
    venues: list[VenueId]
    clients: list[dict[str, Any]]
    holders: dict[int, list[Holder]] = field(default_factory=dict[int, list[Holder]])
    """By the number of the client, in the order of its guests."""
    barred: list[UUID] = field(default_factory=list[UUID])
    """Guests who are banned after the doors have asked last."""
    cloned: list[UUID] = field(default_factory=list[UUID])
    """Guests whose code is scanned at two doors at the same moment."""
    patrons: dict[int, UUID] = field(default_factory=dict[int, UUID])
    """Of the clients who are guests."""


def draw_plan(server: LiveServer, rng: random.Random, scale: Scale) -> Plan:
    """Make the venues, devices, guests and colleagues, and draw what they do."""
    business = server.businesses[BUSINESS]
    now = datetime.now(UTC).replace(microsecond=0)
    count = max(1, -(-scale.doors // DOORS_A_VENUE))
    venues = [server.new_venue(f"Night {n}", visit_timeout_minutes=2880) for n in range(count)]
    plan = Plan(business.id, venues, [])
    codes = server.backstage.run(_enrolment_codes(server, venues, scale.doors), seconds=300)
    for number, code in enumerate(codes):
        guests = [_holder() for _ in range(max(6, scale.ops // 8))]
        plan.holders[number] = guests
        plan.clients.append(_door(rng, code, len(guests), now, scale.ops))
    _clone_some(rng, plan, now)
    everybody = [holder for holders in plan.holders.values() for holder in holders]
    _give_passes(server, plan, everybody, now)
    for number, holders in plan.holders.items():
        client = plan.clients[number]
        client["guests"] = [holder.told() for holder in holders]
        asked: set[int] = {op["guest"] for op in client["ops"] if op.get("ask")}
        plan.barred += [holders[guest].id for guest in sorted(asked) if rng.random() < 0.2]
    keys = server.backstage.run(_venue_keys(server, venues))
    for _ in range(scale.guests):
        plan.clients.append(_guest(server, rng, plan, keys, now=now, ops=scale.ops))
    for number in range(scale.staff):
        plan.clients.append(_staff(server, rng, venues, now, ops=scale.ops, number=number))
    return plan


def _times(now: datetime, count: int) -> tuple[list[datetime], timedelta]:
    step = NIGHT / count
    first = now - NIGHT - timedelta(minutes=20)
    return [_in_step(first + step * n) for n in range(count)], step


def _in_step(at: datetime) -> datetime:
    """The middle of its time step, so that a clock that is off by a second changes nothing."""
    return datetime.fromtimestamp(int(at.timestamp()) // 20 * 20 + 5, UTC)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _luck(rng: random.Random) -> dict[str, Any]:
    return {"skew_ms": rng.choice((0, rng.randint(-900_000, 900_000), rng.randint(-9 * 3_600_000, 9 * 3_600_000)))}


def _door(rng: random.Random, code: str, guests: int, now: datetime, ops: int) -> dict[str, Any]:
    """Comings and goings of the door's own guests, with pictures of passes, passes shown twice, and asking in between."""
    asking = max(1, ops // 25)
    usual = guests - asking
    assert usual > 1
    inside: set[int] = set()
    made: list[dict[str, Any]] = []
    times, _ = _times(now, ops)
    for n, at in enumerate(times):
        if n % (ops // asking) == 3 and len([op for op in made if op.get("ask")]) < asking:
            made.append({"ask": True, "guest": usual + len([op for op in made if op.get("ask")]), "direction": "in"})
            continue
        last = made[-1] if made else {}
        if last.get("direction") == "in" and not last.get("ask") and rng.random() < 0.04:
            made.append({"guest": last["guest"], "at": last["at"] + 4_000, "shown": last["at"], "direction": "in"})
            continue
        guest = rng.randrange(usual)
        leaves = (guest in inside) != (rng.random() < 0.1)
        op = {"guest": guest, "at": _ms(at), "direction": "out" if leaves else "in"}
        if rng.random() < 0.05:
            op["shown"] = _ms(at - STALE)
        elif leaves:
            inside.discard(guest)
        else:
            inside.add(guest)
        made.append(op)
    return {"kind": "door", "code": code, "ops": made, "kill": 0.05, "jump": 0.02, "second": 0.2} | _luck(rng)


def _clone_some(rng: random.Random, plan: Plan, now: datetime) -> None:
    """Between neighbouring doors: one guest's code at both at the same moment, each without a network."""
    doors = sorted(plan.holders)
    for one, other in zip(doors[::2], doors[1::2], strict=False):
        shared = _holder()
        plan.cloned.append(shared.id)
        at = _ms(_in_step(now - timedelta(minutes=9)))
        for door in (one, other):
            plan.holders[door].append(shared)
            op = {"guest": len(plan.holders[door]) - 1, "at": at, "direction": "in"}
            ops = plan.clients[door]["ops"]
            ops[rng.randrange(len(ops) * 3 // 4, len(ops))] = op
    for door in doors:  # replays point at what stands before them; a line that was replaced takes its replay along
        ops = plan.clients[door]["ops"]
        ops[:] = [op for op in ops if "shown" not in op or op["shown"] != op["at"]]


def _holder() -> Holder:
    private = generate_private_key(SECP256R1())
    pkcs8 = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    public = private.public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return Holder(uuid4(), base64.b64encode(pkcs8).decode(), spki, point)


def _give_passes(server: LiveServer, plan: Plan, holders: Sequence[Holder], now: datetime) -> None:
    """Write the guests down, and give each the pass that they would have fetched before the night."""
    unique = {holder.id: holder for holder in holders}.values()
    server.sql(ADD_GUESTS, plan.tenant_id, [one.id for one in unique], [one.spki for one in unique])
    secrets = server.backstage.services.secrets
    key, key_id = secrets.signing_key(PURPOSE), secrets.key_id()
    starts = int((now - timedelta(hours=11)).timestamp())
    for one in unique:
        said = GuestPass(
            tenant_id=plan.tenant_id,
            patron_id=one.id,
            key_id=one.id,
            phone_key=one.point,
            starts=starts,
            expires=starts + 14 * 3600,
            age=0,
            name="Guest D.",
        )
        one.text = pass_text(said, key=key, key_id=key_id)


async def _enrolment_codes(server: LiveServer, venues: Sequence[VenueId], doors: int) -> list[str]:
    async with system_ctx(server.backstage.services, server.businesses[BUSINESS].id) as ctx:
        names = [DeviceIn(venue_id=venues[n // DOORS_A_VENUE], name=f"Door {n}") for n in range(doors)]
        return [(await add_device(ctx, data=data)).code for data in names]


async def _venue_keys(server: LiveServer, venues: Sequence[VenueId]) -> dict[VenueId, tuple[bytes, int]]:
    async with system_ctx(server.backstage.services, server.businesses[BUSINESS].id) as ctx:
        found: dict[VenueId, tuple[bytes, int]] = {}
        for venue in venues:
            key = await current_key(ctx, venue_id=venue)
            found[venue] = (open_key(ctx, venue_id=venue, number=key.number, sealed=key.secret), key.number)
        return found


def _guest(
    server: LiveServer,
    rng: random.Random,
    plan: Plan,
    keys: dict[VenueId, tuple[bytes, int]],
    *,
    now: datetime,
    ops: int,
) -> dict[str, Any]:
    """Check-ins by codes of screens and check-outs: some with a code that has died, some with one that was used, some too late."""
    person = server.new_guest()
    signed = session_of(server, person)
    plan.patrons[len(plan.clients)] = signed.pop("patron_id")
    times, _ = _times(now, ops)
    made: list[dict[str, Any]] = []
    for n, at in enumerate(times):
        venue = rng.choice(plan.venues)
        secret, number = keys[venue]
        scanned = at - timedelta(minutes=4) if rng.random() < 0.05 else at
        code = code_text(screen_code(secret, venue_id=venue, key_number=number, at=scanned))
        if made and made[-1]["kind"] == "checkout" and rng.random() < 0.05:
            before = made[-2]
            made.append({**before, "at": made[-1]["at"] + 4_000} if before["kind"] == "checkin" else {**made[-1]})
        elif n % 2:
            made.append({"kind": "checkout", "at": _ms(at)})
        else:
            past = timedelta(hours=4) if n < 4 and rng.random() < 0.5 else timedelta()
            made.append({"kind": "checkin", "at": _ms(at - past), "code": code, "venue_id": str(venue)})
    made.sort(key=lambda op: op["at"])
    return {"kind": "guest", "ops": made, "kill": 0.05, "second": 0.2} | signed | _luck(rng)


def _staff(
    server: LiveServer, rng: random.Random, venues: Sequence[VenueId], now: datetime, *, ops: int, number: int
) -> dict[str, Any]:
    """Calls for help, each with a word of its own; some for a venue that does not exist."""
    signed = session_of(server, server.new_member("staff"))
    signed.pop("patron_id")
    times, _ = _times(now, ops)
    made: list[dict[str, Any]] = []
    for n, at in enumerate(times):
        venue = uuid4() if rng.random() < 0.03 else rng.choice(list(venues))
        words = {"place": "The bar", "note": f"Call {n} of colleague {number}", "severity": "urgent", "silent": False}
        made.append({"at": _ms(at), "body": {"venue_id": str(venue), "pressed_at": at.isoformat(), **words}})
    return {"kind": "staff", "ops": made, "kill": 0.05, "second": 0.2} | signed | _luck(rng)


def session_of(server: LiveServer, person: Person) -> dict[str, Any]:
    """A session of a browser: its cookie, and who it is."""
    place = "patron" if person.role == "patron" else "member"
    body = {"email": person.email, "password": PASSWORD, "tenant": person.tenant, "as": place}
    with httpx.Client(base_url=server.base_url, timeout=30) as client:
        answer = client.post("/api/auth/session", json=body)
        assert answer.is_success, answer.text
        me = client.get("/api/me").json()
        name = session_cookie_name(server.settings)
        cookie = f"{name}={client.cookies[name]}"
    credentials = {"cookie": cookie, "sec-fetch-site": "same-origin", "origin": server.base_url}
    patron = me.get("patron_id")
    return {
        "credentials": credentials,
        "user_id": me["user_id"],
        "tenant_id": me["tenant"]["id"],
        "patron_id": None if patron is None else UUID(patron),
    }
