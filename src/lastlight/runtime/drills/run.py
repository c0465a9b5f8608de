"""Running a drill: its steps in order, each with what it found, kept as evidence whether it passed or failed."""

import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import NoReturn
from uuid import UUID

import msgspec

from lastlight.kernel.errors import Problem
from lastlight.kernel.ids import PLATFORM, TenantId, uuid7
from lastlight.runtime.context import SYSTEM, Actor, Ctx
from lastlight.runtime.db.uow import system_ctx
from lastlight.runtime.drills.declaration import Drill
from lastlight.runtime.drills.events import DrillRan
from lastlight.runtime.services import Services

KEEP = """
insert into drill_runs (tenant_id, id, drill, runbook, business_id, run_by, passed, seconds, steps)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


class DrillStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a drill as it went."""

    title: str
    passed: bool
    found: str
    seconds: float


class DrillReport(msgspec.Struct, frozen=True, kw_only=True):
    """The evidence of one run."""

    id: UUID
    drill: str
    passed: bool
    seconds: float
    steps: list[DrillStep]


class StepFailed(Exception):
    """A step did not prove what it had to; the drill ends there."""


class _Over(Exception):
    """Ends a rehearsal, so that nothing of it is kept."""


class Drilling:
    """One run of a drill: where it plays, and what it has found so far."""

    def __init__(self, services: Services, *, tenant_id: TenantId) -> None:
        self.services = services
        self.tenant_id = tenant_id
        """The business in which it is played."""
        self.steps: list[DrillStep] = []
        self._found: list[str] = []

    @asynccontextmanager
    async def rehearsal(self, actor: Actor = SYSTEM) -> AsyncGenerator[Ctx]:
        """A transaction inside the business that is always rolled back: everything in it is real, and nothing is kept."""
        with suppress(_Over):
            async with system_ctx(self.services, self.tenant_id, actor=actor) as ctx:
                yield ctx
                _end()

    @contextmanager
    def step(self, title: str) -> Generator[None]:
        """One step: what `note` says inside it is its finding; a `prove` that fails, or a refusal, fails it and ends the drill."""
        self._found = []
        began = time.monotonic()
        try:
            yield
        except (StepFailed, Problem) as failure:
            said = failure.detail if isinstance(failure, Problem) else str(failure)
            self._close(title, [*self._found, said], began, passed=False)
            raise StepFailed(title) from failure
        except Exception as error:
            self._close(title, [*self._found, f"{type(error).__name__}: {error}"], began, passed=False)
            raise StepFailed(title) from error
        self._close(title, self._found, began, passed=True)

    def note(self, found: str) -> None:
        """Keep a sentence of what the running step found."""
        self._found.append(found)

    def prove(self, holds: bool, otherwise: str) -> None:
        """Fail the running step with the sentence `otherwise` unless something holds."""
        if not holds:
            raise StepFailed(otherwise)

    def _close(self, title: str, found: list[str], began: float, *, passed: bool) -> None:
        seconds = round(time.monotonic() - began, 3)
        self.steps.append(DrillStep(title=title, passed=passed, found=" ".join(found), seconds=seconds))


def _end() -> NoReturn:
    raise _Over


async def run_drill(services: Services, *, drill: Drill, tenant_id: TenantId, run_by: str) -> DrillReport:
    """Play a drill in a business and keep the evidence under the platform, in its audit chain too."""
    drilling, began = Drilling(services, tenant_id=tenant_id), time.monotonic()
    try:
        await drill.fn(drilling)
        passed = bool(drilling.steps)
    except StepFailed:
        passed = False
    report = DrillReport(
        id=uuid7(),
        drill=drill.name,
        passed=passed,
        seconds=round(time.monotonic() - began, 3),
        steps=drilling.steps,
    )
    await _keep(services, drill, report, tenant_id, run_by)
    return report


async def _keep(services: Services, drill: Drill, report: DrillReport, tenant_id: TenantId, run_by: str) -> None:
    async with system_ctx(services, PLATFORM) as ctx:
        await ctx.db.execute(
            KEEP,
            PLATFORM,
            report.id,
            drill.name,
            drill.runbook,
            tenant_id,
            run_by,
            report.passed,
            report.seconds,
            report.steps,
        )
        ctx.emit(
            DrillRan(run_id=report.id, drill=drill.name, passed=report.passed),
            entity=("drill_run", report.id),
            after={"steps": msgspec.to_builtins(report.steps), "run_by": run_by, "business_id": str(tenant_id)},
        )
