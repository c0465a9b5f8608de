"""`lastlight docs`: write the reference, or with `--check` tell which pages are stale."""

import sys
from pathlib import Path

from lastlight.modules import MODULES
from lastlight.reference.choices import settings_page
from lastlight.reference.happenings import events_page
from lastlight.reference.lists_and_jobs import jobs_page, listings_page
from lastlight.reference.operations import operations_page
from lastlight.reference.people import permissions_page, roles_page
from lastlight.reference.refusals import errors_page
from lastlight.reference.schema import read_schema
from lastlight.reference.sources import source_routes_page
from lastlight.reference.tables import entities_page, tables_page
from lastlight.runtime.db.migrate import migrations_folder
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError


def run(_settings: Settings, *, check: bool = False) -> int:
    """Renew docs/reference of this checkout; with `check` write nothing and fail where a page is stale."""
    folder, pages = reference_folder(), make_pages()
    stale = sorted(name for name, text in pages.items() if _kept(folder / name) != text)
    gone = sorted(path.name for path in folder.glob("*.md") if path.name not in pages)
    if check:
        for name in (*stale, *gone):
            sys.stderr.write(f"docs/reference/{name} is stale: run `make docs`.\n")
        return 1 if stale or gone else 0
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (folder / name).write_text(pages[name])
    for name in gone:
        (folder / name).unlink()
    sys.stdout.write(f"docs/reference: {len(stale) + len(gone)} of {len(pages)} pages renewed\n")
    return 0


def reference_folder() -> Path:
    """docs/reference of this checkout; an installed package has none."""
    root = migrations_folder().parent
    if not (root / "docs").is_dir():
        raise StartError("There is no docs folder beside the migrations: `lastlight docs` runs in a checkout only.")
    return root / "docs" / "reference"


def make_pages() -> dict[str, str]:
    """Every page of the reference by its file's name."""
    registry = Registry(MODULES)
    tables = read_schema((migrations_folder() / "schema.sql").read_text())
    return {
        "entities.md": entities_page(tables),
        "errors.md": errors_page(registry),
        "events.md": events_page(registry),
        "jobs.md": jobs_page(registry),
        "listings.md": listings_page(registry),
        "operations.md": operations_page(registry),
        "permissions.md": permissions_page(registry),
        "roles.md": roles_page(registry),
        "settings.md": settings_page(registry),
        "source-routes.md": source_routes_page(registry),
        "tables.md": tables_page(tables, registry),
    }


def _kept(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
