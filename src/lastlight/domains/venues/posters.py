"""A venue's poster, as PDF for the printer and as SVG for whoever lays it out anew. The drawing is ours. Pure."""

import unicodedata
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import (
    registerFont,  # pyright: ignore[reportUnknownVariableType] reportlab declares few types
    stringWidth,
)
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

PaperSize = Literal["A4", "A5"]

PAPER: dict[PaperSize, tuple[float, float]] = {"A4": (210.0, 297.0), "A5": (148.0, 210.0)}
ROOM = "#1b1420"
SUN = "#ff6a5e"
INK = "#1b1420"
SOFT = "#6b6172"
LOGO = 24
"""The height of a logo in the band, in millimetres on A4; it may be twice as wide."""
HOW_TO = ("Point your camera at the code,", "open the link, and you are checked in.")
PLAIN, BOLD = "LastLightPoster", "LastLightPoster-Bold"


class Poster(msgspec.Struct, frozen=True, kw_only=True):
    """What a poster says."""

    venue_name: str
    address: str
    url: str
    key_number: int
    slug: str
    house: str = "LAST LIGHT"
    """Whose it is, in the band at its top."""
    accent: str = SUN
    """The light in the band: a colour that shows on dark ground."""
    logo: bytes = b""
    """The business's logo as PNG, in the light's place; empty for none."""


class Layout(NamedTuple):
    """Where things stand on the paper, in millimetres from its top left."""

    width: float
    height: float
    band: float
    name_y: float
    qr_x: float
    qr_y: float
    qr_side: float
    how_y: float
    unit: float


def qr_svg(text: str) -> str:
    """A code as SVG in one path, dark on light with its quiet zone; it scales to the box it is put into."""
    path, size = _qr_path(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" aria-label="Check-in code" '
        f'shape-rendering="crispEdges"><rect width="{size}" height="{size}" fill="#ffffff"/>'
        f'<path d="{path}" fill="#120d15"/></svg>'
    )


def poster_svg(poster: Poster, size: PaperSize = "A4") -> str:
    """The poster as SVG, in millimetres."""
    at = _layout(size)
    path, modules = _qr_path(poster.url)
    lines = _name_lines(poster.venue_name, at)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{at.width:g}mm" height="{at.height:g}mm" viewBox="0 0 {at.width:g} {at.height:g}">',
        f"<title>{escape(poster.venue_name)}: check in</title>",
        f'<rect width="{at.width:g}" height="{at.height:g}" fill="#ffffff"/><rect width="{at.width:g}" height="{at.band:g}" fill="{ROOM}"/>',
        _svg_mark(at, poster),
    ]
    for index, (line, points) in enumerate(lines):
        parts.append(_svg_text(line, at.width / 2, at.name_y + index * points * 0.42, points, INK, weight=700))
    parts.append(
        f'<svg x="{at.qr_x:g}" y="{at.qr_y:g}" width="{at.qr_side:g}" height="{at.qr_side:g}" viewBox="0 0 {modules} {modules}" '
        f'shape-rendering="crispEdges"><path d="{path}" fill="#120d15"/></svg>'
    )
    for index, line in enumerate(HOW_TO):
        parts.append(_svg_text(line, at.width / 2, at.how_y + index * 7 * at.unit, 15 * at.unit, INK))
    parts.append(_svg_text(_foot(poster), at.width / 2, at.height - 9 * at.unit, 8.5 * at.unit, SOFT))
    return "".join([*parts, "</svg>"])


