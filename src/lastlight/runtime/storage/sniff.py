"""What a content really is, by its first bytes. What cannot be recognised, or could run in a browser, is not taken."""

import io
import warnings

from PIL import Image

from lastlight.kernel.errors import Problem

MOST_PIXELS = 40_000_000
_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}


class FileRefused(Problem):
    """The content is not of a kind that this place takes, whatever its name says."""

    type = "file-refused"
    status = 422
    title = "This file cannot be taken"


def media_type_of(content: bytes) -> str | None:
    """The media type of a content among those we take, else None."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    return None


def check_content(content: bytes, accepted: frozenset[str]) -> str:
    """The media type; FileRefused for anything but the accepted kinds, and for a picture that is none."""
    found = media_type_of(content)
    if found is None or found not in accepted:
        words = ", ".join(sorted(kind.rsplit("/", 1)[-1].upper() for kind in accepted))
        raise FileRefused(f"Send one of these: {words}.")
    if found in _FORMATS:
        _check_picture(content, _FORMATS[found])
    return found


def _check_picture(content: bytes, kind: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=[kind]) as picture:
                pixels = picture.width * picture.height
                picture.verify()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileRefused("The picture has too many pixels; send it smaller.") from error
    except Exception as error:
        raise FileRefused("The picture is damaged.") from error
    if pixels > MOST_PIXELS:
        raise FileRefused("The picture has too many pixels; send it smaller.")
