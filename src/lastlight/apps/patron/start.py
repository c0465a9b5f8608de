"""What the guest's app shows first, in one answer: each part is what its own operation says."""

import msgspec

from lastlight.apps.shell import readers_own
from lastlight.domains import checkins, identity, resources, safety, tenancy
from lastlight.domains.credits import CREDITS_OWN, OwnCredits, own_credits
from lastlight.kernel.errors import NotFound
from lastlight.kernel.paging import Page
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import get

WHY = "Who is not signed in is told just that: nobody is here."
BOOKINGS = resources.OWN_BOOKINGS.parse(sort="-starts_at", limit=50)
"""As the app itself asks for them."""


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """A part is left out where one may not read it, or there is none: asked for alone, it says why."""

    me: identity.MeOut | None = None
    """As `GET /api/me` says; left out when nobody is signed in."""
    home: checkins.Home | None = None
    """As `GET /api/patron/home` says."""
    help: safety.HelpState | None = None
    """As `GET /api/patron/help` says."""
    checks: list[safety.SafetyCheck] | None = None
    """As `GET /api/patron/safety-checks` says."""
    bookings: Page[resources.BookingRow] | None = None
    """As `GET /api/patron/bookings?sort=-starts_at&limit=50` says."""
    credits: OwnCredits | None = None
    """As `GET /api/patron/credits` says."""


@get("/api/patron/start", public=WHY, db="system", tags=("Patron app",))
async def read_start(ctx: Ctx) -> Start:
    """Read all that the guest's app shows first: who one is, and of a guest the home screen with its parts."""
    if ctx.actor.user_id is None:
        return Start()
    me = await identity.read_me(ctx)
    if me.kind != "patron":
        return Start(me=me)
    async with readers_own(ctx, read_start) as own:
        safe = "safety" not in await tenancy.switched_off(own)
        return Start(
            me=me,
            home=await _home(own),
            help=await safety.read_help(own) if safe and own.allows(safety.SAFETY_HELP) else None,
            checks=await safety.own_checks(own) if safe and own.allows(safety.SAFETY_CHECKS) else None,
            bookings=await _bookings(own),
            credits=await own_credits(own) if own.allows(CREDITS_OWN) else None,
        )


async def _home(ctx: Ctx) -> checkins.Home | None:
    if not ctx.allows(checkins.VISITS_OWN):
        return None
    try:
        return await checkins.read_home(ctx)
    except NotFound:
        return None


async def _bookings(ctx: Ctx) -> Page[resources.BookingRow] | None:
    return await resources.OWN_BOOKINGS.page(ctx, BOOKINGS) if ctx.allows(resources.BOOKINGS_OWN) else None