def poster_pdf(poster: Poster, size: PaperSize = "A4") -> bytes:
    """The poster as a one-page PDF with its fonts inside."""
    _letters()
    at = _layout(size)
    out = BytesIO()
    canvas = Canvas(out, pagesize=(at.width * mm, at.height * mm), invariant=True)
    canvas.setTitle(f"{poster.venue_name}: check in")
    canvas.setAuthor("Last Light")
    canvas.setFillColor(HexColor(ROOM))
    canvas.rect(0, (at.height - at.band) * mm, at.width * mm, at.band * mm, stroke=0, fill=1)
    _pdf_mark(canvas, at, poster)
    for index, (line, points) in enumerate(_name_lines(_drawable(poster.venue_name) or poster.slug, at)):
        _pdf_text(canvas, at, line, y=at.name_y + index * points * 0.42, points=points, colour=INK, font=BOLD)
    _pdf_qr(canvas, at, poster.url)
    for index, line in enumerate(HOW_TO):
        _pdf_text(canvas, at, line, y=at.how_y + index * 7 * at.unit, points=15 * at.unit, colour=INK)
    _pdf_text(canvas, at, _drawable(_foot(poster)), y=at.height - 9 * at.unit, points=8.5 * at.unit, colour=SOFT)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _name_lines(name: str, at: Layout) -> list[tuple[str, float]]:
    """A venue's name on one line or two, each with its size in points, as large as the paper lets it be."""
    _letters()
    room = (at.width - 24 * at.unit) * mm
    for points in (44.0, 36.0, 30.0, 25.0):
        lines = _broken(name, points * at.unit, room)
        if len(lines) <= 2 and all(stringWidth(line, BOLD, points * at.unit) <= room for line in lines):
            return [(line, points * at.unit) for line in lines]
    widest = max(stringWidth(line, BOLD, 25.0) for line in _broken(name, 25.0, room)[:2])
    points = min(25.0 * at.unit, 25.0 * room / widest)
    lines = _broken(name, points, room)
    return [(line, points) for line in (lines if len(lines) <= 2 else [lines[0], lines[1].rstrip() + "…"])]


def _broken(name: str, points: float, room: float) -> list[str]:
    lines: list[str] = []
    for word in name.split():
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and stringWidth(joined, BOLD, points) <= room:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines or [name]


def _layout(size: PaperSize) -> Layout:
    width, height = PAPER[size]
    unit = width / 210.0
    side = 132.0 * unit
    return Layout(
        width=width,
        height=height,
        band=52.0 * unit,
        name_y=78.0 * unit,
        qr_x=(width - side) / 2,
        qr_y=104.0 * unit,
        qr_side=side,
        how_y=252.0 * unit,
        unit=unit,
    )


def _foot(poster: Poster) -> str:
    return " · ".join(part for part in (poster.address, f"Key {poster.key_number}", "Last Light") if part)


@lru_cache(maxsize=256)
def _qr_path(text: str) -> tuple[str, int]:
    """The dark modules as one SVG path of horizontal bars, with four modules of quiet around; and the side's modules."""
    rows = _modules(text)
    bars = [f"M{start + 4} {y + 4}h{length}v1h-{length}z" for y, row in enumerate(rows) for start, length in _runs(row)]
    return "".join(bars), len(rows) + 8


def _modules(text: str) -> list[bytes]:
    return [bytes(row) for row in segno.make_qr(text, error="m").matrix]


def _runs(row: Sequence[int]) -> list[tuple[int, int]]:
    """Where runs of dark modules begin, and how long they are."""
    found: list[tuple[int, int]] = []
    for x, module in enumerate(row):
        if module and found and sum(found[-1]) == x:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        elif module:
            found.append((x, 1))
    return found


def _svg_mark(at: Layout, poster: Poster) -> str:
    """One light, rising into a dark room, or the business's logo; and the name above it."""
    u, middle = at.unit, at.width / 2
    horizon = at.band
    if poster.logo:
        side = LOGO * u
        data = b64encode(poster.logo).decode()
        light = (
            f'<image x="{middle - side:g}" y="{horizon - side - 2 * u:g}" width="{2 * side:g}" height="{side:g}" '
            f'preserveAspectRatio="xMidYMid meet" href="data:image/png;base64,{data}"/>'
        )
    else:
        light = f'<path d="M{middle - 16 * u:g} {horizon:g}a{16 * u:g} {16 * u:g} 0 0 1 {32 * u:g} 0z" fill="{poster.accent}"/>'
    return (
        light
        + f'<rect y="{horizon - u:g}" width="{at.width:g}" height="{u:g}" fill="{poster.accent}"/>' * bool(poster.logo)
        + _svg_text(poster.house, middle, 14 * u, 15 * u, "#ffffff", weight=700)
        + _svg_text("check in here", middle, 22 * u, 12 * u, "#d9cfdf")
    )


