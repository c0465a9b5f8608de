"""Short names of tenants: made from a wish or from the name, never one that we use ourselves. Pure."""

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 48
RESERVED = frozenset(
    (
        "account", "admin", "api", "app", "assets", "brand", "c", "demo", "docs", "exports", "files", "forgot", "functions", "gallery", "go",
        "health", "help", "invitation", "lastlight", "login", "looking", "mail", "manage", "metrics", "openapi", "owner", "patron", "payee",
        "platform", "ready", "realtime", "register", "reset", "safety", "saved-views", "screen", "sign-in", "sign-out", "staff",
        "static", "status", "support", "switch-venue", "system", "test", "uploads", "verify", "webhooks", "www",
    )
)  # fmt: skip


def slug_of(text: str) -> str:
    """A short name out of a text: lower case, ASCII, words joined by hyphens; "venue" when nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST].strip("-")
    return slug or "venue"


def free_slug(wish: str, taken: Iterable[str]) -> str:
    """The wish, or the wish with the first number that is free."""
    used = RESERVED | set(taken)
    if wish not in used:
        return wish
    number = 2
    while (candidate := f"{wish[: LONGEST - 5].strip('-')}-{number}") in used:
        number += 1
    return candidate
