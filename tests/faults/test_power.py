"""C4: the power is cut under a load of check-ins, uploads and credits that move; what was acknowledged is there when it comes back, once.

Of the money nothing is half either: the books of the ledger and of the credits agree on the machine that came back.
"""

import asyncio
import random
import secrets
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from lastlight.runtime.startup import StartError
from tests.support import power
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.own_processes import Own, own_process
from tests.support.plain_wire import Wire, request
from tests.support.power import Afterwards, Bench
from tests.support.power_till import Moved, PowerTill, power_till
from tests.support.services import administer
from tests.support.turnstile import Arrived, Comer, Turnstile, arrived, insist, turnstile

pytestmark = [pytest.mark.processes, pytest.mark.skipif(not power.possible(), reason=power.NEEDS)]

CLIENTS = 16
UPLOADERS = 3
SPENDERS = 6
REPEATED = 12
"""How many acknowledged requests are sent again after each cut, besides all that had no answer."""
UPLOAD = "/api/files?purpose=picture&name=night.png"


@dataclass(slots=True)
class Acknowledged:
    """What clients have been told so far, and what they have asked without an answer yet."""

    arrived: list[Arrived] = field(default_factory=list[Arrived])
    files: list[str] = field(default_factory=list[str])
    asked: dict[str, tuple[Comer, bytes]] = field(default_factory=dict[str, tuple[Comer, bytes]])
    sent: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """Every request that was sent, by its key: repeated, it is the same to the byte."""
    moved: Moved = field(default_factory=Moved)
    refused: list[str] = field(default_factory=list[str])
    cuts: int = 0
    in_flight: int = 0


@dataclass(slots=True)
class Stage:
    """The machine, the platform's processes on it, and the guests."""

    bench: Bench
    stile: Turnstile
    till: PowerTill
    web: Own
    after_dir: Path
    after_port: int
    again: Own | None = None
    """The web process on the machine that came back; it stays through all cuts, as a pool must."""
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)


@asynccontextmanager
async def stage(bench: Bench, folder: Path, *, without: str = "") -> AsyncGenerator[Stage]:
    settings = bench.settings
    extra = {"LASTLIGHT_STORAGE_URL": bench.files.as_uri(), "LASTLIGHT_DB_POOL_SIZE": "10"}
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    async with (
        turnstile(settings) as stile,
        own_process("web", dsn=settings.admin_dsn(), var_dir=folder, extra=extra, without=without) as web,
        own_process("worker", dsn=settings.admin_dsn(), var_dir=folder, extra=extra),
        AsyncExitStack() as stack,
    ):
        yield Stage(bench, stile, await power_till(stile), web, folder / "after", port, stack=stack)


@pytest.fixture(scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Bench]:
    async with power.bench(tmp_path_factory.mktemp("power")) as made:
        yield made


def picture() -> bytes:
    """A picture that nobody else has sent."""
    content = BytesIO()
    Image.frombytes("RGB", (48, 48), secrets.token_bytes(48 * 48 * 3)).save(content, "PNG")
    return content.getvalue()


async def come(on: Stage, guests: list[Comer], told: Acknowledged, stop: asyncio.Event) -> None:
    wire = Wire(on.web.port)
    while not stop.is_set() and guests:
        comer = guests.pop()
        sent = on.stile.arrival(comer)
        told.asked[comer.key], told.sent[comer.key] = (comer, sent), sent
        answer = await wire.ask(sent)
        if answer.status == 201:
            told.arrived.append(arrived(comer, answer))
            del told.asked[comer.key]
        else:
            told.refused.append(f"{answer.status} {answer.body[:200]!r}")
    wire.close()


async def upload(on: Stage, comer: Comer, told: Acknowledged, stop: asyncio.Event) -> None:
    wire = Wire(on.web.port)
    while not stop.is_set():
        answer = await wire.ask(request("POST", UPLOAD, token=comer.token, body=picture(), Content_Type="image/png"))
        if answer.status == 201:
            told.files.append(answer.json()["id"])
        else:
            told.refused.append(f"{answer.status} {answer.body[:200]!r}")
    wire.close()


async def spend(on: Stage, told: Acknowledged, stop: asyncio.Event, dice: random.Random) -> None:
    told.refused += await on.till.spend_all_night(on.web.port, told.moved, stop, dice)


async def load_and_cut(on: Stage, told: Acknowledged, dice: random.Random) -> tuple[Path, Acknowledged]:
    """Let guests come, cut the power among them; the disk, and what had been told and asked until then."""
    guests = await on.stile.comers(700)
    people = await on.stile.comers(UPLOADERS)
    stop = asyncio.Event()
    told.asked.clear()
    told.moved.asked.clear()
    tasks = [asyncio.create_task(come(on, guests, told, stop)) for _ in range(CLIENTS)]
    tasks += [asyncio.create_task(upload(on, comer, told, stop)) for comer in people]
    tasks += [asyncio.create_task(spend(on, told, stop, dice)) for _ in range(SPENDERS)]
    await asyncio.sleep(dice.uniform(0.6, 1.4))
    known = Acknowledged([*told.arrived], [*told.files], dict(told.asked), told.sent, told.moved.known())
    disk = on.bench.cut()
    stop.set()
    await asyncio.gather(*tasks)
    return disk, known


