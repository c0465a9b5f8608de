"""The inbox of the card provider's events on screens: a business's own, and for the crew those of all, with how webhooks come in."""

from collections.abc import Iterable
from dataclasses import replace
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec

from lastlight.domains.payments import inbox
from lastlight.domains.payments.event_words import KIND_WORDS
from lastlight.domains.payments.health import provider_answer, read_failed, read_inflow, sum_up
from lastlight.domains.payments.listings import CREW_PROVIDER_EVENTS, PROVIDER_EVENTS
from lastlight.domains.payments.pages import HOME as PAYMENTS_HOME
from lastlight.domains.payments.permissions import PAYMENTS_MANAGE, PAYMENTS_READ
from lastlight.domains.payments.queries import count_failed_events
from lastlight.domains.payments.reading import read_event
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Redirect, View, page, page_post
from lastlight.ui.translations import gettext

HOME = "/owner/provider-events"
CREW_HOME = "/platform/provider-events"
ONE = f"{HOME}/{{provider_event_id:uuid}}"
CREW_INBOX = f"{CREW_HOME}/{{tenant_id:uuid}}"
CREW_ONE = f"{CREW_INBOX}/{{provider_event_id:uuid}}"
EVENTS = ["payment.webhook_failed", "payment.webhook_replayed", "payment.captured", "payment.settled"]
# what the newest events are, to choose from
KINDS = """
select distinct kind from (
    select kind from provider_events where tenant_id = $1 order by received_at desc, id desc limit 5000) newest
"""
# every tenant: as above
KINDS_OF_ALL = """
select distinct kind from (select kind from provider_events order by received_at desc, id desc limit 5000) newest
"""
REPLAYED = "It is worked off again. Its state changes in a moment."


@page(HOME, permission=PAYMENTS_READ, listing=PROVIDER_EVENTS)
async def provider_events_page(ctx: Ctx, query: Any) -> View:
    """List what the card provider told of the business's payments."""
    context: dict[str, Any] = {
        "view": await PROVIDER_EVENTS.view(ctx, query),
        "choices": {"kind": _named(await ctx.db.fetch(KINDS, ctx.tenant_id))},
        "kinds": KIND_WORDS,
        "home": HOME,
        "paged": bool(query.after),
        "events": EVENTS,
        "failed": await count_failed_events(ctx),
        "crew": False,
    }
    return View("payments/events.html", context)


@page(ONE, permission=PAYMENTS_READ)
async def provider_event_page(ctx: Ctx, provider_event_id: UUID) -> View:
    """Show one event of the card provider, with what it said."""
    return await _event(ctx, provider_event_id, home=HOME)


@page(f"{ONE}/replay", permission=PAYMENTS_MANAGE)
async def provider_event_replay_dialog(ctx: Ctx, provider_event_id: UUID) -> View:
    """Ask whether an event is to be worked off again."""
    shown = await _facts(ctx, provider_event_id=provider_event_id)
    return View("payments/replay.html", shown | {"home": HOME}, block="dialog")


@page_post(f"{ONE}/replay", permission=PAYMENTS_MANAGE)
async def provider_event_replay_submit(ctx: Ctx, provider_event_id: UUID) -> Redirect:
    """Have an event worked off again: it has one effect, however often."""
    await inbox.replay_event(ctx, provider_event_id=provider_event_id)
    return Redirect(f"{HOME}/{provider_event_id}", toast=REPLAYED)


@page(CREW_HOME, permission=PAYMENTS_READ, db="platform")
async def crew_inboxes_page(ctx: Ctx) -> View:
    """Show how the card provider's events come in: what failed anywhere, and each inbox in figures."""
    inflow = await read_inflow(ctx)
    context: dict[str, Any] = {
        "inflow": inflow,
        "sums": sum_up(inflow),
        "failed": await read_failed(ctx),
        "answer": await provider_answer(ctx.services),
        "kinds": KIND_WORDS,
        "home": CREW_HOME,
    }
    return View("payments/inboxes.html", context)


@page(f"{CREW_HOME}/all", permission=PAYMENTS_READ, db="platform", listing=CREW_PROVIDER_EVENTS)
async def crew_provider_events_page(ctx: Ctx, query: Any) -> View:
    """List for the crew the card provider's events of all businesses, and those that are about none."""
    view = await CREW_PROVIDER_EVENTS.view(ctx, query)
    headers = sorted(view.headers, key=lambda one: one.name != "received_at")  # a row is headed by its own page's link
    view = replace(view, headers=headers)
    choices = {
        "tenant_id": [(str(one.id), one.name) for one in await read_inflow(ctx)],
        "kind": _named(await ctx.db.fetch(KINDS_OF_ALL)),
    }
    shown = {"view": view, "choices": choices, "kinds": KIND_WORDS, "home": f"{CREW_HOME}/all", "inboxes": CREW_HOME}
    return View("payments/all_events.html", {**shown, "paged": bool(query.after)})


