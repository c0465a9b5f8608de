"""Every row of faults has a suite, and every suite a negative control."""

import ast
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
ROWS = frozenset(
    {
        *(f"C{number}" for number in range(1, 11)),
        *(
            "T1",
            "W1",
            "W2",
            "W3",
            "W5",
            "W6",
            "M1",
            "M2",
            "M3",
            "M4",
            "I1",
            "I2",
            "I3",
            "Q1",
            "Q2",
            "R1",
            "X1",
            "X2",
            "G1",
            "soak",
        ),
        *(f"U{number}" for number in range(1, 9)),
    }
)


OF_A_MACHINE = frozenset({"C4", "C5"})
"""Rows whose suites need root and loop devices: what of them is quick runs where those are."""


def marked(kind: str, *, quick: bool = False) -> set[str]:
    """The rows that marks of `kind` name in the suites' files; `quick`: on tests that the quick share runs."""
    return {row for path in HERE.glob("**/test_*.py") for row in _rows(ast.parse(path.read_text()), kind, quick)}


def _rows(tree: ast.Module, kind: str, quick: bool) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        marks = {ast.unparse(mark): mark for mark in node.decorator_list}
        if quick and "pytest.mark.long_only" in marks:
            continue
        for mark in marks.values():
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == f"pytest.mark.{kind}":
                yield from (ast.literal_eval(argument) for argument in mark.args)


def test_every_row_has_its_suite() -> None:
    assert ROWS - marked("fault") == set()


def test_every_suite_has_a_control_that_fails_without_the_guard() -> None:
    assert marked("fault") - marked("control") == set()


def test_the_quick_share_has_a_suite_and_a_control_of_every_row() -> None:
    for kind in ("fault", "control"):
        assert ROWS - marked(kind, quick=True) - OF_A_MACHINE == set(), kind
