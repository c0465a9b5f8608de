"""C5: the disk is full: the data's, the write-ahead log's, the files'. Nothing partial, a 503 that says what to do, and it heals."""

import asyncio
import contextlib
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import AsyncGenerator
from io import BytesIO
from pathlib import Path

import asyncpg
import pytest
from PIL import Image

from lastlight.runtime.embedded.layout import prepare_layout
from lastlight.runtime.embedded.server import start_server, stop_server
from lastlight.runtime.settings import Settings
from tests.support import small_disk
from tests.support.bad_network import Watched, check_in_through
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.killable import Killable, killable_platform
from tests.support.own_processes import own_process
from tests.support.plain_wire import Answer, Wire, request
from tests.support.services import administer
from tests.support.small_disk import SmallDisk
from tests.support.turnstile import Comer, Turnstile, turnstile

pytestmark = [
    pytest.mark.processes,
    pytest.mark.database,
    pytest.mark.skipif(not small_disk.possible(), reason=small_disk.NEEDS),
]

FULL_SECONDS = 4.0
HEAL_SECONDS = 15.0
"""After a log without room the server has to be started anew and recover; the supervisor sees to that by itself."""
RELAYED_SECONDS = 20.0
UPLOAD = "/api/files?purpose=picture&name=night.png"


async def fill_database(
    platform: Killable, stile: Turnstile, disk: SmallDisk, port: int
) -> tuple[Watched, dict[str, int]]:
    """Fill a disk of the database while guests come, free it again; what broke."""

    async def breaks() -> None:
        disk.fill()
        with contextlib.suppress(asyncpg.PostgresError, OSError, asyncpg.InterfaceError, TimeoutError):
            for _ in range(3):  # the log asks for a new segment at once, and not only when this one is full
                await asyncio.wait_for(administer(platform.settings, "select pg_switch_wal()"), 2)

    async def mends() -> None:
        disk.free()

    seen = await check_in_through(
        stile, port, clients=8, seconds=FULL_SECONDS, breaks=breaks, mends=mends, heals_in=HEAL_SECONDS
    )
    broken = dict(seen.wrong)
    if not await relayed(platform, stile):
        broken["the worker did not go on"] = 1
    return seen, broken | await stile.broken(platform.settings, seen.arrived)


async def relayed(platform: Killable, stile: Turnstile) -> bool:
    """Whether the worker empties the outbox."""
    until = time.monotonic() + RELAYED_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(asyncpg.PostgresError, OSError):
            rows = await administer(
                platform.settings, "select count(*) as n from outbox where tenant_id = $1", stile.tenant_id
            )
            if rows[0]["n"] == 0:
                return True
        await asyncio.sleep(0.2)
    return False


async def log_apart(var_dir: Path, place: Path) -> None:
    """Make the data folder, and let its write-ahead log lie on another disk."""
    server = await start_server(var_dir)
    await stop_server(server)
    log, account = server.layout.data / "pg_wal", server.layout.account
    shutil.copytree(log, place / "pg_wal")
    shutil.rmtree(log)
    log.symlink_to(place / "pg_wal")
    if account is not None:
        for path in (place / "pg_wal", *(place / "pg_wal").rglob("*")):
            os.chown(path, account.uid, account.gid)
        (place / "pg_wal").chmod(0o700)


async def try_disk(folder: Path, what: str, run: FaultRun, *, without: str = "") -> dict[str, int]:
    """`what`: both (data and log on one disk), data, or log."""
    home = prepare_layout(folder / "var").data.parent
    with contextlib.ExitStack() as stack:
        data = stack.enter_context(small_disk.small_disk(home, megabytes=400))
        disk = data
        if what != "both":
            log = stack.enter_context(small_disk.small_disk(home.with_name(f"{home.name}-log"), megabytes=160))
            await log_apart(folder / "var", log.place)
            disk = data if what == "data" else log
        async with (
            killable_platform(folder) as platform,
            turnstile(platform.settings) as stile,
            contextlib.AsyncExitStack() as more,
        ):
            port = platform.settings.port
            if without:
                dsn = platform.settings.admin_dsn()
                own = own_process("web", dsn=dsn, var_dir=folder / "own", without=without)
                port = (await more.enter_async_context(own)).port
            seen, broken = await fill_database(platform, stile, disk, port)
    run.report(
        arrivals=len(seen.arrived),
        turned_away=seen.statuses[503],
        longest=seen.longest,
        healed_after=seen.healed,
        broken=sum(broken.values()),
    )
    return broken


@pytest.mark.long_only
@pytest.mark.fault("C5")
async def test_a_full_disk_of_the_database_heals(tmp_path: Path, run: FaultRun) -> None:
    assert await try_disk(tmp_path, "both", run) == {}


