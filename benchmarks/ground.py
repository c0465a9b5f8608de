"""The ground of the benchmarks: a durable PostgreSQL of their own, with the options that are shipped.

What is measured runs in the loop that the product's processes run in. The server is kept by the standard loop in a thread of its own, as
the supervisor keeps it: only that loop starts a program under another account.
"""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from anyio.from_thread import start_blocking_portal

from lastlight.runtime.db.migrate import migrate
from lastlight.runtime.embedded.server import EmbeddedServer, start_server, stop_server
from lastlight.runtime.settings import Settings
from tests.support.postgres import settings_for


@dataclass(frozen=True, slots=True)
class Ground:
    """A running server with a migrated database, and its administrator's address."""

    server: EmbeddedServer
    folder: Path
    dsn: str

    @property
    def settings(self) -> Settings:
        """Settings on its database."""
        return settings_for(self.dsn, self.folder)

    def program(self, name: str) -> str:
        """The path of one of the server's own programs, such as pgbench."""
        return str(self.server.layout.program(name))


@contextlib.asynccontextmanager
async def durable_ground() -> AsyncGenerator[Ground]:
    """Start a server of its own with the options of production (fsync and synchronous_commit on), migrated; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="lastlight-bench-", ignore_cleanup_errors=True) as text:
        folder = Path(text)
        with start_blocking_portal() as keeper, keeper.wrap_async_context_manager(_running(folder)) as server:
            password = server.layout.password_file.read_text().strip()
            dsn = f"postgresql://postgres:{password}@127.0.0.1:{server.port}/lastlight"
            await migrate(settings_for(dsn, folder))
            yield Ground(server, folder, dsn)


@contextlib.asynccontextmanager
async def _running(folder: Path) -> AsyncGenerator[EmbeddedServer]:
    server = await start_server(folder)
    try:
        yield server
    finally:
        await stop_server(server)
        shutil.rmtree(server.layout.data, ignore_errors=True)
