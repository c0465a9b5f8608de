"""Telling people: a notice becomes one staged message for each of their devices, encrypted so that only that device reads it."""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import http_ece  # pyright: ignore[reportMissingTypeStubs] - untyped library
import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from prometheus_client import Counter

from lastlight.kernel.base64url import encode_base64url
from lastlight.kernel.ids import PLATFORM
from lastlight.kernel.money import Money
from lastlight.runtime import clock
from lastlight.runtime.context import Ctx
from lastlight.runtime.jobs.declaration import Retry, job
from lastlight.runtime.jobs.run import RetryLaterError
from lastlight.runtime.outbound import Answered, ForbiddenAddressError, post
from lastlight.runtime.push.keys import PushKey, proof
from lastlight.runtime.push.notice import Notice
from lastlight.runtime.push.subscriptions import PushUnsubscribed
from lastlight.runtime.services import Services
from lastlight.runtime.staged import RefusedError, Stage, Staged, begin
from lastlight.ui.formats import moment, money
from lastlight.ui.reader import known_locale, locale_of, reading_as
from lastlight.ui.translations import gettext

_seal = cast("Callable[..., bytes]", http_ece.encrypt)  # pyright: ignore[reportUnknownMemberType] - untyped library
SECONDS = 10.0
"""How long a push service has to answer."""
LONGEST_PAUSE = 1800.0
MOST_PAYLOAD = 3000
"""Bytes; every push service takes 4096 with what encryption adds."""
SENT = Counter("lastlight_push_total", "Messages to push services, by what became of them.", ["outcome"])

# those whose session lives, whose account stands, and who did not switch the kind off
DEVICES = """
select p.id, coalesce(u.language, t.locale, 'en') as locale
from push_subscriptions p
join sessions s on s.id = p.session_id
join users a on a.id = p.user_id
join tenants t on t.id = p.tenant_id
left join user_preferences u on u.user_id = p.user_id
where p.tenant_id = $1 and p.user_id = any($2) and s.revoked_at is null and s.expires_at > now()
  and (a.status = 'active' or a.status_until <= now()) and a.status <> 'closed' and t.status = 'active'
  and case when s.kind = 'patron'
           then not exists (select from patrons g where g.tenant_id = $1 and g.id = s.patron_id and g.status = 'banned'
                            and coalesce(g.status_until > now(), true))
           else exists (select from memberships m where m.tenant_id = $1 and m.user_id = p.user_id and m.status = 'active') end
  and coalesce((u.notifications ->> $3)::boolean, true)
  and ($4::uuid is null or p.id = $4)
order by p.id
"""
DEVICE = """
select p.endpoint, p.public_key, p.auth, k.id as key_id, k.public_key as our_key, k.sealed
from push_subscriptions p
join push_keys k on k.tenant_id = $3 and k.id = p.key_id
join sessions s on s.id = p.session_id
where p.tenant_id = $1 and p.id = $2 and s.revoked_at is null and s.expires_at > now()
"""
SUCCEEDED = """
update push_subscriptions set last_success_at = now(), last_failure = '', last_failure_at = null where tenant_id = $1 and id = $2
"""
FAILED = "update push_subscriptions set last_failure_at = now(), last_failure = $3 where tenant_id = $1 and id = $2"
DROP = "delete from push_subscriptions where tenant_id = $1 and id = $2 returning user_id"


class Device(msgspec.Struct, frozen=True):
    """A browser to tell, and how its owner reads."""

    id: UUID
    locale: str


class _Target(msgspec.Struct, frozen=True):
    """Where a message goes and whose keys it is made with."""

    endpoint: str
    public_key: bytes
    auth: bytes
    key_id: UUID
    our_key: str
    sealed: bytes


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A notice on its way to the devices of people; its kind is a name, since a job keeps it."""

    kind: str
    title: str
    body: str
    words: dict[str, str]
    amounts: dict[str, Money] = {}
    """Empty in a job that an earlier release queued."""
    moments: dict[str, datetime]
    zone: str
    url: str
    tag: str
    urgency: str
    silent: bool
    stays: bool
    expires_at: datetime


async def notify(ctx: Ctx, *, people: Iterable[UUID], notice: Notice, key: str, device_id: UUID | None = None) -> None:
    """Tell people something on every device of theirs, or on one of them, once this transaction is committed.

    Who switched that kind off, or has no device, is left out. The same `key` tells the same device once, however often it is asked.
    """
    chosen = sorted({UUID(str(person)) for person in people})
    if not chosen:
        return
    spread = Spread(
        kind=notice.kind.key,
        expires_at=ctx.now + timedelta(seconds=notice.seconds),
        # a worker of the release before knows words only
        words=notice.words | {name: str(amount) for name, amount in notice.amounts.items()},
        **{name: getattr(notice, name) for name in _SAME},
    )
    await ctx.enqueue(
        spread_notice, people=chosen, spread=msgspec.to_builtins(spread), occasion=key, device_id=device_id
    )


_SAME = ("title", "body", "amounts", "moments", "zone", "url", "tag", "urgency", "silent", "stays")


@job("push.spread", role="system", retry=Retry(attempts=8, backoff=1.0))
async def spread_notice(
    ctx: Ctx, people: list[UUID], spread: Spread, occasion: str, device_id: UUID | None = None
) -> None:
    """Write one message for each device of the people who are told."""
    devices = await ctx.db.rows(Device, DEVICES, ctx.tenant_id, people, spread.kind, device_id)
    for device in devices:
        intent = {
            "subscription_id": device.id,
            "payload": payload(spread, device),
            "urgency": spread.urgency,
            "topic": encode_base64url(sha256(f"{ctx.tenant_id}/{spread.tag}".encode()).digest()[:24]),
            "expires_at": spread.expires_at,
        }
        await begin(ctx, DELIVER, key=f"{occasion}/{device.id}", intent=intent)


def payload(spread: Spread, device: Device) -> dict[str, Any]:
    """What the service worker shows, in the reader's language."""
    locale = device.locale if known_locale(device.locale) else "en"
    with reading_as(locale=locale_of(device.locale), zone=spread.zone):
        amounts = {name: money(value.amount, value.currency) for name, value in spread.amounts.items()}
        moments = {name: moment(value, "short") for name, value in spread.moments.items()}
        given = spread.words | amounts | moments
        title, body = (gettext(text).format_map(given) if text else "" for text in (spread.title, spread.body))
    return {
        "title": title[:120],
        "body": body[:300],
        "url": spread.url,
        "tag": spread.tag,
        "kind": spread.kind,
        "silent": spread.silent,
        "stays": spread.stays,
        "lang": locale,
    }


