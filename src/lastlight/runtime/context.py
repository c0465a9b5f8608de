"""Who asks, in which tenant, and what an action may use: the Ctx that every action and query takes first."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import msgspec

from lastlight.kernel.errors import NotFound, NotPermitted, ReadOnly
from lastlight.kernel.events import Event
from lastlight.kernel.ids import PLATFORM, JobId, PatronId, SessionId, TenantId, UserId, VenueId
from lastlight.kernel.permissions import Permission

if TYPE_CHECKING:
    from lastlight.runtime.db.connection import Db
    from lastlight.runtime.jobs.declaration import Job
    from lastlight.runtime.services import Services

ActorKind = Literal["anonymous", "guest", "patron", "member", "crew", "system"]


class Grants(msgspec.Struct, frozen=True):
    """What somebody may do: permission name → the venues it holds for; None stands for every venue."""

    held: dict[str, frozenset[VenueId] | None] = {}

    def allows(self, permission: Permission | str, venue_id: UUID | None = None) -> bool:
        """Whether the permission is held, for the venue if one is named."""
        name = str(permission)
        if name not in self.held:
            return False
        venues = self.held[name]
        return venues is None or venue_id is None or venue_id in venues

    def venues(self, permission: Permission | str) -> frozenset[VenueId] | None:
        """The venues it holds for; None for all of them, empty when it is not held."""
        return self.held.get(str(permission), frozenset())

    def covers(self, permissions: list[str], venue_ids: list[VenueId] | None) -> list[str]:
        """The permissions among those named that these grants lack for the venues (None: all venues)."""
        wanted = None if venue_ids is None else frozenset(venue_ids)
        return [name for name in permissions if not self._reaches(name, wanted)]

    def _reaches(self, name: str, wanted: frozenset[VenueId] | None) -> bool:
        if name not in self.held:
            return False
        mine = self.held[name]
        return mine is None or (wanted is not None and wanted <= mine)


class Looking(msgspec.Struct, frozen=True, kw_only=True):
    """Why a session only looks: an owner previews a role, or one of the crew sees with somebody's eyes."""

    kind: Literal["preview", "impersonation"]
    by_id: UserId
    by_name: str
    """Who looks in truth, and answers for it."""
    subject: str
    """The role, or the person."""
    venue_ids: tuple[VenueId, ...] = ()
    """The venues that a preview is held to; none stands for all."""
    reason: str = ""
    ends_at: datetime


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who asks, as known at the start of the transaction."""

    kind: ActorKind = "anonymous"
    user_id: UserId | None = None
    session_id: SessionId | None = None
    tenant_id: TenantId = PLATFORM
    patron_id: PatronId | None = None
    name: str = ""
    email: str = ""
    email_verified: bool = False
    roles: tuple[str, ...] = ()
    grants: Grants = Grants()
    factor_due: bool = False
    """A role of theirs requires a second factor that this session has not shown, and gives nothing until then."""
    version: int = 0
    """The session's version whose grants these are; checked with BEGIN."""
    channel: Literal["bearer", "cookie", "none"] = "none"
    locale: str = "en"
    theme: str = "dark"
    time_zone: str = ""
    ip: str = ""
    user_agent: str = ""
    looking: Looking | None = None
    """Set for a session that only looks: its transactions are read-only in the database."""


ANONYMOUS = Actor()
SYSTEM = Actor(kind="system", name="Last Light")


@dataclass(slots=True, frozen=True)
class PendingEvent:
    """An event that waits for the end of its transaction; the outbox writer turns it into a row."""

    name: str
    version: int
    audience: str | None
    data: Mapping[str, Any]
    entity: str
    entity_id: str
    venue_id: UUID | None
    patron_id: UUID | None
    before: Any
    after: Any
    reason: str
    tenant_id: TenantId | None = None
    """Another tenant's stream than the transaction's; only the platform and the system write there."""


@dataclass(slots=True, frozen=True)
class TakenKey:
    """A request's Idempotency-Key, and what stood under it when the transaction began; `operation` is None for a new one."""

    principal: str
    key: str
    free: bool
    """Whether no other transaction holds it."""
    operation: str | None
    request_hash: bytes
    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(slots=True, frozen=True)
class KeptAnswer:
    """An answer to be kept under a key, at the end of its transaction."""

    principal: str
    key: str
    operation: str
    request_hash: bytes
    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(slots=True)
