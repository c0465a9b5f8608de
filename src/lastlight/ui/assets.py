"""The built files by their plain names: `console.css` is served as `/static/console-css-K25OVJIE.css`."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

STATIC = "/static/"
TURNS = re.compile(r"-(left|right)$|^log-(in|out)$")
"""Icons that point along the line of reading: they turn around where it runs from right to left."""


class AssetsMissing(Exception):
    """The screens were never built, or an asset is asked for that the build does not make."""


class Assets:
    """The manifest of one build; read again when a new build replaces it, so `--watch` needs no restart."""

    def __init__(self, build_dir: Path) -> None:
        self._file = build_dir / "manifest.json"
        self._stamp = 0
        self._names: dict[str, str] = {}
        self._icons: frozenset[str] = frozenset()
        self._drawn: dict[tuple[str, str], Markup] = {}

    def url(self, name: str) -> str:
        """The address of an asset by its plain name; raises `AssetsMissing` for a name the build does not know."""
        self._refresh()
        if name not in self._names:
            raise AssetsMissing(f"The build has no {name!r}: run `npm run build`, or look for a typing error.")
        return STATIC + self._names[name]

    def inline(self, name: str) -> str:
        """A small drawing as an address that holds it, so that no request is made for it."""
        return f"data:image/svg+xml,{quote((self._file.parent / self.url(name).removeprefix(STATIC)).read_text())}"

    def has(self, name: str) -> bool:
        """Whether the build made this asset."""
        self._refresh()
        return name in self._names

    def icon(self, name: str, label: str | None = None, size: str = "") -> Markup:
        """One icon of the sprite; with a label it is an image that says so, without it is decoration."""
        self._refresh()
        drawn = None if label else self._drawn.get((name, size))
        if drawn is not None:
            return drawn
        classes = ["i", f"i-{size}" if size else "", "i-turns" if TURNS.search(name) else ""]
        css = " ".join(filter(None, classes))
        says = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        use = escape(f"{self.url('icons.svg')}#{name}")
        drawn = Markup('<svg class="{}" {}><use href="{}"/></svg>').format(css, says, use)
        if not label and name in self._icons:
            self._drawn[name, size] = drawn
        return drawn

    def has_icon(self, name: str) -> bool:
        """Whether the sprite holds this icon."""
        self._refresh()
        return name in self._icons

    def _refresh(self) -> None:
        try:
            stamp = self._file.stat().st_mtime_ns
            if stamp == self._stamp:
                return
            manifest: dict[str, Any] = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            if self._names:  # a new build is being put in place this instant
                return
            raise AssetsMissing("The screens are not built yet: run `npm ci` and `npm run build`.") from None
        self._icons = frozenset(manifest.pop("icons"))
        self._names = manifest
        self._drawn = {}
        self._stamp = stamp
