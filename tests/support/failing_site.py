"""A platform whose web process dies where requests say (tests/support/failing_web.py), on a database of the tests."""

import contextlib
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil

from lastlight.runtime.listeners import SHARED
from lastlight.runtime.settings import Settings
from tests.support.failing_web import Order
from tests.support.postgres import REPOSITORY, SECRET_KEY
from tests.support.programs import environment, started, until_answers
from tests.support.services import opened_services
from tests.support.sockets import until
from tests.support.streams import relaying


@dataclass(frozen=True, slots=True)
class FailingSite:
    """Where it answers, and the process that serves it now."""

    url: str
    folder: Path
    process: Process

    def child(self) -> psutil.Process | None:
        """The web process as it is now; None between two lives."""
        with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return psutil.Process(int((self.folder / "child").read_text()))
        return None

    async def live_anew(self, *, guard_off: str = "") -> None:
        """End the present life; in the next one `guard_off` is switched off. Returns when that one serves."""
        (self.folder / "guard_off").write_text(guard_off)
        before = self.child()
        assert before is not None
        before.kill()
        await until(lambda: (now := self.child()) is not None and now.pid != before.pid)
        await until_answers(self.process, f"{self.url}/health")


@contextlib.asynccontextmanager
async def failing_site(settings: Settings, folder: Path, *, money: bool = False) -> AsyncGenerator[FailingSite]:
    """The web process, started again whenever it dies, and a relay; both are gone at the end. `money`: it serves a till, not a door."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        number, port = listener.fileno(), int(listener.getsockname()[1])
        order = Order(
            database_url=settings.database_url,
            secret_key=SECRET_KEY,
            folder=str(folder),
            port=port,
            money=money,
        )
        program = (sys.executable, "-m", "tests.support.failing_web", msgspec.json.encode(order).decode())
        env, url = environment(**{SHARED: str(number)}), f"http://127.0.0.1:{port}"
        options: dict[str, Any] = {"cwd": REPOSITORY, "pass_fds": (number,), "orphaned": signal.SIGTERM}
        async with started(*program, env=env, **options) as process:
            await until_answers(process, f"{url}/health")
            async with opened_services(settings) as services, relaying(services):
                yield FailingSite(url, folder, process)
