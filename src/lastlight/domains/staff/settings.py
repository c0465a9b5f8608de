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
OPEN_SHIFTS = TenantSetting(
    key="staff.open_shifts",
    type=str,
    default="ask",
    label="Taking open shifts",
    description="Whether people take published shifts that are nobody's by themselves.",
    choices=(("off", "A planner gives them"), ("ask", "Taken with a planner's approval"), ("direct", "Taken at once")),
)
FORGOTTEN_MINUTES = TenantSetting(
    key="staff.forgotten_minutes",
    type=int,
    default=60,
    label="Clock-out forgotten",
    description="How long after the end of their shift somebody who is still clocked in has forgotten to clock out.",
    minimum=15,
    maximum=720,
    unit="minutes",
)
LONGEST_HOURS = TenantSetting(
    key="staff.longest_hours",
    type=int,
    default=14,
    label="Longest time without a shift",
    description="After how long somebody who clocked in without a shift has forgotten to clock out.",
    minimum=4,
    maximum=24,
    unit="hours",
)
REMIND_MINUTES = TenantSetting(
    key="staff.remind_minutes",
    type=int,
    default=120,
    label="Reminder of a shift",
    description="How long before a shift its person is reminded of it; 0 is never.",
    minimum=0,
    maximum=1440,
    unit="minutes",
)
REST_HOURS = TenantSetting(
    key="staff.rest_hours",
    type=int,
    default=8,
    label="Rest between shifts",
    description="How long somebody should rest between two shifts; the planner marks what is less.",
    minimum=0,
    maximum=24,
    unit="hours",
)
WEEK_HOURS = TenantSetting(
    key="staff.week_hours",
    type=int,
    default=45,
    label="Hours of a week",
    description="How many hours somebody should work in a week at most; the planner marks what is more.",
    minimum=1,
    maximum=168,
    unit="hours",
)
SETTINGS = (
    REST_HOURS,
    WEEK_HOURS,
    CLOCK_GEOFENCE,
    EARLY_MINUTES,
    LATE_MINUTES,
    OPEN_SHIFTS,
    FORGOTTEN_MINUTES,
    LONGEST_HOURS,
    REMIND_MINUTES,
)
