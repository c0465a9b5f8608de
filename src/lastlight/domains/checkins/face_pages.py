"""Finding a guest, on a phone and at the edge; every search and every guest who is opened is on record."""

from typing import Annotated

import msgspec

from lastlight.domains.checkins import faces
from lastlight.domains.checkins.faces import GuestFace
from lastlight.domains.checkins.permissions import PATRONS_FIND, VISITS_READ
from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import PatronId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Input, View, get, page

HOME = "/staff/guests"
TAGS = ("Guests",)


class FaceQuery(Input, frozen=True, kw_only=True):
    """A name, an e-mail address or a part of one, or a guest's number."""

    q: Annotated[str, msgspec.Meta(max_length=120)] = ""


@get("/api/guests/faces", permission=PATRONS_FIND, sensitive="patron.searched", tags=TAGS)
async def find_guests(ctx: Ctx, query: FaceQuery) -> list[GuestFace]:
    """Find guests by name, e-mail address or number; with a role for some venues, those who have been there."""
    return await faces.find_faces(ctx, text=query.q)


@get(
    "/api/guests/{patron_id:uuid}/face",
    permission=PATRONS_FIND,
    sensitive="patron.face_read",
    raises=[NotFound],
    tags=TAGS,
)
async def read_guest_face(ctx: Ctx, patron_id: PatronId) -> GuestFace:
    """Read what a door needs to know of a guest."""
    return await faces.read_face(ctx, patron_id=patron_id)


@page(HOME, permission=PATRONS_FIND)
async def find_guest_page(ctx: Ctx) -> View:
    """Ask whom to find."""
    return View("checkins/faces.html", {"home": HOME, "q": "", "found": [], "asked": False})


@page(f"{HOME}/found", permission=PATRONS_FIND, sensitive="patron.searched")
async def found_guests_page(ctx: Ctx, query: FaceQuery) -> View:
    """Show the guests who were found."""
    text = query.q.strip()
    found = await faces.find_faces(ctx, text=text)
    return View("checkins/faces.html", {"home": HOME, "q": text, "found": found, "asked": len(text) >= faces.SHORTEST})


@page(f"{HOME}/{{patron_id:uuid}}", permission=PATRONS_FIND, sensitive="patron.face_read")
async def guest_face_page(ctx: Ctx, patron_id: PatronId) -> View:
    """Show what a door needs to know of a guest."""
    guest = await faces.read_face(ctx, patron_id=patron_id)
    here = guest.inside_id is not None and ctx.allows(VISITS_READ, guest.inside_id)
    return View("checkins/face.html", {"home": HOME, "guest": guest, "here": here})


FACE_ROUTES = (find_guests, read_guest_face)
FACE_PAGES = (find_guest_page, found_guests_page, guest_face_page)