async def compare(on: Stage, after: Afterwards, known: Acknowledged, dice: random.Random) -> dict[str, int]:
    """What the machine that came back lacks, or has twice; requests are then sent to it again with their keys."""
    found = await on.stile.broken(after.settings, known.arrived)
    found |= await compare_files(after, known)
    found |= await on.till.broken(after.settings, known.moved)
    if on.again is None:
        extra = {"LASTLIGHT_STORAGE_URL": after.files.as_uri()}
        own = own_process("web", dsn=after.settings.admin_dsn(), var_dir=on.after_dir / "web", extra=extra)
        on.again = await on.stack.enter_async_context(own)
    wire, until = Wire(on.again.port), time.monotonic() + 20
    recent = known.arrived[-200:]
    other = 0
    for one in dice.sample(recent, min(REPEATED, len(recent))):
        answer, _ = await insist(wire, known.sent[one.comer.key], until=until)
        other += answer is None or answer.body != one.body
    unanswered = 0
    late: list[Arrived] = []
    for comer, sent in known.asked.values():
        answer, _ = await insist(wire, sent, until=until)
        if answer is None or answer.status != 201:
            unanswered += 1
        else:
            late.append(arrived(comer, answer))
    paid_twice, unpaid = await on.till.asked_again(wire, known.moved, until=until, dice=dice, times=REPEATED)
    wire.close()
    found |= {"other answers": other + paid_twice, "not answered for good": unanswered + unpaid}
    for what, count in (await on.till.broken(after.settings, known.moved, all_told=True)).items():
        found[what] = max(count, found.get(what, 0))
    for what, count in (await on.stile.broken(after.settings, known.arrived + late)).items():
        found[what] = max(count, found.get(what, 0))
    return {what: count for what, count in found.items() if count}


async def compare_files(after: Afterwards, known: Acknowledged) -> dict[str, int]:
    rows = await administer(after.settings, "select id::text, place, sha256 from files where removed_at is null")
    kept = {row["id"] for row in rows}
    return {
        "lost uploads": len({*known.files} - kept),
        "torn uploads": power.torn_files({row["place"]: row["sha256"] for row in rows}, after.files),
    }


async def cut_power(on: Stage, told: Acknowledged, dice: random.Random) -> dict[str, int]:
    """One cut, and what broke."""
    disk, known = await load_and_cut(on, told, dice)
    told.cuts += 1
    told.in_flight += len(known.asked) + len(known.moved.asked)
    try:
        async with power.power_again(on.bench, disk, on.after_dir, port=on.after_port) as after:
            return await compare(on, after, known, dice)
    except StartError as error:
        return power.fails_to_start(error)


async def try_cuts(on: Stage, run: FaultRun, cuts: int, *, until_found: tuple[str, ...] = ()) -> dict[str, int]:
    told, dice, broken = Acknowledged(), run.rng, dict[str, int]()
    for _ in range(cuts):
        for what, count in (await cut_power(on, told, dice)).items():
            broken[what] = broken.get(what, 0) + count
        if until_found and {*until_found} <= broken.keys():
            break
    if told.refused:
        broken[f"refused: {told.refused[0]}"] = len(told.refused)
    run.report(
        cuts=told.cuts,
        acknowledged=len(told.arrived),
        uploads=len(told.files),
        moved=len(told.moved.told),
        in_flight=told.in_flight,
        lost=broken.get("lost", 0) + broken.get("lost money", 0),
        doubled=broken.get("doubled", 0) + broken.get("doubled money", 0),
        torn=sum(broken.get(what, 0) for what in ("torn", "torn uploads", "half money", "wrong books")),
        broken=sum(broken.values()),
    )
    return broken


@pytest.mark.fault("C4")
async def test_a_power_cut_loses_nothing_that_was_acknowledged(bench: Bench, tmp_path: Path, run: FaultRun) -> None:
    async with stage(bench, tmp_path) as on:
        assert await try_cuts(on, run, run.size(quick=1, long=50)) == {}


@pytest.mark.long_only
@pytest.mark.control("C4")
async def test_commits_that_do_not_wait_are_lost(bench: Bench, tmp_path: Path, run: FaultRun) -> None:
    await administer(bench.settings, "alter database lastlight set synchronous_commit = off")
    try:
        async with stage(bench, tmp_path) as on:
            found = await try_cuts(on, run, 12, until_found=("lost", "lost money"))
    finally:
        await administer(bench.settings, "alter database lastlight reset synchronous_commit")
    must_fail(found.get("lost"))
    must_fail(found.get("lost money"))


@pytest.mark.long_only
@pytest.mark.control("C4")
async def test_a_server_that_does_not_flush_loses(bench: Bench, tmp_path: Path, run: FaultRun) -> None:
    await bench.restart({"fsync": "off"})
    try:
        async with stage(bench, tmp_path) as on:
            found = await try_cuts(on, run, 3, until_found=("lost",))
    finally:
        await bench.restart({})
    must_fail([what for what in found if what == "lost" or "does not start" in what])


@pytest.mark.long_only
@pytest.mark.control("C4")
async def test_files_that_are_not_flushed_are_torn(bench: Bench, tmp_path: Path, run: FaultRun) -> None:
    without = f"{power.never_flush.__module__}:{power.never_flush.__name__}"
    async with stage(bench, tmp_path, without=without) as on:
        found = await try_cuts(on, run, 3, until_found=("torn uploads",))
    must_fail(found.get("torn uploads"))
