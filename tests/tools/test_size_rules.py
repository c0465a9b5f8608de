"""The tools that keep the style find what they are for, and let pass what is fine."""

from pathlib import Path

import pytest

from tools import check_faces, check_sizes

LONG_BODY = "\n".join(f"    a{n} = {n}" for n in range(41))

OFFENCES = {
    "long function": (f'def f() -> None:\n    """Say."""\n{LONG_BODY}\n', "f has 42 lines; at most 40"),
    "no docstring": ("def open_visit() -> None:\n    pass\n", "open_visit is public and says nothing about itself"),
    "hiding class": ("class VisitManager:\n    pass\n", "the name 'VisitManager' hides a missing noun"),
    "hiding function": (
        'def process_visit() -> None:\n    """Say."""\n',
        "the name 'process_visit' hides a missing noun",
    ),
    "positional": (
        'def close(ctx: object, visit: str) -> None:\n    """Say."""\n',
        "close: the arguments after ctx are keyword-only",
    ),
}


@pytest.mark.parametrize("name", OFFENCES)
def test_an_offence_is_found(tmp_path: Path, name: str) -> None:
    text, sentence = OFFENCES[name]
    file = domain_file(tmp_path, "domains/checkins/visits.py", text)
    assert check_sizes.breaches_of(file, tmp_path) == [f"src/lastlight/domains/checkins/visits.py:1: {sentence}"]


def test_a_long_file_and_a_hiding_name_are_found(tmp_path: Path) -> None:
    file = tmp_path / "helpers.py"
    file.write_text("a = 1\n" * 501)
    assert check_sizes.breaches_of(file, tmp_path) == [
        "helpers.py:501: the file has 501 lines; at most 500: it holds more than one thing",
        "helpers.py:1: the name 'helpers' hides a missing noun",
    ]


def test_what_keeps_the_rules_passes(tmp_path: Path) -> None:
    body = "\n".join(f"    a{n} = {n}" for n in range(39))
    file = tmp_path / "visits.py"
    file.write_text(
        f'def close(ctx: object, *, visit: str) -> None:\n    """Say\n    more."""\n{body}\n\n\ndef _own() -> None: ...\n'
    )
    assert check_sizes.breaches_of(file, tmp_path) == []


def test_a_function_within_is_counted_on_its_own(tmp_path: Path) -> None:
    body = "\n".join(f"        a{n} = {n}" for n in range(30))
    file = tmp_path / "visits.py"
    file.write_text(f"def _outer() -> None:\n    def one() -> None:\n{body}\n\n    def two() -> None:\n{body}\n")
    assert check_sizes.breaches_of(file, tmp_path) == []


def test_nothing_is_excused() -> None:
    assert len(check_sizes.SUPPRESSED) == 0


def domain_file(root: Path, place: str, text: str) -> Path:
    """A source file at its place below `root`."""
    file = root / "src/lastlight" / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    "line", ["from lastlight.domains.venues.queries import find", "import lastlight.domains.venues.queries"]
)
def test_reaching_past_a_face_is_found(tmp_path: Path, line: str) -> None:
    file = domain_file(tmp_path, "domains/checkins/actions.py", line + "\n")
    place = "src/lastlight/domains/checkins/actions.py:1"
    told = "imports lastlight.domains.venues.queries; lastlight.domains.venues is the face of that domain"
    assert check_faces.breaches_of(file, tmp_path) == [f"{place}: {told}"]


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("domains/checkins/actions.py", "from lastlight.domains.venues import find_venue"),
        ("domains/checkins/actions.py", "from lastlight.domains.checkins.queries import find_visit"),
        ("modules.py", "from lastlight.domains.venues.module import MODULE"),
    ],
)
def test_the_front_door_is_open(tmp_path: Path, place: str, line: str) -> None:
    assert check_faces.breaches_of(domain_file(tmp_path, place, line + "\n"), tmp_path) == []
