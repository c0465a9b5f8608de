"""The process that runs the test server while anybody uses it: `python -m tests.support.postgres_keeper FOLDER`.

Every test process holds a shared lock on `users.lock`; when nobody does any more, even after a kill -9, the keeper stops
the server and ends. It keeps its own lock, `keeper.lock`, for as long as it lives.
"""

import asyncio
import fcntl
import json
import shutil
import signal
import sys
from io import TextIOWrapper
from pathlib import Path

from lastlight.runtime.embedded.layout import prepare_layout
from lastlight.runtime.embedded.server import EmbeddedServer, start_server, stop_server


async def keep(folder: Path) -> None:
    """Run a fresh server in `folder` until its last user has gone."""
    with (folder / "users.lock").open("a") as users, (folder / "keeper.lock").open("a") as own:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another keeper was first
        stopping = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
        shutil.rmtree(prepare_layout(folder).data, ignore_errors=True)
        server = await _started(folder)
        try:
            while not stopping.is_set() and not _unused(users):
                if server.process.returncode is not None:
                    server = await _started(folder)
                await asyncio.sleep(0.3)
        finally:
            (folder / "server.json").unlink(missing_ok=True)
            await stop_server(server)


async def _started(folder: Path) -> EmbeddedServer:
    server = await start_server(folder, durable=False)
    draft = folder / "server.json.new"
    draft.write_text(json.dumps({"port": server.port}))
    draft.replace(folder / "server.json")
    return server


def _unused(users: TextIOWrapper) -> bool:
    """Whether no test process is left; if so the lock stays ours until the end, so that new users wait."""
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1])))
