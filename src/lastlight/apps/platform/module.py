"""What the platform's console brings: the outbox, jobs, the audit log. Tenants and the crew come from their domains."""

from typing import Any

from lastlight.apps.platform.drills import DRILL_PAGES
from lastlight.apps.platform.overview import platform_page
from lastlight.apps.platform.project import PROJECT_PAGES
from lastlight.apps.platform.system_status import read_system_status
from lastlight.apps.records import audit_pages, crew_job_pages
from lastlight.kernel.ids import MailId, TenantId
from lastlight.runtime.audit.entries import AUDIT_READ
from lastlight.runtime.context import Ctx
from lastlight.runtime.drills.events import DRILLS_READ
from lastlight.runtime.http import View, page
from lastlight.runtime.jobs.events import JOBS_READ
from lastlight.runtime.keys.module import KEYS_MANAGE
from lastlight.runtime.mail.outbox import OUTBOX, OUTBOX_READ, find_mail
from lastlight.runtime.module import Module, Nav
from lastlight.runtime.tenant_settings import PLATFORM_SETTINGS_MANAGE

HOME = "/platform/outbox"


@page(HOME, permission=OUTBOX_READ, listing=OUTBOX)
async def outbox_page(ctx: Ctx, query: Any) -> View:
    """List the mail that the platform wrote."""
    view = await OUTBOX.view(ctx, query)
    kept = not ctx.services.settings.smtp_url
    return View("platform/outbox.html", {"view": view, "home": HOME, "paged": bool(query.after), "kept": kept})


@page(f"{HOME}/{{tenant_id:uuid}}/{{mail_id:uuid}}", permission=OUTBOX_READ, sensitive="mail.read")
async def mail_page(ctx: Ctx, tenant_id: TenantId, mail_id: MailId) -> View:
    """Show one mail as it was written."""
    mail = await find_mail(ctx, tenant_id=tenant_id, mail_id=mail_id)
    return View("platform/mail.html", {"mail": mail, "home": HOME})


MODULE = Module(
    name="platform_app",
    summary="Platform: the crew's console.",
    routes=(read_system_status,),
    pages=(
        platform_page,
        outbox_page,
        mail_page,
        *PROJECT_PAGES,
        *audit_pages("/platform"),
        *crew_job_pages(),
        *DRILL_PAGES,
    ),
    nav=(
        Nav(app="platform", label="Overview", href="/platform", icon="layout-dashboard", order=10),
        Nav(
            app="platform",
            label="Jobs",
            href="/platform/jobs",
            icon="cog",
            permission=JOBS_READ,
            group="House",
            order=50,
        ),
        Nav(
            app="platform",
            label="Drills",
            href="/platform/drills",
            icon="siren",
            permission=DRILLS_READ,
            group="House",
            order=70,
        ),
        Nav(app="platform", label="Mail", href=HOME, icon="mail", permission=OUTBOX_READ, group="House", order=60),
        Nav(
            app="platform",
            label="Project",
            href="/platform/project",
            icon="server-cog",
            permission=PLATFORM_SETTINGS_MANAGE,
            group="House",
            order=84,
        ),
        Nav(
            app="platform",
            label="Keys",
            href="/platform/keys",
            icon="key-round",
            permission=KEYS_MANAGE,
            group="House",
            order=86,
        ),
        Nav(
            app="platform",
            label="Audit log",
            href="/platform/audit",
            icon="scroll-text",
            permission=AUDIT_READ,
            group="House",
            order=90,
        ),
    ),
)
