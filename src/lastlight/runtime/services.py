"""Services: what a process holds for all of its transactions."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from lastlight.runtime.db.pools import Pools
from lastlight.runtime.module import Registry
from lastlight.runtime.settings import Settings


def _silent() -> None:
    """Where nobody listens for new events, a commit has nobody to tell."""


async def _no_queue(*_args: Any, **_named: Any) -> Any:
    raise RuntimeError("this process was started without a job queue")


async def _no_pages(*_args: Any) -> str:
    raise RuntimeError("this process was started without pages")


def _no_bare_pages(*_args: Any) -> str:
    raise RuntimeError("this process was started without pages")


@dataclass(slots=True)
class Services:
    """One process's settings, registry, pools and the entry points of its mechanisms."""

    settings: Settings
    registry: Registry
    pools: Pools
    secrets: Any
    storage: Any = None
    templates: Any = None
    enqueue: Callable[..., Awaitable[Any]] = _no_queue
    render: Callable[..., Awaitable[str]] = _no_pages
    """Render a View as a page or a fragment, inside its transaction: (ctx, operation, request info, view) → HTML."""
    render_bare: Callable[..., str] = _no_bare_pages
    """Render a View as a page for which nothing is read, so that it is there while the database is not: (templates, request info, view) → HTML."""
    poke: Callable[[], None] = _silent
    """Tell the relay that events wait; called after each commit that wrote some."""
    memory: dict[str, Any] = field(default_factory=dict[str, Any])
    """What mechanisms remember in this process, by their name."""
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list[Callable[[], Awaitable[None]]])

    async def close(self) -> None:
        """Close what was opened, last first."""
        for closer in reversed(self.closers):
            await closer()
        await self.pools.close()
