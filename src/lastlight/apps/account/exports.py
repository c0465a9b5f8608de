"""One's own exports: what was asked for, what is ready, what was left behind when a page was closed."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from lastlight.kernel.ids import JobId
from lastlight.runtime.context import Ctx
from lastlight.runtime.exports.api import drop_export
from lastlight.runtime.exports.events import EXPORTS_CREATE
from lastlight.runtime.exports.queries import EXPORTS, read_export
from lastlight.runtime.http import Redirect, View, page, page_post

HOME = "/account/exports"
WORDS = {"queued": "This export waits for its turn.", "running": "This export is still being made."}
ONE = f"{HOME}/{{export_id:uuid}}"


@page(HOME, permission=EXPORTS_CREATE, listing=EXPORTS)
async def exports_page(ctx: Ctx, query: Any) -> View:
    """List one's own exports."""
    view = replace(await EXPORTS.view(ctx, query), export=False)  # a list of exports is not itself for export
    names = {name: listing.label for name, listing in ctx.services.registry.listings.items()}
    return View("account/exports.html", {"view": view, "home": HOME, "names": names, "paged": bool(query.after)})


@page(f"{ONE}/file", permission=EXPORTS_CREATE)
async def export_file(ctx: Ctx, export_id: JobId) -> Redirect:
    """Download the file of an export."""
    found = await read_export(ctx, export_id)
    if found.url is None:
        return Redirect(
            HOME, toast=found.error or WORDS.get(found.state, "This file is not there; export the list again.")
        )
    return Redirect(urlsplit(found.url).path)


@page_post(f"{ONE}/remove", permission=EXPORTS_CREATE)
async def export_remove(ctx: Ctx, export_id: JobId) -> Redirect:
    """Cancel an export, or take its file away."""
    await drop_export(ctx, export_id)
    return Redirect(HOME, toast="It is gone.")


EXPORT_PAGES = (exports_page, export_file, export_remove)
