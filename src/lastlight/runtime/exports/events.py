"""What exports say, and who may ask for one."""

from typing import Literal

from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission, Scope

Format = Literal["csv", "json", "xlsx", "parquet"]

EXPORTS_CREATE = Permission("exports.create", "Export the lists that one may read, as files", Scope.TENANT)


class ExportFinished(Event, frozen=True):
    """A list was exported. How many rows it has and what was asked for stand in the audit log only."""

    event_name = "export.finished"
    audience = EXPORTS_CREATE

    export_id: str
    listing: str
    format: Format
    asked_by: str


class ExportRemoved(Event, frozen=True):
    """Somebody cancelled their export, or took its file away before it expired."""

    event_name = "export.removed"
    audience = EXPORTS_CREATE

    export_id: str
    listing: str
