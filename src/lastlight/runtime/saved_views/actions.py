"""Keeping, finding and removing one's own views of a list."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from lastlight.kernel.errors import Conflict, Invalid, NotFound
from lastlight.kernel.events import Event
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.turns import take_turn
from lastlight.runtime.http import Input
from lastlight.runtime.http.decode import convert_text, pairs
from lastlight.runtime.http.listing import Listing

MOST_VIEWS = 30
FLEETING = ("after", "limit", "count")
"""Parts of a query that belong to one look at the list, not to a view of it."""


class TooManyViews(Conflict):
    """A person keeps at most MOST_VIEWS views of one list."""

    type = "too-many-views"
    title = "You keep as many views of this list as fit"
    default_detail = f"Remove one of your {MOST_VIEWS} views first."


class ViewSaved(Event, frozen=True, kw_only=True):
    """Somebody saved a view of a list for themselves."""

    event_name: ClassVar[str] = "saved_view.kept"
    view_id: UUID
    listing: str


class ViewRemoved(Event, frozen=True, kw_only=True):
    """Somebody removed one of their views."""

    event_name: ClassVar[str] = "saved_view.removed"
    view_id: UUID
    listing: str


class ViewIn(Input, frozen=True, kw_only=True):
    """A view to keep: of which list, under which name, and the list's query string."""

    listing: Annotated[str, msgspec.Meta(max_length=60)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    query: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class ViewOut(msgspec.Struct, frozen=True, kw_only=True):
    """A saved view; `query` is the query string that brings it back."""

    id: UUID
    listing: str
    name: str
    query: str
    created_at: datetime


VIEW = "select id, listing, name, query, created_at from saved_views where tenant_id = $1 and user_id = $2"


async def keep_view(ctx: Ctx, *, data: ViewIn) -> ViewOut:
    """Keep a view; one of the same name is replaced. Raises NotFound, NotPermitted, Invalid, TooManyViews."""
    listing = readable_listing(ctx, data.listing)
    name = " ".join(data.name.split())
    if not name:
        raise Invalid(fields={"name": "Give the view a name."})
    query = query_text(listing, data.query)
    await take_turn(ctx, of="views", whose=ctx.actor.user_id)
    before = await views_of(ctx, listing=listing.name)
    if len(before) >= MOST_VIEWS and name not in {view.name for view in before}:
        raise TooManyViews
    view_id = await ctx.db.fetchval(
        """insert into saved_views (tenant_id, user_id, listing, name, query) values ($1, $2, $3, $4, $5)
           on conflict (tenant_id, user_id, listing, name) do update set query = excluded.query returning id""",
        ctx.tenant_id,
        ctx.actor.user_id,
        listing.name,
        name,
        query,
    )
    kept = await ctx.db.row(ViewOut, f"{VIEW} and id = $3", ctx.tenant_id, ctx.actor.user_id, view_id)
    assert kept is not None, "it was written in this transaction"
    ctx.emit(ViewSaved(view_id=view_id, listing=listing.name), entity=("saved_view", view_id), after=kept)
    return kept


async def views_of(ctx: Ctx, *, listing: str) -> list[ViewOut]:
    """One's own views of a list, by name."""
    return await ctx.db.rows(
        ViewOut, f"{VIEW} and listing = $3 order by lower(name), id", ctx.tenant_id, ctx.actor.user_id, listing
    )


async def remove_view(ctx: Ctx, *, view_id: UUID) -> ViewOut:
    """Remove one of one's own views; NotFound when it is none."""
    view = await ctx.db.row(ViewOut, f"{VIEW} and id = $3", ctx.tenant_id, ctx.actor.user_id, view_id)
    if view is None:
        raise NotFound
    gone = await ctx.db.execute(
        "delete from saved_views where tenant_id = $1 and user_id = $2 and id = $3",
        ctx.tenant_id,
        ctx.actor.user_id,
        view_id,
    )
    if not gone:
        raise NotFound
    ctx.emit(ViewRemoved(view_id=view_id, listing=view.listing), entity=("saved_view", view_id), before=view)
    return view


def query_text(listing: Listing[Any], raw: str) -> str:
    """A list's query string in one canonical form, without what belongs to one look; Invalid where it does not fit."""
    kept = pairs(raw.removeprefix("?").encode(), ignore=FLEETING)
    convert_text(kept, listing.query_type)
    return urlencode([(name, text) for name in sorted(kept) for text in kept[name] if text])


def readable_listing(ctx: Ctx, name: str) -> Listing[Any]:
    """A listing that the actor may read; lists of one's own things have no permission and no views."""
    listing = ctx.services.registry.listings.get(name)
    if listing is None or listing.permission is None:
        raise NotFound
    ctx.require(listing.permission)
    return listing
