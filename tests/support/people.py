"""A running application with two tenants and their people, spoken to as any client would; for tests of who may do what."""

import json
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import httpx
from litestar import Litestar

from lastlight.apps.shell import render, render_bare
from lastlight.domains import identity, tenancy
from lastlight.domains.checkins.module import MODULE as CHECKINS
from lastlight.domains.devices.module import MODULE as DEVICES
from lastlight.domains.identity.module import MODULE as IDENTITY
from lastlight.domains.tenancy.module import MODULE as TENANCY
from lastlight.domains.venues.actions import create_venue
from lastlight.domains.venues.geofence import Point
from lastlight.domains.venues.module import MODULE as VENUES
from lastlight.domains.venues.schemas import VenueIn
from lastlight.kernel.ids import PLATFORM, TenantId, UserId, VenueId
from lastlight.runtime.audit.module import MODULE as AUDIT
from lastlight.runtime.auth.passwords import hash_password
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.events.module import MODULE as EVENTS
from lastlight.runtime.http.app import create_app
from lastlight.runtime.jobs.module import MODULE as JOBS
from lastlight.runtime.mail.module import MODULE as MAIL
from lastlight.runtime.module import Module
from lastlight.runtime.services import Services
from lastlight.runtime.settings import Settings
from lastlight.runtime.tenant_settings import MODULE as SETTINGS
from tests.support.services import administer, opened_services

MODULES = (EVENTS, AUDIT, JOBS, MAIL, SETTINGS, IDENTITY, TENANCY, VENUES, DEVICES, CHECKINS)
PASSWORD = "correct horse battery"
SEED = "people"
ADDRESS = ("203.0.113.7", 1)
HERE = Point(lat=-26.1467, lon=28.0436)


@dataclass(slots=True)
class Tenant:
    """A tenant of the world, its venues and its people by role."""

    id: TenantId
    slug: str
    venues: list[VenueId]
    users: dict[str, UserId] = field(default_factory=dict[str, UserId])

    def email(self, who: str) -> str:
        """The address of one of its people."""
        return f"{who}@{self.slug}.example"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody that one test made for itself."""

    email: str
    user_id: UserId
    member_id: UUID | None


@dataclass(slots=True)
class People:
    """The application and everybody in it. Every password is PASSWORD."""

    services: Services
    app: Litestar
    client: httpx.AsyncClient
    bar: Tenant
    club: Tenant
    crew: dict[str, UserId]
    password_hash: str = ""

    async def login(self, email: str, *, password: str = PASSWORD, status: int = 200, **more: Any) -> dict[str, Any]:
        """Sign in by the public API; the tokens."""
        answer = await self.client.post("/api/auth/login", json={"email": email, "password": password, **more})
        assert answer.status_code == status, answer.text
        return answer.json()

    async def bearer(self, email: str, **more: Any) -> dict[str, str]:
        """The headers of somebody who has signed in."""
        return {"Authorization": f"Bearer {(await self.login(email, **more))['access_token']}"}

    async def newcomer(
        self,
        place: Tenant | TenantId,
        *,
        role: str = "",
        venue_ids: Sequence[UUID] | None = None,
        verified: bool = True,
    ) -> Newcomer:
        """Somebody new at a tenant (or with PLATFORM among the crew): with a role by its key, else as a guest."""
        tenant_id = place.id if isinstance(place, Tenant) else place
        email = f"{role or 'guest'}.{secrets.token_hex(5)}@people.example"
        async with system_ctx(self.services, tenant_id, role="system") as ctx:
            user_id = await identity.seed_user(
                ctx, seed=SEED, email=email, name="Somebody New", password_hash=self.password_hash
            )
            if not role:
                await identity.seed_patron(ctx, seed=SEED, user_id=user_id, name="Somebody New")
                member_id = None
            else:
                member_id = await identity.seed_member(ctx, seed=SEED, user_id=user_id, role=role, venue_ids=venue_ids)
        if not verified:
            await self.sql("update users set email_verified_at = null where id = $1", user_id)
        return Newcomer(email, user_id, member_id)

    async def refused(
        self, problem: str, method: str, path: str, who: dict[str, str] | None = None, **more: Any
    ) -> dict[str, Any]:
        """Call an operation that answers with a problem of this type; the problem."""
        headers = {**(who or {}), **more.pop("headers", {})}
        answer = await self.client.request(method, path, headers=headers, **more)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        body: dict[str, Any] = answer.json()
        assert body["type"] == f"https://lastlight.dev/problems/{problem}", body
        assert body["status"] == answer.status_code
        return body

    async def rows(self, *tables: str) -> dict[str, str]:
        """A fingerprint of everything in some tables, to prove that nothing changed."""
        return {
            table: (await self.sql(f"select md5(string_agg(t::text, '|' order by t::text)) as m from {table} t"))[0][
                "m"
            ]
            for table in tables
        }

    async def call(
        self, method: str, path: str, who: dict[str, str] | None = None, *, status: int = 200, **more: Any
    ) -> Any:
        """Call an operation, expecting a status; the decoded answer."""
        headers = {**(who or {}), **more.pop("headers", {})}
        answer = await self.client.request(method, path, headers=headers, **more)
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return answer.json() if answer.content else None

    async def sql(self, statement: str, *args: Any) -> list[Any]:
        """Look at the database, past every policy."""
        return await administer(self.services.settings, statement, *args)

    async def run_jobs(self) -> int:
        """Run what is queued and needs no more than a transaction, each job in its own as a worker would; how many there were."""
        plain = [name for name, job in self.services.registry.jobs.items() if job.takes_ctx and not job.takes_run]
        rows = await self.sql(
            """update jobs set state = 'running' where state = 'queued' and kind = any($1)
               returning tenant_id, id, kind, args""",
            plain,
        )
        for row in rows:
            job = self.services.registry.jobs[row["kind"]]
            args = row["args"] if isinstance(row["args"], dict) else json.loads(row["args"])
            async with system_ctx(self.services, TenantId(row["tenant_id"]), role=job.role) as ctx:
                await job.fn(ctx, **job.arguments(args))
        return len(rows)

    async def run_scheduled(self, name: str, tenant_id: TenantId) -> Any:
        """Run a scheduled job once for a tenant, as the worker would."""
        job = self.services.registry.jobs[name]
        async with system_ctx(self.services, tenant_id, role=job.role) as ctx:
            return await job.fn(ctx)

    async def mails(self, address: str) -> list[Any]:
        """The e-mails to an address, oldest first, once every job has run, and what those jobs queued."""
        while await self.run_jobs():
            pass
        return await self.sql("select * from outgoing_mail where recipient = $1 order by created_at, id", address)

    async def link(self, address: str) -> str:
        """The token in the last e-mail to an address."""
        body: str = (await self.mails(address))[-1]["body_text"]
        return body.split("token=", 1)[1].split(maxsplit=1)[0].strip(")>")

    async def events(self, name: str) -> list[Any]:
        """What was emitted under a name and waits in the outbox, oldest first."""
        return await self.sql("select * from outbox where name = $1 order by position", name)


def visitor(app: Litestar, *, address: str = ADDRESS[0], base_url: str = "http://test") -> httpx.AsyncClient:
    """A client at an address of its own, with cookies of its own."""
    transport = httpx.ASGITransport(app=cast("Any", app), client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url=base_url)


@asynccontextmanager
async def people(settings: Settings, modules: Sequence[Module] = MODULES) -> AsyncGenerator[People]:
    """Two tenants (a bar with two venues, a club with one) with somebody in each role, and the platform's crew."""
    async with opened_services(settings, modules) as services:
        services.render = render
        services.render_bare = render_bare
        await tenancy.sync_tenants(services)
        hashed = await hash_password(PASSWORD)
        bar = await _tenant(services, "bar", ["main", "roof"], hashed)
        club = await _tenant(services, "club", ["floor"], hashed)
        crew = await _crew(services, hashed)
        app = create_app(services)
        async with visitor(app) as client:
            yield People(services, app, client, bar, club, crew, hashed)


