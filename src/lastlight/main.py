"""The only assembly: services from settings, the application from the registry, the processes that serve them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from lastlight.apps.shell import render, render_bare
from lastlight.domains import tenancy
from lastlight.modules import MODULES
from lastlight.runtime.db.migrate import newest_migration
from lastlight.runtime.db.pools import open_pools
from lastlight.runtime.events.poke import start_poking
from lastlight.runtime.http.app import create_app
from lastlight.runtime.http.system_routes import system_routes
from lastlight.runtime.jobs.enqueue import enqueue
from lastlight.runtime.module import Module, Registry
from lastlight.runtime.observability.metrics import watch_pools
from lastlight.runtime.observability.middleware import ObservabilityMiddleware
from lastlight.runtime.openapi import build_openapi
from lastlight.runtime.realtime.server import RealtimeServer, create_realtime
from lastlight.runtime.secrets import Secrets
from lastlight.runtime.services import Services
from lastlight.runtime.serving import serve
from lastlight.runtime.settings import Settings
from lastlight.runtime.storage.store import open_storage
from lastlight.ui.render import create_environment

Prepare = Callable[[Services], Awaitable[None]]
"""What is done with the services before the first request."""


async def create_services(settings: Settings, modules: Sequence[Module] = MODULES) -> Services:
    """Everything one process holds: registry, pools, secrets, files, templates, and the entry points of the mechanisms."""
    services = Services(
        settings=settings,
        registry=Registry(modules),
        pools=await open_pools(settings),
        secrets=Secrets(settings.secret_key, settings.secret_keys),
        storage=open_storage(settings),
        templates=create_environment(),
        enqueue=enqueue,
        render=render,
        render_bare=render_bare,
    )
    await start_poking(services)
    _watch(services)
    return services


def _watch(services: Services) -> None:
    """Write the pools down for the metrics for as long as the services are open."""
    watch = asyncio.create_task(watch_pools(services.pools))

    async def stop() -> None:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)

    services.closers.append(stop)


class Application:
    """The ASGI application of a process. Its services are opened when the server starts, inside the server's own loop."""

    def __init__(
        self, settings: Settings, modules: Sequence[Module] = MODULES, *, prepare: Prepare | None = None
    ) -> None:
        self.settings = settings
        self.modules = modules
        self.prepare = prepare
        self.services: Services | None = None
        self.failure: Exception | None = None
        """Why it did not start."""
        self._asgi: Any = None
        self._realtime: RealtimeServer | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._asgi(scope, receive, send)

    async def start(self) -> Services:
        """Open the services and build the application; for a server's start, and for tests without one."""
        services = self.services = await create_services(self.settings, self.modules)
        if self.prepare is not None:
            await self.prepare(services)
        realtime = self._realtime = create_realtime(services)
        await realtime.start()
        services.closers.append(realtime.stop)
        app = create_app(services, extra_handlers=system_routes(services))
        self._asgi = ObservabilityMiddleware(realtime.asgi_app(app), self.settings)
        return services

    async def drain(self) -> None:
        """The server is about to stop: let go of the sockets and of the calls that wait for an event."""
        if self._realtime is not None:
            await self._realtime.drain()

    async def stop(self) -> None:
        """Close what was opened."""
        if self.services is not None:
            await self.services.close()

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.start()
                except Exception as error:
                    self.failure = error
                    await send({"type": "lifespan.startup.failed", "message": ""})
                    raise
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def bring_up_to_date(services: Services) -> None:
    """Give every tenant the roles and modules of this release. Where the database stands at another release's migration it is left alone:
    an old process that starts once more during an update takes nothing back, and one that came too early is not ready anyway."""
    at = await services.pools.system.fetchval("select coalesce(max(number), 0) from schema_migrations")
    if at == newest_migration():
        await tenancy.sync_tenants(services)


def run_web(settings: Settings) -> None:
    """Serve the application and its sockets until told to stop."""
    application = Application(settings, prepare=bring_up_to_date)
    try:
        serve(application, settings, drain=application.drain)
    except SystemExit:  # how uvicorn ends when the application did not start
        if application.failure is None:
            raise
        raise application.failure from None


def run_realtime(settings: Settings) -> None:
    """Serve sockets only: the same application behind another port, for a balancer that routes /realtime/ to it."""
    run_web(settings)


def routes_text(settings: Settings) -> None:
    """Print every operation: method, path, whom it is for."""
    registry = Registry(MODULES)
    for op in sorted(registry.operations, key=lambda op: (op.path, op.method)):
        who = op.permission.name if op.permission else "anyone" if op.public else "signed in"
        print(f"{op.method:6} {op.path:60} {who}")  # noqa: T201 - the command's output


def openapi_text(settings: Settings) -> None:
    """Print the OpenAPI document."""
    document = msgspec.json.encode(build_openapi(Registry(MODULES), settings))
    print(msgspec.json.format(document, indent=2).decode())  # noqa: T201 - the command's output