def _svg_text(text: str, x: float, y: float, points: float, colour: str, *, weight: int = 400) -> str:
    size = points * 25.4 / 72
    return (
        f'<text x="{x:g}" y="{y:.2f}" font-family="Instrument Sans, Helvetica, Arial, sans-serif" font-size="{size:.2f}" '
        f'font-weight="{weight}" text-anchor="middle" fill="{colour}">{escape(text)}</text>'
    )


def _pdf_mark(canvas: Canvas, at: Layout, poster: Poster) -> None:
    u = at.unit
    horizon = at.height - at.band
    canvas.setFillColor(HexColor(poster.accent))
    if poster.logo:
        side = LOGO * u
        canvas.rect(0, horizon * mm, at.width * mm, u * mm, stroke=0, fill=1)
        box = ((at.width / 2 - side) * mm, (horizon + 2 * u) * mm, 2 * side * mm, side * mm)
        picture = ImageReader(BytesIO(poster.logo))
        canvas.drawImage(picture, *box, mask="auto", preserveAspectRatio=True)  # pyright: ignore[reportUnknownMemberType] as above
    else:
        middle = at.width / 2
        box = ((middle - 16 * u) * mm, (horizon - 16 * u) * mm, (middle + 16 * u) * mm, (horizon + 16 * u) * mm)
        canvas.wedge(*box, 0, 180, stroke=0, fill=1)
    _pdf_text(canvas, at, _drawable(poster.house) or "LAST LIGHT", y=14 * u, points=15 * u, colour="#ffffff", font=BOLD)
    _pdf_text(canvas, at, "check in here", y=22 * u, points=12 * u, colour="#d9cfdf")


def _pdf_text(
    canvas: Canvas, at: Layout, text: str, *, y: float, points: float, colour: str, font: str = PLAIN
) -> None:
    room = (at.width - 16 * at.unit) * mm
    points = min(points, points * room / max(1.0, stringWidth(text, font, points)))
    canvas.setFillColor(HexColor(colour))
    canvas.setFont(font, points)
    canvas.drawCentredString(at.width / 2 * mm, (at.height - y) * mm, text)


def _pdf_qr(canvas: Canvas, at: Layout, url: str) -> None:
    rows = _modules(url)
    step = at.qr_side / (len(rows) + 8)
    canvas.setFillColor(HexColor("#120d15"))
    path = canvas.beginPath()
    for y, row in enumerate(rows):
        top = at.height - at.qr_y - (y + 5) * step
        for start, length in _runs(row):
            path.rect((at.qr_x + (start + 4) * step) * mm, top * mm, length * step * mm, step * mm)  # pyright: ignore[reportUnknownMemberType] as above
    canvas.drawPath(path, stroke=0, fill=1)  # pyright: ignore[reportUnknownMemberType] as above


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    """Register the fonts, once; the characters that they can draw: Latin, Greek and Cyrillic letters."""
    folder = Path(str(files("ttf_opensans"))) / "ttf"
    plain, bold = TTFont(PLAIN, str(folder / "OpenSans-Regular.ttf")), TTFont(BOLD, str(folder / "OpenSans-Bold.ttf"))
    registerFont(plain)
    registerFont(bold)
    return frozenset(plain.face.charToGlyph) & frozenset(bold.face.charToGlyph)


def _drawable(text: str) -> str:
    """The text in letters that the fonts have: without an accent they lack, and without what they cannot draw at all."""
    known = _letters()
    whole = unicodedata.normalize("NFC", text)
    plain = "".join(c if ord(c) in known else unicodedata.normalize("NFKD", c) for c in whole)
    return " ".join("".join(c for c in plain if ord(c) in known).split())
