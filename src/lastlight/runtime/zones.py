"""Whose clock counts: the business's, or that of whoever reads."""

from zoneinfo import ZoneInfo

from lastlight.runtime.context import Ctx
from lastlight.ui.render import DEFAULT_ZONE

ZONE = "select time_zone from tenants where id = $1"
NOWHERE = ZoneInfo(DEFAULT_ZONE)
"""The clock where no business is entered."""


async def business_zone(ctx: Ctx) -> ZoneInfo:
    """The time zone of the business that was entered."""
    found: str | None = await ctx.db.fetchval(ZONE, ctx.tenant_id)
    return ZoneInfo(found) if found else NOWHERE


async def reader_zone(ctx: Ctx) -> ZoneInfo:
    """The time zone that whoever asks has chosen, else that of the business."""
    return ZoneInfo(ctx.actor.time_zone) if ctx.actor.time_zone else await business_zone(ctx)