class Ctx:
    """One transaction's context. Nothing in it outlives the transaction."""

    actor: Actor
    tenant_id: TenantId
    db: "Db"
    now: datetime
    """The database's clock at the start of the transaction, aware, UTC."""
    services: "Services"
    request_id: str = ""
    idempotency_key: str = ""
    taken: TakenKey | None = None
    """What stands under the key."""
    answered: KeptAnswer | None = None
    """What is to be kept under it."""
    pending: list[PendingEvent] = field(default_factory=list[PendingEvent])
    callbacks: list[Callable[[], Awaitable[None]]] = field(default_factory=list[Callable[[], Awaitable[None]]])
    finishers: list[Callable[["Ctx"], Awaitable[None]]] = field(
        default_factory=list[Callable[["Ctx"], Awaitable[None]]]
    )
    """Run once at the end of the transaction, before its events are written."""
    drawn_at: int | None = None
    """Where the tenant's stream stood before a page read anything: whatever came later, the page may not know."""

    def allows(self, permission: Permission, venue_id: UUID | None = None) -> bool:
        """Whether the actor holds a permission; the system holds all of them."""
        return self.actor.kind == "system" or self.actor.grants.allows(permission, venue_id)

    def require(self, permission: Permission, venue_id: UUID | None = None) -> None:
        """Refuse unless the permission is held: NotPermitted without it, NotFound outside the actor's venues.

        The platform itself has no venues: the crew goes inside a business first.
        """
        elsewhere = venue_id is not None and self.actor.kind == "crew" and self.tenant_id == PLATFORM
        if self.allows(permission, venue_id) and not elsewhere:
            return
        if venue_id is not None and self.allows(permission):
            raise NotFound
        raise NotPermitted(extra={"permission": permission.name})

    def venues(self, permission: Permission) -> list[VenueId] | None:
        """The venues the actor holds a permission for, as a query's parameter; None for all."""
        if self.actor.kind == "system":
            return None
        mine = self.actor.grants.venues(permission)
        return None if mine is None else sorted(mine)

    def emit(
        self,
        event: Event,
        *,
        entity: tuple[str, UUID | str],
        venue_id: UUID | None = None,
        patron_id: UUID | None = None,
        before: Any = None,
        after: Any = None,
        reason: str = "",
        tenant_id: TenantId | None = None,
    ) -> None:
        """Say what happened; written to the outbox at the end of this transaction, with its audit record."""
        if self.actor.looking is not None:
            raise ReadOnly
        kind = type(event)
        self.pending.append(
            PendingEvent(
                name=kind.event_name,
                version=kind.event_version,
                audience=kind.audience.name if kind.audience else None,
                data=msgspec.to_builtins(event),
                entity=entity[0],
                entity_id=str(entity[1]),
                venue_id=venue_id,
                patron_id=patron_id,
                before=before,
                after=after,
                reason=reason,
                tenant_id=tenant_id,
            )
        )

    def record(
        self,
        name: str,
        *,
        entity: tuple[str, UUID | str],
        venue_id: UUID | None = None,
        reason: str = "",
        after: Any = None,
        tenant_id: TenantId | None = None,
    ) -> None:
        """Write an audit record that no socket hears: a sensitive read, a refusal worth keeping."""
        self.pending.append(
            PendingEvent(
                name=name,
                version=1,
                audience=None,
                data={},
                entity=entity[0],
                entity_id=str(entity[1]),
                venue_id=venue_id,
                patron_id=None,
                before=None,
                after=after,
                reason=reason,
                tenant_id=tenant_id,
            )
        )

    async def enqueue(
        self,
        job: "Job",
        *,
        run_at: datetime | None = None,
        key: str | None = None,
        sooner: bool = False,
        **args: Any,
    ) -> JobId:
        """Queue a job in this transaction: it runs if, and only if, the transaction commits. `sooner` hurries one that waits."""
        return await self.services.enqueue(self, job, run_at=run_at, key=key, sooner=sooner, **args)

    def before_commit(self, finisher: Callable[["Ctx"], Awaitable[None]]) -> None:
        """Run something at the end of the transaction and inside it, such as a look-up for all that was done in it at once."""
        self.finishers.append(finisher)

    def after_commit(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Run something once the transaction is durable; its failure is logged and changes nothing."""
        self.callbacks.append(callback)
