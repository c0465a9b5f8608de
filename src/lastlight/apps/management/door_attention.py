"""What the doors need of a manager tonight: devices in trouble, and flags that nobody has judged."""

from lastlight.domains.checkins import FLAGS_READ, count_open_flags
from lastlight.domains.devices import DEVICES_READ, read_fleet, sum_up
from lastlight.runtime.context import Ctx

EVENTS = ("device.alert_raised", "device.alert_cleared", "checkin.flagged", "checkin.flag_resolved")


async def door_attention(ctx: Ctx) -> list[dict[str, str]]:
    """Items for the block "Needs you"; none where all is well, or where the reader may not see it."""
    items: list[dict[str, str]] = []
    if ctx.allows(DEVICES_READ):
        sums = sum_up(await read_fleet(ctx))
        if sums.offline:
            items.append(
                {
                    "title": "1 device is silent" if sums.offline == 1 else f"{sums.offline} devices are silent",
                    "text": "It may still let guests in offline, and sends its log later. Ping it, or replace it.",
                    "tone": "danger",
                    "glyph": "wifi-off",
                    "verb": "See the devices",
                    "href": "/manage/devices?health=offline",
                }
            )
        if sums.battery_low:
            items.append(
                {
                    "title": "1 battery is low" if sums.battery_low == 1 else f"{sums.battery_low} batteries are low",
                    "text": "Charge it before the door is busy.",
                    "tone": "warn",
                    "glyph": "battery-low",
                    "verb": "See which",
                    "href": "/manage/devices?health=battery_low",
                }
            )
    waiting = await count_open_flags(ctx) if ctx.allows(FLAGS_READ) else None
    if waiting:
        items.append(
            {
                "title": "1 flag at the door" if waiting == 1 else f"{waiting} flags at the door",
                "text": "Something looks like fraud, and nobody has judged it.",
                "tone": "warn",
                "glyph": "flag",
                "verb": "Look at it" if waiting == 1 else "Look at them",
                "href": "/manage/flags?status=open",
            }
        )
    return items
