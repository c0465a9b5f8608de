"""Markdown: the few shapes that the pages are made of."""

import re
from collections.abc import Iterable, Sequence

NONE = "·"


def page(title: str, intro: str, parts: Iterable[str]) -> str:
    """A whole page: a title, what it is about, its parts; ends with one newline."""
    made = "<!-- Made by `make docs`; change what it is made of instead. -->"
    return "\n\n".join([made, f"# {title}", intro, *(part.strip("\n") for part in parts if part.strip())]) + "\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; nothing at all where it has no rows."""
    lines = [f"| {' | '.join(cell(value) for value in row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *lines])


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of named facts; those without a value are left out."""
    return "\n".join(f"- **{name}:** {value}" for name, value in pairs if value)


def cell(text: str) -> str:
    """Text as it may stand in a table's cell."""
    return " ".join(text.split()).replace("|", "\\|") or NONE


def code(text: object) -> str:
    """A name or value, set as code."""
    return f"`{text}`"


def codes(names: Iterable[object]) -> str:
    """Names set as code, with commas."""
    return ", ".join(code(name) for name in names)


def link(text: str, *, page: str = "", to: str = "") -> str:
    """A link to the heading `to` of another page of the reference, or of the same one."""
    return f"[{text}]({f'{page}.md' if page else ''}#{anchor(to or text)})"


def anchor(heading: str) -> str:
    """The fragment that GitHub and its likes give to a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def prose(docstring: str) -> str:
    """A docstring as one paragraph for each of its own."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", docstring.strip()))
