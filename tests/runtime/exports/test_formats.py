"""The files of exports: what each format makes of texts, times, money and numbers, and what no spreadsheet may run."""

import csv
import io
import json
import os
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NewType
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from lastlight.runtime.exports.cells import Cell, cells_of, harmless
from lastlight.runtime.exports.events import Format
from lastlight.runtime.exports.formats import open_writer
from lastlight.runtime.exports.make import KEPT_DRAFT, drop_old_drafts
from lastlight.runtime.http.columns import Column
from lastlight.runtime.http.listing import Listing
from lastlight.runtime.jobs import GiveUpError

BellId = NewType("BellId", UUID)
PARQUET: Any = import_module("pyarrow.parquet")


class Money(msgspec.Struct, frozen=True):
    amount: int
    currency: str


class Bell(msgspec.Struct, frozen=True, kw_only=True):
    id: BellId
    name: str
    strikes: int
    weight: Decimal | None
    pitch: float
    loud: bool
    cast_at: datetime | None
    blessed_on: date | None
    price: Money | None
    fee: int
    tags: list[str]
    extra: dict[str, int]
    state: Literal["hung", "stored"]


KINDS: dict[str, Any] = {"price": "money", "fee": "money", "cast_at": "time", "blessed_on": "date"}
BELLS = Listing(
    name="bells",
    label="Bells",
    row=Bell,
    permission=None,
    source="bells b",
    of="b",
    sort="name",
    columns=tuple(
        Column(name, name.title(), sql=f"b.{name}", kind=KINDS.get(name, "text"), sort=name == "name")
        for name in Bell.__struct_fields__
    ),
)
BELL_ID = BellId(UUID("0193b0a0-0000-7000-8000-000000000001"))
CAST = datetime(2026, 11, 21, 23, 30, 15, 250_000, tzinfo=timezone(timedelta(hours=2)))
BELL = Bell(
    id=BELL_ID,
    name="Große Glocke, „Susanne“\nsecond line",
    strikes=-12,
    weight=Decimal("12500.500"),
    pitch=0.5,
    loud=True,
    cast_at=CAST,
    blessed_on=date(1900, 1, 1),
    price=Money(amount=-12345, currency="ZAR"),
    fee=990,
    tags=["bronze", "big"],
    extra={"cracks": 0},
    state="hung",
)
EMPTY = msgspec.structs.replace(
    BELL, weight=None, cast_at=None, blessed_on=None, price=None, tags=[], extra={}, loud=False
)


def written(kind: Format, path: Path, *batches: list[Any], cells: tuple[Cell, ...] | None = None) -> bytes:
    writer = open_writer(kind, path, cells or cells_of(BELLS))
    for batch in batches:
        writer.write(batch)
    writer.close()
    return path.read_bytes()


def named(name: str) -> Bell:
    return msgspec.structs.replace(BELL, name=name)


def sheet_of(content: bytes) -> Any:
    book: Any = load_workbook(io.BytesIO(content))
    return book.active


