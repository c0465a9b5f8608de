"""pgbench as the peer: the product's own statements, as the driver sent them, made into a script of pgbench.

The statements of one request are caught from the product while it answers in this process. What differs from request to request (the
guest, their session, new ids) is reckoned by pgbench from a number; every other parameter is the caught one, sent each time as the
product sends it. Only `set local`, which takes no parameters, becomes `set_config(…, true)` in the statement that follows it.
"""

import asyncio
import contextlib
import json
import re
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from benchmarks.ground import Ground
from lastlight.runtime.tether import tethered
from tests.support.postgres import settings_for

_TPS = re.compile(r"tps = ([0-9.]+) \(without initial connection time\)")
_LATENCY = re.compile(r"latency average = ([0-9.]+) ms")
_SET_LOCAL = re.compile(r"set local (app\.\w+) = ('[^']*')")
_PLACE = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as the driver sent it."""

    sql: str
    args: tuple[Any, ...]


@contextlib.asynccontextmanager
async def caught(pool: Any) -> AsyncGenerator[list[Statement]]:
    """The statements that a pool's next connections run, in order; for one request at a time."""
    found: list[Statement] = []
    connections: set[Any] = set()

    def note(query: Any) -> None:
        found.append(Statement(query.query, tuple(query.args or ())))

    for holder in pool._holders:  # noqa: SLF001 - the driver has no public way to hear all of a pool's connections
        if holder._con is not None:  # noqa: SLF001
            connections.add(holder._con)  # noqa: SLF001
    for connection in connections:
        connection.add_query_logger(note)
    try:
        yield found
    finally:
        for connection in connections:
            connection.remove_query_logger(note)


@dataclass(slots=True)
class Script:
    """A script of pgbench, and the constants that it is called with."""

    lines: list[str] = field(default_factory=list[str])
    constants: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def text(self) -> str:
        """The script."""
        return "\n".join(self.lines) + "\n"


async def make_script(
    connection: Any, statements: Sequence[Statement], *, head: Sequence[str], reckoned: Mapping[str, str]
) -> Script:
    """The statements as a script. `reckoned` gives, for a parameter's text, the SQL of pgbench in its place."""
    script = Script(list(head))
    settings: list[tuple[str, str]] = []
    for statement in statements:
        if not statement.args:
            settings += _SET_LOCAL.findall(statement.sql)
            script.lines.append(statement.sql.split(";", 1)[0].strip() + ";")
            continue
        sql = await _written(connection, statement, script, reckoned)
        if settings:
            sql, settings = _behind(sql, settings, script, reckoned), []
        script.lines.append(sql + ";")
    if settings:
        raise ValueError("nothing that could carry the settings follows them")
    return script


def _behind(sql: str, settings: Sequence[tuple[str, str]], script: Script, reckoned: Mapping[str, str]) -> str:
    """A statement that sets the transaction's settings first, in the same round trip."""
    calls = [_set_config(name, literal, reckoned) for name, literal in settings]
    listed, _, called = sql.partition(" from ll.")
    if not called:
        return f"select {', '.join(calls)}, {listed.removeprefix('select ')}"
    # The function takes its tenant from what was set, so that it cannot be called before.
    tenant = dict(settings)["app.tenant_id"].strip("'")
    known = next(name for name, value in script.constants.items() if value == tenant)
    named = ", ".join(f"{call} as s{place}" for place, call in enumerate(calls))
    called = re.sub(rf":{known}\b", "here.s0::uuid", called)
    return f"{listed} from (select {named}) here, lateral ll.{called}"


def _set_config(name: str, literal: str, reckoned: Mapping[str, str]) -> str:
    known = reckoned.get(literal.strip("'"))
    return f"set_config('{name}', {literal if known is None else f'({known})::text'}, true)"


async def _written(connection: Any, statement: Statement, script: Script, reckoned: Mapping[str, str]) -> str:
    prepared = await connection.prepare(statement.sql)
    kinds = prepared.get_parameters()

    def written(match: re.Match[str]) -> str:
        place = int(match[1]) - 1
        kind, value = kinds[place], statement.args[place]
        text = None if value is None else _text(value)
        if not text:
            return "''" if text is not None else f"nullif(:nothing, 'none')::{kind.name}"
        known = reckoned.get(text)
        if known is not None:
            return known if kind.name in {"uuid", "timestamptz"} else f"({known})::{kind.name}"
        name = next((name for name, kept in script.constants.items() if kept == text), f"c{len(script.constants)}")
        script.constants[name] = text
        return f":{name}"

    return " ".join(_PLACE.sub(written, statement.sql).split())


def _text(value: Any) -> str:
    """A parameter as text, as pgbench sends all of them."""
    match value:
        case bool():
            return "t" if value else "f"
        case str():
            return value
        case bytes():
            return "\\x" + value.hex()
        case datetime() | date():
            return value.isoformat()
        case list():
            items: list[Any] = value  # pyright: ignore[reportUnknownVariableType] a list of parameters
            return (
                "{"
                + ",".join("NULL" if item is None else json.dumps(_text(item), ensure_ascii=False) for item in items)
                + "}"
            )
        case dict() | msgspec.Struct():
            return msgspec.json.encode(value).decode()
        case UUID() | int() | float():
            return str(value)
        case _:
            raise TypeError(f"no text for {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Pace:
    """What pgbench reached."""

    rate: float
    mean_ms: float


async def pgbench(
    ground: Ground, script: Script, *, folder: Path, clients: int, each: int, variables: Mapping[str, object]
) -> Pace:
    """Run a script `each` times in each of so many clients, by the prepared protocol; fails when a transaction did."""
    file = folder / "peer.sql"
    file.write_text(script.text)
    given = {"nothing": "none", **script.constants, **{name: str(value) for name, value in variables.items()}}
    process = await asyncio.create_subprocess_exec(
        *(ground.program("pgbench"), "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-t", str(each)),
        *(part for name, value in given.items() for part in ("-D", f"{name}={value}")),
        *("-f", str(file), settings_for(ground.dsn, ground.folder).dsn("app")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=tethered(signal.SIGKILL),
    )
    output, complaints = await process.communicate()
    told = output.decode()
    rate, latency = _TPS.search(told), _LATENCY.search(told)
    if process.returncode or rate is None or latency is None:
        raise RuntimeError(f"pgbench failed: {complaints.decode()[-2000:]}{told[-500:]}")
    return Pace(float(rate[1]), float(latency[1]))
