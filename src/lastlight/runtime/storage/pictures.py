"""Pictures that people sent: opened one at a time, upright, without their metadata."""

import asyncio
import io
from collections.abc import Callable
from typing import TypeVar

from PIL import Image as Picture
from PIL import ImageOps

from lastlight.runtime.services import Services
from lastlight.runtime.storage.files import File

T = TypeVar("T")

AT_ONCE = 1
"""How many pictures a worker opens at a time: a few kilobytes may hold forty million pixels, and each open one its own memory."""
PLAIN = frozenset({"RGB", "RGBA", "L"})
FORMATS = ["PNG", "JPEG", "GIF", "WEBP"]


def upright_picture(content: bytes, *, longest: int) -> Picture.Image:
    """A picture as it is to be looked at, no side longer than `longest`; ValueError for one that cannot be read."""
    try:
        with Picture.open(io.BytesIO(content), formats=FORMATS) as opened:
            mode = "RGBA" if opened.has_transparency_data else "RGB"
            plain = opened if opened.mode in PLAIN and "transparency" not in opened.info else opened.convert(mode)
            plain.thumbnail((longest, longest))  # first, so that no other step holds a copy of all its pixels
            upright = ImageOps.exif_transpose(plain).convert(mode)
    except (OSError, SyntaxError, ValueError, Picture.DecompressionBombError) as error:
        raise ValueError("The picture is damaged.") from error
    upright.info.clear()
    return upright


async def in_turn(services: Services, original: File, work: Callable[[bytes], T]) -> T:
    """Do something with a stored picture's content, away from the loop, when no other picture is open."""
    turns: asyncio.Semaphore = services.memory.setdefault("resizing-turns", asyncio.Semaphore(AT_ONCE))
    async with turns:
        content = b"".join([piece async for piece in services.storage.read(original.place)])
        return await asyncio.to_thread(work, content)
