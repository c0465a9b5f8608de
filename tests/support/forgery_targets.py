"""Everything that the product signs or keeps as a secret text, each with the product's own function that judges it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, NoReturn, cast
from uuid import UUID, uuid4

import msgspec

from lastlight.domains.checkins import passes
from lastlight.domains.checkins.claims import Claim, PhoneKey, Proof, judged_time
from lastlight.domains.checkins.errors import CheckinRefused
from lastlight.domains.devices import enrolment, signing
from lastlight.domains.devices.model import DeviceIn
from lastlight.domains.identity import second_factor_check, session_tokens
from lastlight.domains.identity import tokens as one_time
from lastlight.domains.identity.tickets import Ticket, holder_of, write_ticket
from lastlight.domains.staff import calendars
from lastlight.domains.tenancy.brands import read_logo_link
from lastlight.domains.venues.codes import CodeUnreadableError, code_text, poster_code, read_code, screen_code
from lastlight.domains.venues.images import read_upload_link
from lastlight.kernel.base64url import decode_base64url, encode_base64url
from lastlight.kernel.errors import Problem
from lastlight.kernel.ids import TenantId, UserId
from lastlight.runtime.auth import tokens
from lastlight.runtime.context import Actor, Ctx
from lastlight.runtime.db.uow import WorkScope, system_ctx, unit_of_work
from lastlight.runtime.secrets import SealBrokenError, Secrets
from lastlight.runtime.services import Services
from lastlight.runtime.storage import files
from tests.support.devices import as_seen
from tests.support.forged_tokens import Workshop
from tests.support.forgeries import Target, low_s
from tests.support.people import People
from tests.support.phones import Phone, clock_text

NIGHT = datetime(2026, 11, 21, 23, 0, tzinfo=UTC)
COMMA = "\x1f"
"""Between the parts of what is signed together but sent apart."""
STATEMENTS = 300
"""How many forgeries of what only the database can judge: each is a transaction."""


async def token_targets(world: People) -> list[Target]:
    """Access tokens and cookies: of members, guests, crew, and of those who look with another's eyes, which differ in the session only."""
    shop = Workshop(world.services.secrets, NIGHT.timestamp())
    found: list[Target] = []
    for kind in (tokens.ACCESS, tokens.COOKIE):

        async def accepts(text: str, kind: tokens.TokenType = kind) -> bool:
            return _holds(lambda: tokens.read(shop.keys, text, kind, now=shop.now))

        genuine = [shop.issued(kind, session_kind=who) for who in ("member", "patron", "crew", "guest")]
        found.append(Target(kind, genuine, accepts, crafted=list(shop.crafted(genuine[0], kind).values())))
    return found


async def code_targets(_world: People) -> list[Target]:
    """The codes on a venue's screen and poster."""
    key, venue = b"k" * 32, uuid4()
    screens = [screen_code(key, venue_id=venue, key_number=1, at=NIGHT + timedelta(seconds=n * 20)) for n in range(2)]
    posters = [poster_code(key, venue_id=venue, key_number=1)]
    others = [
        code_text(one)
        for made in (b"k" * 31 + b"l", b"", b"k" * 33)
        for one in (
            screen_code(made, venue_id=venue, key_number=1, at=NIGHT),
            poster_code(made, venue_id=venue, key_number=1),
        )
    ]

    async def accepts(text: str) -> bool:
        try:
            return read_code(text).is_signed_by(key)
        except CodeUnreadableError:
            return False

    def same(text: str) -> str:
        return text.strip().rsplit("/c/", 1)[-1]  # a camera may hand over the whole address

    return [
        Target("screen code", [code_text(one) for one in screens], accepts, same, others),
        Target("poster code", [code_text(one) for one in posters], accepts, same, others),
    ]


