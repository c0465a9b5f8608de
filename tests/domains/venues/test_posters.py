"""Posters: the right paper, the right words, and a QR that holds the address."""

import re
from io import BytesIO

import pytest
import segno
import zxingcpp
from pypdf import PdfReader

from lastlight.domains.venues.posters import PAPER, PaperSize, Poster, poster_pdf, poster_svg, qr_svg

URL = "https://night.example/c/" + "Ab3-" * 16


def poster(name: str = "Kōjō Arcade") -> Poster:
    return Poster(venue_name=name, address="12 Tyrwhitt Ave, Rosebank", url=URL, key_number=3, slug="kojo")


@pytest.mark.parametrize("size", ["A4", "A5"])
def test_the_pdf_is_one_page_of_its_paper_with_its_words(size: PaperSize) -> None:
    document = PdfReader(BytesIO(poster_pdf(poster(), size)))
    [page] = document.pages
    millimetres = (round(float(page.mediabox.width) * 25.4 / 72), round(float(page.mediabox.height) * 25.4 / 72))
    assert millimetres == tuple(int(side) for side in PAPER[size])
    text = page.extract_text()
    for words in ("Kōjō Arcade", "Point your camera", "Key 3", "LAST LIGHT"):
        assert words in text
    assert document.metadata is not None
    assert document.metadata.title == "Kōjō Arcade: check in"


Bar = tuple[float, float, float, float]
PIXELS = 6
"""How many pixels a millimetre, or a module, is drawn with to be read."""


def read_qr(bars: list[Bar], side: float) -> str:
    """What another program reads in dark bars (x, y, width, height; y downwards) on a white square."""
    edge = round(side * PIXELS)
    rows = [bytearray(b"\xff" * edge) for _ in range(edge)]
    for x, y, width, height in bars:
        left, right = round(x * PIXELS), round((x + width) * PIXELS)
        for line in range(round(y * PIXELS), round((y + height) * PIXELS)):
            rows[line][left:right] = bytes(right - left)
    image = memoryview(b"".join(rows)).cast("B", (edge, edge))
    [found] = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    assert found.format == zxingcpp.BarcodeFormat.QRCode
    return found.text


def pdf_bars(document: bytes) -> tuple[list[Bar], float]:
    """The small rectangles on a PDF's page in millimetres from its top, and the page's longer side."""
    [page] = PdfReader(BytesIO(document)).pages
    content = page.get_contents()
    assert content is not None
    bars: list[Bar] = []
    top = float(page.mediabox.height)
    for operands, operator in content.operations:
        if operator == b"re":
            x, y, width, height = (float(value) for value in operands)
            if height < 20:
                bars.append(tuple(value * 25.4 / 72 for value in (x, top - y - height, width, height)))  # pyright: ignore[reportArgumentType] four of them
    return bars, top * 25.4 / 72


def svg_bars(svg: str) -> tuple[list[Bar], float]:
    """The dark runs of a QR in an SVG, in modules, and its side."""
    bars = [(float(x), float(y), float(length), 1.0) for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg)]
    [side] = {int(each) for each in re.findall(r'viewBox="0 0 (\d+) \1"', svg)}
    return bars, float(side)


@pytest.mark.parametrize("size", ["A4", "A5"])
def test_another_program_reads_the_address_from_the_paper_and_the_screen(size: PaperSize) -> None:
    """The QR of the PDF, of the poster's SVG and of a display, decoded by a reader that shares nothing with the writer."""
    assert read_qr(*pdf_bars(poster_pdf(poster(), size))) == URL
    assert read_qr(*svg_bars(poster_svg(poster(), size))) == URL
    assert read_qr(*svg_bars(qr_svg(URL))) == URL
    other = Poster(venue_name="x", address="", url=URL[:-1] + "4", key_number=3, slug="x")
    assert read_qr(*pdf_bars(poster_pdf(other, size))) == other.url


def test_the_qr_is_the_codes_matrix() -> None:
    """Every dark module is drawn, and no other, with four modules of quiet around."""
    svg = qr_svg(URL)
    matrix = segno.make_qr(URL, error="m").matrix
    drawn = {
        (int(x) + step, int(y))
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg)
        for step in range(int(length))
    }
    assert drawn == {(x + 4, y + 4) for y, row in enumerate(matrix) for x, module in enumerate(row) if module}
    assert f'viewBox="0 0 {len(matrix) + 8} {len(matrix) + 8}"' in svg


def test_a_name_is_text_in_the_svg_and_never_markup() -> None:
    svg = poster_svg(poster('<script>alert("x")</script> & Co'))
    assert "<script" not in svg
    assert "&lt;script&gt;" in svg


@pytest.mark.parametrize(
    "name", ["Ox", "The Blue Door", "A" * 120, "Long " * 24, "Kōjō Arcade and Karaoke Palace of the North"]
)
def test_a_name_takes_two_lines_at_most(name: str) -> None:
    svg, pdf = poster_svg(poster(name.strip())), poster_pdf(poster(name.strip()))
    assert svg.count('font-weight="700"') - 1 <= 2
    assert pdf.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("Žižkovský šenk", "Žižkovský šenk"),
        ("Ночной свет", "Ночной свет"),
        ("居酒屋 Night 🌙", "Night"),
        ("居酒屋", "kojo"),
    ],
)
def test_the_pdf_prints_what_its_fonts_have(name: str, printed: str) -> None:
    [page] = PdfReader(BytesIO(poster_pdf(poster(name)))).pages
    lines = [line.strip() for line in page.extract_text().splitlines()]
    assert printed in lines
