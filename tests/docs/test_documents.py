"""What the documents name exists: links, commands, targets, metrics, settings, files, pages."""

import re
from collections.abc import Iterator
from pathlib import Path

import prometheus_client
import pytest

from lastlight import cli, main
from lastlight.modules import MODULES
from lastlight.reference.markdown import anchor
from lastlight.runtime.db.migrate import migrations_folder
from lastlight.runtime.module import Registry
from lastlight.runtime.openapi import plain_path
from lastlight.runtime.settings import SETTINGS
from lastlight.sandbox import controls

ROOT = migrations_folder().parent
OWN_FOLDERS = ("docs", "src")
MADE = ROOT / "docs" / "reference"
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
COMMAND = re.compile(r"\blastlight ([a-z]+)\b(?! as)")
METRIC = re.compile(r"\blastlight_[a-z_]+\b")
PLACE = re.compile(r"^(?:\.ci|src|docs|tests|tools|migrations|kernel|runtime|domains|apps|ui|simulator)/[\w./-]+$")
EDGE = re.compile(r"^(GET|POST|PUT|PATCH|DELETE) (/\S+)$|^(/[a-z][\w/.{}-]*)$")
SUFFIXES = {"_count", "_sum", "_bucket", "_total"}
DATABASE_ROLES = {"lastlight_owner", "lastlight_app", "lastlight_system", "lastlight_platform", "lastlight_looker"}


def written() -> list[Path]:
    """The documents that people write; the reference is made, and has tests of its own."""
    found = [*ROOT.glob("*.md"), *(path for folder in OWN_FOLDERS for path in (ROOT / folder).rglob("*.md"))]
    return sorted(path for path in found if MADE not in path.parents and "build" not in path.parts)


def all_documents() -> list[Path]:
    return sorted([*written(), *MADE.glob("*.md")])


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", all_documents(), ids=name)
def test_links_lead_somewhere(path: Path) -> None:
    assert list(broken_links(path)) == []


@pytest.mark.parametrize("path", written(), ids=name)
def test_what_is_named_exists(path: Path) -> None:
    assert list(unknown_names(path.read_text())) == []


def test_every_document_is_in_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / target.partition("#")[0]).resolve() for target in targets(index.read_text())}
    missing = [name(path) for path in all_documents() if path != index and path not in linked]
    assert missing == []


def test_the_architecture_has_one_diagram() -> None:
    assert (ROOT / "docs" / "architecture.md").read_text().count("```mermaid") == 1


@pytest.mark.parametrize(
    "text",
    [
        "run `lastlight frobnicate`",
        "run `make frobnicate`",
        "look at `lastlight_no_such_metric`",
        "set `LASTLIGHT_NO_SUCH_SETTING`",
        "see `runtime/no/such/file.py`",
        "call `GET /api/no-such-path`",
        "open `/no-such-page`",
    ],
)
def test_a_name_that_does_not_exist_is_found(text: str) -> None:
    assert list(unknown_names(text)) != []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    other = tmp_path / "b.md"
    other.write_text("# One heading\n")
    page = tmp_path / "a.md"
    page.write_text("[fine](b.md#one-heading) [x](b.md#another) [y](c.md) `[code](d.md)` [web](https://example.org)\n")
    assert list(broken_links(page)) == ["b.md#another", "c.md"]


def targets(text: str) -> Iterator[str]:
    """Where the links of a document lead; what stands in code is no link."""
    for match in LINK.finditer(CODE.sub("", text)):
        yield match[1] or match[2]


def broken_links(path: Path) -> Iterator[str]:
    """The relative links of a document that lead to no file or to no heading."""
    for target in targets(path.read_text()):
        place, _, fragment = target.partition("#")
        found = (path.parent / place) if place else path
        if "://" not in target and not (found.exists() and (not fragment or fragment in fragments(found))):
            yield target


def fragments(path: Path) -> set[str]:
    """The fragments that a document's headings give."""
    return {anchor(line.lstrip("#").strip()) for line in path.read_text().splitlines() if line.startswith("#")}


def unknown_names(text: str) -> Iterator[str]:
    """What a document names in code that does not exist."""
    spans = [span.strip("`") for span in CODE.findall(text)]
    for span in spans:
        yield from (f"lastlight {word}" for word in COMMAND.findall(span) if word not in cli.COMMANDS)
        yield from (f"make {word}" for word in re.findall(r"\bmake ([a-z]+)\b", span) if word not in make_targets())
        yield from (word for word in METRIC.findall(span) if word not in known_metrics() | DATABASE_ROLES)
        yield from (word for word in re.findall(r"\bLASTLIGHT_\w+", span) if word not in variables())
        yield from unknown_places(span)


def unknown_places(span: str) -> Iterator[str]:
    if PLACE.match(span) and not any((root / span).exists() for root in (ROOT, ROOT / "src" / "lastlight")):
        yield span
    edge = EDGE.match(span)
    if edge and not any(matches(edge[2] or edge[3], edge[1], known) for known in edges()):
        yield span


def matches(path: str, method: str | None, known: tuple[str, str]) -> bool:
    """Whether a written path is a known one, or what several begin with."""
    wanted = re.sub(r"\{\w+\}", "{}", path.partition("?")[0]).rstrip("/…") or "/"
    there = re.sub(r"\{\w+\}", "{}", known[1])
    return (there == wanted or there.startswith(wanted + "/")) and method in {None, known[0]}


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def variables() -> set[str]:
    return {setting.variable for setting in SETTINGS}


def known_metrics() -> set[str]:
    """Every name under which a metric is read, with what Prometheus puts behind it."""
    assert main.create_services, "the whole platform is imported, with all of its metrics"
    names = {family.name for family in prometheus_client.REGISTRY.collect()}
    return names | {found + suffix for found in names for suffix in SUFFIXES}


SYSTEM_ROUTES = ("/health", "/ready", "/metrics", "/openapi.json", "/docs", "/realtime/", "/var/lib/lastlight")


def edges() -> set[tuple[str, str]]:
    declared = {(op.method, plain_path(op.path)) for op in Registry(MODULES).operations}
    declared |= {(method, f"{controls.PREFIX}{name}") for method, name in controls.CONTROLS}
    return declared | {("GET", path.rstrip("/")) for path in SYSTEM_ROUTES}
