"""The command line: refusals are one sentence, every command leads to a function that exists."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from lastlight import __version__
from lastlight.cli import COMMANDS, main
from lastlight.runtime.embedded.state import keep_port


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
        timeout=60,
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
