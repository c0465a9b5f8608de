"""The platform as it is run, for tests that drive a browser: a web process and a worker on a seeded database of their own.

The world is small: two businesses, their venues, and somebody in each role. A test adds the guests and the venues that it
changes, so that tests do not meet in the same visit.
"""

import asyncio
import contextlib
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from lastlight.domains import identity, tenancy
from lastlight.domains.venues.actions import create_venue
from lastlight.domains.venues.codes import code_text, poster_code, screen_code
from lastlight.domains.venues.geofence import Point
from lastlight.domains.venues.keys import current_key, open_key
from lastlight.domains.venues.model import Address
from lastlight.domains.venues.schemas import VenueIn
from lastlight.kernel.ids import PLATFORM, TenantId, UserId, VenueId
from lastlight.modules import MODULES
from lastlight.runtime.auth.passwords import hash_password
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from lastlight.runtime.tether import tethered
from tests.support.postgres import SECRET_KEY, settings_for
from tests.support.processors import SandboxBeside
from tests.support.programs import environment
from tests.support.services import administer, opened_services

T = TypeVar("T")

PASSWORD = "correct horse battery"
SEED = "live"
HERE = Point(lat=-26.1467, lon=28.0436)
_START_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in; `tenant` is empty for the platform's crew."""

    role: str
    name: str
    email: str
    tenant: str = ""
    password: str = PASSWORD


@dataclass(frozen=True, slots=True)
class Business:
    """A business of the world: its venues by slug, its people by role."""

    id: TenantId
    slug: str
    name: str
    venues: dict[str, VenueId] = field(default_factory=dict[str, VenueId])
    people: dict[str, Person] = field(default_factory=dict[str, Person])


@dataclass(frozen=True, slots=True)
class Plan:
    """What a business is seeded with: venues as slug → name, people as role → name."""

    slug: str
    name: str
    domain: str
    venues: dict[str, str]
    people: dict[str, str]


PLANS = (
    Plan(
        "kojo-arcade",
        "Kōjō Arcade",
        "kojo.example",
        {"kojo-rosebank": "Kōjō Rosebank", "kojo-braam": "Kōjō Braamfontein"},
        {
            "owner": "Nandi Kōjō",
            "manager": "Thandi Mokoena",
            "vendor_admin": "Johan Venter",
            "staff": "Kagiso Moloi",
            "patron": "Zinhle Dube",
        },
    ),
    Plan(
        "the-low-light",
        "The Low Light",
        "lowlight.example",
        {"low-light": "The Low Light"},
        {
            "owner": "Lerato Khumalo",
            "manager": "Sipho Dlamini",
            "staff": "Busi Tshabalala",
            "patron": "Liam Petersen",
        },
    ),
)
CREW = {"super_admin": "Sam Adeyemi", "ops": "Ola Berg", "moderator": "Mo Farouk", "finance": "Fay Lindt"}


