"""Write migrations/schema.sql from a freshly migrated database on the tests' own server: `make snapshot`."""

import asyncio
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from lastlight.runtime.supervision.migration import schema_text  # noqa: E402 - the path is set first
from tests.support.postgres import database, running_server, settings_for  # noqa: E402


def main() -> None:
    """Migrate a scratch database and keep its description."""
    with running_server() as server, database(server, name="snapshot") as dsn, tempfile.TemporaryDirectory() as var:
        text = asyncio.run(schema_text(settings_for(dsn, Path(var))))
    (ROOT / "migrations" / "schema.sql").write_text(text)
    print("migrations/schema.sql is up to date")


if __name__ == "__main__":
    main()
