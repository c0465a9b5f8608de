"""Staff: people's clocked time, their shifts, and figures of both.

Time is clocked by the database's clock, at the venue where the business asks for that, and never overlaps; a correction counts once
somebody else approves it. Shifts are planned, then published; one person's never overlap. A swap is accepted by its taker, then approved
by a planner. Calendars read one's shifts at a secret address. This is all that other domains may use.
"""

from lastlight.domains.staff.clock import coming_shifts, where_clocked_in
from lastlight.domains.staff.figures import performance
from lastlight.domains.staff.model import Shift, TimeEntry
from lastlight.domains.staff.permissions import SHIFTS_PLAN, SHIFTS_READ, STAFF_PERFORMANCE, TIME_CLOCK, TIME_READ
from lastlight.domains.staff.schemas import DaysQuery, Performance, PerformanceOut
from lastlight.domains.staff.seeding import seed_rota

__all__ = [
    "SHIFTS_PLAN",
    "SHIFTS_READ",
    "STAFF_PERFORMANCE",
    "TIME_CLOCK",
    "TIME_READ",
    "DaysQuery",
    "Performance",
    "PerformanceOut",
    "Shift",
    "TimeEntry",
    "coming_shifts",
    "performance",
    "seed_rota",
    "where_clocked_in",
]
