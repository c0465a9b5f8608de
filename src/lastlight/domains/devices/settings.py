"""When a device is missed."""

from lastlight.runtime.tenant_settings import TenantSetting

HEARTBEAT_SECONDS = 30
"""How often a device reports."""
OFFLINE_AFTER = TenantSetting(
    key="devices.offline_after_seconds",
    type=int,
    default=120,
    label="Device offline after",
    description="An enrolled device that is silent for so long raises an alert.",
    minimum=60,
    maximum=86_400,
    unit="seconds",
)
BATTERY_LOW = TenantSetting(
    key="devices.battery_low_percent",
    type=int,
    default=20,
    label="Battery low at",
    description="A device at or under this charge, and not charging, raises an alert; five points more clear it.",
    minimum=1,
    maximum=90,
    unit="percent",
)
SETTINGS = (OFFLINE_AFTER, BATTERY_LOW)