async def pass_targets(world: People) -> list[Target]:
    """A guest's pass as a phone shows it: the platform's signature and the phone's over the time step."""
    secrets = world.services.secrets
    phone, thief = Phone(), Phone()
    text, other, stale = (
        passes.pass_text(_guest(holder, starts), key=secrets.signing_key(passes.PURPOSE), key_id=secrets.key_id())
        for holder, starts in ((phone, NIGHT), (thief, NIGHT), (phone, NIGHT - timedelta(days=1)))
    )
    step = passes.step_at(NIGHT)

    def shown(which: str, at: int, by: Phone) -> str:
        return f"LL1.{which}.{at}.{by.sign(passes.step_message(which, at))}"

    async def accepts(code: str) -> bool:
        try:
            seen = passes.read_shown(code)
            passes.require_genuine(seen, keys=secrets.verifying_keys(passes.PURPOSE))
            passes.require_alive(seen, at=NIGHT)
        except CheckinRefused:
            return False
        return True

    def same(code: str) -> str:
        parts = code.strip().split(".")
        # a twin signs the same step of the same pass, which counts once
        return ".".join([*parts[:-1], low_s(parts[-1])])

    foreign = Secrets("the key of staging, of some length")
    theirs = passes.pass_text(_guest(phone, NIGHT), key=foreign.signing_key(passes.PURPOSE), key_id=secrets.key_id())
    wrong_use = passes.pass_text(_guest(phone, NIGHT), key=secrets.signing_key("tokens"), key_id=secrets.key_id())
    crafted = [
        *(shown(text, step + apart, phone) for apart in (-3, -2, 2, 3, 100, -step)),
        *(shown(which, step, phone) for which in (stale, theirs, wrong_use)),
        shown(text, step, thief),
        shown(other, step, phone),
        shown(text, step, phone).replace(f".{step}.", f".0{step}."),
        shown(text, step, phone).replace(f".{step}.", f".+{step}."),
    ]
    genuine = [shown(text, step, phone), shown(text, step + 1, phone), shown(text, step - 1, phone)]
    return [Target("guest's pass", genuine, accepts, same, crafted)]


def _guest(phone: Phone, starts: datetime) -> passes.GuestPass:
    point = phone.private.public_key().public_numbers()
    compressed = bytes([2 + point.y % 2]) + point.x.to_bytes(32, "big")
    begins = int(starts.timestamp())
    return passes.GuestPass(
        tenant_id=UUID(int=1),
        patron_id=UUID(int=2),
        key_id=phone.key_id,
        phone_key=compressed,
        starts=begins,
        expires=begins + 14 * 3600,
        age=25,
        name="Zinhle D.",
    )


async def claim_targets(_world: People) -> list[Target]:
    """A claimed time that a phone signed together with its code and key: the parts joined by COMMA."""
    phone = Phone()
    key = PhoneKey(
        public_key=decode_base64url(phone.public_key) or b"", created_at=NIGHT - timedelta(days=1), revoked_at=None
    )

    def made(subject: str, at: datetime, idempotency_key: str) -> str:
        text = clock_text(at)
        return COMMA.join((subject, text, idempotency_key, phone.prove(subject, text, idempotency_key).signature))

    async def accepts(text: str) -> bool:
        parts = text.split(COMMA)
        if len(parts) != 4:
            return False
        try:
            at = msgspec.convert(parts[1], datetime)
            proof = Proof(key_id=phone.key_id, signature=parts[3])
            claim = Claim(subject=parts[0], text=parts[1], at=at, idempotency_key=parts[2], proof=proof)
            judged_time(claim, key=key, now=NIGHT, oldest=timedelta(hours=12))
        except (Problem, msgspec.ValidationError, TypeError):
            return False
        return True

    ago = [NIGHT - timedelta(minutes=minutes) for minutes in (5, 61)]
    genuine = [made("A" * 64, ago[0], str(uuid4())), made("checkout", ago[1], str(uuid4()))]
    crafted = [made("A" * 64, NIGHT - timedelta(hours=13), "k"), made("A" * 64, NIGHT + timedelta(hours=1), "k")]
    return [Target("claimed time", genuine, accepts, _low_s_at_end, crafted, cut=COMMA)]


def _low_s_at_end(text: str) -> str:
    parts = text.split(COMMA)
    return COMMA.join([*parts[:-1], low_s(parts[-1])])


async def device_targets(_world: People) -> list[Target]:
    """A device's request, a scan's, a heartbeat's and a log's alike: path, who, when, body and signature, joined by COMMA."""
    phone, stranger = Phone(), Phone()
    speaker = cast("signing.Speaker", SimpleNamespace(public_key=decode_base64url(phone.public_key)))
    device = f"{uuid4()}.{uuid4()}"

    def made(path: str, body: bytes, *, method: str = "POST", who: str = device, by: Phone = phone) -> str:
        at = NIGHT.isoformat()
        message = signing.request_message(method=method, path=path, device=who, at=at, body=body)
        return COMMA.join((path, who, at, body.decode(), by.sign(message)))

    async def accepts(text: str) -> bool:
        parts = text.split(COMMA)
        if len(parts) != 5:
            return False
        headers = {"x-device": parts[1], "x-device-time": parts[2], "x-device-signature": parts[4]}
        request = as_seen("POST", parts[0], headers)
        body = parts[3].encode(errors="surrogatepass")
        return signing._signed(speaker, request, body)  # pyright: ignore[reportPrivateUsage] the check alone, without its transaction

    genuine = [made("/api/door/scans", b'{"scans":[]}'), made("/api/devices/heartbeat", b'{"battery":81}')]
    crafted = [
        made("/api/door/scans", b'{"scans":[]}', by=stranger),
        made("/api/door/scans", b'{"scans":[]}', method="GET"),
        made("/api/door/scans", b'{"scans":[]}').replace("[]", "[{}]"),
        made("/api/door/scans", b'{"scans":[]}').replace(device, device.upper()),
    ]
    return [Target("device's request", genuine, accepts, _low_s_at_end, crafted, cut=COMMA)]


