"""Apache Parquet: typed columns, written in groups of rows of a useful size."""

from collections.abc import Sequence
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from lastlight.runtime.exports.cells import Cell, Plain, Shape, plain

ROW_GROUP = 50_000
PLACES = Decimal("0.000000001")


class Parquet:
    """A Parquet file that is being written. Its library is large and loaded by the first, so that no web process carries it."""

    def __init__(self, path: Path, cells: Sequence[Cell]) -> None:
        self._cells = cells
        self._arrow: Any = import_module("pyarrow")
        self._types = [_type(self._arrow, cell.shape) for cell in cells]
        fields = [self._arrow.field(cell.name, kind) for cell, kind in zip(cells, self._types, strict=True)]
        self._schema: Any = self._arrow.schema(fields)
        writer: Any = import_module("pyarrow.parquet").ParquetWriter
        self._file: Any = writer(path, self._schema, compression="zstd")
        self._waiting: list[Any] = []
        self._rows = 0

    def write(self, items: Sequence[Any]) -> None:
        """Add rows."""
        columns: list[Any] = [
            self._arrow.array([_value(plain(item, cell)) for item in items], type=kind)
            for cell, kind in zip(self._cells, self._types, strict=True)
        ]
        self._waiting.append(self._arrow.record_batch(columns, schema=self._schema))
        self._rows += len(items)
        if self._rows >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Finish the file."""
        self._flush()
        self._file.close()

    def abandon(self) -> None:
        """Let go of a file that will not be finished."""
        self._file.close()

    def _flush(self) -> None:
        if self._waiting:
            self._file.write_table(self._arrow.Table.from_batches(self._waiting, schema=self._schema))
        self._waiting, self._rows = [], 0


def _type(arrow: Any, shape: Shape) -> Any:
    match shape:
        case "integer":
            return arrow.int64()
        case "float":
            return arrow.float64()
        case "decimal" | "money":
            return arrow.decimal128(38, 9)
        case "bool":
            return arrow.bool_()
        case "time":
            return arrow.timestamp("us", tz="UTC")
        case "date":
            return arrow.date32()
        case "list":
            return arrow.list_(arrow.string())
        case _:
            return arrow.string()


def _value(value: Plain) -> Any:
    return value.quantize(PLACES) if isinstance(value, Decimal) else value
