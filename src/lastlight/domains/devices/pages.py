"""Devices on screens: the fleet over all venues and of one, its alerts, a new device and its one-time code."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.devices import alerts, door_rules, enrolment, queries
from lastlight.domains.devices.listings import CREW_DEVICES, DEVICE_ALERTS, DEVICES, HEARTBEATS
from lastlight.domains.devices.model import DeviceIn, DeviceKind, DoorRulesIn, EnrolmentCode
from lastlight.domains.devices.permissions import DEVICES_MANAGE, DEVICES_READ
from lastlight.domains.venues import chosen_venue, find_venue, listed, qr_svg, standing_venues
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post
from lastlight.runtime.http.listing import TableView

EVENTS = [
    "device.added",
    "device.enrolled",
    "device.updated",
    "device.revoked",
    "device.answered",
    "device.alert_raised",
    "device.alert_cleared",
]
ALERT_EVENTS = ["device.alert_raised", "device.alert_cleared", "device.alert_acknowledged"]
COUNT_EVENTS = ("device.alert_raised", "device.alert_cleared")


class NewQuery(Input, frozen=True, kw_only=True):
    """The venue that the new device is for."""

    venue_id: VenueId | None = None


class DeviceForm(Input, frozen=True, kw_only=True):
    """A new device."""

    venue_id: str = ""
    name: Annotated[str, msgspec.Meta(max_length=80)] = ""
    kind: DeviceKind = "scanner"


class RulesForm(Input, frozen=True, kw_only=True):
    """What the venue asks at its door."""

    devices_only: bool = False


def fleet_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of the fleet inside one console, such as /manage."""
    home = f"{prefix}/devices"

    @page(home, permission=DEVICES_READ, listing=DEVICES)
    async def devices_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """Show the fleet at a glance, and list its devices."""
        picked = chosen_venue(request)
        mine = {venue.id for venue in await standing_venues(ctx, permission=DEVICES_READ)}
        fleet = await queries.read_fleet(ctx, venue_id=picked if picked in mine else None)
        shown = await listed(ctx, request=request, listing=DEVICES, query=query, home=home)
        context = {"fleet": fleet, "sums": queries.sum_up(fleet), "events": EVENTS, "prefix": prefix}
        return View("devices/devices.html", {**shown, **context, "open_alerts": await queries.count_open_alerts(ctx)})

    @page(f"{home}/alerts", permission=DEVICES_READ, listing=DEVICE_ALERTS)
    async def device_alerts_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List the alerts of devices."""
        shown = await listed(ctx, request=request, listing=DEVICE_ALERTS, query=query, home=f"{home}/alerts")
        context = {"fleet_home": home, "events": ALERT_EVENTS, "open_alerts": await queries.count_open_alerts(ctx)}
        return View("devices/alerts.html", {**shown, **context})

    @page_post(f"{home}/alerts/{{device_alert_id:uuid}}/acknowledgement", permission=DEVICES_MANAGE)
    async def device_alert_submit(ctx: Ctx, device_alert_id: UUID) -> Redirect:
        """Take note of a device's alert."""
        await alerts.acknowledge_alert(ctx, alert_id=device_alert_id)
        return Redirect(f"{home}/alerts?open=true", toast="You see to it.")

    return (
        devices_page,
        device_alerts_page,
        device_alert_submit,
        _heartbeats_page(home),
        *_new_pages(home),
        *_venue_pages(prefix),
    )


def _heartbeats_page(home: str) -> Operation:
    @page(f"{home}/heartbeats", permission=DEVICES_READ, listing=HEARTBEATS)
    async def heartbeats_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List what devices said of themselves; a device's own page leads here with its filter."""
        shown = await listed(ctx, request=request, listing=HEARTBEATS, query=query, home=f"{home}/heartbeats")
        devices = await queries.device_choices(ctx)
        choices = shown["choices"] | {"device_id": devices}
        return View("devices/heartbeats.html", {**shown, "choices": choices, "fleet_home": home})

    return heartbeats_page


