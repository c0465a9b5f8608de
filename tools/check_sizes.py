"""The size and naming rules of STYLE.md: `python tools/check_sizes.py` lists what breaks them and fails.

Files have at most 500 lines and functions at most 40, docstring and decorators aside; in a domain the arguments after
`ctx` are keyword-only; public functions say in a sentence what they do; no module or class hides a missing noun behind `utils` or `Manager`.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE_LINES = 500
FUNCTION_LINES = 40
SUFFIXES = {".py", ".ts", ".tsx", ".js", ".mjs", ".css", ".html"}
FOLDERS = ("src", "tests", "tools", "benchmarks")
HIDING_MODULES = re.compile(r"^(utils?|helpers?|common|misc|shared|manager)$")
HIDING_NAMES = re.compile(r"(Manager|Helper|Utils?|Service)$|^process_")
SUPPRESSED: frozenset[str] = frozenset()

Function = ast.FunctionDef | ast.AsyncFunctionDef


def main() -> int:
    """Print every breach and return the exit status."""
    breaches = [breach for path in sources() for breach in breaches_of(path) if breach not in SUPPRESSED]
    for breach in breaches:
        print(breach)
    print(f"sizes: {len(breaches)} breaches" if breaches else "sizes: kept")
    return 1 if breaches else 0


def sources() -> list[Path]:
    """Every source file that people write."""
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)
    return sorted(path for path in found if "build" not in path.relative_to(ROOT).parts and path.is_file())


def breaches_of(path: Path, root: Path = ROOT) -> list[str]:
    """The breaches in one file below `root`, each as `path:line: sentence`."""
    place = path.relative_to(root).as_posix()
    text = path.read_text()
    found = [f"{place}:{line}: {sentence}" for line, sentence in _of_file(path, text)]
    if path.suffix == ".py":
        found += [f"{place}:{line}: {sentence}" for line, sentence in _of_code(ast.parse(text), place)]
    return found


def _of_file(path: Path, text: str) -> Iterator[tuple[int, str]]:
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield lines, f"the file has {lines} lines; at most {FILE_LINES}: it holds more than one thing"
    if path.suffix == ".py" and HIDING_MODULES.match(path.stem):
        yield 1, f"the name {path.stem!r} hides a missing noun"


def _of_code(tree: ast.Module, place: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield from _of_function(node)
        if isinstance(node, Function) and "domains/" in place:
            yield from _of_verb(node)
        if isinstance(node, ast.ClassDef) and HIDING_NAMES.search(node.name):
            yield node.lineno, f"the name {node.name!r} hides a missing noun"
    if not place.startswith("tests"):
        yield from _without_docstring(tree)


def _of_function(node: Function) -> Iterator[tuple[int, str]]:
    length = _length(node)
    if length > FUNCTION_LINES:
        yield node.lineno, f"{node.name} has {length} lines; at most {FUNCTION_LINES}"
    if HIDING_NAMES.search(node.name):
        yield node.lineno, f"the name {node.name!r} hides a missing noun"


def _of_verb(node: Function) -> Iterator[tuple[int, str]]:
    """In a domain, what follows `ctx` is given by name."""
    positional = [*node.args.posonlyargs, *node.args.args]
    takes_more = len(positional) > 1 and positional[0].arg == "ctx"
    if takes_more and not node.decorator_list and not node.name.startswith("_"):
        yield node.lineno, f"{node.name}: the arguments after ctx are keyword-only"


def _length(node: Function) -> int:
    """Lines from `def` to the end; the docstring aside, and functions within, which are counted on their own."""
    inner = [child for child in node.body if isinstance(child, Function)]
    documented = node.body[:1] if ast.get_docstring(node) is not None else []
    return _lines(node) - sum(_lines(child) for child in [*inner, *documented])


def _lines(node: Function | ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _without_docstring(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in tree.body:
        if isinstance(node, Function) and not node.name.startswith("_") and ast.get_docstring(node) is None:
            yield node.lineno, f"{node.name} is public and says nothing about itself"


if __name__ == "__main__":
    sys.exit(main())
