"""One device on screens: how it is, what it said, and what people do about it."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.devices import actions, alerts, enrolment, queries
from lastlight.domains.devices.listings import HEARTBEATS
from lastlight.domains.devices.model import Device, DeviceChange, RevokeIn
from lastlight.domains.devices.pages import chosen_id, code_view, venue_choices
from lastlight.domains.devices.permissions import DEVICES_MANAGE, DEVICES_READ
from lastlight.domains.venues import read_venue, read_wall_clock
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, View, page, page_post

Reason = Annotated[str, msgspec.Meta(max_length=500)]
STORY_EVENTS = [
    "device.updated",
    "device.revoked",
    "device.enrolled",
    "device.code_issued",
    "device.pinged",
    "device.answered",
    "device.alert_raised",
    "device.alert_cleared",
    "device.alert_acknowledged",
]
SHOWN_BEATS = 10
DRAWN_BEATS = 60


class ChangeForm(Input, frozen=True, kw_only=True):
    """The device's name and venue, and the version that was read."""

    name: Annotated[str, msgspec.Meta(max_length=80)] = ""
    venue_id: str = ""
    version: int


class MaintenanceForm(Input, frozen=True, kw_only=True):
    """Why the device is set aside, until when on the venue's clock, and the version that was read."""

    reason: Reason = ""
    until: Annotated[str, msgspec.Meta(max_length=40)] = ""
    version: int


class VersionForm(Input, frozen=True, kw_only=True):
    """The version that was read."""

    version: int


class RevokeForm(Input, frozen=True, kw_only=True):
    """Why the device is revoked."""

    reason: Reason = ""


def device_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of one device inside one console, such as /manage."""
    home = f"{prefix}/devices"
    one = f"{home}/{{device_id:uuid}}"

    @page(one, permission=DEVICES_READ)
    async def device_page(ctx: Ctx, device_id: UUID) -> View:
        """Show one device."""
        device = await queries.find_device(ctx, device_id=device_id)
        beats = (
            await queries.read_heartbeats(ctx, device_id=device_id, query=HEARTBEATS.parse(limit=DRAWN_BEATS))
        ).items
        told = [beat.battery for beat in reversed(beats) if beat.battery is not None]
        context: dict[str, Any] = {
            **_base(device, home),
            "beats": beats[:SHOWN_BEATS],
            "batteries": told,
            "alerts": await alerts.alerts_of(ctx, device_id=device_id),
            "may_manage": ctx.allows(DEVICES_MANAGE, device.venue_id) and device.status != "revoked",
            "answer_seconds": _answer(device),
            "events": STORY_EVENTS,
            "history": await entity_history(ctx, entity="device", entity_id=device_id),
        }
        return View("devices/device.html", context)

    @page_post(f"{one}/ping", permission=DEVICES_MANAGE)
    async def device_ping_submit(ctx: Ctx, device_id: UUID) -> Redirect:
        """Ask whether a device hears."""
        await actions.ping_device(ctx, device_id=device_id)
        return Redirect(f"{home}/{device_id}", toast="Asked. Its next heartbeat answers.")

    return (device_page, device_ping_submit, *_code_pages(home, one), *_change_pages(home, one), *_end_pages(home, one))


def _code_pages(home: str, one: str) -> tuple[Operation, ...]:
    async def same(ctx: Ctx, *, device_id: UUID) -> dict[str, Any]:
        return _base(await queries.find_device(ctx, device_id=device_id), home)

    @page(f"{one}/code", permission=DEVICES_MANAGE)
    async def device_code_dialog(ctx: Ctx, device_id: UUID) -> View:
        """Ask whether to make a new one-time code."""
        return View("devices/new_code.html", await same(ctx, device_id=device_id), block="dialog")

    @page_post(f"{one}/code", permission=DEVICES_MANAGE, secret=True)
    async def device_code_submit(ctx: Ctx, device_id: UUID) -> View:
        """Make a new one-time code, and show it this once."""
        return code_view(ctx, issued=await enrolment.issue_code(ctx, device_id=device_id), home=home)

    return (device_code_dialog, device_code_submit)


def _change_pages(home: str, one: str) -> tuple[Operation, ...]:
    async def same(ctx: Ctx, *, device_id: UUID) -> dict[str, Any]:
        device = await queries.find_device(ctx, device_id=device_id)
        return {**_base(device, home), "venues": await venue_choices(ctx)}

    @page(f"{one}/change", permission=DEVICES_MANAGE)
    async def device_change_dialog(ctx: Ctx, device_id: UUID) -> View:
        """Ask for a device's name and venue."""
        return View("devices/change.html", await same(ctx, device_id=device_id), block="dialog")

    @page_post(
        f"{one}/change",
        permission=DEVICES_MANAGE,
        form_page="devices/change.html",
        form_block="dialog",
        form_context=same,
    )
    async def device_change_submit(ctx: Ctx, device_id: UUID, form: Form[ChangeForm]) -> Redirect:
        """Rename a device, or move it to another venue."""
        data = form.require()
        change = DeviceChange(name=data.name, venue_id=chosen_id(data.venue_id))
        device = await actions.change_device(ctx, device_id=device_id, data=change, version=data.version)
        return Redirect(f"{home}/{device_id}", toast=f"{device.name} belongs to {device.venue}.")

    return (device_change_dialog, device_change_submit)


