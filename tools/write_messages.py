"""Renew the catalogues of translations from the texts in the code: `python tools/write_messages.py [LANGUAGE …]`.

English is the source and needs no file. Another language's catalogue is src/lastlight/locales/<language>/LC_MESSAGES/messages.po; a
language that is named and has none yet gets an empty one. `--check` writes nothing and fails where a catalogue is behind the code or a
translation does not fit its text. Labels of lists, which are declared where they are queried, are shown as they are.
"""

import argparse
import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).parents[1] / "src/lastlight"
LOCALES = SOURCE / "locales"
TEMPLATES = {"extensions": "jinja2.ext.i18n,jinja2.ext.do,jinja2.ext.loopcontrols", "silent": "false"}
METHODS = [
    ("ui/build/**", "ignore"),
    ("**.html", "jinja2.ext:babel_extract"),
    ("**.txt", "jinja2.ext:babel_extract"),
    ("**.py", "python"),
    ("**.tsx", "javascript"),
    ("**.ts", "javascript"),
]
OPTIONS = {"**.html": TEMPLATES, "**.txt": TEMPLATES, "**.tsx": {"jsx": "true"}}
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
DECLARED = {
    "EventKind": ("words",),
    "Notice": ("title", "body"),
    "NoticeKind": ("label", "description"),
    "TenantSetting": ("label", "description", "unit"),
}
"""What is declared in the code and translated where it is shown."""


def main(arguments: list[str], *, source: Path = SOURCE, locales: Path = LOCALES) -> int:
    """Renew or check every catalogue; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("language", nargs="*", help="make a catalogue for this language, too, such as af or zu")
    parser.add_argument("--check", action="store_true", help="fail when a catalogue is behind, write nothing")
    given = parser.parse_args(arguments)
    texts = extracted(source)
    there = {path.parents[1].name for path in locales.glob("*/LC_MESSAGES/messages.po")}
    found: list[str] = []
    for language in sorted(there | set(given.language)):
        path = locales / language / "LC_MESSAGES" / "messages.po"
        if given.check:
            found += problems_of(path, texts)
        else:
            renew(path, texts, language=language)
    for problem in found:
        print(problem)
    print(f"messages: {len(found)} breaches" if found else f"messages: {len(texts)} texts, {len(there)} languages")
    return 1 if found else 0


def extracted(source: Path) -> Catalog:
    """Every text of templates, screens and declarations, with the files where it stands."""
    found = Catalog(project="Last Light", version="", copyright_holder="Last Light")
    places = extract_from_dir(source, METHODS, OPTIONS, KEYWORDS)
    for file, _line, message, _comments, context in [*places, *_declared(source)]:
        found.add(message, locations=[(file, 0)], context=context)
    return found


def renew(path: Path, texts: Catalog, *, language: str) -> None:
    """Bring a catalogue up to the code: translations stay, new texts are empty, and what is gone goes."""
    catalogue = _read(path, language) if path.exists() else Catalog(locale=language, project="Last Light", version="")
    catalogue.update(texts, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalogue, width=120, sort_output=True, include_lineno=False)


def problems_of(path: Path, texts: Catalog) -> list[str]:
    """Whether a catalogue is behind the code, and which of its translations do not fit."""
    catalogue = _read(path, path.parents[1].name)
    have, need = _ids(catalogue), _ids(texts)
    found = [f"{path}: {len(need - have)} texts are missing; run `make messages`"] if need - have else []
    found += [f"{path}: {len(have - need)} texts are gone from the code; run `make messages`"] if have - need else []
    for message, errors in catalogue.check():
        found += [f"{path}: {message.id!r}: {error}" for error in errors]
    return found


def _ids(catalogue: Iterable[Any]) -> set[tuple[Any, str]]:
    return {(message.id, message.context or "") for message in catalogue if message.id}


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _declared(source: Path) -> Iterator[tuple[str, int, str, list[str], None]]:
    for path in sorted(source.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            wanted = DECLARED.get(node.func.id, ())
            for given in node.keywords:
                for text in _texts(given.value) if given.arg in wanted else ():
                    yield path.relative_to(source).as_posix(), node.lineno, text, [], None


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be: a literal, or one of two."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
