"""The embedded sandbox under the supervisor: there before the first step that pays, and until the last process that may."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Mapping

from lastlight.runtime.listeners import OWN
from lastlight.runtime.settings import Settings
from lastlight.runtime.supervision.children import Child, keep_running, stop_child
from lastlight.runtime.supervision.claims import claimed_sandbox_port


@contextlib.contextmanager
def claimed_sandbox(settings: Settings) -> Generator[socket.socket | None]:
    """The sandbox's listening socket, in which callers wait while it is started again; None where payments go elsewhere."""
    if settings.stripe_api_base:
        yield None
        return
    with claimed_sandbox_port(settings) as listener:
        yield listener


@contextlib.asynccontextmanager
async def running_sandbox(
    listener: socket.socket | None, env: Mapping[str, str], *, on_refusal: Callable[[], None]
) -> AsyncGenerator[None]:
    """Keep the sandbox running for the length of the block."""
    if listener is None:
        yield
        return
    child = Child("sandbox", ("sandbox",), {OWN: str(listener.fileno())}, (listener.fileno(),))
    keeper = asyncio.create_task(keep_running(child, env, listener=None, on_refusal=lambda _: on_refusal()))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        await stop_child(child)


def port_of(listener: socket.socket | None) -> dict[str, str]:
    """What the other processes are told of the port, whichever it became."""
    return {} if listener is None else {"LASTLIGHT_SANDBOX_PORT": str(listener.getsockname()[1])}
