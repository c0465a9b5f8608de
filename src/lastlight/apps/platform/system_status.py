"""How the whole platform stands, for its crew: the database, migrations, the jobs and the card provider."""

import msgspec

from lastlight.domains.payments import ProviderAnswer, provider_answer
from lastlight.domains.tenancy import TENANTS_READ
from lastlight.runtime.context import Ctx
from lastlight.runtime.db.migrate import newest_migration
from lastlight.runtime.http import get
from lastlight.runtime.observability.health import ready

# every tenant: the crew sees how much waits, not what
WAITING = """
select (select count(*) from jobs where tenant_id is not null and state = 'queued' and run_at <= now()) as jobs_due,
       (select count(*) from jobs where tenant_id is not null and state = 'dead') as jobs_dead,
       (select count(*) from tenants where status = 'active' and kind = 'business') as businesses
"""


class SystemStatusOut(msgspec.Struct, frozen=True, kw_only=True):
    """How the platform stands. `ready` is what `/ready` says; jobs are those of every business together."""

    ready: bool
    reachable: dict[str, bool]
    """Whether the database answers, for each role that the platform signs in with."""
    migration: int | None
    """The newest migration that the database has; null while it cannot be asked."""
    jobs_due: int
    """Jobs that could run now and wait for a worker."""
    jobs_dead: int
    """Jobs that were tried for the last time."""
    businesses: int
    """Businesses that are active."""
    card_provider: ProviderAnswer
    """Whether the card provider, or the sandbox in its place, answers."""


@get("/api/admin/health", permission=TENANTS_READ, db="platform", tags=["platform"])
async def read_system_status(ctx: Ctx) -> SystemStatusOut:
    """Tell how the platform stands: the database, its migrations, what waits, and whether the card provider answers."""
    ok, details = await ready(ctx.services.pools, newest=newest_migration())
    waiting = await ctx.db.fetchrow(WAITING)
    assert waiting is not None, "it counts, so it has one row"
    return SystemStatusOut(
        ready=ok,
        reachable={name: answer["ok"] for name, answer in details["database"].items()},
        migration=details["migrations"].get("at"),
        card_provider=await provider_answer(ctx.services),
        **dict(waiting),
    )