@page(CREW_INBOX, permission=PAYMENTS_READ, scope_tenant="tenant_id", db="platform", listing=PROVIDER_EVENTS)
async def crew_inbox_page(ctx: Ctx, tenant_id: TenantId, query: Any) -> View:
    """List for the crew the events of one business, or those that belong to none."""
    context: dict[str, Any] = {
        "view": replace(await PROVIDER_EVENTS.view(ctx, query), export=False),
        "choices": {"kind": _named(await ctx.db.fetch(KINDS, ctx.tenant_id))},
        "kinds": KIND_WORDS,
        "home": f"{CREW_HOME}/{tenant_id}",
        "paged": bool(query.after),
        "failed": await count_failed_events(ctx),
        "events": [],
        "crew": True,
        "whose": await _whose(ctx),
        "inboxes": CREW_HOME,
    }
    return View("payments/events.html", context)


@page(
    CREW_ONE,
    permission=PAYMENTS_READ,
    scope_tenant="tenant_id",
    db="platform",
    sensitive="payment.provider_event_read",
)
async def crew_provider_event_page(ctx: Ctx, tenant_id: TenantId, provider_event_id: UUID) -> View:
    """Show the crew one event, inside the business whose it is."""
    return await _event(ctx, provider_event_id, home=f"{CREW_HOME}/{tenant_id}", crew=True)


@page(f"{CREW_ONE}/replay", permission=PAYMENTS_MANAGE, scope_tenant="tenant_id", db="platform")
async def crew_event_replay_dialog(ctx: Ctx, tenant_id: TenantId, provider_event_id: UUID) -> View:
    """Ask the crew whether an event is to be worked off again."""
    shown = await _facts(ctx, provider_event_id=provider_event_id)
    return View("payments/replay.html", shown | {"home": f"{CREW_HOME}/{tenant_id}"}, block="dialog")


@page_post(f"{CREW_ONE}/replay", permission=PAYMENTS_MANAGE, scope_tenant="tenant_id", db="app")
async def crew_event_replay_submit(ctx: Ctx, tenant_id: TenantId, provider_event_id: UUID) -> Redirect:
    """Have an event worked off again inside the business whose it is."""
    await inbox.replay_event(ctx, provider_event_id=provider_event_id)
    return Redirect(f"{CREW_HOME}/{tenant_id}/{provider_event_id}", toast=REPLAYED)


async def _facts(ctx: Ctx, *, provider_event_id: UUID) -> dict[str, Any]:
    event = await read_event(ctx, provider_event_id=provider_event_id)
    return {"event": event, "words": _words(event.kind)}


async def _event(ctx: Ctx, provider_event_id: UUID, *, home: str, crew: bool = False) -> View:
    event = await read_event(ctx, provider_event_id=provider_event_id)
    waits = event.state == "waiting" and event.attempts == 0
    context: dict[str, Any] = {
        "event": event,
        "words": _words(event.kind),
        "said": msgspec.json.format(msgspec.json.encode(event.said), indent=2).decode(),
        "home": home,
        "events": EVENTS,
        "crew": crew,
        "whose": await _whose(ctx) if crew else "",
        "payments_home": PAYMENTS_HOME,
        "may_replay": ctx.allows(PAYMENTS_MANAGE) and event.payment_id is not None and not waits,
    }
    return View("payments/event.html", context)


def _named(rows: Iterable[Any]) -> list[tuple[str, str]]:
    """Kinds to choose from, by their words."""
    kinds: list[str] = [row["kind"] for row in rows]
    return sorted(((kind, _words(kind)) for kind in kinds), key=itemgetter(1))


def _words(kind: str) -> str:
    """What an event is called in its reader's language; by the provider's name where we have no words."""
    return gettext(KIND_WORDS[kind]) if kind in KIND_WORDS else kind


async def _whose(ctx: Ctx) -> str:
    return await ctx.db.fetchval("select name from tenants where id = $1", ctx.tenant_id)


INBOX_PAGES = (
    provider_events_page,
    provider_event_page,
    provider_event_replay_dialog,
    provider_event_replay_submit,
    crew_inboxes_page,
    crew_provider_events_page,
    crew_inbox_page,
    crew_provider_event_page,
    crew_event_replay_dialog,
    crew_event_replay_submit,
)
