"""What the crew reads about safety: incidents and alerts of all businesses. No business's switch turns it off."""

from typing import Any

from lastlight.domains.safety.listings import CREW_ALERTS, CREW_INCIDENTS
from lastlight.domains.safety.permissions import SAFETY_READ
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import View, page
from lastlight.runtime.http.listing import listing_get

list_crew_safety_alerts = listing_get("/api/admin/safety/alerts", CREW_ALERTS, tags=("Safety",))
list_crew_incidents = listing_get("/api/admin/incidents", CREW_INCIDENTS, tags=("Incidents",))


@page("/platform/incidents", permission=SAFETY_READ, db="platform", listing=CREW_INCIDENTS)
async def crew_incidents_page(ctx: Ctx, query: Any) -> View:
    """List incidents of all businesses."""
    view = await CREW_INCIDENTS.view(ctx, query)
    shown = {"view": view, "path": "/platform/incidents", "paged": bool(query.after), "current": "incidents"}
    return View("safety/crew.html", shown)


@page("/platform/alerts", permission=SAFETY_READ, db="platform", listing=CREW_ALERTS)
async def crew_alerts_page(ctx: Ctx, query: Any) -> View:
    """List alerts of all businesses."""
    view = await CREW_ALERTS.view(ctx, query)
    shown = {"view": view, "path": "/platform/alerts", "paged": bool(query.after), "current": "alerts"}
    return View("safety/crew.html", shown)


CREW_ROUTES = (list_crew_safety_alerts, list_crew_incidents)
CREW_PAGES = (crew_incidents_page, crew_alerts_page)
