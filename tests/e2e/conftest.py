"""The platform itself and browsers of several people, for tests from the screen to the database."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from lastlight.ui.render import BUILD
from tests.support.browser import watched_context
from tests.support.live_server import LiveServer, Person, running_platform
from tests.support.postgres import PostgresServer, database

NewContext = Callable[..., BrowserContext]


@pytest.fixture(scope="session")
def live_server(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveServer]:
    """The running platform, one for all tests of a process."""
    if not (BUILD / "manifest.json").is_file():
        pytest.fail("The screens are not built: run `npm run build`.")
    with (
        database(postgres_server, name="live") as dsn,
        running_platform(dsn, tmp_path_factory.mktemp("live")) as server,
    ):
        yield server


@pytest.fixture
def new_context(browser: Browser, live_server: LiveServer) -> Generator[NewContext]:
    """Open browser profiles, one for each person of a test; a complaint on a console fails the test."""
    with ExitStack() as stack:

        def open_context(**options: Any) -> BrowserContext:
            return stack.enter_context(watched_context(browser, base_url=live_server.base_url, **options))

        yield open_context


@pytest.fixture
def page(new_context: NewContext) -> Page:
    """A desk-sized page of nobody in particular."""
    return new_context().new_page()


@pytest.fixture
def console_of(new_context: NewContext) -> Callable[..., Page]:
    """Open a console page for somebody who works here: signed in through the sign-in form's own operation."""

    def open_console(person: Person, path: str, **options: Any) -> Page:
        context = new_context(**options)
        body = {"email": person.email, "password": person.password}
        if person.tenant:
            body |= {"tenant": person.tenant, "as": "member"}
        answer = context.request.post("/api/auth/session", data=body)
        assert answer.ok, answer.text()
        page = context.new_page()
        page.goto(path)
        return page

    return open_console