async def _tenant(services: Services, slug: str, venues: list[str], hashed: str) -> Tenant:
    async with system_ctx(services, PLATFORM, role="system") as ctx:
        tenant_id = await tenancy.seed_tenant(
            ctx, seed=SEED, slug=slug, name=f"The {slug}", contact_email=f"owner@{slug}.example"
        )
    async with system_ctx(services, tenant_id) as ctx:
        made = [
            await create_venue(ctx, data=VenueIn(slug=venue, name=f"{venue.title()} of the {slug}", position=HERE))
            for venue in venues
        ]
    found = [venue.id for venue in made]
    tenant = Tenant(tenant_id, slug, found)
    async with system_ctx(services, tenant_id, role="system") as ctx:
        for role in ("owner", "manager", "vendor_admin", "staff"):
            venue_ids: list[UUID] | None = [found[0]] if role == "vendor_admin" else None
            user_id = await identity.seed_user(
                ctx, seed=SEED, email=tenant.email(role), name=f"{role.title()} of the {slug}", password_hash=hashed
            )
            await identity.seed_member(ctx, seed=SEED, user_id=user_id, role=role, venue_ids=venue_ids)
            tenant.users[role] = user_id
        for who in ("patron", "regular"):
            name = f"{who.title()} of the {slug}"
            user_id = await identity.seed_user(ctx, seed=SEED, email=tenant.email(who), name=name, password_hash=hashed)
            await identity.seed_patron(ctx, seed=SEED, user_id=user_id, name=name)
            tenant.users[who] = user_id
    return tenant


async def _crew(services: Services, hashed: str) -> dict[str, UserId]:
    crew: dict[str, UserId] = {}
    async with system_ctx(services, PLATFORM, role="system") as ctx:
        for role in ("super_admin", "ops", "moderator", "finance"):
            user_id = await identity.seed_user(
                ctx, seed=SEED, email=f"{role}@crew.example", name=role, password_hash=hashed
            )
            await identity.seed_member(ctx, seed=SEED, user_id=user_id, role=role)
            crew[role] = user_id
    return crew
