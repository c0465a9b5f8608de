"""A tour of pages in a real browser: no script of a payload runs, no element of it stands in the page, no policy is asked to stop it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Dialog, Error, Page

from tests.support.browser import DESK, chromium
from tests.support.payloads import PRODUCT

WATCH = """
window.xss = () => { window.__ran = true; };
window.__stopped = [];
addEventListener('securitypolicyviolation', event => window.__stopped.push(`${event.violatedDirective} ${event.sample}`));
"""
LOOK = """product => ({
  ran: Boolean(window.__ran),
  elements: document.querySelectorAll('x-pwn, .x-pwn, svg[onload], [onerror], [onclick*=xss]').length,
  links: document.querySelectorAll('[href^="javascript:" i], [src^="javascript:" i], [action^="javascript:" i]').length,
  stopped: window.__stopped,
  made: document.documentElement.outerHTML.includes(product),
  shown: document.documentElement.outerHTML.includes('x-pwn') || document.documentElement.outerHTML.includes('xss()'),
  headless: document.querySelectorAll('body').length !== 1 || document.querySelectorAll('html').length !== 1,
})"""


@dataclass(slots=True)
class Tour:
    """What a tour saw."""

    pages: int = 0
    shown: int = 0
    """Pages on which a payload stands, as a text."""
    faults: list[str] = field(default_factory=list[str])
    ran: int = 0
    elements: int = 0


def tour(
    base_url: str, cookies: Mapping[str, tuple[str, str]], visits: Sequence[tuple[str, str]], *, lax: bool = False
) -> Tour:
    """Open every address as somebody; `lax`: the browser ignores the content security policy, so that only escaping holds."""
    seen = Tour()
    with chromium() as browser:
        for who in dict.fromkeys(name for name, _ in visits):
            context = browser.new_context(base_url=base_url, viewport=DESK, bypass_csp=lax, reduced_motion="reduce")
            context.add_init_script(WATCH)
            if who in cookies:
                name, value = cookies[who]
                context.add_cookies([{"name": name, "value": value, "url": base_url}])
            _walk(context, [path for name, path in visits if name == who], seen)
            context.close()
    return seen


def _walk(context: BrowserContext, paths: Sequence[str], seen: Tour) -> None:
    page = context.new_page()

    def closed(dialog: Dialog) -> None:
        seen.faults.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()

    page.on("dialog", closed)
    for path in paths:
        try:
            page.goto(path, wait_until="load", timeout=20_000)
            _judge(page, path, seen)
        except Error as error:
            if "Download is starting" not in str(error) and "net::ERR_ABORTED" not in str(error):
                seen.faults.append(f"{path}: {str(error)[:200]}")


def _judge(page: Page, path: str, seen: Tour) -> None:
    found: dict[str, Any] = page.evaluate(LOOK, PRODUCT)
    seen.pages += 1
    seen.shown += bool(found["shown"])
    seen.ran += bool(found["ran"])
    seen.elements += found["elements"]
    wrong = {name: found[name] for name in ("ran", "elements", "links", "stopped", "made", "headless") if found[name]}
    if wrong:
        seen.faults.append(f"{path}: {wrong}")
