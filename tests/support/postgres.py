"""A real PostgreSQL for the tests: one server for all test processes, one migrated template, a copy for each module."""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from lastlight.runtime.settings import Settings

T = TypeVar("T")

REPOSITORY = Path(__file__).parents[2]
SECRET_KEY = "the secret key of the tests, which is no secret"
_START_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """The running test server."""

    port: int
    folder: Path
    password: str

    def dsn(self, database: str) -> str:
        """The administrator's address of one of its databases."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{database}"


@contextlib.contextmanager
def running_server() -> Generator[PostgresServer]:
    """The test server, started if this is its first user and stopped if it is its last."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users.lock").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with _locked(folder / "start.lock"):
            _ensure_keeper(folder)
        password = (folder / "secrets" / "postgres-superuser").read_text().strip()
        yield PostgresServer(_wait_for_port(folder), folder, password)
    _wait_if_last(folder)


@contextlib.contextmanager
def database(server: PostgresServer, *, name: str, migrated: bool = True) -> Generator[str]:
    """The administrator's address of a database of its own, dropped at the end."""
    title = f"t_{re.sub('[^a-z0-9]+', '_', name.lower())[:40]}_{secrets.token_hex(4)}"
    template = _template(server) if migrated else "template0"
    run_apart(_administer(server, f'create database "{title}" template "{template}"'))
    try:
        yield server.dsn(title)
    finally:
        run_apart(_administer(server, f'drop database if exists "{title}" with (force)'))


def settings_for(dsn: str, var_dir: Path, **overrides: Any) -> Settings:
    """Settings of the tests on the database at `dsn`."""
    fixed: dict[str, Any] = {"database_url": dsn, "secret_key": SECRET_KEY, "var_dir": var_dir, "db_pool_size": 4}
    return Settings.load({}, **(fixed | overrides))


def run_apart(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` to its end on a thread and loop of its own, whatever loop the caller is on."""
    results: list[T] = []
    failures: list[BaseException] = []

    def body() -> None:
        try:
            results.append(asyncio.run(coroutine))
        except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread
            failures.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]


def _folder() -> Path:
    place = hashlib.sha256(str(REPOSITORY).encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"lastlight-tests-{os.getuid()}-{place}"


@contextlib.contextmanager
def _locked(path: Path) -> Generator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _taken(path: Path) -> bool:
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _ensure_keeper(folder: Path) -> None:
    if _taken(folder / "keeper.lock"):
        return
    (folder / "server.json").unlink(missing_ok=True)
    with (folder / "keeper.log").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.postgres_keeper", str(folder)],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONPATH": f"{REPOSITORY}/src:{REPOSITORY}"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # it outlives the test process that happened to start it
        )
    _wait_for_port(folder)


def _wait_for_port(folder: Path) -> int:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            return int(json.loads((folder / "server.json").read_text())["port"])
        except FileNotFoundError:
            time.sleep(0.05)
    raise RuntimeError(f"the test server did not start: {(folder / 'keeper.log').read_text()[-2000:]}")


def _wait_if_last(folder: Path) -> None:
    if _taken(folder / "users.lock"):
        return
    deadline = time.monotonic() + 15
    while _taken(folder / "keeper.lock") and time.monotonic() < deadline:
        time.sleep(0.05)


def _template(server: PostgresServer) -> str:
    """The migrated database for the migrations as they are now; made once, by whoever comes first."""
    name = f"template_{_content_hash()}"
    with _locked(server.folder / "template.lock"):
        run_apart(_make_template(server, name))
    return name


def _content_hash() -> str:
    """Over everything a migration run writes from."""
    files = [*(REPOSITORY / "migrations").rglob("*.sql"), *(REPOSITORY / "src/lastlight/runtime/db").rglob("*.py")]
    files += (REPOSITORY / "src/lastlight/domains").rglob("presets.py")
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


async def _make_template(server: PostgresServer, name: str) -> None:
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        if await connection.fetchval("select 1 from pg_database where datname = $1", name):
            return
        draft = f"building_{name}"
        await connection.execute(f'drop database if exists "{draft}" with (force)')
        await connection.execute(f'create database "{draft}" template template0')
        await _migrate(server.dsn(draft), server.folder)
        await connection.execute(f'alter database "{draft}" rename to "{name}"')
    finally:
        await connection.close()


async def _migrate(dsn: str, folder: Path) -> None:
    from lastlight.runtime.db.migrate import migrate  # noqa: PLC0415 - tests without a database need no migrations

    await migrate(settings_for(dsn, folder))


async def _administer(server: PostgresServer, statement: str) -> None:
    connection = await asyncpg.connect(server.dsn("postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
