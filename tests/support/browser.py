"""Chromium for the tests: pages that write down what their console complains of, and axe."""

import threading
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Page,
    Playwright,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.support.postgres import REPOSITORY

CHROMIUM = "/usr/bin/chromium"
AXE = REPOSITORY / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 15_000
CLOSING_SECONDS = 30.0
expect.set_options(timeout=PATIENCE_MS)  # the machine may be busy with other tests
NETWORK = ("Failed to load resource", "WebSocket connection to")


@dataclass
class Chromiums:
    """One Chromium at a time; another one after it died."""

    playwright: Playwright
    arguments: Sequence[str]
    current: Browser | None = None

    def living(self) -> Browser:
        """The Chromium that runs, started if none does."""
        if self.current is None or not self.current.is_connected():
            arguments = ["--no-sandbox", *self.arguments]
            self.current = self.playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        return self.current


@contextmanager
def chromiums(*more: str) -> Generator[Chromiums]:
    """Chromium for many tests, with more arguments than the usual ones if need be."""
    if not Path(CHROMIUM).exists():
        raise RuntimeError("Chromium is missing: run `make browser`.")
    with sync_playwright() as playwright:
        made = Chromiums(playwright, more)
        yield made
        if made.current is not None:
            with closed_in_time():
                made.current.close()


@contextmanager
def chromium(*more: str) -> Generator[Browser]:
    """One Chromium, with more arguments than the usual ones if need be."""
    with chromiums(*more) as made:
        yield made.living()


@contextmanager
def closed_in_time(seconds: float = CLOSING_SECONDS) -> Generator[None]:
    """Close something of Chromium; one that does not answer in time is killed, so that its tests' verdicts stand."""
    late = threading.Event()

    def kill() -> None:
        late.set()
        for process in own_chromiums():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        yield
    except Error:
        if not late.is_set():
            raise
    finally:
        timer.cancel()
    if late.is_set():
        warnings.warn(f"Chromium did not close a profile within {seconds:.0f} s and was killed.", stacklevel=3)


def own_chromiums() -> set[psutil.Process]:
    """The browsers that this process started through Playwright's driver; their renderers die with them."""
    drivers = psutil.Process().children()
    return {process for driver in drivers for process in driver.children() if "chrom" in process.name()}


@dataclass
class Complaints:
    """What the consoles of a context's pages complained of; a lost network aside, which tests cause on purpose."""

    heard: list[str] = field(default_factory=list[str])

    def listen(self, page: Page) -> None:
        """Write down the page's errors and warnings from now on."""
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.heard.append(f"{error}\n{error.stack or ''}"))

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not text.startswith(NETWORK):
            self.heard.append(text)


@contextmanager
def watched_context(browser: Browser, *, base_url: str = "", **options: Any) -> Generator[BrowserContext]:
    """A person's own browser profile; any complaint of a page's console fails the test at the end."""
    given: dict[str, Any] = {"viewport": DESK, "locale": "en-ZA", "timezone_id": "Africa/Johannesburg"}
    context = browser.new_context(base_url=base_url or None, **(given | options))
    context.set_default_timeout(PATIENCE_MS)
    complaints = Complaints()
    context.on("page", complaints.listen)
    try:
        yield context
    finally:
        with closed_in_time():
            context.close()
    assert not complaints.heard, complaints.heard


def devtools(page: Page) -> Any:
    """Chromium's own protocol for a page, untyped as it is."""
    return page.context.new_cdp_session(page)


def violations(page: Page, *, only: Sequence[str] | None = None) -> list[str]:
    """What axe finds against WCAG 2.2 AA on the page as it is now; `only` names rules."""
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(
        "runOnly => axe.run(document, {runOnly, resultTypes: ['violations']})",
        {"type": "rule", "values": list(only)} if only else {"type": "tag", "values": TAGS},
    )
    return [
        f"{v['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for v in found["violations"]
        for node in v["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
