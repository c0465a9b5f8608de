"""Reads of exports: an export is the job that makes it, and the file that it made for as long as that is kept."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from lastlight.kernel.errors import NotFound
from lastlight.kernel.ids import FileId, JobId
from lastlight.runtime.context import Ctx
from lastlight.runtime.exports.events import EXPORTS_CREATE, Format
from lastlight.runtime.http.columns import ID, Column, Filter
from lastlight.runtime.http.listing import Listing
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
    of="e",
    where="e.kind = 'exports.make'",
    own_user="e.created_by",
    sort="-created_at",
    columns=(
        Column("created_at", "Asked for", kind="time", sort=True),
        Column("listing", "List", sql="e.args->>'listing'", sort=True),
        Column("format", "Format", sql="e.args->>'format_name'", kind="enum", choices=FORMATS),
        Column("state", "State", sql=STATE, kind="enum", choices=STATES),
        Column("rows_done", "Rows", sql="e.progress_done", kind="number"),
        Column("rows_total", "Of", sql="e.progress_total", kind="number", shown=False),
        Column("size", "Size", sql="f.size", kind="number"),
        Column("error", "Error"),
        Column("finished_at", "Ended", kind="time"),
        Column("expires_at", "Kept until", sql="f.expires_at", kind="time"),
        ID,
    ),
    filters=(
        Filter("state"),
        Filter("format"),
        Filter("listing"),
        Filter("created_at"),
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
