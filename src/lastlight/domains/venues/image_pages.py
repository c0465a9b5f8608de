"""Images of venues on screens: uploaded, described, ordered, removed; and the queue of guests' photos."""

from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from lastlight.domains.venues import images, moderation, queries
from lastlight.domains.venues.images import Image
from lastlight.domains.venues.listings import IMAGES
from lastlight.domains.venues.permissions import VENUES_MODERATE, VENUES_PUBLISH, VENUES_READ
from lastlight.kernel.ids import ImageId, VenueId
from lastlight.runtime.audit.history import entity_history
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Operation, Redirect, RequestInfo, View, page, page_post

Reason = Annotated[str, msgspec.Meta(max_length=300)]
What = Literal["removal", "approved", "refused"]


class AltForm(Input, frozen=True, kw_only=True):
    """What an image shows."""

    alt: Reason = ""
    version: int


class DecisionQuery(Input, frozen=True, kw_only=True):
    """Which decision is asked about."""

    approved: bool = False


class ImageForm(Input, frozen=True, kw_only=True):
    """What is to become of one image."""

    what: What
    version: int
    reason: Reason = ""


class PhotosForm(Input, frozen=True, kw_only=True):
    """What is to become of the photos that were ticked."""

    ids: Annotated[list[ImageId], msgspec.Meta(min_length=1, max_length=200)]
    approved: bool
    reason: Reason = ""


def image_pages(console: str) -> tuple[Operation, ...]:
    """The pages of images inside one console, such as /owner."""
    return (*_gallery_pages(console), *_image_pages(console), *_decision_pages(console), *_queue_pages(console))


def _gallery_pages(console: str) -> tuple[Operation, ...]:
    home = f"{console}/venues"

    @page(f"{home}/{{venue_id:uuid}}/images", permission=VENUES_PUBLISH)
    async def venue_images_page(ctx: Ctx, venue_id: VenueId) -> View:
        """Show a venue's images, to add, order and remove them."""
        venue = await queries.find_venue(ctx, venue_id=venue_id, permission=VENUES_PUBLISH)
        found = await images.list_images(ctx, venue_id=venue_id, every=True)
        context = {
            "venue": venue,
            "home": home,
            "console": console,
            "images": found,
            "links": {image.id: images.image_path(images.image_links(ctx, image=image)[1]) for image in found},
        }
        return View("venues/images.html", context)

    return (venue_images_page,)


def _image_pages(console: str) -> tuple[Operation, ...]:
    path = f"{console}/images/{{image_id:uuid}}"

    async def facts(ctx: Ctx, *, image_id: UUID) -> dict[str, Any]:
        return await _facts(ctx, image_id, console, "removal")

    @page(path, permission=VENUES_READ)
    async def image_page(ctx: Ctx, image_id: ImageId) -> View:
        """Show one image with its story."""
        return View("venues/image.html", await facts(ctx, image_id=image_id))

    @page_post(path, permission=VENUES_PUBLISH, form_page="venues/image.html", form_context=facts)
    async def image_submit(ctx: Ctx, image_id: ImageId, form: Form[AltForm]) -> Redirect:
        """Say in other words what an image shows; refused when somebody else changed it in the meantime."""
        data = form.require()
        await images.describe_image(ctx, image_id=image_id, alt=data.alt, version=data.version)
        return Redirect(f"{console}/images/{image_id}", toast="Saved.")

    @page(f"{path}/removal", permission=VENUES_PUBLISH)
    async def image_removal_dialog(ctx: Ctx, image_id: ImageId) -> View:
        """Ask whether an image is to be removed."""
        return View("venues/image_dialog.html", await facts(ctx, image_id=image_id), block="dialog")

    @page_post(
        f"{path}/removal",
        permission=VENUES_PUBLISH,
        form_page="venues/image_dialog.html",
        form_block="dialog",
        form_context=facts,
    )
    async def image_removal_submit(ctx: Ctx, image_id: ImageId, form: Form[ImageForm]) -> Redirect:
        """Remove an image with its files."""
        image = await images.read_image(ctx, image_id=image_id)
        await images.remove_image(ctx, image_id=image_id, version=form.require().version)
        return Redirect(f"{console}/venues/{image.venue_id}/images", toast="The image is removed.")

    return (image_page, image_submit, image_removal_dialog, image_removal_submit)


