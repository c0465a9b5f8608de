"""Exports as a module: their edges, the job that makes them, how long they are kept."""

from lastlight.runtime.exports.api import create_export, get_export, list_exports, remove_export
from lastlight.runtime.exports.events import EXPORTS_CREATE, ExportFinished, ExportRemoved
from lastlight.runtime.exports.make import KEEP_HOURS, drop_drafts, make_export
from lastlight.runtime.exports.queries import EXPORTS
from lastlight.runtime.module import Module

MODULE = Module(
    name="exports",
    summary="Any declared list as CSV, JSON, Excel or Parquet: made by a job from one snapshot, downloaded by a signed link.",
    routes=[create_export, list_exports, get_export, remove_export],
    permissions=[EXPORTS_CREATE],
    events=[ExportFinished, ExportRemoved],
    jobs=[make_export, drop_drafts],
    listings=[EXPORTS],
    settings=[KEEP_HOURS],
)
