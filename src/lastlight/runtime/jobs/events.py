"""What the jobs mechanism says, and who may hear it."""

from lastlight.kernel.events import Event
from lastlight.kernel.permissions import Permission, Scope

JOBS_READ = Permission("jobs.read", "See jobs: what runs, what failed and why", Scope.TENANT)
JOBS_MANAGE = Permission("jobs.manage", "Cancel jobs and queue failed ones again", Scope.TENANT)
PLATFORM_JOBS_MANAGE = Permission("platform.jobs.manage", "Cancel and repeat the jobs of any tenant", Scope.PLATFORM)


class JobEnded(Event, frozen=True):
    """A job that somebody started has ended, or any job has failed for good."""

    event_name = "job.ended"
    audience = JOBS_READ

    job_id: str
    kind: str
    state: str


class JobCancelled(Event, frozen=True):
    """Somebody asked for a job to be cancelled; a waiting one is cancelled with it, a running one soon after."""

    event_name = "job.cancelled"
    audience = JOBS_READ

    job_id: str
    kind: str


class JobRequeued(Event, frozen=True):
    """Somebody queued an ended job again."""

    event_name = "job.requeued"
    audience = JOBS_READ

    job_id: str
    kind: str


class JobGivenUp(Event, frozen=True):
    """What an ended job was to have somebody else do is given up for good, with its consequences."""

    event_name = "job.given_up"
    audience = JOBS_READ

    job_id: str
    kind: str
