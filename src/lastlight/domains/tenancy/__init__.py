"""Tenancy: the businesses on the platform.

A business registers itself and waits; the platform's crew approves or rejects it, and it is told by e-mail. Approved, it has the built-in
roles, its applicant as owner, and modules that are on or off: off hides them, refuses their operations and stops their jobs. Suspended,
nobody gets in but the crew. The crew goes inside a business only with a reason, for an hour, on that business's own record.
"""

from lastlight.domains.tenancy.actions import (
    approve,
    change_plan,
    change_tenant,
    enter,
    give_modules,
    reactivate,
    reject,
    set_module,
    suspend,
)
from lastlight.domains.tenancy.brands import Brand, logo_content, read_brand
from lastlight.domains.tenancy.events import TenantApproved, TenantChanged
from lastlight.domains.tenancy.permissions import (
    TENANT_MANAGE,
    TENANT_READ,
    TENANTS_DECIDE,
    TENANTS_ENTER,
    TENANTS_MANAGE,
    TENANTS_READ,
)
from lastlight.domains.tenancy.queries import (
    PLANS,
    STATUS,
    TENANTS,
    count_waiting,
    list_modules,
    read_detail,
    read_tenant,
    read_usage,
    switched_off,
)
from lastlight.domains.tenancy.registration import Applicant, prepare_registration, register_tenant
from lastlight.domains.tenancy.schemas import (
    ModuleOut,
    RegistrationIn,
    TenantChangeIn,
    TenantDetailOut,
    TenantOut,
    TenantRow,
)
from lastlight.domains.tenancy.seeding import seed_tenant, sync_tenants
from lastlight.domains.tenancy.toggles import TOGGLES, Toggle

__all__ = [
    "PLANS",
    "STATUS",
    "TENANTS",
    "TENANTS_DECIDE",
    "TENANTS_ENTER",
    "TENANTS_MANAGE",
    "TENANTS_READ",
    "TENANT_MANAGE",
    "TENANT_READ",
    "TOGGLES",
    "Applicant",
    "Brand",
    "ModuleOut",
    "RegistrationIn",
    "TenantApproved",
    "TenantChangeIn",
    "TenantChanged",
    "TenantDetailOut",
    "TenantOut",
    "TenantRow",
    "Toggle",
    "approve",
    "change_plan",
    "change_tenant",
    "count_waiting",
    "enter",
    "give_modules",
    "list_modules",
    "logo_content",
    "prepare_registration",
    "reactivate",
    "read_brand",
    "read_detail",
    "read_tenant",
    "read_usage",
    "register_tenant",
    "reject",
    "seed_tenant",
    "set_module",
    "suspend",
    "switched_off",
    "sync_tenants",
]
