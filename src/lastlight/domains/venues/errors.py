"""Refusals of this domain."""

from lastlight.kernel.errors import Conflict, NotFound


class VenueSlugTaken(Conflict):
    """Two venues of a tenant cannot share a short name."""

    type = "venue-slug-taken"
    title = "Another venue has this short name"
    default_detail = "Choose another short name (slug) for this venue."


class VenueArchived(Conflict):
    """An archived venue is kept as it was."""

    type = "venue-archived"
    title = "This venue is archived"
    default_detail = "Make the venue active again before you change it."


class PosterNeedsGeofence(Conflict):
    """A poster can be photographed, so it counts only together with the guest's position."""

    type = "poster-needs-geofence"
    title = "Draw the venue's geofence first"
    default_detail = (
        "A poster is checked against the guest's position. Give the venue a geofence, then print the poster."
    )


class KeysExhausted(Conflict):
    """A code has room for 65,535 key numbers."""

    type = "venue-keys-exhausted"
    title = "This venue has used up its key numbers"
    default_detail = "Archive this venue and create it again under another short name."


class CodeOfNobody(NotFound):
    """The answer to a forged code, a damaged one and one of no venue alike."""

    type = "code-of-nobody"
    title = "This code belongs to no venue"
    default_detail = "Scan the code that the venue's screen shows now."


class ImagesFull(Conflict):
    """A venue shows so many images, and a guest waits for so many."""

    type = "venue-images-full"
    title = "There are as many images as there may be"
    default_detail = "Remove one first, or wait until yours are decided on."


class BannersFull(Conflict):
    """A venue has so many banners that are not over."""

    type = "venue-banners-full"
    title = "There are as many banners as there may be"
    default_detail = "Take one down first, or wait until one is over."


class ImageNotAwaited(Conflict):
    """An upload's address takes one picture."""

    type = "venue-image-not-awaited"
    title = "This upload has been received already"
    default_detail = "Ask for another address to upload another picture."


class ImageNotThere(Conflict):
    """A photo whose picture has not come, or is none, is not shown to anybody: nobody has seen what would be."""

    type = "venue-image-not-there"
    title = "There is no picture to decide on"
    default_detail = "The guest has not sent it yet, or it could not be read. Refuse it, or wait until it can be seen."


ERRORS = (
    BannersFull,
    ImagesFull,
    ImageNotAwaited,
    ImageNotThere,
    CodeOfNobody,
    VenueSlugTaken,
    VenueArchived,
    PosterNeedsGeofence,
    KeysExhausted,
)
