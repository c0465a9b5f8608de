"""Cells of a table that know their column, so that a row can be read as a card on a phone."""

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from markupsafe import Markup

CELL = re.compile(r"<td(?=[\s>])")
PLAIN = Markup('<td role="cell"')
LABELLED = Markup('<td role="cell" data-label="{}"')


def labelled(cells: Markup, columns: Sequence[Mapping[str, Any]]) -> Markup:
    """The written cells of one row, each with its column's label as `data-label`; hidden columns and wide cells have none."""
    starts = [found.start() for found in CELL.finditer(cells)]
    ends = [*starts[1:], len(cells)]
    made = [cells[: starts[0]] if starts else cells]
    for (start, end), column in zip_longest(zip(starts, ends, strict=True), columns[: len(starts)]):
        rest = cells[start + len("<td") : end]
        told = column is not None and not column.get("hidden") and "colspan" not in rest.partition(">")[0]
        made += [LABELLED.format(column["label"]) if column is not None and told else PLAIN, rest]
    return Markup("").join(made)
