"""The files, each written batch by batch so that no list has to fit in memory."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from lastlight.runtime.exports.cells import Cell, in_words, plain
from lastlight.runtime.exports.events import Format
from lastlight.runtime.exports.parquet import Parquet
from lastlight.runtime.exports.sheet import Sheet

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


class Writer(Protocol):
    """A file that is being written. Its methods block; call them on a thread."""

    def write(self, items: Sequence[Any]) -> None:
        """Add rows."""
        ...

    def close(self) -> None:
        """Finish the file."""
        ...

    def abandon(self) -> None:
        """Let go of a file that will not be finished."""
        ...


class Csv:
    """RFC 4180 in UTF-8: times as ISO 8601 in UTC, no cell that a spreadsheet would run."""

    def __init__(self, path: Path, cells: Sequence[Cell]) -> None:
        self._cells = cells
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow([cell.name for cell in cells])

    def write(self, items: Sequence[Any]) -> None:
        """Add rows."""
        self._rows.writerows([in_words(plain(item, cell)) for cell in self._cells] for item in items)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    abandon = close


class Json:
    """One array of the rows, each as the API gives it."""

    def __init__(self, path: Path, _cells: Sequence[Cell]) -> None:
        self._file = path.open("wb")
        self._file.write(b"[")
        self._between = b"\n"

    def write(self, items: Sequence[Any]) -> None:
        """Add rows."""
        for item in items:
            self._file.write(self._between + msgspec.json.encode(item))
            self._between = b",\n"

    def close(self) -> None:
        """Finish the file."""
        self._file.write(b"\n]\n")
        self._file.close()

    def abandon(self) -> None:
        """Let go of a file that will not be finished."""
        self._file.close()


OPENERS: dict[Format, Callable[[Path, Sequence[Cell]], Writer]] = {
    "csv": Csv,
    "json": Json,
    "xlsx": Sheet,
    "parquet": Parquet,
}


def open_writer(kind: Format, path: Path, cells: Sequence[Cell]) -> Writer:
    """A new file of a format at `path`."""
    return OPENERS[kind](path, cells)