def _new_pages(home: str) -> tuple[Operation, ...]:
    @page(f"{home}/new", permission=DEVICES_MANAGE)
    async def device_new_page(ctx: Ctx, query: NewQuery, request: RequestInfo) -> View:
        """Ask for a new device."""
        picked = str(query.venue_id or chosen_venue(request) or "")
        return View("devices/new.html", await blank(ctx) | {"picked": picked})

    async def blank(ctx: Ctx) -> dict[str, Any]:
        return {"home": home, "venues": await venue_choices(ctx), "picked": ""}

    @page_post(f"{home}/new", permission=DEVICES_MANAGE, secret=True, form_page="devices/new.html", form_context=blank)
    async def device_new_submit(ctx: Ctx, form: Form[DeviceForm]) -> View:
        """Put a device on a venue's list, and show its one-time code this once."""
        data = form.require()
        device = DeviceIn(venue_id=chosen_id(data.venue_id), name=data.name, kind=data.kind)
        return code_view(ctx, issued=await enrolment.add_device(ctx, data=device), home=home)

    return (device_new_page, device_new_submit)


def _venue_pages(prefix: str) -> tuple[Operation, ...]:
    one = f"{prefix}/venues/{{venue_id:uuid}}"

    async def facts(ctx: Ctx, *, venue_id: UUID, query: Any = None) -> dict[str, Any]:
        venue = await find_venue(ctx, venue_id=venue_id, permission=DEVICES_READ)
        query = msgspec.structs.replace(query or DEVICES.query_type(), venue_id=[venue_id])
        fleet = await queries.read_fleet(ctx, venue_id=venue_id)
        return {
            "venue": venue,
            "home": f"{prefix}/venues",
            "prefix": prefix,
            "view": _of_venue(await DEVICES.view(ctx, query)),
            "paged": bool(query.after),
            "sums": queries.sum_up(fleet),
            "rules": await door_rules.read_door_rules(ctx, venue_id=venue_id),
            "events": EVENTS,
            "history": await entity_history(ctx, entity="venue", entity_id=venue_id),
        }

    @page(f"{one}/devices", permission=DEVICES_READ, listing=DEVICES)
    async def venue_devices_page(ctx: Ctx, venue_id: VenueId, query: Any) -> View:
        """Show a venue's devices, and what it asks at its door."""
        return View("devices/venue.html", await facts(ctx, venue_id=venue_id, query=query))

    @page_post(f"{one}/door-rules", permission=DEVICES_MANAGE, form_page="devices/venue.html", form_context=facts)
    async def door_rules_submit(ctx: Ctx, venue_id: VenueId, form: Form[RulesForm]) -> Redirect:
        """Let guests in by the venue's own scanners only, or by its codes too."""
        data = DoorRulesIn(devices_only=form.require().devices_only)
        rules = await door_rules.set_door_rules(ctx, venue_id=venue_id, data=data)
        said = "Only its scanners let guests in now." if rules.devices_only else "Codes let guests in, too."
        return Redirect(f"{prefix}/venues/{venue_id}/devices", toast=said)

    return (venue_devices_page, door_rules_submit)


@page("/platform/devices", permission=DEVICES_READ, db="platform", listing=CREW_DEVICES)
async def crew_devices_page(ctx: Ctx, query: Any) -> View:
    """Show the hardware of all businesses."""
    fleet = await queries.read_all_fleets(ctx)
    context: dict[str, Any] = {
        "view": await CREW_DEVICES.view(ctx, query),
        "home": "/platform/devices",
        "paged": bool(query.after),
        "choices": {"tenant_id": [(str(each.tenant_id), each.tenant) for each in fleet]},
        "fleet": fleet,
        "sums": queries.sum_up(fleet),
    }
    return View("devices/crew.html", context)


def _of_venue(view: TableView[Any]) -> TableView[Any]:
    """A list that is of one venue anyway: without the column and the filter that would say so."""
    return replace(
        view,
        headers=[header for header in view.headers if header.name != "venue"],
        filters=[each for each in view.filters if each.name != "venue_id"],
    )


def code_view(ctx: Ctx, *, issued: EnrolmentCode, home: str) -> View:
    """The one-time code as text and as QR, shown this once; the QR opens the scanner with the code."""
    address = f"{ctx.services.settings.base_url}/staff/door#{issued.code}"
    facts = {"device": issued.device, "code": issued.code, "expires_at": issued.expires_at, "home": home}
    return View("devices/code.html", facts | {"svg": qr_svg(address)}, headers={"Cache-Control": "no-store"})


async def venue_choices(ctx: Ctx) -> list[tuple[str, str]]:
    """The venues whose devices the actor manages, for a select."""
    return [(str(venue.id), venue.name) for venue in await standing_venues(ctx, permission=DEVICES_MANAGE)]


def chosen_id(text: str) -> VenueId:
    """The venue that a form names; Invalid at its field when it names none."""
    try:
        return VenueId(UUID(text))
    except ValueError:
        raise Invalid(fields={"venue_id": "Choose the venue where the device stands."}) from None
