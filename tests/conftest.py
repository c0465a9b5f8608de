"""Fixtures for every test: a real database, fresh for each module or each test."""

from collections.abc import Generator
from pathlib import Path

import pytest
import structlog
from playwright.sync_api import Browser

from lastlight.runtime.settings import Settings
from tests.support.browser import Chromiums, chromiums
from tests.support.postgres import PostgresServer, database, running_server, settings_for

pytest_plugins = ["tests.support.fault_runs", "tests.support.sandbox_figures"]

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        # structlog's own default draws every local variable of every frame, which takes seconds for each error
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(scope="session")
def postgres_server() -> Generator[PostgresServer]:
    """The test server, shared by all test processes."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def database_settings(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Settings]:
    """Settings on a migrated database that belongs to the test module."""
    name = Path(str(request.node.path)).stem
    with database(postgres_server, name=name) as dsn:
        yield settings_for(dsn, tmp_path_factory.mktemp("var"))


@pytest.fixture
def fresh_database(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path: Path
) -> Generator[Settings]:
    """Settings on a migrated database that belongs to one test."""
    with database(postgres_server, name=request.node.name) as dsn:
        yield settings_for(dsn, tmp_path / "var")


@pytest.fixture
def empty_database(
    request: pytest.FixtureRequest, postgres_server: PostgresServer, tmp_path: Path
) -> Generator[Settings]:
    """Settings on a database without any migration, for one test."""
    with database(postgres_server, name=request.node.name, migrated=False) as dsn:
        yield settings_for(dsn, tmp_path / "var")


@pytest.fixture(scope="module")
def chromiums_of_module() -> Generator[Chromiums]:
    """One Chromium for a module, or the next one after it died."""
    with chromiums() as made:
        yield made


@pytest.fixture
def browser(chromiums_of_module: Chromiums) -> Browser:
    """A Chromium that runs."""
    return chromiums_of_module.living()
