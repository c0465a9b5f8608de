"""The patron app's pages: one shell for every view, the same for everybody, so that the service worker may keep it; and its first answer."""

from uuid import UUID

from lastlight.apps.patron.start import read_start
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import VenueId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import RequestInfo, View, page
from lastlight.runtime.http.policy import with_card_fields
from lastlight.runtime.module import Module

VIEWS = frozenset({"activity", "scan", "pass", "bookings", "profile", "sign-in", "register", "forgot"})
WHY = (
    "The page holds nothing of anybody: who looks at it is asked by the app itself, which also runs without a network."
)


@page("/patron", public=WHY)
async def patron_home(ctx: Ctx, request: RequestInfo) -> View:
    """Open the guest's app."""
    return _shell(request)


@page("/patron/{view:str}", public=WHY)
async def patron_view(ctx: Ctx, request: RequestInfo, view: str) -> View:
    """Open one view of the guest's app."""
    if view not in VIEWS:
        raise NotFound("The app has no such page.")
    return _shell(request)


@page("/patron/venues", public=WHY)
async def patron_venues(ctx: Ctx, request: RequestInfo) -> View:
    """Open the list of venues; it is an address of its own, for a longer one begins with it."""
    return _shell(request)


@page("/patron/credits", public=WHY)
async def patron_credits(ctx: Ctx, request: RequestInfo) -> View:
    """Open one's own credits; an address of its own for the same reason."""
    return _shell(request)


@page("/patron/venues/{venue_id:uuid}", public=WHY)
async def patron_venue(ctx: Ctx, request: RequestInfo, venue_id: VenueId) -> View:
    """Open one venue's page in the guest's app; whether there is such a venue is asked by the app."""
    return _shell(request)


@page("/patron/credits/{payment_id:uuid}", public=WHY)
async def patron_receipt(ctx: Ctx, request: RequestInfo, payment_id: UUID) -> View:
    """Open the receipt of one's own purchase; whose it is, is asked by the app."""
    return _shell(request)


@page("/patron/pay/{payment_id:uuid}", public=WHY)
async def patron_pay(ctx: Ctx, request: RequestInfo, payment_id: UUID) -> View:
    """Open the page on which a guest pays by card: the only one of the app's that may load the card provider's fields, and never kept."""
    headers = {**with_card_fields(ctx.services.settings), "Cache-Control": "no-store"}
    return View("patron/shell.html", {"theme": _theme(request), "pays": True}, headers=headers)


@page("/c/{code:str}", public="A scanned code opens the guest's app; whether the code is good is asked by the app.")
async def patron_code(ctx: Ctx, request: RequestInfo, code: str) -> View:
    """Open the guest's app with the code that a phone's own camera has read."""
    return _shell(request)


def _shell(request: RequestInfo) -> View:
    return View("patron/shell.html", {"theme": _theme(request), "pays": False}, headers={"Cache-Control": "no-cache"})


def _theme(request: RequestInfo) -> str:
    return "light" if request.cookies.get("theme") == "light" else "dark"


MODULE = Module(
    name="patron_app",
    summary="The guest's app: check in and out, also without a network; activity, venues, profile.",
    routes=(read_start,),
    pages=(
        patron_home,
        patron_view,
        patron_venues,
        patron_venue,
        patron_credits,
        patron_receipt,
        patron_pay,
        patron_code,
    ),
)
