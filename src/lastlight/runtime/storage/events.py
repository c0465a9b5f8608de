"""What files say, and who may see those of others."""

from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission, Scope

FILES_READ = Permission("files.read", "Open the files that others of the business uploaded", Scope.TENANT)


class FileStored(Event, frozen=True):
    """A file was uploaded."""

    event_name = "file.stored"
    audience = FILES_READ

    file_id: str
    purpose: str
    media_type: str
    size: int
