"""How a venue is shown to guests, on screens: publication, banners, and what guests see."""

from typing import Annotated, Any
from uuid import UUID

import msgspec

from lastlight.domains.venues import banners, images, publication, queries, show
from lastlight.domains.venues.banners import Banner
from lastlight.domains.venues.model import Venue
from lastlight.domains.venues.permissions import VENUES_PUBLISH
from lastlight.domains.venues.publication import PublicationState
from lastlight.domains.venues.schemas import BannerChange, BannerIn
from lastlight.domains.venues.wall_clock import read_wall_clock, write_wall_clock
from lastlight.kernel.errors import Invalid
from lastlight.kernel.ids import BannerId, ImageId, VenueId
from lastlight.runtime.audit import history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, View, page, page_post

Text = Annotated[str, msgspec.Meta(max_length=500)]


class PublicationQuery(Input, frozen=True, kw_only=True):
    """Which change is asked about."""

    state: PublicationState = "published"


class PublicationForm(Input, frozen=True, kw_only=True):
    """The state that the venue is to have, why, and until when it is featured."""

    state: PublicationState
    version: int
    reason: Text = ""
    featured_until: Text = ""


class BannerForm(Input, frozen=True, kw_only=True):
    """A banner as its form sends it; times are on the venue's clock."""

    title: Annotated[str, msgspec.Meta(max_length=120)] = ""
    body: Text = ""
    starts_at: Text = ""
    ends_at: Text = ""
    link: Text = ""
    image_id: Text = ""
    version: int = 0


class VersionForm(Input, frozen=True, kw_only=True):
    """The version that was read."""

    version: int


def show_pages(console: str) -> tuple[Operation, ...]:
    """The pages of one console on what guests see of a venue."""
    return (*_venue_pages(console), *_new_banner_pages(console), *_banner_pages(console))


def _venue_pages(console: str) -> tuple[Operation, ...]:
    home = f"{console}/venues"
    one = f"{home}/{{venue_id:uuid}}"

    @page(f"{one}/show", permission=VENUES_PUBLISH)
    async def venue_show_page(ctx: Ctx, venue_id: VenueId) -> View:
        """Show how a venue is shown to guests, with its banners."""
        venue = await _venue(ctx, venue_id)
        state = await publication.find_publication(ctx, venue_id=venue_id)
        facts = {
            "venue": venue,
            "state": state,
            "show": await show.preview_show(ctx, venue=venue, state=state),
            "banners": await banners.list_banners(ctx, venue_id=venue_id, coming=True),
            "history": await history.entity_history(ctx, entity="venue", entity_id=venue_id),
        }
        return View("venues/show.html", {"home": home, "console": console, **facts})

    async def same(ctx: Ctx, *, venue_id: UUID) -> dict[str, Any]:
        venue = await _venue(ctx, venue_id)
        state = await publication.find_publication(ctx, venue_id=venue_id)
        featured = write_wall_clock(state.featured_until, venue.zone) if state.featured else ""
        return {"venue": venue, "state": state, "home": home, "wanted": "published", "featured": featured}

    @page(f"{one}/publication", permission=VENUES_PUBLISH)
    async def publication_dialog(ctx: Ctx, venue_id: VenueId, query: PublicationQuery) -> View:
        """Ask whether a venue is to be published, featured, shown as not as usual, or taken from view."""
        context = await same(ctx, venue_id=venue_id) | {"wanted": query.state}
        return View("venues/publication.html", context, block="dialog")

    @page_post(
        f"{one}/publication",
        permission=VENUES_PUBLISH,
        form_page="venues/publication.html",
        form_block="dialog",
        form_context=same,
    )
    async def publication_submit(ctx: Ctx, venue_id: VenueId, form: Form[PublicationForm]) -> Redirect:
        """Publish or feature a venue, say that it is not as usual, or take it from view."""
        data = form.require()
        venue = await _venue(ctx, venue_id)
        until = data.featured_until.strip()
        await publication.set_publication(
            ctx,
            venue_id=venue_id,
            state=data.state,
            reason=data.reason,
            featured_until=read_wall_clock(until, venue.zone, field="featured_until") if until else None,
            version=data.version,
        )
        return Redirect(f"{home}/{venue_id}/show", toast=SAID[data.state])

    return (venue_show_page, publication_dialog, publication_submit)


SAID: dict[str, str] = {
    "draft": "It is a draft now.",
    "published": "Guests see it as usual.",
    "degraded": "Guests are told.",
    "unpublished": "It is taken from view.",
}


