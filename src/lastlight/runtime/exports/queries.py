"""Reads of exports: an export is the job that makes it, and the file that it made for as long as that is kept."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import FileId, JobId
from lastlight.runtime.context import Ctx
from lastlight.runtime.exports.events import EXPORTS_CREATE, Format
from lastlight.runtime.http.listing import Column, Filter, Listing
from lastlight.runtime.module import Registry
from lastlight.runtime.storage.files import file_link

STATES = (
    ("queued", "Waiting"),
    ("running", "Being made"),
    ("done", "Ready"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
    ("expired", "Expired"),
)
FORMATS = (("csv", "CSV"), ("json", "JSON"), ("xlsx", "Excel"), ("parquet", "Parquet"))
SOURCE = """jobs e
left join files f on f.tenant_id = e.tenant_id and f.id = (e.result->>'file_id')::uuid
  and f.removed_at is null and f.expires_at > now()"""
STATE = """case when e.state = 'dead' then 'failed' when e.state = 'done' and f.id is null then 'expired' else e.state end"""


class ExportRow(msgspec.Struct, frozen=True, kw_only=True):
    """An export as the list shows it."""

    id: UUID
    listing: str
    format: Format
    state: str
    rows_done: int
    rows_total: int | None
    size: int | None
    error: str
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None


class ExportOut(ExportRow, frozen=True, kw_only=True):
    """One export. `url` downloads its file for a quarter of an hour; ask again for another one."""

    query: dict[str, Any]
    name: str | None
    url: str | None


class Found(ExportRow, frozen=True, kw_only=True):
    """What the database has of an export."""

    query: dict[str, Any]
    name: str | None
    file_id: UUID | None
    venues: list[UUID] | None


EXPORTS = Listing(
    name="exports",
    label="Exports",
    row=ExportRow,
    permission=EXPORTS_CREATE,
    source=SOURCE,
    where="e.kind = 'exports.make'",
    tenant="e.tenant_id",
    own_user="e.created_by",
    key="e.id",
    sort="-created_at",
    columns=(
        Column(name="created_at", sql="e.created_at", label="Asked for", kind="time", sort=True),
        Column(name="listing", sql="e.args->>'listing'", label="List", sort=True),
        Column(name="format", sql="e.args->>'format_name'", label="Format", kind="enum", choices=FORMATS),
        Column(name="state", sql=STATE, label="State", kind="enum", choices=STATES),
        Column(name="rows_done", sql="e.progress_done", label="Rows", kind="number"),
        Column(name="rows_total", sql="e.progress_total", label="Of", kind="number", shown=False),
        Column(name="size", sql="f.size", label="Size", kind="number"),
        Column(name="error", sql="e.error", label="Error"),
        Column(name="finished_at", sql="e.finished_at", label="Ended", kind="time"),
        Column(name="expires_at", sql="f.expires_at", label="Kept until", kind="time"),
        Column(name="id", sql="e.id", label="Id", kind="uuid", shown=False),
    ),
    filters=(
        Filter(name="state", sql=STATE, label="State", kind="enum", choices=STATES),
        Filter(name="format", sql="e.args->>'format_name'", label="Format", kind="enum", choices=FORMATS),
        Filter(name="listing", sql="e.args->>'listing'", label="List"),
        Filter(name="created_at", sql="e.created_at", label="Asked for", kind="time"),
    ),
    search=("e.args->>'listing'",),
)

ONE = """
select e.id, e.args->>'listing' as listing, e.args->>'format_name' as format, e.args->'query' as query,
       case when e.state = 'dead' then 'failed' when e.state = 'done' and f.id is null then 'expired' else e.state end as state,
       e.progress_done as rows_done, e.progress_total as rows_total, e.error, e.created_at, e.finished_at,
       f.size, f.expires_at, f.name, f.id as file_id,
       case when jsonb_typeof(e.result->'venues') = 'array'
            then array(select jsonb_array_elements_text(e.result->'venues')::uuid) end as venues
from jobs e
left join files f on f.tenant_id = e.tenant_id and f.id = (e.result->>'file_id')::uuid
  and f.removed_at is null and f.expires_at > now()
where e.tenant_id = $1 and e.id = $2 and e.created_by = $3 and e.kind = 'exports.make'
"""


async def find_export(ctx: Ctx, export_id: JobId) -> Found:
    """An export of the actor's own; NotFound for another's."""
    return await ctx.db.one(Found, ONE, ctx.tenant_id, export_id, ctx.actor.user_id)


async def read_export(ctx: Ctx, export_id: JobId) -> ExportOut:
    """An export of the actor's own, with a link to its file for as long as the actor may still read all that is in it."""
    return shown(ctx, await find_export(ctx, export_id))


def shown(ctx: Ctx, found: Found) -> ExportOut:
    """An export as its asker sees it."""
    fields = msgspec.structs.asdict(found)
    file_id, venues = fields.pop("file_id"), fields.pop("venues")
    url = None
    if file_id is not None and _may_still_read(ctx, found.listing, venues):
        url = file_link(ctx.services, ctx.tenant_id, FileId(file_id), now=ctx.now)
    elif file_id is not None:
        fields["error"] = "Your role no longer reaches all that is in this file; export the list again."
    return ExportOut(**fields, url=url)


def listing_of(registry: Registry, name: str) -> Listing[Any]:
    """A declared list; NotFound when no module has one of that name."""
    found = registry.listings.get(name)
    if found is None:
        raise NotFound("There is no such list.")
    return found


def _may_still_read(ctx: Ctx, name: str, venues: list[UUID] | None) -> bool:
    listing = ctx.services.registry.listings.get(name)
    if listing is None or listing.permission is None:
        return listing is not None
    return not ctx.actor.grants.covers([listing.permission.name], venues)  # pyright: ignore[reportArgumentType]
