"""Start, watch and stop the embedded PostgreSQL."""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
import time
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from lastlight.runtime.embedded.layout import Account, Layout, prepare_layout
from lastlight.runtime.embedded.leftovers import clear_leftovers
from lastlight.runtime.embedded.state import keep_port, read_port
from lastlight.runtime.startup import StartError
from lastlight.runtime.tether import tethered

DATABASE_NAME = "lastlight"
_START_SECONDS = 90.0
_LOG_BYTES = 16 * 1024 * 1024
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C", "TZ": "UTC"}

OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "huge_pages": "off",
    "jit": "off",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "restart_after_crash": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
    "log_min_messages": "warning",
    "log_lock_waits": "on",
    "log_checkpoints": "off",
}

_NOT_DURABLE = {
    "synchronous_commit": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "autovacuum_naptime": "5min",
}


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server: its process, its folders and its port."""

    process: Process
    layout: Layout
    port: int


async def start_server(var_dir: Path, *, port: int = 0, durable: bool = True) -> EmbeddedServer:
    """Start the server of `var_dir` and return once it answers; a leftover of an earlier life is stopped first.

    `port` 0 takes the port of the last start, or picks a free one. `durable=False` trades crash safety for speed: tests only.
    """
    layout = prepare_layout(var_dir)
    password = layout.password_file.read_text().strip()
    await clear_leftovers(layout.data)
    await _initialise(layout, durable=durable)
    chosen = _choose_port(var_dir, port)
    deadline = time.monotonic() + _START_SECONDS
    while True:
        process = await _launch(layout, chosen, durable=durable)
        if await _comes_up(process, chosen, password, deadline):
            break
        if time.monotonic() > deadline:
            await _end(process, grace=5)
            raise StartError(f"The embedded PostgreSQL did not start; its log is {layout.log}.")
        await asyncio.sleep(0.5)  # after a crash the start is refused until the old processes are gone
        await clear_leftovers(layout.data)
        chosen = _choose_port(var_dir, port)
    keep_port(var_dir, chosen)
    return EmbeddedServer(process, layout, chosen)


async def _comes_up(process: Process, port: int, password: str, deadline: float) -> bool:
    """Whether the server answers and has our database; whoever stops waiting leaves no server behind."""
    try:
        if not await _answers(process, port, password, deadline):
            return False
        await _create_database(port, password)
    except BaseException:
        await _end(process, grace=5)
        raise
    return True


async def stop_server(server: EmbeddedServer) -> None:
    """Stop the server cleanly: open transactions roll back, nothing is left to recover."""
    await _end(server.process, grace=30)


async def _end(process: Process, *, grace: float) -> None:
    for signal_number, seconds in ((signal.SIGINT, grace), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal_number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)


def _choose_port(var_dir: Path, fixed: int) -> int:
    if fixed:
        if not _free(fixed):
            raise StartError(
                f"LASTLIGHT_DATABASE_PORT: port {fixed} is taken by another program; choose another, or 0."
            )
        return fixed
    kept = read_port(var_dir)
    if kept is not None and _free(kept):
        return kept
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _as_account(account: Account | None) -> dict[str, Any]:
    return {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}


async def _initialise(layout: Layout, *, durable: bool) -> None:
    """Make the data folder with initdb, whole or not at all."""
    if (layout.data / "PG_VERSION").exists():
        return
    draft = layout.data.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password = layout.data.with_name("postgres.password")
    password.unlink(missing_ok=True)
    with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(layout.password_file.read_text())
    if layout.account is not None:
        for path in (draft, password):
            os.chown(path, layout.account.uid, layout.account.gid)
    try:
        await _initdb(layout, draft, password, durable=durable)
    finally:
        password.unlink()
    draft.rename(layout.data)


async def _initdb(layout: Layout, data: Path, password: Path, *, durable: bool) -> None:
    process = await asyncio.create_subprocess_exec(
        layout.program("initdb"),
        *("-D", str(data), "--username=postgres", "--auth=scram-sha-256", f"--pwfile={password}"),
        *("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--data-checksums"),
        *(() if durable else ("--no-sync",)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=data.parent,
        env=_ENVIRONMENT,
        preexec_fn=tethered(signal.SIGKILL),
        **_as_account(layout.account),
    )
    _, complaint = await process.communicate()
    if process.returncode != 0:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        raise StartError(f"PostgreSQL could not make its data folder {layout.data}: {last[0]}.")


async def _launch(layout: Layout, port: int, *, durable: bool) -> Process:
    chosen = {"port": str(port), "recovery_init_sync_method": sync_method(os.uname().release)}
    options = OPTIONS | ({} if durable else _NOT_DURABLE) | chosen
    _limit_log(layout.log)
    with layout.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            layout.program("postgres"),
            *("-D", str(layout.data)),
            *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=layout.data,
            env=_ENVIRONMENT,
            start_new_session=True,  # a Ctrl-C at the terminal is for the supervisor, which stops the server last
            preexec_fn=tethered(signal.SIGINT),
            **_as_account(layout.account),
        )


def sync_method(release: str) -> str:
    """How the data folder reaches the disk before a recovery: by one call, several times as fast as one for each file.

    Linux before 5.8 does not report the errors of that call (postgresql.org/docs/18/syncfs.html): there each file has its own.
    """
    numbers = re.match(r"(\d+)\.(\d+)", release)
    return "syncfs" if numbers and (int(numbers[1]), int(numbers[2])) >= (5, 8) else "fsync"


def _limit_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


async def _answers(process: Process, port: int, password: str, deadline: float) -> bool:
    """Whether the server comes to answer; False as soon as its process ends."""
    while process.returncode is None and time.monotonic() < deadline:
        try:
            connection = await _connect(port, password, "postgres")
        except asyncpg.InvalidPasswordError:
            raise StartError(
                "The password of the embedded PostgreSQL does not fit its data: "
                "restore the file secrets/postgres-superuser of the var folder, or remove the folder postgres beside it."
            ) from None
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await asyncio.sleep(0.05)
        else:
            await connection.close()
            return True
    return False


async def _connect(port: int, password: str, database: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(
        host="127.0.0.1", port=port, user="postgres", password=password, database=database, ssl=False, timeout=5
    )


async def _create_database(port: int, password: str) -> None:
    connection = await _connect(port, password, "postgres")
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE_NAME):
            with contextlib.suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute("create database lastlight template template0")
    finally:
        await connection.close()