def test_csv_holds_iso_times_in_utc_and_money_in_major_units(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", tmp_path / "f", [BELL], [EMPTY]).decode(), newline="")))
    assert rows[0] == {
        "id": str(BELL_ID),
        "name": BELL.name,
        "strikes": "-12",
        "weight": "12500.500",
        "pitch": "0.5",
        "loud": "true",
        "cast_at": "2026-11-21T21:30:15.250000Z",
        "blessed_on": "1900-01-01",
        "price": "-123.45",
        "price_currency": "ZAR",
        "fee": "990",
        "tags": "bronze; big",
        "extra": '{"cracks":0}',
        "state": "hung",
    }
    assert (rows[1]["cast_at"], rows[1]["price"], rows[1]["price_currency"], rows[1]["weight"]) == ("", "", "", "")


def test_json_is_what_the_api_gives(tmp_path: Path) -> None:
    assert json.loads(written("json", tmp_path / "f", [BELL], [EMPTY])) == json.loads(
        msgspec.json.encode([BELL, EMPTY])
    )
    assert json.loads(written("json", tmp_path / "g")) == []


def test_a_sheet_holds_real_numbers_and_times(tmp_path: Path) -> None:
    head, first, second = sheet_of(written("xlsx", tmp_path / "f", [BELL, EMPTY])).iter_rows(values_only=True)
    assert head[:3] == ("Id", "Name", "Strikes")
    assert "Cast_At (UTC)" in head
    values = dict(zip(head, first, strict=True))
    assert values["Cast_At (UTC)"] == CAST.astimezone(UTC).replace(tzinfo=None)
    assert (values["Strikes"], values["Loud"], values["Fee"], values["Price, currency"]) == (-12, True, 990, "ZAR")
    assert (values["Weight"], values["Price"]) == (12500.5, -123.45)
    assert values["Blessed_On"] == "1900-01-01", "what Excel would miscount stays a text"
    assert values["Name"] == BELL.name
    assert dict(zip(head, second, strict=True))["Cast_At (UTC)"] is None


def test_parquet_is_typed(tmp_path: Path) -> None:
    table = PARQUET.read_table(io.BytesIO(written("parquet", tmp_path / "f", [BELL], [EMPTY])))
    assert {name: str(table.schema.field(name).type) for name in ("cast_at", "price", "strikes", "tags", "loud")} == {
        "cast_at": "timestamp[us, tz=UTC]",
        "price": "decimal128(38, 9)",
        "strikes": "int64",
        "tags": "list<element: string>",
        "loud": "bool",
    }
    first, second = table.to_pylist()
    assert (first["cast_at"], first["price"], first["tags"]) == (
        CAST.astimezone(UTC),
        Decimal("-123.45"),
        ["bronze", "big"],
    )
    assert (second["cast_at"], second["price"], second["tags"]) == (None, None, [])


STEERING = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "=cmd|'/c calc'!A0",
    '=HYPERLINK("http://x")',
]


@pytest.mark.parametrize("name", STEERING)
def test_no_text_is_taken_for_a_formula(name: str, tmp_path: Path) -> None:
    content = written("csv", tmp_path / "f", [named(name)]).decode()
    assert next(csv.DictReader(io.StringIO(content, newline="")))["name"] == f"'{name}"
    cell = list(sheet_of(written("xlsx", tmp_path / "g", [named(name)])).iter_rows())[1][1]
    assert (cell.data_type, cell.value[0]) == ("s", "'")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=60))
def test_harmless_texts_keep_their_content(text: str) -> None:
    kept = harmless(text)
    assert kept[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert kept in {text, f"'{text}"}


def test_a_sheet_takes_any_text(tmp_path: Path) -> None:
    names = ["bell \x07 and \x1b", "<b>&amp;</b>", "_x003D_1+1", "a\rb", " spaces ", "🔔", "x" * 40_000, "\ufffe"]
    sheet = sheet_of(written("xlsx", tmp_path / "f", [named(name) for name in names]))
    values = [row[1] for row in list(sheet.iter_rows(values_only=True))[1:]]
    assert values[0] == "bell  and "
    assert values[1] == "<b>&amp;</b>"
    assert values[2] == "_x005F_x003D_1+1", "Excel reads it as _x003D_1+1, not as =1+1"
    assert values[4] == " spaces "
    assert values[5] == "🔔"
    assert len(values[6]) == 32_767


def test_a_sheet_that_is_too_long_is_given_up_with_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lastlight.runtime.exports.sheet.MOST_ROWS", 2)
    writer = open_writer("xlsx", tmp_path / "f", cells_of(BELLS))
    writer.write([BELL, BELL])
    with pytest.raises(GiveUpError, match="CSV or Parquet"):
        writer.write([BELL])
    writer.abandon()


def test_large_files_are_written_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lastlight.runtime.exports.parquet.ROW_GROUP", 10)
    content = written("parquet", tmp_path / "f", *[[BELL] * 7 for _ in range(5)])
    read = PARQUET.ParquetFile(io.BytesIO(content))
    assert (read.metadata.num_rows, read.metadata.num_row_groups) == (35, 3)


def test_drafts_of_killed_workers_are_dropped(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.touch()
    new.touch()
    now = new.stat().st_mtime
    assert drop_old_drafts(tmp_path, now=now) == 0
    os.utime(old, (now, now - KEPT_DRAFT.total_seconds() - 1))
    assert drop_old_drafts(tmp_path, now=now) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert drop_old_drafts(tmp_path / "none", now=now) == 0
