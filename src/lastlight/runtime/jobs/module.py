"""Jobs as a module: their list, their edges, their housekeeping."""

from lastlight.runtime.jobs.actions import JobEndedAlready, JobNotEnded
from lastlight.runtime.jobs.api import ROUTES
from lastlight.runtime.jobs.events import (
    JOBS_MANAGE,
    JOBS_READ,
    PLATFORM_JOBS_MANAGE,
    JobCancelled,
    JobEnded,
    JobGivenUp,
    JobRequeued,
)
from lastlight.runtime.jobs.housekeeping import drop_ended, drop_old_keys, forget_idle_limits
from lastlight.runtime.jobs.queries import JOBS
from lastlight.runtime.module import Module
from lastlight.runtime.staged_sweep import take_up_left

MODULE = Module(
    name="jobs",
    summary="Work that outlives its request: queued in the transaction, retried, cancelled, scheduled.",
    routes=ROUTES,
    permissions=[JOBS_READ, JOBS_MANAGE, PLATFORM_JOBS_MANAGE],
    events=[JobEnded, JobCancelled, JobRequeued, JobGivenUp],
    errors=[JobEndedAlready, JobNotEnded],
    jobs=[drop_ended, drop_old_keys, forget_idle_limits, take_up_left],
    listings=[JOBS],
)
