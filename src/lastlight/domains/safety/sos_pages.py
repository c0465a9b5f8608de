"""SOS and broadcasts on screens: what is urgent above every page, the lists, one call, one broadcast with its receipts."""

from typing import Any, Literal
from uuid import UUID

from lastlight.domains.safety import broadcasts, sos
from lastlight.domains.safety.contacts import contacts_of
from lastlight.domains.safety.emergency_listings import BROADCASTS, SOS_CALLS
from lastlight.domains.safety.page_parts import ReasonForm, Texts, listed, venue_choices
from lastlight.domains.safety.permissions import SAFETY_BROADCAST, SAFETY_READ, SAFETY_RESPOND
from lastlight.domains.safety.schemas import BroadcastIn
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import VenueId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

SOS_EVENTS = ["sos.raised", "sos.acknowledged", "sos.coming", "sos.escalated", "sos.changed", "sos.resolved"]
URGENT_EVENTS = (*SOS_EVENTS, "broadcast.sent", "sos.sent")
"""What the bar above every page listens to; `sos.sent` is said by the page itself, once a call of its own has left it."""
Console = Literal["staff", "management", "owner"]
PREFIXES: dict[str, str] = {"staff": "/staff", "management": "/manage", "owner": "/owner"}
VISITS = {"/staff": "/staff/visits/{id}", "/manage": "/manage/visits/{id}"}
"""The page of a guest's visit, in the consoles that have one."""
MOST_WORDS = 500


class AppQuery(Input, frozen=True, kw_only=True):
    """The console that the reader is in."""

    app: Console = "staff"


class BroadcastForm(Input, frozen=True, kw_only=True):
    """A word to all staff of a venue."""

    venue_id: UUID | None = None
    text: Texts = ""
    urgent: bool = False


async def _urgent(ctx: Ctx, app: Console) -> dict[str, Any]:
    calls = await sos.open_calls(ctx)
    return {
        "calls": calls,
        "contacts": await contacts_of(ctx, venue_ids=[call.venue_id for call in calls]),
        "news": await broadcasts.unseen_broadcasts(ctx),
        "home": f"{PREFIXES[app]}/safety",
        "app": app,
        "me": ctx.actor.user_id,
        "may_answer": ctx.allows(SAFETY_RESPOND),
        "events": URGENT_EVENTS,
    }


@page("/safety/urgent", permission=SAFETY_READ)
async def urgent_page(ctx: Ctx, query: AppQuery) -> View:
    """Show what stands above every page: the SOS calls that are not over, and the broadcasts not seen yet."""
    return View("safety/urgent.html", await _urgent(ctx, query.app), block="urgent")


@page_post("/safety/urgent/sos/{sos_id:uuid}/acknowledgement", permission=SAFETY_RESPOND)
async def urgent_acknowledge(ctx: Ctx, sos_id: UUID, query: AppQuery) -> View:
    """Say that one has heard a call, from wherever one is."""
    await sos.acknowledge_sos(ctx, sos_id=sos_id)
    return View("safety/urgent.html", await _urgent(ctx, query.app), block="urgent")


@page_post("/safety/urgent/sos/{sos_id:uuid}/on-the-way", permission=SAFETY_RESPOND)
async def urgent_come(ctx: Ctx, sos_id: UUID, query: AppQuery) -> View:
    """Say that one is on the way, from wherever one is."""
    await sos.come_to_sos(ctx, sos_id=sos_id)
    return View("safety/urgent.html", await _urgent(ctx, query.app), block="urgent")


@page_post("/safety/urgent/broadcasts/{broadcast_id:uuid}/receipt", permission=SAFETY_READ)
async def urgent_seen(ctx: Ctx, broadcast_id: UUID, query: AppQuery) -> View:
    """Say that one has seen a broadcast."""
    await broadcasts.see_broadcast(ctx, broadcast_id=broadcast_id)
    return View("safety/urgent.html", await _urgent(ctx, query.app), block="urgent")


URGENT_PAGES = (urgent_page, urgent_acknowledge, urgent_come, urgent_seen)


