"""The command line: `lastlight COMMAND`.

Each command names the function that carries it out; its module is imported only when the command runs.
"""

import argparse
import asyncio
import gc
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lastlight import __version__
from lastlight.runtime.observability.start import observe
from lastlight.runtime.settings import DATABASE_ROLES, PREFIX, Settings
from lastlight.runtime.startup import StartError
from lastlight.runtime.supervision.children import EXIT_CANNOT_START, EXIT_TRY_AGAIN, SUPERVISED

SELDOM = 50_000
"""New objects after which garbage is looked for: what a start makes lives for good, and looking through it took a fifth of the start."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its help, the function behind it as `module:function`, and whether that takes the parsed arguments."""

    help: str
    target: str
    takes_arguments: bool = False


COMMANDS: Mapping[str, Command] = {
    "serve": Command(
        "run the whole platform under one supervisor", "lastlight.runtime.supervision.supervisor:supervise"
    ),
    "web": Command("run one web process: application and realtime", "lastlight.main:run_web"),
    "realtime": Command("run one process that serves sockets only", "lastlight.main:run_realtime"),
    "worker": Command("run one worker: jobs and the relay of events", "lastlight.runtime.jobs.worker:run_worker"),
    "migrate": Command(
        "bring the database up to date",
        "lastlight.runtime.supervision.migration:run_migrations",
        takes_arguments=True,
    ),
    "crew": Command("let the first of the platform's crew in", "lastlight.crew:admit", takes_arguments=True),
    "drill": Command(
        "play an emergency, and keep the evidence that its runbook works", "lastlight.drill:run", takes_arguments=True
    ),
    "seed": Command("fill the demonstration tenants", "lastlight.seed:seed_demo", takes_arguments=True),
    "simulate": Command(
        "play a night through the API: guests, doors, staff, calls for help, bookings",
        "lastlight.simulator.cli:run",
        takes_arguments=True,
    ),
    "sandbox": Command(
        "run the stand-in for Stripe, which speaks its protocol and moves no money", "lastlight.sandbox.serve:run"
    ),
    "verify": Command("check what must never have been changed", "lastlight.verify:run", takes_arguments=True),
    "routes": Command("list every operation", "lastlight.main:routes_text"),
    "openapi": Command("print the OpenAPI document", "lastlight.main:openapi_text"),
    "docs": Command("write docs/reference from the registry", "lastlight.reference.generate:run", takes_arguments=True),
    "psql": Command(
        "open psql as one of our roles", "lastlight.runtime.supervision.psql:run_psql", takes_arguments=True
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status; a refusal is one sentence on stderr."""
    gc.set_threshold(SELDOM)
    arguments = _arguments(list(sys.argv[1:] if argv is None else argv))
    env = _environment(arguments)
    try:
        settings = Settings.load(env)
        observe(settings, arguments.command)
        return _run_on_database(COMMANDS[arguments.command], settings, env, arguments)
    except StartError as error:
        sys.stderr.write(f"lastlight: {error}\n")
        return EXIT_CANNOT_START
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 141


def _arguments(argv: list[str]) -> argparse.Namespace:
    """What the command line says; what `psql` does not know is for the program that it starts."""
    parser = _parser(argv)
    if argv[:1] != ["psql"]:
        return parser.parse_args(argv)
    arguments, rest = parser.parse_known_args(argv)
    arguments.rest = rest
    return arguments


def _parser(argv: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lastlight", description="Last Light, the operating system of a night out.")
    parser.add_argument("--version", action="version", version=f"Last Light {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {name: commands.add_parser(name, help=c.help, description=c.help) for name, c in COMMANDS.items()}
    for name in ("serve", "web", "realtime"):
        parsers[name].add_argument("--host", help="address to listen on (LASTLIGHT_HOST)")
        parsers[name].add_argument("--port", help="port to listen on (LASTLIGHT_PORT)")
    parsers["sandbox"].add_argument("--host", help="address to listen on (LASTLIGHT_HOST)")
    parsers["sandbox"].add_argument("--port", dest="sandbox_port", help="port to listen on (LASTLIGHT_SANDBOX_PORT)")
    parsers["serve"].add_argument("--demo", action="store_const", const="true", help="with the demo tenants")
    parsers["serve"].add_argument(
        "--no-simulate", dest="simulate", action="store_const", const="false", help="without the demo's slow night"
    )
    parsers["migrate"].add_argument(
        "--snapshot", action="store_true", help="print the schema as migrations/schema.sql keeps it"
    )
    parsers["seed"].add_argument(
        "--size",
        choices=["small", "large"],
        default="small",
        help="weeks of nights to look at, or a year of them for load",
    )
    parsers["drill"].add_argument("name", nargs="?", default="", help="which; without it the drills are listed")
    parsers["drill"].add_argument("--business", default="", help="the short name of the business to play it in")
    parsers["drill"].add_argument("--by", default="", help="who runs it, where that is not the user of this machine")
    parsers["crew"].add_argument("email", help="the person's address")
    parsers["crew"].add_argument("--name", default="", help="the person's name, where they have no account yet")
    parsers["verify"].add_argument(
        "subject",
        choices=["audit", "ledger", "credits"],
        help="the audit chains of all tenants, the books of all businesses, or guests' credits",
    )
    parsers["docs"].add_argument("--check", action="store_true", help="fail when a page is stale, write nothing")
    parsers["psql"].add_argument("--role", choices=[*DATABASE_ROLES, "admin"], default="looker", help="who (looker)")
    parsers["psql"].usage = "%(prog)s [-h] [--role ROLE] [arguments of psql itself, as -c 'select 1']"
    if "simulate" in argv[:1]:
        _load("lastlight.simulator.cli:add_arguments")(parsers["simulate"])
    return parser


def _environment(arguments: argparse.Namespace) -> dict[str, str]:
    """The environment with what the command line sets on top, so that children see the same."""
    given = {name: getattr(arguments, name, None) for name in ("host", "port", "sandbox_port", "demo", "simulate")}
    return dict(os.environ) | {PREFIX + name.upper(): value for name, value in given.items() if isinstance(value, str)}


def _run_on_database(
    command: Command, settings: Settings, env: Mapping[str, str], arguments: argparse.Namespace
) -> int:
    try:
        return _run(command, settings, env, arguments)
    except Exception as error:
        sentence = _why_unreachable(settings, error)
        if sentence is None:
            raise
        if env.get(SUPERVISED):
            sys.stderr.write(f"lastlight: {sentence}\n")
            return EXIT_TRY_AGAIN
        raise StartError(sentence) from error


def _why_unreachable(settings: Settings, error: Exception) -> str | None:
    if settings.embedded and isinstance(error, ConnectionRefusedError):
        return (
            f"The embedded PostgreSQL of {settings.var_dir} does not answer: start the platform with `lastlight serve`."
        )
    return _load("lastlight.runtime.supervision.managed_database:why_unreachable")(settings.database_url, error)


def _run(command: Command, settings: Settings, env: Mapping[str, str], arguments: argparse.Namespace) -> int:
    function = _load(command.target)
    if arguments.command == "serve":
        outcome = function(settings, env)
    elif arguments.command == "docs":
        outcome = function(settings, check=arguments.check)
    else:
        outcome = function(settings, arguments) if command.takes_arguments else function(settings)
    if inspect.iscoroutine(outcome):
        outcome = _finish(outcome, uvloop=arguments.command != "serve")
    if isinstance(outcome, str):
        sys.stdout.write(outcome.rstrip("\n") + "\n")
        return 0
    return int(outcome) if isinstance(outcome, int) else 0


def _finish(work: Coroutine[Any, Any, Any], *, uvloop: bool) -> Any:
    """Run `work` to its end; the supervisor keeps the standard loop, whose children start from the main thread."""
    factory = _load("uvloop:new_event_loop") if uvloop else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def _load(target: str) -> Callable[..., Any]:
    module, _, function = target.partition(":")
    return getattr(importlib.import_module(module), function)


if __name__ == "__main__":
    sys.exit(main())