async def link_targets(world: People) -> list[Target]:
    """Links that carry their own proof: files, uploads of images and logos, the ticket between two steps of a sign-in."""
    services, ends = world.services, NIGHT + timedelta(hours=1)
    payload = world.bar.id.bytes + uuid4().bytes
    wanted: dict[str, Callable[[str], object]] = {
        files.LINK_PURPOSE: lambda text: files.read_link(services, text, now=NIGHT),
        _purpose(read_upload_link): lambda text: read_upload_link(services, text, now=NIGHT),
        _purpose(read_logo_link): lambda text: read_logo_link(services, text, now=NIGHT),
    }
    foreign = Secrets("the key of staging, of some length")
    found: list[Target] = []
    for purpose, read in wanted.items():

        async def accepts(text: str, read: Callable[[str], object] = read) -> bool:
            return _holds(lambda: read(text))

        made = services.secrets.make_link
        crafted = [made(other, payload, expires_at=ends) for other in (*wanted, "sign-in", "") if other != purpose]
        crafted += [foreign.make_link(purpose, payload, expires_at=ends)]
        crafted += [made(purpose, payload, expires_at=NIGHT), made(purpose, payload[:-1], expires_at=ends)]
        found.append(Target(f"link to {purpose}", [made(purpose, payload, expires_at=ends)], accepts, crafted=crafted))
    async with system_ctx(services, role="system") as ctx:
        ticket = write_ticket(ctx, ticket=Ticket(user_id=UserId(uuid4()), mark="m"))

    async def takes(text: str) -> bool:
        try:
            return holder_of(services, text) is not None
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return True  # its signature was taken, or nobody would have read what it says

    found.append(
        Target(
            "sign-in ticket", [ticket], takes, crafted=[services.secrets.make_link("sign-out", b"{}", expires_at=ends)]
        )
    )
    return found


def _purpose(reader: Callable[..., Any]) -> str:
    return str(reader.__globals__["LINK_PURPOSE"])


async def sealed_targets(world: People) -> list[Target]:
    """What lies sealed in the database: another row's, another purpose's and a changed one do not open."""
    secrets, place = world.services.secrets, uuid4().bytes

    async def accepts(text: str) -> bool:
        raw = decode_base64url(text)
        try:
            return raw is not None and bool(secrets.decrypt("second factor", raw, place))
        except SealBrokenError:
            return False

    moved = [
        secrets.encrypt("second factor", b"x" * 20, uuid4().bytes),
        secrets.encrypt("venue key", b"x" * 20, place),
        Secrets("the key of staging, of some length").encrypt("second factor", b"x" * 20, place),
    ]
    genuine = [encode_base64url(secrets.encrypt("second factor", b"x" * 20, place)) for _ in range(2)]
    return [Target("sealed secret", genuine, accepts, crafted=[encode_base64url(one) for one in moved])]


async def kept_targets(world: People) -> list[Target]:
    """Texts whose digest the database keeps: links in e-mails, refresh tokens, feeds, recovery codes, one-time codes of devices."""
    services, user_id = world.services, world.bar.users["staff"]
    async with system_ctx(services, world.bar.id, role="system") as ctx:
        links: dict[one_time.Purpose, str] = {
            purpose: await one_time.issue_one_time(ctx, user_id=user_id, purpose=purpose) for purpose in one_time.LIVES
        }
    found = [_one_time_target(services, purpose, links) for purpose in one_time.LIVES]
    refresh = [(await world.login(world.bar.email("staff")))["refresh_token"] for _ in range(2)]

    async def refreshes(text: str) -> bool:
        return await _undone(services, lambda ctx: session_tokens.refresh(ctx, token=text), role="system")

    found.append(Target("refresh token", refresh, refreshes, crafted=[*links.values()], cut="_", most=STATEMENTS))
    found += [await _feed_target(world), await _recovery_target(world), await _enrolment_target(world)]
    return found


