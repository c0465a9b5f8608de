"""The command line: refusals are one sentence, every command leads to a function that exists."""

import importlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lastlight import __version__
from lastlight.cli import COMMANDS, main
from lastlight.runtime.db.migrate import migrations_folder, read_migrations
from lastlight.runtime.embedded.state import keep_port
from lastlight.runtime.settings import Settings
from tests.support.programs import unused_port


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_leads_to_a_function(name: str) -> None:
    module, _, function = COMMANDS[name].target.partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["--version"])
    assert (ending.value.code, capsys.readouterr().out) == (0, f"Last Light {__version__}\n")


def test_an_unknown_command_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        main(["dance"])
    assert ending.value.code == 2
    assert "simulate" in capsys.readouterr().err


def run(*arguments: str, **env: str) -> tuple[int, str, str]:
    """A command in a process of its own: status, output, complaint."""
    done = subprocess.run(
        [sys.executable, "-m", "lastlight", *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_bad_setting_is_one_sentence(tmp_path: Path) -> None:
    assert run("serve", "--port", "many", LASTLIGHT_VAR_DIR=str(tmp_path)) == (
        78,
        "",
        "lastlight: LASTLIGHT_PORT must be a whole number, not 'many'.\n",
    )


def test_a_command_without_its_database_says_how_to_start_it(tmp_path: Path) -> None:
    assert run("migrate", LASTLIGHT_VAR_DIR=str(tmp_path)) == (
        78,
        "",
        f"lastlight: The embedded PostgreSQL of {tmp_path} has never been started: run `lastlight serve` first.\n",
    )
    keep_port(tmp_path, 1)
    assert run("migrate", LASTLIGHT_VAR_DIR=str(tmp_path)) == (
        78,
        "",
        f"lastlight: The embedded PostgreSQL of {tmp_path} does not answer: start the platform with `lastlight serve`.\n",
    )


@pytest.mark.parametrize(
    ("given", "role", "passed"),
    [
        ([], "looker", []),
        (["-c", "select 1", "-x"], "looker", ["-c", "select 1", "-x"]),
        (["--role", "app", "-At", "--command=select 1"], "app", ["-At", "--command=select 1"]),
        (["--", "-c", "select 1"], "looker", ["-c", "select 1"]),
        (["-f", "some.sql", "--role=app", "-v", "a=b"], "app", ["-f", "some.sql", "-v", "a=b"]),
    ],
)
def test_psql_gets_its_own_arguments(given: list[str], role: str, passed: list[str], tmp_path: Path) -> None:
    program = tmp_path / "psql"
    program.write_text('#!/bin/sh\nprintf \'%s\\n\' "$PGUSER" "$@"\n')
    program.chmod(0o755)
    env = {"LASTLIGHT_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/lamp", "LASTLIGHT_VAR_DIR": str(tmp_path)}
    told = "\n".join([f"lastlight_{role}", *passed, ""])
    assert run("psql", *given, **env, PATH=str(tmp_path)) == (0, told, "")


def test_the_help_of_psql_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["psql", "--help"])
    assert "[arguments of psql itself, as -c 'select 1']" in capsys.readouterr().out


@pytest.mark.database
def test_each_migration_is_told_once(empty_database: Settings, tmp_path: Path) -> None:
    env = {
        "LASTLIGHT_DATABASE_URL": empty_database.database_url,
        "LASTLIGHT_SECRET_KEY": empty_database.secret_key,
        "LASTLIGHT_VAR_DIR": str(tmp_path),
    }
    names = [migration.name for migration in read_migrations(migrations_folder())]
    status, told, log = run("migrate", **env)
    assert (status, told) == (0, f"Applied {len(names)} migrations.\n"), log
    assert [line.split("migration=")[1] for line in log.splitlines() if "migration=" in line] == names
    assert run("migrate", **env) == (0, "The database is up to date.\n", "")


@pytest.mark.database
@pytest.mark.parametrize("command", ["web", "worker"])
def test_a_process_beside_a_database_that_does_not_know_it_says_so(
    command: str, empty_database: Settings, tmp_path: Path
) -> None:
    """The passwords of the roles come from the secret key, and this process has another one than they were made from."""
    env = {
        "LASTLIGHT_DATABASE_URL": empty_database.database_url,
        "LASTLIGHT_VAR_DIR": str(tmp_path),
        "LASTLIGHT_SECRET_KEY": "another key than that of the roles, and long",
        "LASTLIGHT_PORT": str(unused_port()),
    }
    sentence = (
        "lastlight: The database does not let our roles in: run `lastlight migrate` with the LASTLIGHT_SECRET_KEY "
        "(or the var folder) of this process."
    )
    status, _, complaint = run(command, **env)
    assert (status, complaint.splitlines()[-1]) == (78, sentence)
    status, _, complaint = run(command, **env, LASTLIGHT_INTERNAL_SUPERVISED="1")
    assert (status, complaint.splitlines()[-1]) == (75, sentence), "the supervisor would not try again"


@pytest.mark.database
def test_a_web_process_of_its_own_says_that_its_port_is_taken(database_settings: Settings, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, _, complaint = run(
            "web",
            LASTLIGHT_DATABASE_URL=database_settings.database_url,
            LASTLIGHT_VAR_DIR=str(tmp_path),
            LASTLIGHT_PORT=str(port),
        )
    assert status == 78
    assert complaint.startswith(f"lastlight: LASTLIGHT_PORT: port {port} on 127.0.0.1 is taken by another program")
