"""What may be done with time, shifts and figures of the people who work."""

from lastlight.kernel.permissions import Permission, Scope

TIME_CLOCK = Permission(
    "time.clock", "Clock in and out, take breaks, and ask for corrections of one's time", Scope.VENUE
)
TIME_READ = Permission("time.read", "See who is on duty, and everybody's time sheets", Scope.VENUE)
TIME_APPROVE = Permission("time.approve", "Approve and refuse corrections of clocked time", Scope.VENUE)
SHIFTS_READ = Permission("shifts.read", "See the published schedule, and swap one's shifts", Scope.VENUE)
SHIFTS_PLAN = Permission("shifts.plan", "Plan and publish shifts, and approve swaps", Scope.VENUE)
STAFF_PERFORMANCE = Permission(
    "staff.performance", "See figures of people's tasks, response and attendance", Scope.VENUE
)

PERMISSIONS = (TIME_CLOCK, TIME_READ, TIME_APPROVE, SHIFTS_READ, SHIFTS_PLAN, STAFF_PERFORMANCE)
