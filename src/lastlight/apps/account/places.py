"""Where pages may lead: to places of ours, never to another site."""

from urllib.parse import urlsplit


def safe_next(target: str) -> str:
    """A path of our own to go to, or nothing: never another site."""
    parts = urlsplit(target)
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return target if plain and "\\" not in target and "\n" not in target else ""
