"""Chromium for the tests: pages that write down what their console complains of, and axe."""

import re
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
    Route,
    ViewportSize,
    expect,
    sync_playwright,
)

from tests.support.postgres import REPOSITORY

CHROMIUM = "/usr/bin/chromium"
SHELL = "/usr/lib/chromium/chromium-headless-shell"
AXE = REPOSITORY / "node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 30_000
CLOSING_SECONDS = 30.0
expect.set_options(timeout=PATIENCE_MS)  # the machine may be busy with other tests
REMEMBER_SAID = """
window.said = [];
new MutationObserver((changes) => {
    for (const { target, addedNodes } of changes) {
        const near = target.nodeType === 1 ? target : target.parentElement;
        const found = [near?.closest('.toasts .toast')];
        for (const node of addedNodes) if (node.querySelectorAll) found.push(node, ...node.querySelectorAll('.toasts .toast'));
        for (const one of found) {
            if (!one?.matches('.toasts .toast')) continue;
            const text = one.textContent.replace(/\\s+/g, ' ');
            if (window.said.at(-1) !== text) window.said.push(text);
        }
    }
}).observe(document, { childList: true, characterData: true, subtree: true });
"""
"""What a page says in passing is gone after some seconds, in which a test may have stood still: the page remembers it."""
STAYS_SAID = """
const later = window.setTimeout.bind(window);
window.setTimeout = (work, ms, ...more) => (ms === 6000 ? 0 : later(work, ms, ...more));
"""
"""A test may be slower than what is said in passing: on such a page it stays until it is dismissed."""
WAS_SAID = """(pattern) => {
    const words = new RegExp(pattern, 'i');
    const at = window.said.findIndex((text) => words.test(text));
    window.said = window.said.filter((text) => !words.test(text));
    return at >= 0 || [...document.querySelectorAll('.toasts .toast')].some((toast) => words.test(toast.textContent.replace(/\\s+/g, ' ')));
}"""
AXE_RUN = """runOnly => {
    const ours = [...document.querySelectorAll('iframe')].every((frame) => frame.contentDocument);
    return axe.run(document, {runOnly, resultTypes: ['violations'], iframes: ours});
}"""
"""A frame of somebody else's origin has no axe in it, and complains of being asked: it is looked at by its own tests."""
NETWORK = ("Failed to load resource", "WebSocket connection to", "htmx: htmx:error: Failed to fetch")


def lighter() -> str:
    """The Chromium without windows, where the system has it: it draws the same in two thirds of the time, but hears no push."""
    return SHELL if Path(SHELL).exists() else CHROMIUM


@dataclass
class Chromiums:
    """One Chromium at a time; another one after it died."""

    playwright: Playwright
    arguments: Sequence[str]
    program: str
    current: Browser | None = None

    def living(self) -> Browser:
        """The Chromium that runs, started if none does."""
        if self.current is None or not self.current.is_connected():
            arguments = ["--no-sandbox", *self.arguments]
            self.current = self.playwright.chromium.launch(executable_path=self.program, args=arguments)
        return self.current


@contextmanager
def chromiums(*more: str, program: str = "") -> Generator[Chromiums]:
    """Chromium for many tests, with more arguments than the usual ones if need be; `program`: another than the lighter one."""
    if not Path(CHROMIUM).exists():
        raise RuntimeError("Chromium is missing: run `make browser`.")
    with sync_playwright() as playwright:
        made = Chromiums(playwright, more, program or lighter())
        yield made
        if made.current is not None:
            with closed_in_time():
                made.current.close()


@contextmanager
def chromium(*more: str, program: str = "") -> Generator[Browser]:
    """One Chromium, with more arguments than the usual ones if need be."""
    with chromiums(*more, program=program) as made:
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
    context.add_init_script(REMEMBER_SAID)
    complaints = Complaints()
    context.on("page", complaints.listen)
    try:
        yield context
    finally:
        with closed_in_time():
            context.close()
    assert not complaints.heard, complaints.heard


def toast(page: Page, text: str | re.Pattern[str]) -> None:
    """Wait until a page has said this in passing; it may be gone again by now, and counts once."""
    pattern = text.pattern if isinstance(text, re.Pattern) else re.escape(text)
    page.wait_for_function(WAS_SAID, arg=pattern)


def sign_out(page: Page) -> None:
    """Sign out of a console by its menu."""
    page.locator(".side-foot summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def lose_answers(page: Page, path: str, *, times: int) -> list[str | None]:
    """Have the server do what is sent there, but say so many times that nobody knows; gives the keys that came, as they come."""
    keys: list[str | None] = []
    told = {
        "title": "It is not known whether this was done",
        "detail": "Look whether it was done before you do it again.",
    }

    def pass_on(route: Route) -> None:
        if route.request.method == "GET":
            return route.continue_()
        keys.append(route.request.header_value("idempotency-key"))
        answer = route.fetch()
        if len(keys) > times:
            return route.fulfill(response=answer)
        kind = "https://lastlight.dev/problems/outcome-unknown"
        return route.fulfill(status=503, content_type="application/problem+json", json={"type": kind, **told})

    page.route(path, pass_on)
    return keys


def devtools(page: Page) -> Any:
    """Chromium's own protocol for a page, untyped as it is."""
    return page.context.new_cdp_session(page)


def violations(page: Page, *, only: Sequence[str] | None = None) -> list[str]:
    """What axe finds against WCAG 2.2 AA on the page as it is now; `only` names rules."""
    if page.evaluate("typeof window.axe") == "undefined":
        page.evaluate(AXE.read_text())
    found: dict[str, Any] = page.evaluate(
        AXE_RUN,
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


def wrong_in_themes(page: Page) -> list[str]:
    """What is wrong with the page in the dark and in the light: wider than its window, or what axe finds.

    The context asks for reduced motion, or colours are looked at half-way.
    """
    found: list[str] = []
    for theme in ("dark", "light"):
        page.evaluate(
            """theme => { document.documentElement.dataset.theme = theme; dispatchEvent(new Event('ll:theme')); }""",
            theme,
        )
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        if scrolls_sideways(page):
            found.append(f"{theme}: it scrolls sideways")
        found += [f"{theme}: {said}" for said in violations(page)]
    return found
