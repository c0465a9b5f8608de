"""A real scanner whose browser is killed in the middle of anything: what its screen had said is in its log, and counts once."""

import random
import shutil
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect, sync_playwright

from lastlight.kernel.ids import VenueId
from tests.support.browser import devtools, lighter
from tests.support.doors import TABLET, PassHolder, enrolment_code, fact_of, log_of, pass_holder, wedge
from tests.support.fault_runs import FaultRun, must_fail
from tests.support.live_server import LiveServer, running_platform
from tests.support.postgres import PostgresServer, database

pytestmark = [pytest.mark.database, pytest.mark.browser]
SCANS = "select sequence, patron_id, result, decided from door_scans where device_id = $1 order by sequence"
ARRIVALS = "select patron_id from checkins where device_id = $1"


@pytest.fixture(scope="module")
def server(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveServer]:
    """The running platform, of this module alone."""
    with (
        database(postgres_server, name="outbox") as dsn,
        running_platform(dsn, tmp_path_factory.mktemp("live")) as running,
    ):
        yield running


class Tablet:
    """A scanner with a profile on disk; its browser is killed as a whole, and started again on what it left."""

    def __init__(self, playwright: Playwright, server: LiveServer, folder: Path) -> None:
        self.playwright, self.server, self.folder = playwright, server, folder
        self.context: BrowserContext | None = None
        self.kills = 0

    def start(self) -> Page:
        """Start the browser and open the door's app."""
        options: dict[str, Any] = {**TABLET, "executable_path": lighter(), "args": ["--no-sandbox"]}
        chromium = self.playwright.chromium
        self.context = chromium.launch_persistent_context(str(self.folder), base_url=self.server.base_url, **options)
        page = self.context.pages[0] if self.context.pages else self.context.new_page()
        page.goto("/staff/door")
        return page

    def kill(self) -> None:
        """kill -9 every process of the browser."""
        self.kills += 1
        for process in psutil.process_iter(["cmdline"]):
            if any(str(self.folder) in word for word in process.info["cmdline"] or ()):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        assert self.context is not None
        with suppress(Error):
            self.context.close()
        for name in ("SingletonLock", "SingletonCookie", "SingletonSocket"):
            (self.folder / name).unlink(missing_ok=True)


@dataclass(slots=True)
class Watch:
    """What was seen on the screen before each kill; `forget`: the log is wiped behind the app's back."""

    forget: bool
    admitted: list[str] = field(default_factory=list[str])
    seen: set[int] = field(default_factory=set[int])


@contextmanager
def tablet(server: LiveServer, folder: Path) -> Generator[Tablet]:
    """A scanner's device."""
    shutil.rmtree(folder, ignore_errors=True)
    with sync_playwright() as playwright:
        made = Tablet(playwright, server, folder)
        try:
            yield made
        finally:
            made.kill()


def enrol(page: Page, server: LiveServer, venue: VenueId) -> str:
    """Become a scanner of the venue; the device's id."""
    page.get_by_label("One-time code").fill(enrolment_code(server, venue)["code"])
    page.get_by_role("button", name="Enrol this device").click()
    expect(page.locator(".d-net")).to_have_attribute("data-state", "live")
    page.wait_for_function("() => navigator.serviceWorker.controller !== null")
    return fact_of(page, "identity")["device_id"]


def scan_offline(page: Page, holder: PassHolder) -> str | None:
    """Scan a pass without a network; what the screen said, None where it said nothing any more."""
    with suppress(Error, AssertionError):
        wedge(page, holder.show())
        word = page.locator(".d-answer h2")
        expect(word).to_be_visible(timeout=5_000)
        said = word.inner_text()
        page.get_by_role("button", name="Next guest").click()
        expect(page.locator(".d-answer")).to_have_count(0)
        return said
    return None


