"""One range of a file (RFC 9110, 14): a download that broke off goes on where it was."""

import re
from collections.abc import Mapping

from lastlight.kernel.errors import Problem

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


class RangeNotSatisfiable(Problem):
    """The part that was asked for lies outside of the file."""

    type = "range-not-satisfiable"
    status = 416
    title = "The file has no such part"


def asked_range(headers: Mapping[str, str], *, size: int, tag: str) -> range | None:
    """The part that is asked for; None for the whole file, also when several parts are, or one of another content."""
    found = RANGE.fullmatch(headers.get("range", "").strip())
    if found is None or found[0] == "bytes=-" or headers.get("if-range", tag) != tag:
        return None
    first, last = found[1], found[2]
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if start >= stop:
        raise RangeNotSatisfiable(f"It has {size} bytes.", headers={"Content-Range": f"bytes */{size}"})
    return range(start, stop)
