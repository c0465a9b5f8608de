"""The browsers that somebody is told through: added, listed, removed by their owner."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from lastlight.kernel.base64url import decode_base64url
from lastlight.kernel.errors import Invalid, NotFound, NotPermitted, NotSignedIn
from lastlight.kernel.events import Event
from lastlight.kernel.ids import PLATFORM, uuid7
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input
from lastlight.runtime.outbound import ForbiddenAddressError, check_address
from lastlight.runtime.push.keys import current_key

MOST_DEVICES = 20
"""A person's oldest device goes when another one comes."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class SubscriptionKeys(Input, frozen=True, kw_only=True):
    """The browser's keys, as `PushSubscription.toJSON()` gives them."""

    p256dh: Text
    auth: Text


class SubscriptionIn(Input, frozen=True, kw_only=True):
    """A browser's subscription, as `PushSubscription.toJSON()` gives it, with the key that it was made with."""

    endpoint: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    keys: SubscriptionKeys
    application_server_key: Text
    """The platform's public key that the browser subscribed with."""


class SubscriptionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that one is told through. `outdated`: it subscribed with a key that was replaced, and should do so again."""

    id: UUID
    label: str
    created_at: datetime
    last_success_at: datetime | None
    last_failure_at: datetime | None
    last_failure: str
    current: bool
    """It is the browser of this session."""
    outdated: bool


class SubscriptionsOut(msgspec.Struct, frozen=True):
    """One's own devices, the newest first."""

    items: list[SubscriptionOut]


class PushSubscribed(Event, frozen=True, kw_only=True):
    """Somebody wants to be told through a browser."""

    event_name: ClassVar[str] = "push.subscribed"
    subscription_id: UUID
    user_id: UUID


class PushUnsubscribed(Event, frozen=True, kw_only=True):
    """Nobody is told through a browser any more: its owner said so, or the browser is gone."""

    event_name: ClassVar[str] = "push.unsubscribed"
    subscription_id: UUID
    user_id: UUID
    why: str


OWN = """
select p.id, p.label, p.created_at, p.last_success_at, p.last_failure_at, p.last_failure, p.session_id = $3 as current,
       k.retired_at is not null as outdated
from push_subscriptions p
join sessions s on s.id = p.session_id
join push_keys k on k.tenant_id = $4 and k.id = p.key_id
where p.tenant_id = $1 and p.user_id = $2 and s.revoked_at is null and s.expires_at > now()
order by p.created_at desc, p.id desc
limit 100
"""
KEY = "select id from push_keys where tenant_id = $1 and public_key = $2 for key share"
# every tenant: a browser is one person's at a time, wherever it was signed in before
TAKE_OVER = """
delete from push_subscriptions where tenant_id is not null and endpoint = $1 and (tenant_id, user_id) is distinct from ($2, $3)
returning tenant_id, id, user_id
"""
ADD = """
insert into push_subscriptions (tenant_id, id, user_id, session_id, key_id, endpoint, public_key, auth, label)
values ($1, $2, $3, $4, $5, $6, $7, $8, (select label from sessions where id = $4))
on conflict (tenant_id, endpoint) do update
set session_id = excluded.session_id, key_id = excluded.key_id, public_key = excluded.public_key, auth = excluded.auth, label = excluded.label
returning id, xmax = 0 as added
"""
TRIM = """
delete from push_subscriptions where tenant_id = $1 and user_id = $2 and id not in (
    select id from push_subscriptions where tenant_id = $1 and user_id = $2 order by updated_at desc, id desc limit $3)
returning tenant_id, id, user_id
"""
REMOVE = """
delete from push_subscriptions where tenant_id = $1 and user_id = $2 and id = $3 returning tenant_id, id, user_id
"""
OF_SESSION = "delete from push_subscriptions where tenant_id = $1 and session_id = $2 returning tenant_id, id, user_id"
OF_LEAVER = """
delete from push_subscriptions p where p.tenant_id = $1 and p.user_id = $2
  and not exists (select from memberships m where m.tenant_id = $1 and m.user_id = $2 and m.status = 'active')
  and not exists (select from sessions s where s.id = p.session_id and s.kind = 'patron')
returning tenant_id, id, user_id
"""