def wake_worker(page: Page, base_url: str) -> None:
    """Let the worker send too, as the browser does when it sees a network."""
    registrations: list[str] = []
    protocol = devtools(page)

    def hear(told: dict[str, Any]) -> None:
        registrations.extend(one["registrationId"] for one in told["registrations"])

    protocol.on("ServiceWorker.workerRegistrationUpdated", hear)
    protocol.send("ServiceWorker.enable")
    page.wait_for_timeout(50)
    for registration in registrations:
        wake = {"origin": base_url, "registrationId": registration, "tag": "last-light-door"}
        with suppress(Error):
            protocol.send("ServiceWorker.dispatchSyncEvent", {**wake, "lastChance": False})


def killed(server: LiveServer, run: FaultRun, folder: Path, *, forget: bool = False) -> list[str]:
    """Scan without a network, come back to it, and kill the browser at a moment drawn by chance, again and again."""
    rounds, rng = run.size(quick=1, long=30), run.rng
    venue = server.new_venue("A door that dies")
    watch = Watch(forget)
    broken: list[str] = []
    with tablet(server, folder) as device:
        page = device.start()
        identity = enrol(page, server, venue)
        for _ in range(rounds):
            guests = [pass_holder(server) for _ in range(rng.randint(2, 4))]
            page = one_round(device, page, guests, rng, watch)
        expect(page.locator(".d-net")).to_have_attribute("data-state", "live")
        until_sent(page)
        lines = log_of(page)
    numbers = [line["sequence"] for line in lines]
    if lost := watch.seen - {*numbers}:
        broken.append(f"lines that stood in the log are gone: {sorted(lost)}")
    rows = server.sql(SCANS, identity)
    if [row["sequence"] for row in rows] != [*range(1, len(rows) + 1)]:
        broken.append(f"the server's log has gaps: {[row['sequence'] for row in rows]}")
    if Counter(row["sequence"] for row in rows) != Counter(numbers):
        broken.append("the device's log and the server's differ")
    arrived = Counter(str(row["patron_id"]) for row in server.sql(ARRIVALS, identity))
    broken += [
        f"a guest whom the screen let in has {arrived[who]} check-ins" for who in watch.admitted if arrived[who] != 1
    ]
    broken += [f"a guest came in {n} times" for n in arrived.values() if n != 1]
    run.report(rounds=rounds, kills=device.kills - 1, let_in=len(watch.admitted), lines=len(rows))
    return broken


def one_round(device: Tablet, page: Page, guests: list[PassHolder], rng: random.Random, watch: Watch) -> Page:
    """Let guests in without a network, then die: while the last one is scanned, or while the log is being sent."""
    assert device.context is not None
    device.context.set_offline(True)
    watch.admitted += [holder.patron_id for holder in guests if scan_offline(page, holder) == "Come in"]
    watch.seen |= {line["sequence"] for line in log_of(page)}
    if watch.forget:
        page.evaluate(
            """() => new Promise((done) => { const opening = indexedDB.open('lastlight-door'); opening.onsuccess = () => {
                const clearing = opening.result.transaction('log', 'readwrite'); clearing.objectStore('log').clear();
                clearing.oncomplete = () => { opening.result.close(); done(); }; }; })"""
        )
    if rng.random() < 0.3:
        wedge(page, pass_holder(device.server).show())
    else:
        if rng.random() < 0.5:
            device.context.new_page().goto("/staff/door")
        device.context.set_offline(False)
        wake_worker(page, device.server.base_url)
    time.sleep(rng.random() * 0.4)
    device.kill()
    return device.start()


def until_sent(page: Page) -> None:
    """Until the server has every line."""
    for _ in range(150):
        if all(line["state"] == "sent" for line in log_of(page)):
            return
        page.wait_for_timeout(100)
    raise AssertionError("the log was never sent")


@pytest.mark.fault("Q2")
def test_a_scanner_that_is_killed_loses_and_doubles_nothing(server: LiveServer, run: FaultRun, tmp_path: Path) -> None:
    assert killed(server, run, tmp_path / "profile") == []


@pytest.mark.control("Q2")
def test_a_log_that_is_not_kept_is_found(server: LiveServer, run: FaultRun, tmp_path: Path) -> None:
    must_fail(killed(server, run, tmp_path / "profile", forget=True))