def sos_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of SOS calls inside one console."""
    home = f"{prefix}/safety"
    path = f"{home}/sos"
    one = f"{path}/{{sos_id:uuid}}"

    @page(path, permission=SAFETY_READ, listing=SOS_CALLS)
    async def sos_calls_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List SOS calls with how fast they were answered."""
        shown = await listed(ctx, request=request, listing=SOS_CALLS, query=query, path=path)
        return View("safety/calls.html", {**shown, "home": home, "events": SOS_EVENTS})

    async def facts(ctx: Ctx, *, sos_id: UUID) -> dict[str, Any]:
        call = await sos.find_sos(ctx, sos_id=sos_id)
        return {
            "call": call,
            "home": home,
            "is_open": call.status != "resolved",
            "may_answer": ctx.allows(SAFETY_RESPOND, call.venue_id),
            "visit_url": VISITS.get(prefix, "").format(id=call.visit_id) if call.visit_id else "",
            "own": call.pressed_by == ctx.actor.user_id,
            "mine": next((one for one in call.acknowledgements if one.user_id == ctx.actor.user_id), None),
            "contacts": (await contacts_of(ctx, venue_ids=[call.venue_id])).get(call.venue_id, []),
            "history": await entity_history(ctx, entity="sos_call", entity_id=sos_id),
            "events": SOS_EVENTS,
        }

    @page(one, permission=SAFETY_READ)
    async def sos_call_page(ctx: Ctx, sos_id: UUID) -> View:
        """Show one SOS call, who has heard it and who comes."""
        return View("safety/call.html", await facts(ctx, sos_id=sos_id))

    @page_post(f"{one}/acknowledgement", permission=SAFETY_RESPOND)
    async def sos_acknowledge(ctx: Ctx, sos_id: UUID) -> Redirect:
        """Say that one has heard a call."""
        await sos.acknowledge_sos(ctx, sos_id=sos_id)
        return Redirect(f"{path}/{sos_id}", toast="The caller sees that you have heard it.")

    @page_post(f"{one}/on-the-way", permission=SAFETY_RESPOND)
    async def sos_come(ctx: Ctx, sos_id: UUID) -> Redirect:
        """Say that one is on the way."""
        await sos.come_to_sos(ctx, sos_id=sos_id)
        return Redirect(f"{path}/{sos_id}", toast="The caller sees that you are on the way.")

    @page(f"{one}/resolution", permission=SAFETY_RESPOND)
    async def sos_resolution_dialog(ctx: Ctx, sos_id: UUID) -> View:
        """Ask what came of a call."""
        return View("safety/call_resolution.html", await facts(ctx, sos_id=sos_id), block="dialog")

    @page_post(
        f"{one}/resolution",
        permission=SAFETY_RESPOND,
        form_page="safety/call_resolution.html",
        form_block="dialog",
        form_context=facts,
    )
    async def sos_resolution_submit(ctx: Ctx, sos_id: UUID, form: Form[ReasonForm]) -> Redirect:
        """Say that a call is over, and what came of it."""
        await sos.resolve_sos(ctx, sos_id=sos_id, reason=form.require().reason)
        return Redirect(f"{path}/{sos_id}", toast="The call is over. Its incident stays open.")

    return (sos_calls_page, sos_call_page, sos_acknowledge, sos_come, sos_resolution_dialog, sos_resolution_submit)


def broadcast_pages(prefix: str) -> tuple[Operation, ...]:
    """The pages of broadcasts inside one console."""
    home = f"{prefix}/safety"
    path = f"{home}/broadcasts"

    @page(path, permission=SAFETY_READ, listing=BROADCASTS)
    async def broadcasts_page(ctx: Ctx, query: Any, request: RequestInfo) -> View:
        """List what was said to all staff."""
        shown = await listed(ctx, request=request, listing=BROADCASTS, query=query, path=path)
        return View("safety/broadcasts.html", {**shown, "home": home, "events": ["broadcast.sent"]})

    async def again(ctx: Ctx) -> dict[str, Any]:
        return {"home": home, **await venue_choices(ctx, permission=SAFETY_BROADCAST)}

    @page(f"{path}/new", permission=SAFETY_BROADCAST)
    async def broadcast_new_page(ctx: Ctx, request: RequestInfo) -> View:
        """Ask what all staff are to know."""
        choices = await venue_choices(ctx, request=request, permission=SAFETY_BROADCAST)
        return View("safety/broadcast_new.html", {"home": home, **choices})

    @page_post(f"{path}/new", permission=SAFETY_BROADCAST, form_page="safety/broadcast_new.html", form_context=again)
    async def broadcast_new_submit(ctx: Ctx, form: Form[BroadcastForm]) -> Redirect:
        """Tell all staff of a venue something."""
        data = form.require()
        wrong: dict[str, str] = {}
        if data.venue_id is None:
            wrong["venue_id"] = "Choose the venue."
        if not data.text.strip():
            wrong["text"] = "Write what they are to know."
        elif len(data.text) > MOST_WORDS:
            wrong["text"] = f"Keep it under {MOST_WORDS} letters: it is read on a phone, in passing."
        if wrong or data.venue_id is None:
            raise Invalid(fields=wrong)
        wanted = BroadcastIn(venue_id=VenueId(data.venue_id), text=data.text, urgent=data.urgent)
        made = await broadcasts.send_broadcast(ctx, data=wanted)
        return Redirect(f"{path}/{made.id}", toast=f"Sent to all staff of {made.venue}.")

    @page(f"{path}/{{broadcast_id:uuid}}", permission=SAFETY_READ)
    async def broadcast_page(ctx: Ctx, broadcast_id: UUID) -> View:
        """Show a broadcast and who has seen it."""
        found = await broadcasts.find_broadcast(ctx, broadcast_id=broadcast_id)
        shown = {"broadcast": found, "home": home, "names_unseen": ctx.allows(SAFETY_BROADCAST, found.venue_id)}
        return View("safety/broadcast.html", shown)

    return (broadcasts_page, broadcast_new_page, broadcast_new_submit, broadcast_page)
