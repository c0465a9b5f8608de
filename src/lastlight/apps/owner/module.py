"""What the owner app brings: all venues at a glance, the audit log. People, roles, venues and settings come from their domains."""

from lastlight.apps.night import feed_lines
from lastlight.apps.records import audit_pages, job_pages
from lastlight.domains import checkins
from lastlight.domains.checkins import VISITS_READ
from lastlight.runtime.audit.entries import AUDIT_READ
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import View, page
from lastlight.runtime.jobs.events import JOBS_READ
from lastlight.runtime.module import Module, Nav


@page("/owner", permission=VISITS_READ)
async def all_venues_page(ctx: Ctx) -> View:
    """Show every venue tonight."""
    tonight = await checkins.read_tonight(ctx, feed_length=12)
    venues = tonight.venues
    sums = {
        "inside": sum(venue.inside for venue in venues),
        "arrived": sum(venue.arrivals_tonight for venue in venues),
        "before": sum(venue.arrivals_last_week for venue in venues),
        "open": sum(venue.is_open and venue.status == "active" for venue in venues),
    }
    return View("owner/venues.html", {"venues": venues, "sums": sums, "feed": feed_lines(tonight.feed)})


MODULE = Module(
    name="owner_app",
    summary="Owner: all venues at a glance.",
    pages=(all_venues_page, *job_pages("/owner"), *audit_pages("/owner")),
    nav=(
        Nav(app="owner", label="All venues", href="/owner", icon="layout-dashboard", permission=VISITS_READ, order=10),
        Nav(
            app="owner",
            label="Jobs",
            href="/owner/jobs",
            icon="cog",
            permission=JOBS_READ,
            group="House",
            order=80,
        ),
        Nav(
            app="owner",
            label="Audit log",
            href="/owner/audit",
            icon="scroll-text",
            permission=AUDIT_READ,
            group="House",
            order=90,
        ),
    ),
)
