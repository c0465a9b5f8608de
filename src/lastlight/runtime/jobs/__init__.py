"""Jobs: work that outlives its request. A row that people see is the truth; PgQueuer only carries its id to a worker."""

from lastlight.runtime.jobs.declaration import Job, Retry, job
from lastlight.runtime.jobs.run import GiveUpError, JobRun

__all__ = ["GiveUpError", "Job", "JobRun", "Retry", "job"]