@pytest.mark.long_only
@pytest.mark.fault("C5")
@pytest.mark.parametrize("what", ["data", "log"])
async def test_a_full_disk_of_data_or_log_heals(what: str, tmp_path: Path, run: FaultRun) -> None:
    assert await try_disk(tmp_path, what, run) == {}


@pytest.mark.long_only
@pytest.mark.control("C5")
async def test_a_full_disk_that_is_called_a_defect_is_seen(tmp_path: Path, run: FaultRun) -> None:
    without = f"{small_disk.call_it_broken.__module__}:{small_disk.call_it_broken.__name__}"
    found = await try_disk(tmp_path, "data", run, without=without)
    must_fail([what for what in found if "answered 500" in what])


@pytest.fixture(scope="module")
async def stile(database_settings: Settings) -> AsyncGenerator[Turnstile]:
    async with turnstile(database_settings) as made:
        yield made


def picture() -> bytes:
    """A picture of a few hundred kilobytes that nobody else has sent."""
    content = BytesIO()
    Image.frombytes("RGB", (300, 300), secrets.token_bytes(300 * 300 * 3)).save(content, "PNG")
    return content.getvalue()


async def fill_files(
    stile: Turnstile, folder: Path, *, uploads: int, without: str = ""
) -> tuple[int, int, dict[str, int]]:
    """Upload from several sides until the disk is full and beyond, free it, upload again; how many were kept and refused, what broke."""
    refused, broken, kept = 0, dict[str, int](), list[str]()
    settings = stile.services.settings
    with small_disk.small_disk(folder / "files", megabytes=4) as disk:
        extra = {"LASTLIGHT_STORAGE_URL": disk.place.as_uri()}
        async with own_process(
            "web", dsn=settings.admin_dsn(), var_dir=folder / "var", extra=extra, without=without
        ) as web:

            async def send(comer: Comer) -> None:
                nonlocal refused
                answer = await uploaded(web.port, comer)
                if answer.status == 201:
                    kept.append(answer.json()["id"])
                elif answer.status == 503 and b"no-room" in answer.body and b'"detail":"' in answer.body:
                    refused += 1
                else:
                    broken[f"answered {answer.status} {answer.body[:150]!r}"] = 1

            people = await stile.comers(uploads + 1)
            for first in range(0, uploads, 4):
                await asyncio.gather(*(send(comer) for comer in people[first : min(first + 4, uploads)]))
            disk.fill()
            before = len(kept)
            await asyncio.gather(send(people[0]), send(people[1]))
            disk.free()
            found = await compare(settings, disk.place, kept)
            if len(kept) > before:
                broken["it was kept on a full disk"] = 1
            for path in [path for path in disk.place.rglob("*") if path.is_file()][:3]:
                path.unlink()
            after = refused
            await send(people[-1])
            broken |= found | ({"it does not heal": 1} if refused > after else {})
    return len(kept), refused, {what: count for what, count in broken.items() if count}


async def uploaded(port: int, comer: Comer) -> Answer:
    wire = Wire(port)
    answer = await wire.ask(request("POST", UPLOAD, token=comer.token, body=picture(), Content_Type="image/png"))
    wire.close()
    return answer


async def compare(settings: Settings, folder: Path, kept: list[str]) -> dict[str, int]:
    rows = await administer(settings, "select id::text, place, sha256 from files where id::text = any($1)", kept)
    digests = {row["place"]: row["sha256"] for row in rows}
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {
        "uploads without a row": len(kept) - len(rows),
        "drafts left": sum(name.endswith(".draft") for name in files),
        "torn": sum(hashlib.sha256(files.get(place, b"")).digest() != digest for place, digest in digests.items()),
        "partial files": sum(name not in digests for name in files),
    }


@pytest.mark.fault("C5")
async def test_a_full_disk_of_files_keeps_nothing_partial(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    kept, refused, broken = await fill_files(stile, tmp_path, uploads=run.size(quick=20, long=200))
    run.report(kept=kept, refused=refused, broken=sum(broken.values()))
    assert broken == {}
    assert kept
    assert refused


@pytest.mark.control("C5")
async def test_files_written_in_place_are_torn(stile: Turnstile, tmp_path: Path, run: FaultRun) -> None:
    without = f"{small_disk.write_in_place.__module__}:{small_disk.write_in_place.__name__}"
    kept, refused, broken = await fill_files(stile, tmp_path, uploads=20, without=without)
    run.report(kept=kept, refused=refused, broken=sum(broken.values()))
    must_fail(broken.get("partial files") or broken.get("torn"))
