"""Every event that a page waits for is one that some module declares: a wrong name would only show as a page that stands still."""

import re
from pathlib import Path

import pytest

from lastlight.modules import MODULES
from lastlight.runtime.module import Registry

SOURCE = Path("src/lastlight")
LISTS = re.compile(r"(?:events=|EVENTS = |ui\.live\([^\[\]%]*)\[([^\]]*)\]")
TRIGGERS = re.compile(r"\bll:([a-z_]+\.[a-z_]+) from:body")
QUOTED = re.compile(r"\"([a-z_]+\.[a-z_]+)\"")
FILES = sorted([*SOURCE.glob("*/*/templates/*.html"), *SOURCE.glob("domains/*/pages.py"), *SOURCE.glob("apps/**/*.py")])


def awaited(text: str) -> set[str]:
    """The events that a file names."""
    listed = {name for names in LISTS.findall(text) for name in QUOTED.findall(names)}
    return listed | set(TRIGGERS.findall(text))


def test_the_search_finds_events() -> None:
    text = 'ui.live("floor", "/x?y=" ~ z, ["a.b"]) events=["c.d", "e.f"] hx-trigger="every 5s, ll:g.h from:body"'
    assert awaited(text) == {"a.b", "c.d", "e.f", "g.h"}
    assert sum(bool(awaited(path.read_text())) for path in FILES) >= 12


@pytest.mark.parametrize("path", [path for path in FILES if awaited(path.read_text())], ids=str)
def test_pages_wait_for_events_that_exist(path: Path) -> None:
    assert awaited(path.read_text()) - Registry(MODULES).events.keys() == set()
