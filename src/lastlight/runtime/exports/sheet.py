"""Excel's format (ECMA-376), written as a stream: one sheet, a fixed head, real numbers and times, and every text as text."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

from lastlight.runtime.exports.cells import Cell, Plain, harmless, in_words, plain
from lastlight.runtime.jobs.run import GiveUpError

MOST_ROWS = 1_048_575
"""What a sheet holds below its head."""
MOST_TEXT = 32_767
FIRST_DAY = datetime(1900, 3, 1)  # noqa: DTZ001 - a sheet's times have no zone; days before it are miscounted by Excel
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001
HEAD, MOMENT, DAY = 1, 2, 3
ESCAPES = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEET_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"

PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{SHEET_KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{SHEET_KIND}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{SHEET_KIND}.styles+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
    '<sheet name="Export" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts count="2">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/><numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4">'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}


class Sheet:
    """An Excel file that is being written."""

    def __init__(self, path: Path, cells: Sequence[Cell]) -> None:
        self._cells, self._row = cells, 0
        self._letters = [_letters(number) for number in range(1, len(cells) + 1)]
        self._zip = ZipFile(path, "w", ZIP_DEFLATED)
        for name, content in PARTS.items():
            self._zip.writestr(name, XML + content)
        self._file: Any = self._zip.open("xl/worksheets/sheet1.xml", "w", force_zip64=True)
        heads = [harmless(f"{cell.label} (UTC)" if cell.shape == "time" else cell.label) for cell in cells]
        widths = "".join(
            f'<col min="{number}" max="{number}" width="{max(12, len(head) + 3)}" customWidth="1"/>'
            for number, head in enumerate(heads, start=1)
        )
        view = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        self._put(
            f'{XML}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">{view}</sheetView></sheetViews>'
            f"<cols>{widths}</cols><sheetData>"
        )
        self._put_row([_text(place, head, HEAD) for place, head in zip(self._places(), heads, strict=True)])

    def write(self, items: Sequence[Any]) -> None:
        """Add rows; GiveUpError past what a sheet holds."""
        if self._row + len(items) > MOST_ROWS + 1:
            raise GiveUpError("Excel holds at most 1,048,575 rows; filter the list, or export it as CSV or Parquet.")
        for item in items:
            places = self._places()
            self._put_row([_cell(place, plain(item, cell)) for place, cell in zip(places, self._cells, strict=True)])

    def close(self) -> None:
        """Finish the file."""
        self._put("</sheetData></worksheet>")
        self._file.close()
        self._zip.close()

    def abandon(self) -> None:
        """Let go of a file that will not be finished."""
        self._file.close()
        self._zip.close()

    def _places(self) -> list[str]:
        return [f"{letters}{self._row + 1}" for letters in self._letters]

    def _put_row(self, cells: Sequence[str]) -> None:
        self._row += 1
        self._put(f'<row r="{self._row}">{"".join(cells)}</row>')

    def _put(self, text: str) -> None:
        self._file.write(text.encode())


def _cell(place: str, value: Plain) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | Decimal) or (isinstance(value, float) and isfinite(value)):
        return f'<c r="{place}"><v>{value}</v></c>'
    if isinstance(value, datetime) and value.replace(tzinfo=None) >= FIRST_DAY:
        return f'<c r="{place}" s="{MOMENT}"><v>{(value.replace(tzinfo=None) - EPOCH) / timedelta(days=1):.10f}</v></c>'
    if isinstance(value, date) and not isinstance(value, datetime) and value >= FIRST_DAY.date():
        return f'<c r="{place}" s="{DAY}"><v>{(datetime.combine(value, time()) - EPOCH).days}</v></c>'
    return _text(place, in_words(value))


def _text(place: str, text: str, style: int = 0) -> str:
    kept = UNWRITABLE.sub("", ESCAPES.sub("_x005F_", text[:MOST_TEXT])).replace("\r", "_x000D_")
    return f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(kept)}</t></is></c>'


def _letters(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text