def _new_banner_pages(console: str) -> tuple[Operation, ...]:
    home = f"{console}/venues"
    path = f"{home}/{{venue_id:uuid}}/banners/new"

    async def blank(ctx: Ctx, *, venue_id: UUID) -> dict[str, Any]:
        venue = await _venue(ctx, venue_id)
        return {
            "venue": venue,
            "banner": None,
            "values": {},
            "home": home,
            "action": f"{home}/{venue_id}/banners/new",
            "images": await _choices(ctx, venue_id),
        }

    @page(path, permission=VENUES_PUBLISH)
    async def banner_new_page(ctx: Ctx, venue_id: VenueId) -> View:
        """Ask for a new banner."""
        return View("venues/banner.html", await blank(ctx, venue_id=venue_id))

    @page_post(path, permission=VENUES_PUBLISH, form_page="venues/banner.html", form_context=blank)
    async def banner_new_submit(ctx: Ctx, venue_id: VenueId, form: Form[BannerForm]) -> Redirect:
        """Put a banner on a venue."""
        venue = await _venue(ctx, venue_id)
        await banners.create_banner(ctx, venue_id=venue_id, data=BannerIn(**_fields(form.require(), venue)))
        return Redirect(f"{home}/{venue_id}/show", toast="The banner is there.")

    return (banner_new_page, banner_new_submit)


def _banner_pages(console: str) -> tuple[Operation, ...]:
    home = f"{console}/venues"
    path = f"{console}/banners/{{banner_id:uuid}}"

    async def facts(ctx: Ctx, *, banner_id: UUID) -> dict[str, Any]:
        banner = await banners.read_banner(ctx, banner_id=banner_id)
        venue = await _venue(ctx, banner.venue_id)
        return {
            "venue": venue,
            "banner": banner,
            "values": _values(banner, venue),
            "home": home,
            "action": f"{console}/banners/{banner_id}",
            "images": await _choices(ctx, venue.id),
            "history": await history.entity_history(ctx, entity="banner", entity_id=banner_id),
        }

    @page(path, permission=VENUES_PUBLISH)
    async def banner_page(ctx: Ctx, banner_id: BannerId) -> View:
        """Show a banner, to change it."""
        return View("venues/banner.html", await facts(ctx, banner_id=banner_id))

    @page_post(path, permission=VENUES_PUBLISH, form_page="venues/banner.html", form_context=facts)
    async def banner_submit(ctx: Ctx, banner_id: BannerId, form: Form[BannerForm]) -> Redirect:
        """Change a banner; refused when somebody else did in the meantime."""
        data = form.require()
        venue = await _venue(ctx, (await banners.read_banner(ctx, banner_id=banner_id)).venue_id)
        change = BannerChange(**_fields(data, venue))
        await banners.change_banner(ctx, banner_id=banner_id, data=change, version=data.version)
        return Redirect(f"{console}/banners/{banner_id}", toast="Saved.")

    @page(f"{path}/removal", permission=VENUES_PUBLISH)
    async def banner_removal_dialog(ctx: Ctx, banner_id: BannerId) -> View:
        """Ask whether a banner is to be taken down."""
        return View("venues/banner_remove.html", await facts(ctx, banner_id=banner_id), block="dialog")

    @page_post(
        f"{path}/removal",
        permission=VENUES_PUBLISH,
        form_page="venues/banner_remove.html",
        form_block="dialog",
        form_context=facts,
    )
    async def banner_removal_submit(ctx: Ctx, banner_id: BannerId, form: Form[VersionForm]) -> Redirect:
        """Take a banner down."""
        banner = await banners.read_banner(ctx, banner_id=banner_id)
        await banners.remove_banner(ctx, banner_id=banner_id, version=form.require().version)
        return Redirect(f"{home}/{banner.venue_id}/show", toast=f"{banner.title} is taken down.")

    return (banner_page, banner_submit, banner_removal_dialog, banner_removal_submit)


async def _venue(ctx: Ctx, venue_id: UUID) -> Venue:
    return await queries.find_venue(ctx, venue_id=venue_id, permission=VENUES_PUBLISH)


async def _choices(ctx: Ctx, venue_id: UUID) -> list[tuple[str, str]]:
    shown = await images.list_images(ctx, venue_id=venue_id, every=False)
    return [(str(image.id), image.alt) for image in shown]


def _fields(form: BannerForm, venue: Venue) -> dict[str, Any]:
    found: dict[str, str] = {}
    moments: dict[str, Any] = {}
    for name in ("starts_at", "ends_at"):
        try:
            moments[name] = read_wall_clock(getattr(form, name), venue.zone, field=name)
        except Invalid as problem:
            found |= problem.fields
    try:
        image_id = ImageId(UUID(form.image_id)) if form.image_id else None
    except ValueError:
        image_id, found["image_id"] = None, "Choose one of the venue's images."
    if not form.title.strip():
        found["title"] = "Give the banner a title."
    if found:
        raise Invalid(fields=found)
    return {"title": form.title, "body": form.body, "link": form.link.strip(), "image_id": image_id, **moments}


def _values(banner: Banner, venue: Venue) -> dict[str, str]:
    return {
        "title": banner.title,
        "body": banner.body,
        "link": banner.link,
        "image_id": str(banner.image_id or ""),
        "starts_at": write_wall_clock(banner.starts_at, venue.zone),
        "ends_at": write_wall_clock(banner.ends_at, venue.zone),
        "version": str(banner.version),
    }
