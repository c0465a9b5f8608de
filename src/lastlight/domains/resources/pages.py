"""Games, rooms and tables on screens: the list, one of them with its bookings and its story, and how it stands."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.resources import actions, queries
from lastlight.domains.resources.forms import (
    ResourceForm,
    form_errors,
    of_resource,
    to_resource,
    to_resource_change,
)
from lastlight.domains.resources.listings import BOOKINGS, RESOURCES
from lastlight.domains.resources.model import ResourceStatus
from lastlight.domains.resources.permissions import BOOKINGS_READ, RESOURCES_MANAGE, RESOURCES_READ, RESOURCES_STATUS
from lastlight.domains.venues import chosen_venue, find_venue, standing_venues
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import ResourceId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

RESOURCE_EVENTS = ["resource.created", "resource.updated", "resource.status_changed"]
AHEAD = 8
ON_THE_FLOOR = "/staff"
"""Where things are looked up and reported, not set up."""


class StatusQuery(Input, frozen=True, kw_only=True):
    """Which change is asked about."""

    status: ResourceStatus = "out_of_order"


class StatusForm(Input, frozen=True, kw_only=True):
    """How it is to stand, and why."""

    status: ResourceStatus
    version: int
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


def resource_pages(console: str) -> tuple[Operation, ...]:
    """The pages of games, rooms and tables inside one console, such as /manage."""
    home = f"{console}/resources"

    @page(home, permission=RESOURCES_READ, listing=RESOURCES)
    async def resources_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List games, rooms and tables."""
        mine = await standing_venues(ctx, permission=RESOURCES_READ)
        picked = chosen_venue(request)
        if picked in {venue.id for venue in mine}:
            query = msgspec.structs.replace(query, venue_id=[picked])
        context = {
            "view": await RESOURCES.view(ctx, query),
            "home": home,
            "console": console,
            "paged": bool(query.after),
            "choices": {"venue_id": [(str(venue.id), venue.name) for venue in mine]},
            "status": query.status[0] if len(query.status) == 1 else "",
            "events": RESOURCE_EVENTS,
            "may_create": console != ON_THE_FLOOR and ctx.allows(RESOURCES_MANAGE),
        }
        return View("resources/resources.html", context)

    new = () if console == ON_THE_FLOOR else _new_pages(home)
    return (resources_page, *new, *_one_pages(console, home), *_status_pages(home))


def _new_pages(home: str) -> tuple[Operation, ...]:
    async def blank(ctx: Ctx) -> dict[str, Any]:
        mine = await standing_venues(ctx, permission=RESOURCES_MANAGE)
        values = {"kind": "table", "bookable": "true", "buffer_minutes": "10", "price_unit": "hour"}
        values |= {"shortest_minutes": "30", "longest_minutes": "240"}
        venues = [(str(venue.id), f"{venue.name} ({venue.currency})") for venue in mine]
        return {"home": home, "resource": None, "values": values, "venues": venues, "action": f"{home}/new"}

    @page(f"{home}/new", permission=RESOURCES_MANAGE)
    async def resource_new_page(ctx: Ctx, request: RequestInfo) -> View:
        """Ask for a new game, room or table."""
        context = await blank(ctx)
        context["values"] |= {"venue_id": str(chosen_venue(request) or "")}
        return View("resources/new.html", context)

    @page_post(f"{home}/new", permission=RESOURCES_MANAGE, form_page="resources/new.html", form_context=blank)
    async def resource_new_submit(ctx: Ctx, form: Form[ResourceForm]) -> Redirect:
        """Add a game, room or table to a venue."""
        data = form.require()
        try:
            venue_id = UUID(data.venue_id)
        except ValueError as error:
            raise Invalid(fields={"venue_id": "Choose the venue that it stands in."}) from error
        venue = await find_venue(ctx, venue_id=venue_id, permission=RESOURCES_MANAGE)
        with form_errors():
            made = await actions.create_resource(ctx, data=to_resource(data, venue))
        return Redirect(f"{home}/{made.id}", toast=f"{made.name} is there.")

    return (resource_new_page, resource_new_submit)


def _one_pages(console: str, home: str) -> tuple[Operation, ...]:
    path = f"{home}/{{resource_id:uuid}}"

    async def facts(ctx: Ctx, *, resource_id: UUID) -> dict[str, Any]:
        resource = await queries.find_resource(ctx, resource_id=resource_id)
        venue = await find_venue(ctx, venue_id=resource.venue_id, permission=RESOURCES_READ)
        ahead: list[Any] = []
        if ctx.allows(BOOKINGS_READ, venue.id):
            query = BOOKINGS.parse(
                resource_id=[resource_id], status=["booked", "arrived"], sort="starts_at", limit=AHEAD
            )
            ahead = (await BOOKINGS.page(ctx, query)).items
        return {
            "home": home,
            "console": console,
            "resource": resource,
            "venue": venue,
            "values": of_resource(resource),
            "ahead": ahead,
            "action": f"{home}/{resource_id}",
            "may_manage": ctx.allows(RESOURCES_MANAGE, venue.id),
            "may_status": ctx.allows(RESOURCES_STATUS, venue.id),
            "history": await entity_history(ctx, entity="resource", entity_id=resource_id),
        }

    @page(path, permission=RESOURCES_READ)
    async def resource_page(ctx: Ctx, resource_id: ResourceId) -> View:
        """Show a game, room or table."""
        return View("resources/resource.html", await facts(ctx, resource_id=resource_id))

    @page_post(path, permission=RESOURCES_MANAGE, form_page="resources/resource.html", form_context=facts)
    async def resource_submit(ctx: Ctx, resource_id: ResourceId, form: Form[ResourceForm]) -> Redirect:
        """Change a game, room or table; refused when somebody else did in the meantime."""
        data = form.require()
        resource = await queries.find_resource(ctx, resource_id=resource_id, permission=RESOURCES_MANAGE)
        with form_errors():
            change = to_resource_change(data, resource.currency)
            await actions.change_resource(ctx, resource_id=resource_id, data=change, version=data.version)
        return Redirect(f"{home}/{resource_id}", toast="Saved.")

    return (resource_page, resource_submit)


def _status_pages(home: str) -> tuple[Operation, ...]:
    path = f"{home}/{{resource_id:uuid}}/condition"

    async def same(ctx: Ctx, *, resource_id: UUID) -> dict[str, Any]:
        resource = await queries.find_resource(ctx, resource_id=resource_id, permission=RESOURCES_STATUS)
        return {"resource": resource, "home": home, "status": "out_of_order"}

    @page(path, permission=RESOURCES_STATUS)
    async def resource_status_dialog(ctx: Ctx, resource_id: ResourceId, query: StatusQuery) -> View:
        """Ask whether it is to go out of order, into maintenance, be retired, or be available again."""
        context = await same(ctx, resource_id=resource_id) | {"status": query.status}
        return View("resources/status.html", context, block="dialog")

    @page_post(
        path,
        permission=RESOURCES_STATUS,
        form_page="resources/status.html",
        form_block="dialog",
        form_context=same,
    )
    async def resource_status_submit(ctx: Ctx, resource_id: ResourceId, form: Form[StatusForm]) -> Redirect:
        """Say how it stands, with the reason."""
        data = form.require()
        after = await actions.set_status(
            ctx, resource_id=resource_id, status=data.status, reason=data.reason, version=data.version
        )
        words = {"available": "available again", "maintenance": "in maintenance", "out_of_order": "out of order"}
        return Redirect(f"{home}/{resource_id}", toast=f"{after.name} is {words.get(after.status, after.status)}.")

    return (resource_status_dialog, resource_status_submit)
