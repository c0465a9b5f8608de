"""What a business decides about bookings."""

from typing import Any

from lastlight.runtime.context import Ctx
from lastlight.runtime.tenant_settings import TenantSetting

NO_SHOW_AFTER = TenantSetting(
    key="bookings.no_show_after_minutes",
    type=int,
    default=15,
    label="No-show",
    description="How long a booking waits for its guest; then it counts as a no-show, and its time is free again.",
    minimum=5,
    maximum=240,
    unit="minutes",
)
MOST_OF_GUEST = TenantSetting(
    key="bookings.most_of_guest",
    type=int,
    default=3,
    label="Bookings of a guest",
    description="How many bookings a guest may have ahead at once; 0 leaves bookings to staff.",
    minimum=0,
    maximum=50,
)
FURTHEST_AHEAD = TenantSetting(
    key="bookings.furthest_ahead_days",
    type=int,
    default=60,
    label="Booking ahead",
    description="How many days ahead a guest may book.",
    minimum=1,
    maximum=366,
    unit="days",
)
SETTINGS = (NO_SHOW_AFTER, MOST_OF_GUEST, FURTHEST_AHEAD)

STORED = "select key, value from tenant_settings where tenant_id = $1 and key like 'bookings.%'"


async def stored_rules(ctx: Ctx) -> dict[str, Any]:
    """What the business has set of these; each setting reads its own value or default from it."""
    return {row["key"]: row["value"] for row in await ctx.db.fetch(STORED, ctx.tenant_id)}
