"""Chromium for the tests: pages that write down what their console complains of, and axe."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from tests.support.postgres import REPOSITORY

CHROMIUM = "/usr/bin/chromium"
AXE = REPOSITORY / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)  # the machine may be busy with other tests
NETWORK = ("Failed to load resource", "WebSocket connection to")


@contextmanager
def chromium(*more: str) -> Generator[Browser]:
    """One Chromium, with more arguments than the usual ones if need be."""
    if not Path(CHROMIUM).exists():
        raise RuntimeError("Chromium is missing: run `make browser`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *more])
        yield browser
        browser.close()


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
