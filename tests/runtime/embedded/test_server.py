"""The embedded server: started, killed in every way, and never two of them on one folder."""

import asyncio
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from lastlight.runtime.embedded import server as embedded
from lastlight.runtime.embedded.layout import ROOT_HOME, prepare_layout
from lastlight.runtime.embedded.leftovers import clear_leftovers
from lastlight.runtime.embedded.server import EmbeddedServer, start_server, stop_server, sync_method
from lastlight.runtime.embedded.state import keep_port, read_port
from lastlight.runtime.startup import StartError

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def tidy(tmp_path: Path) -> Generator[None]:
    """Under root the data lies outside of the test's folder: remove it too."""
    yield
    for mark in ROOT_HOME.glob("*/belongs-to"):
        if mark.read_text().startswith(str(tmp_path)):
            shutil.rmtree(mark.parent)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[EmbeddedServer]:
    """A durable server of its own, as the product runs it."""
    running = await start_server(tmp_path)
    yield running
    await stop_server(running)
    await clear_leftovers(running.layout.data)


async def ask(running: EmbeddedServer, statement: str) -> Any:
    """One value from the server, asked as its administrator."""
    password = running.layout.password_file.read_text().strip()
    connection = await asyncpg.connect(
        host="127.0.0.1", port=running.port, user="postgres", password=password, database=embedded.DATABASE_NAME
    )
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def living(data: Path) -> list[int]:
    """The processes that work in the data folder and have not ended."""
    running = psutil.process_iter(["cwd", "status"])
    return [p.pid for p in running if p.info["cwd"] == str(data) and p.info["status"] != psutil.STATUS_ZOMBIE]


async def test_it_is_durable_utf8_and_asks_for_a_password(server: EmbeddedServer) -> None:
    names = (
        "fsync",
        "synchronous_commit",
        "full_page_writes",
        "jit",
        "server_encoding",
        "password_encryption",
        "listen_addresses",
    )
    values = {name: await ask(server, f"show {name}") for name in names}
    assert values == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "jit": "off",
        "server_encoding": "UTF8",
        "password_encryption": "scram-sha-256",
        "listen_addresses": "127.0.0.1",
    }
    assert await ask(server, "select lower('É')") == "é"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host="127.0.0.1", port=server.port, user="postgres", password="wrong", database="postgres"
        )


async def test_it_never_runs_as_root_and_its_password_is_closed(server: EmbeddedServer) -> None:
    assert psutil.Process(server.process.pid).uids().effective != 0
    assert stat.S_IMODE(server.layout.password_file.stat().st_mode) == 0o600
    password = server.layout.password_file.read_text().strip()
    assert password not in " ".join(psutil.Process(server.process.pid).cmdline())


async def test_a_clean_stop_leaves_nothing_and_the_data_stays(tmp_path: Path) -> None:
    first = await start_server(tmp_path)
    await ask(first, "create table kept (n int)")
    await ask(first, "insert into kept values (7)")
    await stop_server(first)
    assert (first.process.returncode, living(first.layout.data)) == (0, [])
    second = await start_server(tmp_path)
    assert (second.port, await ask(second, "select n from kept")) == (first.port, 7)
    await stop_server(second)


async def test_what_was_acknowledged_survives_kill_9_of_the_postmaster(tmp_path: Path) -> None:
    first = await start_server(tmp_path)
    await ask(first, "create table kept as select 1 as n")
    os.kill(first.process.pid, signal.SIGKILL)
    await first.process.wait()
    second = await start_server(tmp_path)  # at once, while the old processes may still be ending
    assert await ask(second, "select n from kept") == 1
    await stop_server(second)


