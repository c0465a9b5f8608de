"""One's own notifications: this browser, one's other devices, and what one wants to be told."""

from uuid import UUID

import msgspec

from lastlight.domains import identity
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, View, page, page_post
from lastlight.runtime.push import NoticeKind
from lastlight.runtime.push.api import try_device
from lastlight.runtime.push.subscriptions import own_subscriptions, remove_subscription

HOME = "/account/notifications"
OWN = "They are one's own notifications."


def kinds_for(ctx: Ctx) -> list[NoticeKind]:
    """What this person is ever told: members by their permissions, guests what concerns guests."""
    guest = ctx.actor.kind == "patron"
    return [
        kind
        for kind in sorted(ctx.services.registry.notices.values(), key=lambda kind: kind.order)
        if (kind.permission is None if guest else kind.permission is not None and ctx.allows(kind.permission))
    ]


class KindsForm(Input, frozen=True, kw_only=True):
    """The kinds that one wants."""

    wanted: list[str] = msgspec.field(default_factory=list[str])


@page(HOME, signed_in=OWN)
async def notifications_page(ctx: Ctx) -> View:
    """Show what one is told, and where."""
    chosen = (await identity.preferences(ctx)).notifications
    return View("account/notifications.html", {"kinds": kinds_for(ctx), "chosen": chosen, "home": HOME})


@page(f"{HOME}/devices", signed_in=OWN, db="system")
async def push_devices(ctx: Ctx) -> View:
    """Show the part of the page that lists one's devices."""
    context = {"devices": await own_subscriptions(ctx), "home": HOME}
    return View("account/notifications_devices.html", context, block="devices")


@page_post(f"{HOME}/kinds", signed_in=OWN, db="system")
async def push_kinds_submit(ctx: Ctx, form: Form[KindsForm]) -> Redirect:
    """Keep which kinds of notice one wants."""
    wanted = set(form.require().wanted)
    chosen = (await identity.preferences(ctx)).notifications
    said = {kind.key: kind.key in wanted for kind in kinds_for(ctx)}
    await identity.change_preferences(ctx, notifications=chosen | said)
    return Redirect(HOME, toast="Saved.")


@page_post(f"{HOME}/{{subscription_id:uuid}}/test", signed_in=OWN, db="system")
async def push_device_try(ctx: Ctx, subscription_id: UUID) -> Redirect:
    """Send one of one's own devices a notice."""
    device = await try_device(ctx, subscription_id=subscription_id)
    return Redirect(HOME, toast=f"It is on its way to {device.label or 'that device'}.")


@page_post(f"{HOME}/{{subscription_id:uuid}}/remove", signed_in=OWN, db="system")
async def push_device_remove(ctx: Ctx, subscription_id: UUID) -> Redirect:
    """Tell nobody through one of one's own devices any more."""
    await remove_subscription(ctx, subscription_id=subscription_id)
    return Redirect(HOME, toast="That device is told nothing any more.")


NOTIFICATION_PAGES = (notifications_page, push_devices, push_kinds_submit, push_device_try, push_device_remove)
