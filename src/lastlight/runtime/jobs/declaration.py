"""Job: a function declared once with its retries, its schedule and whom it runs for."""

import inspect
import random
import typing
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from croniter import croniter

from lastlight.kernel.ids import TenantId
from lastlight.runtime.db.pools import PoolName

if TYPE_CHECKING:
    from lastlight.runtime.context import Ctx

JobFunction = Callable[..., Awaitable[Any]]
TenantChoice = Callable[["Ctx"], Awaitable[Sequence[TenantId]]]
Each = Literal["tenant", "platform"]


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a job is tried, and how long it waits in between: `backoff` seconds, doubled each time up to `most`."""

    attempts: int = 5
    backoff: float = 2.0
    most: float = 3600.0

    def wait(self, attempt: int) -> timedelta:
        """The pause after an attempt that failed, a tenth more or less so that many jobs do not return at once."""
        seconds = min(self.most, self.backoff * 2 ** min(attempt - 1, 30))
        return timedelta(seconds=seconds * random.uniform(0.9, 1.1))  # noqa: S311 - spreads load, keeps no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A declared job. Its function takes `ctx` (one transaction for all of it, the job's end included), or `job` (a
    JobRun, which opens transactions of its own), or both; and the arguments that it was queued with, by name."""

    name: str
    fn: JobFunction
    retry: Retry = Retry()
    schedule: str | None = None
    """A cron expression in UTC: queued once each time, whatever the number of workers."""
    each: Each | TenantChoice = "tenant"
    """For whom a schedule queues it: every active tenant, the tenants that a query finds, or once for the platform."""
    role: PoolName = "app"
    """The database role of its transactions; "system" where it works across tenants."""
    toggle: str | None = None
    """The tenant module without which it is skipped."""
    timeout: float = 60.0
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    required: frozenset[str] = frozenset()

    @property
    def takes_ctx(self) -> bool:
        """Whether the function runs inside one transaction."""
        return "ctx" in self.parameters

    @property
    def takes_run(self) -> bool:
        """Whether the function reports progress or opens its own transactions."""
        return "job" in self.parameters

    @property
    def description(self) -> str:
        """The first sentence of the function's docstring."""
        return (inspect.getdoc(self.fn) or "").split("\n", 1)[0]

    def check_arguments(self, args: Mapping[str, Any]) -> None:
        """Refuse, where the job is queued, what its function would not take."""
        unknown = set(args) - set(self.parameters)
        missing = self.required - set(args)
        if unknown or missing:
            wrong = [f"does not take {name}" for name in sorted(unknown)] + [
                f"needs {name}" for name in sorted(missing)
            ]
            raise TypeError(f"job {self.name} {', '.join(wrong)}")

    def arguments(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """The stored JSON as the types that the function declares; TypeError for what another version stored."""
        self.check_arguments(stored)
        return {name: msgspec.convert(value, self.parameters[name], strict=False) for name, value in stored.items()}

    def next_run(self, now: datetime) -> datetime:
        """The first time of the schedule after `now`."""
        assert self.schedule is not None
        return croniter(self.schedule, now).get_next(datetime)


def job(
    name: str,
    *,
    retry: Retry = Retry(),
    schedule: str | None = None,
    each: Each | TenantChoice = "tenant",
    role: PoolName | None = None,
    toggle: str | None = None,
    timeout: float = 60.0,
) -> Callable[[JobFunction], Job]:
    """Declare an async function as a job; list it in its Module's `jobs`."""
    if schedule is not None and not croniter.is_valid(schedule):
        raise ValueError(f"job {name}: {schedule!r} is not a cron expression")

    def wrap(fn: JobFunction) -> Job:
        hints = typing.get_type_hints(fn)
        signature = inspect.signature(fn)
        parameters = {parameter: hints.get(parameter, Any) for parameter in signature.parameters}
        if not {"ctx", "job"} & set(parameters):
            raise TypeError(f"job {name}: its function takes neither ctx nor job")
        required = {p.name for p in signature.parameters.values() if p.default is p.empty} - {"ctx", "job"}
        if schedule is not None and required:
            raise TypeError(f"job {name}: a schedule cannot give {', '.join(sorted(required))}")
        default_role: PoolName = "system" if each == "platform" and schedule is not None else "app"
        return Job(
            name=name,
            fn=fn,
            retry=retry,
            schedule=schedule,
            each=each,
            role=role or default_role,
            toggle=toggle,
            timeout=timeout,
            parameters=parameters,
            required=frozenset(required),
        )

    return wrap