async def test_kill_9_of_a_backend_is_healed_by_the_server_itself(server: EmbeddedServer) -> None:
    backend = await ask(server, "select pid from pg_stat_activity where backend_type = 'checkpointer'")
    os.kill(backend, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            assert await ask(server, "select 1") == 1
            break
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await asyncio.sleep(0.05)
    assert server.process.returncode is None


STARTER = """
import asyncio, sys
from pathlib import Path
from lastlight.runtime.embedded.server import start_server
async def main():
    server = await start_server(Path(sys.argv[1]))
    print(server.process.pid, server.port, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def start_apart(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """A supervisor of its own process with its server; its process and the server's number."""
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    return starter, int(starter.stdout.readline().split()[0])


async def test_the_server_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    starter, postmaster = start_apart(tmp_path)
    starter.kill()
    starter.wait()
    data = prepare_layout(tmp_path).data
    deadline = time.monotonic() + 60
    while living(data) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
    assert (living(data), postmaster > 0) == ([], True)


async def test_a_start_right_after_that_takes_over(tmp_path: Path) -> None:
    starter, _ = start_apart(tmp_path)
    starter.kill()
    starter.wait()
    server = await start_server(tmp_path)
    assert await ask(server, "select 1") == 1
    await stop_server(server)


async def test_a_server_that_outlived_its_supervisor_is_stopped_first(tmp_path: Path) -> None:
    starter, postmaster = start_apart(tmp_path)
    server = await start_server(tmp_path)
    assert postmaster not in living(server.layout.data)
    assert await ask(server, "select 1") == 1
    await stop_server(server)
    starter.kill()
    starter.wait()


async def test_a_pid_file_that_names_another_program_is_ignored(tmp_path: Path) -> None:
    first = await start_server(tmp_path)
    data = first.layout.data
    text = (data / "postmaster.pid").read_text()
    os.kill(first.process.pid, signal.SIGKILL)
    await first.process.wait()
    await clear_leftovers(data)
    (data / "postmaster.pid").write_text("\n".join([str(os.getppid()), *text.split("\n")[1:]]))
    second = await start_server(tmp_path)
    assert await ask(second, "select 1") == 1
    await stop_server(second)


async def test_a_taken_port_gives_way_or_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(StartError, match=f"^LASTLIGHT_DATABASE_PORT: port {taken} is taken"):
            await start_server(tmp_path, port=taken)
        keep_port(tmp_path, taken)
        server = await start_server(tmp_path)
        assert server.port != taken
        assert read_port(tmp_path) == server.port
        await stop_server(server)


async def test_an_initialisation_that_was_cut_short_is_begun_again(tmp_path: Path) -> None:
    draft = prepare_layout(tmp_path).data.with_name("postgres.new")
    draft.mkdir()
    (draft / "half").write_text("x")
    server = await start_server(tmp_path)
    assert await ask(server, "select 1") == 1
    assert not draft.exists()
    await stop_server(server)


@pytest.mark.parametrize("step", ["_answers", "_create_database"])
async def test_a_start_that_is_given_up_leaves_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """As when Ctrl-C comes while a killed database is on its way back."""
    reached = asyncio.Event()

    async def hang(*_: Any) -> bool:
        reached.set()
        await asyncio.sleep(600)
        return True

    monkeypatch.setattr(embedded, step, hang)
    starting = asyncio.create_task(start_server(tmp_path))
    await asyncio.wait_for(reached.wait(), 60)
    data = prepare_layout(tmp_path).data
    assert living(data) != []
    starting.cancel()
    await asyncio.wait({starting})
    assert (starting.cancelled(), living(data)) == (True, [])


async def test_a_path_with_blanks_and_umlauts_works(tmp_path: Path) -> None:
    server = await start_server(tmp_path / "Büro & Wärme ñ" / "var dir")
    assert await ask(server, "select 1") == 1
    await stop_server(server)


async def test_a_lost_password_is_one_sentence(tmp_path: Path) -> None:
    server = await start_server(tmp_path)
    await stop_server(server)
    server.layout.password_file.write_text("another\n")
    with pytest.raises(StartError, match="password of the embedded PostgreSQL does not fit"):
        await start_server(tmp_path)
    assert living(server.layout.data) == []


def test_a_folder_that_was_deleted_and_made_again_starts_empty(tmp_path: Path) -> None:
    before = prepare_layout(tmp_path / "var").data
    (tmp_path / "var").rename(tmp_path / "gone")
    after = prepare_layout(tmp_path / "var").data
    assert not after.exists()
    assert (before != after) is (os.geteuid() == 0)


RELEASES = {"6.18.44-generic": "syncfs", "5.8.0": "syncfs", "5.7.19": "fsync", "4.19.0-27": "fsync", "unknown": "fsync"}


@pytest.mark.parametrize("release", RELEASES)
def test_only_a_kernel_that_reports_its_errors_syncs_all_at_once(release: str) -> None:
    assert sync_method(release) == RELEASES[release]
