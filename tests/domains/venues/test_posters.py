"""Posters: the right paper, the right words, and a QR that holds the address."""

import re
from io import BytesIO

import pytest
import segno
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
