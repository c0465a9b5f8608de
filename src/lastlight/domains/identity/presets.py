"""The built-in roles: presets over permissions, named one by one, so that no role grows because a module was added.

A tenant has the roles of TENANT_ROLES, the platform those of CREW_ROLES; `sync_builtin_roles` copies them into the table.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lastlight.kernel.permissions import Permission, Scope


@dataclass(frozen=True, slots=True)
class Preset:
    """A built-in role."""

    key: str
    name: str
    description: str
    permissions: tuple[str, ...] = ()
    everything: bool = False
    """Every permission but the guests' own."""

    def resolve(self, known: Mapping[str, Permission]) -> list[str]:
        """The names of its permissions, sorted."""
        if self.everything:
            return sorted(name for name, permission in known.items() if permission.scope is not Scope.OWN)
        return sorted(self.permissions)


STAFF = (
    "bookings.manage",
    "bookings.read",
    "checkins.flags.read",
    "checkins.override",
    "checkins.read",
    "credits.charge",
    "devices.read",
    "patrons.find",
    "resources.read",
    "resources.status",
    "safety.read",
    "safety.respond",
    "shifts.read",
    "tasks.read",
    "tasks.work",
    "time.clock",
    "venues.codes",
    "venues.read",
    "visits.checkout",
    "visits.read",
)
MANAGER = (
    *STAFF,
    "adjustments.read",
    "checkins.flags.resolve",
    "checkins.price",
    "checkins.refund",
    "checkins.revoke",
    "credits.adjust",
    "credits.read",
    "devices.manage",
    "exports.create",
    "members.factors.reset",
    "members.manage",
    "members.read",
    "patrons.moderate",
    "patrons.read",
    "payments.read",
    "payments.refund",
    "resources.manage",
    "roles.read",
    "safety.broadcast",
    "safety.log",
    "safety.manage",
    "shifts.plan",
    "staff.performance",
    "tasks.manage",
    "taxes.read",
    "tenant.read",
    "time.approve",
    "time.read",
    "venues.keys",
    "venues.manage",
    "venues.moderate",
    "venues.publish",
    "visits.correct",
)
VENDOR_ADMIN = MANAGER
OWNER = (
    *MANAGER,
    "adjustments.approve",
    "audit.read",
    "files.read",
    "fraud.hear",
    "jobs.manage",
    "jobs.read",
    "ledger.adjust",
    "ledger.manage",
    "ledger.read",
    "payments.manage",
    "roles.manage",
    "roles.preview",
    "settings.manage",
    "settings.read",
    "taxes.manage",
    "tenant.manage",
)

OPS = (
    "audit.read",
    "bookings.manage",
    "bookings.read",
    "checkins.flags.read",
    "checkins.flags.resolve",
    "checkins.override",
    "checkins.read",
    "checkins.revoke",
    "devices.manage",
    "devices.read",
    "exports.create",
    "flags.manage",
    "flags.read",
    "jobs.manage",
    "jobs.read",
    "platform.drills.read",
    "platform.jobs.manage",
    "platform.outbox.read",
    "resources.manage",
    "resources.read",
    "resources.status",
    "safety.broadcast",
    "safety.log",
    "safety.manage",
    "safety.read",
    "safety.respond",
    "tenants.decide",
    "tenants.enter",
    "tenants.manage",
    "tenants.read",
    "users.factors.reset",
    "users.impersonate",
    "users.moderate",
    "users.read",
    "venues.codes",
    "venues.keys",
    "venues.manage",
    "venues.moderate",
    "venues.publish",
    "venues.read",
    "visits.checkout",
    "visits.correct",
    "visits.read",
)
MODERATOR = (
    "members.read",
    "patrons.moderate",
    "patrons.read",
    "roles.read",
    "tenants.read",
    "users.moderate",
    "users.read",
)
FINANCE = (
    "adjustments.read",
    "credits.read",
    "exports.create",
    "fraud.hear",
    "ledger.read",
    "payments.manage",
    "payments.read",
    "payments.refund",
    "tenants.read",
    "venues.read",
)

TENANT_ROLES = (
    Preset("owner", "Owner", "Everything of the business: settings, roles, audit, all venues.", OWNER),
    Preset(
        "manager",
        "Manager",
        "Runs the night: visits, people, venues; no roles and no settings of the business.",
        MANAGER,
    ),
    Preset(
        "vendor_admin",
        "Vendor admin",
        "As a manager, on the venues that are named, with their figures and exports.",
        VENDOR_ADMIN,
    ),
    Preset("staff", "Staff", "Works the door and the floor: sees who is in, checks guests in and out.", STAFF),
)
CREW_ROLES = (
    Preset(
        "super_admin", "Super admin", "Everything of the platform, and into a business with a reason.", everything=True
    ),
    Preset("ops", "Operations", "Businesses, venues, check-ins and jobs; no roles and no money.", OPS),
    Preset("moderator", "Moderator", "People and what they report; no settings and no money.", MODERATOR),
    Preset("finance", "Finance", "Money, invoices and exports; no messages and no roles.", FINANCE),
)
PATRON = (
    "bookings.own",
    "checkins.pass",
    "checkins.verify",
    "credits.own",
    "payments.own",
    "venues.own",
    "visits.own",
    "safety.checks",
    "safety.help",
)
"""What a guest of a tenant may do: every permission over what is their own."""
GUEST: tuple[str, ...] = ()
"""Somebody who is signed in and in no tenant yet: their account, and joining a tenant."""


def presets_for(*, platform: bool) -> tuple[Preset, ...]:
    """The built-in roles of a tenant, or of the platform itself."""
    return CREW_ROLES if platform else TENANT_ROLES
