"""One's own account: name, password, preferences, sessions, places to switch to."""

from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import msgspec

from lastlight.domains import identity, venues
from lastlight.kernel.ids import PLATFORM, SessionId
from lastlight.runtime.auth.cookies import no_cookie, session_cookie
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Cookie, Form, Input, Redirect, RequestInfo, View, page, page_post
from lastlight.ui.translations import languages

OWN = "It is one's own account."
YEAR_SECONDS = 365 * 24 * 3600


class AccountQuery(Input, frozen=True, kw_only=True):
    """The tab that is open."""

    tab: Literal["profile", "security", "sessions"] = "profile"


class PreferencesForm(Input, frozen=True, kw_only=True):
    """Language, time zone and look."""

    name: Annotated[str, msgspec.Meta(max_length=120)]
    language: Annotated[str, msgspec.Meta(max_length=10)] = "en"
    time_zone: Annotated[str, msgspec.Meta(max_length=60)] = ""
    theme: Literal["dark", "light", "system"] = "dark"


class SwitchForm(Input, frozen=True, kw_only=True):
    """Where to go, and as what."""

    tenant: Annotated[str, msgspec.Meta(max_length=48)]
    as_: Literal["member", "patron"] | None = msgspec.field(name="as", default=None)


class VenueQuery(Input, frozen=True, kw_only=True):
    """A venue of one's own, or none for all of them."""

    venue: UUID | None = None


async def _facts(ctx: Ctx) -> dict[str, object]:
    return {
        "tab": "profile",
        "me": await identity.read_me(ctx),
        "sessions": await identity.list_own(ctx),
        "languages": languages(),
        "zones": [(zone, zone.replace("_", " ")) for zone in sorted(venues.known_time_zones())],
    }


@page("/account", signed_in=OWN)
async def account_page(ctx: Ctx, query: AccountQuery) -> View | Redirect:
    """Show one's account."""
    if query.tab == "security":
        return Redirect("/account/security")
    return View("account/account.html", {**await _facts(ctx), "tab": query.tab})


@page_post("/account/preferences", signed_in=OWN, db="system", form_page="account/account.html", form_context=_facts)
async def preferences_submit(ctx: Ctx, form: Form[PreferencesForm]) -> Redirect:
    """Keep name and preferences; the theme takes effect at once."""
    data = form.require()
    await identity.rename_self(ctx, name=data.name)
    await identity.change_preferences(ctx, language=data.language, time_zone=data.time_zone, theme=data.theme)
    held = Cookie(name="theme_held", value="", max_age=0, http_only=False)
    if data.theme == "system":  # what the device looks like, it says itself
        return Redirect("/account", cookies=[held], toast="Saved.")
    theme = Cookie(name="theme", value=data.theme, max_age=YEAR_SECONDS, http_only=False)
    return Redirect("/account", cookies=[theme, held], toast="Saved.")


@page_post("/account/sign-out-others", signed_in=OWN)
async def sign_out_others(ctx: Ctx) -> Redirect:
    """End every other session of one's own."""
    assert ctx.actor.user_id is not None, "the guard lets only signed-in people through"
    await identity.revoke_all(
        ctx, user_id=ctx.actor.user_id, why="ended from another device", keep=ctx.actor.session_id
    )
    return Redirect("/account?tab=sessions", toast="Your other devices are signed out.")


@page_post("/account/sessions/{session_id:uuid}/end", signed_in=OWN)
async def session_end(ctx: Ctx, session_id: SessionId) -> Redirect:
    """End one of one's own sessions."""
    await identity.revoke_own(ctx, session_id=session_id)
    if session_id == ctx.actor.session_id:
        return Redirect("/sign-in", cookies=[no_cookie(ctx.services.settings)], toast="You are signed out.")
    return Redirect("/account?tab=sessions", toast="That device is signed out.")


@page_post("/account/sign-out-everywhere", signed_in=OWN)
async def sign_out_everywhere(ctx: Ctx) -> Redirect:
    """End every session of one's own."""
    assert ctx.actor.user_id is not None, "the guard lets only signed-in people through"
    await identity.revoke_all(ctx, user_id=ctx.actor.user_id, why="signed out everywhere")
    return Redirect("/sign-in", cookies=[no_cookie(ctx.services.settings)], toast="You are signed out everywhere.")


@page_post("/account/switch", signed_in="One goes only where one already belongs.", db="system")
async def switch_place(ctx: Ctx, form: Form[SwitchForm]) -> Redirect:
    """Go to another business, or be its guest."""
    data = form.require()
    session = await identity.switch(ctx, tenant=data.tenant, as_=data.as_, channel="cookie")
    token, seconds = identity.cookie_token(ctx, session=session)
    return Redirect("/", cookies=[session_cookie(ctx.services.settings, token, seconds=seconds), _venue_cookie("")])


@page("/switch-venue", signed_in="It picks among venues that one may see anyway.")
async def switch_venue(ctx: Ctx, query: VenueQuery, request: RequestInfo) -> Redirect:
    """Pick the venue that pages are about, or all of them, and go back."""
    chosen = ""
    if query.venue is not None and ctx.tenant_id != PLATFORM and ctx.allows(venues.VENUES_READ):
        known = {venue.id for venue in await venues.standing_venues(ctx)}
        chosen = str(query.venue) if query.venue in known else ""
    return Redirect(_came_from(request) or "/", cookies=[_venue_cookie(chosen)])


def _came_from(request: RequestInfo) -> str:
    """The page that the link was on, when it is ours; without what its list said of a venue or of the next page."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host", "") or not parts.path.startswith("/"):
        return ""
    kept = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name not in {"venue_id", "after"}])
    return parts.path + (f"?{kept}" if kept else "")


def _venue_cookie(venue: str) -> Cookie:
    return Cookie(name=venues.VENUE_COOKIE, value=venue, max_age=YEAR_SECONDS if venue else 0)


OWN_PAGES = (
    account_page,
    preferences_submit,
    sign_out_others,
    session_end,
    sign_out_everywhere,
    switch_place,
    switch_venue,
)