def _end_pages(home: str, one: str) -> tuple[Operation, ...]:
    async def same(ctx: Ctx, *, device_id: UUID) -> dict[str, Any]:
        return _base(await queries.find_device(ctx, device_id=device_id), home)

    @page(f"{one}/maintenance", permission=DEVICES_MANAGE)
    async def device_maintenance_dialog(ctx: Ctx, device_id: UUID) -> View:
        """Ask why a device is set aside, and until when."""
        return View("devices/maintenance.html", await same(ctx, device_id=device_id), block="dialog")

    @page_post(
        f"{one}/maintenance",
        permission=DEVICES_MANAGE,
        form_page="devices/maintenance.html",
        form_block="dialog",
        form_context=same,
    )
    async def device_maintenance_submit(ctx: Ctx, device_id: UUID, form: Form[MaintenanceForm]) -> Redirect:
        """Set a device aside for maintenance."""
        data = form.require()
        until = await _until(ctx, device_id, data.until)
        change = DeviceChange(maintenance=True, maintenance_reason=data.reason, maintenance_until=until)
        await actions.change_device(ctx, device_id=device_id, data=change, version=data.version)
        return Redirect(f"{home}/{device_id}", toast="It is set aside.")

    @page_post(f"{one}/maintenance/end", permission=DEVICES_MANAGE)
    async def device_maintenance_end(ctx: Ctx, device_id: UUID, form: Form[VersionForm]) -> Redirect:
        """End a device's maintenance."""
        change = DeviceChange(maintenance=False)
        await actions.change_device(ctx, device_id=device_id, data=change, version=form.require().version)
        return Redirect(f"{home}/{device_id}", toast="It is back at work.")

    @page(f"{one}/revocation", permission=DEVICES_MANAGE)
    async def device_revocation_dialog(ctx: Ctx, device_id: UUID) -> View:
        """Ask whether a device is to be revoked."""
        return View("devices/revocation.html", await same(ctx, device_id=device_id), block="dialog")

    @page_post(
        f"{one}/revocation",
        permission=DEVICES_MANAGE,
        form_page="devices/revocation.html",
        form_block="dialog",
        form_context=same,
    )
    async def device_revocation_submit(ctx: Ctx, device_id: UUID, form: Form[RevokeForm]) -> Redirect:
        """Revoke a device, with a reason."""
        device = await actions.revoke_device(ctx, device_id=device_id, data=RevokeIn(reason=form.require().reason))
        return Redirect(f"{home}/{device_id}", toast=f"{device.name} is revoked: nothing that it signs counts.")

    return (
        device_maintenance_dialog,
        device_maintenance_submit,
        device_maintenance_end,
        device_revocation_dialog,
        device_revocation_submit,
    )


async def _until(ctx: Ctx, device_id: UUID, text: str) -> datetime | None:
    """The end that was typed, on the clock of the device's venue."""
    if not text.strip():
        return None
    device = await queries.find_device(ctx, device_id=device_id)
    venue = await read_venue(ctx, venue_id=device.venue_id)
    return read_wall_clock(text, venue.zone, field="until")


def _base(device: Device, home: str) -> dict[str, Any]:
    return {"device": device, "home": home, "health": _health(device)}


def _health(device: Device) -> str:
    """How a device is, in the words of the list's column."""
    if device.status != "active":
        return device.status
    if device.maintenance:
        return "maintenance"
    if device.offline:
        return "offline"
    return "battery_low" if device.battery_low else "good"


def _answer(device: Device) -> float | None:
    if device.pinged_at is None or device.answered_at is None:
        return None
    return (device.answered_at - device.pinged_at).total_seconds()
