"""Feature flags at the edge: the crew's, and what the apps ask."""

from lastlight.domains.flags import actions, queries
from lastlight.domains.flags.errors import FlagAlive, FlagAsked, FlagKeyTaken, FlagKilled
from lastlight.domains.flags.model import Flag, TenantFlag
from lastlight.domains.flags.permissions import FLAGS_MANAGE, FLAGS_READ
from lastlight.domains.flags.schemas import (
    EnabledOut,
    FlagChange,
    FlagIn,
    KillIn,
    TenantFlagIn,
    TenantFlagsOut,
)
from lastlight.kernel.errors import Invalid, NotFound, Stale
from lastlight.kernel.ids import TenantId
from lastlight.runtime.context import Ctx
from lastlight.runtime.http import delete, get, patch, post, put
from lastlight.runtime.http.listing import listing_get

TAGS = ("Feature flags",)
OF_TENANT = "/api/admin/tenants/{tenant_id:uuid}/flags"


@get("/api/flags", signed_in="what is switched on for the asker tells nothing of others", tags=TAGS)
async def list_enabled(ctx: Ctx) -> EnabledOut:
    """The features that are switched on for whoever asks."""
    return EnabledOut(enabled=await queries.enabled_keys(ctx))


@post("/api/admin/flags", permission=FLAGS_MANAGE, db="platform", raises=[FlagKeyTaken], status=201, tags=TAGS)
async def create_flag(ctx: Ctx, data: FlagIn) -> Flag:
    """Add a flag, for code to ask by its key."""
    return await actions.create_flag(ctx, data=data)


@patch("/api/admin/flags/{flag_key:str}", permission=FLAGS_MANAGE, db="platform", raises=[NotFound, Stale], tags=TAGS)
async def change_flag(ctx: Ctx, flag_key: str, data: FlagChange, if_match: int) -> Flag:
    """Change the platform's answer, its share or its words."""
    return await actions.change_flag(ctx, key=flag_key, data=data, version=if_match)


@post(
    "/api/admin/flags/{flag_key:str}/kill",
    permission=FLAGS_MANAGE,
    db="platform",
    status=200,
    raises=[NotFound, Stale, Invalid, FlagKilled],
    tags=TAGS,
)
async def kill_flag(ctx: Ctx, flag_key: str, data: KillIn, if_match: int) -> Flag:
    """Switch a feature off for everybody at once, whatever businesses answer for themselves."""
    return await actions.kill_flag(ctx, key=flag_key, reason=data.reason, version=if_match)


@post(
    "/api/admin/flags/{flag_key:str}/revival",
    permission=FLAGS_MANAGE,
    db="platform",
    status=200,
    raises=[NotFound, Stale, FlagAlive],
    tags=TAGS,
)
async def revive_flag(ctx: Ctx, flag_key: str, if_match: int) -> Flag:
    """Let a killed flag count again as it stands."""
    return await actions.revive_flag(ctx, key=flag_key, version=if_match)


@delete(
    "/api/admin/flags/{flag_key:str}",
    permission=FLAGS_MANAGE,
    db="platform",
    raises=[NotFound, Stale, FlagAsked],
    tags=TAGS,
)
async def remove_flag(ctx: Ctx, flag_key: str, if_match: int) -> None:
    """Remove a flag with every business's own answer."""
    await actions.remove_flag(ctx, key=flag_key, version=if_match)


@get(OF_TENANT, permission=FLAGS_READ, scope_tenant="tenant_id", db="platform", raises=[NotFound], tags=TAGS)
async def list_tenant_flags(ctx: Ctx, tenant_id: TenantId) -> TenantFlagsOut:
    """Every flag as it stands for one business."""
    return TenantFlagsOut(items=await queries.list_tenant_flags(ctx))


@put(
    f"{OF_TENANT}/{{flag_key:str}}",
    permission=FLAGS_MANAGE,
    scope_tenant="tenant_id",
    db="platform",
    raises=[NotFound, Stale, Invalid],
    tags=TAGS,
)
async def set_tenant_flag(
    ctx: Ctx, tenant_id: TenantId, flag_key: str, data: TenantFlagIn, if_match: int
) -> TenantFlag:
    """Give one business an answer of its own; If-Match is 0 where it has none."""
    return await actions.set_tenant_flag(ctx, key=flag_key, data=data, version=if_match)


@delete(
    f"{OF_TENANT}/{{flag_key:str}}",
    permission=FLAGS_MANAGE,
    scope_tenant="tenant_id",
    db="platform",
    raises=[NotFound, Stale],
    tags=TAGS,
)
async def clear_tenant_flag(ctx: Ctx, tenant_id: TenantId, flag_key: str, if_match: int) -> None:
    """Take a business's own answer away: the platform's counts again."""
    await actions.clear_tenant_flag(ctx, key=flag_key, version=if_match)


ROUTES = (
    list_enabled,
    listing_get("/api/admin/flags", queries.FLAGS_LIST, db="platform", tags=TAGS),
    create_flag,
    change_flag,
    kill_flag,
    revive_flag,
    remove_flag,
    list_tenant_flags,
    set_tenant_flag,
    clear_tenant_flag,
)