def _one_time_target(services: Services, purpose: one_time.Purpose, links: dict[one_time.Purpose, str]) -> Target:
    async def accepts(text: str) -> bool:
        return await _undone(
            services, lambda ctx: one_time.spend_one_time(ctx, token=text, purposes=[purpose]), role="system"
        )

    others = [text for other, text in links.items() if other != purpose]
    return Target(f"link to {purpose}", [links[purpose]], accepts, crafted=others, cut="_", most=STATEMENTS)


async def _feed_target(world: People) -> Target:
    services, staff = world.services, world.bar.users["staff"]
    await world.sql(
        "insert into tenant_modules (tenant_id, module, enabled) values ($1, 'staff', true)"
        " on conflict (tenant_id, module) do update set enabled = true",
        world.bar.id,
    )
    actor = Actor(kind="member", user_id=staff, tenant_id=world.bar.id)
    async with unit_of_work(services, WorkScope(actor, world.bar.id)) as ctx:
        url = (await calendars.renew_calendar(ctx)).url

    async def accepts(text: str) -> bool:
        return await _undone(services, lambda ctx: calendars.read_calendar(ctx, token=text), role="system")

    token = url.rsplit("/", 1)[1]
    elsewhere = encode_base64url(world.club.id.bytes + (decode_base64url(token) or b"")[16:])
    return Target("calendar feed", [token], accepts, crafted=[elsewhere, encode_base64url(bytes(40))], most=STATEMENTS)


async def _recovery_target(world: People) -> Target:
    somebody = await world.newcomer(world.bar, role="staff")
    codes = ["abcde-fghjk", "mnpqr-stuvw"]
    for code in codes:
        digest = second_factor_check.recovery_digest(somebody.user_id, code)
        await world.sql("insert into recovery_codes (user_id, hash) values ($1, $2)", somebody.user_id, digest)
    await world.sql(
        "insert into authenticators (user_id, secret, confirmed_at) values ($1, $2, now())",
        somebody.user_id,
        world.services.secrets.encrypt(second_factor_check.PURPOSE, b"s" * 20, somebody.user_id.bytes),
    )

    async def accepts(text: str) -> bool:
        show = second_factor_check.show_second_factor
        return await _undone(world.services, lambda ctx: show(ctx, user_id=somebody.user_id, code=text), role="system")

    def same(text: str) -> str:  # people type them in capitals, with blanks and without the dash
        return "".join(letter for letter in text.lower() if letter.isalnum())

    return Target("recovery code", codes, accepts, same, crafted=["", "0", "' or 1=1 --"], cut="-", most=STATEMENTS)


async def _enrolment_target(world: People) -> Target:
    services, key = world.services, decode_base64url(Phone().public_key) or b""
    async with system_ctx(services, world.bar.id) as ctx:
        issued = await enrolment.add_device(
            ctx, data=DeviceIn(venue_id=world.bar.venues[0], name=f"Door {uuid4().hex[:6]}")
        )
    code = issued.code.partition(".")[2]

    async def accepts(text: str) -> bool:
        return await _undone(services, lambda ctx: enrolment.take_key(ctx, code=text, key=key), tenant_id=world.bar.id)

    def same(text: str) -> str:
        return text.upper().replace("-", "")

    return Target("device's one-time code", [code], accepts, same, crafted=["", "-"], cut="-", most=STATEMENTS)


class _UndoneError(Exception):
    """It would have worked; nothing of it stays."""


def _undo() -> NoReturn:
    raise _UndoneError


async def _undone(
    services: Services,
    work: Callable[[Ctx], Awaitable[object]],
    *,
    role: Any = "app",
    tenant_id: TenantId | None = None,
) -> bool:
    """Whether it works, in a transaction that is rolled back."""
    try:
        async with _opened(services, tenant_id, role) as ctx:
            await work(ctx)
            _undo()
    except _UndoneError:
        return True
    except Problem:
        return False


@asynccontextmanager
async def _opened(services: Services, tenant_id: TenantId | None, role: Any) -> AsyncGenerator[Ctx]:
    if tenant_id is None:
        async with system_ctx(services, role=role) as ctx:
            yield ctx
    else:
        async with system_ctx(services, tenant_id, role=role) as ctx:
            yield ctx


def _holds(read: Callable[[], object]) -> bool:
    try:
        read()
    except Problem:
        return False
    return True


FAMILIES: dict[str, Callable[[People], Awaitable[Sequence[Target]]]] = {
    "tokens": token_targets,
    "codes": code_targets,
    "passes": pass_targets,
    "claims": claim_targets,
    "devices": device_targets,
    "links": link_targets,
    "sealed": sealed_targets,
    "kept": kept_targets,
}
