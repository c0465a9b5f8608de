"""The feed of one's shifts (iCalendar, RFC 5545) at a secret address, since calendars cannot sign in; renewing it ends the old one."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.staff.clock import myself
from lastlight.domains.staff.errors import FeedUnknown
from lastlight.domains.staff.events import CalendarRenewed
from lastlight.domains.staff.schemas import CalendarOut
from lastlight.kernel.base64url import decode_base64url, encode_base64url
from lastlight.runtime.context import Ctx

SECRET_BYTES = 24
PAST = timedelta(days=60)
LINE_OCTETS = 75

RENEW = """
insert into calendar_feeds (tenant_id, user_id, secret_hash) values ($1, $2, $3)
on conflict (tenant_id, user_id) do update set secret_hash = excluded.secret_hash
"""
SINCE = "select updated_at from calendar_feeds where tenant_id = $1 and user_id = $2"
END = "delete from calendar_feeds where tenant_id = $1 and user_id = $2"
OWNER = """
select f.user_id, t.name as business
from calendar_feeds f
join tenants t on t.id = f.tenant_id and t.status = 'active'
join users u on u.id = f.user_id and u.status <> 'closed' and (u.status in ('active', 'soft_banned') or u.status_until <= now())
where f.tenant_id = $1 and f.secret_hash = $2
  and exists (select from memberships m where m.tenant_id = $1 and m.user_id = f.user_id and m.status = 'active')
  and exists (select from tenant_modules k where k.tenant_id = $1 and k.module = 'staff' and k.enabled)
"""
SHIFTS = """
select s.id, w.name as venue, s.duty, s.note, s.starts_at, s.ends_at, s.status, s.updated_at, s.version
from shifts s
join venues w on w.tenant_id = $1 and w.id = s.venue_id
where s.tenant_id = $1 and s.user_id = $2 and s.published_at is not null and s.ends_at > $3
order by s.starts_at, s.id
limit 1000
"""


class FeedShift(msgspec.Struct, frozen=True, kw_only=True):
    """A shift as the feed shows it."""

    id: UUID
    venue: str
    duty: str
    note: str
    starts_at: datetime
    ends_at: datetime
    status: str
    updated_at: datetime
    version: int


async def renew_calendar(ctx: Ctx) -> CalendarOut:
    """Give oneself a new secret address; the one before dies."""
    mine = myself(ctx)
    token = ctx.tenant_id.bytes + secrets.token_bytes(SECRET_BYTES)
    await ctx.db.execute(RENEW, ctx.tenant_id, mine, _hash(token))
    ctx.emit(CalendarRenewed(user_id=mine, ended=False), entity=("calendar", mine))
    text = encode_base64url(token)
    return CalendarOut(url=f"{ctx.services.settings.base_url.rstrip('/')}/api/calendars/{text}")


async def feed_since(ctx: Ctx) -> datetime | None:
    """Since when one's secret address holds; None for none. The address itself is not kept."""
    return await ctx.db.fetchval(SINCE, ctx.tenant_id, myself(ctx))


async def end_calendar(ctx: Ctx) -> None:
    """End one's secret address."""
    mine = myself(ctx)
    if await ctx.db.execute(END, ctx.tenant_id, mine):
        ctx.emit(CalendarRenewed(user_id=mine, ended=True), entity=("calendar", mine))


async def read_calendar(ctx: Ctx, *, token: str) -> bytes:
    """The shifts of whose address it is, as text/calendar; FeedUnknown for any address that does not hold."""
    tenant_id, secret = _read_token(token)
    owner = await ctx.db.fetchrow(OWNER, tenant_id, _hash(secret))
    if owner is None:
        raise FeedUnknown
    shifts = await ctx.db.rows(FeedShift, SHIFTS, tenant_id, owner["user_id"], ctx.now - PAST)
    return calendar_text(shifts, title=f"Shifts at {owner['business']}")


def calendar_text(shifts: Sequence[FeedShift], *, title: str) -> bytes:
    """A calendar of shifts: lines of at most 75 octets that end in CRLF."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Last Light//Shifts//EN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_escaped(title)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
    ]
    for shift in shifts:
        lines += _event_lines(shift)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _event_lines(shift: FeedShift) -> list[str]:
    summary = f"{shift.duty} · {shift.venue}" if shift.duty else shift.venue
    lines = [
        "BEGIN:VEVENT",
        f"UID:{shift.id}@lastlight",
        f"DTSTAMP:{_stamp(shift.updated_at)}",
        f"LAST-MODIFIED:{_stamp(shift.updated_at)}",
        f"SEQUENCE:{shift.version}",
        f"DTSTART:{_stamp(shift.starts_at)}",
        f"DTEND:{_stamp(shift.ends_at)}",
        f"SUMMARY:{_escaped(summary)}",
        f"LOCATION:{_escaped(shift.venue)}",
        f"STATUS:{'CANCELLED' if shift.status == 'cancelled' else 'CONFIRMED'}",
    ]
    if shift.note:
        lines.append(f"DESCRIPTION:{_escaped(shift.note)}")
    return [*lines, "END:VEVENT"]


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    """TEXT of RFC 5545 section 3.3.11; other control characters are left out."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    for sign in ("\\", ";", ","):
        plain = plain.replace(sign, f"\\{sign}")
    return "".join(sign for sign in plain.replace("\n", "\\n") if sign.isprintable())


def _folded(line: str) -> bytes:
    """A line with its end; a long one goes on after a space, and no character is cut."""
    parts: list[bytes] = []
    part = b""
    for sign in line:
        encoded = sign.encode()
        room = LINE_OCTETS if not parts else LINE_OCTETS - 1
        if len(part) + len(encoded) > room:
            parts.append(part)
            part = b""
        part += encoded
    return b"\r\n ".join([*parts, part]) + b"\r\n"


def _read_token(text: str) -> tuple[Any, bytes]:
    token = decode_base64url(text)
    if token is None or len(token) != 16 + SECRET_BYTES:
        raise FeedUnknown
    return UUID(bytes=token[:16]), token


def _hash(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
