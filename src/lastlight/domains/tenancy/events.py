"""What happens to tenants. What the crew decides is told in the tenant's own stream and in the platform's."""

from typing import ClassVar
from uuid import UUID

from lastlight.domains.tenancy.permissions import TENANT_READ, TENANTS_READ
from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission


class TenantRegistered(Event, frozen=True, kw_only=True):
    """A business registered and waits for approval."""

    event_name: ClassVar[str] = "tenant.registered"
    audience: ClassVar[Permission | None] = TENANTS_READ
    tenant_id: UUID
    slug: str
    name: str


class TenantApproved(Event, frozen=True, kw_only=True):
    """A business was approved and may start."""

    event_name: ClassVar[str] = "tenant.approved"
    audience: ClassVar[Permission | None] = TENANT_READ
    webhook: ClassVar[bool] = True
    tenant_id: UUID


class TenantRejected(Event, frozen=True, kw_only=True):
    """A registration was rejected."""

    event_name: ClassVar[str] = "tenant.rejected"
    audience: ClassVar[Permission | None] = TENANT_READ
    tenant_id: UUID


class TenantSuspended(Event, frozen=True, kw_only=True):
    """A business was suspended: nobody but the crew gets in."""

    event_name: ClassVar[str] = "tenant.suspended"
    audience: ClassVar[Permission | None] = TENANT_READ
    webhook: ClassVar[bool] = True
    tenant_id: UUID


class TenantReactivated(Event, frozen=True, kw_only=True):
    """A suspended business runs again."""

    event_name: ClassVar[str] = "tenant.reactivated"
    audience: ClassVar[Permission | None] = TENANT_READ
    webhook: ClassVar[bool] = True
    tenant_id: UUID


class TenantChanged(Event, frozen=True, kw_only=True):
    """The details or the plan of a business changed; `fields` names what."""

    event_name: ClassVar[str] = "tenant.changed"
    audience: ClassVar[Permission | None] = TENANT_READ
    webhook: ClassVar[bool] = True
    tenant_id: UUID
    fields: list[str]


class TenantModuleChanged(Event, frozen=True, kw_only=True):
    """A module was switched on or off."""

    event_name: ClassVar[str] = "tenant.module_changed"
    audience: ClassVar[Permission | None] = TENANT_READ
    webhook: ClassVar[bool] = True
    tenant_id: UUID
    module: str
    enabled: bool


class TenantEntered(Event, frozen=True, kw_only=True):
    """Somebody of the platform's crew went inside the business, for a reason that is in its audit log."""

    event_name: ClassVar[str] = "tenant.entered"
    audience: ClassVar[Permission | None] = TENANT_READ
    tenant_id: UUID
    session_id: UUID


class TenantDecided(Event, frozen=True, kw_only=True):
    """In the platform's own stream: what the crew did with a business."""

    event_name: ClassVar[str] = "platform.tenant_changed"
    audience: ClassVar[Permission | None] = TENANTS_READ
    tenant_id: UUID
    what: str


EVENTS: tuple[type[Event], ...] = (
    TenantRegistered,
    TenantApproved,
    TenantRejected,
    TenantSuspended,
    TenantReactivated,
    TenantChanged,
    TenantModuleChanged,
    TenantEntered,
    TenantDecided,
)
