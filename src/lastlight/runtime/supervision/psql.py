"""`lastlight psql`: the embedded server's own psql, signed in as one of our roles."""

import argparse
import os
import shutil
from urllib.parse import unquote, urlsplit

from lastlight.runtime.embedded.layout import prepare_layout
from lastlight.runtime.settings import Settings
from lastlight.runtime.startup import StartError


def run_psql(settings: Settings, arguments: argparse.Namespace) -> int:
    """Replace this process by psql; the password travels in the environment, never on the command line."""
    program = prepare_layout(settings.var_dir).program("psql") if settings.embedded else shutil.which("psql")
    if program is None:
        raise StartError("psql is not installed: install postgresql-client, or use the embedded server.")
    dsn = settings.admin_dsn() if arguments.role == "admin" else settings.dsn(arguments.role)
    rest = arguments.rest[1:] if arguments.rest[:1] == ["--"] else arguments.rest
    os.execvpe(program, [program, *rest], os.environ | _libpq_environment(dsn))  # noqa: S606 - no shell meant


def _libpq_environment(dsn: str) -> dict[str, str]:
    parts = urlsplit(dsn)
    given = {
        "PGHOST": parts.hostname,
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.strip("/"),
    }
    return {name: value for name, value in given.items() if value}
