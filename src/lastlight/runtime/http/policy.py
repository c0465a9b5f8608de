"""What a page may load, as its Content-Security-Policy says; and the one exception, a page with the processor's card fields."""

from collections.abc import Mapping, Sequence

from lastlight.runtime.settings import Settings
from lastlight.runtime.stripe_account import configured

_DIRECTIVES: Mapping[str, Sequence[str]] = {
    "default-src": ("'self'",),
    "script-src": ("'self'", "'wasm-unsafe-eval'"),
    "style-src": ("'self'",),
    "img-src": ("'self'", "data:", "blob:"),
    "connect-src": ("'self'", "ws:", "wss:"),
    "worker-src": ("'self'",),
    "object-src": ("'none'",),
    "base-uri": ("'none'",),
    "frame-ancestors": ("'none'",),
    "form-action": ("'self'",),
}


def _written(directives: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(" ".join((name, *sources)) for name, sources in directives.items())


CONTENT_SECURITY_POLICY = _written(_DIRECTIVES)
"""The policy of every page that names none."""


def with_card_fields(settings: Settings) -> dict[str, str]:
    """Headers of a page on which a card is typed: `View(..., headers=with_card_fields(ctx.services.settings))`.

    It adds the origins of the processor's script, frames and calls, and nothing else. A page that is swapped into another one keeps that
    one's policy, so links to it load it whole (`hx-boost="false"`).
    """
    sources = configured(settings).fields_sources
    more = {"script-src": sources.script, "connect-src": sources.connect}
    widened = {name: (*known, *more.get(name, ())) for name, known in _DIRECTIVES.items()}
    return {"Content-Security-Policy": _written(widened | {"frame-src": sources.frame})}