def _decision_pages(console: str) -> tuple[Operation, ...]:
    path = f"{console}/images/{{image_id:uuid}}/moderation"

    @page(path, permission=VENUES_MODERATE)
    async def image_decision_dialog(ctx: Ctx, image_id: ImageId, query: DecisionQuery) -> View:
        """Ask whether a guest's photo is to be shown or refused."""
        what: What = "approved" if query.approved else "refused"
        return View("venues/image_dialog.html", await _facts(ctx, image_id, console, what), block="dialog")

    async def again(ctx: Ctx, *, image_id: UUID) -> dict[str, Any]:
        return await _facts(ctx, image_id, console, "refused")

    @page_post(
        path,
        permission=VENUES_MODERATE,
        form_page="venues/image_dialog.html",
        form_block="dialog",
        form_context=again,
    )
    async def image_decision_submit(ctx: Ctx, image_id: ImageId, form: Form[ImageForm]) -> Redirect:
        """Show a guest's photo, or refuse it with a reason."""
        data = form.require()
        approved = data.what == "approved"
        await moderation.moderate_image(
            ctx, image_id=image_id, approved=approved, reason=data.reason, version=data.version
        )
        said = "The photo is shown." if approved else "The photo is refused."
        return Redirect(f"{console}/images/{image_id}", toast=said)

    return (image_decision_dialog, image_decision_submit)


def _queue_pages(console: str) -> tuple[Operation, ...]:
    home = f"{console}/photos"

    @page(home, permission=VENUES_MODERATE, listing=IMAGES)
    async def photos_page(ctx: Ctx, query: Any) -> View:
        """List guests' photos: those that wait for a decision first."""
        return View("venues/photos.html", await _queue(ctx, console, query))

    async def again(ctx: Ctx) -> dict[str, Any]:
        return await _queue(ctx, console, IMAGES.parse())

    @page_post(f"{home}/decision", permission=VENUES_MODERATE, form_page="venues/photos.html", form_context=again)
    async def photos_submit(ctx: Ctx, form: Form[PhotosForm]) -> Redirect:
        """Show the chosen photos, or refuse them with one reason."""
        data = form.require()
        done = await moderation.moderate_images(ctx, image_ids=data.ids, approved=data.approved, reason=data.reason)
        photos = "1 photo is" if done == 1 else f"{done} photos are"
        late = len(data.ids) - done
        said = f"{photos} {'shown' if data.approved else 'refused'}."
        return Redirect(home, toast=said + (f" {late} had been decided on already." if late else ""))

    return (photos_page, photos_submit)


async def count_photos(ctx: Ctx, *, request: RequestInfo) -> int:
    """How many photos wait for a decision, beside their place."""
    return await moderation.count_waiting(ctx)


async def _facts(ctx: Ctx, image_id: UUID, console: str, what: What) -> dict[str, Any]:
    image: Image = await images.read_image(ctx, image_id=image_id)
    venue = await queries.find_venue(ctx, venue_id=image.venue_id)
    may_order = ctx.allows(VENUES_PUBLISH, venue.id)
    return {
        "image": image,
        "venue": venue,
        "what": what,
        "large": images.image_path(images.image_links(ctx, image=image)[0]),
        "action": f"{console}/images/{image_id}",
        "back": f"{console}/venues/{venue.id}" + ("/images" if may_order else ""),
        "history": await entity_history(ctx, entity="image", entity_id=image_id),
    }


async def _queue(ctx: Ctx, console: str, query: Any) -> dict[str, Any]:
    if not query.moderation:
        query = msgspec.structs.replace(query, moderation=["waiting"], of_guest=True, state=query.state or ["ready"])
    view = await IMAGES.view(ctx, query)
    mine = await queries.standing_venues(ctx, permission=VENUES_MODERATE)
    return {
        "view": view,
        "home": f"{console}/photos",
        "console": console,
        "paged": bool(query.after),
        "decision": query.moderation[0] if len(query.moderation) == 1 else "",
        "waiting": await moderation.count_waiting(ctx),
        "choices": {"venue_id": [(str(venue.id), venue.name) for venue in mine]},
        "links": await images.small_copies(ctx, image_ids=[row.id for row in view.rows]),
    }