class Backstage:
    """The same services as the server's, on a loop in a thread of its own: tests of browsers are not asynchronous."""

    def __init__(self, settings: Settings) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open = opened_services(settings, MODULES)
        self.services: Services = self.run(self._open.__aenter__())

    def run(self, work: Coroutine[Any, Any, T], *, seconds: float = 60) -> T:
        """Run `work` to its end."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def close(self) -> None:
        """Close the services, end the thread."""
        self.run(self._open.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@dataclass(slots=True)
class Web:
    """The web process, which a test may kill; the port stays open, and who calls meanwhile waits."""

    start: Callable[[], subprocess.Popen[bytes]]
    process: subprocess.Popen[bytes]

    def restart(self) -> None:
        """Kill it in the middle of whatever it does, and start another one."""
        self.process.kill()
        self.process.wait()
        self.process = self.start()


@dataclass(slots=True)
class LiveServer:
    """The running platform and everybody in it. Every password is PASSWORD."""

    base_url: str
    settings: Settings
    backstage: Backstage
    web: Web
    businesses: dict[str, Business] = field(default_factory=dict[str, Business])
    crew: dict[str, Person] = field(default_factory=dict[str, Person])
    hashed: str = ""

    def person(self, role: str, business: str = "kojo-arcade") -> Person:
        """Who holds a role: in a business, or in the platform's crew."""
        return self.crew.get(role) or self.businesses[business].people[role]

    def new_guest(
        self, name: str = "Ayanda Nkosi", *, business: str = "kojo-arcade", birth_date: date | None = None
    ) -> Person:
        """A guest of a business who has never been there."""
        email = f"{name.split(maxsplit=1)[0].lower()}-{secrets.token_hex(4)}@guests.example"
        self.backstage.run(self._seed_guest(self.businesses[business], email, name, birth_date=birth_date))
        return Person("patron", name, email, business)

    def new_member(self, role: str = "staff", name: str = "Kim Keeper", *, business: str = "kojo-arcade") -> Person:
        """Somebody who works in a business and whom no other test knows."""
        email = f"{role.replace('_', '-')}-{secrets.token_hex(4)}@kojo.example"
        person = Person(role, name, email, business)
        self.backstage.run(self._seed_member(self.businesses[business], person))
        return person

    def new_venue(self, name: str = "Kōjō Sandton", *, business: str = "kojo-arcade", **fields: Any) -> VenueId:
        """Another venue of a business, always open, with a fence of 150 m around HERE."""
        own = {"slug": f"v-{secrets.token_hex(6)}"}  # tests of other modules may have chosen the same name
        return self.backstage.run(self._seed_venue(self.businesses[business], name, **(own | fields)))

    def code(
        self, venue: VenueId | str, *, business: str = "kojo-arcade", at: datetime | None = None, poster: bool = False
    ) -> str:
        """What the display of a venue (by id or slug) shows now or at a moment, or what its poster says."""
        place = self.businesses[business]
        venue_id = place.venues[venue] if isinstance(venue, str) else venue
        return self.backstage.run(self._make_code(place.id, venue_id, at=at, poster=poster))

    def sql(self, statement: str, *args: object) -> list[Any]:
        """Run SQL as the administrator, past every policy."""
        return self.backstage.run(administer(self.settings, statement, *args))

    def client(self, person: Person) -> httpx.Client:
        """An API client of somebody, signed in by token."""
        client = httpx.Client(base_url=self.base_url, timeout=30)
        body = {"email": person.email, "password": person.password}
        if person.tenant:
            body["tenant"] = person.tenant
        answer = client.post("/api/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return client

    def seed(self) -> None:
        """Fill the world."""
        self.backstage.run(self._seed())

    async def _seed(self) -> None:
        services = self.backstage.services
        self.hashed = await hash_password(PASSWORD)
        await tenancy.sync_tenants(services)
        async with system_ctx(services, PLATFORM, role="system") as ctx:
            for role, name in CREW.items():
                email = f"{role.replace('_', '-')}@lastlight.example"
                user_id = await identity.seed_user(ctx, seed=SEED, email=email, name=name, password_hash=self.hashed)
                await identity.seed_member(ctx, seed=SEED, user_id=user_id, role=role)
                self.crew[role] = Person(role, name, email)
        for plan in PLANS:
            self.businesses[plan.slug] = await self._seed_business(plan)

    async def _seed_business(self, plan: Plan) -> Business:
        services = self.backstage.services
        async with system_ctx(services, PLATFORM, role="system") as ctx:
            tenant_id = await tenancy.seed_tenant(
                ctx,
                seed=SEED,
                slug=plan.slug,
                name=plan.name,
                contact_name=plan.people["owner"],
                contact_email=f"owner@{plan.domain}",
            )
        business = Business(tenant_id, plan.slug, plan.name)
        for slug, name in plan.venues.items():
            await self._seed_venue(business, name, slug=slug)
        for role, name in plan.people.items():
            email = f"{role.replace('_', '-')}@{plan.domain}"
            business.people[role] = Person(role, name, email, plan.slug)
            if role == "patron":
                await self._seed_guest(business, email, name)
            else:
                await self._seed_member(business, business.people[role])
        return business

    async def _seed_member(self, business: Business, person: Person) -> None:
        only_first = [next(iter(business.venues.values()))] if person.role == "vendor_admin" else None
        async with system_ctx(self.backstage.services, business.id, role="system") as ctx:
            user_id = await identity.seed_user(
                ctx, seed=SEED, email=person.email, name=person.name, password_hash=self.hashed
            )
            await identity.seed_member(ctx, seed=SEED, user_id=user_id, role=person.role, venue_ids=only_first)

    async def _seed_guest(self, business: Business, email: str, name: str, *, birth_date: date | None = None) -> UserId:
        async with system_ctx(self.backstage.services, business.id, role="system") as ctx:
            user_id = await identity.seed_user(ctx, seed=SEED, email=email, name=name, password_hash=self.hashed)
            await identity.seed_patron(ctx, seed=SEED, user_id=user_id, name=name, birth_date=birth_date)
            return user_id

    async def _seed_venue(self, business: Business, name: str, **fields: Any) -> VenueId:
        given: dict[str, Any] = {
            "name": name,
            "position": HERE,
            "time_zone": "Africa/Johannesburg",
            "capacity": 220,
            "address": Address(line1="12 Jan Smuts Avenue", city="Johannesburg", country="ZA"),
        } | fields
        async with system_ctx(self.backstage.services, business.id) as ctx:
            venue = await create_venue(ctx, data=VenueIn(**given))
        business.venues[venue.slug] = venue.id
        return venue.id

    async def _make_code(self, tenant_id: TenantId, venue_id: VenueId, *, at: datetime | None, poster: bool) -> str:
        async with system_ctx(self.backstage.services, tenant_id) as ctx:
            key = await current_key(ctx, venue_id=venue_id)
            secret = open_key(ctx, venue_id=venue_id, number=key.number, sealed=key.secret)
            if poster:
                return code_text(poster_code(secret, venue_id=venue_id, key_number=key.number))
            return code_text(screen_code(secret, venue_id=venue_id, key_number=key.number, at=at or ctx.now))


@contextlib.contextmanager
def running_platform(
    dsn: str, var_dir: Path, *, worker: bool = True, beside: SandboxBeside | None = None
) -> Generator[LiveServer]:
    """A web process and, where wanted, a worker on the migrated database at `dsn`, filled with the world; `beside`: it is paid through that."""
    var_dir.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        port: int = listener.getsockname()[1]
        env = _environment(dsn, var_dir, port) | (beside.environment() if beside else {})
        settings = settings_for(dsn, var_dir, port=port, **(beside.settings() if beside else {}))
        own = env | {"LASTLIGHT_INTERNAL_LISTENER": str(listener.fileno())}

        def start_web() -> subprocess.Popen[bytes]:
            return _start("web", var_dir, own, [listener.fileno()])

        web = Web(start_web, start_web())
        stack.callback(lambda: _stop(web.process))
        others = [_start("worker", var_dir, env, [])] if worker else []
        for process in others:
            stack.callback(_stop, process)
        backstage = Backstage(settings)
        stack.callback(backstage.close)
        server = LiveServer(f"http://127.0.0.1:{port}", settings, backstage, web)
        server.seed()
        _wait_until_ready(server.base_url, [web.process, *others], var_dir)
        yield server


def _environment(dsn: str, var_dir: Path, port: int) -> dict[str, str]:
    return environment(
        LASTLIGHT_DATABASE_URL=dsn,
        LASTLIGHT_SECRET_KEY=SECRET_KEY,
        LASTLIGHT_VAR_DIR=str(var_dir),
        LASTLIGHT_PORT=str(port),
        LASTLIGHT_DB_POOL_SIZE="4",
        LASTLIGHT_PRIVATE_CALLS="true",  # the push service of the tests is on this machine
        LASTLIGHT_USER_REQUESTS_PER_MINUTE="6000",
        LASTLIGHT_AUTH_FAILURES_PER_QUARTER_HOUR="10000",
    )


def _start(command: str, var_dir: Path, env: dict[str, str], fds: list[int]) -> subprocess.Popen[bytes]:
    with (var_dir / f"{command}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "lastlight", command],
            cwd=var_dir,
            env=env,
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=tethered(signal.SIGKILL),  # noqa: PLW1509 - one prctl; a server must not outlive its tests
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(base_url: str, processes: list[subprocess.Popen[bytes]], var_dir: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and all(process.poll() is None for process in processes):
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{base_url}/ready", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    logs = "\n".join(path.read_text()[-3000:] for path in sorted(var_dir.glob("*.log")))
    raise RuntimeError(f"the platform did not start:\n{logs}")
