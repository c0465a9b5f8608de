"""The edges of exports."""

from typing import Annotated

import msgspec

from lastlight.kernel.errors import Invalid, ModuleOff, NotFound, NotPermitted
from lastlight.kernel.ids import FileId, JobId
from lastlight.runtime.context import Ctx
from lastlight.runtime.exports.asking import Query, Scalar, check_may_export, read_query
from lastlight.runtime.exports.events import EXPORTS_CREATE, ExportRemoved, Format
from lastlight.runtime.exports.make import make_export
from lastlight.runtime.exports.queries import EXPORTS, ExportOut, find_export, read_export
from lastlight.runtime.http import Input, delete, get, post
from lastlight.runtime.http.listing import listing_get
from lastlight.runtime.jobs.actions import cancel
from lastlight.runtime.storage.files import remove_file

TAGS = ["exports"]
LOCK = "select 1 from jobs where tenant_id = $1 and id = $2 and created_by = $3 for no key update"


class ExportIn(Input, frozen=True, kw_only=True):
    """Which list, as what, and which of its rows: `query` holds filters, `sort` and `q` as the list's own address takes them."""

    listing: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    format: Format
    query: Query = msgspec.field(default_factory=dict[str, Scalar | list[Scalar]])


list_exports = listing_get("/api/exports", EXPORTS, tags=TAGS)


@post(
    "/api/exports",
    permission=EXPORTS_CREATE,
    idempotent=True,
    status=202,
    raises=[Invalid, NotPermitted, ModuleOff],
    tags=TAGS,
)
async def create_export(ctx: Ctx, data: ExportIn) -> ExportOut:
    """Export all rows of a list that the caller may read, as CSV, JSON, Excel or Parquet.

    The file is made by a job, with the caller's permissions and venues as they are then, from one snapshot. Ask for the
    export again until it is `done`; its `url` then downloads the file. Signing out before it is made ends it.
    """
    listing = ctx.services.registry.listings.get(data.listing)
    if listing is None:
        raise Invalid(fields={"listing": "There is no such list."})
    await check_may_export(ctx, listing)
    read_query(listing, data.query)
    session_id = ctx.actor.session_id
    job_id = await ctx.enqueue(
        make_export, listing=listing.name, format_name=data.format, query=data.query, session_id=session_id
    )
    return await read_export(ctx, job_id)


@get("/api/exports/{export_id:uuid}", permission=EXPORTS_CREATE, raises=[NotFound], tags=TAGS)
async def get_export(ctx: Ctx, export_id: JobId) -> ExportOut:
    """Read one's own export: its state, its progress and, while its file is kept, a link that downloads it for 15 minutes."""
    return await read_export(ctx, export_id)


@delete("/api/exports/{export_id:uuid}", permission=EXPORTS_CREATE, raises=[NotFound], tags=TAGS)
async def remove_export(ctx: Ctx, export_id: JobId) -> None:
    """Cancel one's own export while it waits or is being made; take its file away once there is one."""
    await drop_export(ctx, export_id)


async def drop_export(ctx: Ctx, export_id: JobId) -> None:
    """Cancel an export of the actor's own, or take its file away."""
    await ctx.db.execute(LOCK, ctx.tenant_id, export_id, ctx.actor.user_id)
    found = await find_export(ctx, export_id)
    if found.state in {"queued", "running"}:
        await cancel(ctx, job_id=export_id)
    if found.file_id is not None:
        await remove_file(ctx, FileId(found.file_id))
        event = ExportRemoved(export_id=str(export_id), listing=found.listing)
        ctx.emit(event, entity=("export", export_id), before={"name": found.name})
