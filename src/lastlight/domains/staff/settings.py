"""What a business decides about its people's time."""

from lastlight.runtime.tenant_settings import TenantSetting

CLOCK_GEOFENCE = TenantSetting(
    key="staff.clock_geofence",
    type=str,
    default="when_given",
    label="Clocking in at the venue",
    description="Whether a position is asked for, and checked against the venue's fence, when people clock in and out.",
    choices=(("off", "Never checked"), ("when_given", "Checked where it is given"), ("required", "Needed and checked")),
)
EARLY_MINUTES = TenantSetting(
    key="staff.early_minutes",
    type=int,
    default=120,
    label="Early for a shift",
    description="How long before a shift somebody may clock in so that the time counts for that shift.",
    minimum=0,
    maximum=720,
    unit="minutes",
)
LATE_MINUTES = TenantSetting(
    key="staff.late_minutes",
    type=int,
    default=5,
    label="Late for a shift",
    description="How long after a shift's beginning somebody who clocks in is still in time.",
    minimum=0,
    maximum=120,
    unit="minutes",
)
SETTINGS = (CLOCK_GEOFENCE, EARLY_MINUTES, LATE_MINUTES)