async def _call(services: Services, staged: Staged) -> dict[str, str]:
    row = await services.pools.system.fetchrow(
        DEVICE, staged.tenant_id, UUID(staged.intent["subscription_id"]), PLATFORM
    )
    if row is None:
        return _became("gone")  # signed out, or switched off meanwhile
    target = msgspec.convert(dict(row), _Target)
    left = (datetime.fromisoformat(staged.intent["expires_at"]) - clock.moment()).total_seconds()
    if left <= 0:
        raise RefusedError("It was not worth telling any more.")
    body = encrypt(msgspec.json.encode(staged.intent["payload"]), public_key=target.public_key, auth=target.auth)
    key = PushKey(id=target.key_id, public_key=target.our_key, sealed=target.sealed)
    headers = {
        "Authorization": proof(services, key, target.endpoint),
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(int(left)),
        "Urgency": staged.intent["urgency"],
        "Topic": staged.intent["topic"],
    }
    try:
        private = services.settings.private_calls
        answer = await post(target.endpoint, body=body, headers=headers, seconds=SECONDS, private=private)
    except ForbiddenAddressError as error:
        return _became("gone", f"The push service's address is not a public one. {error}")
    except (httpx.HTTPError, TimeoutError, OSError) as error:
        SENT.labels("unreachable").inc()
        raise RetryLaterError(f"The push service did not answer: {type(error).__name__}.", seconds=None) from error
    return _judge(answer, left)


def encrypt(plain: bytes, *, public_key: bytes, auth: bytes) -> bytes:
    """A message that only the browser with the keys can read (RFC 8291, aes128gcm in one record)."""
    if len(plain) > MOST_PAYLOAD:
        raise RefusedError("The notice is too long for a push message.")
    own = ec.generate_private_key(ec.SECP256R1())
    return _seal(plain, private_key=own, dh=public_key, auth_secret=auth, version="aes128gcm")


def _judge(answer: Answered, left: float) -> dict[str, str]:
    status = answer.status
    if 200 <= status < 300:
        return _became("sent")
    if status in {404, 410}:
        return _became("gone", "The browser is gone.")
    said = f"The push service answered {status}."
    if status in {408, 425, 429} or status >= 500:
        SENT.labels("later").inc()
        pause = retry_after(answer.headers.get("retry-after", ""))
        if pause is not None and pause >= left:
            raise RefusedError(f"{said} It will take messages again only when this one is over.")
        raise RetryLaterError(said, seconds=pause)
    SENT.labels("refused").inc()
    raise RefusedError(said)


def retry_after(text: str) -> float | None:
    """The seconds that a Retry-After header asks for, at most half an hour; None without one that can be read."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), LONGEST_PAUSE) if math.isfinite(seconds) else None


def _became(outcome: str, why: str = "") -> dict[str, str]:
    SENT.labels(outcome).inc()
    return {"outcome": outcome, "why": why}


async def _apply(ctx: Ctx, staged: Staged, result: Any) -> None:
    subscription_id = UUID(staged.intent["subscription_id"])
    if result["outcome"] == "sent":
        await ctx.db.execute(SUCCEEDED, ctx.tenant_id, subscription_id)
        return
    user_id = await ctx.db.fetchval(DROP, ctx.tenant_id, subscription_id)
    if user_id is not None:
        why = result["why"] or "signed out"
        ctx.emit(
            PushUnsubscribed(subscription_id=subscription_id, user_id=user_id, why=why),
            entity=("push_subscription", subscription_id),
            reason=why,
        )


async def _given_up(ctx: Ctx, staged: Staged, error: str) -> None:
    await ctx.db.execute(FAILED, ctx.tenant_id, UUID(staged.intent["subscription_id"]), error[:300])


DELIVER = Stage(
    kind="push.deliver",
    call=_call,
    apply=_apply,
    given_up=_given_up,
    role="system",
    retry=Retry(attempts=10, backoff=1.0, most=600.0),
    again=True,
    timeout=SECONDS + 20,
)
