"""The first load of each app in Chromium: requests, and bytes over the wire, with a cold cache and no service worker.

Bytes are what the browser counts as transferred: headers and compressed bodies. The bars are what the prototype needed: its dashboard
13 requests and 266 KiB, its guests' app 10 requests and 106 KiB.
"""

import asyncio
import contextlib
import tempfile
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext

from benchmarks.measure import Figure
from tests.support.browser import CHROMIUM, DESK, PHONE, chromium
from tests.support.live_server import LiveServer, Person, running_platform
from tests.support.postgres import database, running_server

SETTLES_MS = 1500
"""After its load event, a page still fetches what its scripts ask for: it has settled once so long has passed without a request."""


@dataclass(frozen=True, slots=True)
class App:
    """One app: who opens which page, and what the prototype's needed."""

    name: str
    role: str
    path: str
    phone: bool
    kibibytes: float
    requests: int


DASHBOARD, GUESTS = (266.0, 13), (106.0, 10)
APPS = (
    App("patron", "patron", "/patron", True, *GUESTS),
    App("door", "staff", "/staff/door", True, *GUESTS),
    App("staff", "staff", "/staff", True, *GUESTS),
    App("management", "manager", "/manage", False, *DASHBOARD),
    App("owner", "owner", "/owner", False, *DASHBOARD),
    App("platform", "super_admin", "/platform", False, *DASHBOARD),
)


@dataclass(slots=True)
class Load:
    """What one page fetched."""

    size: int = 0
    fetched: dict[str, str] = field(default_factory=dict[str, str])
    """Kind of each request, by its id."""
    sizes: Counter[str] = field(default_factory=Counter[str])
    """Bytes by kind."""

    def told(self) -> dict[str, Any]:
        """Requests, and KiB by kind."""
        return {"requests": len(self.fetched)} | {
            f"{kind.lower()}_kib": round(size / 1024, 1) for kind, size in self.sizes.most_common()
        }


async def run(*, quick: bool) -> list[Figure]:
    """Each app's first load; in quick only the guests'."""
    return await asyncio.to_thread(_run, APPS[:1] if quick else APPS)


def _run(apps: tuple[App, ...]) -> list[Figure]:
    with world() as (browser, server):
        return [figure for app in apps for figure in figures(app, first_load(browser, server, app))]


@contextlib.contextmanager
def world() -> Generator[tuple[Browser, LiveServer]]:
    """A browser, and the running platform with a small world."""
    with (
        tempfile.TemporaryDirectory(prefix="lastlight-loads-", ignore_cleanup_errors=True) as folder,
        running_server() as postgres,
        database(postgres, name="loads") as dsn,
        running_platform(dsn, Path(folder), worker=False) as server,
        chromium(program=CHROMIUM) as browser,
    ):
        yield browser, server


def figures(app: App, load: Load) -> list[Figure]:
    """A load against what the prototype needed."""
    return [
        Figure(f"first load: {app.name}", (load.size / 1024,), "lower", app.kibibytes, unit="KiB", told=load.told()),
        Figure(
            f"first load: {app.name}, requests", (float(len(load.fetched)),), "lower", app.requests, unit="requests"
        ),
    ]


def first_load(browser: Browser, server: LiveServer, app: App, *, extra: str = "") -> Load:
    """Open an app signed in, with a cold cache; `extra` is a script that runs in the page."""
    context = browser.new_context(
        base_url=server.base_url, service_workers="block", viewport=PHONE if app.phone else DESK, locale="en-ZA"
    )
    try:
        _sign_in(context, server.person(app.role))
        page = context.new_page()
        load = Load()
        devtools: Any = context.new_cdp_session(page)
        devtools.on("Network.requestWillBeSent", partial(_asked, load))
        devtools.on("Network.loadingFinished", partial(_finished, load))
        devtools.send("Network.enable")
        devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
        if extra:
            page.add_init_script(extra)
        page.goto(app.path, wait_until="load")
        seen = -1
        while seen != len(load.fetched):
            seen = len(load.fetched)
            page.wait_for_timeout(SETTLES_MS)
        if not page.url.startswith(f"{server.base_url}{app.path}"):
            raise RuntimeError(f"{app.path} led to {page.url}")
        return load
    finally:
        context.close()


def _sign_in(context: BrowserContext, person: Person) -> None:
    body = {"email": person.email, "password": person.password}
    if person.tenant:
        body |= {"tenant": person.tenant, "as": "patron" if person.role == "patron" else "member"}
    answer = context.request.post("/api/auth/session", data=body)
    if not answer.ok:
        raise RuntimeError(f"{person.email} cannot sign in: {answer.text()}")


def _asked(load: Load, event: dict[str, Any]) -> None:
    url: str = event["request"]["url"]
    if urlsplit(url).scheme in {"http", "https"}:
        load.fetched[event["requestId"]] = event.get("type", "Other")


def _finished(load: Load, event: dict[str, Any]) -> None:
    kind = load.fetched.get(event["requestId"])
    if kind is not None:
        load.size += int(event["encodedDataLength"])
        load.sizes[kind] += int(event["encodedDataLength"])