async def add_subscription(ctx: Ctx, *, data: SubscriptionIn) -> SubscriptionOut:
    """Tell somebody through a browser from now on; the same browser is kept once. Needs a transaction of the system.

    Raises Invalid for an address that cannot be a push service's, for keys that are none, for a key of ours that is not.
    """
    user_id, session_id = _who(ctx)
    try:
        check_address(data.endpoint, private=ctx.services.settings.private_calls)
    except ForbiddenAddressError as error:
        raise Invalid(fields={"endpoint": str(error)}) from error
    point, auth = _point(data.keys.p256dh), _bytes(data.keys.auth, 16, "keys.auth")
    await current_key(ctx)
    key_id = await ctx.db.fetchval(KEY, PLATFORM, data.application_server_key.rstrip("="))
    if key_id is None:
        raise Invalid(fields={"application_server_key": "Subscribe with the key that GET /api/push/key gives."})
    for row in await ctx.db.fetch(TAKE_OVER, data.endpoint, ctx.tenant_id, user_id):
        _gone(ctx, row, "another person uses the browser")
    row = await ctx.db.fetchrow(ADD, ctx.tenant_id, uuid7(), user_id, session_id, key_id, data.endpoint, point, auth)
    assert row is not None, "it was written in this statement"
    if row["added"]:
        ctx.emit(PushSubscribed(subscription_id=row["id"], user_id=user_id), entity=("push_subscription", row["id"]))
    for old in await ctx.db.fetch(TRIM, ctx.tenant_id, user_id, MOST_DEVICES):
        _gone(ctx, old, "too many devices")
    return next(kept for kept in await own_subscriptions(ctx) if kept.id == row["id"])


async def own_subscriptions(ctx: Ctx) -> list[SubscriptionOut]:
    """One's own devices in this place, the newest first. Needs a transaction of the system."""
    return await ctx.db.rows(SubscriptionOut, OWN, ctx.tenant_id, ctx.actor.user_id, ctx.actor.session_id, PLATFORM)


async def remove_subscription(ctx: Ctx, *, subscription_id: UUID) -> None:
    """Tell nobody through one of one's own devices any more; NotFound when it is none. Needs a transaction of the system."""
    row = await ctx.db.fetchrow(REMOVE, ctx.tenant_id, ctx.actor.user_id, subscription_id)
    if row is None:
        raise NotFound
    _gone(ctx, row, "switched off")


async def drop_of_session(ctx: Ctx, *, session_id: UUID) -> None:
    """Forget the devices of a session that has ended. Needs a transaction of the system."""
    for row in await ctx.db.fetch(OF_SESSION, ctx.tenant_id, session_id):
        _gone(ctx, row, "signed out")


async def drop_of_leaver(ctx: Ctx, *, user_id: UUID) -> None:
    """Forget the devices of somebody who works here no more, unless they are a guest's. Needs a transaction of the system."""
    for row in await ctx.db.fetch(OF_LEAVER, ctx.tenant_id, user_id):
        _gone(ctx, row, "left the business")


def _gone(ctx: Ctx, row: Any, why: str) -> None:
    ctx.emit(
        PushUnsubscribed(subscription_id=row["id"], user_id=row["user_id"], why=why),
        entity=("push_subscription", row["id"]),
        tenant_id=row["tenant_id"],
        reason=why,
    )


def _who(ctx: Ctx) -> tuple[UUID, UUID]:
    """Whom the session makes somebody to tell: a member or a guest of a business, or the platform's crew at home."""
    actor = ctx.actor
    if actor.user_id is None or actor.session_id is None:
        raise NotSignedIn
    if actor.looking is not None or actor.kind == "guest" or (actor.kind == "crew" and ctx.tenant_id != PLATFORM):
        raise NotPermitted("Sign in at the business whose notifications you want.")
    return actor.user_id, actor.session_id


def _point(text: str) -> bytes:
    raw = _bytes(text, 65, "keys.p256dh")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
    except ValueError:
        raise Invalid(fields={"keys.p256dh": "Give the browser's public key (p256dh)."}) from None
    return raw


def _bytes(text: str, length: int, field: str) -> bytes:
    raw = decode_base64url(text)
    if raw is None or len(raw) != length:
        raise Invalid(fields={field: f"Give {length} bytes in base64url, as the browser does."})
    return raw
