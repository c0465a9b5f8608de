"""What tenancy brings to the platform."""

from lastlight.domains.tenancy.api import ROUTES
from lastlight.domains.tenancy.brand_api import BRAND_ROUTES
from lastlight.domains.tenancy.brand_pages import BRAND_PAGES
from lastlight.domains.tenancy.brands import BrandChanged, LogoNotAwaited, make_logo
from lastlight.domains.tenancy.errors import ERRORS, SlugTaken
from lastlight.domains.tenancy.events import EVENTS
from lastlight.domains.tenancy.jobs import JOBS
from lastlight.domains.tenancy.pages import COUNT_EVENTS, PAGES, waiting_beside
from lastlight.domains.tenancy.permissions import PERMISSIONS, TENANT_READ, TENANTS_READ
from lastlight.domains.tenancy.queries import LISTINGS
from lastlight.runtime.module import Module, Nav
from lastlight.runtime.tenant_settings import PLATFORM_SETTINGS_MANAGE

MODULE = Module(
    name="tenancy",
    summary="Businesses on the platform: registration, approval, plan, modules.",
    routes=(*ROUTES, *BRAND_ROUTES),
    pages=(*PAGES, *BRAND_PAGES),
    permissions=PERMISSIONS,
    events=(*EVENTS, BrandChanged),
    errors=(*ERRORS, LogoNotAwaited),
    constraints={"tenants_slug_taken": SlugTaken},
    jobs=(*JOBS, make_logo),
    listings=LISTINGS,
    nav=(
        Nav(
            app="owner",
            label="Settings",
            href="/owner/settings",
            icon="settings",
            permission=TENANT_READ,
            group="House",
            order=85,
        ),
        Nav(
            app="platform",
            label="Parameters",
            href="/platform/settings",
            icon="settings",
            permission=PLATFORM_SETTINGS_MANAGE,
            group="House",
            order=85,
        ),
        Nav(
            app="platform",
            label="Tenants",
            href="/platform/tenants",
            icon="building-2",
            permission=TENANTS_READ,
            order=20,
            count=waiting_beside,
            count_events=COUNT_EVENTS,
        ),
    ),
)
