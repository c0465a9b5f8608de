"""Reading an upload: the raw body, or the one file of a multipart form."""

import io
from email.message import Message

from multipart import MultipartError, MultipartParser, MultipartPart

from lastlight.kernel.errors import Invalid, Malformed
from lastlight.runtime.storage.files import MOST_UPLOAD_BYTES


def read_upload(content_type: str, name: str, body: bytes) -> tuple[str, bytes]:
    """The file's name and content; in a multipart form it is the part called `file`."""
    header = Message()
    header["Content-Type"] = content_type
    if header.get_content_type() != "multipart/form-data":
        return name or "file", body
    try:
        parts: list[MultipartPart] = list(
            MultipartParser(
                io.BytesIO(body),
                header.get_boundary(""),
                content_length=len(body),
                disk_limit=0,
                memory_limit=MOST_UPLOAD_BYTES + 64 * 1024,
                memfile_limit=MOST_UPLOAD_BYTES + 64 * 1024,
                part_limit=8,
                strict=True,
            )
        )
    except MultipartError as error:
        raise Malformed(f"The form could not be read: {error}.") from error
    for part in parts:
        if part.name == "file":
            return part.filename or name or "file", part.raw
    raise Invalid(fields={"file": "The form has no part called file."})
