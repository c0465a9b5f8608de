"""The built files over HTTP, whatever the framework: content negotiation, validators, caching."""

import re
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from lastlight.ui.render import BUILD

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".map": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
WORKERS = frozenset({"sw.js", "door-sw.js", "staff-sw.js"})
"""Service workers: served from the root, so that they may answer for any page of theirs."""
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
HASHED_NAME = re.compile(r"-[0-9A-Z]{8}\.")
WEIGHT = re.compile(r";\s*q\s*=\s*(\d(?:\.\d+)?)")


class StaticFile(Struct, frozen=True, kw_only=True):
    """An answer: 200 with a body or 304 without."""

    status: int
    headers: dict[str, str]
    body: bytes


def serve_static(
    name: str, accept_encoding: str = "", if_none_match: str = "", *, build_dir: Path = BUILD
) -> StaticFile | None:
    """The built file of this name in the best encoding the client takes, or None when there is no such file."""
    if not PLAIN_NAME.fullmatch(name) or Path(name).suffix not in TYPES:
        return None
    plain = build_dir / name
    if name == "manifest.json" or not plain.is_file():
        return None
    encoding, path = _best(plain, accept_encoding)
    body, tag = _read(path, path.stat().st_mtime_ns)
    headers = {
        "Content-Type": TYPES[plain.suffix],
        "Cache-Control": IMMUTABLE if HASHED_NAME.search(name) else REVALIDATE,
        "ETag": tag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if encoding:
        headers["Content-Encoding"] = encoding
    if name in WORKERS:
        headers["Service-Worker-Allowed"] = "/"
    if _matches(if_none_match, tag):
        return StaticFile(status=304, headers=headers, body=b"")
    return StaticFile(status=200, headers=headers, body=body)


@lru_cache(maxsize=256)
def _read(path: Path, _changed: int) -> tuple[bytes, str]:
    """A file and its tag, read anew once it changes: however many ask for it and take it slowly, it is in memory once."""
    body = path.read_bytes()
    return body, f'"{sha256(body).hexdigest()[:20]}"'


def accepts(header: str, encoding: str) -> bool:
    """Whether an Accept-Encoding header takes an encoding."""
    return _takes(_weights(header), encoding)


def _weights(header: str) -> dict[str, float]:
    """What an Accept-Encoding header names, and how much each is wanted."""
    weights: dict[str, float] = {}
    for part in header.lower().split(","):
        weight = WEIGHT.search(part)
        weights[part.split(";")[0].strip()] = float(weight[1]) if weight else 1.0
    return weights


def _takes(weights: dict[str, float], encoding: str) -> bool:
    return weights.get(encoding, weights.get("*", 0.0)) > 0


def _best(plain: Path, accept_encoding: str) -> tuple[str, Path]:
    weights = _weights(accept_encoding)
    for encoding, suffix in ENCODINGS:
        packed = plain.with_name(plain.name + suffix)
        if _takes(weights, encoding) and packed.is_file():
            return encoding, packed
    return "", plain


def _matches(if_none_match: str, tag: str) -> bool:
    tags = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return "*" in tags or tag in tags
