"""The edges of Web Push: the key to subscribe with, one's own devices, a notice to try one out."""

from typing import Annotated, ClassVar
from uuid import UUID

import msgspec

from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.kernel.events import Event
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input, delete, get, post
from lastlight.runtime.push.deliver import notify
from lastlight.runtime.push.keys import (
    PUSH_MANAGE,
    PushKeyCurrent,
    PushKeyOut,
    RetiredOut,
    current_key,
    list_keys,
    replace_key,
    retire_key,
)
from lastlight.runtime.push.notice import Notice, NoticeKind
from lastlight.runtime.push.subscriptions import (
    SubscriptionIn,
    SubscriptionOut,
    SubscriptionsOut,
    add_subscription,
    own_subscriptions,
    remove_subscription,
)

OWN = "It is one's own device."
TRIAL = NoticeKind(key="trial", label="Trial", description="What one sends oneself to try a device out.")


class KeyOut(msgspec.Struct, frozen=True):
    """The platform's public key, as a browser's `applicationServerKey`: base64url without padding."""

    key: str


class KeysOut(msgspec.Struct, frozen=True):
    """The platform's keys, the current one first."""

    items: list[PushKeyOut]


class RetirementIn(Input, frozen=True, kw_only=True):
    """Why a key is destroyed."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class TrialSent(Event, frozen=True, kw_only=True):
    """Somebody tried one of their devices out."""

    event_name: ClassVar[str] = "push.trial_sent"
    subscription_id: UUID


@get("/api/push/key", public="A public key says nothing of anybody.", db="system")
async def read_push_key(ctx: Ctx) -> KeyOut:
    """The key to subscribe a browser with."""
    return KeyOut((await current_key(ctx)).public_key)


@post("/api/admin/push/key", permission=PUSH_MANAGE, status=201, db="system")
async def replace_push_key(ctx: Ctx) -> KeyOut:
    """Subscribe browsers with a new key from now on; devices move over when they are next opened."""
    return KeyOut((await replace_key(ctx)).public_key)


@get("/api/admin/push/keys", permission=PUSH_MANAGE, db="system")
async def list_push_keys(ctx: Ctx) -> KeysOut:
    """List the platform's keys by their public halves, with how many devices are told under each."""
    return KeysOut(await list_keys(ctx))


@post(
    "/api/admin/push/keys/{key_id:uuid}/retirement",
    permission=PUSH_MANAGE,
    status=200,
    db="system",
    raises=[Invalid, NotFound, PushKeyCurrent],
)
async def retire_push_key(ctx: Ctx, key_id: UUID, data: RetirementIn) -> RetiredOut:
    """Destroy an earlier key at once, as after a leak; its devices are told again once they are next opened."""
    return await retire_key(ctx, key_id=key_id, reason=data.reason)


@get("/api/me/push-subscriptions", signed_in=OWN, db="system")
async def list_push_subscriptions(ctx: Ctx) -> SubscriptionsOut:
    """List the devices one is told through."""
    return SubscriptionsOut(await own_subscriptions(ctx))


@post("/api/me/push-subscriptions", signed_in=OWN, status=201, db="system", raises=[Invalid, NotPermitted])
async def add_push_subscription(ctx: Ctx, data: SubscriptionIn) -> SubscriptionOut:
    """Be told through this browser; the same browser again is the same device."""
    return await add_subscription(ctx, data=data)


@delete("/api/me/push-subscriptions/{subscription_id:uuid}", signed_in=OWN, db="system", raises=[NotFound])
async def remove_push_subscription(ctx: Ctx, subscription_id: UUID) -> None:
    """Be told through one of one's own devices no more."""
    await remove_subscription(ctx, subscription_id=subscription_id)


@post(
    "/api/me/push-subscriptions/{subscription_id:uuid}/test", signed_in=OWN, status=202, db="system", raises=[NotFound]
)
async def try_push_subscription(ctx: Ctx, subscription_id: UUID) -> SubscriptionOut:
    """Send one of one's own devices a notice, to see that it arrives."""
    return await try_device(ctx, subscription_id=subscription_id)


async def try_device(ctx: Ctx, *, subscription_id: UUID) -> SubscriptionOut:
    """Send one of one's own devices a notice; NotFound when it is none. Needs a transaction of the system."""
    device = next((kept for kept in await own_subscriptions(ctx) if kept.id == subscription_id), None)
    if device is None or ctx.actor.user_id is None:
        raise NotFound
    home = "/patron/profile" if ctx.actor.kind == "patron" else "/account/notifications"
    notice = Notice(
        kind=TRIAL,
        title="Notifications work",
        body="This device hears from Last Light.",
        url=home,
        tag="trial",
        urgency="high",
        seconds=600,
    )
    ctx.emit(TrialSent(subscription_id=device.id), entity=("push_subscription", device.id))
    key = f"trial/{ctx.request_id or ctx.now.isoformat()}"
    await notify(ctx, people=[ctx.actor.user_id], notice=notice, key=key, device_id=device.id)
    return device


ROUTES = (
    read_push_key,
    replace_push_key,
    list_push_keys,
    retire_push_key,
    list_push_subscriptions,
    add_push_subscription,
    remove_push_subscription,
    try_push_subscription,
)
