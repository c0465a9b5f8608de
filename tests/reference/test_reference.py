"""The reference is what the registry, the settings and the schema say now, and says it in words."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lastlight.domains.identity import presets_for
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission
from lastlight.modules import MODULES
from lastlight.reference import generate
from lastlight.reference.generate import make_pages, reference_folder
from lastlight.reference.markdown import anchor, cell, page, table
from lastlight.reference.operations import heading
from lastlight.reference.refusals import problems, undescribed
from lastlight.reference.schema import Table, entity_diagram, read_schema
from lastlight.runtime.db.migrate import migrations_folder
from lastlight.runtime.http.remarks import field_remarks
from lastlight.runtime.module import Module, Registry
from lastlight.runtime.settings import SETTINGS, Settings


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry(MODULES)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return make_pages()


def test_no_page_is_stale(pages: dict[str, str]) -> None:
    kept = {path.name: path.read_text() for path in reference_folder().glob("*.md")}
    stale = sorted(name for name in kept.keys() | pages.keys() if kept.get(name) != pages.get(name))
    assert stale == [], "docs/reference is stale: run `make docs`"


def test_pages_do_not_depend_on_the_order_of_sets_and_name_no_place_of_this_machine(pages: dict[str, str]) -> None:
    program = "import json; from lastlight.reference.generate import make_pages; print(json.dumps(make_pages()))"
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    again = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True)
    assert json.loads(again.stdout) == pages
    for name, text in pages.items():
        assert text.endswith("\n"), name
        assert not text.endswith("\n\n"), name
        assert str(Path.home()) not in text, name
        assert str(migrations_folder().parent) not in text, name


def test_checking_tells_a_stale_page_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "reference_folder", lambda: tmp_path)
    assert generate.run(Settings(), check=True) == 1
    assert list(tmp_path.iterdir()) == []
    assert generate.run(Settings()) == 0
    assert generate.run(Settings(), check=True) == 0
    (tmp_path / "events.md").write_text("old")
    (tmp_path / "gone.md").write_text("of a page that is no longer made")
    capsys.readouterr()
    assert generate.run(Settings(), check=True) == 1
    assert capsys.readouterr().err.splitlines() == [
        "docs/reference/events.md is stale: run `make docs`.",
        "docs/reference/gone.md is stale: run `make docs`.",
    ]
    assert generate.run(Settings()) == 0
    assert not (tmp_path / "gone.md").exists()


def test_everything_has_a_description(registry: Registry) -> None:
    lacking = [f"operation {heading(op)}" for op in registry.operations if not op.fn.__doc__]
    lacking += [f"event {name}" for name, event in registry.events.items() if event.__doc__ in (None, Event.__doc__)]
    lacking += [f"job {name}" for name, job in registry.jobs.items() if not job.description]
    lacking += [f"permission {name}" for name, permission in registry.permissions.items() if not permission.description]
    lacking += [f"setting {key}" for key, declared in registry.settings.items() if not declared.description]
    lacking += [f"setting {setting.variable}" for setting in SETTINGS if not setting.description]
    lacking += [f"module {module.name}" for module in registry.modules if not module.summary]
    lacking += [f"listing {name}" for name, listing in registry.listings.items() if not listing.label]
    lacking += [f"problem {name}" for name in undescribed()]
    lacking += [
        f"role {role.key}" for crew in (True, False) for role in presets_for(platform=crew) if not role.description
    ]
    lacking += [f"table {described.name}" for described in _tables() if not described.remark]
    assert lacking == []


def test_every_declared_thing_has_its_heading(registry: Registry, pages: dict[str, str]) -> None:
    assert {heading(op) for op in registry.operations if op.kind == "api"} <= _headings(pages["operations.md"])
    assert set(registry.permissions) <= _headings(pages["permissions.md"])
    assert set(registry.events) <= _headings(pages["events.md"])
    assert set(registry.settings) <= _headings(pages["settings.md"])
    assert set(registry.listings) <= _headings(pages["listings.md"])
    assert set(registry.jobs) <= _headings(pages["jobs.md"])
    assert {problem.type for problem in problems()} <= _headings(pages["errors.md"])
    assert {described.name for described in _tables()} <= _headings(pages["tables.md"])
    assert all(setting.variable in pages["settings.md"] for setting in SETTINGS)


def test_presets_hold_permissions_that_exist(registry: Registry) -> None:
    presets = [preset for crew in (True, False) for preset in presets_for(platform=crew)]
    unknown = {name for preset in presets for name in preset.permissions if name not in registry.permissions}
    assert unknown == set()


def test_each_problem_type_has_one_meaning() -> None:
    types = [problem.type for problem in problems()]
    assert sorted({name for name in types if types.count(name) > 1}) == []


def test_the_schema_is_read_whole() -> None:
    text = (migrations_folder() / "schema.sql").read_text()
    tables = {described.name: described for described in _tables()}
    for section in ("constraints", "indexes", "policies", "triggers"):
        written = text.partition(f"\n-- {section}\n")[2].partition("\n\n")[0].count("\n--   ") + 1
        assert sum(len(getattr(described, section)) for described in tables.values()) == written, section
    visits = tables["visits"]
    assert visits.primary_key() == ("tenant_id", "id")
    assert {key.table: key.columns for key in visits.foreign_keys()}["venues"] == ("tenant_id", "venue_id")
    closed = next(column for column in visits.columns if column.name == "closed_at")
    assert (closed.kind, closed.required) == ("timestamp with time zone", False)
    number = next(column for column in tables["venues"].columns if column.name == "visit_timeout_minutes")
    assert (number.kind, number.required, number.default) == ("integer", True, "480")


def test_the_diagram_draws_every_reference() -> None:
    tables = _tables()
    diagram = entity_diagram(tables)
    assert diagram.count("--o{") == sum(len(described.foreign_keys()) for described in tables)
    assert '  venues ||--o{ visits : "venue_id"' in diagram
    assert '  patron_keys o|--o{ checkins : "proof_key_id"' in diagram


def test_remarks_below_fields_are_found() -> None:
    assert field_remarks(Module)["toggle"].startswith("The tenant module that switches it off")
    assert field_remarks(Permission) == {}


def test_markdown_keeps_cells_and_anchors_whole() -> None:
    assert cell("a | b\nc") == "a \\| b c"
    assert cell("") == "·"
    assert anchor("GET /api/visits/{visit_id}") == "get-apivisitsvisit_id"
    assert table(["a"], []) == ""
    assert page("T", "i", ["", "x\n"]).endswith("# T\n\ni\n\nx\n")


def _tables() -> list[Table]:
    return read_schema((migrations_folder() / "schema.sql").read_text())


def _headings(text: str) -> set[str]:
    return {line.lstrip("#").strip() for line in text.splitlines() if line.startswith("#")}
