"""What tenancy's operations take and give."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from lastlight.kernel.ids import TenantId
from lastlight.runtime.http import Input

Text = Annotated[str, msgspec.Meta(max_length=500)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
Email = Annotated[str, msgspec.Meta(min_length=3, max_length=254)]
Phone = Annotated[str, msgspec.Meta(max_length=40)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$(?!\\n)", description="ISO 3166, such as ZA.")]
Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$(?!\\n)", description="ISO 4217, such as ZAR.")]
TimeZone = Annotated[str, msgspec.Meta(min_length=1, max_length=60, description="IANA, such as Africa/Johannesburg.")]
Locale = Annotated[
    str, msgspec.Meta(pattern="^[a-z]{2}(-[A-Z]{2})?$(?!\\n)", description="A language such as en or pt-BR.")
]
Reason = Annotated[str, msgspec.Meta(min_length=3, max_length=500, description="Why; people read it.")]
Plan = Literal["trial", "starter", "growth", "enterprise"]


class RegistrationIn(Input, frozen=True, kw_only=True):
    """A business that wants to come. `slug` is a wish; `password` is for the applicant's new account, or is the one they have."""

    name: Name
    contact_name: Name
    contact_email: Email
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    slug: Annotated[str, msgspec.Meta(max_length=48)] = ""
    contact_phone: Phone = ""
    country: Country = "ZA"
    currency: Currency = "ZAR"
    time_zone: TimeZone = "Africa/Johannesburg"
    locale: Locale = "en"
    note: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class RegistrationOut(msgspec.Struct, frozen=True):
    """The same whether the address has an account or not, and whether the registration is new or a repetition."""

    status: str
    message: str


class ReasonIn(Input, frozen=True, kw_only=True):
    """Why."""

    reason: Reason


class PlanIn(Input, frozen=True, kw_only=True):
    """The plan of a business."""

    plan: Plan


class ModuleIn(Input, frozen=True, kw_only=True):
    """Whether the module is on, and why that is changed."""

    enabled: bool
    reason: Text = ""


class ModuleOut(msgspec.Struct, frozen=True):
    """A module of a business."""

    name: str
    title: str
    description: str
    enabled: bool


class TenantChangeIn(Input, frozen=True, kw_only=True):
    """Details of one's own business; what is left out stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    contact_name: Name | msgspec.UnsetType = msgspec.UNSET
    contact_email: Email | msgspec.UnsetType = msgspec.UNSET
    contact_phone: Phone | msgspec.UnsetType = msgspec.UNSET
    country: Country | msgspec.UnsetType = msgspec.UNSET
    time_zone: TimeZone | msgspec.UnsetType = msgspec.UNSET
    locale: Locale | msgspec.UnsetType = msgspec.UNSET


class TenantOut(msgspec.Struct, frozen=True, kw_only=True):
    """A business, as its own people and the platform see it."""

    id: TenantId
    slug: str
    name: str
    status: str
    status_reason: str | None
    plan: str
    contact_name: str
    contact_email: str
    contact_phone: str
    country: str
    currency: str
    time_zone: str
    locale: str
    created_at: datetime
    updated_at: datetime
    approved_at: datetime | None
    version: int


class TenantHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How a business's platform does: what failed, what waits, and when somebody was last there."""

    last_seen_at: datetime | None
    sessions: int
    jobs_dead: int
    jobs_waiting: int
    oldest_wait_seconds: int
    mails_failed: int


class TenantDetailOut(msgspec.Struct, frozen=True, kw_only=True):
    """A business as the platform sees it: with its note, modules and figures of use."""

    tenant: TenantOut
    note: str
    modules: list[ModuleOut]
    usage: dict[str, int]
    health: TenantHealth
    version: int


class TenantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the platform's list."""

    id: TenantId
    slug: str
    name: str
    status: str
    plan: str
    contact_name: str
    contact_email: str
    country: str
    members: int
    patrons: int
    created_at: datetime
    approved_at: datetime | None
    version: int


class ScopeOut(msgspec.Struct, frozen=True):
    """Tokens for a session inside a business, and when it ends. In a browser the cookie holds them instead."""

    tenant_id: TenantId
    tenant: str
    expires_at: datetime
    access_token: str = ""
    refresh_token: str = ""
    token_type: str = "Bearer"  # noqa: S105 - the scheme, not a secret
    expires_in: int = 0
