"""Saved views as a module: their edges, and the menu that lists show."""

from typing import Annotated
from uuid import UUID

import msgspec

from lastlight.kernel.errors import Invalid, NotFound, NotPermitted
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import Form, Input, Redirect, View, delete, get, page, page_post, post
from lastlight.runtime.module import Module
from lastlight.runtime.saved_views.actions import (
    TooManyViews,
    ViewIn,
    ViewOut,
    ViewRemoved,
    ViewSaved,
    keep_view,
    query_text,
    readable_listing,
    remove_view,
    views_of,
)

OWN = "Views are one's own; keeping one needs the permission to read its list."


class ViewsQuery(Input, frozen=True, kw_only=True):
    """Which list the views are of."""

    listing: Annotated[str, msgspec.Meta(max_length=60)]


class ViewsOut(msgspec.Struct, frozen=True):
    """One's own views of a list, by name."""

    items: list[ViewOut]


class MenuQuery(ViewsQuery, frozen=True, kw_only=True):
    """The list, the page that shows it, and what the page asks it now."""

    path: Annotated[str, msgspec.Meta(pattern=r"^/[a-z0-9_-][a-z0-9_/-]*$(?!\n)", max_length=120)]
    query: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class RemoveForm(Input, frozen=True, kw_only=True):
    """The page to go back to."""

    path: Annotated[str, msgspec.Meta(pattern=r"^/[a-z0-9_-][a-z0-9_/-]*$(?!\n)", max_length=120)]


class KeepForm(MenuQuery, frozen=True, kw_only=True):
    """A name for what the page shows now."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


@get("/api/saved-views", signed_in=OWN)
async def list_views(ctx: Ctx, query: ViewsQuery) -> ViewsOut:
    """List one's own saved views of a list."""
    return ViewsOut(await views_of(ctx, listing=query.listing))


@post("/api/saved-views", signed_in=OWN, status=201, raises=[NotFound, NotPermitted, Invalid, TooManyViews])
async def create_view(ctx: Ctx, data: ViewIn) -> ViewOut:
    """Save the filters, search and order of a list under a name; one of the same name is replaced."""
    return await keep_view(ctx, data=data)


@delete("/api/saved-views/{view_id:uuid}", signed_in=OWN, raises=[NotFound])
async def delete_view(ctx: Ctx, view_id: UUID) -> None:
    """Remove one of one's own saved views."""
    await remove_view(ctx, view_id=view_id)


@page("/saved-views", signed_in=OWN)
async def views_menu(ctx: Ctx, query: MenuQuery) -> View:
    """Show the menu of a list's saved views."""
    listing = readable_listing(ctx, query.listing)
    context = {
        "views": await views_of(ctx, listing=listing.name),
        "listing": listing.name,
        "home": query.path,
        "asked": query_text(listing, query.query),
    }
    return View("saved_views/menu.html", context, block="menu")


@page_post("/saved-views", signed_in=OWN)
async def view_submit(ctx: Ctx, form: Form[KeepForm]) -> Redirect:
    """Save what a list shows now."""
    data = form.require()
    view = await keep_view(ctx, data=ViewIn(listing=data.listing, name=data.name, query=data.query))
    return Redirect(_address(data.path, view.query), toast=f"Saved as {view.name}.")


@page_post("/saved-views/{view_id:uuid}/remove", signed_in=OWN)
async def view_remove(ctx: Ctx, view_id: UUID, form: Form[RemoveForm]) -> Redirect:
    """Remove a saved view, and go back to the list."""
    data = form.require()
    view = await remove_view(ctx, view_id=view_id)
    return Redirect(_address(data.path, view.query), toast=f"{view.name} is removed.")


def _address(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


MODULE = Module(
    name="saved_views",
    summary="Filters, search and order of a list, kept under a name by each person for themselves.",
    routes=[list_views, create_view, delete_view],
    pages=[views_menu, view_submit, view_remove],
    events=[ViewSaved, ViewRemoved],
    errors=[TooManyViews],
)
