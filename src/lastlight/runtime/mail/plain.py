"""The plain text of a mail, from its HTML: paragraphs stay apart, links show where they lead."""

from html.parser import HTMLParser

_BLOCKS = {"p", "div", "h1", "h2", "h3", "li", "tr", "table", "ul", "ol", "br", "hr", "blockquote"}
_SILENT = {"head", "style", "script", "title"}


def plain_text(html: str) -> str:
    """What a reader without HTML sees."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.pieces).split("\n")]
    paragraphs: list[str] = []
    for line in lines:
        if line or (paragraphs and paragraphs[-1]):
            paragraphs.append(line)
    return "\n".join(paragraphs).strip() + "\n"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self.pieces)))
        elif tag in _BLOCKS:
            self.pieces.append("\n\n" if tag in {"p", "h1", "h2", "h3"} else "\n")
        if tag == "li":
            self.pieces.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "a" and self._links:
            href, start = self._links.pop()
            if href and href != "".join(self.pieces[start:]).strip():
                self.pieces.append(f": {href}")
        elif tag in _BLOCKS - {"li", "br", "hr"}:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data.replace("\n", " "))
